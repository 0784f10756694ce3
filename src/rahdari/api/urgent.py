"""A holder who is cut off: one new address listed before its proof. The code goes to the number on file; whoever reads
it there gives it to the program.
"""

from typing import Any

from django.utils.translation import gettext as _

from rahdari.address import format_block
from rahdari.people.acting import Reached
from rahdari.people.adapter import current_language
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, error, impossible, not_found, not_taken, of_form, too_many
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, named, or_null, text
from rahdari.register.models import Registration
from rahdari.sms import codes
from rahdari.urgent import actions, queries, words
from rahdari.urgent.forms import NumberCodeForm, UrgentForm
from rahdari.urgent.models import UrgentEntry
from rahdari.urgent.rules import Cannot, State
from rahdari.web import visitor

from .interface import API, Call
from .registrations import ONE, READ, WRITE, held
from .serializers import stamp_or_none

TAG = "urgent addresses"
read = API.part(TAG, READ)
write = API.part(TAG, WRITE)
AT = f"{ONE}/urgent"
STATES = ("none", *(str(each) for each in State))
URGENT = named(
    "UrgentAddress",
    closed(
        {
            "state": choice(*STATES),
            "may_ask": TRUTH,
            "why_not": choice("", *(str(each) for each in Cannot)),
            "text": text(1000),
            "entry": or_null(text(36)),
            "address": or_null(text(49)),
            "reason": text(20),
            "code_until": or_null(MOMENT),
            "given_at": or_null(MOMENT),
            "until": or_null(MOMENT),
            "closed_at": or_null(MOMENT),
        }
    ),
)


def _held(call: Call, reference: str) -> Reached[Registration]:
    reached = held(call, reference, queries.MAY)
    if queries.terms() is None or reached.by.mandate is not None:
        raise not_found()
    return reached


def _said(found: Registration, call: Call) -> Json:
    row, why = queries.last_of(found), queries.cannot(found, call.person, call.now)
    block = row.block if row is not None else None
    if row is not None and row.entry is not None:
        block = row.entry.block
    return {
        "state": row.state if row is not None else "none",
        "may_ask": why is None,
        "why_not": str(why or ""),
        "text": words.cannot(why, queries.counts_from(found, call.person, call.now)) if why is not None else "",
        "entry": str(row.entry_id) if row is not None and row.entry_id else None,
        "address": format_block(block) if block is not None else None,
        "reason": row.reason if row is not None else "",
        **{name: stamp_or_none(getattr(row, name, None)) for name in ("code_until", "given_at", "until", "closed_at")},
    }


def _refused(error: actions.CannotNow, found: Registration, call: Call) -> Exception:
    return impossible(str(error.why), words.cannot(error.why, queries.counts_from(found, call.person, call.now)))


@read("GET", AT, Ok("How it is, and whether it can be asked for now.", URGENT), problems=IMPOSSIBLE)
def get_urgent_address(call: Call, reference: str) -> Answer:
    """The last address that was listed before its proof, and whether another one may be.

    While it is `given`, an application to change the registration that names the address, with its proof, is awaited
    from the holder until `until`: then it ends by itself.
    """
    return Answer(_said(_held(call, reference).row, call))


@write(
    "POST",
    AT,
    Ok("A code went to the person's number on file.", URGENT, 202),
    body=closed({"cut_off": text(36), "block": text(300)}),
    problems=REFUSED,
)
def ask_for_urgent_address(call: Call, reference: str) -> Answer:
    """Ask for one new address to be listed before its proof. `cut_off` is the entry in the place of which it is.

    The code goes to the mobile number that the person confirmed, and to no other.
    """
    found, by = _held(call, reference)
    form = UrgentForm(call.body, entries=queries.endpoints_of(found))
    if not form.is_valid():
        raise of_form(form)
    given: dict[str, Any] = {"cut_off": form.cleaned_data["cut_off"], "block": form.cleaned_data["block"]}
    network, language = visitor.household(call.request), current_language()
    try:
        actions.ask(registration=found, by=by, network=network, language=language, now=call.now, **given)
    except actions.CannotNow as why:
        raise _refused(why, found, call) from None
    except actions.AlreadyYours:
        form.add_yours()
        raise of_form(form) from None
    except codes.TooManyCodes as why:
        raise too_many(str(int(why.wait.total_seconds()) + 1)) from None
    except codes.SmsNotSetUp:
        raise impossible("no_sms", words.no_sms()) from None
    return Answer(_said(found, call), 202)


@write(
    "POST",
    f"{AT}/code",
    Ok("It is listed.", URGENT),
    body=closed({"code": text(60)}),
    problems=REFUSED,
)
def give_urgent_code(call: Call, reference: str) -> Answer:
    """Give the code that came by SMS: the address is listed."""
    found = _held(call, reference).row
    row, form = _asked(found, call), NumberCodeForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    try:
        actions.enter_code(row=row, code=form.cleaned_data["code"], now=call.now)
    except codes.CodeWrong as why:
        form.add_wrong(why.tries_left)
        raise not_taken([error("/code", "wrong", form.errors["code"][0])]) from None
    except codes.CodeEnded:
        raise impossible("code_over", words.code_over()) from None
    except actions.NothingWaits:
        raise impossible("no_code", _("No code is expected.")) from None
    except actions.CannotNow as why:
        raise _refused(why, found, call) from None
    except actions.NotThisWay:
        raise impossible("not_this_way", words.not_this_way()) from None
    return Answer(_said(found, call))


def _asked(found: Registration, call: Call) -> UrgentEntry:
    row = queries.open_of(found.holder)
    if row is None or row.registration_id != found.pk or row.person_id != call.person.pk:
        raise impossible("no_code", _("No code is expected."))
    return row


@write("DELETE", AT, Ok("It is off the list.", status=204), problems=IMPOSSIBLE)
def end_urgent_address(call: Call, reference: str) -> Answer:
    """End an address that was listed before its proof. Ended twice it is ended once."""
    found, by = _held(call, reference)
    row = queries.open_of(found.holder)
    if row is not None and row.registration_id == found.pk:
        actions.stop(row=row, actor=by.actor, now=call.now)
    return Answer(status=204)
