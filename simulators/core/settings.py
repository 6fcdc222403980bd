"""What the core simulator needs from its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulators.program import HOST_DEFAULT


class CoreSettings(BaseSettings):
    """Read from CORE_SIM_*: one broker user concludes; the other and the token are the office's, who reads and changes.

    Without `storage` what the office heard is forgotten when the program ends.
    """

    model_config = SettingsConfigDict(env_prefix="CORE_SIM_", frozen=True)

    broker_url: SecretStr
    office_broker_url: SecretStr
    intake_url: str
    issuer_url: str
    token: SecretStr = Field(min_length=1)
    storage: Path | None = None
    host: str = HOST_DEFAULT
    http_port: int = Field(ge=0, le=65535)
