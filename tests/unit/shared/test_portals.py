"""The portals file: who is found by which token, and what is said about a file that cannot be used."""

import hashlib
from pathlib import Path

import pytest

from shared.errors import Misconfigured
from shared.portals import Portal, Portals, UnknownPortal

ROOT = Path(__file__).parents[3]


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def row(portal: str = "portal-a", *tokens: str, **other: str) -> str:
    """One row of a portals file, good unless told otherwise; an ``other`` of "" leaves the field out."""
    hashes = ", ".join(f'"{hash_of(token)}"' for token in tokens)
    fields = {
        "id": f'"{portal}"',
        "token_sha256": f"[{hashes}]",
        "link_base": '"https://portal.example"',
        "answers": '"queue"',
        "scope": '"portal"',
    } | other
    return "[[portal]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items() if value)


def load(folder: Path, *rows: str) -> Portals:
    path = folder / "portals.toml"
    path.write_text("\n".join(rows), encoding="utf-8")
    return Portals.load(path)


def test_the_file_in_the_repository_is_good_and_gives_nobody_a_token() -> None:
    portals = Portals.load(ROOT / "deploy" / "portals.toml")

    assert [portal.id for portal in portals] == ["portal-a", "portal-b", "portal-c", "office"]
    assert {portal.token_sha256 for portal in portals} == {()}
    assert portals.get("office").scope == "office"


def test_a_portal_is_found_by_its_id(tmp_path: Path) -> None:
    portals = load(tmp_path, row("portal-a"), row("portal-b", answers='"none"'))

    assert portals.get("portal-b") == Portal(
        id="portal-b", broker_user="portal-b", token_sha256=(), link_base="https://portal.example",
        answers="none", scope="portal",
    )  # fmt: skip
    assert ("portal-a" in portals, "portal-c" in portals, len(portals)) == (True, False, 2)


def test_an_unknown_id_is_an_error_with_a_code(tmp_path: Path) -> None:
    with pytest.raises(UnknownPortal) as told:
        load(tmp_path, row()).get("portal-z")

    assert told.value.code == "unknown_portal"


def test_two_tokens_of_a_portal_are_valid_at_once_and_no_other_is(tmp_path: Path) -> None:
    portals = load(tmp_path, row("portal-a", "old", "new"), row("portal-b", "other"))

    assert [getattr(portals.by_token(token), "id", None) for token in ("old", "new", "other", "", "Old", "\udc80")] == [
        "portal-a", "portal-a", "portal-b", None, None, None,
    ]  # fmt: skip


def test_representations_show_no_hash(tmp_path: Path) -> None:
    portals = load(tmp_path, row("portal-a", "old"))

    assert repr(portals) == "Portals(portal-a)"
    assert hash_of("old") not in repr(portals.get("portal-a"))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row("core"), "portal 1 (core): id: 'core' is reserved"),
        (row("issuer"), "portal 1 (issuer): id: 'issuer' is reserved"),
        (row("Portal_A"), "portal 1 (Portal_A): id: "),
        (row("a" * 33), "id: "),
        (row("a.b"), "id: "),
        (row("a\\n"), "id: "),
        (row("office"), "belong together"),
        (row("portal-a", scope='"office"'), "belong together"),
        (row("portal-a", broker_user='"portal-b"'), "broker_user must be the id"),
        (row("portal-a", "1", "2", "3"), "token_sha256: "),
        (row("portal-a", token_sha256='["plain"]'), "token_sha256.0: "),
        (row("portal-a", link_base='"http://portal.example"'), "link_base: give https://"),
        (row("portal-a", link_base='"https://portal.example/"'), "link_base: give https://"),
        (row("portal-a", link_base='"https://portal.example?a"'), "link_base: give https://"),
        (row("portal-a", answers='"mail"'), "answers: "),
        (row("portal-a", answers=""), "answers: Field required"),
        (row("portal-a", colour='"red"'), "colour: "),
        (row("portal-a") + row("portal-a"), "portal portal-a: stands 2 times"),
        (row("portal-a", "same") + row("portal-b", "same"), "portal portal-a, portal-b: token_sha256"),
        ("", "at least one"),
        ("portal = 1", "at least one"),
        (row() + "[other]\n", "nothing else"),
        ("portal = [1]", "portal 1 (not a table)"),
        ("[[portal", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_file_row_and_field(tmp_path: Path, bad: str, said: str) -> None:
    with pytest.raises(Misconfigured) as told:
        load(tmp_path, bad)

    assert said in str(told.value)
    assert str(told.value).startswith(str(tmp_path / "portals.toml"))


def test_everything_wrong_is_told_at_once_and_nothing_of_a_token(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as told:
        load(tmp_path, row("core", token_sha256='["a-plain-token"]'), row("portal-b", scope='"all"'))

    assert len(str(told.value).splitlines()) == 3
    assert "a-plain-token" not in str(told.value)


def test_a_file_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.toml: cannot be read"):
        Portals.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "base", ["https://a.example", "https://a.example/x/y", "http://127.0.0.1:8080", "http://localhost"]
)
def test_links_may_start_with_https_or_with_this_machine(tmp_path: Path, base: str) -> None:
    assert load(tmp_path, row("portal-a", link_base=f'"{base}"')).get("portal-a").link_base == base
