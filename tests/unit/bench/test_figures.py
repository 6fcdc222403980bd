"""What the bench makes of what it saw."""

import pytest

from bench.applications import address_of, applications
from bench.contenders.limit.outside import mail_of
from bench.contenders.mail import mail_about
from bench.measuring import Measured, at
from bench.sinks.http import Platform
from bench.sinks.smtp import MailServer
from bench.sinks.taken import Taken
from bench.targets import rows
from bench.turn import Result, slope
from bench.watched import figures as figures_of_watched
from bench.watched import table as table_of_watched

ISSUED = {
    "guarantee_number": "00000-000001",
    "contractor_name": "○○建設",
    "project_name": "○○工事",
    "obligee_name": "三島市長",
    "issued_at": "2026-03-01T10:00:00+09:00",
    "completion_mail": {"wanted": True, "address": "a@kensetsu.example"},
}


class Line:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


def test_the_rate_is_the_slope_between_a_fifth_and_four_fifths() -> None:
    """A slow beginning and a slow end do not count."""
    slow_begin = [0.0, 10.0]
    even = [20.0 + 0.5 * number for number in range(6)]
    slow_end = [100.0, 200.0]

    assert slope([*slow_begin, *even, *slow_end]) == pytest.approx(2.0)


def test_the_product_is_compared_within_a_round() -> None:
    turns = {"product": [Result(50, {}, {}), Result(10, {}, {})], "limit": [Result(100, {}, {}), Result(10, {}, {})]}

    assert Measured(turns, {}).ratios("limit") == [0.5, 1.0]
    assert at([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0


@pytest.mark.parametrize(("ratio", "reached"), [(0.59, False), (0.6, True)])
def test_a_figure_is_reached_or_not(ratio: float, reached: bool) -> None:
    figures = {
        "ratio_to_limit": ratio,
        "ratio_to_celery": 5,
        "ratio_to_plain_faststream": 3,
        "latency_ms": {"product": {"p50": 1, "p99": 2}, "limit": {"p50": 1, "p99": 1}},
        "rss_mb": {"intake": 90},
    }

    assert next(rows(figures)).reached is reached


def test_applications_are_the_same_again_and_each_has_an_address_of_its_own() -> None:
    first = list(applications("x", 150))

    assert first == list(applications("x", 150))
    assert len({name for name, _ in first}) == 150
    assert all(address_of(name).encode() in body for name, body in first)


def test_the_platform_answers_a_key_once_and_for_all() -> None:
    taken, line = Taken(), Line()
    platform = Platform(taken)
    platform.connection_made(line)  # type: ignore[arg-type]
    request = b'POST /v1/certificates HTTP/1.1\r\nIdempotency-Key: "n/1"\r\nContent-Length: 2\r\n\r\n{}'
    platform.data_received(request[:30])
    platform.data_received(request[30:] + request)
    first, second = line.written.split(b"HTTP/1.1 ")[1:]

    assert (first[:3], second[:3]) == (b"201", b"200")
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2]
    assert taken.posts == {"n/1": 2}


def test_the_mail_server_takes_commands_one_by_one_and_together() -> None:
    taken, line = Taken(), Line()
    server = MailServer(taken)
    server.connection_made(line)  # type: ignore[arg-type]
    for piece in (
        b"EHLO a\r\n",
        b"MAIL FROM:<s@a>\r\nRCPT TO:<r@b>\r\nDATA\r\n",
        b"Message-ID: <1@a>\r\n\r\nx\r\n.\r\n",
    ):
        server.data_received(piece)
    server.data_received(b"QUIT\r\n")

    assert [(recipient, name) for _, recipient, name in taken.mails] == [("r@b", "1@a")]
    assert line.closed


def test_the_mails_of_limit_and_peers_say_the_same() -> None:
    from email import message_from_bytes, policy  # noqa: PLC0415

    limits = message_from_bytes(mail_of(ISSUED).removesuffix(b".\r\n"), policy=policy.default)
    peers = mail_about(ISSUED)

    assert limits["Subject"] == peers["Subject"]
    for kind in ("plain", "html"):
        ours, theirs = (mail.get_body((kind,)) for mail in (limits, peers))
        assert ours is not None
        assert theirs is not None
        assert ours.get_content().replace("\r\n", "\n") == theirs.get_content()


def test_what_watching_costs_is_compared_within_a_round_and_without_the_sinks() -> None:
    """The machine slows down by half between the rounds; watching costs a tenth of the speed in both."""
    turns = {
        "alone": [Result(100, {}, {"issuer": 4.0, "sinks": 9.0}), Result(50, {}, {"issuer": 4.0})],
        "watched": [Result(90, {}, {"issuer": 4.0, "ops": 1.0}), Result(45, {}, {"issuer": 5.0, "sinks": 2.0})],
    }
    told = figures_of_watched(turns)

    assert (told["speed_kept"], told["processor_kept"]) == (0.9, 0.8)
    assert "0.900  wanted ≥ 0.85  reached" in table_of_watched(told)
    assert "NOT REACHED" in table_of_watched(told | {"speed_kept": 0.84})
