"""What an operator's own system does with its checks. The same questions and the same rules as on the page.

The samples answer under `/sandbox`, by the same rules, and touch nothing real.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.address import format_block
from rahdari.programs import openapi as contract
from rahdari.programs import webhooks
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import problem
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.register.rules import stamp

from . import callbacks, queries, questions, rules, sandbox, tokens, words
from .interface import MOST_ANSWERS, MOST_LISTED, OPERATORS, Call, Scope, page
from .models import Callback, Channel, SubscriberQuestion
from .rules import AnswerTrouble, Given, OperatorAnswer, QuestionKind

REASONS = sorted({reason for kind in QuestionKind for reason in rules.REASONS[kind]})
ANSWER: Json = {
    "answer": text(1000, description=f"One of: {', '.join(OperatorAnswer)}."),
    "reason": or_null(text(1000, description=f"With a no: {', '.join(REASONS)}, or its number on the page.")),
    "reference": or_null(
        text(
            1000,
            description="With a yes about a mobile number: your own word for the line, opaque and never used again for "
            f"another one, as {rules.REFERENCE.pattern}. From then on we keep this and no number.",
        )
    ),
}
ANSWER_ONE = named("Answer", closed({"answer": ANSWER["answer"]}, ANSWER))
# Of many, one without an answer is told of by itself.
ONE_OF_MANY = closed({"check": text(1000)}, ANSWER | {"answer": or_null(ANSWER["answer"])})
ANSWER_MANY = named("Answers", closed({"answers": listed(ONE_OF_MANY, MOST_ANSWERS)}))
FIRST = {"check": text(12), "kind": choice(*QuestionKind), "asked_at": MOMENT, "answer_until": MOMENT}
ABOUT = {
    "subscriber": text(description="Your subscriber number, as the applicant gave it; of the kind mobile, the number."),
    "address": text(49, description="An IPv4 or IPv6 address, or a prefix."),
    "name_masked": text(description="First and last letter of each word."),
    "reason": choice(*REASONS),
}
GIVEN = {"answer": choice(*OperatorAnswer), "answered_at": MOMENT}
CHECK = named("Check", closed(FIRST, ABOUT | GIVEN))
ANSWERED = named("Answered", closed(FIRST | GIVEN | {"new": TRUTH}, ABOUT))
PAGE = named("Page", closed({"checks": listed(CHECK), "next": or_null(text(200))}))
RESULT = closed(
    {"check": text(20), "taken": TRUTH},
    {"new": TRUTH, "code": choice(*AnswerTrouble), "detail": text(1000)},
)
RESULTS = named("Results", closed({"results": listed(RESULT), "taken": whole(0, MOST_ANSWERS)}))
DELIVERY = closed({"finding": text(30), "status": or_null(whole(100, 599)), "tries": whole(0, 100)})
CALLBACK = {
    "url": text(500),
    "since": MOMENT,
    "state": choice("working", "failing", "stopped"),
    "last_delivery": or_null(DELIVERY),
}
CALLBACK_NOW = named("CallbackNow", closed({"callback": or_null(named("Callback", closed(CALLBACK)))}))
CALLBACK_WANTED = named("CallbackWanted", closed({"url": text(500)}))
SENT = named("Sent", closed({"sent": {"type": "boolean", "const": True}}))
CALLBACK_MADE = named("CallbackMade", closed(CALLBACK | {"secret": text()}))

LIST: dict[str, Any] = {"ok": Ok("A page of checks.", PAGE), "query": page(MOST_LISTED, 100)}
ONE = Ok("The check.", CHECK)
ANSWER_IT: dict[str, Any] = {
    "ok": Ok("The check with its answer.", ANSWERED),
    "body": ANSWER_ONE,
    "problems": ("answer-not-taken",),
}
ANSWER_ALL: dict[str, Any] = {"ok": Ok("What became of each, in their order.", RESULTS), "body": ANSWER_MANY}
# The same answer again changes nothing. A kept one would have what identifies a subscriber longer than its time.
desk = OPERATORS.part("checks", Scope.DESK, keyed=False)
samples = OPERATORS.part("samples", Scope.SAMPLES, keyed=False)
# An answer may have a secret, which is told once.
callback = OPERATORS.part("callback", Scope.DESK, keyed=False)


@never_cache
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(contract.document(OPERATORS), json_dumps_params={"indent": 1})


# -- checks --------------------------------------------------------------------------------------------------------


def question_json(question: SubscriberQuestion) -> Json:
    """A check as a program sees it; what has no value is not there."""
    facts = {
        "check": question.number,
        "kind": str(question.kind),
        "subscriber": question.subscriber,
        "address": format_block(question.network) if question.network else "",
        "name_masked": question.name_masked,
        "asked_at": stamp(question.asked_at),
        "answer_until": stamp(question.due_at),
        "answer": question.answer,
        "reason": question.reason,
        "answered_at": stamp(question.answered_at) if question.answered_at else "",
    }
    return {name: value for name, value in facts.items() if value}


@desk("GET", "/checks", **LIST)
def list_checks(call: Call) -> Answer:
    """Open checks, oldest first.

    `next` is the cursor of the page after this one.
    """
    cursor, limit = call.query.get("after", ""), call.query.get("limit", 100)
    try:
        found, following = queries.open_after(operator=call.caller.operator, cursor=cursor, at_most=limit)
    except ValueError:
        raise _bad_cursor() from None
    tokens.note_fetched(questions=found, token=call.caller, now=call.now)
    return Answer({"checks": [question_json(each) for each in found], "next": following or None})


def _bad_cursor() -> Problem:
    return problem("bad-cursor", "Give `after` as it stood in `next`, or leave it out.")


@desk("GET", "/checks/{number}", ONE)
def get_check(call: Call, number: str) -> Answer:
    """One check."""
    found = _found(call, number)
    tokens.note_fetched(questions=[found], token=call.caller, now=call.now)
    return Answer(question_json(found))


def _found(call: Call, number: str) -> SubscriberQuestion:
    try:
        return queries.question_for_operator(operator=call.caller.operator, number=number)
    except queries.QuestionNotFound:
        raise problem("no-such-check", "No check of yours has this number.") from None


@desk("POST", "/checks/{number}", **ANSWER_IT)
def answer_check(call: Call, number: str) -> Answer:
    """Answer it; the same answer again changes nothing, another one takes its place."""
    found = _found(call, number)
    new = _take(call, found, call.body)
    found.refresh_from_db()
    return Answer({**question_json(found), "new": new})


def _take(call: Call, found: SubscriberQuestion, given: Json) -> bool:
    try:
        return questions.read_and_answer(
            question=found,
            word=given.get("answer") or "",
            reason=given.get("reason") or "",
            reference=given.get("reference") or "",
            channel=Channel.API,
            by=f"token:{call.caller.pk}",
            now=call.now,
        )
    except questions.AnswerNotTaken as error:
        raise _not_taken(found.number, error.trouble) from None


def _not_taken(number: str, trouble: AnswerTrouble) -> Problem:
    return problem("answer-not-taken", words.trouble(trouble), check=number, code=str(trouble))


@desk("POST", "/answers", **ANSWER_ALL)
def answer_checks(call: Call) -> Answer:
    """Answer up to 1,000 checks; each is taken or not by itself."""

    def take(number: str, given: Json) -> bool:
        try:
            found = queries.question_for_operator(operator=call.caller.operator, number=number)
        except queries.QuestionNotFound:
            raise _not_taken(number, AnswerTrouble.UNKNOWN_CHECK) from None
        return _take(call, found, given)

    return _each(call, take)


def _each(call: Call, take: Callable[[str, Json], bool]) -> Answer:
    results: list[Json] = []
    seen: set[str] = set()
    for given in call.body["answers"]:
        number = given["check"].strip().upper()[:20]
        try:
            if number in seen:
                raise _not_taken(number, AnswerTrouble.TWICE)
            seen.add(number)
            results.append({"check": number, "taken": True, "new": take(number, given)})
        except Problem as found:
            results.append({"check": number, "taken": False, "code": found.more["code"], "detail": found.detail})
    return Answer({"results": results, "taken": sum(each["taken"] for each in results)})


# -- callback ------------------------------------------------------------------------------------------------------


def _callback(found: Callback) -> Json:
    last = queries.deliveries_of(found).first()
    about = {"finding": last.finding or "on_its_way", "status": last.status, "tries": last.tries} if last else None
    return {"url": found.url, "since": stamp(found.made_at), "state": found.state, "last_delivery": about}


@callback("GET", "/callback", Ok("The callback, or null.", CALLBACK_NOW))
def get_callback(call: Call) -> Answer:
    """Where you are told of new checks."""
    standing = queries.callback_of(operator=call.caller.operator)
    return Answer({"callback": _callback(standing) if standing else None})


@callback(
    "PUT",
    "/callback",
    Ok("The callback with its secret.", CALLBACK_MADE, 201),
    body=CALLBACK_WANTED,
    problems=("callback-not-taken",),
)
def set_callback(call: Call) -> Answer:
    """Set it, in place of the one before; gives the signing secret, this once."""
    try:
        found, secret = callbacks.register_callback(
            operator=call.caller.operator, url=call.body["url"].strip(), by=f"token:{call.caller.pk}", now=call.now
        )
    except webhooks.PlaceNotTaken as error:
        detail = "Give an https address of a public host, on port 443 or 8443, without a user name."
        raise problem("callback-not-taken", detail, code=str(error.outcome)) from None
    return Answer({**_callback(found), "secret": secret}, 201)


@callback(
    "POST",
    "/callback/secret",
    Ok("The new secret. For 24 hours events carry a signature by the old one too.", CALLBACK_MADE, 201),
    problems=("no-callback",),
)
def change_callback_secret(call: Call) -> Answer:
    """Change its secret."""
    found = queries.callback_of(operator=call.caller.operator)
    if found is None:
        raise _no_callback()
    secret = callbacks.change_callback_secret(callback=found, by=f"token:{call.caller.pk}", now=call.now)
    return Answer({**_callback(found), "secret": secret}, 201)


def _no_callback() -> Problem:
    return problem("no-callback", "Give a callback first: PUT /op/v1/callback.")


@callback("DELETE", "/callback", Ok("Done.", status=204))
def end_callback(call: Call) -> Answer:
    """Be told nothing any more."""
    callbacks.end_callback(operator=call.caller.operator, by=f"token:{call.caller.pk}", now=call.now)
    return Answer(status=204)


@callback("POST", "/callback/test", Ok("It is on its way.", SENT, 202), problems=("no-callback",))
def test_callback(call: Call) -> Answer:
    """Send an event about nothing to the callback."""
    if callbacks.send_test_event(operator=call.caller.operator, now=call.now) is None:
        raise _no_callback()
    return Answer({"sent": True}, 202)


# -- samples -------------------------------------------------------------------------------------------------------


def _sample(found: sandbox.Sample, now: dt.datetime) -> Json:
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


@samples("GET", "/sandbox/checks", **LIST)
def list_samples(call: Call) -> Answer:
    """Open samples."""
    after, limit = call.query.get("after", ""), call.query.get("limit", 100)
    places = {"": 0} | {each.number: place for place, each in enumerate(sandbox.SAMPLES, start=1)}
    if after not in places:
        raise _bad_cursor()
    start = places[after]
    found = sandbox.SAMPLES[start : start + limit]
    more = start + limit < len(sandbox.SAMPLES)
    return Answer({"checks": [_sample(each, call.now) for each in found], "next": found[-1].number if more else None})


@samples("GET", "/sandbox/checks/{number}", ONE)
def get_sample(call: Call, number: str) -> Answer:
    """One sample."""
    return Answer(_sample(_sample_of(number), call.now))


def _sample_of(number: str) -> sandbox.Sample:
    found = sandbox.by_number(number)
    if found is None:
        raise problem("no-such-check", "No sample has this number.")
    return found


@samples("POST", "/sandbox/checks/{number}", **ANSWER_IT)
def answer_sample(call: Call, number: str) -> Answer:
    """Answer a sample, by the same rules."""
    found = _sample_of(number)
    given = _practise(found, call.body)
    found_answer = {"answer": str(given.answer), "answered_at": stamp(call.now), "new": True}
    return Answer({**_sample(found, call.now), **found_answer, **({"reason": given.reason} if given.reason else {})})


def _practise(found: sandbox.Sample, given: Json) -> Given:
    read = rules.read_answer(
        QuestionKind(found.kind),
        word=given.get("answer") or "",
        reason=given.get("reason") or "",
        reference=given.get("reference") or "",
        number=found.subscriber if found.kind is QuestionKind.MOBILE else "",
    )
    if isinstance(read, AnswerTrouble):
        raise _not_taken(found.number, read)
    return read


@samples("POST", "/sandbox/answers", **ANSWER_ALL)
def answer_samples(call: Call) -> Answer:
    """Answer samples; each is taken or not by itself."""

    def take(number: str, given: Json) -> bool:
        found = sandbox.by_number(number)
        if found is None:
            raise _not_taken(number, AnswerTrouble.UNKNOWN_CHECK)
        return bool(_practise(found, given))

    return _each(call, take)
