"""An applicant names the association: it is asked, and answers."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction

from rahdari.archive.actions import Box
from rahdari.db.locks import Lock, hold
from rahdari.db.references import reference
from rahdari.errors import RahdariError
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.inquiry.rules import Move, Terms
from rahdari.journal import actions as journal

from . import attestations, notices, queries, rules
from .models import Attestation, AttestationReview, AttestationUse, MembershipInquiry
from .queries import ASSOCIATION
from .rules import Answer, Identifier, RowTrouble


class OwnRequest(RahdariError):
    """It is about an application of whoever answers: somebody else of the association does. `.request`"""

    says = "{request}"
    request: MembershipInquiry


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
    existing = ASSOCIATION.about(subject)
    if existing is not None:
        return existing
    request = MembershipInquiry(
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
    )
    terms = Terms(due_at, kept=rules.KEPT_AFTER_ANSWER)
    ASSOCIATION.begin(request, terms, actor="system:workflow", now=now, association=association)
    notices.notify_association(association, due_at=due_at, now=now)
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
    """What the association says, or an attestation that was found to fit. The first answer counts. `why` goes with a
    no, for the officers. Raises OwnRequest."""
    row = ASSOCIATION.locked(request)
    if not row.is_waiting:
        return row
    _apart(row, by)
    row.answered_by, row.attestation, row.why, row.match_again = by, attestation, why.strip(), False
    row.save(update_fields=["answered_by", "attestation", "why", "match_again"])
    actor = f"association:{row.association}" if by.startswith("person:") else by
    return ASSOCIATION.end(row, Move.ANSWER, answer.value, actor=actor, now=now, by=by)


@transaction.atomic
def take_answer_back(*, request: MembershipInquiry, by: str, now: dt.datetime) -> MembershipInquiry:
    """A no was a slip: the question is open again, for a day at least. Raises NoLongerOpen, OwnRequest."""
    row = ASSOCIATION.locked(request)
    _apart(row, by)
    if not row.can_be_withdrawn(now):
        raise NoLongerOpen(row)
    row.answered_by, row.why, row.match_again = "", "", True
    row.save(update_fields=["answered_by", "why", "match_again"])
    actor = f"association:{row.association}"
    return ASSOCIATION.reopen(row, at_least=rules.UNDONE_WITHIN, actor=actor, now=now, by=by)


@transaction.atomic
def attest_applicant(
    *, request: MembershipInquiry, claim: str, method: str, valid_until: dt.date, by: str, now: dt.datetime
) -> Attestation:
    """Attest whoever asks, as what identifies them says. Raises NoLongerOpen, OwnRequest, and MemberNotTaken where
    another has the member number.
    """
    hold(Lock.ATTESTATIONS, request.association)
    request = ASSOCIATION.locked(request)
    if not request.is_waiting:
        raise NoLongerOpen(request)
    _apart(request, by)
    holders = queries.holders_of_numbers(request.association, claim, [request.member_index])
    if holders.get(request.member_index, set()) - {request.identifier_index}:
        raise attestations.MemberNotTaken(RowTrouble.NUMBER_TAKEN)
    found = queries.held_by_identifier(request.association, claim, [request.identifier_index]).get(
        request.identifier_index
    ) or Attestation(
        number=reference("V"),
        association=request.association,
        claim=claim,
        identifier_kind=request.identifier_kind,
        identifier_index=request.identifier_index,
        valid_from=queries.day_of(now),
        made_at=now,
        made_by=by,
    )
    found.method, found.valid_until = method, valid_until
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


def mark_looked_at(request: MembershipInquiry) -> None:
    MembershipInquiry.objects.filter(pk=request.pk).update(match_again=False)


def erase_about(*, subjects: Collection[str], box: Box, now: dt.datetime) -> None:
    """Of these subjects, whose file goes: what the association was asked, that its word counted for them, and what was
    written about that. Keyed hashes of an applicant find a person whose number is known, so they go too. What the
    association attested stays its own, and nothing ties it to what it was asked: if it went with the file, the
    association would see who is registered no more."""
    for rows in (AttestationUse.objects, AttestationReview.objects):
        box.take(rows.filter(subject__in=subjects))
    ASSOCIATION.erase_about(subjects=subjects, box=box, now=now)
    MembershipInquiry.objects.filter(subject__in=subjects).update(attestation=None)
    AttestationUse.objects.filter(subject__in=subjects, closed_at__isnull=False).delete()
    for matter in AttestationReview.objects.filter(subject__in=subjects):
        matter.objection, matter.reply_text, matter.decision = "", "", ""
        matter.save(update_fields=["objection", "reply_text", "decision"])
