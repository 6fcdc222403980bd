"""What the mailbox needs from its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulators.program import HOST_DEFAULT


class MailboxSettings(BaseSettings):
    """Read from MAILBOX_*. With a certificate it offers STARTTLS; with a username it asks for AUTH."""

    model_config = SettingsConfigDict(env_prefix="MAILBOX_", frozen=True)

    host: str = HOST_DEFAULT
    smtp_port: int = Field(ge=0, le=65535)
    http_port: int = Field(ge=0, le=65535)
    storage: Path
    tls_cert: Path | None = None
    tls_key: Path | None = None
    username: str | None = None
    password: SecretStr | None = None
