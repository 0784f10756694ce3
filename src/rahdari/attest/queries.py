"""Reads of attestations. An association reaches its own through the gatekeepers here, a member through `theirs`."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.module_loading import import_string

from rahdari import policy as policies
from rahdari.calendar import queries as calendars
from rahdari.errors import RahdariError
from rahdari.inquiry.kinds import Kind
from rahdari.inquiry.rules import USUAL, Move
from rahdari.people import acting_for, identifiers
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.policy import Attesting
from rahdari.vault import index

from . import rules
from .models import Attestation, AttestationReview, AttestationUse, MemberList, MembershipInquiry
from .rules import Identifier, ReviewKind

ASSOCIATION = Kind(
    "attest",
    MembershipInquiry,
    answers=frozenset(rules.Answer),
    sealed=("name", "email", "member_number", "why"),
    moves=USUAL | {Move.REOPEN},
    # Keyed hashes of an applicant find a person whose number is known.
    with_file={"member_index": "", "identifier_index": "", "indexes": []},
)


# Of uses: the applicant is shown to be the one attested, and is told.
TOLD = ~Q(tie="")


class NotFound(RahdariError):
    """There is no such thing, or it is another's: nobody learns which. `.name` as asked for."""

    says = "{name}"
    name: object


def in_force() -> policies.Policy:
    return policies.current(settings.POLICY_FILE)


def attesting() -> Attesting | None:
    """The part of the policy in force that is about associations."""
    return in_force().attesting


def day_of(now: dt.datetime) -> dt.date:
    return timezone.localtime(now).date()


# -- keyed hashes --------------------------------------------------------------------------------------------------


def index_of(identifier: Identifier) -> str:
    return index.blind(f"attest.{identifier.kind}", identifier.value)


def member_index(association: str, number: str) -> str:
    return index.blind(f"attest.member.{association}", rules.member_key(number))


def identifiers_of(*, card: str = "", company_number: str = "", email: str = "") -> list[Identifier]:
    """What identifies an applicant, the surest first: a company by its number, a person by card and address."""
    found = []
    # A number of an odd shape, such as the demonstration's, stands in no list.
    with contextlib.suppress(identifiers.IdentifierError):
        if company_number:
            found.append(Identifier("company", identifiers.parse_company_number(company_number)))
        elif card:
            found.append(Identifier("card", identifiers.parse_cnic(card).digits))
    if email:
        found.append(Identifier("email", email.strip().lower()))
    return found


# -- for an association --------------------------------------------------------------------------------------------


def _of(association: str) -> QuerySet[Attestation]:
    return Attestation.objects.filter(association=association)


def attestation_for_association(*, association: str, number: str) -> Attestation:
    """The gatekeeper. Raises NotFound, for another association's as for none."""
    found = _of(association).filter(number=number.strip().upper()).first()
    if found is None:
        raise NotFound(number)
    return found


def requests_waiting(association: str) -> QuerySet[MembershipInquiry]:
    """Who asks to be attested, least time left first."""
    return ASSOCIATION.waiting().filter(association=association)


def denied_lately(association: str, now: dt.datetime) -> list[MembershipInquiry]:
    """Of whom the association said that they are no members, as long as it can take that back; the newest first."""
    since = now - rules.UNDONE_WITHIN
    found = MembershipInquiry.objects.filter(
        association=association, state=rules.Answer.NOT_MEMBER, ended_at__gte=since
    )
    return list(found.filter(erased_at__isnull=True).order_by("-ended_at", "id")[:200])


def request_for_association(*, association: str, id: uuid.UUID) -> MembershipInquiry:
    """The gatekeeper of requests. Raises NotFound."""
    found = MembershipInquiry.objects.filter(association=association, pk=id).first()
    if found is None:
        raise NotFound(id)
    return found


def is_own(request: MembershipInquiry, by: str) -> bool:
    """Whether it is asked about an application of whoever answers."""
    return request.subject in import_string(settings.OWN_SUBJECTS)(by)


def list_for_association(*, association: str, id: uuid.UUID, revokes: bool = False) -> MemberList:
    """The gatekeeper of lists: of those that attest, or of those that take back. Raises NotFound."""
    lists = MemberList.objects.filter(association=association, pk=id)
    found = (lists.exclude(revocation="") if revokes else lists.filter(revocation="")).first()
    if found is None:
        raise NotFound(id)
    return found


def last_list(association: str) -> MemberList | None:
    sent = MemberList.objects.filter(association=association, sent_at__isnull=False, revocation="")
    return sent.order_by("-sent_at", "id").first()


