"""What programs tell in English is in Japanese on a Japanese page, with the words as they were told beside it."""

import re
from datetime import UTC, datetime
from typing import Final

import pytest

from services.notifier.domain import replies
from services.notifier.domain.replies import Lost, Reply, Step, Unusable
from services.ops.web.console.reasons import KNOWN, in_words
from services.platform_bridge.domain import answers
from services.platform_bridge.domain.answers import Answer, AskFirst, Heard, NoAnswer, NotSent

NOW: Final = datetime(2026, 4, 1, tzinfo=UTC)
JAPANESE: Final = re.compile("[぀-ヿ一-鿿]")

PLATFORM: Final[list[Heard]] = [
    NotSent("no connection: ClientConnectorError"),
    NotSent("the platform's TLS certificate is not valid: certificate has expired", our_setup=True),
    NotSent("the session is not open"),
    NoAnswer("no answer: TimeoutError"),
    *(Answer(status, b"{}", None) for status in (200, 201, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503)),
    Answer(503, b"{}", "30"),
    Answer(200, b"not json", None),
    Answer(201, b'{"arrived_at": "yesterday"}', None),
    Answer(201, b'{"arrived_at": "2020-01-01T00:00:00Z"}', None),
    Answer(201, b'{"arrived_at": "2030-01-01T00:00:00Z"}', None),
    Answer(201, b'{"arrived_at": "2026-04-01T00:00:00Z"}', None),
    Answer(422, b'{"type": "https://hosho.example/problems/idempotency-key-reused"}', None),
]
MAIL: Final = [
    Unusable("the mail server's TLS certificate is not valid: self-signed certificate"),
    Lost(Step.CONNECTION, "ConnectionRefusedError"),
    Lost(Step.DOT, "ConnectionResetError"),
    Reply(Step.SENDER, 535, "authentication failed"),
    Reply(Step.SENDER, 550, "we do not like you"),
    Reply(Step.RECIPIENT, 451, "try again"),
    Reply(Step.SENDER, 250, "what?"),
]

TOLD: Final = (
    "raised KeyError",
    "no answer within 30 s",
    "the key that sealed it is not in the ring; add it to SEALING_KEYS and restart",
    "database: the owner's lock is not held; broker: no connection to publish",
    "consumers: not consuming: issuer.mail_sent, issuer.certificate_arrived",
    "the data does not fit issuer.certificate_created.v1: {'version': 'missing'}",
    "5 tries ended with the process",
    "not JSON: expected value at line 1 column 1",
    "given up by the broker",
    "the journal knows 7, the service 5",
    "50 or more overdue, the oldest since 2026-04-01 09:00:00 JST",
    "events does not fill notifier.guarantee_issued by issuer.guarantee_issued.v1 — run `hosho topology apply`",
    "the queue ops.x has x-max-length=5, planned is 9 — let it run empty, delete it, then run `hosho topology apply`",
    "the user ops may (configure, write, read) ('', '', ''), planned is ('', 'x', '') — run `hosho topology apply`",
    "the role hosho_ops may update, delete ops.journal_entry, unplanned — run `hosho migrate`",
    "schema ops lacks ops/0006_ledger_tally.sql — run `hosho migrate`",
    "the role hosho_ops may not select, insert ops.ledger_line — run `hosho migrate`",
    "platform: its certificate ends on 2026-05-01, 9 days from now — renew it",
    "issuer: it did not answer (TimeoutError) — see that it runs, and that its URL is right",
)


def _reason_of(verdict: object) -> str | None:
    verdict = verdict.standing if isinstance(verdict, AskFirst) else verdict
    return getattr(verdict, "reason", None)


@pytest.mark.parametrize("heard", PLATFORM, ids=str)
def test_whatever_a_post_brings_is_told_in_japanese(heard: Heard) -> None:
    verdict = answers.judge_post(heard, tried_before=True, concluded_at=NOW, now=NOW)
    _is_in_japanese(_reason_of(verdict))


@pytest.mark.parametrize("heard", MAIL, ids=str)
def test_whatever_a_mail_brings_is_told_in_japanese(heard: replies.Heard) -> None:
    _is_in_japanese(_reason_of(replies.judge(heard, age_s=0.0)))


@pytest.mark.parametrize("told", TOLD)
def test_what_services_and_the_doctor_tell_is_told_in_japanese(told: str) -> None:
    _is_in_japanese(told)


def _is_in_japanese(told: str | None) -> None:
    if told is not None:
        shown = in_words(told, "ja")

        assert JAPANESE.search(shown.words), told
        assert shown.original == told
        assert not shown.is_foreign


def test_what_nobody_wrote_down_is_marked_as_told() -> None:
    shown = in_words("a sentence of tomorrow", "ja")

    assert (shown.words, shown.original, shown.is_foreign) == ("a sentence of tomorrow", "", True)


def test_whoever_reads_english_reads_what_was_told_and_japanese_words_stay() -> None:
    assert in_words("no connection: TimeoutError", "en").words == "no connection: TimeoutError"
    assert not in_words("点検のため", "ja").is_foreign


def test_every_pattern_can_be_filled_in_from_what_it_finds() -> None:
    for pattern, japanese in KNOWN:
        wanted = set(re.findall(r"\{(\w+)\}", japanese))

        assert wanted <= set(pattern.groupindex), pattern.pattern
