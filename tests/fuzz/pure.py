"""What reads and judges without any server: hypothesis draws the input, and a probe names what came of it."""

import json
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import to_json

from deploy.contracts.story import FACTS
from services.intake.domain.body import Unreadable as UnreadableBody
from services.intake.domain.catalogue import CATALOGUE
from services.intake.domain.change import judge_change
from services.intake.domain.dates import ImpossibleDate, NotADate, YearOutOfRange, read_date, read_moment, wareki
from services.intake.domain.depository import JIS_X_0208, full_width
from services.intake.domain.judgement import judge
from services.intake.domain.verdict import Bad, Judged
from services.issuer.papers.lettering import pieces
from services.notifier.domain.letter import is_mailable, one_line
from shared.envelope import Fact, Unreadable, decode_pack, decode_single, encode
from shared.messages import Message
from shared.signing import Uncanonical, canonical
from tests.fuzz.hostile import ANY_JSON, ANY_TEXT, bodies
from tests.fuzz.tally import Surface
from tests.unit.intake.samples import DOOR, EXAMPLE, EXAMPLES, REGISTRY

V = TypeVar("V")

ROUND_EXAMPLES: Final = 40
HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
CHANGE: Final[dict[str, Any]] = json.loads((EXAMPLES / "change.json").read_text(encoding="utf-8"))
CODES: Final = {code.value for code in CATALOGUE}
MODELS: Final[Mapping[str, type[Message]]] = {kind.TYPE: kind for kind in Message.__subclasses__() if kind.TYPE}
EXAMPLE_FACTS: Final[Mapping[str, Any]] = {fact.TYPE: json.loads(fact.model_dump_json()) for fact in FACTS}

ERAS: Final = st.sampled_from(["令和", "平成", "昭和", "R", "H", "S", "Ｒ", "大正", "㋿", ""])
DIGITS: Final = st.text(st.sampled_from("0123456789０１９元٣²"), max_size=5)
DATES: Final = st.builds("{}{}年{}月{}日".format, ERAS, DIGITS, DIGITS, DIGITS) | st.builds(
    "{}{}.{}.{}".format, ERAS, DIGITS, DIGITS, DIGITS
)
MOMENTS: Final = st.builds(
    "{}T{}{}".format,
    st.dates().map(str) | st.just("2026-02-30"),
    st.sampled_from(["00:00:00", "23:59:60", "24:00:00", "12:34:56.123456789123"]),
    st.sampled_from(["Z", "+09:00", "-23:59", "+99:99", "+24:00", ""]),
)


@dataclass(frozen=True)
class Probe:
    """A surface: what is drawn for it, and what names the outcome; it asserts what must hold beside that."""

    name: str
    strategy: st.SearchStrategy[Any]
    outcome: Callable[[Any], str]


