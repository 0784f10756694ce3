"""Reads of challenges and checks. Tokens are derived here when they are shown; no table holds one."""

import datetime as dt
import hmac
import ipaddress
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import CharField, Count, Exists, Min, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse

from rahdari.vault import cipher, index, links

from . import rules, vantage_points
from .expected_claims import address_asked as address_asked
from .expected_claims import can_be_repeated as can_be_repeated
from .expected_claims import shown_for as shown_for
from .models import Challenge, Check, Method, Outcome, ProbeAttempt, Reproof, Roster, RosterRow, Status
from .prefixes import is_named as is_named
from .prefixes import rpki_of as rpki_of
from .prefixes import weight_of as weight_of
from .roster_rows import DOMAIN

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
LINK = "verify.link"
HTTP = "verify.http"
ROW = RosterRow._meta.label


# -- challenges --------------------------------------------------------------------------------------------------


def latest_challenge(*, subject: str, block: Block, method: str) -> Challenge | None:
    """The proved one if there is one, else the newest."""
    of_this = Challenge.objects.filter(subject=subject, block=str(block), method=method)
    return (
        of_this.filter(status=Status.VALID).order_by("validated_at", "id").first()
        or of_this.order_by("-opened_at", "id").first()
    )


def newest_challenge(*, subject: str, block: Block, method: str) -> Challenge | None:
    """The same where it is known that none is proved."""
    of_this = Challenge.objects.filter(subject=subject, block=str(block), method=method)
    return of_this.order_by("-opened_at", "id").first()


def latest_challenges(*, subject: str, block: Block) -> dict[str, Challenge]:
    """The same for every way at once, in one query, by the method."""
    found: dict[str, Challenge] = {}
    of_this = Challenge.objects.filter(subject=subject, block=str(block)).order_by("-opened_at", "id")
    for challenge in of_this:
        found.setdefault(challenge.method, challenge)
    proved = [challenge for challenge in of_this if challenge.status == Status.VALID]
    # Of those that are proved the first, whatever was opened since.
    first = sorted(proved, key=lambda each: (each.validated_at or each.opened_at, each.pk), reverse=True)
    return found | {challenge.method: challenge for challenge in first}


def proof_of(subject: str, block: Block) -> Challenge | None:
    """The first challenge by which the subject showed control of exactly this block; None while there is none."""
    return (
        Challenge.objects.filter(subject=subject, block=str(block), status=Status.VALID)
        .order_by("validated_at", "id")
        .first()
    )


def proofs_of(subjects: Iterable[str]) -> dict[tuple[str, str], Challenge]:
    """The first proof of each subject and block, in one query: keys are the subject, and the block as text."""
    found: dict[tuple[str, str], Challenge] = {}
    proved = Challenge.objects.filter(subject__in=list(subjects), status=Status.VALID)
    for challenge in proved.order_by("validated_at", "id"):
        found.setdefault((challenge.subject, str(challenge.network)), challenge)
    return found


def is_proved(subject: str, block: Block) -> bool:
    return proof_of(subject, block) is not None


def link_token(challenge: Challenge) -> str:
    return links.token(LINK, str(challenge.pk))


def link_index(token: str) -> str:
    return index.blind(LINK, token)


def working_link(*, subject: str, block: Block, now: dt.datetime) -> Challenge | None:
    """The open link of an address; None for one that has run out, or was made before the key of links was another."""
    open_ones = Challenge.objects.filter(method=Method.LINK, status=Status.PENDING, expires_at__gt=now)
    found = open_ones.filter(subject=subject, block=str(block)).first()
    return found if found is not None and found.link_index == link_index(link_token(found)) else None


def link_path(challenge: Challenge) -> str:
    return reverse("verify:prove", args=[link_token(challenge)])


def link_url(challenge: Challenge) -> str:
    """The address that proves control when it is opened from the block: see `visits`."""
    return settings.SITE_URL.rstrip("/") + link_path(challenge)


def http_token_of(challenge: Challenge) -> tuple[str, str]:
    """Where the file goes, and the token that its line names."""
    return rules.TOKEN_PATH, links.token(HTTP, str(challenge.repeats_id or challenge.pk))


def challenge_by_token(token: str) -> Challenge | None:
    """The challenge that a link opens, whatever became of it; None for a token that was never given out."""
    if not token.isascii() or len(token) != links.LENGTH:
        return None
    found = Challenge.objects.filter(method=Method.LINK, link_index=link_index(token)).first()
    if found is None or not links.matches(LINK, str(found.pk), token):
        return None
    return found


def attempts_of(challenge: Challenge) -> QuerySet[ProbeAttempt]:
    """What was tried and seen, newest first."""
    return ProbeAttempt.objects.filter(challenge=challenge).order_by("-id")


def attempts_about(subject: str) -> QuerySet[ProbeAttempt]:
    """What was tried for a subject, by all ways, newest first."""
    return ProbeAttempt.objects.filter(challenge__subject=subject).select_related("challenge").order_by("-id")


def places_asked() -> int:
    """From how many places a look is made."""
    return vantage_points.count()


def last_attempt(challenge: Challenge) -> ProbeAttempt | None:
    return attempts_of(challenge).first()


