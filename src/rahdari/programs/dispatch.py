"""How a request becomes an answer: the plan that every operation goes through.

1) the method  2) who asks, how often, and whether the token may  3) what varies in the address  4) the query
5) the body  6) the same key again  7) the act  8) the answer, or the problem

A cookie lets nobody in here, and nothing of a browser is asked for: a bearer token is sent by programs only.
"""

import hashlib
import json
import logging
import re
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace
from types import ModuleType
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from rahdari.web import errors, language

from . import answers, idempotency, schema
from .answers import Problem
from .operation import NAME_IN_PATH, Answer, Call, Interface, Operation
from .problems import not_found, of_error

log = logging.getLogger(__name__)
# Of an answer that is given again, these headers go with it.
KEPT_HEADERS = ("Content-Type", "ETag", "Location")


def patterns(interface: Interface, declared_in: ModuleType | None = None) -> list[URLPattern]:
    """An address for each path, called by its first operation; of one module alone, where rooms share an interface."""
    found = []
    for template, by_method in interface.by_path().items():
        first = next(iter(by_method.values()))
        if declared_in is None or first.run.__module__ == declared_in.__name__:
            rule = NAME_IN_PATH.sub(lambda name: f"<{interface.places[name[1]][0]}:{name[1]}>", template)
            found.append(path(f"{interface.base}{rule}".lstrip("/"), _view_of(interface, by_method), name=first.id))
    return found


def _view_of(interface: Interface, operations: Mapping[str, Operation]) -> Any:
    """One address: its operations by method."""

    @csrf_exempt
    @never_cache
    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        code = asked_language(request, interface.languages)
        with translation.override(code):
            response = _guarded(interface, operations, request, given)
        response.headers["Content-Language"] = code
        response.headers["Vary"] = "Accept-Language, Authorization"
        return response

    return view


def asked_language(request: HttpRequest, languages: Collection[str] = language.CODES) -> str:
    """By Accept-Language alone."""
    for tag, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:200]):
        code = str(tag).split("-")[0]
        if code in languages:
            return code
    return "en"


def _guarded(
    interface: Interface, operations: Mapping[str, Operation], request: HttpRequest, given: dict[str, Any]
) -> HttpResponse:
    try:
        return _answer(interface, operations, request, given)
    except Problem as found:
        return answers.answer_of(found)
    except (RequestDataTooBig, SuspiciousOperation, MultiPartParserError, BadRequest):
        return answers.answer_of(interface.problem("too-large", _("Send less at once.")))
    except (OperationalError, InterfaceError):
        log.exception("The database does not answer.")
        return answers.answer_of(interface.problem("away", _("Try again in a minute."), {"Retry-After": "60"}))
    except Exception as error:
        known = of_error(error)
        if known is not None:
            return answers.answer_of(known)
        number = errors.error_number()
        match = request.resolver_match
        log.exception("Error number %s at %s %s", number, request.method, match.view_name if match else "")
        return answers.answer_of(interface.problem("broke", _("Tell us this number: %(number)s") % {"number": number}))


def _answer(
    interface: Interface, operations: Mapping[str, Operation], request: HttpRequest, given: dict[str, Any]
) -> HttpResponse:
    # 1)
    method = "GET" if request.method == "HEAD" else request.method or ""
    operation = operations.get(method)
    if operation is None:
        allowed = ", ".join(sorted([*operations, *(["HEAD"] if "GET" in operations else [])]))
        raise interface.problem("method-not-allowed", _("Use %(methods)s.") % {"methods": allowed}, {"Allow": allowed})
    # 2)
    caller = interface.who(request, operation)
    # 3)
    for name, value in given.items():
        if list(schema.faults(interface.places[name][1], str(value))):
            raise interface.problem("not-found", _("It is not there, or it is not yours."))
    # 4)
    query = _query(interface, request, operation)
    # 5)
    body, files, content = _body(interface, request, operation)
    # 6)
    key = request.headers.get("Idempotency-Key")
    call = interface.call(request, caller, timezone.now(), query, body, files)
    if key is None or not operation.takes_key:
        return _response(operation.run(call, **given))
    if not re.fullmatch(idempotency.KEY.strip("^$"), key):
        raise interface.of_faults([schema.Fault("/Idempotency-Key", "wrong_form")], where="header")
    return _once(interface, operation, call, given, content, key)


