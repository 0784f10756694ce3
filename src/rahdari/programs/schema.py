"""JSON Schema (2020-12), with which an interface says what it takes and gives, and the check of it. Pure.

One description serves the contract, the check and the documentation, so the three cannot differ (ADR 0029).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

type Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one part: where (a JSON pointer), and a word for it."""

    pointer: str
    code: str
    limit: Any = None


def text(most: int = 200, least: int = 0, **more: Any) -> Json:
    """A string; the limits are numbers of characters."""
    return {"type": "string", "maxLength": most} | ({"minLength": least} if least else {}) | more


def choice(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


def whole(least: int, most: int) -> Json:
    """An integer from `least` to `most`, both included."""
    return {"type": "integer", "minimum": least, "maximum": most}


def listed(items: Json, most: int | None = None, **more: Any) -> Json:
    """An array of at most `most` items."""
    return {"type": "array", "items": items} | ({"maxItems": most} if most is not None else {}) | more


def closed(needed: Json | None = None, maybe: Json | None = None) -> Json:
    """An object with these members (name to schema) and no others."""
    members = (needed or {}) | (maybe or {})
    found: Json = {"type": "object", "additionalProperties": False, "properties": members}
    return found | ({"required": list(needed)} if needed else {})


def named(name: str, schema: Json) -> Json:
    """A schema that the contract says once, under this name."""
    return schema | {"title": name}


def or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


TRUTH: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
DAY: Json = {"type": "string", "format": "date"}
ID: Json = {"type": "string", "format": "uuid"}
REQUIRED, UNKNOWN, WRONG_TYPE, TOO_LONG, TOO_SHORT = "required", "unknown", "wrong_type", "too_long", "too_short"


# What a keyword of the schema that does not hold is called.
CODES = {
    "type": WRONG_TYPE,
    "enum": "not_a_choice",
    "const": "not_a_choice",
    "uniqueItems": "twice",
    "maxLength": TOO_LONG,
    "maxItems": TOO_LONG,
    "minLength": TOO_SHORT,
    "minItems": TOO_SHORT,
    "minimum": "too_small",
    "maximum": "too_large",
}
# Compiled once; with the schema, so that no other one gets its id.
_VALIDATORS: dict[int, tuple[Json, Draft202012Validator]] = {}


def faults(schema: Json, value: Any) -> Iterator[Fault]:
    """What keeps the value from being as the schema says; nothing when it is. The schema stands for good."""
    if id(schema) not in _VALIDATORS:
        _VALIDATORS[id(schema)] = schema, Draft202012Validator(schema, validate_formats=True)
    try:
        for error in _VALIDATORS[id(schema)][1].iter_errors(value):
            yield from _faults(error)
    except ValueError:  # nested too deep
        yield Fault("", "no_json")


def _faults(error: ValidationError) -> Iterator[Fault]:
    pointer = "".join(f"/{_escaped(str(part))}" for part in error.instance_path)
    match error.kind:
        case ValidationErrorKind.Required(property=name):
            yield Fault(f"{pointer}/{_escaped(name)}", REQUIRED)
        case ValidationErrorKind.AdditionalProperties(unexpected=names):
            yield from (Fault(f"{pointer}/{_escaped(name[:60])}", UNKNOWN) for name in names)
        case ValidationErrorKind.AnyOf(context=branches):
            for first in branches[0]:
                yield from _faults(first)
        case kind:
            limit = ", ".join(map(str, kind.value)) if isinstance(kind.value, list) else kind.value
            yield Fault(pointer, CODES.get(kind.name, "wrong_form"), limit)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