def attestations_of(association: str, *, view: str, on: dt.date, ends_soon: dt.timedelta) -> QuerySet[Attestation]:
    """What the association has said, the newest first; `view` is one of `VIEWS`."""
    return _of(association).filter(_views(on, ends_soon)[view]).order_by("-made_at", "id")


VIEWS = ("all", "live", "ends", "ended", "revoked")


def _views(on: dt.date, ends_soon: dt.timedelta) -> dict[str, Q]:
    standing = Q(revoked_at__isnull=True)
    return {
        "all": Q(),
        "live": standing & Q(valid_until__gte=on),
        "ends": standing & Q(valid_until__gte=on, valid_until__lte=on + ends_soon),
        "ended": standing & Q(valid_until__lt=on),
        "revoked": Q(revoked_at__isnull=False),
    }


def counts_of(association: str, *, on: dt.date, ends_soon: dt.timedelta) -> dict[str, int]:
    """The number of attestations in each view, by its name. `ends_soon`: how long before its end one counts as such."""
    asked = {name: Count("pk", filter=condition) for name, condition in _views(on, ends_soon).items() if name != "all"}
    found: dict[str, int] = _of(association).aggregate(all=Count("pk"), **asked)
    return found


def matching(found: QuerySet[Attestation], *, association: str, text: str) -> QuerySet[Attestation]:
    """Those whose member number, or whose number or address that identifies them, is exactly this text."""
    wanted = Q(number__iexact=text.strip())
    with contextlib.suppress(identifiers.IdentifierError):
        wanted |= Q(member_index=member_index(association, text))
    identifier = rules.read_identifier(text)
    if identifier is not None:
        wanted |= Q(identifier_index=index_of(identifier))
    return found.filter(wanted)


def disputes_waiting(association: str, now: dt.datetime) -> QuerySet[AttestationReview]:
    """What members dispute and the association has not answered."""
    rows = AttestationReview.objects.filter(_with_its_association(now), attestation__association=association)
    return rows.select_related("attestation").order_by("reply_due_at", "id")


def _with_its_association(now: dt.datetime) -> Q:
    """What `AttestationReview.awaits_association` says, of many."""
    in_time = Q(reply_due_at__isnull=True) | Q(reply_due_at__gt=now)
    return in_time & Q(objected_at__isnull=False, reply="", outcome="", closed_at__isnull=True)


def matter_for_association(*, association: str, number: str) -> AttestationReview:
    """The gatekeeper of disputes: those that somebody has written. Raises NotFound."""
    found = (
        AttestationReview.objects.filter(
            attestation__association=association, number=number.upper(), objected_at__isnull=False
        )
        .select_related("attestation")
        .first()
    )
    if found is None:
        raise NotFound(number)
    return found


def waiting_count(association: str, now: dt.datetime) -> int:
    return requests_waiting(association).count() + disputes_waiting(association, now).count()


def held_by_identifier(association: str, claim: str, indexes: Iterable[str]) -> Mapping[str, Attestation]:
    """What is not revoked of these members under this claim, by the hash of their identifier."""
    found = _of(association).filter(claim=claim, revoked_at__isnull=True, identifier_index__in=set(indexes))
    return {each.identifier_index: each for each in found}


def holders_of_numbers(association: str, claim: str, indexes: Iterable[str]) -> Mapping[str, set[str]]:
    """Who is attested under these member numbers: hashes of identifiers, by the hash of the number."""
    found: dict[str, set[str]] = {}
    rows = _of(association).filter(claim=claim, revoked_at__isnull=True, member_index__in=set(indexes))
    for number, identifier in rows.values_list("member_index", "identifier_index"):
        found.setdefault(number, set()).add(identifier)
    return found


def attested_under(association: str, indexes: Iterable[str]) -> Mapping[str, list[Attestation]]:
    """What is not revoked of these members, by the hash of the member number."""
    found: dict[str, list[Attestation]] = {}
    rows = _of(association).filter(revoked_at__isnull=True, member_index__in=set(indexes))
    for each in rows.order_by("made_at", "id"):
        found.setdefault(each.member_index, []).append(each)
    return found


# -- for the line --------------------------------------------------------------------------------------------------


def candidates(*, association: str, indexes: Iterable[str]) -> list[Attestation]:
    """What the association has said of whoever these hashes stand for, revoked ones left out."""
    found = _of(association).filter(identifier_index__in=set(indexes), revoked_at__isnull=True)
    return list(found.order_by("-valid_until", "id"))


