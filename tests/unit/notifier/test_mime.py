"""The bytes of the mail, against what the standard library reads and would have written."""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from services.notifier.domain.letter import SUBJECT, Letter, html_of, text_of
from services.notifier.domain.mime import Stationery
from tests.unit.notifier.letters import letter

SENDER = Address("電子保証 100%", addr_spec="denshi-hosho@hosho.example")
WRITTEN_AT = datetime(2026, 1, 15, 0, 31, 2, 345_678, tzinfo=UTC)
LINE_BYTES_MAX = 78


def read(mail: bytes) -> EmailMessage:
    parsed = message_from_bytes(mail, policy=SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed


def by_the_library(given: Letter) -> EmailMessage:
    """The same mail, written the slow way."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = SENDER
    mail["To"] = given.address
    mail["Subject"] = SUBJECT
    mail["Date"] = WRITTEN_AT.replace(microsecond=0)
    mail["Message-ID"] = f"<{given.message_id}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of(given), cte="base64")
    mail.add_alternative(html_of(given), subtype="html", cte="base64")
    mail["Content-Language"] = "ja"
    return mail


def seen(mail: EmailMessage) -> dict[str, Any]:
    """Everything a reader of the mail can tell, structure and defects too."""
    parts = [
        (
            part.get_content_type(),
            part.get_content_charset(),
            part["Content-Transfer-Encoding"],
            part.get_content().replace("\r\n", "\n"),
            part.defects,
        )
        for part in mail.iter_parts()
        if isinstance(part, EmailMessage)
    ]
    return {
        "from": [(one.display_name, one.addr_spec) for one in mail["From"].addresses],
        "to": [one.addr_spec for one in mail["To"].addresses],
        "subject": str(mail["Subject"]),
        "date": mail["Date"].datetime,
        "message_id": str(mail["Message-ID"]),
        "other": [str(mail[name]) for name in ("Auto-Submitted", "Content-Language", "MIME-Version")],
        "names": sorted(mail.keys()),
        "type": mail.get_content_type(),
        "parts": parts,
        "defects": [mail.defects, *(header.defects for header in mail.values())],
    }


LETTERS = [
    letter(),
    letter(project_name="長い工事名" * 60, contractor_name="𠮷野建設 株式会社"),
    letter(project_name="<b>&\"'\r\nBcc: x@evil.example\r\n.\r\n--=_hosho-completion-mail--"),
    letter(address="taro..yamada.@docomo.example"),
    letter(address="a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".example", version_kind="termination"),
    letter(product_name="", obligee_name="\ud842"),
]


@pytest.mark.parametrize("given", LETTERS)
def test_the_filled_form_reads_like_the_mail_the_library_would_write(given: Letter) -> None:
    mail = Stationery(SENDER).fill(given, WRITTEN_AT)
    slow = by_the_library(given.model_copy(update={"address": _quoted(given.address)}))

    assert seen(read(mail)) == seen(read(bytes(slow)))


HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=200),
    st.text(st.sampled_from("\r\n. -=_%{}<>&\"':;,@?\u2028\x00\x0b葛\U000e0100𠮷工事Bccto:"), max_size=600),
)


@settings(deadline=None)
@for_all(project=HOSTILE, contractor=HOSTILE, obligee=HOSTILE, product=HOSTILE, kind=HOSTILE)
def test_no_text_makes_it_read_otherwise(project: str, contractor: str, obligee: str, product: str, kind: str) -> None:
    names = {"project_name": project, "contractor_name": contractor, "obligee_name": obligee, "product_name": product}
    written = letter(version_kind=kind, **names)
    mail = Stationery(SENDER).fill(written, WRITTEN_AT)
    parsed = read(mail)

    assert seen(parsed) == seen(read(bytes(by_the_library(written))))
    assert str(parsed["Subject"]) == "電子保証（認証キー）発行完了のお知らせ"
    assert [part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts()] == [
        text_of(written),
        html_of(written),
    ]


def test_the_headers_are_as_the_standards_want_them() -> None:
    head = Stationery(SENDER).fill(letter(), WRITTEN_AT).split(b"\r\n\r\n", 1)[0].decode("ascii")
    subject = re.search(r"(?m)^Subject:((?:.+\r\n[ \t])*.+)\r$", head)

    # RFC 2047 §2: encoded words of at most 75 letters, in lines of at most 76, each a whole number of characters.
    assert subject is not None
    words = subject[1].split()
    assert all(len(word) <= 75 and word.startswith("=?utf-8?") for word in words)
    assert "".join(str(make_header(decode_header(word))) for word in words) == SUBJECT
    assert "Date: Thu, 15 Jan 2026 09:31:02 +0900" in head
    assert "Auto-Submitted: auto-generated" in head
    assert not re.search(r"(?mi)^(List-|Precedence|Reply-To|Return-Path)", head)


def _quoted(address: str) -> str:
    local, _, host = address.partition("@")
    return f'"{local}"@{host}' if ".." in local else address


@pytest.mark.parametrize("given", LETTERS)
def test_every_line_is_short_ascii_ends_in_crlf_and_begins_with_no_dot(given: Letter) -> None:
    mail = Stationery(SENDER).fill(given, WRITTEN_AT)
    lines = mail.split(b"\r\n")

    assert mail.isascii()
    assert mail.endswith(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or line.startswith(b".") for line in lines)
    assert all(len(line) <= LINE_BYTES_MAX for line in lines if not line.startswith(b"To: "))


def test_the_same_letter_gives_the_same_bytes() -> None:
    first, second = (Stationery(SENDER).fill(letter(), WRITTEN_AT) for _ in range(2))

    assert first == second


def test_a_sender_without_a_name_is_fine() -> None:
    mail = read(Stationery(Address(addr_spec="hosho@hosho.example")).fill(letter(), WRITTEN_AT))

    assert str(mail["From"]) == "hosho@hosho.example"


def test_message_ids_are_made_in_the_senders_domain() -> None:
    assert Stationery(SENDER).host == "hosho.example"
