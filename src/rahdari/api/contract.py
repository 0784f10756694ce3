"""The contract: the OpenAPI 3.1 document of `/api/v1/`, made from the declarations of the operations.

It is kept as docs/api/openapi.json too, and a test holds the two against each other, so that no change of it goes
unseen. Its words are English: it is read by programs and by those who write them.
"""

from typing import Any

from django.utils import translation

from . import routes
from .events import EVENTS, TEST, shape_of
from .openapi_links import links_of
from .operation import BASE, PLACES, Operation
from .problems import KINDS
from .rules import Scope
from .schema import MOMENT, Json, closed, listed, text

VERSION = "1.0.0"
ABOUT = (
    "What an applicant or holder does on the pages, for programs. Errors are problem+json (RFC 9457); lists have "
    "cursors; a POST with an Idempotency-Key is done once; a change with If-Match loses nobody's work. "
    "docs/api.md walks through it."
)
SCOPES = {
    Scope.APPLICATIONS_READ: "Read your applications and their documents.",
    Scope.APPLICATIONS_WRITE: "Begin, answer, send and withdraw applications; answer officers.",
    Scope.ENDPOINTS_PROVE: "Prove control of addresses, and make the passwords of connections whose address changes.",
    Scope.REGISTRATIONS_READ: "Read registrations and their certificates.",
    Scope.REGISTRATIONS_WRITE: "Change and renew registrations, and let one go on.",
    Scope.REGISTRATIONS_END: "End and pause registrations.",
    Scope.INVOICES_READ: "Read invoices and receipts.",
    Scope.LETTERS_READ: "Read letters.",
    Scope.ORGANISATIONS_READ: "Read your organisations, their branches, and mandates given and held.",
    Scope.ORGANISATIONS_WRITE: "Add, change and end branches, and say which addresses belong to them.",
    Scope.MANDATES_MANAGE: "Give, accept and end mandates.",
    Scope.SHARING_MANAGE: "See who asks to share an address, answer, and stop sharing.",
    Scope.REMOTE_MANAGE: "Make and end links for people who work from home.",
    Scope.WEBHOOKS_MANAGE: "Make, change, try and end webhooks.",
}
ERROR = closed({"pointer": text(), "code": text(60), "detail": text(2000)}, {"in": text(10)})
PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [f"urn:rahdari:problem:{kind}" for kind in KINDS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "scope": {"type": "string"},
        "suggestion": {"type": "string"},
        "url": {"type": "string"},
        "opens_at": {"type": "string", "format": "date-time"},
        "again_at": {"type": "string", "format": "date-time"},
        "errors": listed(ERROR | {"additionalProperties": True}),
    },
}
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
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]{1,200}$"},
}
# Standard Webhooks: an event is signed over its id, its time and its body.
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that you read: 412 if it was changed since.",
    "schema": {"type": "string"},
}


def document() -> Json:
    routes.load()
    paths: dict[str, Json] = {}
    with translation.override("en"):
        for path, by_method in routes.by_path().items():
            found: Json = {name: _operation(each) for name, each in _lower(by_method)}
            if places := [_place(name) for name in routes.names_in(path)]:
                found = {"parameters": places} | found
            paths[path] = found
        problems = {found.status: _problem(found.status) for found in KINDS.values()}
    names: dict[str, Json] = {}
    paths = _by_name(paths, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rahdari: applicants and holders", "version": VERSION, "description": ABOUT},
        "servers": [{"url": BASE}],
        "security": [],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in routes.operations())],
        "paths": paths,
        "webhooks": {event: {"post": _event(event)} for event in (*EVENTS, TEST)},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "From the page “Programs”. Scopes: "
                    + " ".join(f"`{scope}`: {words}" for scope, words in SCOPES.items() if scope in routes.scopes()),
                }
            },
            "schemas": {"Problem": PROBLEM, **dict(sorted(names.items()))},
            "responses": {str(each): problems[each] for each in sorted(problems)},
            "parameters": {name: _signed(name) for name in SIGNED},
            "headers": {
                "ETag": {"description": "For If-Match.", "schema": {"type": "string"}},
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
            },
        },
    }


def _signed(name: str) -> Json:
    return {"name": name, "in": "header", "required": True, "schema": text()}


def _event(event: str) -> Json:
    """What is posted to a webhook. Its answer is any 2xx, and its body is not looked at."""
    kind: Json = {"type": "string", "const": event}
    body = closed({"type": kind, "timestamp": MOMENT, "data": shape_of(event)})
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


def _lower(by_method: dict[str, Operation]) -> list[tuple[str, Operation]]:
    return [(method.lower(), each) for method, each in by_method.items()]


def _place(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": PLACES[name][1]}


def _operation(each: Operation) -> Json:
    found: dict[str, Any] = {"operationId": each.id, "tags": [each.tag], "summary": each.summary}
    if each.description:
        found["description"] = each.description
    if each.scope is not None:
        found["security"] = [{"token": []}]
        found["x-scope"] = str(each.scope)
    parameters = [{"name": name, "in": "query", "schema": wanted} for name, wanted in each.query.items()]
    parameters += [KEY] if each.takes_key else []
    parameters += [MATCH] if each.matches else []
    found["parameters"] = [*parameters, LANGUAGE]
    if each.body is not None:
        media = "multipart/form-data" if each.multipart else "application/json"
        found["requestBody"] = {"required": True, "content": {media: {"schema": each.body}}}
    found["responses"] = {str(each.ok.status): _ok(each), **_problems(each)}
    return found


def _ok(each: Operation) -> Json:
    ok = each.ok
    found: Json = {"description": ok.description}
    if ok.status != 204:
        binary: Json = {"type": "string", "format": "binary"}
        found["content"] = {ok.media: {"schema": ok.schema if ok.schema is not None else binary}}
    if ok.tag:
        found["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    if links := links_of(each):
        found["links"] = links
    return found


def _problems(each: Operation) -> Json:
    statuses = sorted({KINDS[kind].status for kind in each.kinds})
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _problem(status: int) -> Json:
    kinds = [kind for kind, found in KINDS.items() if found.status == status]
    said: Json = {
        "description": "; ".join(f"{KINDS[kind].title} (`{kind}`)" for kind in kinds),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {429, 503}:
        said["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return said