def explore(surface: Surface, probe: Probe, seeded: int, seconds: float) -> None:
    """Draw and probe until the time is up, one round at least; the first crash is shrunk and raised."""
    until_s = time.monotonic() + seconds
    for nth in _numbers():
        _round(surface, probe, seeded + nth)
        if time.monotonic() > until_s:
            return


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _round(surface: Surface, probe: Probe, seeded: int) -> None:
    @seed(seeded)
    @settings(
        max_examples=ROUND_EXAMPLES,
        phases=(Phase.generate, Phase.shrink),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(probe.strategy)
    def once(value: Any) -> None:
        with surface.one(value):
            surface.ended(probe.outcome(value))

    once()


def _judged(verdict: Judged[Any] | UnreadableBody) -> str:
    if isinstance(verdict, UnreadableBody):
        found = verdict.problems
    elif isinstance(verdict.verdict, Bad):
        found = verdict.verdict.problems
    else:
        return "accepted"
    assert found
    assert {one.code for one in found} <= CODES
    # What is told goes to a portal as JSON, whatever was sent.
    to_json([one.model_dump() for one in found])
    return f"refused: {found[0].code}"


def _packed(body: bytes) -> str:
    found = decode_pack(body)
    assert found
    for one in found:
        if isinstance(one, Fact):
            (again,) = decode_pack(encode(one))
            assert again == one
    return "read" if all(isinstance(one, Fact) for one in found) else "parked: unreadable"


def _single(drawn: tuple[bytes, Mapping[str, object], str]) -> str:
    body, headers, message_id = drawn
    (found,) = decode_single(body, headers, "core.guarantee_concluded.v1", message_id)
    if isinstance(found, Unreadable):
        return "parked: unreadable"
    json.loads(found.data)
    return "read"


def _heard(drawn: tuple[str, bytes]) -> str:
    kind, data = drawn
    envelope = {
        "specversion": "1.0",
        "id": "5f1de4a9-4e0e-5b8a-9c37-3b0b3f3a6f51",
        "source": "/hosho/x",
        "type": kind,
        "subject": "s",
        "time": "2026-04-01T00:00:00Z",
        "correlation": "c",
    }
    (found,) = decode_pack(b"[" + json.dumps(envelope).encode()[:-1] + b',"data":' + data + b"}]")[:1]
    if isinstance(found, Unreadable):
        return "parked: unreadable"
    try:
        told = MODELS[kind].model_validate_json(found.data)
    except ValidationError:
        return "parked: invalid_data"
    told.model_dump_json()
    to_json([told.for_portal(), told.for_journal()])
    return "read"


def _dated(text: str) -> str:
    try:
        found = read_date(text)
    except (NotADate, ImpossibleDate, YearOutOfRange) as error:
        return f"refused: {type(error).__name__}"
    assert read_date(wareki(found)) == found
    return "read"


def _timed(text: str) -> str:
    try:
        found = read_moment(text)
    except (NotADate, ImpossibleDate, YearOutOfRange) as error:
        return f"refused: {type(error).__name__}"
    assert found.tzinfo is not None
    return "read"


def _widened(text: str) -> str:
    found = full_width(text)
    if found.refused:
        return "refused with positions"
    assert set(found.text) <= JIS_X_0208
    assert full_width(found.text).text == found.text
    return "full-width"


def _lettered(text: str) -> str:
    cut = pieces(text)
    assert not [one for piece in cut for one in piece if one != "\n" and unicodedata.category(one) in HIDDEN]
    return "set"


def _on_one_line(text: str) -> str:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not is_mailable(text) or len((text + "x").splitlines()) == 1
    return "one line"


def _canonical(value: Any) -> str:
    try:
        written = canonical(value)
    except Uncanonical as error:
        return f"refused: {error.code}"
    # A large float is written without a point, and would be read back as an integer that has no canonical form.
    assert canonical(json.loads(written, parse_int=float)) == written
    return "canonical"


_BODY_OF_FACT: Final = st.sampled_from(sorted(set(EXAMPLE_FACTS) & set(MODELS))).flatmap(
    lambda kind: st.tuples(st.just(kind), bodies(EXAMPLE_FACTS[kind]))
)
_PACK: Final = json.loads(
    encode(
        Fact(
            id=next(iter(decode_pack(b"{}"))).id,
            type="a.b.v1",
            source="/hosho/a",
            subject="s",
            time="2026-04-01T01:00:00+00:00",
            correlation="c",
            traceparent=None,
            data=b'{"n":1}',
        )
    )
)
_HEADERS: Final = st.dictionaries(
    st.sampled_from([f"cloudEvents_{name}" for name in ("type", "id", "time", "source", "subject")] + ["traceparent"]),
    ANY_TEXT | st.integers() | st.none() | st.binary(max_size=9),
)

PROBES: Final = (
    Probe("judge an application", bodies(EXAMPLE), lambda body: _judged(judge(body, DOOR, REGISTRY))),
    Probe("judge a change", bodies(CHANGE), lambda body: _judged(judge_change(body, DOOR))),
    Probe("read a pack", bodies([_PACK, _PACK]), _packed),
    Probe("read a single fact", st.tuples(bodies({"portal": "portal-a", "n": 1}), _HEADERS, ANY_TEXT), _single),
    Probe("read each message", _BODY_OF_FACT, _heard),
    Probe("read a date", DATES | ANY_TEXT | st.dates(date(1800, 1, 1)).map(wareki), _dated),
    Probe("read a moment", MOMENTS | ANY_TEXT, _timed),
    Probe("make full-width", ANY_TEXT | st.text(st.sampled_from("ｶﾞﾊﾟｳﾞｰA１ ~〜－-"), max_size=9), _widened),
    Probe("set letters", ANY_TEXT, _lettered),
    Probe("write a mail's line", ANY_TEXT, _on_one_line),
    Probe("write canonical JSON", ANY_JSON, _canonical),
)
