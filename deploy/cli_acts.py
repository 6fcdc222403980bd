"""`hosho ops …` that changes something: each needs a reason, and each is recorded with your name."""

import asyncio
from typing import Annotated, Any, Final

import typer
from rich.progress import Progress

from deploy.cli_ops import AsJson, application, asked, service_of
from deploy.exits import FOUND
from deploy.ops_client import Ops, ops
from deploy.tables import console, say, show, show_json

PROGRESS_EVERY_S: Final = 0.5
WAITED_S_MAX: Final = 600.0

Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Parked facts, by the id `hosho ops parked --consumer` shows.")]
Consumer = Annotated[str | None, typer.Option("--group", help="All open facts of this hearer's queue.")]
Code = Annotated[str | None, typer.Option("--code", help="Of the group, those with this code.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would happen, change nothing.")]

operating = application
"""All of `hosho ops`: what looks, from `cli_ops`, and what acts, from here."""

stage_commands = typer.Typer(no_args_is_help=True, help="Stop an outside, start it again, probe it.")
application.add_typer(stage_commands, name="stage")


@application.command()
def replay(
    ids: Ids = None,
    *,
    reason: Reason,
    group: Consumer = None,
    code: Code = None,
    dry_run: DryRun = False,
    wait: Annotated[bool, typer.Option(help="Wait until the hearers have done them.")] = True,
    as_json: AsJson = False,
) -> None:
    """Send parked facts again, to the one hearer that parked them. Nothing is doubled."""
    told = asked(lambda client: client.post("/v1/parked/replay", _wish(ids, group, code, reason, dry_run=dry_run)))
    if told["act_id"] is not None and told["facts"] and wait:
        told["progress"] = asyncio.run(_followed(told["act_id"], told["facts"], quiet=as_json))
    _show_outcome(told, "would be sent again" if dry_run else "sent again", as_json=as_json)


@application.command()
def discard(
    ids: Ids = None,
    *,
    reason: Reason,
    group: Consumer = None,
    code: Code = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give parked facts up for good."""
    told = asked(lambda client: client.post("/v1/parked/discard", _wish(ids, group, code, reason, dry_run=dry_run)))
    _show_outcome(told, "would be discarded" if dry_run else "discarded", as_json=as_json)


def _wish(ids: list[str] | None, group: str | None, code: str | None, reason: str, *, dry_run: bool) -> dict[str, Any]:
    if bool(ids) == (group is not None):
        raise typer.BadParameter("Name facts by their ids, or a group by --group; one of them.")
    of_group = None if group is None else {"consumer": group, "code": code}
    return {"ids": ids or [], "group": of_group, "reason": reason, "dry_run": dry_run}


def _show_outcome(told: dict[str, Any], verb: str, *, as_json: bool) -> None:
    if as_json:
        show_json(told)
    else:
        say(f"{told['facts']} facts {verb}" + ("; there are more: do it again" if told["left"] else ""))
        if (progress := told.get("progress")) is not None:
            say(f"done {progress['done']}, parked again {progress['parked_again']}, underway {progress['underway']}")
        rows = [(one["facts"], one["told"], ", ".join(one["ids"][:3])) for one in told["obstacles"]]
        show("not", ("facts", "why", "ids"), rows)
        if told["unasked"]:
            say(f"could not be asked whether they have done them already: {', '.join(told['unasked'])}")
    progress = told.get("progress")
    if not told["facts"] or (progress is not None and progress["done"] < told["facts"]):
        raise typer.Exit(FOUND)


async def _followed(act_id: str, facts: int, *, quiet: bool) -> dict[str, Any]:
    """Follow a replay until nothing is underway, or for `WAITED_S_MAX`; what is then underway goes on by itself."""
    deadline_s = asyncio.get_running_loop().time() + WAITED_S_MAX
    async with ops() as client:
        with Progress(console=console, disable=quiet, transient=True) as bar:
            task = bar.add_task("replay", total=facts)
            while True:
                told: dict[str, Any] = await client.get(f"/v1/parked/replays/{act_id}")
                bar.update(task, completed=facts - told["underway"])
                if told["underway"] == 0 or asyncio.get_running_loop().time() > deadline_s:
                    return told
                await asyncio.sleep(PROGRESS_EVERY_S)


@application.command()
def now(errand: str, keys: list[str], *, reason: Reason, as_json: AsJson = False) -> None:
    """Let rows that wait for their time be called as soon as their stage permits."""
    _act_on_rows(errand, "now", keys, reason, as_json=as_json)


@application.command()
def hold(errand: str, keys: list[str], *, reason: Reason, as_json: AsJson = False) -> None:
    """Put rows aside until they are released."""
    _act_on_rows(errand, "hold", keys, reason, as_json=as_json)


@application.command()
def release(errand: str, keys: list[str], *, reason: Reason, as_json: AsJson = False) -> None:
    """Let held rows go on."""
    _act_on_rows(errand, "release", keys, reason, as_json=as_json)


def _act_on_rows(errand: str, verb: str, keys: list[str], reason: str, *, as_json: bool) -> None:
    async def question(client: Ops) -> Any:
        service = await service_of(client, errand)
        return await client.post(f"/v1/services/{service}/due/{errand}/{verb}", {"keys": keys, "reason": reason})

    told = asked(question)
    if as_json:
        show_json(told)
    else:
        rows = [
            (one["key"], one["told"], (one["row"] or {}).get("state"), (one["row"] or {}).get("due_at"))
            for one in told["rows"]
        ]
        show(f"{errand}: {verb}", ("key", "told", "state", "due"), rows)
    if told["done"] < len(keys):
        raise typer.Exit(FOUND)


@stage_commands.command("pause")
def stage_pause(errand: str, *, reason: Reason, as_json: AsJson = False) -> None:
    """Let nobody call this outside until it is resumed; what is being called ends by itself."""
    _act_on_stage(errand, "pause", reason, as_json=as_json)


@stage_commands.command("resume")
def stage_resume(errand: str, *, reason: Reason, as_json: AsJson = False) -> None:
    """End a pause; calls begin slowly."""
    _act_on_stage(errand, "resume", reason, as_json=as_json)


@stage_commands.command("probe")
def stage_probe(errand: str, *, reason: Reason, as_json: AsJson = False) -> None:
    """Probe a stopped outside now, without waiting for the next probe's time."""
    _act_on_stage(errand, "probe", reason, as_json=as_json)


application.command("probe")(stage_probe)


def _act_on_stage(errand: str, verb: str, reason: str, *, as_json: bool) -> None:
    async def question(client: Ops) -> Any:
        service = await service_of(client, errand)
        return await client.post(f"/v1/services/{service}/stages/{errand}/{verb}", {"reason": reason})

    told = asked(question)
    if as_json:
        show_json(told)
    else:
        paused = told["stage"]["paused"]
        by = f" (by {paused['by']}: {paused['reason']})" if paused else ""
        say(f"{errand}: {told['told']}; it is {told['stage']['standing']}{by}")
    if told["told"] != "done":
        raise typer.Exit(FOUND)
