"""The completion mail as the standard library makes it, for the peers."""

from email.message import EmailMessage

from bench.contenders.surroundings import SENDER
from bench.contenders.work import MAIL_HTML, MAIL_TEXT, SUBJECT, Json, message_id_of


def mail_about(issued: Json) -> EmailMessage:
    """The mail about an issued guarantee, as text and as HTML."""
    mail = EmailMessage()
    mail["From"] = SENDER
    mail["To"] = issued["completion_mail"]["address"]
    mail["Subject"] = SUBJECT
    mail["Message-ID"] = f"<{message_id_of(issued['guarantee_number'])}>"
    mail.set_content(MAIL_TEXT.format(**issued))
    mail.add_alternative(MAIL_HTML.format(**issued), subtype="html")
    return mail
