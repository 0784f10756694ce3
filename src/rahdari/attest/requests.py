"""An applicant names the association: it is asked, and answers. Reached through `actions`."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction

from rahdari.archive.actions import Box
from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.journal import actions as journal

from . import attestations, notices, queries, rules
from .models import Attestation, AttestationReview, AttestationUse, MembershipInquiry
from .rules import Answer, Identifier, RowTrouble


class TooLateToTakeBack(Exception):
    """A no is taken back within a day, and before what was asked is erased. `.request`"""

    def __init__(self, request: MembershipInquiry) -> None:
        super().__init__(str(request))
        self.request = request


class AlreadyAnswered(Exception):
    """The request was answered or withdrawn meanwhile: that counts. `.request`"""

    def __init__(self, request: MembershipInquiry) -> None:
        super().__init__(str(request))
        self.request = request


class OwnRequest(Exception):
    """It is about an application of whoever answers: somebody else of the association does. `.request`"""

    def __init__(self, request: MembershipInquiry) -> None:
        super().__init__(str(request))
        self.request = request


def _apart(request: MembershipInquiry, by: str) -> None:
    if queries.is_own(request, by):
        raise OwnRequest(request)


@transaction.atomic
def ask(
    *,
    association: str,
    subject: str,
    service: str,
    name: str,
    member_number: str,
    known_by: Sequence[Identifier],
    due_at: dt.datetime,
    now: dt.datetime,
    email: str = "",
) -> MembershipInquiry:
    """Ask the association whether this is a member. The same subject twice is asked once."""
    existing = queries.request_about(subject)
    if existing is not None:
        return existing
    request = MembershipInquiry.objects.create(
        association=association,
        subject=subject,
        service=service,
        name=name,
        email=email,
        member_number=member_number,
        member_index=queries.member_index(association, member_number),
        identifier_kind=known_by[0].kind,
        identifier_index=queries.index_of(known_by[0]),
        indexes=[queries.index_of(each) for each in known_by],
        asked_at=now,
        due_at=due_at,
    )
    notices.tell_association(association, due_at=due_at, now=now)
    detail = {"association": association}
    journal.record(act="attest.asked", actor="system:line", subject=subject, now=now, detail=detail)
    return request


@transaction.atomic
def answer_request(
    *,
    request: MembershipInquiry,
    answer: Answer,
    attestation: Attestation | None = None,
    why: str = "",
    by: str,
    now: dt.datetime,
) -> MembershipInquiry:
    """What the association says, or the clock, or an attestation that was found to fit. The first answer counts. `why`
    goes with a no, for the officers. Raises OwnRequest."""
    row = MembershipInquiry.objects.select_for_update().get(pk=request.pk)
    if row.answer:
        return row
    _apart(row, by)
    row.answer, row.answered_at, row.answered_by, row.attestation = answer.value, now, by, attestation
    row.to_look, row.erase_at, row.why = False, now + rules.KEPT_AFTER_ANSWER, why.strip()
    row.save(
        update_fields=["answer", "answered_at", "answered_by", "attestation", "to_look", "erase_at", "why"],
    )
    journal.record(
        act="attest.answered",
        actor=f"association:{row.association}" if by.startswith("person:") else by,
        subject=row.subject,
        now=now,
        detail={"answer": answer.value, "by": by},
    )
    wake()
    return row


@transaction.atomic
def take_answer_back(*, request: MembershipInquiry, by: str, now: dt.datetime) -> MembershipInquiry:
    """A no was a slip: the question is open again, for a day at least. Raises TooLateToTakeBack, OwnRequest."""
    row = MembershipInquiry.objects.select_for_update().get(pk=request.pk)
    _apart(row, by)
    if not row.can_be_taken_back(now):
        raise TooLateToTakeBack(row)
    row.answer, row.answered_at, row.answered_by, row.why = "", None, "", ""
    row.carried_at = row.erase_at = None
    row.due_at, row.to_look = max(row.due_at, now + rules.UNDONE_WITHIN), True
    row.save(
        update_fields=[
            "answer", "answered_at", "answered_by", "why", "carried_at", "erase_at", "due_at", "to_look",
        ],
    )  # fmt: skip
    journal.record(
        act="attest.took_answer_back",
        actor=f"association:{row.association}",
        subject=row.subject,
        now=now,
        detail={"by": by},
    )
    wake()
    return row


@transaction.atomic
def attest_applicant(
    *, request: MembershipInquiry, claim: str, way: str, valid_until: dt.date, by: str, now: dt.datetime
) -> Attestation:
    """Attest whoever asks, as what identifies them says. Raises AlreadyAnswered, OwnRequest, and MemberNotTaken where
    another has the member number.
    """
    hold(Lock.ATTESTATIONS, request.association)
    request = MembershipInquiry.objects.select_for_update().get(pk=request.pk)
    if request.answer:
        raise AlreadyAnswered(request)
    _apart(request, by)
    holders = queries.holders_of_numbers(request.association, claim, [request.member_index])
    if holders.get(request.member_index, set()) - {request.identifier_index}:
        raise attestations.MemberNotTaken(RowTrouble.NUMBER_TAKEN)
    found = queries.held_by_identifier(request.association, claim, [request.identifier_index]).get(
        request.identifier_index
    ) or Attestation(
        number=queries.new_number("V"),
        association=request.association,
        claim=claim,
        identifier_kind=request.identifier_kind,
        identifier_index=request.identifier_index,
        valid_from=queries.day_of(now),
        made_at=now,
        made_by=by,
    )
    found.way, found.valid_until = way, valid_until
    found.name, found.member_number, found.member_index = request.name, request.member_number, request.member_index
    found.save()
    journal.record(
        act="attest.attested",
        actor=f"association:{request.association}",
        subject=f"attestation:{found.number}",
        now=now,
        detail={"claim": claim, "by": by, "until": valid_until.isoformat(), "asked": True},
    )
    answer_request(request=request, answer=Answer.ATTESTED, attestation=found, by=by, now=now)
    return found


@each_of(queries.requests_past_their_time)
def end_requests(request: MembershipInquiry, now: dt.datetime) -> None:
    """Requests that the association left unanswered until their time was over."""
    answer_request(request=request, answer=Answer.SILENT, by="clock", now=now)


def withdraw_request(*, request: MembershipInquiry, now: dt.datetime) -> MembershipInquiry:
    """Nobody waits for the answer any more."""
    return answer_request(request=request, answer=Answer.WITHDRAWN, by="system:line", now=now)


def mark_looked_at(request: MembershipInquiry) -> None:
    MembershipInquiry.objects.filter(pk=request.pk).update(to_look=False)


def mark_carried(*, request: MembershipInquiry, now: dt.datetime) -> None:
    MembershipInquiry.objects.filter(pk=request.pk, carried_at__isnull=True).update(carried_at=now)


@each_of(queries.requests_to_erase)
def erase_due(request: MembershipInquiry, now: dt.datetime) -> int:
    """What the association was shown of applicants, some time after its answer: name and number go."""
    return _erase(request, now=now)


def erase_about(*, subjects: Collection[str], box: Box, now: dt.datetime) -> None:
    """Of these subjects, whose file goes: what the association was asked, that its word counted for them, and what was
    written about that. Keyed hashes of an applicant find a person whose number is known, so they go too."""
    for rows in (MembershipInquiry.objects, AttestationUse.objects, AttestationReview.objects):
        box.take(rows.filter(subject__in=subjects))
    for request in MembershipInquiry.objects.filter(subject__in=subjects):
        _erase(request, now=now)
    MembershipInquiry.objects.filter(subject__in=subjects).update(member_index="", identifier_index="", indexes=[])
    AttestationUse.objects.filter(subject__in=subjects, settled_at__isnull=False).delete()
    for matter in AttestationReview.objects.filter(subject__in=subjects):
        matter.said, matter.reply_text, matter.decision = "", "", ""
        matter.save(update_fields=["said", "reply_text", "decision"])


@transaction.atomic
def _erase(request: MembershipInquiry, *, now: dt.datetime) -> int:
    row = MembershipInquiry.objects.select_for_update().get(pk=request.pk)
    if row.erased_at is not None:
        return 0
    row.name, row.email, row.member_number, row.why, row.erased_at = "", "", "", "", now
    row.save(update_fields=["name", "email", "member_number", "why", "erased_at"])
    journal.record(act="attest.erased_request", actor="clock", subject=row.subject, now=now)
    return 1
