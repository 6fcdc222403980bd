"""Run one process of it, all subscribers in it: `python -m bench.contenders.plain_faststream`."""

import uvloop

from bench.contenders.plain_faststream.app import app

if __name__ == "__main__":
    uvloop.run(app.run())
