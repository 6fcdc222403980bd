"""What a contender's process finds in its environment."""

import os
from dataclasses import dataclass
from typing import Self

from deploy.local.ports import LOOPBACK

SENDER = "denshi-hosho@hosho.example"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the servers and the sinks are."""

    broker_url: str
    database_url: str
    http_port: int
    smtp_port: int
    host: str = LOOPBACK

    def environment(self) -> dict[str, str]:
        """As it is handed to a process."""
        return {
            "BENCH_BROKER_URL": self.broker_url,
            "BENCH_DATABASE_URL": self.database_url,
            "BENCH_HTTP_PORT": str(self.http_port),
            "BENCH_SMTP_PORT": str(self.smtp_port),
        }

    @classmethod
    def read(cls) -> Self:
        """As a process finds it."""
        return cls(
            broker_url=os.environ["BENCH_BROKER_URL"],
            database_url=os.environ["BENCH_DATABASE_URL"],
            http_port=int(os.environ["BENCH_HTTP_PORT"]),
            smtp_port=int(os.environ["BENCH_SMTP_PORT"]),
        )
