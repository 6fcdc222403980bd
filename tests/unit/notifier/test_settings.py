"""What the notifier accepts from its environment."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.notifier.settings import Settings

GOOD: dict[str, Any] = {
    "database_url": "postgresql://127.0.0.1/hosho",
    "broker_url": "amqp://127.0.0.1/hosho",
    "http_port": 8000,
    "portals_file": "portals.toml",
    "smtp_host": "mail.example",
    "smtp_port": 587,
    "mail_from": "電子保証 <denshi-hosho@hosho.example>",
}


def test_the_sender_has_a_name_and_the_envelope_the_bare_address() -> None:
    settings = Settings.model_validate(GOOD)

    assert settings.sender.display_name == "電子保証"
    assert settings.sender.addr_spec == settings.envelope_sender == "denshi-hosho@hosho.example"


def test_what_cannot_be_delivered_can_go_elsewhere() -> None:
    settings = Settings.model_validate(GOOD | {"envelope_from": "bounce@hosho.example"})

    assert settings.envelope_sender == "bounce@hosho.example"


@pytest.mark.parametrize(
    "mailbox", ["", "電子保証", "電子保証 <nowhere>", "a b@hosho.example", "<a@hosho.example\r\n>"]
)
def test_a_sender_without_an_address_is_refused(mailbox: str) -> None:
    with pytest.raises(ValidationError, match="give an address"):
        Settings.model_validate(GOOD | {"mail_from": mailbox})


@pytest.mark.parametrize("half", [{"smtp_username": "u"}, {"smtp_password": "p"}])
def test_username_and_password_come_together(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="or neither"):
        Settings.model_validate(GOOD | half)
