"""What ops needs from its environment, prefix `OPS_`."""

from pydantic_settings import SettingsConfigDict

from shared.service import ServiceSettings


class Settings(ServiceSettings):
    """Only what every service needs."""

    model_config = SettingsConfigDict(env_prefix="OPS_", frozen=True, extra="ignore")
