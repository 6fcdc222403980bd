"""A sqlite file that survives `kill -9`, written by one thread, with many jobs to one commit."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

BUSY_S_MAX = 5.0

T = TypeVar("T")
Waiting = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]"]


class Survives(StrEnum):
    """What a commit outlives: the end of the process, or a loss of power as well."""

    KILL = "NORMAL"
    POWER_LOSS = "FULL"


class Ledger:
    """Runs jobs on one connection, in the order given, as many to one transaction as are waiting.

    Nobody waits for a batch to fill: jobs that come while a commit runs form the next one.
    A job must be safe to run again, because a batch with a failing job is rolled back and taken singly.
    """

    def __init__(self, path: Path | str, schema: str, survives: Survives) -> None:
        self._path = str(path)
        self._schema = schema
        self._survives = survives
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._waiting: list[Waiting] = []
        self._drain: asyncio.Task[None] | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Opens the file and makes its tables where they are missing."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connect)

    async def close(self) -> None:
        """Commits what is waiting and closes the file."""
        if self._drain is not None:
            await self._drain
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    def do(self, job: Callable[[sqlite3.Connection], T]) -> "asyncio.Future[T]":
        """What the job returned, once it is committed."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._empty())
        return future

    def _connect(self) -> None:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_S_MAX, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        connection.execute("pragma journal_mode = wal")
        connection.execute(f"pragma synchronous = {self._survives.value}")
        connection.executescript(self._schema)
        self._connection = connection

    async def _empty(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            if not await self._settle(batch):
                for one in batch:
                    await self._settle([one])

    async def _settle(self, batch: list[Waiting]) -> bool:
        commit = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, batch)
        await asyncio.wait([commit])
        error = commit.exception()
        if error is not None and len(batch) > 1:
            return False
        for index, (_, future) in enumerate(batch):
            if future.done():  # The caller hung up; its job is committed all the same.
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(commit.result()[index])
        return True

    def _commit(self, batch: list[Waiting]) -> list[Any]:
        if self._connection is None:
            raise RuntimeError("The ledger is not open; call open() first.")
        with self._connection as connection:
            connection.execute("begin immediate")
            return [job(connection) for job, _ in batch]
