"""What the platform simulator needs from its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulators.program import HOST_DEFAULT


class PlatformSettings(BaseSettings):
    """Read from PLATFORM_SIM_*.

    Attributes:
        token: opens everything, unless `posting_tokens` are given; then only the pages for tests.
        posting_tokens: what opens /v1/certificates, with commas between: two while a token is being changed.
    """

    model_config = SettingsConfigDict(env_prefix="PLATFORM_SIM_", frozen=True)

    host: str = HOST_DEFAULT
    port: int = Field(ge=0, le=65535)
    token: SecretStr = Field(min_length=1)
    posting_tokens: SecretStr | None = None
    storage: Path
    jwks_url: str | None = None
