"""What the bridge accepts from its environment."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.platform_bridge.settings import Settings

GOOD = {
    "database_url": "postgresql://127.0.0.1/hosho",
    "broker_url": "amqp://127.0.0.1/hosho",
    "http_port": 8000,
    "sealing_keys": "k1:x",
    "platform_url": "https://platform.example/api/",
    "platform_token": "token",
}


def test_the_address_is_kept_without_a_slash_at_its_end() -> None:
    assert Settings.model_validate(GOOD).platform_url == "https://platform.example/api"


@pytest.mark.parametrize(
    "url", ["platform.example", "ftp://platform.example", "https://a:b@platform.example", "https://p.example/?x", ""]
)
def test_an_address_that_is_no_prefix_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="give https://"):
        Settings.model_validate(GOOD | {"platform_url": url})


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "全角"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(GOOD | {"platform_token": token})

    assert not token or token not in str(refused.value)


def test_closing_hours_are_read_and_wrong_ones_are_refused_at_the_start() -> None:
    hours = Settings.model_validate(GOOD | {"closing_hours": "Sun 02:00-05:00"}).weekly_closing_hours

    assert [one.lasts for one in hours] == [timedelta(hours=3)]
    assert Settings.model_validate(GOOD).weekly_closing_hours == ()
    with pytest.raises(ValidationError, match="cannot be read"):
        Settings.model_validate(GOOD | {"closing_hours": "sundays"})


@pytest.mark.parametrize("rate", [0, -1, "inf", "nan"])
def test_a_rate_that_would_stop_all_calls_is_refused(rate: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(GOOD | {"calls_per_s_max": rate})
