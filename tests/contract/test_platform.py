"""What the bridge posts and how it reads answers is what the published contract of the platform says."""

import json
from datetime import datetime
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from deploy.contracts.messages import fact_of
from deploy.contracts.platform import platform
from deploy.contracts.story import CERTIFICATE
from services.platform_bridge.domain.answers import Answer, Arrived, AskFirst, Unknown, judge_get, judge_post
from services.platform_bridge.domain.certificate import Post, body_of, misfit_of
from shared.messages.issuer import CertificateCreated
from simulators.platform import answers
from simulators.platform.store import Kind, Verdict

PUBLISHED: Final = platform()
POST: Final = PUBLISHED["paths"]["/v1/certificates"]["post"]
GET: Final = PUBLISHED["paths"]["/v1/certificates/{guarantee_number}/{version}"]["get"]
NOW: Final = datetime.fromisoformat("2026-01-15T09:30:02.300+09:00")


def wrong(schema: dict[str, Any], value: object) -> list[str]:
    """What a schema of the contract has against a value."""
    whole = {**schema, "components": PUBLISHED["components"]}
    return [error.message for error in Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)]


def content(operation: dict[str, Any], status: int) -> dict[str, Any]:
    """The schema of an answer."""
    (media,) = operation["responses"][str(status)]["content"].values()
    schema: dict[str, Any] = media["schema"]
    return schema


def posted() -> Post:
    """What the bridge keeps of the certificate in the examples."""
    told = fact_of(CertificateCreated.TYPE).model_dump()
    named = {name: told[name] for name in Post.__dataclass_fields__ if name != "certificate"}
    return Post(certificate=told["certificate"].encode(), **named)


def test_what_the_bridge_posts_has_the_published_shape() -> None:
    post = posted()
    body = json.loads(body_of(post, CERTIFICATE["auth_key"]))
    schema = POST["requestBody"]["content"]["application/json"]["schema"]
    key = POST["parameters"][0]

    assert misfit_of(post) is None
    assert body == CERTIFICATE
    assert wrong(schema, body) == []
    assert wrong(schema, {name: value for name, value in body.items() if name != "signature"})
    assert (key["name"], wrong(key["schema"], f'"{post.key}"')) == ("Idempotency-Key", [])


@pytest.mark.parametrize("kind", [Kind.ARRIVED, Kind.REPEATED, Kind.REFUSED, Kind.KEY_REUSED])
def test_what_the_simulated_platform_answers_has_the_published_shape(kind: Kind) -> None:
    answer = answers.render(Verdict(kind, None, "c-000001", "2026-01-15T09:30:02.117+09:00"), NOW)

    assert wrong(content(POST, answer.status), json.loads(answer.body)) == []


def test_every_published_status_is_understood_and_no_other_one_settles_anything() -> None:
    body = json.dumps(POST["responses"]["201"]["content"]["application/json"]["example"]).encode()
    concluded_at = datetime.fromisoformat(CERTIFICATE["concluded_at"])
    understood = set()
    for status in range(200, 600):
        heard = Answer(status, body, "2" if status == 503 else None)
        verdict = judge_post(heard, tried_before=False, concluded_at=concluded_at, now=NOW)
        assert not isinstance(verdict, AskFirst)
        understood |= set() if isinstance(verdict, Unknown) else {str(status)}

    # A gateway's 404 to a POST is waited out; a platform has no reason to give one.
    assert understood - {"404"} == set(POST["responses"])


def test_an_arrival_and_its_absence_are_read_from_the_get_as_published() -> None:
    standing = Unknown("the POST was cut off")
    concluded_at = datetime.fromisoformat(CERTIFICATE["concluded_at"])
    body = json.dumps(GET["responses"]["200"]["content"]["application/json"]["example"]).encode()
    found = judge_get(Answer(200, body), standing=standing, concluded_at=concluded_at, now=NOW)
    missing = judge_get(Answer(404, b"{}"), standing=standing, concluded_at=concluded_at, now=NOW)

    assert isinstance(found, Arrived)
    assert missing is standing
