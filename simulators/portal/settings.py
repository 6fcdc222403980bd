"""What the portal simulator needs from its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulators.program import HOST_DEFAULT


class PortalSettings(BaseSettings):
    """Read from PORTAL_SIM_*. Without `storage`, answers are kept in memory and end with the process."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_SIM_", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    broker_url: SecretStr
    intake_url: str
    issuer_url: str
    token: SecretStr = Field(min_length=1)
    host: str = HOST_DEFAULT
    http_port: int = Field(ge=0, le=65535)
    storage: Path | None = None
