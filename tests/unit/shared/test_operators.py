"""Who may come in at the operator door: only whose token's hash stands in the file, and only once."""

import hashlib
from pathlib import Path

import pytest

from deploy import operators as files
from deploy.places import OPERATORS_FILE
from shared.errors import Misconfigured
from shared.operator_door.operators import Operator, Operators

TOKEN = "a-token"
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_token_is_known_by_its_hash_and_no_other_is() -> None:
    known = Operators(
        [Operator(name="night", scope="operator", token_sha256=(HASH,)), Operator(name="x", scope="viewer")]
    )
    found = known.by_token(TOKEN)

    assert found is not None
    assert (found.name, found.scope) == ("night", "operator")
    assert known.by_token("another") is None
    assert known.by_token(HASH) is None
    assert HASH not in repr(found)


def test_without_a_file_nobody_comes_in() -> None:
    assert list(Operators.load(None)) == []
    assert Operators.load(None).by_token("") is None


def test_the_file_of_the_repository_lists_operators_and_no_token() -> None:
    listed = list(Operators.load(OPERATORS_FILE))

    assert {one.name: one.scope for one in listed} == {"ops": "viewer", "viewer": "viewer", "operator": "operator"}
    assert not any(one.token_sha256 for one in listed)


def test_filled_in_it_knows_each_token_as_its_operator(tmp_path: Path) -> None:
    path = _written(tmp_path / "operators.toml", files.filled({"viewer": "one", "operator": "two"}))
    loaded = Operators.load(path)
    found = [loaded.by_token(token) for token in ("one", "two")]

    assert [one.name for one in found if one is not None] == ["viewer", "operator"]
    assert "two" not in path.read_text(encoding="utf-8").split()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[operator]]\nname = 'A B'\nscope = 'viewer'", "name"),
        ("[[operator]]\nname = 'a'\nscope = 'owner'", "scope"),
        ("[[operator]]\nname = 'a'\nscope = 'viewer'\ntoken_sha256 = ['x']", "token_sha256"),
        ("[[operator]]\nname = 'a'\nscope = 'viewer'\n[[operator]]\nname = 'a'\nscope = 'viewer'", "once"),
        (f"[[operator]]\nname='a'\nscope='viewer'\ntoken_sha256=['{HASH}','{HASH}']", "once"),
        ("not toml", "TOML"),
    ],
)
def test_a_file_that_is_wrong_says_where_without_its_hashes(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as caught:
        Operators.load(_written(tmp_path / "operators.toml", text))

    assert HASH not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nowhere"):
        Operators.load(tmp_path / "nowhere")
