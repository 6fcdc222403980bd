"""What `hosho ops status` shows: first what is wrong, then the parts."""

from typing import Any

from deploy.tables import say, show


def show_wrong(wrong: dict[str, Any]) -> None:
    """What is wrong, as the console's front page tells it."""
    if wrong["database_is_away"]:
        say("the database of ops does not answer; this is what can be seen without it")
    show(
        "wrong",
        ("look", "what", "where", "since", "count", "why", "ids", "press", "runbook"),
        [
            (
                {"now": "now", "soon": "by the morning", "note": "mends itself, or is planned"}[one["level"]],
                one["what"],
                one["about"],
                one["since"],
                one["count"],
                one["why"],
                ", ".join(one["ids"][:5]),
                one["press"],
                one["kind"],
            )
            for one in wrong["troubles"]
        ],
    )


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
