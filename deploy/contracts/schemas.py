"""JSON Schemas of models: as they are told inside, and cut down to what a portal is shown."""

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from pydantic import BaseModel

from shared.messages import Message

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFINITIONS: Final = "#/$defs/"


def schema_of(model: type[BaseModel], properties: Collection[str] | None = None) -> Schema:
    """What may be sent or read as this model; with `properties`, only these of it.

    Fields with a default may be missing, for older facts lack what was added later. Fields that are not told here may
    be there and are to be ignored.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    if properties is None:
        for name in [name for name, field in model.model_fields.items() if field.exclude]:
            del schema["properties"][name]
    else:
        schema["properties"] = {name: told for name, told in schema["properties"].items() if name in properties}
        schema["required"] = [name for name in schema.get("required", ()) if name in properties]
        lacking = set(properties) - set(schema["properties"])
        if lacking:
            raise LookupError(f"{model.__name__} shows {sorted(lacking)}, which it has not")
    return pruned(schema)


def shown_to_portals(message: Message) -> Schema | None:
    """The schema of what a portal gets of this fact; None where it gets nothing."""
    shown = message.for_portal()
    if shown is None:
        return None
    schema = schema_of(type(message), shown)
    schema["title"] = f"{schema['title']}ForPortal"
    return schema


def pruned(schema: Schema) -> Schema:
    """The schema without definitions that nothing in it leads to."""
    kept = deepcopy(schema)
    definitions = kept.pop("$defs", {})
    wanted, found = list(references(kept)), dict[str, Schema]()
    while wanted:
        name = wanted.pop().removeprefix(_DEFINITIONS)
        if name not in found:
            found[name] = definitions[name]
            wanted += references(definitions[name])
    if found:
        kept["$defs"] = {name: found[name] for name in definitions if name in found}
    return kept


def references(value: object) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def standing_alone(schema: Schema, name: str) -> Schema:
    """The schema as a file of its own."""
    return {"$schema": DIALECT, "$id": f"https://hosho.example/contracts/schemas/{name}.json", **schema}


class Shelf:
    """Schemas of one document, each once, with their definitions beside them instead of inside."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}

    def put(self, name: str, schema: Schema) -> Schema:
        """Lay a schema down under this name; gives back the reference to it.

        Raises:
            ValueError: if the name is taken by another one.
        """
        own = deepcopy(schema)
        for inner_name, inner in own.pop("$defs", {}).items():
            self._lay(inner_name, _moved(inner))
        self._lay(name, _moved(own))
        return {"$ref": f"#/components/schemas/{name}"}

    def _lay(self, name: str, schema: Schema) -> None:
        if self.schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are called {name}; name one of the models otherwise")


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: inner.replace(_DEFINITIONS, "#/components/schemas/") if name == "$ref" else _moved(inner)
            for name, inner in value.items()
        }
    return [_moved(inner) for inner in value] if isinstance(value, list) else value
