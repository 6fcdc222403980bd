"""Certificates that were printed lately."""

from services.issuer.papers.shelf import Shelf


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    shelf = Shelf(bytes_max=10)
    for name in "abc":
        shelf.put(name, b"123")
    shelf.take("a")
    shelf.put("d", b"1234")

    assert [name for name in "abcd" if shelf.take(name)] == ["a", "c", "d"]


def test_a_paper_put_twice_counts_once() -> None:
    shelf = Shelf(bytes_max=10)
    for _ in range(5):
        shelf.put("a", b"123")
    shelf.put("b", b"123456")

    assert shelf.take("a") is not None


def test_a_paper_larger_than_the_shelf_is_not_kept() -> None:
    shelf = Shelf(bytes_max=2)
    shelf.put("a", b"123")

    assert shelf.take("a") is None
