"""What associations say of the person, or of an organisation whose papers they see; and objecting to it."""

from django.utils.translation import gettext as _

from rahdari import policy as policies
from rahdari.attest import disputing, queries, words
from rahdari.attest.forms import DisputeForm
from rahdari.attest.models import Attestation, AttestationReview
from rahdari.attest.rules import AttestationState, Reply, ReviewOutcome
from rahdari.calendar import queries as calendars
from rahdari.journal.models import JournalEntry as Row
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import REFUSED, impossible, not_found, of_form, plain
from rahdari.programs.schema import DAY, MOMENT, Json, choice, closed, listed, named, or_null, text

from .applications import READ, WRITE
from .events import About
from .interface import API, Call
from .serializers import stamp, stamp_or_none

read = API.part("attestations", READ)
write = API.part("attestations", WRITE)
ONE = "/attestations/{attestation}"
MATTER = named(
    "Objection",
    closed(
        {
            "number": text(12),
            "opened_at": MOMENT,
            "text": text(2000),
            "objected_at": or_null(MOMENT),
            "association_may_answer_until": or_null(MOMENT),
            "reply": choice("", *(str(each) for each in Reply)),
            "reply_text": text(),
            "outcome": choice("", *(str(each) for each in ReviewOutcome)),
            "outcome_text": text(),
            "decision": text(),
            "another_proof_until": or_null(MOMENT),
            "closed_at": or_null(MOMENT),
        }
    ),
)
ATTESTATION = named(
    "Attestation",
    closed(
        {
            "number": text(12),
            "association": text(60),
            "association_name": text(300),
            "claim": text(300),
            "checked_by": text(300),
            "name": text(),
            "member_number": text(),
            "state": choice(*(str(state) for state in AttestationState)),
            "valid_from": DAY,
            "valid_until": DAY,
            "revoked_at": or_null(MOMENT),
            "revocation": text(300),
            "explanation": text(),
            "can_dispute": {"type": "boolean"},
            "objection": or_null(MATTER),
        }
    ),
)


def _matter(row: AttestationReview, call: Call) -> Json:
    return {
        "number": row.number,
        "opened_at": stamp(row.opened_at),
        "text": row.objection,
        "objected_at": stamp_or_none(row.objected_at),
        "association_may_answer_until": stamp_or_none(row.reply_due_at) if row.awaits_association(call.now) else None,
        "reply": row.reply,
        "reply_text": row.reply_text,
        "outcome": row.outcome,
        "outcome_text": plain(words.outcome(row) or words.reply(row)),
        "decision": row.decision,
        "another_proof_until": stamp_or_none(row.proof_due_at),
        "closed_at": stamp_or_none(row.closed_at),
    }


def _attestation(found: Attestation, call: Call) -> Json:
    attesting = queries.attesting()
    matter = queries.matters_of(call.person, found).first()
    return {
        "number": found.number,
        "association": found.association,
        "association_name": words.association(found.association, attesting),
        "claim": words.claim(found.claim, attesting),
        "checked_by": words.method(found.method, attesting),
        "name": found.name,
        "member_number": found.member_number,
        "state": str(found.state(queries.day_of(call.now))),
        "valid_from": found.valid_from.isoformat(),
        "valid_until": found.valid_until.isoformat(),
        "revoked_at": stamp_or_none(found.revoked_at),
        "revocation": plain(words.revocation(found.revocation, attesting)) if found.revoked_at else "",
        "explanation": found.explanation,
        "can_dispute": queries.may_dispute(matter),
        "objection": _matter(matter, call) if matter is not None else None,
    }


@read("GET", "/attestations", Ok("The newest 50.", closed({"items": listed(ATTESTATION)})))
def list_attestations(call: Call) -> Answer:
    """List what associations say of you, and of your organisations."""
    return Answer({"items": [_attestation(each, call) for each in queries.theirs(call.person)[:50]]})


def _own(call: Call, number: str) -> Attestation:
    try:
        return queries.attestation_for_member(user=call.person, number=number)
    except queries.NotFound:
        raise not_found() from None


@read("GET", ONE, Ok("It.", ATTESTATION))
def get_attestation(call: Call, attestation: str) -> Answer:
    """Read an attestation.

    Who says what of you, until when, and what became of an objection. Nothing here ends a registration by itself.
    """
    return Answer(_attestation(_own(call, attestation), call))


@write(
    "POST",
    f"{ONE}/dispute",
    Ok("The association is asked for its answer; then an officer decides.", ATTESTATION),
    body=closed({"objection": text(20000)}),
    problems=REFUSED,
)
def dispute_attestation(call: Call, attestation: str) -> Answer:
    """Object to it.

    That it is wrong, or that it was wrong to revoke it.
    """
    found, policy = _own(call, attestation), queries.in_force()
    if policy.attesting is None:
        raise not_found()
    form = DisputeForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    subject, holder = queries.counted_for(call.person, found)
    try:
        disputing.dispute(
            attestation=found,
            subject=subject,
            holder=holder,
            person=f"person:{call.person.pk}",
            objection=form.cleaned_data["objection"],
            reply_due_at=policies.add(
                start=call.now, allowance=policy.attesting.dispute_within, calendar=calendars.in_force()
            ),
            now=call.now,
        )
    except disputing.NothingToDispute:
        raise impossible("disputed", _("You have disputed this already. The answer comes here.")) from None
    return Answer(_attestation(found, call))


# -- events ----------------------------------------------------------------------------------------------------------


def _counted_for(row: Row) -> About:
    """Whom it counts for: a person, or of an organisation those who see its papers. Nobody else is known by it."""
    found = queries.attestation_by_number(row.subject.partition(":")[2])
    if found is None:
        return None
    holders = dict.fromkeys(use.holder for use in queries.uses_of(found) if use.tie)
    to = {user.pk: user for holder in holders for user in people.people_to_notify(holder, Act.PAPERS)}
    return list(to.values()), {"attestation": found.number}


def _disputed_by(row: Row) -> About:
    found = queries.matter_by_number(row.detail["matter"])
    if found is None or ((use := queries.use_about(found)) is not None and not use.tie):
        return None
    return people.people_to_notify(found.holder, Act.PAPERS), {"attestation": found.attestation.number}


ABOUT = {"attestation": _counted_for, "matter": _disputed_by}
