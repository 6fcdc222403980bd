"""The conversation with a mail server, against a server that says what it is told to."""

import asyncio

import pytest

from services.notifier import edge
from services.notifier.domain.replies import Lost, Reply, Step
from services.notifier.edge import MAILS_PER_CONNECTION_MAX, Postbox, Server
from tests.unit.notifier.scripted import ADDRESS, CUT, GOOD, MAIL, TAKEN, postbox, saying


async def test_mails_share_a_connection_and_begin_without_ceremony() -> None:
    script = saying()
    async with postbox(script) as box:
        told = [await box.send(ADDRESS, MAIL) for _ in range(2)]

    conversation = ["MAIL FROM:<hosho@hosho.example>", f"RCPT TO:<{ADDRESS}>", "DATA", "."]
    assert told == [TAKEN, TAKEN]
    assert script.heard == [["EHLO hosho.example", *conversation, *conversation]]
    assert script.mails == [MAIL + b".\r\n"] * 2


@pytest.mark.parametrize(
    ("verb", "step"),
    [("MAIL", Step.SENDER), ("RCPT", Step.RECIPIENT), ("DATA", Step.DATA), (".", Step.DOT)],
)
async def test_a_refusal_is_told_with_its_step_and_the_connection_goes_on(verb: str, step: Step) -> None:
    script = saying(**{verb: "550-no\r\n550 never"})
    async with postbox(script) as box:
        told = await box.send(ADDRESS, MAIL)
        script.says[verb] = GOOD[verb]
        after = await box.send(ADDRESS, MAIL)

    assert told == Reply(step, 550, "no\nnever")
    assert after == TAKEN
    assert len(script.heard) == 1
    assert script.heard[0].count("RSET") == 1


@pytest.mark.parametrize(
    ("verb", "step"),
    [
        ("greeting", Step.CONNECTION),
        ("EHLO", Step.CONNECTION),
        ("MAIL", Step.SENDER),
        ("RCPT", Step.RECIPIENT),
        ("DATA", Step.DATA),
        (".", Step.DOT),
    ],
)
async def test_a_broken_connection_is_told_with_the_step_it_had_come_to(verb: str, step: Step) -> None:
    script = saying(**{verb: CUT})
    async with postbox(script) as box:
        told = await box.send(ADDRESS, MAIL)

    assert isinstance(told, Lost)
    assert told.step is step
    assert len(script.heard) == 1


@pytest.mark.parametrize(("verb", "code"), [("greeting", 554), ("greeting", 421), ("EHLO", 550)])
async def test_a_server_that_does_not_want_us_says_so_at_the_connection(verb: str, code: int) -> None:
    async with postbox(saying(**{verb: f"{code} go away"}, HELO=f"{code} go away")) as box:
        told = await box.send(ADDRESS, MAIL)

    assert told == Reply(Step.CONNECTION, code, "go away")


async def test_where_nobody_listens_the_connection_is_lost_before_anything_was_said() -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    told = await Postbox(Server("127.0.0.1", port, "hosho.example", "hosho@hosho.example")).send(ADDRESS, MAIL)

    assert told == Lost(Step.CONNECTION, "SMTPConnectError")


@pytest.mark.parametrize("ending", [CUT, "421 4.4.2 idle too long"])
async def test_a_kept_connection_that_went_stale_is_replaced_at_once(ending: str) -> None:
    script = saying()
    async with postbox(script) as box:
        await box.send(ADDRESS, MAIL)
        script.says["MAIL"] = ending
        await box.send(ADDRESS, MAIL)
        stale_told = len(script.heard)
        script.says["MAIL"] = GOOD["MAIL"]
        told = await box.send(ADDRESS, MAIL)

    assert stale_told == 2
    assert told == TAKEN


async def test_a_connection_that_was_idle_too_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    script = saying()
    async with postbox(script) as box:
        await box.send(ADDRESS, MAIL)
        monkeypatch.setattr(edge, "IDLE_S_MAX", 0.0)
        told = await box.send(ADDRESS, MAIL)

    assert told == TAKEN
    assert len(script.heard) == 2


async def test_a_connection_carries_a_bounded_number_of_mails() -> None:
    script = saying()
    async with postbox(script) as box:
        for _ in range(MAILS_PER_CONNECTION_MAX + 1):
            await box.send(ADDRESS, MAIL)

    assert [commands.count(".") for commands in script.heard] == [MAILS_PER_CONNECTION_MAX, 1]


async def test_callers_at_once_have_connections_of_their_own() -> None:
    script = saying()
    async with postbox(script) as box:
        told = await asyncio.gather(*(box.send(ADDRESS, MAIL) for _ in range(5)))

    assert told == [TAKEN] * 5
    assert len(script.heard) == 5


async def test_a_server_that_falls_silent_before_the_dot_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BEFORE_DOT_S_MAX", 0.2)
    script = saying(RCPT="250-never ends")
    async with postbox(script) as box:
        told = await box.send(ADDRESS, MAIL)

    assert told == Lost(Step.RECIPIENT, "TimeoutError")


async def test_a_server_that_falls_silent_after_the_dot_may_have_the_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "AFTER_DOT_S_MAX", 0.2)
    script = saying(**{".": "250-never ends"})
    async with postbox(script) as box:
        told = await box.send(ADDRESS, MAIL)

    assert told == Lost(Step.DOT, "SMTPReadTimeoutError")


async def test_a_call_that_is_cancelled_takes_its_connection_with_it() -> None:
    script = saying(RCPT="250-never ends")
    async with postbox(script) as box:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await box.send(ADDRESS, MAIL)
        script.says["RCPT"] = GOOD["RCPT"]
        told = await box.send(ADDRESS, MAIL)

    assert told == TAKEN
    assert len(script.heard) == 2


@pytest.mark.parametrize(
    ("address", "echoed"),
    [(ADDRESS, ADDRESS), (ADDRESS, ADDRESS.upper()), ("a..b.@keitai.example", '"a..b."@keitai.example')],
)
async def test_the_servers_words_come_back_without_the_address(address: str, echoed: str) -> None:
    async with postbox(saying(RCPT=f"550 <{echoed}> is unknown")) as box:
        told = await box.send(address, MAIL)

    assert told == Reply(Step.RECIPIENT, 550, "<<recipient>> is unknown")


async def test_a_nonsense_answer_after_the_dot_is_told_as_one() -> None:
    async with postbox(saying(**{".": "what is this"})) as box:
        told = await box.send(ADDRESS, MAIL)

    assert isinstance(told, Reply)
    assert (told.step, told.code) == (Step.DOT, -1)
