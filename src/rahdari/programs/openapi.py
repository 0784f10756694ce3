"""The contract of an interface: its OpenAPI 3.1 document, made from the declarations of its operations.

Those for applicants and for operators are kept in docs/api too, and a test holds each against the other, so that no
change goes unseen. Its words are English: it is read by programs and by those who write them.
"""

from collections.abc import Iterable
from typing import Any

from django.utils import translation

from .idempotency import KEY as KEY_PATTERN
from .operation import Interface, Operation, names_in
from .problems import KINDS
from .schema import MOMENT, Json, closed, listed, text

ERROR = closed({"pointer": text(), "code": text(60), "detail": text(2000)}, {"in": text(10)})
LANGUAGE: Json = {
    "name": "Accept-Language",
    "in": "header",
    "description": "en or ur: the language of words that people read.",
    "schema": {"type": "string"},
    "example": "en",
}
KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Any text of yours, new for each request: sent again with the same key, it is done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": KEY_PATTERN},
}
# Standard Webhooks: an event is signed over its id, its time and its body.
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that you read: 412 if it was changed since.",
    "schema": {"type": "string"},
}


def document(interface: Interface) -> Json:
    operations = interface.operations()
    kinds = [kind for kind in KINDS if any(kind in interface.kinds_of(each) for each in operations)]
    paths: dict[str, Json] = {}
    with translation.override("en"):
        for path, by_method in interface.by_path().items():
            found: Json = {method.lower(): _operation(interface, each) for method, each in by_method.items()}
            if places := [_place(interface, name) for name in names_in(path)]:
                found = {"parameters": places} | found
            paths[path] = found
        problems = {status: _problem(status, kinds) for status in sorted({KINDS[kind].status for kind in kinds})}
    names: dict[str, Json] = {}
    paths = _by_name(paths, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": interface.title, "version": interface.version, "description": interface.about},
        "servers": [{"url": interface.base}],
        "security": [],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in operations)],
        "paths": paths,
        "webhooks": {event: {"post": _event(event, data)} for event, data in interface.events.items()},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"{interface.tokens} Scopes: "
                    + " ".join(
                        f"`{scope}`: {words}"
                        for scope, words in interface.scopes.items()
                        if scope in interface.scopes_used()
                    ),
                }
            },
            "schemas": {"Problem": _problem_body(kinds), **dict(sorted(names.items()))},
            "responses": {str(status): found for status, found in problems.items()},
            "parameters": {name: _signed(name) for name in SIGNED},
            "headers": {
                "ETag": {"description": "For If-Match.", "schema": {"type": "string"}},
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
            },
        },
    }


def _problem_body(kinds: Iterable[str]) -> Json:
    said: Json = {"type": "string"}
    moment = said | {"format": "date-time"}
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": said | {"enum": [f"urn:rahdari:problem:{kind}" for kind in kinds]},
            "title": said,
            "status": {"type": "integer"},
            "detail": said,
            "code": said,
            "scope": said,
            "suggestion": said,
            "url": said,
            "opens_at": moment,
            "again_at": moment,
            "errors": listed(ERROR | {"additionalProperties": True}),
        },
    }


def _signed(name: str) -> Json:
    return {"name": name, "in": "header", "required": True, "schema": text()}


def _event(event: str, data: Json) -> Json:
    """What is posted to a webhook. Its answer is any 2xx, and its body is not looked at."""
    kind: Json = {"type": "string", "const": event}
    body = closed({"type": kind, "timestamp": MOMENT, "data": data})
    return {
        "summary": f"News: {event}",
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in SIGNED],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"204": {"description": "Taken."}},
    }


def _by_name(value: Any, names: dict[str, Json]) -> Any:
    """Schemas that have a name are said once, under it."""
    if isinstance(value, list):
        return [_by_name(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _by_name(each, names) for key, each in value.items()}
    if found.get("type") == "object" and isinstance(name := found.get("title"), str):
        names[name] = found
        return {"$ref": f"#/components/schemas/{name}"}
    return found


def _place(interface: Interface, name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": interface.places[name][1]}


def _operation(interface: Interface, each: Operation) -> Json:
    found: dict[str, Any] = {"operationId": each.id, "tags": [each.tag], "summary": each.summary}
    if each.description:
        found["description"] = each.description
    if each.scope is not None:
        found["security"] = [{"token": []}]
        found["x-scope"] = str(each.scope)
    parameters = [{"name": name, "in": "query", "schema": wanted} for name, wanted in each.query.items()]
    parameters += [KEY] if each.takes_key else []
    parameters += [MATCH] if each.matches else []
    found["parameters"] = [*parameters, *([LANGUAGE] if len(interface.languages) > 1 else [])]
    if each.body is not None:
        media = "multipart/form-data" if each.multipart else "application/json"
        found["requestBody"] = {"required": True, "content": {media: {"schema": each.body}}}
    found["responses"] = {str(each.ok.status): _ok(interface, each), **_problems(interface, each)}
    return found


def _ok(interface: Interface, each: Operation) -> Json:
    ok = each.ok
    found: Json = {"description": ok.description}
    if ok.status != 204:
        binary: Json = {"type": "string", "format": "binary"}
        found["content"] = {ok.media: {"schema": ok.schema if ok.schema is not None else binary}}
    if ok.tag:
        found["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    if links := links_of(interface, each):
        found["links"] = links
    return found


def _problems(interface: Interface, each: Operation) -> Json:
    statuses = sorted({KINDS[kind].status for kind in interface.kinds_of(each)})
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _problem(status: int, kinds: Iterable[str]) -> Json:
    kinds = [kind for kind in kinds if KINDS[kind].status == status]
    said: Json = {
        "description": "; ".join(f"{KINDS[kind].title} (`{kind}`)" for kind in kinds),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {429, 503}:
        said["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return said


# -- how a program goes on from an answer ----------------------------------------------------------------------------


def links_of(interface: Interface, each: Operation) -> Json:
    """OpenAPI links from what was made or listed to the operations about it: each under the operation that it leads to,
    with the parts of the address that are known by then.
    """
    passed = names_in(each.path)
    return {
        target.id: {"operationId": target.id, "parameters": _parameters(target, name, pointer)}
        for place, name, pointer in interface.leads.get(each.id, ())
        for target in interface.operations()
        if (target.path == place or target.path.startswith(f"{place}/"))
        and set(names_in(target.path)) <= {*passed, name}
    }


def _parameters(target: Operation, name: str, pointer: str) -> Json:
    return {
        part: f"$response.body#{pointer}" if part == name else f"$request.path.{part}" for part in names_in(target.path)
    }
