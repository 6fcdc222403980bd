"""Logging in and encrypting, against a server that says what it is told to."""

from pathlib import Path

import pytest

from services.notifier import edge
from services.notifier.domain.replies import Reply, Step, Unusable
from services.notifier.edge import Server
from tests.unit.notifier.scripted import ADDRESS, GOOD, MAIL, TAKEN, Script, postbox, saying
from tests.unit.notifier.self_signed import self_signed

LOGIN = {"username": "hosho", "password": "open sesame"}


async def test_with_a_username_it_logs_in_once_for_each_connection() -> None:
    script = saying(EHLO="250-mail.example\r\n250 AUTH PLAIN", AUTH="235 welcome")
    async with postbox(script, **LOGIN) as box:
        told = [await box.send(ADDRESS, MAIL) for _ in range(2)]

    assert told == [TAKEN, TAKEN]
    assert [command.split()[0] for command in script.heard[0]].count("AUTH") == 1


async def test_a_wrong_password_is_told_as_the_server_says_it() -> None:
    script = saying(EHLO="250-mail.example\r\n250 AUTH PLAIN", AUTH="535 no")
    async with postbox(script, **LOGIN) as box:
        told = await box.send(ADDRESS, MAIL)

    assert told == Reply(Step.CONNECTION, 535, "no")


async def test_a_server_without_login_cannot_be_used_with_one() -> None:
    async with postbox(saying(), **LOGIN) as box:
        told = await box.send(ADDRESS, MAIL)

    assert isinstance(told, Unusable)


async def test_a_password_is_not_sent_in_the_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "_THIS_MACHINE", frozenset())
    script = saying(EHLO="250-mail.example\r\n250 AUTH PLAIN", AUTH="235 welcome")
    async with postbox(script, **LOGIN) as box:
        told = await box.send(ADDRESS, MAIL)

    assert isinstance(told, Unusable)
    assert script.heard == [["EHLO hosho.example"]]
    assert "open sesame" not in repr(Server("mail.example", 25, "hosho.example", "a@hosho.example", **LOGIN))


STARTTLS = {"EHLO": "250-mail.example\r\n250 STARTTLS", "STARTTLS": "220 go on"}


async def test_where_tls_is_offered_by_a_trusted_server_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    script = Script(GOOD | STARTTLS, context)
    async with postbox(script) as box:
        told = await box.send(ADDRESS, MAIL)

    assert told == TAKEN
    assert script.heard[0][:3] == ["EHLO hosho.example", "STARTTLS", "EHLO hosho.example"]


async def test_a_server_that_nobody_vouches_for_gets_no_mail(tmp_path: Path) -> None:
    script = Script(GOOD | STARTTLS, self_signed(tmp_path)[0])
    async with postbox(script) as box:
        told = await box.send(ADDRESS, MAIL)

    assert isinstance(told, Unusable)
    assert script.mails == []
