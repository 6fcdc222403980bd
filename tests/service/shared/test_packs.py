"""How facts travel: in packs, in the journal, and alone to portals."""

from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import from_json

from shared import parcels, topology
from shared.envelope import BATCH_CONTENT_TYPE
from shared.messages.issuer import GuaranteeStatusChanged
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.telling import Mouth, announce, certificate, changed, mail_sent

if TYPE_CHECKING:
    pass

ANSWERS = topology.answer_queue("portal-a")


async def test_a_pack_holds_at_most_fifty_facts_and_the_header_says_how_many(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "notifier") as notifier:
        await announce(notifier.desk(), range(120))
        await eventually(lambda: notifier.relay.held == 0)
    packs = await mouth.taken()

    assert [len(from_json(pack.body)) for pack in packs] == [50, 50, 20]
    assert [pack.headers["facts"] for pack in packs] == [50, 50, 20]
    assert {pack.content_type for pack in packs} == {BATCH_CONTENT_TYPE}
    assert {int(pack.delivery_mode or 0) for pack in packs} == {2}
    assert len({pack.message_id for pack in packs}) == 3
    assert set(_names(packs).values()) == {1}


def _names(messages: list[Any]) -> Counter[str]:
    return Counter(event["data"]["application_id"] for message in messages for event in from_json(message.body))


async def test_a_pack_stays_under_its_size(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "notifier") as notifier:
        async with unit_of_work(notifier.desk()) as work:
            for number in range(8):
                big = mail_sent(number, message_id="x" * 60_000)
                work.announce(big, subject=str(number), occurrence="1", correlation=f"portal-a/A-{number}")
        await eventually(lambda: notifier.relay.held == 0)
    packs = await mouth.taken()

    assert [len(from_json(pack.body)) for pack in packs] == [3, 3, 2]
    assert all(len(pack.body) <= parcels.PACK_BYTES_MAX for pack in packs)


async def test_the_journal_has_each_fact_once_also_those_that_nobody_hears(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "issuer", answered=lambda portal: portal == "portal-a") as issuer:
        async with unit_of_work(issuer.desk()) as work:
            heard = work.announce(certificate(), subject="1/1", occurrence="1", correlation="portal-a/A-1")
            unheard = work.announce(
                changed(), subject="1", occurrence="1", correlation="portal-a/A-1", portal="portal-a"
            )
            # Announced again in the same batch, which is the same fact.
            work.announce(changed(), subject="1", occurrence="1", correlation="portal-a/A-1", portal="portal-a")
        await eventually(lambda: issuer.relay.held == 0)
    records = [from_json(message.body) for message in await mouth.taken(topology.JOURNAL_QUEUE)]

    assert [record["service"] for record in records] == ["issuer"]
    entries = records[0]["facts"]
    assert Counter(entry["id"] for entry in entries) == {str(heard): 1, str(unheard): 1}
    assert {frozenset(entry) - {"search"} for entry in entries} == {
        frozenset({"id", "type", "subject", "correlation", "time", "digest"})
    }
    assert "sealed" not in str(records)


async def test_a_portal_gets_single_facts_in_binary_mode_without_anything_sealed(mouth: Mouth, stack: Servers) -> None:
    async with living(stack, "issuer", answered=lambda portal: portal == "portal-a") as issuer:
        identities = []
        for _ in range(2):
            async with unit_of_work(issuer.desk()) as work:
                identities.append(_announce_for_portals(work))
            await eventually(lambda: issuer.relay.held == 0)
    first, again = await mouth.taken(ANSWERS)
    identity, _ = identities

    # Announced again it is the same message to the portal.
    assert first.message_id == again.message_id == str(identity)
    assert first.body == again.body
    assert first.content_type == "application/json"
    assert first.correlation_id == "A-1"
    assert first.type == first.headers["cloudEvents_type"] == GuaranteeStatusChanged.TYPE
    assert first.headers["cloudEvents_id"] == str(identity)
    assert first.headers["cloudEvents_specversion"] == "1.0"
    assert first.routing_key == f"portal-a.{GuaranteeStatusChanged.TYPE}"
    assert from_json(first.body)["from"] is None
    assert await mouth.ready(topology.answer_queue("office")) == 0


def _announce_for_portals(work: Work) -> UUID:
    work.announce(certificate(), subject="1/1", occurrence="1", correlation="portal-a/A-1", portal="portal-a")
    work.announce(changed(), subject="2", occurrence="1", correlation="portal-b/B-1", portal="portal-b")
    return work.announce(changed(), subject="1", occurrence="1", correlation="portal-a/A-1", portal="portal-a")
