"""`python -m bench try <contender> <count> …`: one turn each."""

import asyncio
import sys

from bench.contenders.described import CONTENDERS
from bench.grounds import grounds
from bench.servers import servers
from bench.turn import turn


async def main() -> None:
    names = sys.argv[2].split(",")
    count = int(sys.argv[3])
    rounds = int(sys.argv[4])
    async with servers() as (stack, pids), grounds(stack, stack.folder, "bench", pids) as g:
        chosen = [c for c in CONTENDERS if c.name in names]
        for c in chosen:
            await g.prepare(c.name, is_product=c.name == "product")
        for n in range(rounds):
            for c in chosen:
                r = await turn(g, c, f"R{n}", count)
                print(c.name, round(r.per_s, 1), round(sum(r.processor_ms.values()), 2), r.processor_ms, flush=True)


asyncio.run(main())
