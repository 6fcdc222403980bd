"""What the end of a conversation tells of the mail server as a whole."""

import pytest

from services.notifier.domain.replies import Heard, Lost, Reply, Step, Unusable
from services.notifier.handlers import _sign
from shared.errands import Sign


@pytest.mark.parametrize(
    ("heard", "sign"),
    [
        (Lost(Step.CONNECTION, "ConnectionRefusedError"), Sign.WAIT),
        (Reply(Step.CONNECTION, 421, "too many connections"), Sign.WAIT),
        (Reply(Step.RECIPIENT, 421, "closing"), Sign.WAIT),
        (Reply(Step.SENDER, 451, "try again later"), Sign.WAIT),
        (Lost(Step.DATA, "ConnectionResetError"), Sign.FAILING),
        (Lost(Step.DOT, "TimeoutError"), Sign.FAILING),
        (Reply(Step.RECIPIENT, 450, "mailbox busy"), Sign.NOTHING),
        (Reply(Step.RECIPIENT, 550, "no such user"), Sign.NOTHING),
        (Reply(Step.DOT, 452, "no room in this mailbox"), Sign.NOTHING),
        (Reply(Step.DOT, 250, "taken"), Sign.NOTHING),
        (Unusable("no TLS"), Sign.NOTHING),
    ],
)
def test_what_is_the_same_for_every_mail_is_told_apart_from_what_one_recipient_caused(heard: Heard, sign: Sign) -> None:
    assert _sign(heard) is sign
