"""A key notice and a certificate to print, and what can be read off a printed paper."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any, Final

from pypdf import PdfReader

from services.issuer.papers.content import Advice, KeyNotice, Overview, SignedCertificate
from shared.signing import canonical, signed_content
from tests.unit.issuer.samples import EXAMPLES

KEY: Final = "Z28YUE4J3Bux"
"""The flyer's sample, in which nobody's guarantee is."""

PAGE: Final = "https://platform.example/"
MADE_AT: Final = datetime(2026, 1, 15, 1, 2, 3, tzinfo=UTC)

OVERVIEW: Final = Overview(
    guarantee_number="00000-000001",
    contractor="髙橋建設 株式会社",
    jv_name="髙橋・○○特定建設工事共同企業体",
    project_name="市道○○線道路改良工事",
    obligee="三島市長",
    price=50_000_000,
    amount=20_000_000,
    guarantee_until=date(2026, 12, 25),
    product_name="前払金保証",
    depository="○○銀行　××支店",
    guarantor="○○建設業保証株式会社",
    issued_at=datetime(2026, 1, 15, 0, 30, 59, 999_000, tzinfo=UTC),
    advice=Advice(
        submit_to="○○市 契約検査課 keiyaku@city.example",
        mail_subject="【認証キー】市道○○線道路改良工事",
        advice_ja="この書面（PDF）を添付してお送りください。\n受付は平日の9時から17時までです。",
    ),
)

EVIL: Final = (
    '#sys.inputs.at("given") #panic("x") $x^2$ `a` @b <c> [d] {e} \\ // f /* g */ "h" _i_ *j* = k - + ~ \\u{41} '
    '#import "/l"'
)


def notice(*, page: str | None = PAGE, key: str = KEY, **changed: Any) -> KeyNotice:
    """The notice with some facts changed."""
    return KeyNotice(replace(OVERVIEW, **changed), key, MADE_AT, page)


def certificate(**changed: Any) -> SignedCertificate:
    """The published example of a certificate with some members changed (and then no longer truly signed)."""
    example = json.loads((EXAMPLES / "certificate.json").read_text(encoding="utf-8"))
    text = canonical(signed_content(example) | changed).decode()
    return SignedCertificate(text, example["content_sha256"], example["signature"])


def opened(paper: bytes) -> PdfReader:
    """The paper, to look into."""
    return PdfReader(BytesIO(paper))


def words_of(paper: bytes) -> str:
    """Everything a reader can select and copy, without the white space that lines and columns add."""
    return squeezed("".join(page.extract_text() for page in opened(paper).pages))


def squeezed(text: str) -> str:
    """A text without white space."""
    return re.sub(r"\s", "", text)
