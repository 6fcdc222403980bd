"""A service as `build_app()` describes it: data, and the few things a web door may ask of the living process."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI
from pydantic import AfterValidator, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared import postgres
from shared.delivery import Handler, Hearing
from shared.errands import Errand
from shared.messages import Message
from shared.operator_door.keys import Sealed
from shared.operator_door.ledger import Ledger
from shared.web_limits import REQUESTS_PER_SECOND, WRONG_TOKENS_PER_MINUTE
from shared.work import Desk, Work, unit_of_work

if TYPE_CHECKING:
    from shared.service.running import Running


def _as_addresses(text: str) -> str:
    """Refuse what is no address: the server would take it for a name that never matches, and believe nobody."""
    found = [ip_network(part.strip()) for part in text.split(",")] if text else []
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("name the proxies; with every address among them, anybody is believed")
    return ",".join(str(one.network_address) if one.num_addresses == 1 else str(one) for one in found)


class ServiceSettings(BaseSettings):
    """What every service needs from its environment; each service derives its own with its prefix."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: SecretStr
    broker_url: SecretStr
    http_host: str = "127.0.0.1"
    http_port: int
    trusted_proxies: Annotated[str, AfterValidator(_as_addresses)] = ""
    """Addresses or networks, with commas between, of the proxies whose X-Forwarded-For is believed; no others are."""
    operators_file: Path | None = None
    """Who may come in at the operator door; without a file nobody may."""
    http_wrong_tokens_per_minute: PositiveInt = WRONG_TOKENS_PER_MINUTE
    """Wrong tokens of one address that are simply refused; those above are answered 429."""
    http_requests_per_second: PositiveInt = REQUESTS_PER_SECOND
    """Requests of one portal at this process; twice as many at once after a silence."""
    traces_url: str = ""
    """Where spans go (OTLP over HTTP, without `/v1/traces`); without it there are none."""
    crash_at: str = ""
    """Fault runs only: where this process kills itself; see `crashpoints.hook_of`."""
    clock_file: Path | None = None
    """Fault runs only: a file that says by how many seconds this process's clock is wrong; see `clock.jump_by`."""


@dataclass(frozen=True, slots=True)
class Hears:
    """One row of a service's table: this message goes to this handler.

    Attributes:
        locks: whether the handler locks what it reads, so that it needs a transaction from the beginning.
    """

    message: type[Message]
    handler: Handler
    locks: bool = True


@dataclass
class Service:
    """A service, as `build_app()` describes it. `run` brings it to life.

    Attributes:
        hears: the table of what it hears.
        errands: its calls to the outside.
        web: its routes; health routes are added.
        doors: queues that are not facts of services (intake's portals, the desk's journal), with their own decoding.
        answered: which portals have a queue for answers.
        announces: the types it announces, told for the passport and the published contracts.
        gauges: sets the metrics that only this service has, when somebody scrapes.
        plans_anew: whether each statement is planned anew, see `postgres.open_pool`; for few and large ones.
        sealed: which sealing keys its rows bear, told at its operator door.
        ledger: what it tells the ledger of ops at its operator door.
        lives: run beside everything else from the start until the stop; one that ends, ends the process.
        prunes: forget what has had its time; each deletes one batch and gives back how many rows went.
        on_start: run once everything it needs is connected, before anything is heard.
        on_stop: run after everything in hand is finished.
    """

    name: str
    settings: ServiceSettings
    hears: Sequence[Hears] = ()
    errands: Sequence[Errand] = ()
    web: FastAPI | None = None
    doors: Sequence[Hearing] = ()
    answered: Callable[[str], bool] = lambda _portal: False
    announces: Sequence[type[Message]] = ()
    gauges: Callable[[], Awaitable[None]] | None = None
    plans_anew: bool = False
    ledger: Ledger | None = None
    sealed: Sealed | None = None
    lives: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    prunes: Sequence[Callable[["postgres.Connection"], Awaitable[int]]] = ()
    on_start: Sequence[Callable[[], Awaitable[None]]] = ()
    on_stop: Sequence[Callable[[], Awaitable[None]]] = ()
    running: "Running | None" = field(default=None, repr=False)

    @property
    def pool(self) -> "postgres.Pool":
        """The pool, for reads. Only while the service runs."""
        return self._alive().pool

    def unit_of_work(self) -> AbstractAsyncContextManager[Work]:
        """A transaction outside any delivery, for the web door."""
        running = self._alive()
        return unit_of_work(running.desk(), f"{self.name}.web")

    def desk(self) -> Desk:
        """What acts of operators need. Only while the service runs."""
        return self._alive().desk()

    async def is_overloaded(self) -> bool:
        """Whether so much is under way, in the outbox or at the hearers, that nothing more should be let in."""
        return await self._alive().overload.is_reached()

    def reasons_not_ready(self) -> Mapping[str, str]:
        """What stands between this process and its work, by name; empty when it is ready."""
        return {"start": "not started"} if self.running is None else self.running.reasons_not_ready()

    def consumers_told(self) -> list[dict[str, Any]]:
        """What this process has in hand of each queue, for the operator door."""
        return [] if self.running is None else self.running.consumers_told()

    def stages(self) -> Mapping[str, Mapping[str, str]]:
        """How the outside of each errand stands, in this process's latest view; empty before the start."""
        return {} if self.running is None else self.running.stages()

    def _alive(self) -> "Running":
        if self.running is None:
            raise RuntimeError("The service is not running.")
        return self.running