def looks_due(*, now: dt.datetime) -> QuerySet[Challenge]:
    """Challenges that somebody asked us to look at and that are due for another look, the longest due first."""
    return Challenge.objects.filter(status=Status.PENDING, next_look_at__lte=now, expires_at__gt=now).order_by(
        "next_look_at", "id"
    )


def parts_of(subject: str, block: Block) -> list[rules.Part]:
    """What has succeeded so far for the block, by the ways that are still open."""
    found = ProbeAttempt.objects.filter(
        challenge__subject=subject,
        challenge__block=str(block),
        challenge__status=Status.PENDING,
        finding="part",
    ).select_related("challenge")
    return [
        rules.Part(
            attempt.challenge.method,
            ipaddress.ip_address(attempt.evidence["part"]["address"]),
            attempt.evidence["part"]["weight"],
        )
        for attempt in found
    ]


def pending_challenges(subjects: QuerySet[Any, str]) -> QuerySet[Challenge]:
    """Proofs that are still awaited of these subjects."""
    return Challenge.objects.filter(subject__in=subjects, status=Status.PENDING).order_by("opened_at", "id")


def subjects_with_their_operators(subjects: Iterable[str]) -> set[str]:
    """Those whose operator was asked to prove their address, and has not answered."""
    found = Challenge.objects.filter(subject__in=list(subjects), method=Method.OPERATOR, status=Status.PENDING)
    return set(found.values_list("subject", flat=True))


def challenges_past_their_time(*, now: dt.datetime) -> QuerySet[Challenge]:
    return Challenge.objects.filter(status=Status.PENDING, expires_at__lte=now).order_by("expires_at", "id")


# -- proofs shown again ------------------------------------------------------------------------------------------


def reproofs_of(abouts: Iterable[str]) -> dict[str, list[Reproof]]:
    """What was asked to be shown again, newest first, in one query."""
    found: dict[str, list[Reproof]] = {}
    for reproof in Reproof.objects.filter(about__in=list(abouts)).order_by("-opened_at", "id").select_related("proof"):
        found.setdefault(reproof.about, []).append(reproof)
    return found


