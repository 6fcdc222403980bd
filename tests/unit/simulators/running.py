"""Simulators as programs of their own: started on free ports, spoken to over real sockets, ended by their id."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
CALL_S_MAX = 10.0
END_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Running:
    """One running simulator."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"simulators.{name}"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.output = self.process.stdout

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What it said when it had started; waits for that, so that several can start side by side."""
        return self.log_line("simulator.started")

    def log_line(self, event: str) -> dict[str, Any]:
        """The next log line of this event."""
        for line in self.output:
            facts: dict[str, Any] = json.loads(line)
            if facts["event"] == event:
                return facts
        raise AssertionError(f"the program ended without {event}")

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = CALL_S_MAX,
    ) -> Reply:
        """One HTTP call on a connection of its own; broken connections and time-outs raise OSError or HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self.facts["http_port"], timeout=timeout_s)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ends it politely; gives its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(END_S_MAX)
        self.output.close()
        return code


@contextmanager
def running(name: str, environment: Mapping[str, str]) -> Iterator[Running]:
    """A simulator for as long as the block lasts."""
    program = Running(name, environment)
    try:
        yield program
    finally:
        program.stop()


@contextmanager
def serving_json(value: object) -> Iterator[str]:
    """A web server that answers everything with this JSON; gives its address."""
    body = json.dumps(value).encode()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
