"""After: each marker does what the README's table says, and then the platform behaves. How: tries over real HTTP."""

import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from simulators.platform.magic import MARKERS, TIMES_UNENDING, UnknownMarker, script_of
from tests.unit.simulators.conftest import TOKEN, Post
from tests.unit.simulators.issuing import Issuer
from tests.unit.simulators.running import ROOT, Running
from tests.unit.simulators.test_platform_contract import KEY_REUSED, REFUSED, read

SILENT_S = 1.0
PATIENCE_S = 20.0


def outcome(post: Post, certificate: dict[str, Any], expected: object = None) -> object:
    """The status of one try, or the word for how it failed; only an expected silence is not waited for long."""
    timeout_s = SILENT_S if expected == "silence" else PATIENCE_S
    try:
        return post(certificate, timeout_s).status
    except TimeoutError:
        return "silence"
    except (ConnectionError, http.client.HTTPException):
        return "reset"


@pytest.mark.parametrize(
    ("markers", "outcomes", "arrived_first"),
    [
        ("503", [503, 201], False),
        ("503x3", [503, 503, 503, 201], False),
        ("503-after", [503, 200], True),
        ("429", [429, 201], False),
        ("500", [500, 201], False),
        ("502-afterx2", [502, 502, 200], True),
        ("401", [401, 201], False),
        ("400", [400, 201], False),
        ("409", [409, 201], False),
        ("reset-before", ["reset", 201], False),
        ("reset-after", ["reset", 200], True),
        ("silence", ["silence", 201], False),
        ("silence-after", ["silence", 200], True),
        ("slow-30", ["silence", 200], True),
        ("drip-30", ["silence", 200], True),
        ("cut", ["reset", 200], True),
        ("refuse", [422, 422, 422], False),
        ("key-reused", [422, 201], False),
        ("repeat-200", [200, 200], True),
        ("unreadable", [201, 200], True),
        ("html", [200, 200], True),
        ("empty", [201, 200], True),
        ("huge", [201, 200], True),
    ],
)
def test_a_marker_plays_its_tries_and_then_the_platform_behaves(
    platform: Running, issuer: Issuer, post: Post, markers: str, outcomes: list[object], arrived_first: bool
) -> None:
    certificate = issuer.certificate(f"[platform:{markers}]")
    first = outcome(post, certificate, outcomes[0])
    arrived = read(platform, certificate).status
    others = [outcome(post, certificate, expected) for expected in outcomes[1:]]

    assert [first, *others] == outcomes
    assert arrived == (200 if arrived_first else 404)


