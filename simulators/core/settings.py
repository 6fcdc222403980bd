"""What the core simulator needs from its environment."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulators.program import HOST_DEFAULT


class CoreSettings(BaseSettings):
    """Read from CORE_SIM_*: one broker user concludes, the other reads paper orders."""

    model_config = SettingsConfigDict(env_prefix="CORE_SIM_", frozen=True)

    broker_url: SecretStr
    office_broker_url: SecretStr
    host: str = HOST_DEFAULT
    http_port: int = Field(ge=0, le=65535)
