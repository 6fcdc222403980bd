"""`hosho journal …`: take the journal out, and prove anywhere that nobody changed it."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from deploy.exits import FOUND
from deploy.ops_client import ops
from services.ops.domain.journal import Broken, verify

application = typer.Typer(no_args_is_help=True, help="The journal: a chain that can be verified offline.")


@application.command()
def export(file: Annotated[Path, typer.Argument(help="Where to write it, one batch a line.")]) -> None:
    """Write the whole journal to a file, as the bytes that were hashed; an unfinished file never bears its name."""

    async def write() -> tuple[int, int]:
        batches = 0
        fresh = file.with_name(file.name + ".new")
        async with ops() as client:
            head = await client.get("/v1/journal/head")
            with fresh.open("wb") as target:
                async for line in client.lines("/v1/journal/export"):
                    target.write(line + b"\n")
                    batches += 1
        fresh.replace(file)
        return batches, int(head["batch_no"])

    batches, promised = asyncio.run(write())
    print(f"{file}: {batches} batches")
    if batches < promised:
        print(f"ops said before that there are {promised}: the journal was cut short while it was read")
        raise typer.Exit(FOUND)


@application.command("verify")
def verify_export(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    head: Annotated[str | None, typer.Option(help="The chain of a head that the log tells, to find a cut end.")] = None,
) -> None:
    """Follow the chain through an export. Needs nothing but the file; exits with 1 where it is broken."""
    started_s = time.monotonic()
    chains: list[str] = []
    with file.open("rb") as lines:
        found = verify(_noting(lines, chains, head))
    seconds = max(time.monotonic() - started_s, 1e-9)
    if isinstance(found, Broken):
        print(f"broken at batch {found.batch_no}: {found.why}")
        raise typer.Exit(FOUND)
    if head is not None and not chains:
        print(f"whole up to batch {found.head.batch_no}, but the head {head} is not in it: it was cut short")
        raise typer.Exit(FOUND)
    last = found.head
    print(f"whole: {last.batch_no} batches, {last.entries} entries, head {last.chain.hex()}")
    print(f"{last.entries / seconds:,.0f} entries/s")


def _noting(lines: Iterable[bytes], chains: list[str], head: str | None) -> Iterator[bytes]:
    """The lines, noting whether the batch with this head is among them."""
    for line in lines:
        if head is not None and f'"chain":"{head}"'.encode() in line:
            chains.append(head)
        yield line
