"""One member attested, revoked, given back; what an attestation counted for."""

import datetime as dt
import uuid

from django.db import transaction

from rahdari.db.locks import Lock, hold
from rahdari.db.references import reference
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.inquiry.rules import SILENT, WAITING
from rahdari.journal import actions as journal
from rahdari.people import quoting

from . import queries, rules
from .models import Attestation, AttestationUse, MemberList, MembershipInquiry
from .rules import Effect, Member, RowTrouble, Tie


class MemberNotTaken(RahdariError):
    """The association may not attest this. `.trouble` says why."""

    says = "{trouble}"
    trouble: RowTrouble


class NotRevocable(RahdariError):
    """The attestation is revoked already, or the time to give it back is over. `.attestation`"""

    says = "{attestation}"
    attestation: Attestation


def effect_of(association: str, claim: str, member: Member) -> Effect | RowTrouble:
    """What attesting this member comes to now."""
    identifier = queries.index_of(member.identifier)
    number = queries.member_index(association, member.number)
    held = queries.held_by_identifier(association, claim, [identifier]).get(identifier)
    holders = queries.holders_of_numbers(association, claim, [number]).get(number, set())
    return rules.effect_of(member, held=held_of(held), number_is_anothers=bool(holders - {identifier}))


def held_of(attestation: Attestation | None) -> rules.Held | None:
    if attestation is None:
        return None
    key = rules.member_key(attestation.member_number)
    return rules.Held(key, attestation.name, attestation.valid_until)


@transaction.atomic
def attest(
    *, association: str, claim: str, method: str, member: Member, by: str, now: dt.datetime
) -> tuple[Attestation, Effect]:
    """Attest one member, or renew what is there; the same again changes nothing. Raises MemberNotTaken."""
    hold(Lock.ATTESTATIONS, association)
    effect = effect_of(association, claim, member)
    if isinstance(effect, RowTrouble):
        raise MemberNotTaken(effect)
    held = queries.held_by_identifier(association, claim, [queries.index_of(member.identifier)])
    found = put(
        association=association,
        claim=claim,
        method=method,
        member=member,
        held=next(iter(held.values()), None),
        by=by,
        now=now,
    )
    found.save()
    if effect is not Effect.SAME:
        wake_requests(association, {found.identifier_index, found.member_index})
        journal.record(
            act="attest.attested" if effect is Effect.NEW else "attest.renewed",
            actor=f"association:{association}",
            subject=f"attestation:{found.number}",
            now=now,
            detail={"claim": claim, "by": by, "until": found.valid_until.isoformat()},
        )
    return found, effect


def put(
    *,
    association: str,
    claim: str,
    method: str,
    member: Member,
    held: Attestation | None,
    by: str,
    now: dt.datetime,
    member_list: MemberList | None = None,
) -> Attestation:
    """The row of this member, new or brought up to date; not saved. The caller holds the association's lock."""
    number = queries.member_index(association, member.number)
    if held is not None:
        held.name, held.member_number, held.member_index = member.name, member.number, number
        held.valid_from = min(held.valid_from, member.valid_from)
        if held.valid_until != member.valid_until:
            held.renewed_at = now
        held.valid_until, held.method = member.valid_until, method
        return held
    return Attestation(
        number=reference("V"),
        association=association,
        claim=claim,
        method=method,
        name=member.name,
        member_number=member.number,
        member_index=number,
        identifier_kind=member.identifier.kind,
        identifier_index=queries.index_of(member.identifier),
        valid_from=member.valid_from,
        valid_until=member.valid_until,
        made_at=now,
        made_by=by,
        member_list=member_list,
    )


@transaction.atomic
def renew(*, attestation: Attestation, valid_until: dt.date, by: str, now: dt.datetime) -> Attestation:
    """Let an attestation hold until another day. The same day changes nothing. Raises NotRevocable if it is revoked."""
    hold(Lock.ATTESTATIONS, attestation.association)
    found = Attestation.objects.select_for_update().get(pk=attestation.pk)
    if found.revoked_at is not None:
        raise NotRevocable(found)
    if found.valid_until != valid_until:
        before, found.valid_until, found.renewed_at = found.valid_until, valid_until, now
        found.save(update_fields=["valid_until", "renewed_at"])
        journal.record(
            act="attest.renewed",
            actor=f"association:{found.association}",
            subject=f"attestation:{found.number}",
            now=now,
            detail={"before": before.isoformat(), "until": valid_until.isoformat(), "by": by},
        )
        wake_requests(found.association, {found.identifier_index, found.member_index})
    return found


