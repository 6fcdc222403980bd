"""How long the database itself took: every statement of ops, as the server's log tells it.

A busy machine makes a person wait; it lengthens these times far less.
"""

import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.contenders.described import PRODUCT
from bench.grounds import Grounds
from deploy.database import role_of

_TOOK: Final = re.compile(rb"duration: ([0-9.]+) ms  (?:bind|execute|statement|parse)")
_WITHOUT_VALUES: Final = {"log_min_duration_statement": "0", "log_parameter_max_length": "0"}


@asynccontextmanager
async def noted(grounds: Grounds) -> Any:
    """Let the server's log tell of every statement of ops, for processes that start within the block."""
    connection = await asyncpg.connect(grounds.database_url(PRODUCT))
    whose = f'alter role {role_of("ops")} in database "{grounds.database(PRODUCT)}"'
    try:
        for name, value in _WITHOUT_VALUES.items():
            await connection.execute(f"{whose} set {name} = {value}")
        yield
    finally:
        for name in _WITHOUT_VALUES:
            await connection.execute(f"{whose} reset {name}")
        await connection.close()


class ServerLog:
    """The end of the server's log, read on from where it was left."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_bytes = file.stat().st_size

    def spent_ms(self) -> float:
        """What statements took since the last time this was asked.

        The server writes a statement's time down before it answers, so what a caller waited for is there already. Ops
        asks for its own purposes now and then, and that counts too.
        """
        with self._file.open("rb") as log:
            log.seek(self._read_bytes)
            fresh = log.read()
        self._read_bytes += len(fresh)
        return sum(float(found) for found in _TOOK.findall(fresh))
