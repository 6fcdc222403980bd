"""The authentication keys of a sample: the same at issuer and platform, and nowhere else, however spelled."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from deploy.local.programs import simulator
from simulators.portal.client import Portal
from tests.faults.canary.spellings import Search, told
from tests.faults.world import World

SAMPLE_NUMBERS_MAX: Final = 50
"""Each costs two requests and is noted as a look at the key, so not all are asked for."""

VIEWER: Final = "照合係"


async def revealed(
    world: World, portals: Mapping[str, Portal], guarantees: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, bool]:
    """For some issued guarantees, by number: whether an official gets in with the key the issuer shows."""
    issued = sorted(
        (str(row["guarantee_number"]), name.partition("/")[0])
        for name, rows in guarantees.items()
        for row in rows
        if row["issued_at"] is not None
    )
    for number, portal in issued[:: max(1, len(issued) // SAMPLE_NUMBERS_MAX)]:
        if number not in world.keys:
            reply = await portals[portal].doors.reveal_key(number, VIEWER)
            assert reply.status == 200, f"{number}: {reply.status}"
            world.keys[number] = str(reply.json()["auth_key"])
    return {number: await _opens(world, number, key) for number, key in world.keys.items()}


async def _opens(world: World, number: str, key: str) -> bool:
    body = {"guarantee_number": number, "auth_key": key}
    url = world.system.url(simulator("platform")) + "/v1/checks"
    async with world.http.post(url, json=body) as answer:
        # 429 locks a number after wrong keys, so it says no as well.
        assert answer.status in (200, 404, 429), await answer.text()
        return answer.status == 200


def leaks(world: World, mails: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where one of these keys stands, however spelled: in a mail, or in the log of a program of ours."""
    search = Search(world.keys)
    texts = {f"the mail {mail['message_id']}": str(mail["text"]).encode() for mail in mails}
    found = [one for where, text in texts.items() for one in search.in_bytes(text, where)]
    logs = world.system.place.folder / "log"
    return told([*found, *(one for path in sorted(logs.glob("*.log")) for one in search.in_file(path))])
