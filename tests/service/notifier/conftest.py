"""One mailbox simulator for all tests here; they keep their mails apart by address."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import Servers
from tests.service.notifier.mailing import Round, rounding
from tests.unit.simulators.running import Running, running


@pytest.fixture(scope="session")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    storage = tmp_path_factory.mktemp("mailbox") / "mailbox.sqlite"
    environment = {"MAILBOX_SMTP_PORT": "0", "MAILBOX_HTTP_PORT": "0", "MAILBOX_STORAGE": str(storage)}
    with running("mailbox", environment) as program:
        yield program


@pytest.fixture
async def post_round(emptied: Servers, mailbox: Running) -> AsyncIterator[Round]:
    async with rounding(emptied, mailbox) as made:
        yield made
