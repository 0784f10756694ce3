"""Complaints about what was registered: read, and answered before anybody decides."""

from rahdari.apply.models import Application
from rahdari.complaint import actions, queries
from rahdari.complaint.forms import AnswerForm
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import About, Kind, Outcome, State
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import REFUSED, of_form
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text
from rahdari.web.fields import WORDS

from .applications import ONE, READ, WRITE, own
from .interface import API, Call
from .serializers import stamp, stamp_or_none

read = API.part("decisions", READ)
write = API.part("decisions", WRITE)
COMPLAINT = named(
    "Complaint",
    closed(
        {
            "number": text(20),
            "kind": choice(*Kind),
            "about": choice(*About),
            "registration": text(20),
            "state": choice(State.OPEN, State.CLOSED),
            "words": text(20_000),
            "public_body": text(500),
            "received_at": MOMENT,
            "answer_until": MOMENT,
            "answer": text(20_000),
            "answered_at": or_null(MOMENT),
            "decision": or_null(closed({"at": MOMENT, "outcome": choice(*Outcome), "why": text(20_000)})),
        }
    ),
)


def _as_json(complaint: Complaint) -> Json:
    decision = None
    if complaint.decided_at is not None:
        decision = {"at": stamp(complaint.decided_at), "outcome": complaint.outcome, "why": complaint.why}
    return {
        "number": complaint.reference,
        "kind": complaint.kind,
        "about": complaint.about,
        "registration": complaint.registration.reference if complaint.registration is not None else "",
        "state": str(complaint.state),
        "words": complaint.words,
        "public_body": complaint.public_body,
        "received_at": stamp_or_none(complaint.received_at),
        "answer_until": stamp_or_none(complaint.answer_due_at),
        "answer": complaint.answer,
        "answered_at": stamp_or_none(complaint.answered_at),
        "decision": decision,
    }


def _all(application: Application) -> Json:
    return {"items": [_as_json(each) for each in queries.complaints_of(application)]}


@read("GET", f"{ONE}/complaints", Ok("Them, the newest first.", closed({"items": listed(COMPLAINT)})))
def list_complaints(call: Call, reference: str) -> Answer:
    """List the complaints about what was registered.

    What somebody said of it, without who: `words` are theirs, and `public_body` is claimed, not verified. Nothing is
    decided before you have answered, or `answer_until` is over.
    """
    return Answer(_all(own(call, reference).row))


@write(
    "POST",
    f"{ONE}/complaints/{{number}}/answer",
    Ok("The complaint.", COMPLAINT),
    body=closed({"answer": text(WORDS)}),
    problems=REFUSED,
)
def answer_complaint(call: Call, reference: str, number: str) -> Answer:
    """Answer a complaint.

    Once, and until it is decided: also after `answer_until`. An officer who had no part in the case reads it first.
    """
    row, by = own(call, reference, Act.APPLY)
    complaint = queries.complaint_for_holder(application=row, reference=number)
    form = AnswerForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    words = form.cleaned_data["answer"]
    return Answer(_as_json(actions.answer(complaint=complaint, words=words, actor=by.actor, now=call.now)))
