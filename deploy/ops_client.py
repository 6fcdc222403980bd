"""ops as the command line asks it: one address, one token, and errors a person can act on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from deploy.local.ports import LOOPBACK
from deploy.local.stack import Stack
from deploy.places import RUN
from deploy.settings import DeploySettings
from shared.errors import Misconfigured, Transient

ASK_TIMEOUT_S: Final = 60.0
DEV_STACK: Final = "dev"


class OpsAway(Transient):
    """ops did not answer; see that it runs and that HOSHO_OPS_URL is right, and try again."""


class OpsRefused(Misconfigured):
    """ops said no; the reason it gave stands behind this sentence."""


@dataclass(frozen=True, slots=True)
class Ops:
    """ops at an address, as somebody."""

    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **params: str | None) -> Any:
        """What is at a path."""
        return await self._ask("GET", path, params={name: value for name, value in params.items() if value is not None})

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Do something."""
        return await self._ask("POST", path, json=body)

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """A stream line by line, each without its line break."""
        rest = b""
        try:
            async with self.session.get(
                self.url + path, timeout=aiohttp.ClientTimeout(sock_read=ASK_TIMEOUT_S)
            ) as answer:
                if answer.status != 200:
                    raise OpsRefused(_why(answer.status, await answer.json(content_type=None)))
                async for chunk in answer.content.iter_any():
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OpsAway(f"ops at {self.url} broke off ({type(error).__name__}).") from error
        if rest:
            raise OpsAway(f"ops at {self.url} broke off in the middle of a line.")

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            async with self.session.request(method, self.url + path, **more) as answer:
                body = await answer.json(content_type=None)
                if answer.status != 200:
                    raise OpsRefused(_why(answer.status, body))
                return body
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise OpsAway(f"ops at {self.url} did not answer ({type(error).__name__}).") from error


def _why(status: int, body: Any) -> str:
    problem = body if isinstance(body, Mapping) else {}
    if status == 401:
        return "ops does not know this token; give HOSHO_OPERATOR_TOKEN (`hosho ops token` makes one)."
    told = problem.get("detail") or problem.get("title") or f"it was answered {status}"
    errors = [f"{one.get('pointer', '')}: {one.get('message_en', '')}" for one in problem.get("errors", [])]
    return " ".join([f"ops said no: {told}", *errors])


@asynccontextmanager
async def ops() -> AsyncIterator[Ops]:
    """Open ops as the environment names it, or the one that `make up` runs on this machine.

    Raises:
        Misconfigured: naming what to give, if there is neither.
    """
    url, token = _address()
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=ASK_TIMEOUT_S)) as session:
        yield Ops(session, url.rstrip("/"))


def running_here() -> Stack | None:
    """What `make up` runs on this machine, if it does."""
    if (RUN / DEV_STACK / "stack.json").exists():
        local = Stack(DEV_STACK)
        if local.runner_pid() is not None and "ops" in local.ports:
            return local
    return None


def _address() -> tuple[str, str]:
    given = DeploySettings()
    if given.ops_url is not None:
        if given.operator_token is None:
            raise Misconfigured("Give HOSHO_OPERATOR_TOKEN: your bearer token for ops.")
        return given.ops_url, given.operator_token.get_secret_value()
    local = running_here()
    if local is not None:
        return f"http://{LOOPBACK}:{local.ports['ops']}", local.secrets.operator_tokens["operator"]
    raise Misconfigured("Give HOSHO_OPS_URL and HOSHO_OPERATOR_TOKEN, or start everything here with `make up`.")
