"""A printing process: orders come in through its standard input, papers go out through its standard output.

Run as `python -m services.issuer.papers.worker`. It ends when its input ends, so it never outlives the issuer, and
by SIGALRM when one paper takes too long. It tells no reasons: Typst's messages quote what was to be printed, and that
may be a key. For the same reason it leaves no core file.
"""

import resource
import signal
import sys
from typing import BinaryIO, Final

from services.issuer.papers.setting import Setter
from services.issuer.papers.wire import LENGTH, PAPER_S_MAX, PRINTED, READY, SPOILED

MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Of addresses, not of memory in use, which is about 60 MiB."""


def main() -> None:
    """Print until there are no more orders."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    # Ctrl-C in a terminal goes to the whole group; the issuer decides when its papers are done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders, papers = sys.stdin.buffer, sys.stdout.buffer
    setter = Setter()
    _tell(papers, READY)
    while (order := _next(orders)) is not None:
        signal.alarm(PAPER_S_MAX)
        try:
            paper = setter.set(order)
        except (RuntimeError, OSError, ValueError, LookupError, TypeError, MemoryError):
            _tell(papers, SPOILED)
        else:
            _tell(papers, PRINTED, paper)
        signal.alarm(0)


def _next(orders: BinaryIO) -> bytes | None:
    head = orders.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return orders.read(LENGTH.unpack(head)[0])


def _tell(papers: BinaryIO, word: bytes, paper: bytes = b"") -> None:
    papers.write(word + LENGTH.pack(len(paper)) + paper)
    papers.flush()


if __name__ == "__main__":
    main()
