"""Completion mails on their way to the contractor, against real servers and the mailbox simulator."""

import pytest

from services.notifier.domain.letter import SUBJECT, issued_at_shown
from shared.messages.notifier import MailRefused, MailSent
from tests.eventually import eventually
from tests.service.living import TRACE, traced
from tests.service.notifier.mailing import Round, issued, new_number


async def test_a_wished_mail_is_sent_and_announced(post_round: Round) -> None:
    number, address = new_number(), "tanaka@kensetsu.example"
    fact = issued(number, address, ordinal=3)
    await post_round.announce(fact)
    word = await post_round.outcome(number)
    (mail,) = post_round.mails_to(address)

    assert isinstance(word, MailSent)
    assert word.ordinal == 3
    assert mail["subject"] == SUBJECT
    assert mail["from"] == "denshi-hosho@hosho.example"
    assert mail["message_id"] == f"<{word.message_id}>"
    for body in (mail["text"], mail["html"]):
        assert number in body
        assert "市道○○線道路改良工事" in body
        assert issued_at_shown(fact.issued_at) in body
        assert "https://portal-a.example/" in body


async def test_what_became_of_a_mail_goes_on_with_the_trace_of_its_issue(post_round: Round) -> None:
    sent, refused = new_number(), new_number()
    await post_round.announce(
        issued(sent, "trace@kensetsu.example"), issued(refused, "smtp-550+trace@kensetsu.example"), cause=traced()
    )
    words = [await post_round.outcome(number) for number in (sent, refused)]

    assert [type(word) for word in words] == [MailSent, MailRefused]
    assert post_round.traces == [TRACE] * 2


async def test_no_mail_goes_where_none_is_wished(post_round: Round) -> None:
    silent, mute, wished = new_number(), new_number(), new_number()
    await post_round.announce(
        issued(silent, "no@kensetsu.example", wanted=False), issued(mute, None), issued(wished, "yes@kensetsu.example")
    )
    await post_round.outcome(wished)

    assert await post_round.notifier.pool.fetchval("select count(*) from errand") == 1
    assert post_round.mails_to("no@kensetsu.example") == []


async def test_the_same_fact_again_mails_once_and_a_new_wish_mails_again(post_round: Round) -> None:
    number, address = new_number(), "once@kensetsu.example"
    fact = issued(number, address)
    await post_round.announce(fact)
    await post_round.outcome(number)
    await post_round.notifier.pool.execute("delete from inbox")
    await post_round.announce(fact)
    await post_round.announce(fact, occurrence="mail/2")
    await eventually(lambda: len(post_round.words_on(number)) == 2)
    mails = post_round.mails_to(address)

    assert len(mails) == 2
    assert len({mail["message_id"] for mail in mails}) == 2


async def test_a_refusal_for_good_is_announced_and_not_tried_again(post_round: Round) -> None:
    at_recipient, at_dot, impossible = new_number(), new_number(), new_number()
    await post_round.announce(
        issued(at_recipient, "smtp-550@kensetsu.example"),
        issued(at_dot, "smtp-554-dot@kensetsu.example", ordinal=2),
        issued(impossible, "建設@kensetsu.example"),
    )
    words = [await post_round.outcome(number) for number in (at_recipient, at_dot, impossible)]
    errands = [await post_round.errand(number) for number in (at_recipient, at_dot, impossible)]

    assert all(isinstance(word, MailRefused) for word in words)
    assert [word.smtp_code for word in words] == [550, 554, 553]
    assert [word.ordinal for word in words] == [1, 2, 1]
    assert [(row["state"], row["attempts"]) for row in errands] == [("settled", 1)] * 3


async def test_what_is_refused_for_now_is_sent_later_without_a_possible_repeat(
    post_round: Round, capfd: pytest.CaptureFixture[str]
) -> None:
    addresses = {new_number(): f"smtp-{what}@later.example" for what in ("450", "451-dot", "drop", "421", "452x2")}
    await post_round.announce(*(issued(number, address) for number, address in addresses.items()))
    words = [await post_round.outcome(number) for number in addresses]

    assert all(isinstance(word, MailSent) for word in words)
    assert [len(post_round.mails_to(address)) for address in addresses.values()] == [1] * len(addresses)
    assert "mail.resent" not in capfd.readouterr().out


async def test_a_connection_lost_after_the_dot_may_repeat_the_mail_under_one_message_id(
    post_round: Round, capfd: pytest.CaptureFixture[str]
) -> None:
    number, address = new_number(), "smtp-drop-dot@lost.example"
    await post_round.announce(issued(number, address))
    word = await post_round.outcome(number)
    first, second = post_round.mails_to(address)
    raw = [post_round.mailbox.call("GET", f"/messages/{mail['id']}/raw").body for mail in (first, second)]

    assert isinstance(word, MailSent)
    assert raw[0] == raw[1]
    assert first["message_id"] == f"<{word.message_id}>"
    assert "mail_repeat_possible" in capfd.readouterr().out


async def test_many_mails_share_few_connections_and_none_is_lost(post_round: Round) -> None:
    numbers = [new_number() for _ in range(300)]
    await post_round.announce(*(issued(number, f"many+{number}@kensetsu.example") for number in numbers))
    await eventually(lambda: len(post_round.heard) == len(numbers))

    for number in numbers[::50]:
        assert len(post_round.mails_to(f"many+{number}@kensetsu.example")) == 1


async def test_an_unknown_portal_parks_the_fact(post_round: Round) -> None:
    await post_round.announce(issued(new_number(), "a@kensetsu.example", portal="portal-z"))
    parked = await eventually(post_round.parked)

    assert parked == 1


async def test_no_log_line_holds_an_address(post_round: Round, capfd: pytest.CaptureFixture[str]) -> None:
    number = new_number()
    await post_round.announce(issued(number, "smtp-550+secret@kensetsu.example"))
    await post_round.outcome(number)
    captured = capfd.readouterr()

    assert number in captured.out
    assert "kensetsu.example" not in captured.out + captured.err