def occasions_known(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these (about, occasion), those for which a proof was asked already."""
    wanted = set(pairs)
    rows = Reproof.objects.filter(about__in={about for about, _ in wanted}).values_list("about", "occasion")
    return wanted.intersection(rows)


def open_reproofs() -> QuerySet[Reproof]:
    return Reproof.objects.filter(state=Reproof.State.OPEN).order_by("window_ends_at", "id")


def reproofs_to_follow(*, now: dt.datetime) -> QuerySet[Reproof]:
    """Those under way that have succeeded, or whose window is over."""
    subject = Concat(Value("reproof:"), Cast(OuterRef("pk"), CharField()))
    shown = Challenge.objects.filter(subject=subject, status=Status.VALID)
    return open_reproofs().filter(Q(window_ends_at__lte=now) | Exists(shown))


def reproofs_in_vain() -> QuerySet[Reproof]:
    """Those that came to nothing and after which nothing was shown for the same entry, the latest first."""
    later = Reproof.objects.filter(
        about=OuterRef("about"), state=Reproof.State.SHOWN, opened_at__gt=OuterRef("opened_at")
    )
    again = Reproof.objects.filter(
        about=OuterRef("about"), state=Reproof.State.IN_VAIN, opened_at__gt=OuterRef("opened_at")
    )
    found = Reproof.objects.filter(~Exists(later), ~Exists(again), state=Reproof.State.IN_VAIN)
    return found.order_by("-ended_at", "id").select_related("proof")


# -- checks ------------------------------------------------------------------------------------------------------


def checks_of(subject: str) -> QuerySet[Check]:
    """The checks of a subject in the order in which they were asked for."""
    return Check.objects.filter(subject=subject).order_by("position", "id")


def checks_of_subjects(subjects: Iterable[str]) -> dict[str, list[Check]]:
    """The checks of many subjects, in one query."""
    found: dict[str, list[Check]] = {}
    for check in Check.objects.filter(subject__in=list(subjects)).order_by("subject", "position", "id"):
        found.setdefault(check.subject, []).append(check)
    return found


def check_subjects(subjects: Iterable[str]) -> QuerySet[Check, str]:
    """The checks of these subjects, as other rooms name them; a part of their query."""
    named = Concat(Value("check:"), Cast("pk", CharField()))
    return Check.objects.filter(subject__in=list(subjects)).order_by().values_list(named, flat=True)


def counted(subjects: Iterable[str]) -> list[tuple[str, dict[str, str], str, bool, int]]:
    """How many checks of each title stand how: subject, title in both languages, outcome, whether required, number."""
    found = Check.objects.filter(subject__in=list(subjects)).values_list("subject", "title", "outcome", "required")
    rows = found.annotate(count=Count("pk"), place=Min("position")).order_by("subject", "place")
    return [(subject, title, outcome, required, count) for subject, title, outcome, required, count, _place in rows]


def awaiting_control(targets: Iterable[str]) -> set[str]:
    """Those of these endpoints whose control is still to be shown."""
    waiting = Check.objects.filter(kind="control", outcome=Outcome.WAITING, target__in=list(targets))
    return set(waiting.values_list("target", flat=True))


def checks_where(**which: Any) -> QuerySet[Check]:
    return Check.objects.filter(**which).order_by()


def failed_checks() -> QuerySet[Check]:
    """Those that a grant needs and that failed."""
    return Check.objects.filter(outcome=Outcome.FAILED, required=True).order_by()


def check_by_id(*, subject: str, id: str) -> Check | None:
    return Check.objects.filter(subject=subject, pk=id).first()


def check_about(*, subject: str, kind: str, target: str) -> Check | None:
    return Check.objects.filter(subject=subject, kind=kind, target=target).first()


def any_passed(kind: str, subjects: Iterable[str]) -> bool:
    """Whether a check of this kind passed for one of these subjects."""
    return Check.objects.filter(kind=kind, subject__in=list(subjects), outcome=Outcome.PASSED).exists()


def waiting_of_kind(kind: str, *, other_than: QuerySet[Any]) -> QuerySet[Check]:
    """Checks of one kind that wait, but not those that a row of these names as its subject, "check:<id>"."""
    named = Concat(Value("check:"), Cast("pk", CharField()))
    found = waiting_checks().filter(kind=kind).alias(known_as=named)
    return found.filter(~Exists(other_than.filter(subject=OuterRef("known_as"))))


def controls_waiting(targets: QuerySet[Any, str]) -> QuerySet[Check]:
    """Of these targets, checks of control that wait and do not stand for now yet."""
    return waiting_checks().filter(kind="control", target__in=targets).exclude(facts__has_key="stands_for_now")


def recorded_by_hand() -> QuerySet[Check]:
    """Checks that an officer has answered, of any subject."""
    return Check.objects.filter(finding="by_hand")


def answered_checks() -> QuerySet[Check]:
    return Check.objects.filter(answered_at__isnull=False)


def controls_proved_late() -> QuerySet[Check]:
    """Checks of control that failed for want of a proof, of what is proved now."""
    proved = Challenge.objects.filter(subject=OuterRef("proved_of"), block=OuterRef("of_block"), status=Status.VALID)
    return Check.objects.annotate(
        proved_of=Coalesce(KT("facts__control_subject"), "target"), of_block=KT("facts__block")
    ).filter(Exists(proved), kind="control", outcome=Outcome.FAILED, finding="not_proved")


def check_with_id(id: str) -> Check | None:
    return Check.objects.filter(pk=id).first()


def waiting_checks() -> QuerySet[Check]:
    return Check.objects.filter(outcome=Outcome.WAITING).order_by("opened_at", "id")


# -- rosters -----------------------------------------------------------------------------------------------------


def roster_in_use(name: str) -> Roster | None:
    return Roster.objects.filter(name=name, in_use=True).first()


def rosters_in_use() -> QuerySet[Roster]:
    return Roster.objects.filter(in_use=True).order_by("name")


def roster_key(name: str, number: str) -> bytes | None:
    """The keyed hash under which a number stands in a roster; None when it has not the shape of one."""
    exact = rules.roster_key(name, number)
    return None if exact is None else index.blinder().blind(f"roster.{name}", exact)


LISTED = """
SELECT roster.imported_at, listed.id, listed.active, listed.valid_until, listed.name, listed.email, listed.mobile,
    listed.domain
FROM verify_roster roster LEFT JOIN verify_rosterrow listed ON listed.roster_id = roster.id AND listed.key = %s
WHERE roster.name = %s AND roster.in_use
"""


class Listed(NamedTuple):
    """What the roster in use says of a number. `row` is None when it does not have it."""

    imported_at: dt.datetime
    row: uuid.UUID | None
    active: bool
    valid_until: dt.date | None
    name: str
    email: str
    mobile: str
    domain: bytes

    @property
    def has_domain(self) -> bool:
        return bool(self.domain)


def look_up(roster: str, number: str) -> Listed | None:
    """One number in the roster in use; None while no roster is. One query by key, in millions of rows as in ten."""
    with connection.cursor() as cursor:
        cursor.execute(LISTED, [roster_key(roster, number), roster])
        found = cursor.fetchone()
    if found is None:
        return None
    imported_at, row, active, valid_until, *sealed, domain = found
    name, email, mobile = (
        cipher.unseal("fields", bytes(each), where=f"{ROW}.{field}:{row}").decode() if each else ""
        for field, each in zip(("name", "email", "mobile"), sealed, strict=True)
    )
    return Listed(imported_at, row, bool(active), valid_until, name, email, mobile, bytes(domain or b""))


def is_domain_of(listed: Listed, domain: str) -> bool:
    """Whether the row names this domain as the one of its member's addresses."""
    return listed.has_domain and hmac.compare_digest(listed.domain, index.blinder().blind(DOMAIN, domain))


def row_behind(check: Check) -> RosterRow | None:
    """The roster's row that a check rests on, while that import is in use. For officers: it holds a name."""
    row = check.facts.get("row")
    return RosterRow.objects.filter(pk=row).first() if row else None