def test_markers_are_played_one_after_the_other(issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate("[platform:503x2][platform:reset-after][platform:refuse]")

    assert [outcome(post, certificate) for _ in range(5)] == [503, 503, "reset", 422, 200]


def test_a_refusal_is_final_even_for_other_content(issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate("[platform:refuse]")
    refused = post(certificate)
    other = post(issuer.certificate(guarantee_number=certificate["guarantee_number"]))

    assert (refused.status, refused.json()["type"]) == (422, REFUSED)
    assert (other.status, other.json()["type"]) == (422, KEY_REUSED)


def test_reads_misbehave_by_markers_of_their_own(platform: Running, issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate("[platform:get-503][platform:get-reset-before]")
    post(certificate)

    assert read(platform, certificate).status == 503
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        read(platform, certificate)
    assert read(platform, certificate).status == 200


def test_a_late_answer_keeps_other_tries_out_until_it_is_given(issuer: Issuer, post: Post) -> None:
    certificate = issuer.certificate("[platform:slow-0.3]")
    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(reply.status for reply in pool.map(post, [certificate] * 2))

    assert statuses == [201, 409]
    assert post(certificate).status == 200


@pytest.mark.parametrize("marker", ["503-7", "429-7", "503-after-7"])
def test_retry_after_says_the_seconds_asked_for(issuer: Issuer, post: Post, marker: str) -> None:
    assert post(issuer.certificate(f"[platform:{marker}]")).headers["Retry-After"] == "7"


def test_retry_after_can_be_a_date_or_missing(issuer: Issuer, post: Post) -> None:
    dated = post(issuer.certificate("[platform:503-date-60]")).headers["Retry-After"]
    bare = post(issuer.certificate("[platform:503-bare]")).headers

    assert timedelta(seconds=50) < parsedate_to_datetime(dated) - datetime.now(UTC) < timedelta(seconds=61)
    assert "Retry-After" not in bare


@pytest.mark.parametrize(
    ("marker", "lie"),
    [
        ("arrived-missing", lambda body: "arrived_at" not in body),
        ("arrived-null", lambda body: body["arrived_at"] is None),
        ("arrived-unreadable", lambda body: not body["arrived_at"][0].isdigit()),
        ("arrived-past", lambda body: datetime.fromisoformat(body["arrived_at"]).year < datetime.now(UTC).year),
        ("arrived-future", lambda body: datetime.fromisoformat(body["arrived_at"]) > datetime.now(UTC)),
    ],
)
def test_a_wrong_arrival_time_is_told_once_and_then_the_right_one(
    platform: Running, issuer: Issuer, post: Post, marker: str, lie: Callable[[dict[str, Any]], bool]
) -> None:
    certificate = issuer.certificate(f"[platform:{marker}]")
    first, second = post(certificate).json(), post(certificate).json()

    assert lie(first)
    assert second == read(platform, certificate).json()
    assert datetime.fromisoformat(second["arrived_at"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("marker", "end"),
    [("arrived-zone", "-03:30"), ("arrived-lower", "z"), ("arrived-nanos", "789+09:00"), ("arrived-seconds", "+09:00")],
)
def test_an_unusual_but_right_arrival_time_stays_as_it_is(issuer: Issuer, post: Post, marker: str, end: str) -> None:
    certificate = issuer.certificate(f"[platform:{marker}]")
    first, second = post(certificate).json(), post(certificate).json()

    assert first == second
    assert first["arrived_at"].endswith(end)


def test_a_misspelt_marker_is_told_at_once(issuer: Issuer, post: Post) -> None:
    assert post(issuer.certificate("[platform:restart]")).status == 400
    with pytest.raises(UnknownMarker):
        script_of("[platform:99]")


def test_a_marker_with_a_star_never_ends() -> None:
    script = script_of("[platform:503-2x*]")
    step = script.post(TIMES_UNENDING - 1)

    assert step is not None
    assert (step.status, step.seconds) == (503, 2.0)


def test_the_readme_lists_every_marker() -> None:
    readme = Path(ROOT, "simulators", "README.md").read_text("utf-8")

    assert [marker for marker in MARKERS if f"`{marker}`" not in readme] == []


@pytest.fixture
def mode(admin: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Switches the platform's mode; it is normal again afterwards."""
    yield lambda **mode: admin("POST", "/admin/mode", mode)
    admin("POST", "/admin/mode", {"mode": "normal"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("503", 503),
        ("500", 500),
        ("401", 401),
        ("403", 403),
        ("429", 429),
        ("reset", "reset"),
        ("silence", "silence"),
        ("maintenance", 503),
    ],
)
def test_an_outage_touches_everything_and_burns_no_marker(
    issuer: Issuer, post: Post, mode: Callable[..., Any], name: str, expected: object
) -> None:
    certificate = issuer.certificate("[platform:500]")
    mode(mode=name, retry_after_s=3)
    during = outcome(post, certificate, expected)
    mode(mode="normal")

    assert during == expected
    assert [outcome(post, certificate) for _ in range(2)] == [500, 201]


def test_the_platform_counts_what_each_mode_has_spoilt(
    issuer: Issuer, post: Post, mode: Callable[..., Any], admin: Callable[..., Any]
) -> None:
    before = admin("GET", "/admin/mode")["answered"].get("500", 0)
    post(issuer.certificate())
    mode(mode="500")
    for _ in range(2):
        post(issuer.certificate())

    assert admin("GET", "/admin/mode")["answered"]["500"] == before + 2


def test_an_outage_with_an_end_ends(issuer: Issuer, post: Post, mode: Callable[..., Any]) -> None:
    mode(mode="503", seconds=0.000001)

    assert post(issuer.certificate()).status == 201


def test_an_unknown_mode_is_refused(platform: Running) -> None:
    body = json.dumps({"mode": "holiday"}).encode()

    assert platform.call("POST", "/admin/mode", body, {"Authorization": f"Bearer {TOKEN}"}).status == 422
