"""What `hosho ops status` shows: first what is wrong, then the parts."""

from collections import Counter
from typing import Any, Final

from deploy.tables import moment, say, show

_LOOK: Final = {"now": "NOW", "soon": "BY THE MORNING", "note": "note"}


def show_wrong(wrong: dict[str, Any]) -> None:
    """What is wrong, as the console's front page tells it: a few lines each, for a table this wide nobody can read."""
    if wrong["database_is_away"]:
        say("the database of ops does not answer; this is what can be seen without it")
    troubles = wrong["troubles"]
    pressing = Counter(one["level"] for one in troubles)
    if wrong["level"] is None:
        say("all is well" if not troubles else "nothing for a person to do")
    else:
        say(f"{pressing['now']} to act on now, {pressing['soon']} to look at by the morning")
    for one in troubles:
        since = "" if one["since"] is None else f"since {moment(one['since'])}"
        facts = (since, "" if one["count"] is None else f"count {one['count']}", one["why"], " ".join(one["ids"][:5]))
        say("")
        about = one["about"]
        where = f"{about[1:]} more groups, all in `hosho ops parked`" if about.startswith("+") else about
        say(f"{_LOOK[one['level']]}: {one['what']}: {where}")
        say(f"    {', '.join(filter(None, facts))}")
        say(f"    press: {one['press']} (runbook: {one['kind']})")
    say("")


def show_parts(told: dict[str, Any]) -> None:
    """Everything part by part: services, outsides, queues, the desk."""
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


def _state(state: dict[str, Any]) -> tuple[object, ...]:
    outbox, reasons = state["outbox"], state["reasons"]
    return outbox["rows"], outbox["oldest_at"], sum(state["parked"].values()), "; ".join(reasons.values())
