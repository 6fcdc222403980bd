"""What set-up and deployment take from the environment, all of it optional on a developer's machine."""

import os
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PASSED_ON: Final = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "DOCKER_HOST", "COVERAGE_PROCESS_START",
)  # fmt: skip
"""What a child process inherits; everything else it is told by name, so that no secret reaches it by accident."""

DATABASE_PASSWORD_PREFIX: Final = "HOSHO_DATABASE_PASSWORD_"
BROKER_PASSWORD_PREFIX: Final = "HOSHO_BROKER_PASSWORD_"


class DeploySettings(BaseSettings):
    """The variables `HOSHO_…`.

    Attributes:
        postgres_url: superuser's URL of a PostgreSQL to use instead of a private one; for `hosho database prepare` too.
        database_url: the owner role's URL, for `hosho migrate`.
        rabbitmq_url: administrator's AMQP URL of a broker to use instead of a private node; its path is the vhost.
        rabbitmq_management_url: administrator's URL of that broker's management API.
        ops_url: where ops serves HTTP, for `hosho ops`, `hosho journal export` and `hosho doctor --tell`.
        issuer_url: where the issuer serves HTTP, for `hosho doctor`, as are the next three.
        jwks_url: where people read the public keys, if not at the issuer.
        platform_url: where the bridge posts to.
        smtp_url: the mail server, `smtp://host:port` or `smtps://host:port`.
        operator_token: a bearer token of the operators file.
        rabbitmq_vhost: the virtual host `hosho topology` works on, where `rabbitmq_url` does not name one.
    """

    model_config = SettingsConfigDict(env_prefix="HOSHO_", frozen=True, extra="ignore")

    postgres_url: SecretStr | None = None
    database_url: SecretStr | None = None
    rabbitmq_url: SecretStr | None = None
    rabbitmq_management_url: SecretStr | None = None
    rabbitmq_vhost: str = "hosho"
    ops_url: str | None = None
    operator_token: SecretStr | None = None
    issuer_url: str | None = None
    jwks_url: str | None = None
    platform_url: str | None = None
    smtp_url: str | None = None


def passed_on() -> dict[str, str]:
    """The part of our environment that child processes inherit."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def passwords(prefix: str) -> Mapping[str, str]:
    """Passwords given as `<prefix><NAME>`, by lower-case name with `_` for `-`, as `PORTAL_A` stands for `portal-a`."""
    return {name.removeprefix(prefix).lower(): value for name, value in os.environ.items() if name.startswith(prefix)}
