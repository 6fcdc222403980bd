"""`hosho ops …`: where is it, what is stuck. What changes something stands in `cli_acts`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import typer

from deploy import compose, operators, portals
from deploy.cli_status import show_parts, show_wrong
from deploy.exits import FOUND, NOT_RUN, TOLD
from deploy.ops_client import Ops, ops
from deploy.tables import moment, say, show, show_json

WHO: Final = (
    "HOSHO_OPS_URL names ops, HOSHO_OPERATOR_TOKEN is your own token; beside `make up` neither is needed. A token "
    "whose row in the operators file has scope viewer may run what looks (status, journey, parked, show, due, ledger, "
    "acts); one with scope operator may also run what acts (replay, discard, now, hold, release, probe, stage), each "
    "with a --reason. Times are Japan's (JST); with --json they are ISO with their offset."
)
application = typer.Typer(no_args_is_help=True, help=f"Where is it, what is stuck, what to press.\n\n{WHO}\n\n{TOLD}")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

GROUPS: Final = ("facts", "replayable", "consumer", "code", "type", "first_at", "last_at", "reason")
EVEN: Final = "even"
UNKNOWN: Final = "unknown"
FACTS: Final = ("id", "consumer", "code", "subject", "correlation", "replay", "parked_at", "obstacle")
ROWS: Final = ("key", "due_at", "attempts", "last_error", "held_by", "correlation")


def asked(question: Callable[[Ops], Awaitable[Any]]) -> Any:
    """What ops answers to this."""

    async def ask() -> Any:
        async with ops() as client:
            return await question(client)

    return asyncio.run(ask())


@application.command()
def status(*, as_json: AsJson = False) -> None:
    """What is wrong, as on the console's front page; then services, outsides, queues, the desk.

    Exits with 1 if a person must look, now or by the morning; what mends itself or is planned is a note and no alarm.
    """

    async def question(client: Ops) -> dict[str, Any]:
        wrong = await client.get("/v1/troubles")
        # What ops keeps cannot be asked for while its own database is away; the rest is needed all the more.
        kept = {"alarms": [], "parked": []} if wrong["database_is_away"] else await client.get("/v1/alarms")
        return {"wrong": wrong, "flow": await client.get("/v1/flow"), **kept}

    told = asked(question)
    if as_json:
        show_json(told)
    else:
        show_wrong(told["wrong"])
        show_parts(told)
    if told["wrong"]["level"] is not None:
        raise typer.Exit(FOUND)


@application.command()
def journey(
    words: Annotated[str, typer.Argument(help="Application id, guarantee number, contractor or 工事名.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Every step of an application; a list where the words fit several."""

    async def question(client: Ops) -> dict[str, Any]:
        found = await client.get("/v1/journeys", q=words)
        places = [f"{one['portal']}/{one['application_id']}" for one in found["found"]] or found["unaccepted"]
        if len(places) != 1:
            return {"found": found["found"], "more": found["more"], "journey": None}
        journey = await client.get(f"/v1/journeys/{places[0]}")
        return {"found": found["found"], "more": False, "journey": journey}

    told = asked(question)
    if as_json:
        show_json(told)
    elif told["journey"] is None:
        names = ("portal", "application_id", "contractor", "project", "obligee", "accepted_at")
        show("applications", names, [[one[name] for name in names] for one in told["found"]])
        if told["more"]:
            say("there may be more; further words find fewer")
    else:
        _show_journey(told["journey"])


def _show_journey(told: dict[str, Any]) -> None:
    application_told = told["application"] or {}
    say(f"{told['correlation']}  {application_told.get('contractor', '')}  {application_told.get('project', '')}")
    show(
        "steps",
        ("at", "after s", "service", "type", "subject", "words"),
        [
            (one["at"], one["after_s"], one["service"], one["type"], one["subject"], " ".join(one["words"].values()))
            for one in told["steps"]
        ],
    )
    show(
        "lines",
        ("kind", "number", "status", "column", "since", "next", "due"),
        [
            (
                one["kind"],
                one["guarantee_number"],
                one["status"],
                one["column"],
                one["since"],
                (one["next"] or {}).get("step"),
                "; ".join(map(_try, one["due"])),
            )
            for one in told["lines"]
        ],
    )
    show("parked", FACTS, [[one[name] for name in FACTS] for one in told["parked"]])


def _try(row: dict[str, Any]) -> str:
    return f"{moment(row['due_at'])} try {row['attempts'] + 1}: {row['last_error']}"


