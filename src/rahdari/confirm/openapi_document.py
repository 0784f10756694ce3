"""The description of `/op/v1/` for programs, as OpenAPI 3.1. A test holds it against the addresses and the answers."""

from typing import Any

from . import rules
from .rules import AnswerTrouble, QuestionKind

type Json = dict[str, Any]


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(schema: Json, media: str = "application/json") -> Json:
    return {"content": {media: {"schema": schema}}}


def _given(description: str, schema: Json) -> Json:
    return {"description": description, **_content(schema)}


PROBLEMS = {
    "400": "The cursor was not given out by us.",
    "401": "No operator has this key.",
    "403": "A key for practice at the real address.",
    "404": "No check of yours has this number.",
    "405": "Another method than those listed.",
    "409": "There is no callback to test.",
    "413": "The body is too large, or has too many answers.",
    "415": "The body is not application/json.",
    "422": "The body or an answer in it cannot be taken; `field`, or `check` and `code`, say what is wrong.",
    "429": "Too many requests; `Retry-After` says when again.",
}


def _problems(*codes: str) -> Json:
    wanted = ("401", "403", "405", "429", *codes)
    return {
        code: {"description": PROBLEMS[code], **_content(_ref("Problem"), "application/problem+json")}
        for code in sorted(wanted)
    }


def _act(
    summary: str, *, ok: Json, problems: tuple[str, ...] = (), body: str = "", code: str = "200", **more: Any
) -> Json:
    found: Json = {"summary": summary, "responses": {code: ok, **_problems(*problems)}, **more}
    if body:
        found["requestBody"] = {"required": True, **_content(_ref(body))}
    return found


_PAGE = [
    {
        "name": "after",
        "in": "query",
        "description": "`next` of the page before.",
        "schema": {"type": "string", "maxLength": 200},
    },
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
    },
]
_NUMBER = [{"name": "number", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 20}}]


def _desk(prefix: str) -> Json:
    """The three addresses that the real desk and the samples share."""
    return {
        f"{prefix}/checks": {
            "get": _act(
                "Open checks, oldest first",
                parameters=_PAGE,
                ok=_given("A page of checks.", _ref("Page")),
                problems=("400", "422"),
            )
        },
        f"{prefix}/checks/{{number}}": {
            "parameters": _NUMBER,
            "get": _act("One check", ok=_given("The check.", _ref("Check")), problems=("404",)),
            "post": _act(
                "Answer it; the same answer again changes nothing, another one takes its place",
                body="Answer",
                ok=_given("The check with its answer.", _ref("Answered")),
                problems=("404", "413", "415", "422"),
            ),
        },
        f"{prefix}/answers": {
            "post": _act(
                "Answer up to 1,000 checks; each is taken or not by itself",
                body="Answers",
                ok=_given("What became of each, in their order.", _ref("Results")),
                problems=("413", "415", "422"),
            )
        },
    }


def _paths() -> Json:
    return {
        **_desk("/op/v1"),
        "/op/v1/callback": {
            "get": _act(
                "Where you are told of new checks",
                ok=_given("The callback, or null.", _ref("CallbackNow")),
            ),
            "put": _act(
                "Set it, in place of the one before; gives the signing secret, this once",
                body="CallbackWanted",
                code="201",
                ok=_given("The callback with its secret.", _ref("CallbackMade")),
                problems=("413", "415", "422"),
            ),
            "delete": _act("Be told nothing any more", code="204", ok={"description": "Done."}),
        },
        "/op/v1/callback/test": {
            "post": _act(
                "Send an event about nothing to the callback",
                code="202",
                ok=_given("It is on its way.", _ref("Sent")),
                problems=("409",),
            )
        },
        **_desk("/op/v1/sandbox"),
    }


def _schemas() -> Json:
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    reasons = sorted({reason for kind in QuestionKind for reason in rules.REASONS[kind]})
    answer = {
        "answer": {"enum": ["yes", "no", "unknown"]},
        "reason": {"type": "string", "description": f"With a no: {', '.join(reasons)}, or its number on the page."},
        "reference": {
            "type": "string",
            "pattern": rules.REFERENCE.pattern,
            "description": "With a yes about a mobile number: your own word for the line, opaque and never used again "
            "for another one. From then on we keep this and no number.",
        },
    }
    check = {
        "check": text,
        "kind": {"enum": [str(kind) for kind in QuestionKind]},
        "subscriber": {
            "type": "string",
            "description": "Your subscriber number, as the applicant gave it; of the kind mobile, the number: 923…",
        },
        "address": {"type": "string", "description": "An IPv4 or IPv6 address, or a prefix."},
        "name_masked": {"type": "string", "description": "First and last letter of each word."},
        "asked_at": moment,
        "answer_until": moment,
        "answer": answer["answer"],
        "reason": {"enum": reasons},
        "answered_at": moment,
    }
    needed = ["check", "kind", "asked_at", "answer_until"]
    callback = {"url": text, "since": moment, "last_delivery": {"type": ["object", "null"]}}
    return {
        "Check": {"type": "object", "properties": check, "required": needed},
        "Answered": {
            "type": "object",
            "properties": {**check, "new": {"type": "boolean"}},
            "required": [*needed, "answer", "new"],
        },
        "Page": {
            "type": "object",
            "properties": {"checks": {"type": "array", "items": _ref("Check")}, "next": {"type": ["string", "null"]}},
            "required": ["checks", "next"],
        },
        "Answer": {"type": "object", "properties": answer, "required": ["answer"], "additionalProperties": False},
        "Answers": {
            "type": "object",
            "properties": {
                "answers": {
                    "type": "array",
                    "maxItems": 1000,
                    "items": {
                        "type": "object",
                        "properties": {"check": text, **answer},
                        "required": ["check", "answer"],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["answers"],
            "additionalProperties": False,
        },
        "Results": {
            "type": "object",
            "properties": {
                "results": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "check": text,
                            "taken": {"type": "boolean"},
                            "new": {"type": "boolean"},
                            "code": {"enum": [*(str(each) for each in AnswerTrouble), "invalid-body"]},
                            "detail": text,
                        },
                        "required": ["check", "taken"],
                    },
                },
                "taken": {"type": "integer"},
            },
            "required": ["results", "taken"],
        },
        "CallbackWanted": {
            "type": "object",
            "properties": {"url": {"type": "string", "maxLength": 500}},
            "required": ["url"],
            "additionalProperties": False,
        },
        "Callback": {"type": "object", "properties": callback, "required": ["url", "since"]},
        "CallbackNow": {
            "type": "object",
            "properties": {"callback": {"anyOf": [_ref("Callback"), {"type": "null"}]}},
            "required": ["callback"],
        },
        "Sent": {"type": "object", "properties": {"sent": {"const": True}}, "required": ["sent"]},
        "CallbackMade": {
            "type": "object",
            "properties": {**callback, "secret": text},
            "required": ["url", "since", "secret"],
        },
        "Problem": {
            "type": "object",
            "properties": {
                "type": text,
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
                "field": text,
                "check": text,
                "code": text,
            },
            "required": ["type", "title", "status", "detail"],
        },
    }


def document() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rahdari: subscriber checks",
            "version": "1",
            "description": "An operator's system lists its open checks and answers them. Every address needs a key: "
            "`Authorization: Bearer …`.",
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }
