"""A whole range by a contact of its registry: a code is written to one whom it names, and comes back from there.

The code is in no answer: whoever reads the contact's mail has it, and that is what is proved.
"""

import uuid

from django.utils.translation import gettext as _

from rahdari.applicant import contact_method
from rahdari.applicant import proofs as control
from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.control import queries as challenges
from rahdari.control import registries
from rahdari.control.models import Challenge, Method
from rahdari.people.acting import Acting
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import REFUSED, error, impossible, not_found, not_taken
from rahdari.programs.schema import closed, text

from .interface import API, Call
from .proofs import AT, CHALLENGE, PROVE, TAG, challenge, unproved

prove = API.part(TAG, PROVE)


def no_code(found: registries.NoCodeNow, pointer: str, words: str) -> Problem:
    if found.why == "unknown":
        return not_taken([error(pointer, "unknown", words)])
    return impossible("too_many_codes", words)


def code_not_taken(found: registries.CodeNotTaken, words: str) -> Problem:
    if found.why == "wrong":
        return not_taken([error("/code", "wrong", words)])
    if found.why == "none":
        return impossible("no_code", _("No code is expected."))
    return impossible("code_over", words)


def _pending(call: Call, reference: str, endpoint: uuid.UUID) -> tuple[Application, Acting, Challenge]:
    """This way as it was opened, while it can still come to something."""
    row, by, found, policy = unproved(call, reference, endpoint)
    if not control.counts(policy, found, Method.CONTACT, call.now):
        raise not_found()
    pending = control.pending(found, Method.CONTACT, call.now)
    if pending is None or not pending.facts.get("contacts"):
        raise impossible(
            "no_contacts", _("Open this method first. We then ask the registry for its contacts, and you choose one.")
        )
    return row, by, pending


@prove(
    "POST",
    f"{AT}/contact/letter",
    Ok("A letter is on its way to them, unless they had their six of today.", CHALLENGE, 202),
    body=closed({"contact": text(300)}),
    problems=REFUSED,
)
def send_contact_code(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Have a code sent to a contact of the range.

    `contact` is the address of one of `contacts`, those that the registry publishes. They read who asks, for which
    range, and the code; three letters at most. A contact gets six a day: beyond
    them nothing goes out, and the answer is the same. Only they have the code: no answer of ours holds it.
    """
    row, by, pending = _pending(call, reference, endpoint)
    if not row.holder_name:
        raise impossible("no_name", _("First answer who applies: the letter says who asks."))
    try:
        sent = registries.send_code(
            challenge=pending,
            contact=call.body["contact"],
            name=row.holder_name,
            language=apply.language_now(),
            actor=by.actor,
            now=call.now,
        )
    except registries.NoCodeNow as found:
        raise no_code(found, "/contact", contact_method.no_code(found)) from None
    return Answer(challenge(sent, call), 202)


@prove(
    "POST",
    f"{AT}/contact/code",
    Ok("It counts. By itself it may be half of what is needed: see the proof.", CHALLENGE),
    body=closed({"code": text(100)}),
    problems=REFUSED,
)
def give_contact_code(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Give the code that the contact handed over.

    A few tries for each letter, as on the page.
    """
    _row, _by, pending = _pending(call, reference, endpoint)
    try:
        registries.try_code(challenge=pending, given=call.body["code"], now=call.now)
    except registries.CodeNotTaken as found:
        raise code_not_taken(found, contact_method.not_taken(found)) from None
    fresh = challenges.latest_challenge(subject=pending.subject, block=pending.network, method=Method.CONTACT)
    return Answer(challenge(fresh or pending, call))
