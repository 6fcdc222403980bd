"""The certificate as it is kept and posted."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.platform_bridge.domain.certificate import Post, body_of, misfit_of, named_by

CONTENT = '{"guarantee_number":"00000-000001","project_name":"市道○○線道路改良工事","version":1}'.encode()
POST = Post(
    guarantee_number="00000-000001",
    version=1,
    portal="portal-a",
    application_id="A-1",
    concluded_at=datetime(2026, 1, 15, tzinfo=UTC),
    certificate=CONTENT,
    content_sha256=hashlib.sha256(CONTENT).hexdigest(),
    signature="header..signature",
    sealed_auth_key="v1.k1.sealed",
)


def test_the_body_is_the_signed_bytes_with_three_members_more() -> None:
    body = body_of(POST, "Z28YUE4J3Bux")

    assert body.startswith(CONTENT[:-1])
    assert json.loads(body) == json.loads(CONTENT) | {
        "auth_key": "Z28YUE4J3Bux",
        "content_sha256": POST.content_sha256,
        "signature": "header..signature",
    }


def test_a_key_names_its_guarantee_and_version() -> None:
    assert POST.key == "00000-000001/1"
    assert named_by(POST.key) == ("00000-000001", 1)


def _with(content: bytes) -> Post:
    return replace(POST, certificate=content, content_sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("post", "fits"),
    [
        (POST, True),
        (replace(POST, content_sha256="0" * 64), False),
        (replace(POST, version=2), False),
        (replace(POST, guarantee_number="00000-000002"), False),
        (_with(CONTENT + b"\n"), False),
        (_with(b"[]"), False),
        (_with(b"{}"), False),
        (_with(b"not JSON}"), False),
    ],
)
def test_a_certificate_that_is_not_what_it_is_announced_as_is_found_out(post: Post, fits: bool) -> None:
    assert (misfit_of(post) is None) is fits
