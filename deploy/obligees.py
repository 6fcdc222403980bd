"""`hosho obligees`: the registry of obligees, checked before intake reads it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.exits import FOUND
from deploy.places import OBLIGEES_FILE
from shared.errors import Misconfigured

obligee_commands = typer.Typer(no_args_is_help=True, help="Who takes electronic guarantees, and on which terms.")


@obligee_commands.callback()
def obligees() -> None:
    """Keep `check` a command of its own, for a group of one command would take its place."""


@obligee_commands.command("check")
def obligees_check(
    file: Annotated[Path, typer.Argument(help="The file of obligees.")] = OBLIGEES_FILE,
) -> None:
    """Say everything that is wrong with a file of obligees, with line and row, and exit with 1; or count its rows."""
    # Only this command needs intake, which takes a second to load; the others start without.
    from services.intake.settings import read_obligees  # noqa: PLC0415

    try:
        registry = read_obligees(file)
    except Misconfigured as wrong:
        if not file.is_file():
            raise
        print(f"hosho: {wrong}", file=sys.stderr)
        raise typer.Exit(FOUND) from wrong
    rows = sum(len(named) for obligee in registry.obligees for named in obligee.dated_rows.values())
    electronic = sum(1 for obligee in registry.obligees if obligee.electronic)
    print(f"{file}: {len(registry.obligees)} obligees, {electronic} of them electronic, {rows} dated rows; all right")
