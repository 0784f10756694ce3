"""Answers held against the contract of the interface that gave them."""

import json
import re
from typing import Any

import jsonschema
from django.http import HttpResponse

from rahdari.programs import openapi
from rahdari.programs.operation import Interface

_DOCUMENTS: dict[str, dict[str, Any]] = {}


def hold(interface: Interface, method: str, path: str, answer: HttpResponse) -> None:
    """An answer with its status, type and body is one that the contract describes."""
    document = _DOCUMENTS.get(interface.name) or _DOCUMENTS.setdefault(interface.name, openapi.document(interface))
    path = path.split("?")[0].removeprefix(interface.base)
    found = next(
        described
        for template, described in sorted(document["paths"].items(), key=lambda each: "{" in each[0])
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    )
    if answer.status_code in {304, 405}:
        return
    said = found[method.lower()]["responses"][str(answer.status_code)]
    if "$ref" in said:
        said = document["components"]["responses"][said["$ref"].rpartition("/")[2]]
    if "content" not in said:
        assert answer.content == b"", path
        return
    [(media, described)] = said["content"].items()
    assert answer.headers["Content-Type"].split(";")[0] == media, path
    schema = {**described["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(json.loads(answer.content))


def hold_event(interface: Interface, body: bytes) -> None:
    """What is posted to a webhook is as the contract says."""
    said = json.loads(body)
    described = openapi.document(interface)["webhooks"][said["type"]]["post"]["requestBody"]["content"]
    jsonschema.Draft202012Validator(described["application/json"]["schema"]).validate(said)
