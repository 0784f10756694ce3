"""How a request becomes an answer: the plan that every operation of the API goes through.

1) the method  2) who asks, how often, and whether the token may  3) what varies in the address  4) the query
5) the body  6) the same key again  7) the act  8) the answer, or the problem

A cookie lets nobody in here, and nothing of a browser is asked for: a bearer token is sent by programs only.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from rahdari.people.models import User
from rahdari.programs import answers as programs
from rahdari.programs.answers import Problem
from rahdari.web import errors, language, visitor

from . import actions, queries, rules, schema
from .models import AccessToken
from .operation import PLACES, Answer, Call, Operation
from .problems import not_found, of_error, of_faults, problem, too_many

log = logging.getLogger(__name__)
# Of an answer that is given again, these headers go with it.
KEPT_HEADERS = ("Content-Type", "ETag", "Location")


def view_of(operations: Mapping[str, Operation]) -> Any:
    """One address of the API: its operations by method."""

    @csrf_exempt
    @never_cache
    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        code = asked_language(request)
        with translation.override(code):
            response = _guarded(operations, request, given)
        response.headers["Content-Language"] = code
        response.headers["Vary"] = "Accept-Language, Authorization"
        return response

    return view


def asked_language(request: HttpRequest) -> str:
    """By Accept-Language alone."""
    for tag, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:200]):
        code = str(tag).split("-")[0]
        if code in language.CODES:
            return code
    return "en"


def _guarded(operations: Mapping[str, Operation], request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    try:
        return _answer(operations, request, given)
    except Problem as found:
        return programs.answer_of(found)
    except (RequestDataTooBig, SuspiciousOperation, MultiPartParserError, BadRequest):
        return programs.answer_of(problem("too-large", _("Send less at once.")))
    except (OperationalError, InterfaceError):
        log.exception("The database does not answer.")
        return programs.answer_of(problem("away", _("Try again in a minute."), {"Retry-After": "60"}))
    except Exception as error:
        known = of_error(error)
        if known is not None:
            return programs.answer_of(known)
        number = errors.error_number()
        match = request.resolver_match
        log.exception("Error number %s at %s %s", number, request.method, match.view_name if match else "")
        return programs.answer_of(problem("broke", _("Tell us this number: %(number)s") % {"number": number}))


def _answer(operations: Mapping[str, Operation], request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    # 1)
    method = "GET" if request.method == "HEAD" else request.method or ""
    operation = operations.get(method)
    if operation is None:
        allowed = ", ".join(sorted([*operations, *(["HEAD"] if "GET" in operations else [])]))
        raise problem("method-not-allowed", _("Use %(methods)s.") % {"methods": allowed}, {"Allow": allowed})
    # 2)
    person = _who(request, operation)
    # 3)
    for name, value in given.items():
        if list(schema.faults(PLACES[name][1], str(value))):
            raise not_found()
    # 4)
    query = _query(request, operation)
    # 5)
    body, files, content = _body(request, operation)
    # 6)
    key = request.headers.get("Idempotency-Key")
    call = Call(request, person, timezone.now(), query, body, files)
    if key is None or not operation.takes_key:
        return _response(operation.run(call, **given))
    if not re.fullmatch(rules.KEY.strip("^$"), key):
        raise of_faults([schema.Fault("/Idempotency-Key", "wrong_form")], where="header")
    return _once(request, operation, call, given, content, key)


def _who(request: HttpRequest, operation: Operation) -> User:
    now = timezone.now()
    token = queries.token_shown(programs.bearer(request), now=now) if operation.scope is not None else None
    if token is None:
        key = f"api.unknown:{visitor.household(request)}"
        if seconds := programs.wait_for(key, rate=rules.UNKNOWN_RATE, per=rules.UNKNOWN_PER):
            raise too_many(seconds)
        if operation.scope is None:
            return User()
        raise problem(
            "unauthorised",
            _("Make a token on the page “Programs”, and send it as Authorization: Bearer TOKEN."),
            {"WWW-Authenticate": "Bearer"},
        )
    if seconds := programs.wait_for(f"api.token:{token.pk}", rate=rules.RATE, per=rules.PER):
        raise too_many(seconds)
    actions.note_use(token=token, now=now)
    _hold_scope(token, operation)
    return token.owner


def _hold_scope(token: AccessToken, operation: Operation) -> None:
    if operation.scope not in token.scopes:
        wanted = str(operation.scope)
        raise problem(
            "missing-scope",
            _("This needs a token with the scope %(scope)s.") % {"scope": wanted},
            {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{wanted}"'},
            scope=wanted,
        )


def _query(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wrong: list[schema.Fault] = []
    for name, values in request.GET.lists():
        wanted = operation.query.get(name)
        if wanted is None:
            wrong.append(schema.Fault(f"/{name[:60]}", schema.UNKNOWN))
            continue
        value: Any = values[-1]
        if wanted.get("type") == "integer" and re.fullmatch(r"-?(0|[1-9][0-9]{0,8})", value):
            value = int(value)
        wrong += [
            schema.Fault(f"/{name}{each.pointer}", each.code, each.limit) for each in schema.faults(wanted, value)
        ]
        wrong += [schema.Fault(f"/{name}", "twice")] if len(values) > 1 else []
        found[name] = value
    if wrong:
        raise of_faults(wrong, where="query")
    return found


def _body(request: HttpRequest, operation: Operation) -> tuple[Any, Mapping[str, Any], bytes]:
    wanted = operation.body
    if wanted is None:
        return None, {}, b""
    if operation.multipart:
        return _form(request, wanted)
    if request.content_type != "application/json":
        raise problem("unsupported-media-type", _("Send the body as application/json."))
    content = programs.content_of(request, rules.LONGEST_BODY)
    if content is None:
        raise problem("too-large", _("A body has at most %(bytes)s bytes.") % {"bytes": rules.LONGEST_BODY})
    try:
        body = programs.read_json(content)
    except ValueError:
        raise of_faults([schema.Fault("", "no_json")]) from None
    if wrong := list(schema.faults(wanted, body)):
        raise of_faults(wrong)
    return _without_surrogates(body), {}, content


def _without_surrogates(value: Any) -> Any:
    """Half a character, which JSON can name and no encoding can write, and NUL, which no database column takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {name: _without_surrogates(each) for name, each in value.items()}
    return [_without_surrogates(each) for each in value] if isinstance(value, list) else value


