"""`hosho ops …`: where is it, what is stuck. What changes something stands in `cli_acts`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import typer

from deploy import compose, portals
from deploy.ops_client import Ops, ops
from deploy.tables import console, show, show_json

application = typer.Typer(no_args_is_help=True, help="Where is it, what is stuck, what to press.")

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

GROUPS: Final = ("facts", "replayable", "consumer", "code", "type", "first_at", "last_at", "reason")
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
    """Services, stages, what waits, what is wrong; exits with 1 if an alarm is raised."""

    async def question(client: Ops) -> dict[str, Any]:
        return {"flow": await client.get("/v1/flow"), **await client.get("/v1/alarms")}

    told = asked(question)
    raised = [one for one in told["alarms"] if one["cleared_at"] is None]
    if as_json:
        show_json(told)
    else:
        _show_status(told, raised)
    if raised:
        raise typer.Exit(1)


def _show_status(told: dict[str, Any], raised: list[dict[str, Any]]) -> None:
    services = told["flow"]["services"]
    show(
        "services",
        ("service", "ready", "outbox", "oldest", "parked", "reasons"),
        [
            (
                name,
                "away" if state is None else "yes" if state["ready"] else "no",
                *(("", "", "", "") if state is None else _state(state)),
            )
            for name, state in services.items()
        ],
    )
    show(
        "outsides",
        ("errand", "standing", "since", "until", "due", "waiting", "held", "oldest", "why"),
        [
            (
                one["errand"],
                one["standing"],
                one["since"],
                one["until"],
                *(one["rows"][name] for name in ("due", "waiting", "held", "oldest_at")),
                one["paused"]["reason"] if one["paused"] else one["reason"],
            )
            for state in services.values()
            for one in (state or {}).get("stages", [])
        ],
    )
    queues = told["flow"]["queues"]
    deep = [(one["queue"], one["messages"], one["consumers"]) for one in queues or () if one["messages"]]
    show(
        "queues that hold something" if queues is not None else "the broker does not answer",
        ("queue", "messages", "consumers"),
        deep,
    )
    show("parked", ("consumer", "facts", "oldest"), [tuple(one.values()) for one in told["parked"]])
    show(
        "alarms",
        ("kind", "what", "told", "since", "ids"),
        [(one["kind"], one["key"], one["told"], one["raised_at"], ", ".join(one["ids"][:5])) for one in raised],
    )


def _state(state: dict[str, Any]) -> tuple[object, ...]:
    outbox, reasons = state["outbox"], state["reasons"]
    return outbox["rows"], outbox["oldest_at"], sum(state["parked"].values()), "; ".join(reasons.values())


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
            print("there may be more; further words find fewer")
    else:
        _show_journey(told["journey"])


def _show_journey(told: dict[str, Any]) -> None:
    application_told = told["application"] or {}
    console.print(
        f"{told['correlation']}  {application_told.get('contractor', '')}  {application_told.get('project', '')}"
    )
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
                "; ".join(f"{row['due_at']} try {row['attempts'] + 1}: {row['last_error']}" for row in one["due"]),
            )
            for one in told["lines"]
        ],
    )
    show("parked", FACTS, [[one[name] for name in FACTS] for one in told["parked"]])


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
    """The equation, and where services know other numbers; what is on its way differs for a moment."""
    told = asked(lambda client: client.get("/v1/ledger"))
    if as_json:
        show_json(told)
        return
    columns = " + ".join(f"{lines} {column}" for column, lines in told["columns"].items())
    console.print(f"{told['applications']} applications, {told['requested']} lines requested = {columns}")
    names = ("what", "journal", "service")
    show("differences", names, [[one[name] for name in names] for one in told["differences"]])
    if told["unasked"]:
        console.print(f"not asked, for they did not answer: {', '.join(told['unasked'])}")


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
    """Make a bearer token, show it once, and print the hash for the operators file."""
    token = compose.token()
    print(f"token for {name}, to be given to nobody else and kept nowhere else: {token}")
    print(f"token_sha256: {portals.token_sha256(token)}")


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