def attestation_by_number(number: str) -> Attestation | None:
    return Attestation.objects.filter(number=number).first()


def subjects_used_for(subjects: Iterable[str]) -> QuerySet[AttestationUse, str]:
    """What associations have said that counted for any of these subjects, as the journal names it."""
    named = Concat(Value("attestation:"), "attestation__number", output_field=CharField())
    return AttestationUse.objects.filter(TOLD, subject__in=list(subjects)).order_by().values_list(named, flat=True)


def subjects_of(attestations: Iterable[Attestation]) -> list[str]:
    return [f"attestation:{each.number}" for each in attestations]


def subjects_of_all(association: str) -> list[str]:
    """Of all that the association has said, as the journal names it."""
    return [f"attestation:{number}" for number in _of(association).order_by().values_list("number", flat=True)]


def made_from(kept: MemberList) -> QuerySet[Attestation]:
    """What was attested by this list."""
    return Attestation.objects.filter(member_list=kept).order_by()


def requests_to_match_again() -> QuerySet[MembershipInquiry]:
    return MembershipInquiry.objects.filter(match_again=True, erased_at__isnull=True).order_by("asked_at", "id")


def uses_ending_between(*, start: dt.datetime, end: dt.datetime) -> QuerySet[AttestationUse]:
    """What rests on attestations whose last day begins in this time: whoever holds it can ask the association."""
    days = {"attestation__valid_until__gt": day_of(start), "attestation__valid_until__lte": day_of(end)}
    found = AttestationUse.objects.filter(TOLD, attestation__revoked_at__isnull=True, **days)
    found = found.select_related("attestation")
    return found.order_by("attestation__valid_until", "id")


def to_follow() -> QuerySet[Attestation]:
    """Attestations that were revoked, or given back, and that something may rest on."""
    return Attestation.objects.filter(to_follow=True).order_by("made_at", "id")


def uses_of(attestation: Attestation) -> QuerySet[AttestationUse]:
    return AttestationUse.objects.filter(attestation=attestation).order_by("at", "id")


def use_about(matter: AttestationReview) -> AttestationUse | None:
    """What rests on the attestation of a matter; None where nothing does, or its file is gone."""
    return AttestationUse.objects.filter(attestation=matter.attestation_id, subject=matter.subject).first()


def was_told(*, holder: uuid.UUID, attestation: Attestation) -> bool:
    """Whether this holder was shown before to be the one of whom this was attested, or an earlier one like it."""
    same = {
        "attestation__association": attestation.association,
        "attestation__identifier_index": attestation.identifier_index,
    }
    return AttestationUse.objects.filter(TOLD, holder=holder, **same).exists()


def attested_anew(subject: str, since: dt.datetime, now: dt.datetime) -> bool:
    """Whether an association has said again since then, of the same member, what counted for this subject, and it is
    live today."""
    today = day_of(now)
    for use in AttestationUse.objects.filter(TOLD, subject=subject).select_related("attestation"):
        said = use.attestation
        again = candidates(association=said.association, indexes=[said.identifier_index])
        for each in again:
            is_new = max(at for at in (each.made_at, each.renewed_at) if at is not None) > since
            if each.claim == said.claim and is_new and each.is_live(today):
                return True
    return False


def is_over_for(subject: str, now: dt.datetime) -> bool:
    """Whether what an association said counted for this subject, and none of it is live today."""
    today = day_of(now)
    uses = AttestationUse.objects.filter(TOLD, subject=subject).select_related("attestation")
    said = [use.attestation for use in uses]
    return bool(said) and not any(each.is_live(today) for each in said)


def open_uses() -> QuerySet[AttestationUse]:
    """What counted for applications that were not decided when we last looked."""
    return AttestationUse.objects.filter(closed_at__isnull=True).select_related("attestation").order_by("at", "id")


def not_live(today: dt.date) -> Q:
    """Of uses: their attestation was revoked, or its time is over or has not begun."""
    of_another_day = Q(attestation__valid_from__gt=today) | Q(attestation__valid_until__lt=today)
    return Q(attestation__revoked_at__isnull=False) | of_another_day


def reviews_to_apply() -> QuerySet[AttestationReview]:
    """What officers decided and nobody has carried out yet."""
    found = AttestationReview.objects.filter(applied_at__isnull=True, decided_at__isnull=False)
    return found.select_related("attestation").order_by("decided_at", "id")


def matters_that_await_proof() -> QuerySet[AttestationReview]:
    found = AttestationReview.objects.filter(closed_at__isnull=True, outcome=rules.ReviewOutcome.ANOTHER_PROOF)
    return found.select_related("attestation").order_by("decided_at", "id")


