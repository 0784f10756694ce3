"""A mobile number instead of addresses: its code, its operator's answer; and a registered number that was taken to
another operator. The code goes to the SIM: whoever holds it gives it to the program.
"""

from typing import Any

from django.utils.translation import gettext as _

from rahdari.applicant import mobile as numbers
from rahdari.applicant.mobile import CodeForm, NumberForm
from rahdari.confirm import words
from rahdari.mobile import actions, rules
from rahdari.mobile.models import MobileNumber
from rahdari.mobile.rules import MobileState
from rahdari.people.acting import Reached
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import (
    IMPOSSIBLE,
    REFUSED,
    error,
    impossible,
    not_found,
    not_taken,
    of_form,
    plain,
    too_many,
)
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text
from rahdari.publish import queries as networks
from rahdari.sms import codes as number_codes
from rahdari.web import visitor

from .applications import ONE, READ, WRITE, own
from .interface import API, Call
from .registrations import ONE as REGISTRATION
from .registrations import READ as READ_REGISTRATION
from .registrations import WRITE as WRITE_REGISTRATION
from .registrations import valid
from .serializers import stamp_or_none

read = API.part("mobile numbers", READ)
write = API.part("mobile numbers", WRITE)
read_registration = API.part("mobile numbers", READ_REGISTRATION)
write_registration = API.part("mobile numbers", WRITE_REGISTRATION)
MOBILE = named(
    "MobileNumber",
    closed(
        {
            "state": choice("none", *(str(state) for state in MobileState if state != MobileState.ENDED)),
            "number": text(20),
            "code": choice("none", "sent", "wrong", "over"),
            "operator": or_null(text(60)),
            "operators": listed(closed({"key": text(60), "name": text(200), "proposed": {"type": "boolean"}})),
            "check": or_null(text(12)),
            "asked_at": or_null(MOMENT),
            "due_at": or_null(MOMENT),
            "answered_at": or_null(MOMENT),
            "answer": choice("", "yes", "no", "unknown"),
            "reason": text(30),
            "text": text(2000),
        }
    ),
)
NUMBER = closed({"number": text(60), "sim": choice("me", "other")})
CODE = closed({"code": text(60)})
OPERATOR = closed({"operator": text(60)})


def _said(line: MobileNumber | None, call: Call) -> Json:
    if line is None:
        return {
            "state": "none",
            "number": "",
            "code": "none",
            "operator": None,
            "operators": [],
            "check": None,
            "asked_at": None,
            "due_at": None,
            "answered_at": None,
            "answer": "",
            "reason": "",
            "text": "",
        }
    listed_ones = list(networks.mobile_operators())
    form = numbers.operator_form(line, listed_ones)
    field: Any = form.fields["operator"] if form is not None else None
    open_ones = [key for key, _name in field.choices] if field is not None else []
    proposed = field.initial if field is not None else None
    return {
        "state": line.state,
        "number": rules.masked(line.asked or line.number),
        "code": _code(line, call),
        "operator": line.operator or None,
        "operators": [
            {"key": each.slug, "name": plain(each.name), "proposed": each.slug == proposed}
            for each in listed_ones
            if each.slug in open_ones
        ],
        "check": line.check_number or None,
        "asked_at": stamp_or_none(line.asked_at),
        "due_at": stamp_or_none(line.check_due_at),
        "answered_at": stamp_or_none(line.answered_at),
        "answer": line.answer,
        "reason": line.reason,
        "text": plain(words.reason(line.reason)),
    }


def _code(line: MobileNumber, call: Call) -> str:
    """Whether a code is on its way, or a new one is needed: too many tries, or its time is over."""
    if line.state != MobileState.TYPED:
        return "none"
    match number_codes.has_ended(line, call.now):
        case "":
            return "sent"
        case "tries":
            return "wrong"
    return "over"


def _of_application(call: Call, reference: str) -> Reached[numbers.Place]:
    row, by = own(call, reference)
    if not row.is_mobile:
        raise not_found()
    if row.status not in {"draft", "submitted"}:
        raise impossible("decided", _("It is already decided: nothing about its number is missing."))
    return Reached(numbers.place_of_application(row), by)


def _of_registration(call: Call, reference: str) -> Reached[numbers.Place]:
    found, by = valid(call, reference)
    place = numbers.place_of_registration(found)
    if place is None:
        raise not_found()
    return Reached(place, by)


def _line(place: numbers.Place) -> MobileNumber:
    if place.line is None:
        raise impossible("no_number", _("Send the number first."))
    return place.line


def _send_code(reached: Reached[numbers.Place], call: Call) -> Answer:
    place, by = reached
    form = NumberForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    try:
        line = numbers.send_code(
            place,
            user=call.person,
            number=form.cleaned_data["number"],
            network=visitor.household(call.request),
            actor=by.actor,
            now=call.now,
        )
    except number_codes.TooManyCodes as found:
        raise too_many(str(int(found.wait.total_seconds()) + 1)) from None
    except number_codes.SmsNotSetUp:
        raise impossible("no_sms", numbers.no_sms()) from None
    return Answer(_said(line, call), 202)


