"""Matters: an attestation that was revoked after it counted, or that its member disputes.

The member writes, the association answers within a time, an officer decides. Nothing here ends a registration.
"""

import datetime as dt
import uuid

from django.db import transaction

from rahdari.db.locks import Lock, hold
from rahdari.db.references import reference
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import quoting

from . import attestations, notices, queries
from .models import Attestation, AttestationReview
from .rules import OUTCOMES, Reply, ReviewKind, ReviewOutcome


class NotPossibleNow(RahdariError):
    """The matter is decided, or it is another's turn. `.matter`"""

    says = "{matter}"
    matter: AttestationReview


class NothingToDispute(RahdariError):
    """The member has disputed this already and waits for the decision. `.matter`"""

    says = "{matter}"
    matter: AttestationReview


@transaction.atomic
def open_matter(
    *, attestation: Attestation, subject: str, holder: uuid.UUID, person: str, now: dt.datetime
) -> tuple[AttestationReview, bool]:
    """An attestation that counted for this application was revoked: an officer looks. Opened once while it is open."""
    hold(Lock.DISPUTE, attestation.number)
    matter, is_new = AttestationReview.objects.get_or_create(
        attestation=attestation,
        subject=subject,
        holder=holder,
        closed_at__isnull=True,
        defaults={"number": reference("M"), "kind": ReviewKind.REVOKED, "person": person, "opened_at": now},
    )
    if is_new:
        _record(matter, "opened_matter", "system:workflow", now, {"kind": ReviewKind.REVOKED.value})
    return matter, is_new


@transaction.atomic
def dispute(
    *,
    attestation: Attestation,
    subject: str,
    holder: uuid.UUID,
    person: str,
    objection: str,
    reply_due_at: dt.datetime,
    now: dt.datetime,
) -> AttestationReview:
    """A member, or somebody of an organisation that is one, says that it is wrong, or that it was wrong to revoke it.
    Raises NothingToDispute.
    """
    hold(Lock.DISPUTE, attestation.number)
    mine = AttestationReview.objects.filter(attestation=attestation, holder=holder, closed_at__isnull=True)
    matter = mine.select_for_update().first()
    if matter is not None and (matter.objected_at is not None or matter.outcome):
        raise NothingToDispute(matter)
    if matter is None:
        matter = AttestationReview(
            number=reference("M"),
            attestation=attestation,
            kind=ReviewKind.REVOKED if attestation.revoked_at else ReviewKind.DISPUTED,
            subject=subject,
            holder=holder,
            opened_at=now,
        )
    matter.person = person
    matter.objection, matter.objected_at, matter.reply_due_at = objection.strip(), now, reply_due_at
    matter.save()
    notices.notify_association(attestation.association, due_at=reply_due_at, now=now)
    _record(matter, "disputed", person, now)
    return matter


@transaction.atomic
def reply(*, matter: AttestationReview, reply: Reply, text: str, by: str, now: dt.datetime) -> AttestationReview:
    """The association answers a dispute. To yield gives a revoked attestation back, or revokes a wrong one.
    Raises NotPossibleNow when the association is not asked, or its time is over; LeadsAway.
    """
    row = _locked(matter)
    if not row.awaits_association(now):
        raise NotPossibleNow(row)
    row.reply, row.reply_text, row.replied_at, row.replied_by = reply.value, quoting.held(text), now, by
    row.save(update_fields=["reply", "reply_text", "replied_at", "replied_by"])
    _record(row, "replied", f"association:{row.attestation.association}", now, {"reply": reply.value, "by": by})
    if reply is Reply.YIELDS:
        _put_right(row, by=by, actor=f"association:{row.attestation.association}", now=now)
    return row


@transaction.atomic
def decide(
    *,
    matter: AttestationReview,
    outcome: ReviewOutcome,
    text: str,
    officer: str,
    proof_due_at: dt.datetime | None = None,
    now: dt.datetime,
) -> AttestationReview:
    """An officer decides, when it is the officer's turn; against the holder not before there was time to object. Raises
    NotPossibleNow; ValueError for no such outcome."""
    row = _locked(matter)
    until = (
        queries.object_until(row.attestation) if row.kind == ReviewKind.REVOKED and row.objected_at is None else None
    )
    too_soon = outcome is ReviewOutcome.ANOTHER_PROOF and until is not None and now < until
    if too_soon or not row.awaits_officer(now):
        raise NotPossibleNow(row)
    if outcome not in OUTCOMES[ReviewKind(row.kind)] or (outcome is ReviewOutcome.ANOTHER_PROOF and not row.subject):
        raise ValueError(outcome)
    row.outcome, row.decision, row.decided_at, row.decided_by = outcome.value, text.strip(), now, officer
    row.proof_due_at = proof_due_at if outcome is ReviewOutcome.ANOTHER_PROOF else None
    row.save(update_fields=["outcome", "decision", "decided_at", "decided_by", "proof_due_at"])
    _record(row, "decided", officer, now, {"outcome": outcome.value})
    if outcome is ReviewOutcome.MEMBER_RIGHT and row.reply != Reply.YIELDS:
        _put_right(row, by=officer, actor=officer, now=now)
    wake()
    return row


def _put_right(matter: AttestationReview, *, by: str, actor: str, now: dt.datetime) -> None:
    """The member is right: what was revoked counts again, and what was said wrongly counts no more."""
    attestation = Attestation.objects.get(pk=matter.attestation_id)
    try:
        if matter.kind == ReviewKind.REVOKED:
            attestations.give_back(attestation=attestation, by=by, now=now, late=True)
        elif attestation.revoked_at is None:
            attestations.revoke(
                attestation=attestation, revocation="disputed", explanation="", by=by, actor=actor, now=now
            )
    except attestations.NotRevocable:
        return  # attested anew since: the newer one counts


@transaction.atomic
def close_matter(*, matter: AttestationReview, why: str, now: dt.datetime) -> AttestationReview:
    """Nothing is left to do. Closing twice changes nothing."""
    row = _locked(matter)
    if row.closed_at is None:
        row.closed_at = now
        row.save(update_fields=["closed_at"])
        _record(row, "closed_matter", "system:workflow", now, {"why": why})
    return row


def mark_applied(*, matter: AttestationReview, now: dt.datetime) -> None:
    AttestationReview.objects.filter(pk=matter.pk, applied_at__isnull=True).update(applied_at=now)


def _locked(matter: AttestationReview) -> AttestationReview:
    return AttestationReview.objects.select_for_update(of=("self",)).select_related("attestation").get(pk=matter.pk)


def _record(
    matter: AttestationReview, act: str, actor: str, now: dt.datetime, detail: dict[str, str] | None = None
) -> None:
    journal.record(
        act=f"attest.{act}",
        actor=actor,
        subject=matter.subject or f"attestation:{matter.attestation.number}",
        now=now,
        detail={"matter": matter.number, **(detail or {})},
    )