# -- for the member ------------------------------------------------------------------------------------------------


def theirs(user: User) -> QuerySet[Attestation]:
    """What was said of this person: by their address, which they have shown to be theirs, or because it counted for an
    application of theirs; of an organisation, for those who see its papers, as long as they may. Nothing of a number
    that they only typed.
    """
    own = index_of(Identifier("email", user.email))
    used_for = AttestationUse.objects.filter(TOLD, holder__in=_holders(user)).values("attestation")
    return Attestation.objects.filter(Q(identifier_index=own) | Q(pk__in=used_for)).order_by("-made_at", "id")


def _holders(user: User) -> list[uuid.UUID]:
    return people.holders_for(user, Act.PAPERS)


def attestation_for_member(*, user: User, number: str) -> Attestation:
    """The gatekeeper of members. Raises NotFound."""
    found = theirs(user).filter(number=number.strip().upper()).first()
    if found is None:
        raise NotFound(number)
    return found


def counted_for(user: User, attestation: Attestation) -> tuple[str, uuid.UUID]:
    """The application for which it counted last, of those that this person may see, and whose that is; empty, and the
    person's own, when it counted for none.
    """
    told = AttestationUse.objects.filter(TOLD, attestation=attestation, holder__in=_holders(user))
    use = told.order_by("-at", "id").first()
    return (use.subject, use.holder) if use else ("", user.holder_ref)


def matters_of(user: User, attestation: Attestation) -> QuerySet[AttestationReview]:
    """What is or was open between this member and the association, the newest first."""
    return AttestationReview.objects.filter(holder__in=_holders(user), attestation=attestation).order_by(
        "-opened_at", "id"
    )


def object_until(attestation: Attestation) -> dt.datetime | None:
    """Until when whoever holds what rested on a revoked attestation can object before an officer asks for another
    proof. None where nothing was revoked, or the policy names no associations."""
    return last_day_to_object(attestation.revoked_at) if attestation.revoked_at is not None else None


def last_day_to_object(revoked_at: dt.datetime) -> dt.datetime | None:
    policy = in_force()
    if policy.attesting is None:
        return None
    return policies.add(start=revoked_at, allowance=policy.attesting.dispute_within, calendar=calendars.in_force())


def may_be_objected_to(user: User) -> QuerySet[AttestationReview]:
    """Revocations on which something of this user rests, and to which nobody has objected."""
    found = AttestationReview.objects.filter(
        holder__in=_holders(user), kind=ReviewKind.REVOKED, outcome="", closed_at__isnull=True, objected_at__isnull=True
    )
    told = AttestationUse.objects.filter(TOLD, attestation=OuterRef("attestation"), subject=OuterRef("subject"))
    return found.select_related("attestation").filter(Exists(told))


def may_dispute(matter: AttestationReview | None) -> bool:
    """Whether the member may object, this being the newest matter: not twice while one is open."""
    if attesting() is None:
        return False
    is_open = matter is not None and matter.closed_at is None
    return not (is_open and matter is not None and (matter.objected_at is not None or matter.outcome))


def matter_by_number(number: str) -> AttestationReview | None:
    """No gatekeeper: for rooms, not pages."""
    return AttestationReview.objects.filter(number=number).select_related("attestation").first()


def open_matter(user: User, attestation: Attestation) -> AttestationReview | None:
    return matters_of(user, attestation).filter(closed_at__isnull=True).first()


# -- for officers --------------------------------------------------------------------------------------------------


def open_matters() -> QuerySet[AttestationReview]:
    return (
        AttestationReview.objects.filter(closed_at__isnull=True)
        .select_related("attestation")
        .order_by("opened_at", "id")
    )


def undecided_matters(now: dt.datetime) -> QuerySet[AttestationReview]:
    """Those that wait for an officer."""
    undecided = AttestationReview.objects.filter(outcome="", closed_at__isnull=True)
    return undecided.exclude(_with_its_association(now))


def matter_for_officer(officer: User, number: str) -> AttestationReview:
    """Raises NotFound, for an officer's own matter and their organisation's as for none: nobody decides about
    themselves. The view puts the look on record.
    """
    found = AttestationReview.objects.filter(number=number.upper()).select_related("attestation").first()
    if (
        found is None
        or found.person in {f"person:{account}" for account in acting_for.accounts_of(officer)}
        or acting_for.has_part(acting_for.parts_of(officer), found.holder, found.opened_at)
    ):
        raise NotFound(number)
    return found
