"""Of all facts that were redelivered after a death, one is tried at a time: only the killer gathers tries."""

from typing import TYPE_CHECKING

from shared import topology
from shared.messages.notifier import MailRefused, MailSent
from shared.service import Hears
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.service.shared.hearers import Hearer
from tests.service.shared.telling import QUEUE, Mouth

if TYPE_CHECKING:
    from tests.service.shared.conftest import Tables

OTHER_QUEUE = topology.queue_of("issuer", MailRefused.TYPE)
TRIED = "select consumer from issuer.attempt where attempts > 0"


async def test_while_one_redelivered_fact_is_tried_those_of_other_queues_are_not_counted(
    mouth: Mouth, stack: Servers, tables: "Tables"
) -> None:
    """A death now may be blamed on the one that runs, and on nobody who has not run."""

    async def nobody_is_counted() -> bool:
        return not await tables.fetch(TRIED)

    sent, refused = Hearer(), Hearer()
    hears = [Hears(MailSent, sent), Hears(MailRefused, refused)]
    for hearer in (sent, refused):
        hearer.closed.clear()
    await mouth.tell_each([1], key=MailSent.TYPE)
    await mouth.tell_each([1], key=MailRefused.TYPE)
    async with living(stack, "issuer", hears=hears):
        await sent.entered.wait()
        await refused.entered.wait()
    sent.entered.clear()
    refused.entered.clear()

    async with living(stack, "issuer", hears=hears) as running:
        await eventually(lambda: sent.entered.is_set() or refused.entered.is_set())
        await eventually(lambda: all(not one.idle.is_set() for one in running.consumers))
        await eventually(lambda: not any(one.subscription.buffer.waiting for one in running.consumers))
        running_now = QUEUE if sent.entered.is_set() else OTHER_QUEUE
        tried = [row["consumer"] for row in await tables.fetch(TRIED)]
        assert tried == [running_now]
        assert sent.entered.is_set() != refused.entered.is_set()
        sent.closed.set()
        refused.closed.set()

        await eventually(lambda: (len(sent.batches), len(refused.batches)) == (1, 1))
        await eventually(nobody_is_counted)
