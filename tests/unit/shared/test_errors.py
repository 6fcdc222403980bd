"""The three kinds of error say their docstring, unless they are raised with a sentence that knows more."""

import pytest

from shared.errors import Misconfigured, Transient, Unprocessable


class Illegible(Unprocessable):
    """This body cannot be read;
    ask the sender for another.

    What follows is for the reader of the code only.
    """

    code = "illegible"


@pytest.mark.parametrize("kind", [Transient, Unprocessable, Misconfigured])
def test_an_error_says_its_docstring(kind: type[Transient | Unprocessable | Misconfigured]) -> None:
    said = (kind.__doc__ or "").splitlines()[0]

    assert (str(kind()), kind().reason) == (said, said)


def test_only_the_first_paragraph_is_said_on_one_line() -> None:
    assert str(Illegible()) == "This body cannot be read; ask the sender for another."


def test_a_sentence_that_knows_more_is_said_instead() -> None:
    error = Illegible("Byte 17 is not UTF-8.")

    assert (str(error), error.reason, error.code) == ("Byte 17 is not UTF-8.", "Byte 17 is not UTF-8.", "illegible")


def test_a_code_can_be_given_with_the_error() -> None:
    assert Unprocessable("No.", code="no").code == "no"
    assert Unprocessable("No.").code == "unprocessable"
