"""The part of JSON Schema (2020-12) with which this API says what it takes, and the check of it. Pure.

One description serves the contract, the check and the documentation, so the three cannot differ. A test holds the check
against a full implementation.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one part: where (a JSON pointer), and a word for it."""

    pointer: str
    code: str
    limit: Any = None


def text(most: int = 200, least: int = 0, **more: Any) -> Json:
    return {"type": "string", "maxLength": most} | ({"minLength": least} if least else {}) | more


def choice(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


def whole(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


def listed(items: Json, most: int | None = None, **more: Any) -> Json:
    return {"type": "array", "items": items} | ({"maxItems": most} if most is not None else {}) | more


def closed(needed: Json | None = None, maybe: Json | None = None) -> Json:
    """An object with these members and no others."""
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


def faults(schema: Json, value: Any, pointer: str = "") -> Iterator[Fault]:
    """What keeps the value from being as the schema says; nothing when it is."""
    if "anyOf" in schema:
        tried = [list(faults(each, value, pointer)) for each in schema["anyOf"]]
        if all(tried):
            yield from tried[0]
        return
    if not _is(schema.get("type"), value):
        yield Fault(pointer, WRONG_TYPE, schema["type"])
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Fault(pointer, "not_a_choice", ", ".join(map(str, schema["enum"])))
    if "const" in schema and (value != schema["const"] or isinstance(value, bool) != isinstance(schema["const"], bool)):
        yield Fault(pointer, "not_a_choice", schema["const"])
    if isinstance(value, str):
        yield from _of_text(schema, value, pointer)
    elif isinstance(value, list):
        yield from _of_list(schema, value, pointer)
    elif isinstance(value, dict):
        yield from _of_object(schema, value, pointer)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            yield Fault(pointer, "too_small", schema["minimum"])
        if value > schema.get("maximum", value):
            yield Fault(pointer, "too_large", schema["maximum"])


def _is(kind: str | None, value: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "null":
            return value is None
    return True


def _of_text(schema: Json, value: str, pointer: str) -> Iterator[Fault]:
    if len(value) > schema.get("maxLength", len(value)):
        yield Fault(pointer, TOO_LONG, schema["maxLength"])
    if len(value) < schema.get("minLength", 0):
        yield Fault(pointer, TOO_SHORT, schema["minLength"])
    if "pattern" in schema and not re.search(schema["pattern"].removesuffix("$") + r"\Z", value):
        yield Fault(pointer, "wrong_form")
    if "format" in schema and not FORMATS[schema["format"]](value):
        yield Fault(pointer, "wrong_form", schema["format"])


def _of_list(schema: Json, value: list[Any], pointer: str) -> Iterator[Fault]:
    if len(value) > schema.get("maxItems", len(value)):
        yield Fault(pointer, TOO_LONG, schema["maxItems"])
    if len(value) < schema.get("minItems", 0):
        yield Fault(pointer, TOO_SHORT, schema["minItems"])
    if schema.get("uniqueItems") and len({repr(each) for each in value}) < len(value):
        yield Fault(pointer, "twice")
    for place, each in enumerate(value):
        yield from faults(schema["items"], each, f"{pointer}/{place}")


def _of_object(schema: Json, value: Json, pointer: str) -> Iterator[Fault]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(f"{pointer}/{name}", REQUIRED)
    for name, each in value.items():
        if name in known:
            yield from faults(known[name], each, f"{pointer}/{_escaped(name)}")
        elif schema.get("additionalProperties") is False:
            yield Fault(f"{pointer}/{_escaped(name[:60])}", UNKNOWN)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_day(value: str) -> bool:
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)) and bool(dt.date.fromisoformat(value))
    except ValueError:
        return False


FORMATS: dict[str, Callable[[str], bool]] = {
    "uuid": _is_uuid,
    "date": _is_day,
    "uri": lambda value: ":" in value,
    "date-time": lambda value: "T" in value,
}
