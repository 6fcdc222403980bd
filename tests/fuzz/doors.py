"""The HTTP doors as their descriptions tell them: schemathesis makes good and bad requests of every operation."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import content_type_conformance, response_schema_conformance
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok

from shared.web import PROBLEM_JSON
from tests.fuzz.tally import Surface

CALL_S_MAX: Final = 60.0
CHECKS: Final = (content_type_conformance, response_schema_conformance)
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
UNSENT: Final = (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeEncodeError)
"""What the client itself refuses to write: no door ever sees it."""


@dataclass(frozen=True)
class Door:
    """An HTTP surface, where it listens, and with which token one gets past the door.

    Attributes:
        known: for path parameters of these names values that lead to something.
        codes: the codes that ``errors`` may hold; each is in a catalogue.
    """

    name: str
    document: Mapping[str, Any]
    url: str
    token: str
    codes: Collection[str]
    known: Mapping[str, Sequence[str]]


def strict(document: Mapping[str, Any]) -> dict[str, Any]:
    """The description with nothing left open: members that a shape merely tolerates are then told of as not described.

    Clients must bear with what a later version adds; this version itself adds nothing that it does not describe.
    """
    told = deepcopy(dict(document))
    for shape in told["components"]["schemas"].values():
        if shape.get("properties") and shape.get("additionalProperties") is True:
            shape["additionalProperties"] = False
    return told


class Knocking:
    """Requests to one door, one operation after the other."""

    def __init__(self, door: Door, surface: Surface) -> None:
        self._door, self._surface = door, surface
        self._session = requests.Session()
        self._session.trust_env = False
        schema = schemathesis.openapi.from_dict(dict(door.document))
        self._operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
        assert len(self._operations) == sum(map(len, door.document["paths"].values()))
        self._strategies: dict[tuple[str, GenerationMode], st.SearchStrategy[Case[Any]]] = {}

    def __len__(self) -> int:
        return len(self._operations)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def knock(self, number: int, seeded: int, examples: int) -> None:
        """Send requests of the operation with this number, well-formed and malformed ones."""
        operation = self._operations[number % len(self)]
        mode = MODES[number // len(self) % len(MODES)]
        strategy = self._strategies.setdefault((operation.label, mode), operation.as_strategy(generation_mode=mode))

        @seed(seeded)
        @settings(
            max_examples=examples,
            phases=(Phase.generate,),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy, st.randoms(use_true_random=False))
        def sent(case: Case[Any], dice: Any) -> None:
            for name, values in self._door.known.items():
                if name in case.path_parameters and dice.random() < 0.5:
                    case.path_parameters[name] = dice.choice(values)
            self._send(case)

        # An operation that takes nothing can be sent nothing malformed, and some seeds draw nothing that can be sent.
        with suppress(Unsatisfiable):
            sent()

    def _send(self, case: Case[Any]) -> None:
        headers = {"Authorization": f"Bearer {self._door.token}"}
        with suppress(*UNSENT):
            try:
                answer = case.call(
                    base_url=self._door.url, session=self._session, headers=headers, timeout=CALL_S_MAX, verify=False
                )
            except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
                self._surface.inputs += 1
                self._surface.crashed(f"{case.operation.label}: {type(error).__name__}: {case.as_curl_command()}")
                return
            self._surface.inputs += 1
            self._judge(case, answer)

    def _judge(self, case: Case[Any], answer: Any) -> None:
        label, status = case.operation.label, answer.status_code
        asked = f"{label} -> {status}: {case.as_curl_command()}".replace(self._door.token, "…")
        described = case.operation.definition.raw.get("responses", {})
        if status >= 500:
            self._surface.crashed(asked)
        elif str(status) not in described:
            self._surface.unknown(f"not described: {asked}")
        elif wrong := self._nonconforming(case, answer):
            self._surface.unknown(f"{wrong} {asked}")
        else:
            self._surface.ended(told_by(status, answer.headers, answer.content))

    def _nonconforming(self, case: Case[Any], answer: Any) -> str:
        try:
            case.validate_response(answer, checks=list(CHECKS))
        except FailureGroup as group:
            return f"not as described: {[str(one)[:200] for one in group.exceptions]}"
        except Failure as failure:
            return f"not as described: {str(failure)[:200]}"
        strange = codes_of(answer.headers, answer.content) - set(self._door.codes)
        return f"codes in no catalogue: {sorted(strange)}" if strange else ""


def _problem(headers: Mapping[str, Any], content: bytes | None) -> dict[str, Any]:
    kind = headers.get("content-type", "")
    kind = kind[0] if isinstance(kind, list) else kind
    if not str(kind).startswith(PROBLEM_JSON):
        return {}
    told: dict[str, Any] = json.loads(content or b"{}")
    return told


def told_by(status: int, headers: Mapping[str, Any], content: bytes | None) -> str:
    """An answer in a word or two."""
    return f"{status} {_problem(headers, content).get('code', '')}".strip()


def codes_of(headers: Mapping[str, Any], content: bytes | None) -> set[str]:
    """The codes of everything that was wrong with a request."""
    return {one["code"] for one in _problem(headers, content).get("errors") or ()}
