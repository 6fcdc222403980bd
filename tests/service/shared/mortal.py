"""A small service that dies like in a power cut and is started again, for tests that need real deaths.

`python -m tests.service.shared.mortal` reads one JSON object from its standard input: who it is (`name`,
`database_url`, `broker_url`), the application id that kills it inside its handler (`killer`), and the crash points of
its first lives (`crash_at`, one after another; afterwards it lives until SIGTERM). The imports happen once; every
life is a fork, so a death and the next life cost little.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from pydantic import SecretStr

from shared.delivery import Heard
from shared.errands import Claimed, Due, Ended, Errand, Outcome, Settled
from shared.messages.issuer import CompletionMail, GuaranteeIssued
from shared.messages.notifier import MailSent
from shared.service import Hears, Service, ServiceSettings, run
from shared.work import Work


@dataclass(frozen=True)
class Fate:
    """What is told on the standard input."""

    name: str
    database_url: str
    broker_url: str
    calls: str
    """A file to which each call of the errand adds a line."""
    crash_at: Sequence[str] = ()
    killer: str = ""


def _service(fate: Fate, crash_at: str) -> Service:
    settings = ServiceSettings(
        database_url=SecretStr(fate.database_url),
        broker_url=SecretStr(fate.broker_url),
        http_port=0,
        crash_at=crash_at,
    )

    async def hear(heard: Sequence[Heard[MailSent]], work: Work) -> None:
        for one in heard:
            if one.data.application_id == fate.killer:
                os.kill(os.getpid(), signal.SIGKILL)
        names = [one.data.application_id for one in heard]
        await work.connection.execute("insert into effect select unnest($1::text[])", names)
        due = [
            Due(one.fact.subject, one.data.portal, one.data.application_id.encode(), one.fact.correlation)
            for one in heard
        ]
        work.make_due("call", due)

    async def call(row: Claimed) -> Outcome:
        _note(Path(fate.calls), f"{row.payload.decode()} {'unknown' if row.unknown_before else 'first'}")
        return Settled(row.payload.decode())

    async def record(ended: Sequence[Ended], work: Work) -> None:
        for row, result in ended:
            told = GuaranteeIssued(
                portal="portal-a",
                application_id=str(result),
                guarantee_number=row.key,
                kind="contract_performance",
                version=1,
                version_kind="original",
                issued_at=row.created_at,
                completion_mail=CompletionMail(wanted=True, address="someone@contractor.example"),
                contractor_name="○○建設",
                obligee_name="三島市",
                project_name="a road",
                product_name="a guarantee",
            )
            work.announce(told, subject=row.key, occurrence="1", correlation=row.correlation, portal="portal-a")

    return Service(
        name=fate.name,
        settings=settings,
        hears=[Hears(MailSent, hear)],
        errands=[Errand("call", call, record, slots=4)],
        answered=lambda _portal: True,
    )


def _note(file: Path, line: str) -> None:
    with file.open("a") as lines:
        lines.write(line + "\n")


def _live(fate: Fate, crash_at: str) -> int:
    """One life in a process of its own; gives back how it ended, as `os.wait` tells it."""
    child = os.fork()
    if child == 0:

        def build_app() -> Service:
            return _service(fate, crash_at)

        # Where a service's own would stand; its name is the name in the logs.
        build_app.__module__ = f"services.{fate.name}.app"
        run(build_app)
        os._exit(0)

    def end(_number: int, _frame: FrameType | None) -> None:
        os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    return os.waitpid(child, 0)[1]


def main() -> None:
    """Live, die and live again, until a life ends by itself."""
    fate = Fate(**json.load(sys.stdin))
    ahead = list(fate.crash_at)
    while True:
        status = _live(fate, ahead.pop(0) if ahead else "")
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
        sys.stdout.write("died\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
