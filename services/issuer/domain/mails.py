"""What becomes of the completion mails (電子保証発行完了のお知らせ) of a guarantee's versions."""

from dataclasses import replace
from typing import Final

from services.issuer.domain.events import unknown_version, with_changed
from services.issuer.domain.guarantee import Guarantee, Impossible, Mail, MailState, Outcome, Repeated, Version

MAILS_PER_VERSION_MAX: Final = 20
"""Far more than honest mending needs; a portal gone wild must not make us flood somebody's mailbox."""


def mail_sent(guarantee: Guarantee, number: int, ordinal: int) -> Outcome:
    """A mail server took the mail of this ordinal; that stands, whatever is heard of it later."""
    version = _mailed(guarantee, number, ordinal)
    if not isinstance(version, Version):
        return version
    if version.mail.state is MailState.SENT:
        return Repeated("this mail was sent before")
    return with_changed(guarantee, replace(version, mail=replace(version.mail, state=MailState.SENT, refusal=None)))


def mail_refused(guarantee: Guarantee, number: int, ordinal: int, refusal: str) -> Outcome:
    """The mail server refused the mail of this ordinal for good."""
    version = _mailed(guarantee, number, ordinal)
    if not isinstance(version, Version):
        return version
    if version.mail.state is not MailState.WAITING:
        return Repeated(f"no mail is waited for; it is {version.mail.state}")
    mail = replace(version.mail, state=MailState.REFUSED, refusal=refusal)
    return with_changed(guarantee, replace(version, mail=mail))


def wish_mail(guarantee: Guarantee, address: str | None) -> Outcome:
    """The completion mail of the latest issued version is wished for (again), perhaps to a mended address.

    While one waits for the same address a second would double it, so nothing changes then.
    """
    version = guarantee.issued
    if version is None:
        return Impossible("not_issued", "no version has arrived yet")
    mail = version.mail
    address = address or mail.address
    if address is None:
        return Impossible("mail_address_needed", "no address is known")
    if mail.state is MailState.WAITING and address == mail.address:
        return Repeated("a mail to this address waits to be sent")
    if mail.ordinal >= MAILS_PER_VERSION_MAX:
        return Impossible("too_many_mails", f"at most {MAILS_PER_VERSION_MAX} mails are sent about one version")
    return with_changed(guarantee, replace(version, mail=Mail(True, address, MailState.WAITING, mail.ordinal + 1)))


def _mailed(guarantee: Guarantee, number: int, ordinal: int) -> Version | Repeated | Impossible:
    """The version, if this is news of its latest mail; late news of an earlier one settles nothing."""
    version = guarantee.version(number)
    if version is None:
        return unknown_version(number)
    mail = version.mail
    if mail.state is MailState.NONE:
        return Impossible("no_mail_wished", f"no mail about version {number} was wished for")
    if ordinal > mail.ordinal:
        return Impossible("unknown_mail", f"mail {ordinal} about version {number} was never asked for")
    if ordinal < mail.ordinal:
        return Repeated(f"mail {mail.ordinal} about this version was asked for since")
    return version