def _take_code(reached: Reached[numbers.Place], call: Call) -> Answer:
    line, by = _line(reached.row), reached.by
    form = CodeForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    if line.state != MobileState.TYPED:
        raise impossible("no_code", _("No code is expected."))
    try:
        line = actions.confirm_number(
            line=line, user=call.person, code=form.cleaned_data["code"], actor=by.actor, now=call.now
        )
    except number_codes.CodeWrong as found:
        raise not_taken([error("/code", "wrong", numbers.wrong_code(found))]) from None
    except number_codes.CodeEnded:
        raise impossible(
            "code_over", _("This code is no longer valid. Send the number again to get a new one.")
        ) from None
    except number_codes.NoCodeWaiting:
        raise impossible("no_code", _("No code is expected.")) from None
    return Answer(_said(line, call))


def _ask(reached: Reached[numbers.Place], call: Call) -> Answer:
    place, by = reached
    line = _line(place)
    if line.state == MobileState.TYPED:
        raise impossible("not_confirmed", _("Confirm the number by its code first."))
    if not place.name:
        raise impossible("no_name", _("First answer who applies: we ask the operator about a name."))
    form = numbers.operator_form(line, list(networks.mobile_operators()), call.body)
    if form is None:
        if line.state == MobileState.ASKED and line.operator == call.body["operator"]:
            return Answer(_said(line, call), 202)
        raise impossible("answered", _("We have already asked its operator."))
    if not form.is_valid():
        raise of_form(form)
    try:
        line = numbers.ask_operator(place, line, form.cleaned_data["operator"], actor=by.actor, now=call.now)
    except actions.MoveNotAllowed:
        raise impossible("answered", _("We have already asked its operator.")) from None
    return Answer(_said(line, call), 202)


# -- of an application -------------------------------------------------------------------------------------------------


@read(
    "GET",
    f"{ONE}/mobile",
    Ok("How far it has come; `operators` are those that can be asked now.", MOBILE),
    problems=IMPOSSIBLE,
)
def get_mobile(call: Call, reference: str) -> Answer:
    """How its mobile number stands.

    The number is shown masked, and only until its operator has answered: then it is deleted here.
    """
    place = _of_application(call, reference).row
    return Answer(_said(place.line or place.follows, call))


@write("POST", f"{ONE}/mobile/number", Ok("A code is on its way by SMS.", MOBILE, 202), body=NUMBER, problems=REFUSED)
def give_number(call: Call, reference: str) -> Answer:
    """Give the mobile number: a code goes to it.

    `sim` says in whose name the SIM is: `me`, or `other`, which cannot be registered. The same number again sends
    another code.
    """
    return _send_code(_of_application(call, reference), call)


@write("POST", f"{ONE}/mobile/code", Ok("The number is confirmed.", MOBILE), body=CODE, problems=REFUSED)
def give_code(call: Call, reference: str) -> Answer:
    """Give the code that came by SMS.

    Three tries for a code, as on the page.
    """
    return _take_code(_of_application(call, reference), call)


@write(
    "POST", f"{ONE}/mobile/operator", Ok("The operator has the question.", MOBILE, 202), body=OPERATOR, problems=REFUSED
)
def ask_operator(call: Call, reference: str) -> Answer:
    """Ask its operator.

    When an operator says that the number is another one's, that other one can be asked.
    """
    return _ask(_of_application(call, reference), call)


# -- of a registration: the number was taken to another operator, or is another one ------------------------------------


@read_registration(
    "GET", f"{REGISTRATION}/mobile", Ok("How far it has come; `none` while nothing moves.", MOBILE), problems=IMPOSSIBLE
)
def get_moved_number(call: Call, reference: str) -> Answer:
    """How the move of its mobile number stands."""
    return Answer(_said(_of_registration(call, reference).row.line, call))


@write_registration(
    "POST",
    f"{REGISTRATION}/mobile/number",
    Ok("A code is on its way by SMS.", MOBILE, 202),
    body=NUMBER,
    problems=REFUSED,
)
def move_number(call: Call, reference: str) -> Answer:
    """Move a registered number: a code goes to it.

    For a number that was taken to another operator, or another number in its place. The old one stays with its
    operator for the overlap of the policy.
    """
    return _send_code(_of_registration(call, reference), call)


@write_registration(
    "POST", f"{REGISTRATION}/mobile/code", Ok("The number is confirmed.", MOBILE), body=CODE, problems=REFUSED
)
def give_code_of_moved(call: Call, reference: str) -> Answer:
    """Give the code of a moved number."""
    return _take_code(_of_registration(call, reference), call)


@write_registration(
    "POST",
    f"{REGISTRATION}/mobile/operator",
    Ok("The operator has the question.", MOBILE, 202),
    body=OPERATOR,
    problems=REFUSED,
)
def ask_operator_of_moved(call: Call, reference: str) -> Answer:
    """Ask the operator of a moved number."""
    return _ask(_of_registration(call, reference), call)