@transaction.atomic
def revoke(
    *, attestation: Attestation, revocation: str, explanation: str, by: str, now: dt.datetime, actor: str = ""
) -> Attestation:
    """Take an attestation back, with a reason that the member reads. Raises NotRevocable when it is revoked already,
    LeadsAway."""
    # A list that is being sent writes its members' rows: it would give this one back unseen.
    hold(Lock.ATTESTATIONS, attestation.association)
    found = Attestation.objects.select_for_update().get(pk=attestation.pk)
    if found.revoked_at is not None:
        raise NotRevocable(found)
    found.revoked_at, found.revoked_by, found.revocation = now, by, revocation
    found.explanation = quoting.held(explanation)
    found.to_follow = True
    found.save(update_fields=["revoked_at", "revoked_by", "revocation", "explanation", "to_follow"])
    journal.record(
        act="attest.revoked",
        actor=actor or f"association:{found.association}",
        subject=f"attestation:{found.number}",
        now=now,
        reason=revocation,
        detail={"by": by},
    )
    wake()
    return found


@transaction.atomic
def give_back(*, attestation: Attestation, by: str, now: dt.datetime, late: bool = False) -> Attestation:
    """Undo a revocation within a day, or at any time when an officer found that it was wrong (`late`).

    Raises NotRevocable when the time is over, or the member was attested anew since.
    """
    hold(Lock.ATTESTATIONS, attestation.association)
    found = Attestation.objects.select_for_update().get(pk=attestation.pk)
    if found.revoked_at is None:
        return found
    anew = queries.held_by_identifier(found.association, found.claim, [found.identifier_index])
    if anew or (not late and now > found.revoked_at + rules.UNDONE_WITHIN):
        raise NotRevocable(found)
    found.revoked_at, found.revoked_by, found.revocation, found.explanation = None, "", "", ""
    found.to_follow = True
    found.save(update_fields=["revoked_at", "revoked_by", "revocation", "explanation", "to_follow"])
    journal.record(
        act="attest.gave_back",
        actor=by if late else f"association:{found.association}",
        subject=f"attestation:{found.number}",
        now=now,
        detail={"by": by},
    )
    wake_requests(found.association, {found.identifier_index, found.member_index})
    return found


@transaction.atomic
def note_use(
    *,
    attestation: Attestation,
    subject: str,
    holder: uuid.UUID,
    person: str,
    weight: str,
    tie: Tie | None,
    now: dt.datetime,
) -> AttestationUse:
    """An attestation is under a number or address of an application, and counts for it with a `tie`. Noted once; a tie
    may be shown later."""
    facts = {"holder": holder, "person": person, "weight": weight, "tie": tie or "", "at": now}
    use, _ = AttestationUse.objects.get_or_create(attestation=attestation, subject=subject, defaults=facts)
    if tie and not use.tie:
        use.tie, use.closed_at = tie, None
        use.save(update_fields=["tie", "closed_at"])
    return use


def untie(use: AttestationUse) -> None:
    """What showed that the applicant is the one attested does not hold any more."""
    AttestationUse.objects.filter(pk=use.pk).update(tie="")


def close_use(*, use: AttestationUse, now: dt.datetime) -> None:
    AttestationUse.objects.filter(pk=use.pk, closed_at__isnull=True).update(closed_at=now)


def stop_following(attestation: Attestation) -> None:
    """What rests on it knows now that it was revoked or given back."""
    Attestation.objects.filter(pk=attestation.pk, revoked_at=attestation.revoked_at).update(to_follow=False)


def wake_requests(association: str, indexes: set[str]) -> None:
    """Applicants who wait and stand behind one of these hashes: the line compares. Those too of whom the association
    said nothing or no, as long as we know of whom it was asked: it may have been late, or wrong."""
    unheard = [WAITING, SILENT, rules.Answer.NOT_MEMBER]
    waiting = MembershipInquiry.objects.filter(
        association=association, state__in=unheard, erased_at=None, match_again=False
    )
    hit = [each.pk for each in waiting if each.member_index in indexes or not indexes.isdisjoint(each.indexes)]
    MembershipInquiry.objects.filter(pk__in=hit).update(match_again=True)
    wake()
