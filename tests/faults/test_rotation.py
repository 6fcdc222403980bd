"""Every key and token that can be changed is changed while applications flow: nothing refused, nothing lost.

The steps are those of the runbook, in its order. One service after the other is started again with new settings.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from deploy.local.programs import ready_url, simulator_programs
from deploy.local.runner import ProgramServer
from deploy.local.secret_store import ring_key, token
from deploy.portals import token_sha256
from shared.signing import canonical, kid_of, signed_content, verify
from shared.topology import SERVICES
from simulators.portal.client import Portal
from simulators.portal.doors import Doors
from tests.conftest import Servers
from tests.eventually import eventually
from tests.faults.building import world_on
from tests.faults.expected import Sent
from tests.faults.settling import left_in_queues, settled
from tests.faults.workload import Mixture, Workload, applications, portals_of
from tests.faults.world import PLATFORM, World

SEED: Final = 77
APPLICATIONS: Final = 46
FIRST: Final = 25
"""So many of them flow through the first six steps, the others through the five that follow."""

AHEAD: Final = 3
"""Applications that go out while a step is under way; one more goes out after it and must get through."""

HONEST: Final = Mixture(platform=(), mail=(), troubled_share=0.0)
SENDERS: Final = 4
PATIENCE_S: Final = 60.0
PORTAL: Final = "portal-b"
"""The one whose token is changed; it reads over HTTP only."""


@dataclass(slots=True)
class Flow:
    """Applications that flow while something is changed; `goes_on` lets some more out and sees them through."""

    world: World
    load: Workload
    allowed: int = 0

    async def goes_on(self, step: Awaitable[None]) -> None:
        """Carry out a step while applications flow, and see to it that they do so afterwards."""
        self.allowed += AHEAD
        self.load.allow(self.allowed)
        await step
        self.allowed += 1
        assert self.allowed <= len(self.load.sent), "more steps than applications for them"
        self.load.allow(self.allowed)
        await asyncio.wait_for(self.load.has_brought(self.allowed), PATIENCE_S)


@asynccontextmanager
async def flowing(world: World, portals: Mapping[str, Portal], sent: list[Sent]) -> AsyncIterator[Flow]:
    """A flow until the block ends; then all of it has been sent and acknowledged."""
    flow = Flow(world, Workload(portals, sent, SEED))
    task = asyncio.create_task(flow.load.flow(SENDERS))
    try:
        yield flow
        flow.load.allow(len(sent))
        await asyncio.wait_for(task, PATIENCE_S)
    finally:
        task.cancel()


async def test_everything_is_rotated_under_load(fresh_database: Servers, tmp_path: Path) -> None:
    """Sealing keys, signing key, the platform's token and a portal's, one after the other."""
    where = fresh_database
    async with world_on(where.local, where.database, where.vhost) as world, portals_of(world) as portals:
        sent = applications(SEED, APPLICATIONS, HONEST)
        changed = tmp_path / "portals.toml"
        fresh = token()
        old_doors, new_doors = portals[PORTAL].doors, _doors(world, fresh)
        async with new_doors:
            async with flowing(world, portals, sent[:FIRST]) as flow:
                await _rotate_sealing(world, flow)
                await _rotate_signing(world, flow)
            async with flowing(world, portals, sent[FIRST:]) as flow:
                await _rotate_platform_token(world, flow)
                await flow.goes_on(_give_portal(world, changed, where.portals_file, keep_old=True, fresh=fresh))
                assert [await _status(doors) for doors in (old_doors, new_doors)] == [200, 200]
                portals[PORTAL].doors = new_doors
                await flow.goes_on(_give_portal(world, changed, where.portals_file, keep_old=False, fresh=fresh))
                assert [await _status(doors) for doors in (old_doors, new_doors)] == [401, 200]
            account = await settled(world, portals, sent, 0, within_s=PATIENCE_S)
            signers = await _verified_signers(world, portals.values())
            portals[PORTAL].doors = old_doors
        left = await left_in_queues(world)
        complaints = _complaints(world)

    assert account.clean, account.faulty
    assert (account.attempted, account.parked, left) == (len(sent), 0, [])
    assert signers == {"sign-1", "sign-2"}
    assert world.tally.fell == []
    assert complaints == []


async def _rotate_sealing(world: World, flow: Flow) -> None:
    """The bridge learns the new key first, for it must open what the issuer seals a moment later."""
    old = world.system.place.stack.secrets.sealing_keys
    new = ring_key("seal-2")
    await flow.goes_on(world.restart_with("platform_bridge", SEALING_KEYS=f"{old},{new}"))
    assert not (await _key(world, "seal-1"))["may_be_retired"]
    await flow.goes_on(world.restart_with("issuer", SEALING_KEYS=f"{new},{old}"))

    async def retirable() -> bool:
        return bool((await _key(world, "seal-1"))["may_be_retired"])

    await eventually(retirable, within_s=PATIENCE_S)
    borne = (await _key(world, "seal-2"))["rows"]["issuer.guarantee"]
    assert borne > 0
    await flow.goes_on(world.restart_with("issuer", SEALING_KEYS=new))
    await flow.goes_on(world.restart_with("platform_bridge", SEALING_KEYS=new))
    assert {one["kid"] for one in await _keys(world)} == {"seal-2"}


async def _rotate_signing(world: World, flow: Flow) -> None:
    """The new key is published before it signs, for whoever verifies may look at the published ones only rarely."""
    old = world.system.place.stack.secrets.signing_key
    new = ring_key("sign-2")
    await flow.goes_on(world.restart_with("issuer", SIGNING_KEY=f"{old},{new}"))
    assert await _published(world) == ["sign-1", "sign-2"]
    await flow.goes_on(world.restart_with("issuer", SIGNING_KEY=f"{new},{old}"))


async def _rotate_platform_token(world: World, flow: Flow) -> None:
    """The platform takes both for a while; the bridge changes in between."""
    old, new = world.system.platform_token, token()
    await flow.goes_on(_platform_takes(world, f"{old},{new}"))
    await flow.goes_on(world.restart_with("platform_bridge", PLATFORM_TOKEN=new))
    await flow.goes_on(_platform_takes(world, new))


async def _platform_takes(world: World, tokens: str) -> None:
    place = world.system.place
    program = simulator_programs(place)[PLATFORM]
    environment = {**program.env, "PLATFORM_SIM_POSTING_TOKENS": tokens}
    unit = ProgramServer(replace(program, env=environment), ready_url(place, PLATFORM))
    async with world.turn(PLATFORM):
        world.system.supervisor.replace(PLATFORM, unit)
        await world.end(PLATFORM)
        await world.start(PLATFORM)


async def _give_portal(world: World, file: Path, given: Path, *, keep_old: bool, fresh: str) -> None:
    """Write the portals file anew and start again, one after the other, who reads tokens in it."""
    _write_tokens(file, given, old=token_sha256(world.system.token(PORTAL)), new=token_sha256(fresh), keep_old=keep_old)
    for service in ("intake", "issuer"):
        await world.restart_with(service, PORTALS_FILE=str(file))


def _write_tokens(file: Path, given: Path, *, old: str, new: str, keep_old: bool) -> None:
    text = given.read_text(encoding="utf-8")
    hashes = [f'"{one}"' for one in ([old, new] if keep_old else [new])]
    assert text.count(f'"{old}"') == 1
    file.write_text(text.replace(f'"{old}"', ", ".join(hashes)), encoding="utf-8")


def _doors(world: World, bearer: str) -> Doors:
    return Doors(world.system.url("intake"), world.system.url("issuer"), bearer)


async def _status(doors: Doors) -> int:
    return (await doors.guarantees(limit="1")).status


async def _keys(world: World) -> list[dict[str, Any]]:
    operator = world.system.place.stack.secrets.operator_tokens["viewer"]
    headers = {"Authorization": f"Bearer {operator}"}
    async with world.http.get(world.system.url("ops") + "/v1/keys", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        found: list[dict[str, Any]] = (await answer.json())["keys"]
        return found


async def _key(world: World, kid: str) -> dict[str, Any]:
    (found,) = [one for one in await _keys(world) if one["kid"] == kid]
    return found


async def _jwks(world: World) -> dict[str, Any]:
    async with world.http.get(world.system.url("issuer") + "/.well-known/jwks.json") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def _published(world: World) -> list[str]:
    return [one["kid"] for one in (await _jwks(world))["keys"]]


async def _verified_signers(world: World, portals: Iterable[Portal]) -> set[str | None]:
    """Which keys signed the certificates of all issued guarantees; each must verify with what is published now."""
    jwks, signers = await _jwks(world), set[str | None]()
    for portal in portals:
        listed = (await portal.doors.guarantees(limit="200")).json()["items"]
        for number in [one["guarantee_number"] for one in listed if one["issued_at"] is not None]:
            found = (await portal.doors.certificate(number, 1)).json()
            assert verify(canonical(signed_content(found)), found["signature"], jwks), number
            signers.add(kid_of(found["signature"]))
    return signers


def _complaints(world: World) -> list[str]:
    """Every line in which a service says that a person must act: none of these changes may bring one."""
    found: list[str] = []
    for service in SERVICES:
        text = (world.system.place.folder / "log" / f"{service}.log").read_text(encoding="utf-8")
        told = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        assert told, f"{service} wrote no log"
        found += [f"{service}: {line}" for line in told if line["level"] in ("error", "critical")]
    return found
