"""Hostile texts in every text field of an application, on the whole real way: refused by a code, or intact."""

import asyncio
import html
import io
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from pypdf import PdfReader

from services.intake.domain.catalogue import CATALOGUE
from simulators.portal.client import ISSUED, Portal
from simulators.portal.doors import Reply
from simulators.portal.samples import example
from tests.e2e.conftest import PORTAL, System
from tests.eventually import eventually
from tests.fuzz.hostile import TEXTS, put
from tests.fuzz.tally import Surface, Tally
from tests.service.ops.browsing import at_the_console

CODES: Final = frozenset(map(str, CATALOGUE))
SHORT_CHARS: Final = 50
ISSUED_WITHIN_S: Final = 90.0
VIEWER: Final = "照合係"
MARKUP: Final = ("<script>alert", "<img src=x")
SECRET: Final = "root:x:0:0"
"""What the file would show that one of the texts asks the typesetter for."""

FIELDS: Final[Mapping[str, tuple[str | int, ...]]] = {
    "contractor": ("contractor", "name"),
    "joint venture": ("contractor", "jv_name"),
    "project": ("contract", "project_name"),
    "billed to": ("guarantees", 0, "premium_billed_to"),
    "payment": ("guarantees", 0, "premium_payment_method"),
    "depository": ("guarantees", 0, "depository"),
    "office": ("receiving_office",),
    "delivery": ("paper_delivery",),
    "department": ("contact", "department"),
    "title": ("contact", "title"),
    "name": ("contact", "name"),
    "phone": ("contact", "phone"),
    "message": ("message_to_guarantor",),
    "address": ("completion_mail", "address"),
    "id": ("application_id",),
}
TOGETHER: Final = ("contractor", "joint venture", "project", "billed to", "department", "title", "name", "message")
"""Fields that take nearly anything; they bear the same text at once."""


def _wanted(application: dict[str, Any]) -> dict[str, Any]:
    address = f"keiri+{application['application_id']}@kensetsu.example"
    return {**application, "completion_mail": {"wanted": True, "address": address}}


def _json(application: object) -> bytes:
    return json.dumps(application, ensure_ascii=True).encode()


def one_by_one(seed: int) -> Iterator[tuple[str, bytes]]:
    """Applications with one hostile field, whole and long."""
    for name, text in TEXTS.items():
        for where, path in FIELDS.items():
            good = _wanted(example(PORTAL, f"F{seed}-{name}-{where}".replace(" ", "-")))
            yield f"{name} as {where}", _json(put(good, path, text))


async def judged(portal: Portal, tally: Tally, surface: Surface) -> None:
    """Have each text judged in each field; nothing is taken in."""
    for shown, body in tally.some(one_by_one(tally.seed)):
        surface.inputs += 1
        reply = await portal.doors.check(body)
        codes = {one["code"] for one in reply.json().get("errors", ())}
        if reply.status >= 500:
            surface.crashed(f"{shown}: {reply.status}")
        elif reply.status == 200 or (reply.status == 422 and codes and codes <= CODES):
            surface.ended(f"{reply.status} {min(codes, default='')}".strip())
        else:
            surface.unknown(f"{shown}: {reply.status} {sorted(codes)}")


async def travelled(system: System, portal: Portal, tally: Tally, surface: Surface) -> None:
    """Send each text in many fields at once, as far as it is taken, and look at all that becomes of it."""
    taken: dict[str, str] = {}
    seed = tally.seed
    for name, text in tally.some(TEXTS.items()):
        surface.inputs += 1
        application = _wanted(example(PORTAL, f"T{seed}-{name}"))
        for where in TOGETHER:
            application = put(application, FIELDS[where], text[:SHORT_CHARS])
        reply = await portal.doors.apply(_json(application))
        if reply.status == 202:
            taken[name] = text[:SHORT_CHARS]
        elif reply.status == 422 and {one["code"] for one in reply.json()["errors"]} <= CODES:
            surface.ended(f"422 {reply.json()['errors'][0]['code']}")
        else:
            surface.unknown(f"{name}: {reply.status}")
    await asyncio.gather(*(_arrived(system, portal, surface, f"T{seed}-{name}", text) for name, text in taken.items()))


