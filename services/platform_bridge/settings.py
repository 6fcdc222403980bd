"""What the platform bridge needs from its environment, prefix `PLATFORM_BRIDGE_`."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, FilePath, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.errands.closing import Weekly, weekly_hours
from shared.service import ServiceSettings

_PLATFORM_URL: Final = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


def _as_prefix(url: str) -> str:
    if not _PLATFORM_URL.fullmatch(url):
        raise ValueError("give https://host[:port][/path], without user, query or fragment")
    return url.rstrip("/")


def _as_header(token: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("a bearer token is one word of ASCII characters")
    return token


def _as_hours(text: str) -> str:
    weekly_hours(text)
    return text


class Settings(ServiceSettings):
    """Besides what every service needs: the platform, and the keys that open what the issuer sealed.

    Attributes:
        sealing_keys: `kid:base64-32-bytes[,kid:…]`; the bridge only opens, so their order does not matter here.
        calls_per_s_max: calls to the platform in a second, of all bridges together.
        closing_hours: the platform's weekly maintenance in Japan's time, `Sun 02:00-05:00, daily 04:00-04:10`; then
            nothing is posted, and certificates wait. Hours for once are announced by an operator.
        platform_url: what `/v1/certificates` is appended to; https except towards a platform on the same machine.
        platform_ca_file: the authorities that may vouch for the platform, as PEM; without it those of the machine.
    """

    model_config = SettingsConfigDict(
        env_prefix="PLATFORM_BRIDGE_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    sealing_keys: SecretStr
    platform_url: Annotated[str, AfterValidator(_as_prefix)]
    platform_ca_file: FilePath | None = None
    platform_token: Annotated[SecretStr, Field(min_length=1), AfterValidator(_as_header)]
    calls_per_s_max: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2_000.0
    closing_hours: Annotated[str, AfterValidator(_as_hours)] = ""

    @property
    def weekly_closing_hours(self) -> tuple[Weekly, ...]:
        """The closing hours, read."""
        return weekly_hours(self.closing_hours)
