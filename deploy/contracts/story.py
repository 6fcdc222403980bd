"""One application with every message it can cause: the examples that are published.

What portals send and what is signed stands in `samples/`; the facts are made here, by the models that services use.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from services.intake.domain.catalogue import Code, problem
from services.intake.domain.form import Application
from services.issuer.domain.catalogue import Code as IssuerCode
from services.issuer.domain.catalogue import problem as issuer_problem
from shared.messages import Message
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.messages.intake import (
    AcceptedLine,
    ApplicationAccepted,
    ApplicationConflicted,
    ApplicationRejected,
    ChangeAccepted,
    ChangeRejected,
    Terms,
)
from shared.messages.issuer import (
    CertificateCreated,
    ChangeRefused,
    CompletionMail,
    GuaranteeIssued,
    GuaranteeStatusChanged,
    PaperOrdered,
)
from shared.messages.notifier import MailRefused, MailSent
from shared.messages.operator import OperatorActed
from shared.messages.platform_bridge import (
    CertificateArrived,
    CertificateHeld,
    CertificateRefused,
    CertificateReleased,
)
from shared.problems import Problem
from shared.signing import canonical, signed_content

M = TypeVar("M", bound=Message)

_SAMPLES: Final = Path(__file__).parent / "samples"


def sample(name: str) -> dict[str, Any]:
    """A sample that is kept as it stands."""
    kept: dict[str, Any] = json.loads((_SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return kept


APPLICATION: Final = sample("application")
CHANGE: Final = sample("change")
CERTIFICATE: Final = sample("certificate")

PORTAL: Final = "portal-a"
_OF_APPLICATION: Final[Mapping[str, Any]] = {"portal": PORTAL, "application_id": APPLICATION["application_id"]}
_NUMBER: Final = CERTIFICATE["guarantee_number"]
_OF_VERSION: Final[Mapping[str, Any]] = {**_OF_APPLICATION, "guarantee_number": _NUMBER, "version": 1}
_OF_CHANGE: Final[Mapping[str, Any]] = {
    "portal": PORTAL,
    "change_id": CHANGE["change_id"],
    "guarantee_number": CHANGE["guarantee_number"],
}
_MESSAGE_ID: Final = "6a1f3f4e-6f43-4f0e-9d57-0a4f1f9f2b11"
_MAIL_ID: Final = "<00000-000001.1.16129e3f-a4d3@hosho.example>"


def _at(time: str, day: str = "2026-01-15") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}+09:00")


TERMS: Final = Terms.model_validate(
    {
        "obligee_code": "222062",
        "obligee_name": "三島市長",
        "electronic_since": "2026-01-01",
        "electronic_basis": "contract_date",
        "electronic_source": "三島市の公表による",
        "advance_works_percent": 40,
        "advance_design_percent": 30,
        "interim_percent": 20,
        "advance_together_percent": 60,
        "performance_percent": 10,
        "performance_low_bid_percent": 30,
        "maximum_unit_yen": 1,
        "rates_valid_from": "1900-01-01",
        "rates_source": "広く公表されている一般的な率。個々の発注者の率ではない。",
    }
)

FACTS: Final[tuple[Message, ...]] = (
    ApplicationAccepted(
        **_OF_APPLICATION,
        accepted_at=_at("09:30:00.412"),
        remarks=(
            problem(
                Code.DEPOSITORY_NORMALISED,
                "/guarantees/0/depository",
                changed_ja="空白",
                changed_en="space",
                was="was",
            ),
        ),
        lines=(
            AcceptedLine(kind="advance_payment", certificate_form="electronic"),
            AcceptedLine(kind="contract_performance", certificate_form="paper"),
        ),
        application=Application.model_validate(APPLICATION).model_dump(mode="json"),
        terms=TERMS,
    ),
    ApplicationRejected(
        **_OF_APPLICATION,
        message_id=_MESSAGE_ID,
        problems=(problem(Code.BLANK, "/contact/name", label="担当者名", field="name"),),
    ),
    ApplicationConflicted(
        **_OF_APPLICATION,
        message_id=_MESSAGE_ID,
        problems=(problem(Code.APPLICATION_ID_TAKEN, "/application_id"),),
    ),
    ChangeAccepted(**_OF_CHANGE, accepted_at=_at("10:00:00.210", "2026-06-01"), remarks=(), change=CHANGE),
    ChangeRejected(**_OF_CHANGE, message_id=_MESSAGE_ID, problems=(problem(Code.CHANGES_NOTHING, ""),)),
    GuaranteeConcluded(**_OF_APPLICATION, kind="advance_payment", concluded_at=_at("11:00:00")),
    GuaranteeDeclined(
        **_OF_APPLICATION,
        kind="advance_payment",
        declined_at=_at("11:00:00"),
        problems=(
            Problem(
                code="underwriting_declined",
                pointer="/guarantees/0",
                message_ja="お引受できません。営業部・支店へお問い合わせください。",
                message_en="The guarantor declined. Ask the office.",
            ),
        ),
        message_from_guarantor="ご連絡ください。",
    ),
    CertificateCreated(
        **_OF_VERSION,
        version_kind="new",
        kind="advance_payment",
        concluded_at=_at("09:30:01.200"),
        certificate=canonical(signed_content(CERTIFICATE)).decode(),
        content_sha256=CERTIFICATE["content_sha256"],
        signature=CERTIFICATE["signature"],
        # Sealed once with a key that was thrown away.
        sealed_auth_key="v1.example-1.SinpA7NCAskscJV8gZleL6S6H0CD4YzFVzasU0Z388TvPmjXaIP6Fg",
    ),
    PaperOrdered(
        **_OF_APPLICATION,
        guarantee_number="00000-000002",
        kind="contract_performance",
        receiving_office="静岡支店",
        paper_delivery="office",
        paper_premium_statement=False,
        version=1,
        version_kind="new",
        amount=5_000_000,
    ),
    GuaranteeStatusChanged(
        **_OF_APPLICATION,
        guarantee_number=_NUMBER,
        kind="advance_payment",
        from_status="requested",
        to_status="in_transit",
        status_ja="電子証書送信中",
        version=1,
        at=_at("09:30:01.300"),
    ),
    GuaranteeIssued(
        **_OF_VERSION,
        kind="advance_payment",
        version_kind="new",
        issued_at=_at("09:30:02.117"),
        completion_mail=CompletionMail(wanted=True, address="keiri@kensetsu.example"),
        contractor_name="○○建設 株式会社",
        obligee_name="三島市長",
        project_name="市道○○線道路改良工事",
        product_name="前払金保証",
    ),
    ChangeRefused(
        **_OF_CHANGE,
        problems=(issuer_problem(IssuerCode.CHANGE_IN_PROGRESS, "/guarantee_number"),),
        refused_at=_at("10:00:00.480", "2026-06-01"),
    ),
    CertificateArrived(**_OF_VERSION, arrived_at=_at("09:30:02.117"), certificate_id="c-000001"),
    CertificateRefused(
        **_OF_VERSION,
        problem_type="https://platform.example/problems/certificate-refused",
        detail="発注者が確認できない電子証書です。",
        refused_at=_at("09:30:02.117"),
    ),
    CertificateHeld(**_OF_VERSION, reason="the platform says arrived, with no arrived_at", held_at=_at("09:30:02.200")),
    CertificateReleased(**_OF_VERSION, released_at=_at("10:15:00")),
    MailSent(**_OF_VERSION, message_id=_MAIL_ID, sent_at=_at("09:30:03.500")),
    MailRefused(
        **_OF_VERSION,
        message_id=_MAIL_ID,
        smtp_code=550,
        reason="5.1.1 no such mailbox",
        refused_at=_at("09:30:03.500"),
    ),
    OperatorActed(
        who="operator",
        what="due.now post_certificate",
        keys=(f"{_NUMBER}/1",),
        count=1,
        reason="the platform is back",
        at=_at("10:15:00"),
    ),
)
"""One of every kind, in the order in which they may happen."""


def fact(kind: type[M]) -> M:
    """The one fact of this kind in the story."""
    return next(one for one in FACTS if isinstance(one, kind))