def _form(request: HttpRequest, wanted: schema.Json) -> tuple[Any, Mapping[str, Any], bytes]:
    """A form with a file. What is called a file in the contract must come as one, and the rest as text."""
    if request.content_type != "multipart/form-data":
        raise problem("unsupported-media-type", _("Send the body as multipart/form-data."))
    members = wanted["properties"]
    binary = {name for name, each in members.items() if each.get("format") == "binary"}
    try:
        texts = {name: values[-1] for name, values in request.POST.lists()}
        files: dict[str, Any] = dict(request.FILES.items())
    except MultiPartParserError:
        raise of_faults([schema.Fault("", "no_form")]) from None
    wrong = [schema.Fault(f"/{name}", schema.WRONG_TYPE, "file") for name in binary & set(texts)]
    texts = {name: value for name, value in texts.items() if name not in binary}
    plain = {name: each for name, each in members.items() if name not in binary}
    needed = wanted.get("required", [])
    of_texts = wanted | {"properties": plain, "required": [name for name in needed if name not in binary]}
    wrong += schema.faults(of_texts, texts)
    wrong += [schema.Fault(f"/{name}", schema.REQUIRED) for name in binary & set(needed) if name not in files]
    wrong += [schema.Fault(f"/{name[:60]}", schema.UNKNOWN) for name in set(files) - binary]
    if wrong:
        raise of_faults(wrong)
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode())
    for name in sorted(files):
        for chunk in files[name].chunks():
            digest.update(chunk)
        files[name].seek(0)
    return _without_surrogates(texts), files, digest.digest()


def _once(
    request: HttpRequest, operation: Operation, call: Call, given: dict[str, Any], content: bytes, key: str
) -> HttpResponse:
    found = actions.fingerprint(method=operation.method, path=request.get_full_path(), content=content)
    with actions.working_on(owner=call.person, key=key) as ours:
        return _claimed(operation, call, given, key, found, ours=ours)


def _claimed(
    operation: Operation, call: Call, given: dict[str, Any], key: str, found: str, *, ours: bool
) -> HttpResponse:
    try:
        claimed = actions.claim(owner=call.person, key=key, fingerprint=found, ours=ours, now=call.now)
    except actions.KeyReused:
        raise problem("key-reused", _("Use a new key for a different request.")) from None
    except actions.InProgress:
        raise problem("in-progress", _("Ask again in a few seconds."), {"Retry-After": "5"}) from None
    if isinstance(claimed, actions.Kept):
        again = HttpResponse(claimed.body, status=claimed.status, headers=claimed.headers)
        again.headers["Idempotent-Replayed"] = "true"
        return again
    try:
        response = _response(operation.run(replace(call, id=claimed.pk), **given))
    except BaseException as error:
        # What broke may have been done or not: the same request goes on with it, at once.
        if isinstance(error, Problem) or of_error(error) is not None:
            actions.give_up(claimed)
        raise
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    actions.keep(claimed, status=response.status_code, headers=headers, body=response.content)
    return response


def _response(answer: Answer) -> HttpResponse:
    if answer.content is not None:
        response = HttpResponse(answer.content, status=answer.status, content_type=answer.media)
    elif answer.body is None:
        response = HttpResponse(status=answer.status)
        del response.headers["Content-Type"]
    else:
        response = JsonResponse(
            answer.body, status=answer.status, safe=False, json_dumps_params={"ensure_ascii": False}
        )
    if answer.tag:
        response.headers["ETag"] = f'"{answer.tag}"'
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response


@csrf_exempt
@never_cache
def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Every other address under the API."""
    code = asked_language(request)
    with translation.override(code):
        response = programs.answer_of(not_found())
    response.headers["Content-Language"] = code
    patch_vary_headers(response, ("Accept-Language",))
    return response
