"""Inputs that once found something, kept: none of them finds it again."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.envelope import Fact, Unreadable, decode_single
from shared.operator_door.acts import Act

SEEDS = json.loads((Path(__file__).parents[1] / "fuzz" / "seeds.json").read_text(encoding="utf-8"))


def at(place: str) -> list[Any]:
    """The inputs that found something at this place."""
    return [pytest.param(seed, id=seed["found"]) for seed in SEEDS if seed["at"] == place]


@pytest.mark.parametrize("seed", at("read a single fact"))
def test_what_no_table_can_keep_is_unreadable_and_has_an_identity(seed: dict[str, Any]) -> None:
    (found,) = decode_single(seed["body"].encode(), seed.get("headers", {}), "core.x.v1", seed.get("message_id"))
    (again,) = decode_single(seed["body"].encode(), seed.get("headers", {}), "core.x.v1", seed.get("message_id"))

    assert found.id == again.id
    assert isinstance(found, Fact | Unreadable)
    for text in vars(found).values() if isinstance(found, Fact) else (found.reason, found.message_id):
        assert not isinstance(text, str) or text.encode() or not text


@pytest.mark.parametrize("seed", at("an act of an operator"))
def test_a_reason_that_no_table_can_keep_is_refused(seed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Act.model_validate(json.loads(seed["body"]))


def test_every_kept_input_is_tried() -> None:
    tried = [*at("read a single fact"), *at("an act of an operator")]

    assert len(tried) == len(SEEDS)
