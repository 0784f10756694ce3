"""Each operation of the API as an act, from the contract beside this file (`openapi.json`, OpenAPI 3.1).

What an operation needs are its arguments: the parts of its address in their order, then `--NAME VALUE` for each member
of its body or its query. The answer is printed as it came, a member a line.
"""

import argparse
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from .calling import Json, Trouble
from .terminal import DONE, register_of, say

CONTRACT = Path(__file__).with_name("openapi.json")
METHODS = ("get", "post", "put", "patch", "delete")
FORM = "multipart/form-data"


@cache
def contract() -> Json:
    return dict(json.loads(CONTRACT.read_bytes()))


def resolved(schema: Json) -> Json:
    """What a `$ref` stands for."""
    while "$ref" in schema:
        found: Any = contract()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        schema = found
    return schema


def operations() -> Iterator[tuple[str, str, str, Json]]:
    """Of each: its name at the terminal, its method, its address, and what the contract says of it."""
    for path, item in contract()["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                shared = [resolved(each) for each in [*item.get("parameters", ()), *operation.get("parameters", ())]]
                name = operation["operationId"].replace("_", "-")
                yield name, method.upper(), path, {**operation, "parameters": shared}


def body_of(operation: Json) -> tuple[str, Json]:
    """The media type of the body and its members, or nothing."""
    if "requestBody" not in operation:
        return "", {}
    [(kind, content)] = resolved(operation["requestBody"])["content"].items()
    members = resolved(content["schema"]).get("properties", {})
    return kind, {name: resolved(each) for name, each in members.items()}


def add_to(act: Any) -> None:
    """The acts, under `rahdari my call`."""
    parser = act("call", call, "Any operation of the API by its name; without one, all of them.")
    acts = parser.add_subparsers(dest="operation", metavar="OPERATION", required=True)
    for name, method, path, operation in operations():
        about = operation["summary"]
        one = acts.add_parser(name, help=about, description=operation.get("description", about))
        one.set_defaults(call=(method, path, operation))
        for each in operation["parameters"]:
            if each["in"] == "path":
                one.add_argument(each["name"])
            elif each["in"] == "query":
                one.add_argument(f"--{each['name']}", dest=f"query:{each['name']}", default=None)
        for member, schema in body_of(operation)[1].items():
            _add(one, member, schema)


def _add(parser: argparse.ArgumentParser, name: str, schema: Json) -> None:
    kind = _type_of(schema)
    more: Json = {"choices": [str(each) for each in schema["enum"] if each is not None]} if "enum" in schema else {}
    if kind == "array":
        more["action"] = "append"
    about = schema.get("description", "").partition("\n")[0].replace("%", "%%")
    option = f"--{name.replace('_', '-')}"
    hint = {"boolean": "true|false", "object": "JSON"}.get(kind, name.upper())
    parser.add_argument(option, dest=f"body:{name}", default=None, help=about, **{"metavar": hint, **more})


def _type_of(schema: Json) -> str:
    kinds = [schema.get("type"), *(resolved(each).get("type") for each in schema.get("anyOf", ()))]
    flat = [
        each for kind in kinds for each in (kind if isinstance(kind, list) else [kind]) if each not in {None, "null"}
    ]
    return flat[0] if flat else "string"


def call(given: argparse.Namespace) -> int:
    method, path, operation = given.call
    for each in operation["parameters"]:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", quote(str(getattr(given, each["name"])), safe=""))
    words = vars(given)
    query = {key[6:]: value for key, value in words.items() if key.startswith("query:") and value is not None}
    body = {key[5:]: value for key, value in words.items() if key.startswith("body:") and value is not None}
    register, (kind, members) = register_of(given), body_of(operation)
    path += f"?{urlencode(query)}" if query else ""
    if kind == FORM:
        said = register.upload(path, {name: _part(members[name], value) for name, value in body.items()})
    elif method == "POST":
        said = register.post(path, {name: _value(name, members[name], value) for name, value in body.items()} or None)
    else:
        content = {name: _value(name, members[name], value) for name, value in body.items()} if kind else None
        said = register.ask(method, path, content)
    if isinstance(said, bytes) and said:
        raise Trouble(f"That is a file of {len(said):,} bytes: `rahdari my certificate` and `addresses` write files.")
    say(given, said, list(lines(said)) or ["Done."])
    return DONE


def _value(name: str, schema: Json, text: Any) -> Any:
    """What was typed, as the contract has it. The register says what is wrong with a value; this, with its shape."""
    kind = _type_of(schema)
    if kind == "array":
        items = resolved(schema.get("items", {}))
        return [_value(name, items, each) for each in text]
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise Trouble(f"--{name.replace('_', '-')} wants {kind}, not {text!r}") from None


def _part(schema: Json, text: str) -> Any:
    if schema.get("format") != "binary":
        return text
    path = Path(text)
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise Trouble(f"{path} cannot be read ({error.strerror}).") from None


def lines(said: Any, indent: str = "") -> Iterator[str]:
    """A member a line; a list an item a paragraph, begun with a dash."""
    if isinstance(said, dict):
        for name, value in said.items():
            if isinstance(value, dict | list) and value:
                yield f"{indent}{name}:"
                yield from lines(value, f"{indent}  ")
            elif value not in (None, "", [], {}):
                yield f"{indent}{name}: {_plain(value)}"
    elif isinstance(said, list):
        for value in said:
            first, *rest = list(lines(value, "")) or [""]
            yield f"{indent}- {first}"
            yield from (f"{indent}  {each}" for each in rest)
    elif said not in (None, b""):
        yield f"{indent}{_plain(said)}"


def _plain(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
