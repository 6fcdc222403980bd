"""After: the mailbox keeps what it takes and misbehaves as asked. How: real SMTP and HTTP to the running program."""

import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from simulators.mailbox.magic import trick_of
from tests.unit.simulators.running import Running, running

TIMEOUT_S = 0.2


def letter(to: str, name: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "電子保証（認証キー）発行完了のお知らせ"
    message["From"] = "お知らせ <no-reply@hosho.example>"
    message["To"] = to
    message["Message-ID"] = f"<{name}@hosho.example>"
    message.set_content("保証契約番号 00000-000001\n.\n.. 点で始まる行\n")
    message.add_alternative("<p>保証契約番号 <b>00000-000001</b></p>", subtype="html")
    return message


def send(mailbox: Running, to: str, name: str, timeout_s: float = 5.0) -> object:
    """One try to send: True, the SMTP code, or the word for how it failed."""
    try:
        with smtplib.SMTP("127.0.0.1", mailbox.facts["smtp_port"], timeout=timeout_s) as client:
            client.send_message(letter(to, name))
    except smtplib.SMTPRecipientsRefused as error:
        return next(iter(error.recipients.values()))[0]
    except smtplib.SMTPServerDisconnected as error:
        return "silence" if isinstance(error.__context__, TimeoutError) else "dropped"
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except TimeoutError:
        return "silence"
    except ConnectionError:
        return "dropped"
    return True


def kept(mailbox: Running, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = mailbox.call("GET", f"/messages?message_id=<{name}@hosho.example>").json()["messages"]
    return found


def test_a_message_is_shown_as_it_was_written(mailbox: Running) -> None:
    sent = send(mailbox, "keiri@kensetsu.example", "plain")
    (shown,) = kept(mailbox, "plain")

    assert sent is True
    assert shown["to"] == ["keiri@kensetsu.example"]
    assert shown["from"] == "no-reply@hosho.example"
    assert shown["subject"] == "電子保証（認証キー）発行完了のお知らせ"
    assert shown["text"].splitlines()[1:] == [".", ".. 点で始まる行"]
    assert "<b>00000-000001</b>" in shown["html"]
    assert mailbox.call("GET", f"/messages/{shown['id']}").json() == shown


def test_an_address_in_japanese_and_a_message_in_eight_bits_are_taken(mailbox: Running) -> None:
    head = "Message-ID: <utf8@hosho.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    raw = f"Subject: 件名\r\n{head}Content-Transfer-Encoding: 8bit\r\n\r\n本文\r\n".encode()
    with smtplib.SMTP("127.0.0.1", mailbox.facts["smtp_port"], timeout=5) as client:
        client.ehlo()
        extensions = set(client.esmtp_features)
        client.sendmail("a@hosho.example", "経理@kensetsu.example", raw, ["SMTPUTF8", "BODY=8BITMIME"])
    (shown,) = kept(mailbox, "utf8")

    assert {"8bitmime", "smtputf8"} <= extensions
    assert (shown["to"], shown["text"].strip()) == (["経理@kensetsu.example"], "本文")


@pytest.mark.parametrize(
    ("local_part", "outcomes", "copies"),
    [
        ("smtp-421", [421, True], [0, 1]),
        ("smtp-450", [450, True, True], [0, 1, 2]),
        ("smtp-452x2", [452, 452, True], [0, 0, 1]),
        ("smtp-550", [550, 550], [0, 0]),
        ("smtp-451-dot", [451, True], [0, 1]),
        ("smtp-554-dot", [554, 554], [0, 0]),
        ("smtp-drop", ["dropped", True], [0, 1]),
        ("smtp-drop-data", ["dropped", True], [0, 1]),
        ("smtp-drop-dot", ["dropped", True], [1, 2]),
        ("smtp-silence", ["silence", True], [0, 1]),
        ("smtp-slow-30", ["silence", True], [1, 2]),
    ],
)
def test_a_recipient_gets_the_misbehaviour_it_asks_for(
    mailbox: Running, local_part: str, outcomes: list[object], copies: list[int]
) -> None:
    seen = []
    for _ in outcomes:
        timeout_s = TIMEOUT_S if local_part.startswith(("smtp-silence", "smtp-slow")) else 5.0
        outcome = send(mailbox, f"{local_part}+tag@kensetsu.example", local_part, timeout_s)
        seen.append((outcome, len(kept(mailbox, local_part))))

    assert seen == list(zip(outcomes, copies, strict=True))


def test_an_honest_address_plays_no_tricks() -> None:
    assert trick_of("keiri@kensetsu.example") is None
    assert trick_of("smtp@kensetsu.example") is None
    assert trick_of("smtp-999@kensetsu.example") is None


@pytest.fixture
def mode(mailbox: Running) -> Iterator[Any]:
    """Switches the mailbox's mode; it is normal again afterwards."""
    yield lambda name: mailbox.call("POST", "/mode", f'{{"mode": "{name}"}}'.encode())
    mailbox.call("POST", "/mode", b'{"mode": "normal"}')


@pytest.mark.parametrize(("name", "outcome"), [("421", 421), ("450", 450), ("550", 550), ("drop", "dropped")])
def test_a_mode_meets_everybody_until_it_is_changed(mailbox: Running, mode: Any, name: str, outcome: object) -> None:
    mode(name)
    during = send(mailbox, "keiri@kensetsu.example", f"mode-{name}")
    mode("normal")

    assert during == outcome
    assert send(mailbox, "keiri@kensetsu.example", f"mode-{name}") is True


def test_a_greeting_can_be_slow_and_the_mail_arrives_all_the_same(mailbox: Running) -> None:
    mailbox.call("POST", "/mode", b'{"mode": "slow-greeting", "slow_s": 0.3}')
    begun_s = time.monotonic()
    sent = send(mailbox, "keiri@kensetsu.example", "slow-greeting")
    took_s = time.monotonic() - begun_s
    mailbox.call("POST", "/mode", b'{"mode": "normal"}')

    assert sent is True
    assert took_s >= 0.3


def test_the_mailbox_counts_whom_each_mode_has_met(mailbox: Running, mode: Any) -> None:
    before = mailbox.call("GET", "/mode").json()["felt"].get("450", 0)
    send(mailbox, "keiri@kensetsu.example", "not-counted")
    mode("450")
    for _ in range(2):
        send(mailbox, "keiri@kensetsu.example", "counted")

    assert mailbox.call("GET", "/mode").json()["felt"]["450"] == before + 2


def test_a_ledger_gets_the_envelope_and_the_text_only(mailbox: Running) -> None:
    send(mailbox, "keiri@kensetsu.example", "brief")
    mails = mailbox.call("GET", "/messages").json()["messages"]
    (whole,) = [mail for mail in mails if mail["message_id"] == "<brief@hosho.example>"]
    brief = mailbox.call("GET", f"/messages?brief=&after={whole['id'] - 1}&limit=1").json()["messages"]

    assert brief == [{name: whole[name] for name in ("id", "message_id", "received_at", "from", "to", "text")}]


def test_an_idle_connection_holds_nobody_up(mailbox: Running) -> None:
    with socket.create_connection(("127.0.0.1", mailbox.facts["smtp_port"])):
        assert send(mailbox, "keiri@kensetsu.example", "beside") is True


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    """A self-signed certificate and its key, as settings of the mailbox."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailbox.example")])
    begun = datetime.now(UTC) - timedelta(days=1)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = tmp_path / "mailbox.crt", tmp_path / "mailbox.key"
    certificate_file.write_bytes(signed.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {"MAILBOX_TLS_CERT": str(certificate_file), "MAILBOX_TLS_KEY": str(key_file)}


def test_with_a_certificate_and_a_username_it_wants_tls_and_the_password(
    tmp_path: Path, certificate: dict[str, str]
) -> None:
    secrets = {"MAILBOX_USERNAME": "notifier", "MAILBOX_PASSWORD": "right"}
    ports = {"MAILBOX_SMTP_PORT": "0", "MAILBOX_HTTP_PORT": "0", "MAILBOX_STORAGE": str(tmp_path / "m.sqlite")}
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with running("mailbox", ports | secrets | certificate) as program:
        with smtplib.SMTP("127.0.0.1", program.facts["smtp_port"], timeout=5) as client:
            in_the_clear = client.docmd("MAIL", "FROM:<a@hosho.example>")[0]
            client.starttls(context=context)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("notifier", "wrong")
            client.login("notifier", "right")
            client.send_message(letter("keiri@kensetsu.example", "tls"))

        assert in_the_clear in {503, 530}
        assert len(kept(program, "tls")) == 1


def test_messages_outlive_a_kill_and_can_be_forgotten(tmp_path: Path) -> None:
    environment = {
        "MAILBOX_SMTP_PORT": "0",
        "MAILBOX_HTTP_PORT": "0",
        "MAILBOX_STORAGE": str(tmp_path / "mailbox.sqlite"),
    }
    with running("mailbox", environment) as program:
        send(program, "keiri@kensetsu.example", "before")
        program.kill()
    with running("mailbox", environment) as program:
        found = kept(program, "before")
        page = program.call("GET", "/").body.decode()
        program.call("DELETE", "/messages")
        left = program.call("GET", "/messages").json()
        exit_code = program.stop()

    assert len(found) == 1
    assert "電子保証（認証キー）発行完了のお知らせ" in page
    assert left == {"total": 0, "messages": [], "next_after": None}
    assert exit_code == 0
