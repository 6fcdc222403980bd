"""The operator doors of the services, as ops knocks at them: with its own token to look, with a person's to act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from pydantic_core import from_json

from shared.errors import Transient
from shared.logs import get_logger

ASK_TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 8_000_000

logger = get_logger()


Params = Mapping[str, str] | Sequence[tuple[str, str]] | None


class DoorAway(Transient):
    """This service's operator door did not answer; see whether the service runs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door said: its status, and its JSON."""

    status: int
    body: Any

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked."""
        return 200 <= self.status < 300


class Doors:
    """One HTTP client for all doors.

    Args:
        urls: by service, where its HTTP server is.
        token: a viewer's, for what ops looks at on its own account.
    """

    def __init__(self, urls: Mapping[str, str], token: str) -> None:
        self._urls = {name: url.rstrip("/") for name, url in urls.items()}
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """Whose doors are known."""
        return tuple(self._urls)

    async def open(self) -> None:
        """Make the client."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_TIMEOUT_S))

    async def close(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()

    async def look(self, service: str, path: str, *, params: Params = None, body: Any = None) -> Any:
        """What a viewer sees at this path; a `body` makes it a question by POST that changes nothing.

        Raises:
            DoorAway: no answer, or one that is not a success; the reason says which.
        """
        answer = await self.ask(
            service, path, self._token, method="GET" if body is None else "POST", params=params, body=body
        )
        if not answer.is_good:
            raise DoorAway(f"{service} answered {answer.status} at {path}.")
        return answer.body

    async def ask(
        self,
        service: str,
        path: str,
        token: str,
        *,
        method: str = "GET",
        params: Params = None,
        body: Any = None,
    ) -> Answer:
        """Ask with somebody's token; whatever the door answers is given back.

        Raises:
            DoorAway: no answer.
        """
        if service not in self._urls or self._session is None:
            raise DoorAway(f"The operator door of {service} is not known; name it in OPS_DOORS.")
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self._urls[service]}/operator{path}"
        try:
            async with self._session.request(method, url, params=params, json=body, headers=headers) as answer:
                content = await answer.content.read(ANSWER_BYTES_MAX)
                return Answer(answer.status, from_json(content) if content else None)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise DoorAway(f"{service} did not answer ({type(error).__qualname__}).") from error
