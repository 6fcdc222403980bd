"""What the notifier needs from its environment, prefix `NOTIFIER_`."""

from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.notifier.domain.letter import is_mailable, one_line
from shared.service import ServiceSettings


def _with_address(mailbox: str) -> str:
    if one_line(mailbox) != mailbox or not is_mailable(parseaddr(mailbox)[1]):
        raise ValueError("give an address, or a name and an address as `名前 <name@host.example>`")
    return mailbox


Mailbox = Annotated[str, AfterValidator(_with_address)]


class Settings(ServiceSettings):
    """Besides what every service needs: the portals that mails link to, and the mail server.

    STARTTLS is used whenever the server offers it, and its certificate is checked; a private authority is made known
    with OpenSSL's own SSL_CERT_FILE. Port 465 is TLS from the first byte (RFC 8314).

    Attributes:
        smtp_username: with it the notifier logs in, on an encrypted connection only (or one within this machine).
        mail_from: whom the mail is from, as people see it: an address, or a name and an address.
        calls_per_s_max: mails handed over in a second, by all notifiers together.
        envelope_from: where the mail system sends what it could not deliver; `mail_from` if not given.
    """

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_", frozen=True, extra="ignore", hide_input_in_errors=True)

    portals_file: Path
    smtp_host: str
    smtp_port: int = Field(ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: Mailbox
    envelope_from: Mailbox | None = None
    calls_per_s_max: float = Field(default=1_000.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _username_and_password_belong_together(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("give both SMTP_USERNAME and SMTP_PASSWORD, or neither")
        return self

    @property
    def sender(self) -> Address:
        """The From of every mail."""
        name, address = parseaddr(self.mail_from)
        return Address(name, addr_spec=address)

    @property
    def envelope_sender(self) -> str:
        """The bare address given to the mail server as the sender."""
        return parseaddr(self.envelope_from or self.mail_from)[1]
