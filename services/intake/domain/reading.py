"""From a JSON object to a form, field by field, so that one wrong field hides nothing about the others.

A field that cannot be read gets its problem and stays unset: asking the form for it raises `Unread`, which the rules
take as "this cannot be judged". One problem per field is told, the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, TypeVar, cast, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from services.intake.domain.body import UNSOUND
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.fields import Part
from services.intake.domain.form import GUARANTEES_MAX
from shared.problems import Problem

PartT = TypeVar("PartT", bound=Part)

_CODE_OF: Final = {
    "string_type": Code.NOT_TEXT,
    "int_type": Code.NOT_AN_INTEGER,
    "bool_type": Code.NOT_A_BOOLEAN,
    "enum": Code.NOT_ONE_OF,
    "string_too_long": Code.TOO_LONG,
}
"""What pydantic's refusals are called here; the form's own refusals bring their code with them."""

_WORDS_OF: Final = {"max_length": "chars_max", "expected": "allowed"}


class _Nothing:
    """No value: the field was not read, and why is told already."""


_NOTHING: Final = _Nothing()


@dataclass(frozen=True, slots=True)
class _Place:
    """A field of the form at its place in what was sent, and where its problems are collected."""

    part: type[Part]
    name: str
    pointer: str
    problems: list[Problem]

    @property
    def field(self) -> FieldInfo:
        return self.part.model_fields[self.name]

    def refuse(self, code: Code, **words: object) -> _Nothing:
        self.problems.append(problem(code, self.pointer, label=self.field.title, field=self.name, **words))
        return _NOTHING


def read_part(part: type[PartT], fields: Mapping[str, object]) -> tuple[PartT, tuple[Problem, ...]]:
    """The form in `fields`, perhaps with fields unread, and a problem for each of these."""
    try:
        # Nearly every form is whole, and pydantic reads a whole one several times faster than field by field.
        return part.model_validate(fields), ()
    except ValidationError:
        problems: list[Problem] = []
        return _part(part, fields, "", problems), tuple(problems)


def _part(part: type[PartT], fields: Mapping[str, object], pointer: str, problems: list[Problem]) -> PartT:
    values: dict[str, Any] = {
        name: _value(_Place(part, name, f"{pointer}/{name}", problems), fields.get(name)) for name in part.model_fields
    }
    made = cast("PartT", part.model_construct(**{name: told for name, told in values.items() if told is not _NOTHING}))
    for name, value in values.items():
        if value is _NOTHING:
            # A default would have been put in for it, and a rule would judge what nobody sent.
            made.__dict__.pop(name, None)
    return made


def _value(place: _Place, value: object) -> object:
    if value is UNSOUND:
        return _NOTHING
    if value is None:
        return place.refuse(Code.MISSING) if place.field.is_required() else place.field.get_default()
    part, is_list = _nested(place.part, place.name)
    if part is None:
        return _leaf(place, value)
    if is_list:
        return _list(part, place, value)
    if not isinstance(value, dict):
        return place.refuse(Code.NOT_AN_OBJECT)
    return _part(part, value, place.pointer, place.problems)


def _list(part: type[Part], place: _Place, value: object) -> object:
    if not isinstance(value, list):
        return place.refuse(Code.NOT_A_LIST)
    if len(value) > GUARANTEES_MAX:
        place.refuse(Code.TOO_MANY_ITEMS, items_max=GUARANTEES_MAX)
    return tuple(
        _item(part, _Place(place.part, place.name, f"{place.pointer}/{index}", place.problems), item)
        for index, item in enumerate(value[:GUARANTEES_MAX])
    )


def _item(part: type[Part], place: _Place, value: object) -> Part:
    if isinstance(value, dict):
        return _part(part, value, place.pointer, place.problems)
    if value is not UNSOUND:
        place.refuse(Code.NOT_AN_OBJECT)
    # It keeps its place with every field unread, so that the pointers of its neighbours stay right.
    return _part(part, dict.fromkeys(part.model_fields, UNSOUND), place.pointer, place.problems)


def _leaf(place: _Place, value: object) -> object:
    try:
        return _adapter(place.part, place.name).validate_python(value)
    except ValidationError as refusal:
        code, words = _told(refusal.errors(include_url=False)[0])
        return place.refuse(code, **words)


def _told(details: ErrorDetails) -> tuple[Code, dict[str, object]]:
    context = details.get("ctx", {})
    if "code" in context:
        return context["code"], context["words"]
    words = {_WORDS_OF[name]: value for name, value in context.items() if name in _WORDS_OF}
    return _CODE_OF[details["type"]], words


@cache
def _nested(part: type[Part], name: str) -> tuple[type[Part] | None, bool]:
    """The part of the form that a field holds, and whether it holds a list of them."""
    annotation = part.model_fields[name].annotation
    is_list = get_origin(annotation) is tuple
    held = get_args(annotation)[0] if is_list else annotation
    return (held if isinstance(held, type) and issubclass(held, Part) else None), is_list


@cache
def _adapter(part: type[Part], name: str) -> TypeAdapter[object]:
    field = part.model_fields[name]
    # Built at run time from the field itself; the type checker reads annotations only.
    kind = Annotated[field.annotation, *field.metadata, None]  # type: ignore[name-defined]
    return TypeAdapter(kind, config=ConfigDict(strict=True))
