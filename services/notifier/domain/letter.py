"""What the completion mail says, as text and as HTML (電子保証発行完了のお知らせ). The key is never in it.

The wording is ours: the real mails are not published. What must be in it stands in section 6 of the contracts.
"""

import re
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Final

from pydantic import BaseModel, ConfigDict

SUBJECT: Final = "電子保証（認証キー）発行完了のお知らせ"

ADDRESS_CHARACTERS_MAX: Final = 254
FIELD_CHARACTERS_MAX: Final = 500

# Japan has had one offset and no summer time since 1951.
_JAPAN: Final = timezone(timedelta(hours=9), "JST")

_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOT_ATOM: Final = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
# Mobile carriers once gave out local parts with dots in a row or at the end; they are quoted on the way out.
_ADDRESS: Final = re.compile(rf"(?:{_ATEXT}|\.){{1,64}}@(?:{_LABEL}(?:\.{_LABEL})*)")

_BREAK: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Invisible characters that reorder or hide text, and half characters that no encoding can carry.
_INVISIBLE: Final = re.compile(
    r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)

_VERSION_KINDS: Final = {
    "new": "新規",
    "change": "変更",
    "correction": "訂正",
    "change_cancellation": "変更取消",
    "termination": "解約",
}

# Why there is another certificate, where there was one before; a first one needs no reason.
_REASONS: Final = {
    "change": "保証契約の変更による、新しい電子証書です。認証キーは変わりません。",
    "correction": "電子証書の訂正による、新しい電子証書です。認証キーは変わりません。",
    "change_cancellation": "保証契約の変更の取消による、新しい電子証書です。認証キーは変わりません。",
    "termination": "保証契約の解約による電子証書です。認証キーは変わりません。",
}

_TEXT: Final = """{contractor} 様

電子保証（認証キー）の発行が完了しましたので、お知らせいたします。{reason}

{lines}

認証キーはこのメールには記載しておりません。ポータルにログインし、
「保証契約一覧」の「電子保証 (認証キー)」タブから「詳細」を開いてご確認ください。

{link}

※このメールは自動でお送りしています。このメールにご返信いただいても、お答えできません。
"""

# Mail programs take their styles from the elements alone, and many know tables only; so both are used plainly here.
_HTML: Final = """<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{subject}</title>
</head>
<body style="margin:0;padding:8px;background:#f2f5f8;color:#1c2430;font-family:'Hiragino Sans','Yu Gothic',Meiryo,\
'Noto Sans JP',sans-serif;font-size:16px;line-height:1.7">
<div style="max-width:600px;margin:0 auto;padding:20px 16px;background:#fff;border:1px solid #c9d1da;border-radius:8px">
<h1 style="margin:0 0 16px;padding-bottom:12px;border-bottom:2px solid #1f5fa8;font-size:20px;line-height:1.5">\
{subject}</h1>
<p style="margin:0 0 12px">{contractor} 様</p>
<p style="margin:0 0 16px">電子保証（認証キー）の発行が完了しましたので、お知らせいたします。{reason}</p>
<table style="width:100%;border-collapse:collapse;font-size:15px;overflow-wrap:anywhere">
{lines}
</table>
<p style="margin:16px 0">認証キーはこのメールには記載しておりません。ポータルにログインし、\
「保証契約一覧」の「電子保証 (認証キー)」タブから「詳細」を開いてご確認ください。</p>
<p style="margin:0 0 16px"><a href="{link}" style="color:#1f5fa8;font-weight:bold;overflow-wrap:anywhere">{link}</a></p>
<p style="margin:0;padding-top:12px;border-top:1px solid #c9d1da;font-size:13px;color:#56606e">\
※このメールは自動でお送りしています。このメールにご返信いただいても、お答えできません。</p>
</div>
</body>
</html>
"""

