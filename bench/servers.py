"""The bench's own PostgreSQL and RabbitMQ, fresh for each run and durable, so that nothing else shares them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deploy.local import leftovers
from deploy.local.screen import say
from deploy.local.servers import servers_of
from deploy.local.stack import SERVER_PORTS, Stack
from deploy.local.supervisor import Supervisor

STACK: Final = "bench"


@asynccontextmanager
async def servers() -> AsyncIterator[tuple[Stack, dict[str, int]]]:
    """Both servers, empty, with their process ids by name, for the length of a block."""
    stack = Stack(STACK)
    with stack.taken(SERVER_PORTS):
        leftovers.end(stack.folder / "children")
        stack.forget_data()
        supervisor = Supervisor(say, stack.folder / "children")
        try:
            units = servers_of(stack, say)
            await supervisor.start(units, heal=False)
            stack.write_portals({})
            yield stack, {name: supervisor.child(name).pid for name in units}
        finally:
            await supervisor.stop(at_once=True)
            stack.forget_data()
            (stack.folder / "children").unlink(missing_ok=True)
