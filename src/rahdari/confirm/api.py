"""`/op/v1/`: an operator's own system lists its open checks and answers them. docs/confirm.md shows each call.

The same questions and the same rules as on the page. Errors are problem+json, listed in `problems`.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.address import format_block

from . import actions, openapi_document, queries, rules, sandbox
from .models import ApiToken, Callback, SubscriberQuestion, Way
from .problems import Problem, body_of, endpoint, members_of, text_in
from .rules import AnswerTrouble, Given, QuestionKind

MOST_ANSWERS = 1_000
MOST_LISTED = 500
TROUBLES: dict[AnswerTrouble, str] = {
    AnswerTrouble.UNKNOWN_ANSWER: "`answer` is yes, no or unknown.",
    AnswerTrouble.NO_REASON: "A no needs a `reason`.",
    AnswerTrouble.UNKNOWN_REASON: "There is no such `reason` for this kind of check.",
    AnswerTrouble.REASON_WITHOUT_NO: "A `reason` goes with a no only.",
    AnswerTrouble.UNKNOWN_CHECK: "No check of yours has this number.",
    AnswerTrouble.CLOSED: "This check is closed and needs no answer any more.",
    AnswerTrouble.TWICE: "This check is answered twice in one request.",
    AnswerTrouble.NO_REFERENCE: "A yes about a mobile number needs a `reference`: your own word for the line.",
    AnswerTrouble.REFERENCE_UNUSABLE: "A `reference` has 8 to 64 of letters, digits and . _ ~ -",
    AnswerTrouble.REFERENCE_SAYS_THE_NUMBER: "A `reference` must not say the number. Use one that means nothing to us.",
    AnswerTrouble.OWN: "This check is about whoever answers. Somebody else of the operator answers it.",
    AnswerTrouble.REFERENCE_NOT_WANTED: "A `reference` goes with a yes about a mobile number only.",
}


def stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@never_cache
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(openapi_document.document(), json_dumps_params={"indent": 1})


# -- checks --------------------------------------------------------------------------------------------------------


def shown(question: SubscriberQuestion) -> dict[str, Any]:
    """A check as a program sees it; what has no value is not there."""
    facts = {
        "check": question.number,
        "kind": str(question.kind),
        "subscriber": question.subscriber,
        "address": format_block(question.network) if question.network else "",
        "name_masked": question.name_masked,
        "asked_at": stamp(question.asked_at),
        "answer_until": stamp(question.due_at),
        "answer": question.said,
        "reason": question.reason,
        "answered_at": stamp(question.answered_at) if question.answered_at else "",
    }
    return {name: value for name, value in facts.items() if value}


@endpoint("GET", "HEAD")
def questions(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Open checks, oldest first; `next` is the cursor of the page after this one."""
    try:
        found, following = queries.open_after(
            operator=token.operator, cursor=request.GET.get("after", "")[:200], at_most=_limit(request)
        )
    except ValueError:
        raise Problem(400, "bad-cursor", "Give `after` as it stood in `next`, or leave it out.") from None
    actions.note_fetched(questions=found, token=token, now=timezone.now())
    return JsonResponse({"checks": [shown(each) for each in found], "next": following or None})


def _limit(request: HttpRequest) -> int:
    text = request.GET.get("limit", "100")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST_LISTED):
        raise Problem(422, "invalid-body", f"`limit` is a number from 1 to {MOST_LISTED}.", field="limit")
    return int(text)


@endpoint("GET", "HEAD", "POST")
def question(request: HttpRequest, token: ApiToken, number: str) -> HttpResponse:
    """One check, and the answer to it: 200, whether it is new, the same again, or another than before."""
    try:
        found = queries.question_for_operator(operator=token.operator, number=number)
    except queries.QuestionNotFound:
        raise Problem(404, "no-such-check", "No check of yours has this number.") from None
    if request.method == "POST":
        given = body_of(request, "answer", "reason", "reference")
        new = _take(found, given, token)
        found.refresh_from_db()
        return JsonResponse({**shown(found), "new": new})
    actions.note_fetched(questions=[found], token=token, now=timezone.now())
    return JsonResponse(shown(found))


def _take(found: SubscriberQuestion, given: dict[str, Any], token: ApiToken) -> bool:
    try:
        return actions.read_and_answer(
            question=found,
            said=text_in(given, "answer", needed=True),
            reason=text_in(given, "reason"),
            reference=text_in(given, "reference"),
            way=Way.API,
            by=f"token:{token.pk}",
            now=timezone.now(),
        )
    except actions.AnswerNotTaken as error:
        raise _not_taken(found.number, error.trouble) from None


def _not_taken(number: str, trouble: AnswerTrouble) -> Problem:
    return Problem(422, "answer-not-taken", TROUBLES[trouble], check=number, code=str(trouble))