_LINE: Final = "{0}：{1}"
_ROW: Final = (
    '<tr><th scope="row" style="width:8em;text-align:left;vertical-align:top;padding:8px 8px 8px 0;font-weight:normal;'
    'color:#56606e;border-bottom:1px solid #e3e8ee">{0}</th>'
    '<td style="vertical-align:top;padding:8px 0;border-bottom:1px solid #e3e8ee">{1}</td></tr>'
)


class Letter(BaseModel):
    """One completion mail as it is kept until the server has taken it: every try sends the same.

    Attributes:
        address: where it goes, as the contractor gave it.
        link: the portal's front page.
        message_id: its name in the world of mail, without angle brackets.
        ordinal: which announcement of the version asked for it, counted from 1.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    version_kind: str
    product_name: str
    contractor_name: str
    obligee_name: str
    project_name: str
    issued_at: datetime
    address: str
    link: str
    message_id: str
    ordinal: int = 1

    @property
    def subject(self) -> str:
        """How facts about this version are named: `00000-000001/1`."""
        return f"{self.guarantee_number}/{self.version}"


def message_id_of(guarantee_number: str, version: int, occasion: str, host: str) -> str:
    """The Message-ID, without angle brackets: the same in every try, another for a mail that was wished again.

    Args:
        occasion: the id of the fact that asks for the mail; mailboxes drop a second mail under one Message-ID.
    """
    return f"{guarantee_number}.{version}.{occasion[:13]}@{host}"


def is_mailable(address: str) -> bool:
    """Whether a mail server can be asked to take mail for this address. Addresses beyond ASCII are not."""
    return len(address) <= ADDRESS_CHARACTERS_MAX and _ADDRESS.fullmatch(address) is not None


def addr_spec(address: str) -> str:
    """A mailable address as RFC 5322 wants it: a local part with stray dots is quoted."""
    local, _, host = address.rpartition("@")
    return address if _DOT_ATOM.fullmatch(local) else f'"{local}"@{host}'


def one_line(text: str) -> str:
    """A foreign text as one honest line: breaks become spaces, what reorders or hides text is dropped."""
    shown = _INVISIBLE.sub("", _BREAK.sub(" ", text)).strip()
    return shown if len(shown) <= FIELD_CHARACTERS_MAX else shown[: FIELD_CHARACTERS_MAX - 1] + "…"


def issued_at_shown(issued_at: datetime) -> str:
    """電子保証発行日時 as people see it: Japan time, truncated to the minute."""
    return issued_at.astimezone(_JAPAN).strftime("%Y/%m/%d %H:%M")


def text_of(letter: Letter) -> str:
    """The mail as plain text."""
    lines = "\n".join(_LINE.format(*field) for field in _fields(letter))
    reason = _reason(letter)
    return _TEXT.format(
        contractor=one_line(letter.contractor_name), reason=reason and f"\n{reason}", lines=lines, link=letter.link
    )


def html_of(letter: Letter) -> str:
    """The mail as HTML: no images, no styles from elsewhere, nothing that tells anybody it was opened."""
    rows = "\n".join(_ROW.format(name, escape(value)) for name, value in _fields(letter))
    contractor, link = escape(one_line(letter.contractor_name)), escape(letter.link)
    reason = _reason(letter)
    return _HTML.format(
        subject=SUBJECT, contractor=contractor, reason=reason and f"<br>{reason}", lines=rows, link=link
    )


def _reason(letter: Letter) -> str:
    return _REASONS.get(letter.version_kind, "")


def _fields(letter: Letter) -> list[tuple[str, str]]:
    return [
        ("保証契約番号", letter.guarantee_number),
        ("商品名", one_line(letter.product_name)),
        ("対象", _VERSION_KINDS.get(letter.version_kind, one_line(letter.version_kind))),
        ("工事名", one_line(letter.project_name)),
        ("発注者名", one_line(letter.obligee_name)),
        ("電子保証発行日時", issued_at_shown(letter.issued_at)),
    ]