@application.command()
def parked(
    consumer: Annotated[str | None, typer.Option(help="Show the facts of this hearer's queue.")] = None,
    code: Annotated[str | None, typer.Option(help="Only those with this code.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What lies on the desk: groups, or with --consumer the facts."""
    if consumer is None:
        told = asked(lambda client: client.get("/v1/parked"))
        rows, names = told["groups"], GROUPS
    else:
        told = asked(lambda client: client.get("/v1/parked/facts", consumer=consumer, code=code))
        rows, names = told["facts"], FACTS
    if as_json:
        show_json(told)
    else:
        show("parked", names, [[one[name] for name in names] for one in rows])


@application.command("show")
def show_fact(parked_id: str) -> None:
    """One parked fact with its content, secrets and personal data struck out."""
    show_json(asked(lambda client: client.get(f"/v1/parked/facts/{parked_id}")))


@application.command()
def due(
    errand: Annotated[str, typer.Argument(help="As `hosho ops status` names it.")],
    which: Annotated[str, typer.Option(help="due, calling, waiting or held.")] = "waiting",
    *,
    as_json: AsJson = False,
) -> None:
    """What waits for the outside, why, and until when."""

    async def question(client: Ops) -> Any:
        service = await service_of(client, errand)
        return await client.get(f"/v1/services/{service}/due", errand=errand, which=which)

    told = asked(question)
    if as_json:
        show_json(told)
    else:
        show(f"{errand}: {which}", ROWS, [[one[name] for name in ROWS] for one in told["rows"]])


@application.command()
def ledger(*, as_json: AsJson = False) -> None:
    """The equation, and where services know other numbers; what is on its way differs for a moment.

    Exits with 1 where it does not come out even, and with 2 where nobody knows because a service could not be asked.
    """
    told = asked(lambda client: client.get("/v1/ledger"))
    if as_json:
        show_json(told)
    else:
        _show_ledger(told)
    if told["verdict"] != EVEN:
        raise typer.Exit(NOT_RUN if told["verdict"] == UNKNOWN else FOUND)


def _show_ledger(told: dict[str, Any]) -> None:
    columns = " + ".join(f"{lines} {column}" for column, lines in told["columns"].items())
    say(f"{told['applications']} applications, {told['requested']} lines requested = {columns}")
    could_not = f"could not be asked: {', '.join(told['unasked'])}"
    if told["verdict"] == UNKNOWN:
        say(f"UNKNOWN whether it comes out even; {could_not}")
    else:
        say("it comes out even" if told["verdict"] == EVEN else "it does NOT come out even")
    names = ("what", "journal", "service")
    show("differences", names, [[one[name] for name in names] for one in told["differences"]])
    if told["unasked"] and told["verdict"] != UNKNOWN:
        say(could_not)


@application.command()
def acts(*, as_json: AsJson = False) -> None:
    """What operators did: who, when, what, to what, and why."""
    told = asked(lambda client: client.get("/v1/acts"))
    names = ("at", "who", "what", "count", "keys", "reason")
    if as_json:
        show_json(told)
    else:
        show("acts", names, [[one.get(name) for name in names] for one in told["acts"]])


@application.command("token")
def make_token(name: Annotated[str, typer.Argument(help="The row of the operators file it is for.")]) -> None:
    """Make a bearer token, show it once, and print the hash for the operators file.

    What it may do is the scope of its row there: `viewer` looks, `operator` looks and acts. Of the rows that come with
    Hosho, `viewer` is for people who look, `operator` for people who act, and `ops` for ops itself, which only looks.
    """
    scope = operators.scopes().get(name)
    token = compose.token()
    print(f"token for {name}, to be given to nobody else and kept nowhere else: {token}")
    print(f"token_sha256: {portals.token_sha256(token)}")
    may = {"viewer": "it may look", "operator": "it may look and act"}
    otherwise = f'{name} is no row there yet: write one with scope = "viewer" (looks) or "operator" (looks and acts)'
    print(otherwise if scope is None else f"scope: {scope} ({may[scope]})")


async def service_of(client: Ops, errand: str) -> str:
    """Whose errand this is.

    Raises:
        typer.BadParameter: naming the errands there are.
    """
    services = (await client.get("/v1/flow"))["services"]
    known = {one["errand"]: name for name, state in services.items() for one in (state or {}).get("stages", [])}
    if errand not in known:
        raise typer.BadParameter(f"There is no errand {errand!r}; there are {', '.join(sorted(known)) or 'none'}.")
    return str(known[errand])
