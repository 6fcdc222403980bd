"""A page that is watched: what its console complains of, and whom it asks for something."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Page, Request

LOOPBACK: Final = "127.0.0.1"

# What a person would have to scroll sideways for; an element that scrolls by itself is allowed to be wide inside.
_TOO_WIDE: Final = """() => {
  const room = document.documentElement.clientWidth, whole = document.documentElement.scrollWidth;
  const found = whole > room ? [`the page is ${whole} wide`] : [];
  const scrolls = (one) =>
    one && (['auto', 'scroll'].includes(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  const clipped = (one) => one && (getComputedStyle(one).clipPath !== 'none' || clipped(one.parentElement));
  for (const one of document.body.querySelectorAll('*')) {
    const box = one.getBoundingClientRect();
    const hidden = clipped(one) || box.width <= 1 || box.right <= 0;
    if (hidden || box.right <= room + 1 || scrolls(one.parentElement)) continue;
    found.push(`${one.outerHTML.slice(0, 90)} ends at ${box.right}`);
  }
  return found;
}"""

# The accessible name of a field must come from a label of its own, from a group's legend with one, or from ARIA.
_WITHOUT_LABEL: Final = """() => [...document.querySelectorAll('input, select, textarea')]
  .filter((one) => one.type !== 'hidden' && !one.hidden)
  .filter((one) => ![...one.labels].some((label) => label.textContent.trim()) && !one.getAttribute('aria-label'))
  .map((one) => one.outerHTML.slice(0, 120))"""

_SAME_ID: Final = """() => [...document.querySelectorAll('[id]')].map((one) => one.id)
  .filter((id, place, all) => all.indexOf(id) !== place)"""


@dataclass
class Watched:
    """A page and what was noticed while a person used it. Not frozen: Playwright marks the objects that listen.

    Attributes:
        complaints: errors of its console and of its scripts; refusals by its content security policy are among them.
        foreign: addresses outside this machine that it asked for.
        expected: beginnings of complaints that a test brings about on purpose.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begins to listen."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._request)

    def unexpected(self) -> list[str]:
        """The complaints that no test brought about."""
        return [one for one in self.complaints if not any(one.startswith(start) for start in self.expected)]

    async def too_wide(self) -> list[str]:
        """What reaches past the right edge of the window."""
        found: list[str] = await self.page.evaluate(_TOO_WIDE)
        return found

    async def without_label(self) -> list[str]:
        """Fields that no label belongs to."""
        found: list[str] = await self.page.evaluate(_WITHOUT_LABEL)
        return found

    async def is_fit_for_people(self) -> None:
        """Nothing overflows, every field has a label, no two things bear one id."""
        found = [*await self.too_wide(), *await self.without_label(), *await self.page.evaluate(_SAME_ID)]
        if found:
            raise AssertionError(f"{self.page.url} is not fit for people:\n" + "\n".join(found))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in ("data", "blob", "about") and asked.hostname != LOOPBACK:
            self.foreign.append(request.url)
