"""What ops needs from its environment, prefix `OPS_`."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.service import ServiceSettings


class Settings(ServiceSettings):
    """What every service needs, and whom ops asks.

    Attributes:
        doors: by service, the address of its HTTP server, as JSON; its own too.
        door_token: a viewer's token for all of these doors; what people do goes through with their own tokens.
        portals_file: whose queues there are, besides the services' own.
    """

    model_config = SettingsConfigDict(env_prefix="OPS_", frozen=True, extra="ignore")

    portals_file: Path
    doors: Mapping[str, str] = {}
    door_token: SecretStr = SecretStr("")
