"""A printing process that does what an order says: die, fall silent, wait, promise too much, or just tell its id."""

import os
import signal
import sys
from pathlib import Path

from services.issuer.papers.wire import LENGTH, PRINTED, READY, SPOILED


def tell(word: bytes, paper: bytes = b"") -> None:
    sys.stdout.buffer.write(word + LENGTH.pack(len(paper)) + paper)
    sys.stdout.buffer.flush()


tell(READY)
while head := sys.stdin.buffer.read(LENGTH.size):
    order = sys.stdin.buffer.read(LENGTH.unpack(head)[0])
    if order == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == b"be silent":
        signal.pause()
    if order == b"too much":
        sys.stdout.buffer.write(PRINTED + LENGTH.pack(2**31))
        sys.stdout.buffer.flush()
        signal.pause()
    if order.startswith(b"wait for "):
        with Path(order.removeprefix(b"wait for ").decode()).open("rb", buffering=0) as gate:
            gate.read(1)
    tell(SPOILED if order == b"spoil" else PRINTED, str(os.getpid()).encode())