async def _arrived(system: System, portal: Portal, surface: Surface, application_id: str, text: str) -> None:
    answer = await portal.answers.wait_for(application_id, ISSUED, timeout_s=ISSUED_WITHIN_S)
    assert isinstance(answer.data, dict)
    number = str(answer.data["guarantee_number"])
    wrong = [
        *await _shown(portal, number, text),
        *await _printed(portal, number),
        *await _mailed(system, number, application_id),
        *await _on_the_console(system, application_id),
    ]
    if wrong:
        surface.unknown(f"{application_id}: {'; '.join(wrong)}")
    else:
        surface.ended("intact and inert to paper, mail and page")


async def _shown(portal: Portal, number: str, text: str) -> list[str]:
    told = (await portal.doors.guarantee(number)).json()
    kept = (await portal.doors.certificate(number, 1)).json()
    seen = {told["project_name"], told["contractor_name"], kept["project_name"], kept["contractor"]["name"]}
    return [] if seen == {text} else [f"kept as {sorted(seen)}"]


async def _printed(portal: Portal, number: str) -> list[str]:
    wrong: list[str] = []
    papers = (
        lambda: portal.doors.certificate(number, 1, "application/pdf"),
        lambda: portal.doors.key_notice(number, VIEWER),
    )
    for asked in papers:
        paper = await eventually(partial(_when_not_busy, asked), within_s=ISSUED_WITHIN_S)
        if paper.status != 200:
            wrong.append(f"a paper was answered {paper.status}")
            continue
        printed = "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.body)).pages)
        if number not in printed or SECRET in printed:
            wrong.append("a paper does not show its number, or shows a file")
    return wrong


async def _when_not_busy(asked: Callable[[], Awaitable[Reply]]) -> Reply:
    """A paper, once the press has a place for it."""
    paper = await asked()
    assert paper.status != 503
    return paper


async def _mailed(system: System, number: str, application_id: str) -> list[str]:
    async def mail() -> dict[str, Any]:
        found = [one for one in await system.mails() if number in one["text"]]
        assert found
        return found[0]

    sent = await eventually(mail, within_s=ISSUED_WITHIN_S)
    names = [str(one[0]).lower() for one in sent["headers"]]
    good = (
        sent["subject"] == "電子保証（認証キー）発行完了のお知らせ"
        and sent["to"] == [f"keiri+{application_id}@kensetsu.example"]
        and "bcc" not in names
        and len(names) == len(set(names))
        and not any(sign in sent["html"] for sign in MARKUP)
    )
    return [] if good else [f"the mail has headers {names}, goes to {sent['to']}, or its page has markup"]


async def _on_the_console(system: System, application_id: str) -> list[str]:
    token = system.place.stack.secrets.operator_tokens["viewer"]
    async with at_the_console(system.place.url("ops"), token) as person:
        page = await person.opens(f"/journey/{PORTAL}/{application_id}")
        found = await person.opens(f"/journey?q={application_id}")
    if person.status != 200 or application_id not in html.unescape(page):
        return [f"the console answers {person.status} or does not show it"]
    return [f"the console shows {sign}" for sign in MARKUP if sign in page + found]


def forged_log_lines(system: System) -> list[str]:
    """Lines of our services' logs that are no JSON, or tell of an event that a text made up."""
    wrong: list[str] = []
    for path in sorted((system.place.folder / "log").glob("*.log")):
        if "simulator" in path.name:
            continue
        # Split at the line feed alone: other separators inside a text are no end of a line.
        for line in filter(None, path.read_text(encoding="utf-8").split("\n")):
            is_forged = not line.startswith("{") or json.loads(line).get("event") == "forged" or "\x1b" in line
            wrong += [f"{path.name}: {line[:200]}"] if is_forged else []
    return wrong
