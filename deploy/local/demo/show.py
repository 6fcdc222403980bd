"""Runs the demo on a stack of its own and shows it line by line."""

import json
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from deploy.local.demo.cases import AMQP_PORTAL, Case, cases
from deploy.local.demo.outcome import Guarantee, Rejection, Seen, complaints
from deploy.local.demo.walk import Walk
from deploy.local.programs import simulator
from deploy.local.runner import running
from deploy.local.screen import say
from deploy.local.stack import Stack
from deploy.places import BUILD, CHECKOUT

STACK: Final = "demo"
RESULT: Final = BUILD / "demo.json"
TOKYO: Final = ZoneInfo("Asia/Tokyo")

_KINDS: Final = {
    "advance_payment": "前払金保証",
    "interim_advance_payment": "中間前払金保証",
    "contract_performance": "契約保証",
}
_FORMS: Final = {"electronic": "電子", "paper": "紙"}


async def demo() -> int:
    """Run it; returns 0 only if everything is as it should be, and leaves nothing running."""
    began_s = time.monotonic()
    RESULT.unlink(missing_ok=True)
    sent = cases(datetime.now(TOKYO).date())
    # The demo itself is the portal, and two readers of one answer queue would each get half.
    async with running(Stack(STACK), fresh=True, without=[simulator("portal")]) as (place, _):
        _announce(sent)
        async with Walk(place) as walk:
            seen = await walk.go(sent)
    wrong = complaints(sent, seen)
    _show(sent, seen)
    BUILD.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(seen.as_json(ok=not wrong), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for line in wrong:
        say(f"WRONG: {line}")
    say(f"{RESULT.relative_to(CHECKOUT)} written after {time.monotonic() - began_s:.0f} s")
    return 1 if wrong else 0


def _announce(sent: Sequence[Case]) -> None:
    over_amqp = sum(case.portal == AMQP_PORTAL for case in sent)
    say(f"{len(sent)} applications are sent: {over_amqp} over AMQP, {len(sent) - over_amqp} over HTTP")
    for case in sent:
        if case.manner:
            say(f"  {case.application_id}: the platform {case.manner.tells}")


def _show(sent: Sequence[Case], seen: Seen) -> None:
    manners = {case.application_id: case.manner.tells for case in sent if case.manner}
    say("")
    for guarantee in sorted(seen.guarantees, key=lambda one: one.guarantee_number):
        say(_guarantee_line(guarantee, manners.get(guarantee.application_id, "")))
    for rejection in seen.rejections:
        say(_rejection_line(rejection))
    electronic = sum(one.certificate_form == "electronic" for one in seen.guarantees)
    say("")
    say(
        f"{len(seen.guarantees)} guarantees ({electronic} electronic, {len(seen.guarantees) - electronic} paper),"
        f" {len(seen.rejections)} applications refused, {sum(map(len, seen.mails.values()))} mails"
    )


def _guarantee_line(one: Guarantee, manner: str) -> str:
    words = [one.guarantee_number, one.application_id, _KINDS[one.kind], _FORMS[one.certificate_form], one.status]
    if one.issued_at is not None:
        same = "=" if one.platform_arrived_at and _same(one.issued_at, one.platform_arrived_at) else "≠"
        words.append(f"発行日時 {_tokyo(one.issued_at)} {same} platform")
        words.append(f"mail {one.mail_message_id}" if one.mail_message_id else "no mail wished for")
    words.append(f"{one.latency_ms} ms")
    return "  ".join(words) + (f"  (the platform {manner})" if manner else "")


def _rejection_line(one: Rejection) -> str:
    reasons = "; ".join(f"{problem['pointer']} {problem['message_ja']}" for problem in one.problems)
    return f"refused       {one.application_id}  {reasons}"


def _same(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)


def _tokyo(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(TOKYO).strftime("%Y/%m/%d %H:%M:%S.%f")[:-3]