@endpoint("POST")
def answers(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Many answers: each is taken or not by itself, and the answer says which, in their order."""

    def take(given: dict[str, Any], number: str) -> dict[str, Any]:
        try:
            found = queries.question_for_operator(operator=token.operator, number=number)
        except queries.QuestionNotFound:
            raise _not_taken(number, AnswerTrouble.UNKNOWN_CHECK) from None
        return {"check": found.number, "taken": True, "new": _take(found, given, token)}

    return _each(request, take)


def _each(request: HttpRequest, take: Callable[[dict[str, Any], str], dict[str, Any]]) -> HttpResponse:
    listed = body_of(request, "answers").get("answers")
    if not isinstance(listed, list):
        raise Problem(422, "invalid-body", "`answers` is a list.", field="answers")
    if len(listed) > MOST_ANSWERS:
        raise Problem(413, "too-large", f"Send at most {MOST_ANSWERS} answers at once.")
    results, seen = [], set()
    for place, given in enumerate(listed):
        where = f"answers[{place}]."
        members_of(given, "check", "answer", "reason", "reference", where=where)
        number = text_in(given, "check", needed=True, where=where).strip().upper()[:20]
        try:
            if number in seen:
                raise _not_taken(number, AnswerTrouble.TWICE)
            seen.add(number)
            results.append(take(given, number))
        except Problem as problem:
            code = problem.more.get("code", problem.kind)
            results.append({"check": number, "taken": False, "code": code, "detail": problem.detail})
    return JsonResponse({"results": results, "taken": sum(1 for each in results if each["taken"])})


# -- callback ------------------------------------------------------------------------------------------------------


def _callback(found: Callback) -> dict[str, Any]:
    last = queries.deliveries_of(found).first()
    about = {"finding": last.finding or "on_its_way", "status": last.status, "tries": last.tries} if last else None
    return {"url": found.url, "since": stamp(found.made_at), "last_delivery": about}


@endpoint("GET", "HEAD", "PUT", "DELETE")
def callback(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """Where we call when there is a new check. PUT gives the signing secret, this once."""
    operator, by, now = token.operator, f"token:{token.pk}", timezone.now()
    if request.method == "PUT":
        try:
            found, secret = actions.register_callback(
                operator=operator, url=text_in(body_of(request, "url"), "url", needed=True).strip(), by=by, now=now
            )
        except actions.CallbackNotTaken as error:
            detail = "Give an https address of a public host, on port 443 or 8443, without a user name."
            raise Problem(422, "callback-not-taken", detail, code=str(error.outcome)) from None
        return JsonResponse({**_callback(found), "secret": secret}, status=201)
    if request.method == "DELETE":
        actions.end_callback(operator=operator, by=by, now=now)
        return HttpResponse(status=204)
    standing = queries.callback_of(operator=operator)
    return JsonResponse({"callback": _callback(standing) if standing else None})


@endpoint("POST")
def callback_test(request: HttpRequest, token: ApiToken) -> HttpResponse:
    if actions.send_test_event(operator=token.operator, now=timezone.now()) is None:
        raise Problem(409, "no-callback", "Give a callback first: PUT /op/v1/callback.")
    return JsonResponse({"sent": True}, status=202)


# -- samples -------------------------------------------------------------------------------------------------------


def _sample(found: sandbox.Sample, now: dt.datetime) -> dict[str, Any]:
    facts = {
        "check": found.number,
        "kind": str(found.kind),
        "subscriber": found.subscriber,
        "address": found.address,
        "name_masked": found.name_masked,
        "asked_at": stamp(now),
        "answer_until": stamp(sandbox.due_at(found, now)),
    }
    return {name: value for name, value in facts.items() if value}


@endpoint("GET", "HEAD", sandbox=True)
def sandbox_questions(request: HttpRequest, token: ApiToken) -> HttpResponse:
    limit, after = _limit(request), request.GET.get("after", "")
    places = {each.number: place for place, each in enumerate(sandbox.SAMPLES, start=1)}
    if after and after not in places:
        raise Problem(400, "bad-cursor", "Give `after` as it stood in `next`, or leave it out.")
    start = places.get(after, 0)
    page = sandbox.SAMPLES[start : start + limit]
    more = start + limit < len(sandbox.SAMPLES)
    now = timezone.now()
    return JsonResponse({"checks": [_sample(each, now) for each in page], "next": page[-1].number if more else None})


@endpoint("GET", "HEAD", "POST", sandbox=True)
def sandbox_question(request: HttpRequest, token: ApiToken, number: str) -> HttpResponse:
    found = sandbox.by_number(number)
    if found is None:
        raise Problem(404, "no-such-check", "No sample has this number.")
    now = timezone.now()
    if request.method == "POST":
        given = _practise(found, body_of(request, "answer", "reason", "reference"))
        said = {"answer": str(given.said), "answered_at": stamp(now), "new": True}
        return JsonResponse({**_sample(found, now), **said, **({"reason": given.reason} if given.reason else {})})
    return JsonResponse(_sample(found, now))


def _practise(found: sandbox.Sample, given: dict[str, Any]) -> Given:
    read = rules.read_answer(
        QuestionKind(found.kind),
        said=text_in(given, "answer", needed=True),
        reason=text_in(given, "reason"),
        reference=text_in(given, "reference"),
        number=found.subscriber if found.kind is QuestionKind.MOBILE else "",
    )
    if isinstance(read, AnswerTrouble):
        raise _not_taken(found.number, read)
    return read


@endpoint("POST", sandbox=True)
def sandbox_answers(request: HttpRequest, token: ApiToken) -> HttpResponse:
    def take(given: dict[str, Any], number: str) -> dict[str, Any]:
        found = sandbox.by_number(number)
        if found is None:
            raise _not_taken(number, AnswerTrouble.UNKNOWN_CHECK)
        _practise(found, given)
        return {"check": found.number, "taken": True, "new": True}

    return _each(request, take)