def _query(interface: Interface, request: HttpRequest, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wrong: list[schema.Fault] = []
    for name, values in request.GET.lists():
        wanted = operation.query.get(name)
        if wanted is None:
            wrong.append(schema.Fault(f"/{name[:60]}", schema.UNKNOWN))
            continue
        value: Any = values[-1]
        if wanted.get("type") == "integer" and re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", value):
            value = int(value)
        wrong += [
            schema.Fault(f"/{name}{each.pointer}", each.code, each.limit) for each in schema.faults(wanted, value)
        ]
        wrong += [schema.Fault(f"/{name}", "twice")] if len(values) > 1 else []
        found[name] = value
    if wrong:
        raise interface.of_faults(wrong, where="query")
    return found


def _body(interface: Interface, request: HttpRequest, operation: Operation) -> tuple[Any, Mapping[str, Any], bytes]:
    wanted = operation.body
    if wanted is None:
        return None, {}, b""
    if operation.multipart:
        return _form(interface, request, wanted)
    if request.content_type != "application/json":
        raise interface.problem("unsupported-media-type", _("Send the body as application/json."))
    longest = operation.longest_body or interface.longest_body
    content = answers.content_of(request, longest)
    if content is None:
        raise interface.problem("too-large", _("A body has at most %(bytes)s bytes.") % {"bytes": longest})
    try:
        body = _without_surrogates(answers.read_json(content))
    except ValueError:
        raise interface.of_faults([schema.Fault("", "no_json")]) from None
    if wrong := list(schema.faults(wanted, body)):
        raise interface.of_faults(wrong)
    return body, {}, content


def _without_surrogates(value: Any) -> Any:
    """Half a character, which JSON can name and no encoding can write, and NUL, which no database column takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(each) for name, each in value.items()}
    return [_without_surrogates(each) for each in value] if isinstance(value, list) else value


def _form(interface: Interface, request: HttpRequest, wanted: schema.Json) -> tuple[Any, Mapping[str, Any], bytes]:
    """A form with a file. What is called a file in the contract must come as one, and the rest as text."""
    if request.content_type != "multipart/form-data":
        raise interface.problem("unsupported-media-type", _("Send the body as multipart/form-data."))
    members = wanted["properties"]
    binary = {name for name, each in members.items() if each.get("format") == "binary"}
    try:
        texts = {name: values[-1] for name, values in request.POST.lists()}
        files: dict[str, Any] = dict(request.FILES.items())
    except MultiPartParserError:
        raise interface.of_faults([schema.Fault("", "no_form")]) from None
    wrong = [schema.Fault(f"/{name}", schema.WRONG_TYPE, "file") for name in binary & set(texts)]
    texts = {name: value for name, value in texts.items() if name not in binary}
    # That a file came as one is known: any text stands for it.
    wrong += schema.faults(wanted, texts | dict.fromkeys(binary & set(files), "file"))
    wrong += [schema.Fault(f"/{name[:60]}", schema.UNKNOWN) for name in set(files) - binary]
    if wrong:
        raise interface.of_faults(wrong)
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode())
    for name in sorted(files):
        for chunk in files[name].chunks():
            digest.update(chunk)
        files[name].seek(0)
    return _without_surrogates(texts), files, digest.digest()


def _once(
    interface: Interface, operation: Operation, call: Call[Any], given: dict[str, Any], content: bytes, key: str
) -> HttpResponse:
    assert interface.attempts is not None  # noqa: S101 (the operation takes a key)
    print_of = idempotency.fingerprint(method=operation.method, path=call.request.get_full_path(), content=content)
    facts = {"owner": call.caller, "key": key, "fingerprint": print_of, "now": call.now}
    with idempotency.working_on(owner=call.caller, key=key) as ours:
        try:
            claimed = idempotency.claim(interface.attempts, ours=ours, **facts)
        except idempotency.KeyReused:
            raise interface.problem("key-reused", _("Use a new key for a different request.")) from None
        except idempotency.InProgress:
            raise interface.problem("in-progress", _("Ask again in a few seconds."), {"Retry-After": "5"}) from None
        if isinstance(claimed, idempotency.Kept):
            again = HttpResponse(claimed.body, status=claimed.status, headers=claimed.headers)
            again.headers["Idempotent-Replayed"] = "true"
            return again
        return _kept(interface, claimed, operation, call, given)


def _kept(
    interface: Interface, attempt: idempotency.Attempt, operation: Operation, call: Call[Any], given: dict[str, Any]
) -> HttpResponse:
    try:
        with transaction.atomic() if interface.acts_are_whole else nullcontext():
            response = _response(operation.run(replace(call, id=attempt.pk), **given))
            headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
            idempotency.keep(attempt, status=response.status_code, headers=headers, body=response.content)
    except BaseException as error:
        # What broke may have been done or not: the same request goes on with it, at once.
        if isinstance(error, Problem) or of_error(error) is not None:
            idempotency.give_up(attempt)
        raise
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


def nothing_here(interface: Interface) -> Any:
    """For every other address under it."""

    @csrf_exempt
    @never_cache
    def view(request: HttpRequest, rest: str = "") -> HttpResponse:
        code = asked_language(request, interface.languages)
        with translation.override(code):
            response = answers.answer_of(not_found())
        response.headers["Content-Language"] = code
        patch_vary_headers(response, ("Accept-Language",))
        return response

    return view
