"""A whole private system, and people with a browser.

Modules share one system in which guarantees are concluded by themselves, so each keeps to contractors and names of its
own. A module that says `CONCLUSION = "core"` gets a system to itself, whose guarantees wait for the office.

`await people()` gives a person with an empty browser of their own. When the test is over, nothing may have complained
in any of them, and nobody outside this machine may have been asked for anything.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest
from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from deploy.local.install import CHROMIUM
from tests.browser.watching import Watched
from tests.conftest import Servers
from tests.system import System, whole_system

DESKTOP: Final = ViewportSize(width=1280, height=900)
PHONE: Final = ViewportSize(width=360, height=740)
WAIT_MS_MAX: Final = 30_000
"""How long a browser waits for what will come; on a quiet machine it comes within a second."""

expect.set_options(timeout=WAIT_MS_MAX)

People = Callable[..., Awaitable[Watched]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium without a window. Where it is missing, that is a failure in CI and a loud skip elsewhere."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is missing, so no page was looked at in a browser; `make browser` installs it on Debian."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        # Chromium's own sandbox needs rights that root in a container does not have; it opens our own pages only.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
async def system_of_session(stack: Servers) -> AsyncIterator[System]:
    """The system that modules share: every service and simulator, the portal's pages too."""
    async with whole_system(stack.local, stack.database, stack.vhost, without=()) as whole:
        yield whole


@pytest.fixture(scope="module")
async def system_of_module(request: pytest.FixtureRequest, servers_of_module: Servers) -> AsyncIterator[System]:
    """A system to a module alone, on a database and a virtual host of its own, with the conclusion that it wants."""
    own = servers_of_module
    conclusion = request.module.CONCLUSION
    async with whole_system(own.local, own.database, own.vhost, conclusion=conclusion, without=()) as whole:
        yield whole


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest) -> System:
    """The system that a module's tests work with."""
    wanted = "system_of_module" if hasattr(request.module, "CONCLUSION") else "system_of_session"
    found: System = request.getfixturevalue(wanted)
    return found


@pytest.fixture
async def people(browser: Browser) -> AsyncIterator[People]:
    """Gives people: `await people()` at a desk, `await people(PHONE)` with a window 360 pixels wide."""
    all_of_them: list[Watched] = []

    async def person(viewport: ViewportSize = DESKTOP, *, scripts: bool = True) -> Watched:
        context = await browser.new_context(
            viewport=viewport, locale="ja-JP", timezone_id="Asia/Tokyo", java_script_enabled=scripts
        )
        context.set_default_timeout(WAIT_MS_MAX)
        watched = Watched(await context.new_page())
        watched.watch()
        all_of_them.append(watched)
        return watched

    yield person
    for watched in all_of_them:
        await watched.page.context.close()
    assert [one for watched in all_of_them for one in watched.unexpected()] == []
    assert [one for watched in all_of_them for one in watched.foreign] == []
