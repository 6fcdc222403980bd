"""Certificates are at hand for their first call, and read together for later ones."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.platform_bridge import handlers, store
from services.platform_bridge.domain.certificate import Post
from services.platform_bridge.handlers import Shelf
from shared.work import Work

NOW = datetime(2026, 1, 15, 0, 31, tzinfo=UTC)
POST = Post(
    guarantee_number="00000-000001",
    version=1,
    portal="portal-a",
    application_id="A-1",
    concluded_at=datetime(2026, 1, 15, 0, 30, tzinfo=UTC),
    certificate=b"{}",
    content_sha256="its digest",
    signature="header..signature",
    sealed_auth_key="v1.k1.sealed",
)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was read from the table, which keeps one certificate."""
    asked: list[list[str]] = []

    async def load(_pool: object, keys: Sequence[str]) -> dict[str, Post]:
        asked.append(list(keys))
        return {key: POST for key in keys if key == POST.key}

    monkeypatch.setattr(store, "load", load)
    return asked


def shelf() -> Shelf:
    """A shelf whose reads are those of the fixture `reads`."""
    return Shelf(lambda: cast(Any, None))


def work(*, committed: bool = False) -> Work:
    """A unit of work that only becomes true or does not."""
    return Work(cast(Any, None), cast(Any, None), NOW, committed=committed)


async def test_calls_that_start_at_once_share_one_read_and_later_ones_read_again(reads: list[list[str]]) -> None:
    common = shelf()
    found = await asyncio.gather(*(common.take(key) for key in (POST.key, "00000-000002/1", POST.key)))
    later = await common.take(POST.key)

    assert found == [POST, None, POST]
    assert later == POST
    assert reads == [[POST.key, "00000-000002/1", POST.key], [POST.key]]


async def test_what_was_just_kept_is_at_hand_once_and_only_if_it_was_kept(reads: list[list[str]]) -> None:
    common, keeping = shelf(), work()
    common.lay([replace(POST, content_sha256="of another certificate")], keeping)
    kept_already = await common.take(POST.key)
    common.lay([POST], keeping)
    keeping.committed = True
    at_hand, read = await common.take(POST.key), await common.take(POST.key)

    assert (kept_already, at_hand, read) == (POST, POST, POST)
    assert reads == [[POST.key], [POST.key]]


async def test_so_many_certificates_wait_in_memory_and_the_oldest_give_way(reads: list[list[str]]) -> None:
    common, kept = shelf(), work(committed=True)
    posts = [replace(POST, version=number) for number in range(1, handlers.FRESH_POSTS_MAX + 2)]
    for post in posts:
        common.lay([post], kept)
    taken = [await common.take(post.key) for post in posts]

    assert taken == [POST, *posts[1:]]
    assert reads == [[POST.key]]


async def test_a_call_that_is_given_up_leaves_the_read_to_the_others(reads: list[list[str]]) -> None:
    common = shelf()
    given_up, other = asyncio.create_task(common.take(POST.key)), asyncio.create_task(common.take(POST.key))
    await asyncio.sleep(0)
    given_up.cancel()

    assert await other == POST
