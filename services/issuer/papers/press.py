"""Papers are printed by a few processes beside the issuer: started when there is work, ended when there is none.

Typst holds the interpreter's lock for the milliseconds of a paper, which would stop the issuer's loop; and its faces
take memory that an idle issuer need not hold. An order that kills its process costs that process and no other paper.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from services.issuer.papers.wire import (
    LENGTH,
    ORDER_BYTES_MAX,
    PAPER_BYTES_MAX,
    PAPER_S_MAX,
    PRINTED,
    READY,
)
from shared.errors import Transient

WORKERS_MAX: Final = 2
WAITING_MAX: Final = 16
"""Orders that wait for a worker; with more, a caller is asked to come back."""

START_S_MAX: Final = 20.0
IDLE_S_MAX: Final = 60.0
"""So long a worker waits for the next order; the first one after that waits for a start."""

ANSWER_S_MAX: Final = PAPER_S_MAX + 2.0

WORKER: Final = "services.issuer.papers.worker"

# Nothing of our environment, which holds the keys that seal and sign. One thread and few arenas keep its memory small
# on machines with many cores.
_ENVIRONMENT: Final = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"}


class PressBusy(Transient):
    """More papers are asked for than can be printed now; ask again in a few seconds."""


class PressBroken(Transient):
    """A printing process ended or fell silent over this paper, and another takes its place; ask again in a moment."""


class Spoiled(Exception):
    """A paper could not be set; give the same order to `setting.Setter` in a test to see why.

    The reason is not told here: it would quote what was to be printed, which may be a key.
    """


class Press:
    """The printing processes of this issuer. A caller takes a place first, and is told at once if there is none."""

    def __init__(
        self,
        *,
        workers_max: int = WORKERS_MAX,
        waiting_max: int = WAITING_MAX,
        idle_s_max: float = IDLE_S_MAX,
        answer_s_max: float = ANSWER_S_MAX,
        worker: str = WORKER,
    ) -> None:
        self._places_max = workers_max + waiting_max
        self._slots = asyncio.Semaphore(workers_max)
        self._idle_s_max = idle_s_max
        self._answer_s_max = answer_s_max
        self._module = worker
        self._taken = 0
        self._idle: list[_Worker] = []
        self._leaving: set[asyncio.Task[None]] = set()

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among those who print or wait.

        Raises:
            PressBusy: if there is none.
        """
        if self._taken >= self._places_max:
            raise PressBusy
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def print(self, order: bytes) -> bytes:
        """The paper as a PDF, for a caller who has a place.

        Raises:
            PressBroken: if the process was lost over it.
            Spoiled: if it could not be set.
        """
        if len(order) > ORDER_BYTES_MAX:
            raise Spoiled
        async with self._slots:
            worker = self._kept() or await _Worker.start(self._module)
            try:
                word, paper = await worker.print(order, self._answer_s_max)
            except BaseException:
                await worker.kill()
                raise
            self._keep(worker)
        if word != PRINTED:
            raise Spoiled
        return paper

    async def close(self) -> None:
        """End the processes that wait for an order."""
        while self._idle:
            self._let_go(self._idle[-1])
        await asyncio.gather(*self._leaving)

    def _kept(self) -> "_Worker | None":
        while self._idle:
            worker = self._idle.pop()
            worker.retirement.cancel()
            if worker.is_alive:
                return worker
        return None

    def _keep(self, worker: "_Worker") -> None:
        worker.retirement = asyncio.get_running_loop().call_later(self._idle_s_max, self._let_go, worker)
        self._idle.append(worker)

    def _let_go(self, worker: "_Worker") -> None:
        worker.retirement.cancel()
        self._idle.remove(worker)
        leaving = asyncio.create_task(worker.end())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


class _Worker:
    """One process and the talk with it."""

    retirement: asyncio.TimerHandle

    def __init__(self, process: Process) -> None:
        self._process = process
        # Both are there because both were asked for as pipes.
        self._talk = cast(asyncio.StreamWriter, process.stdin)
        self._heard = cast(asyncio.StreamReader, process.stdout)

    @classmethod
    async def start(cls, module: str) -> "_Worker":
        places = os.pathsep.join(path for path in sys.path if path)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={"PYTHONPATH": places, **_ENVIRONMENT},
        )
        worker = cls(process)
        try:
            word, _ = await worker._answer(START_S_MAX)
            if word != READY:
                raise PressBroken
        except BaseException:
            await worker.kill()
            raise
        return worker

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def print(self, order: bytes, answer_s_max: float) -> tuple[bytes, bytes]:
        self._talk.write(LENGTH.pack(len(order)) + order)
        return await self._answer(answer_s_max)

    async def _answer(self, seconds_max: float) -> tuple[bytes, bytes]:
        try:
            async with asyncio.timeout(seconds_max):
                head = await self._heard.readexactly(1 + LENGTH.size)
                (length,) = LENGTH.unpack(head[1:])
                if length > PAPER_BYTES_MAX:
                    raise PressBroken
                return head[:1], await self._heard.readexactly(length)
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            # The order must not hang on the error that is told.
            raise PressBroken from None

    async def end(self) -> None:
        """Let it go: its input ends, and so does it."""
        self._talk.close()
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self.is_alive:
            self._process.kill()
        await self._process.wait()
