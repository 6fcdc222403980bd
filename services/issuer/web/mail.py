"""The completion mail is wished for again, perhaps to a mended address."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.issuer.domain.announcements import telling_of_issue
from services.issuer.domain.catalogue import Code, problem
from services.issuer.domain.guarantee import Guarantee, Impossible, MailState
from services.issuer.domain.mails import wish_mail
from services.issuer.store import moving
from services.issuer.web.door import Caller, body_described, body_of, known_form, scope_of
from shared.inputs import refused
from shared.portals import Portal
from shared.refusals import Refusal
from shared.service import Service
from shared.web import HttpProblem, problems
from shared.work import Work

ADDRESS_CHARS_MAX: Final = 254
"""RFC 5321, section 4.5.3.1.3, without the angle brackets."""

RETRY_AFTER_S: Final = 86_400

# The HTML standard's pattern (what browsers take for an address), with at least one dot in the domain; as at the door.
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


class MailWish(BaseModel):
    """Where the mail is to go; without an address, where the last one went."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    address: Annotated[str | None, Field(max_length=ADDRESS_CHARS_MAX)] = None

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and _ADDRESS.fullmatch(value) is None:
            raise refused("送信できるメールアドレスではありません。", "This is not a mail address we can send to.")
        return value


class WishedMail(BaseModel):
    """The mail as it stands now."""

    model_config = ConfigDict(frozen=True)

    wanted: bool
    state: MailState


def mail_routes(service: Service, caller: Caller) -> APIRouter:
    """`POST /v1/guarantees/{number}/completion-mail`."""
    router = APIRouter(prefix="/v1/guarantees", tags=["guarantees"])

    @router.post(
        "/{number}/completion-mail", status_code=202, responses=problems(409), openapi_extra=body_described(MailWish)
    )
    async def wish(number: str, request: Request, asking: Annotated[Portal, Depends(caller)]) -> WishedMail:
        """Sends 電子保証発行完了のお知らせ of the latest issued version again; one that waits is not doubled."""
        address = (await body_of(request, MailWish)).address
        async with service.unit_of_work() as work:
            found = await moving.by_number(work.connection, {known_form(number)})
            guarantee = found.get(number)
            if guarantee is None or scope_of(asking) not in (None, guarantee.portal):
                raise HttpProblem(404)
            outcome = wish_mail(guarantee, address)
            if isinstance(outcome, Impossible):
                raise _refused(outcome)
            if isinstance(outcome, Guarantee):
                await moving.save(work, found, {number: outcome})
                _announce(outcome, work)
                guarantee = outcome
        if guarantee.issued is None:
            raise HttpProblem(409, Refusal.NOT_ISSUED)
        return WishedMail(wanted=guarantee.issued.mail.wanted, state=guarantee.issued.mail.state)

    return router


def _announce(guarantee: Guarantee, work: Work) -> None:
    version = guarantee.issued
    if version is not None and version.issued_at is not None:
        telling = telling_of_issue(guarantee, version, version.issued_at)
        work.announce(
            telling.message,
            subject=telling.subject,
            occurrence=telling.occurrence,
            correlation=guarantee.correlation,
            portal=guarantee.portal if telling.to_portal else None,
        )


def _refused(why: Impossible) -> HttpProblem:
    if why.code == "mail_address_needed":
        return HttpProblem(422, errors=[problem(Code.MAIL_ADDRESS_NEEDED, "/address")])
    if why.code == "too_many_mails":
        return HttpProblem(429, Refusal.TOO_MANY_MAILS, why.reason, headers={"Retry-After": str(RETRY_AFTER_S)})
    return HttpProblem(409, Refusal.NOT_ISSUED, why.reason)
