"""Whose number it is: a code to the contact on the list, and the word of those who are registered under the number.

The code is in no answer: whoever reads the contact's mail has it, and that is what is shown.
"""

import uuid

from django.utils.translation import gettext as _

from rahdari.applicant import representing
from rahdari.apply.models import Application
from rahdari.checks import contacts
from rahdari.checks.models import Check
from rahdari.control import registries
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, impossible, not_found
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text

from . import organisations
from .applications import ONE, READ, WRITE, own
from .contacts import code_not_taken, no_code
from .interface import API, Call

read = API.part("applications", READ)
write = API.part("applications", WRITE)
read_organisations = API.part(organisations.TAG, organisations.READ)
write_organisations = API.part(organisations.TAG, organisations.WRITE)
AT = f"{ONE}/representation"
WAYS = ("email", "mobile")
REPRESENTATION = named(
    "Representation",
    closed(
        {
            "contacts": listed(closed({"to": choice(*WAYS), "masked": text(300)})),
            "sent_to": or_null(choice(*WAYS)),
            "until": or_null(MOMENT),
            "then": choice("officer", "continues"),
        }
    ),
)
ALL_ASKED = f"{organisations.ONE}/applicants"
ASKED = f"{ALL_ASKED}/{{applicant}}"
APPLICANT = named(
    "ApplicantWithOurNumber",
    closed(
        {
            "id": text(36),
            "name": text(300),
            "email": text(254),
            "company": text(200),
            "answer": choice("", "yes", "no"),
            "until": MOMENT,
        }
    ),
)


def _waiting(call: Call, reference: str) -> tuple[Application, Acting, Check]:
    row, by = own(call, reference)
    check = representing.waiting(row)
    if check is None:
        raise not_found()
    return row, by, check


def _as_json(row: Application, check: Check, call: Call) -> Json:
    found = contacts.contacts_of(check, number=representing.number_for(row, check))
    return {
        "contacts": [{"to": each.channel, "masked": each.masked} for each in found],
        "sent_to": contacts.last_sent(check, call.now),
        "until": check.facts.get("until"),
        "then": "continues" if check.facts.get("told_at") else "officer",
    }


@read("GET", AT, Ok("It.", REPRESENTATION))
def get_representation(call: Call, reference: str) -> Answer:
    """Where a code can go that shows whose number it is.

    404 when nothing can be shown. `contacts` are those of the list, masked; from `until` on an officer looks at the
    application without it (`then`: officer), or it continues, unless the contact said no (continues). For the number of
    a member they say which ways there are, whatever the list has: `masked` is empty, and nothing waits for it. Where
    another organisation is registered under the number, which no answer tells, an officer looks unless it agrees.
    """
    row, _by, check = _waiting(call, reference)
    return Answer(_as_json(row, check, call))


@write(
    "POST",
    f"{AT}/letter",
    Ok("A message is on its way to them, unless they had their six of today.", REPRESENTATION, 202),
    body=closed({"to": choice(*WAYS)}),
    problems=REFUSED,
)
def send_representation_code(call: Call, reference: str) -> Answer:
    """Have a code sent to the contact on the list.

    They read for whom and with which email address it is asked, and the code; three messages at most. A contact gets
    six a day: beyond them nothing goes out, and the answer is the same. So it is for the number of a member when the
    list has no such contact.
    """
    row, by, check = _waiting(call, reference)
    try:
        representing.send(row, check, call.body["to"], by=call.person, actor=by.actor, now=call.now)
    except registries.NoCodeNow as found:
        raise no_code(found, "/to", representing.no_code(found)) from None
    check.refresh_from_db()
    return Answer(_as_json(row, check, call), 202)


@write(
    "POST",
    f"{AT}/code",
    Ok("It is shown; the application continues.", None, 204),
    body=closed({"code": text(100)}),
    problems=REFUSED,
)
def give_representation_code(call: Call, reference: str) -> Answer:
    """Give the code that the contact handed over.

    A few tries for each message, as on the page.
    """
    row, by, check = _waiting(call, reference)
    try:
        representing.take_code(row, check, call.body["code"], actor=by.actor, now=call.now)
    except registries.CodeNotTaken as found:
        raise code_not_taken(found, representing.not_taken(found)) from None
    except contacts.NothingToShow:
        raise not_found() from None
    return Answer(status=204)


@write("POST", f"{AT}/officer", Ok("An officer looks at it.", None, 204))
def leave_representation(call: Call, reference: str) -> Answer:
    """Go on without the code: an officer looks.

    Nothing is refused because of it. A letter or a resolution of the company helps.
    """
    row, by, check = _waiting(call, reference)
    representing.leave(row, check, actor=by.actor, now=call.now)
    return Answer(status=204)


def _asked(call: Call, organisation: uuid.UUID, applicant: uuid.UUID) -> tuple[Check, Application]:
    _ours, check, row = representing.asked_of(call.person, organisation, applicant)
    return check, row


def _of(check: Check, row: Application) -> Json:
    return {
        "id": str(check.pk),
        "name": row.applicant.name or row.contact_name,
        "email": row.applicant.email,
        "company": row.holder_name,
        "answer": check.facts.get("answer", ""),
        "until": check.facts["answer_until"],
    }


@read_organisations(
    "GET", ALL_ASKED, Ok("All of them, those whose time ends first in front.", closed({"items": listed(APPLICANT)}))
)
def list_applicants(call: Call, organisation: uuid.UUID) -> Answer:
    """List who applies with our number and waits for an answer.

    For owners and managers of an organisation that is registered under the number.
    """
    ours = organisations.within(call, organisation, Act.APPLY)
    found = sorted(representing.questions_to(call.person, ours), key=lambda each: (each.until, each.check.pk))
    return Answer({"items": [_of(each.check, each.application) for each in found]})


@read_organisations("GET", ASKED, Ok("It.", APPLICANT))
def get_applicant(call: Call, organisation: uuid.UUID, applicant: uuid.UUID) -> Answer:
    """Who applies with our number.

    `applicant` is an `id` of the list, and the last part of the link in the letter. For owners and managers of an
    organisation that is registered under the number.
    """
    return Answer(_of(*_asked(call, organisation, applicant)))


@write_organisations(
    "PUT", ASKED, Ok("It is recorded.", APPLICANT), body=closed({"answer": choice("yes", "no")}), problems=IMPOSSIBLE
)
def answer_applicant(call: Call, organisation: uuid.UUID, applicant: uuid.UUID) -> Answer:
    """Say whether they may apply for us.

    The first answer counts; it may come after `until`, as long as the application is undecided. Nothing is asked any
    more once an officer found out whose it is, or the contact on the list said no.
    """
    check, row = _asked(call, organisation, applicant)
    open_now = contacts.is_asked(check) and row.status == "submitted"
    agrees = call.body["answer"] == "yes"
    if not open_now or not contacts.answer_as_representative(
        check=check, agrees=agrees, actor=call.own_actor, now=call.now
    ):
        raise impossible("over", _("You need not answer any more."))
    check.refresh_from_db()
    return Answer(_of(check, row))
