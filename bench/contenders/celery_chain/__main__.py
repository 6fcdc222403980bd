"""Begin the chain for so many applications: `python -m bench.contenders.celery_chain <prefix> <count>`."""

import sys

from bench.applications import applications
from bench.contenders.celery_chain.app import begin

if __name__ == "__main__":
    for _, body in applications(sys.argv[1], int(sys.argv[2])):
        begin(body.decode())
