"""`hosho keys`: which sealing keys are still borne by something, and which may be retired."""

import typer

from deploy.cli_ops import AsJson, asked
from deploy.exits import FOUND
from deploy.tables import say, show, show_json


def keys(*, as_json: AsJson = False) -> None:
    """Show each sealing key by its id, how many rows bear it and where, and whether it may leave the rings.

    Exits with 1 while not every service was heard: then no key may be retired.
    """
    told = asked(lambda client: client.get("/v1/keys"))
    if as_json:
        show_json(told)
    else:
        show(
            "sealing keys",
            ("key", "seals", "in the rings of", "rows", "verdict"),
            [
                (
                    one["kid"],
                    "yes" if one["seals"] else "no",
                    ", ".join(one["in_ring_of"]) or "nobody",
                    ", ".join(f"{rows} {place}" for place, rows in one["rows"].items() if rows) or "none",
                    "may be retired" if one["may_be_retired"] else "in use" if one["seals"] else "keep",
                )
                for one in told["keys"]
            ],
        )
        if told["on_the_way"] is None:
            say("the broker did not tell how much is on its way")
        elif any(told["on_the_way"].values()):
            moving = ", ".join(f"{count} {place}" for place, count in told["on_the_way"].items() if count)
            say(f"on the way: {moving}; ask again when nothing is")
    if told["unasked"]:
        say(f"not asked, for they did not answer: {', '.join(told['unasked'])}")
        raise typer.Exit(FOUND)
