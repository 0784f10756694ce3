"""Complaints about what was registered: read, and answered before anybody decides."""

import uuid

from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.apply.queries import DocumentNotFound
from rahdari.complaint import actions, queries
from rahdari.complaint.forms import AnswerForm
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import About, Kind, Outcome, State
from rahdari.decide import case_clock
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, of_form
from rahdari.programs.schema import ID, MOMENT, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.web.fields import WORDS

from .applications import ONE, READ, WRITE, own
from .interface import API, Call
from .parts import FILE, guard
from .serializers import DOCUMENT, document, stamp, stamp_or_none

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
            "said_again": listed(text(20_000)),
            "files": listed(
                named("ComplaintFile", closed({"id": ID, "media_type": text(60), "size": whole(0, 2**31)}))
            ),
            "codes": listed(text(20)),
            "received_at": MOMENT,
            "answer_until": MOMENT,
            "answer": text(20_000),
            "answer_files": listed(DOCUMENT),
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
        "said_again": [each.words for each in queries.said_again(complaint)],
        "files": [
            {"id": str(each.pk), "media_type": each.media_type, "size": each.size}
            for each in queries.papers_for_holder(complaint)
            if each.erased_at is None
        ],
        "codes": [reason.code for reason in queries.codes_for(complaint)],
        "received_at": stamp_or_none(complaint.received_at),
        "answer_until": stamp_or_none(complaint.answer_due_at),
        "answer": complaint.answer,
        "answer_files": [document(each) for each in queries.answer_papers_of(complaint)],
        "answered_at": stamp_or_none(complaint.answered_at),
        "decision": decision,
    }


def _all(application: Application) -> Json:
    return {"items": [_as_json(each) for each in queries.complaints_of(application)]}


@read("GET", f"{ONE}/complaints", Ok("Them, the newest first.", closed({"items": listed(COMPLAINT)})))
def list_complaints(call: Call, reference: str) -> Answer:
    """List the complaints about what was registered.

    What somebody said of it, without who: `words` are theirs, and `public_body` is claimed, not verified. `said_again`
    is what others said of the same. By `codes` an officer could propose to revoke the registration. Nothing is decided
    before you have answered, or `answer_until` is over.
    """
    return Answer(_all(own(call, reference).row))


@read(
    "GET",
    f"{ONE}/complaint-files/{{document}}",
    Ok("The file as it was kept.", media="application/octet-stream"),
)
def get_complaint_file(call: Call, reference: str, document: uuid.UUID) -> Answer:
    """Download a file that came with a complaint.

    Of a report of misuse: what is held against you, to be answered. What shows who asks for a correction is for the
    officers alone.
    """
    shown = (
        paper for each in queries.complaints_of(own(call, reference).row) for paper in queries.papers_for_holder(each)
    )
    found = next((paper for paper in shown if paper.pk == document), None)
    if found is None:
        raise DocumentNotFound(document)
    name = f"file.{found.name.rpartition('.')[2]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Document-Type": found.media_type}
    return Answer(content=apply.content_of(found), media="application/octet-stream", headers=headers)


@write(
    "POST",
    f"{ONE}/complaints/{{number}}/answer-files",
    Ok("The file, as it was kept.", DOCUMENT, 201),
    body=closed({"file": FILE}),
    multipart=True,
    problems=REFUSED,
)
def add_complaint_answer_file(call: Call, reference: str, number: str) -> Answer:
    """Upload a file that goes with the answer to a complaint.

    Judged and cleaned as documents are, and read by the officers who decide alone, once the answer is sent. 5 at most.
    """
    row, by = own(call, reference, Act.APPLY)
    complaint = queries.complaint_for_holder(application=row, reference=number)
    guard(call, case_clock.policy_in_force())
    file = call.files["file"]
    kept = actions.add_answer_file(
        complaint=complaint,
        name=file.name or "",
        content=file.read(),
        owner=call.person.pk,
        actor=by.actor,
        now=call.now,
    )
    return Answer(document(kept), 201)


@write(
    "DELETE",
    f"{ONE}/complaints/{{number}}/answer-files/{{document}}",
    Ok("It is erased.", status=204),
    problems=IMPOSSIBLE,
)
def remove_complaint_answer_file(call: Call, reference: str, number: str, document: uuid.UUID) -> Answer:
    """Remove a file from the answer to a complaint that was not sent yet."""
    row, by = own(call, reference, Act.APPLY)
    complaint = queries.complaint_for_holder(application=row, reference=number)
    if document not in {each.pk for each in queries.answer_papers_of(complaint)}:
        raise DocumentNotFound(document)
    actions.remove_answer_file(complaint=complaint, id=str(document), actor=by.actor, now=call.now)
    return Answer(status=204)


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
