"""Every key and token that can be changed is changed while applications flow: nothing refused, nothing lost.

The order is the runbook's: first everybody learns the new beside the old, then the new is used, and only when nothing
bears the old any more is it forgotten. Within each of these the services are started again at the same time, which is
harder on those who wait for an answer than one after the other.
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
APPLICATIONS: Final = 36
AHEAD: Final = 9
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


@dataclass(frozen=True, slots=True)
class Secret:
    """Everything of which there is an old one and a new one."""

    sealing: str
    signing: str
    platform: str
    portal: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """All of it at once.

    Attributes:
        files: where the portals file is written anew, once with both tokens and once with the new one.
        given: the portals file that the system began with.
    """

    world: World
    old: Secret
    new: Secret
    files: Path
    given: Path

    @classmethod
    def of(cls, world: World, files: Path, given: Path) -> "Rotation":
        """From what the stack has to what nobody has seen yet."""
        secrets = world.system.place.stack.secrets
        old = Secret(secrets.sealing_keys, secrets.signing_key, world.system.platform_token, world.system.token(PORTAL))
        return cls(world, old, Secret(ring_key("seal-2"), ring_key("sign-2"), token(), token()), files, given)

    async def learn(self) -> None:
        """Whoever opens, verifies or lets in knows both, before anybody uses the new one."""
        again, old, new = self.world.restart_with, self.old, self.new
        both = self._portals_file(keep_old=True)
        await asyncio.gather(
            again("platform_bridge", SEALING_KEYS=f"{old.sealing},{new.sealing}"),
            again("issuer", SIGNING_KEY=f"{old.signing},{new.signing}", PORTALS_FILE=both),
            again("intake", PORTALS_FILE=both),
            _platform_takes(self.world, f"{old.platform},{new.platform}"),
        )

    async def change_over(self) -> None:
        """The new one seals, signs and is shown to the platform; the old one still opens and is still published."""
        again, old, new = self.world.restart_with, self.old, self.new
        await asyncio.gather(
            again("issuer", SEALING_KEYS=f"{new.sealing},{old.sealing}", SIGNING_KEY=f"{new.signing},{old.signing}"),
            again("platform_bridge", PLATFORM_TOKEN=new.platform),
        )

    async def forget(self) -> None:
        """Nobody knows the old ones any more, but whoever verifies what the old signing key has signed."""
        again, new = self.world.restart_with, self.new
        fresh = self._portals_file(keep_old=False)
        await asyncio.gather(
            again("issuer", SEALING_KEYS=new.sealing, PORTALS_FILE=fresh),
            again("platform_bridge", SEALING_KEYS=new.sealing),
            again("intake", PORTALS_FILE=fresh),
            _platform_takes(self.world, new.platform),
        )

    def _portals_file(self, *, keep_old: bool) -> str:
        """The portals file with both tokens of the portal, or with the new one."""
        text = self.given.read_text(encoding="utf-8")
        old, new = (f'"{token_sha256(one.portal)}"' for one in (self.old, self.new))
        assert text.count(old) == 1
        file = self.files / f"portals-{'both' if keep_old else 'new'}.toml"
        file.write_text(text.replace(old, f"{old}, {new}" if keep_old else new), encoding="utf-8")
        return str(file)


async def test_everything_is_rotated_under_load(fresh_database: Servers, tmp_path: Path) -> None:
    """Sealing keys, signing key, the platform's token and a portal's."""
    where = fresh_database
    async with world_on(where.local, where.database, where.vhost) as world, portals_of(world) as portals:
        sent = applications(SEED, APPLICATIONS, HONEST)
        rotation = Rotation.of(world, tmp_path, where.portals_file)
        old_doors, new_doors = portals[PORTAL].doors, _doors(world, rotation.new.portal)
        async with new_doors:
            async with flowing(world, portals, sent) as flow:
                await flow.goes_on(rotation.learn())
                assert not (await _key(world, "seal-1"))["may_be_retired"]
                assert await _published(world) == ["sign-1", "sign-2"]
                assert [await _status(doors) for doors in (old_doors, new_doors)] == [200, 200]
                portals[PORTAL].doors = new_doors
                await flow.goes_on(rotation.change_over())
                await _nothing_bears_the_old_key(world)
                await flow.goes_on(rotation.forget())
                assert {one["kid"] for one in await _keys(world)} == {"seal-2"}
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


async def _nothing_bears_the_old_key(world: World) -> None:
    """What the old key sealed is sealed again while applications flow; then ops says that it may go."""

    async def retirable() -> bool:
        return bool((await _key(world, "seal-1"))["may_be_retired"])

    await eventually(retirable, within_s=PATIENCE_S)
    new = await _key(world, "seal-2")

    assert new["rows"]["issuer.guarantee"] > 0
    assert not new["may_be_retired"]


async def _platform_takes(world: World, tokens: str) -> None:
    place = world.system.place
    program = simulator_programs(place)[PLATFORM]
    environment = {**program.env, "PLATFORM_SIM_POSTING_TOKENS": tokens}
    unit = ProgramServer(replace(program, env=environment), ready_url(place, PLATFORM))
    async with world.turn(PLATFORM):
        world.system.supervisor.replace(PLATFORM, unit)
        await world.end(PLATFORM)
        await world.start(PLATFORM)


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
