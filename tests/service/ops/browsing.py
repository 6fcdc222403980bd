"""A person at the console without a browser: cookies are kept, forms are sent as a page of ours would send them."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')

Fields = Mapping[str, str | Sequence[str]]


@dataclass
class Person:
    """Somebody at a browser.

    Attributes:
        csrf: what the last page with a form gave along.
        status: of the last answer, after it led elsewhere.
    """

    url: str
    http: aiohttp.ClientSession
    csrf: str = ""
    status: int = 0
    address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def opens(self, path: str, **more: Any) -> str:
        """The text of a page, wherever it leads."""
        return await self._ask("GET", path, **more)

    async def sends(self, path: str, fields: Fields, *, csrf: str | None = None, **more: Any) -> str:
        """What a form of ours is answered."""
        pairs = [("csrf", self.csrf if csrf is None else csrf)]
        for name, value in fields.items():
            pairs += [(name, text) for text in ([value] if isinstance(value, str) else value)]
        return await self._ask("POST", path, data=aiohttp.FormData(pairs)(), **more)

    async def logs_in(self, token: str) -> str:
        """Log in; the page it leads to."""
        return await self.sends("/login", {"token": token, "next": "/"})

    async def _ask(self, method: str, path: str, **more: Any) -> str:
        async with self.http.request(method, self.url + path, **more) as answer:
            text = await answer.text()
            self.status, self.address = answer.status, answer.url.path_qs
            self.headers = {name.lower(): value for name, value in answer.headers.items()}
        if found := _CSRF.search(text):
            self.csrf = found[1]
        return text


@asynccontextmanager
async def at_the_console(url: str, token: str = "", language: str = "en") -> AsyncIterator[Person]:
    """Somebody with a browser of their own, in already if there is a token."""
    # The tests' servers have addresses and no names, for which cookies are usually not kept.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": language}) as http:
        person = Person(url, http)
        if token:
            await person.logs_in(token)
        yield person
