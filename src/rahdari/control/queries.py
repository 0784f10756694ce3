"""Reads of challenges. Tokens are derived here when they are shown; no table holds one."""

import datetime as dt
import ipaddress
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import Cast, Concat, RowNumber
from django.urls import reverse

from rahdari.db.asked import Asked, Later
from rahdari.vault import index, links

from . import places, rules
from .expected_claims import address_asked as address_asked
from .expected_claims import can_be_repeated as can_be_repeated
from .expected_claims import shown_for as shown_for
from .models import Challenge, Method, ProbeAttempt, Reproof, Status
from .prefixes import is_named as is_named
from .prefixes import rpki_of as rpki_of
from .prefixes import weight_of as weight_of

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
LINK = "control.link"
HTTP = "control.http"


def latest_challenge(*, subject: str, block: Block, method: str) -> Challenge | None:
    """The proved one if there is one, else the newest."""
    of_this = Challenge.objects.filter(subject=subject, block=str(block), method=method)
    return (
        of_this.filter(status=Status.VALID).order_by("validated_at", "id").first()
        or of_this.order_by("-opened_at", "id").first()
    )


_of_block = Asked(
    lambda subject, block: Challenge.objects.filter(subject=subject, block=block).order_by("-opened_at", "id")
)


def proof_and_newest(*, subject: str, block: Block, method: str) -> tuple[Challenge | None, Challenge | None]:
    """The first proof of the block, by whatever method, and the newest challenge by this one, in one query."""
    rows = _of_block(subject, str(block))
    proved = [each for each in rows if each.status == Status.VALID]
    proof = min(proved, key=lambda each: (each.validated_at or each.opened_at, each.pk), default=None)
    return proof, next((each for each in rows if each.method == method), None)


def latest_challenges(*, subject: str, block: Block) -> dict[str, Challenge]:
    """The same for every way at once, in one query, by the method."""
    found: dict[str, Challenge] = {}
    of_this = _of_block(subject, str(block))
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


_proofs = Asked(
    lambda subjects: Challenge.objects.filter(subject__in=subjects, status=Status.VALID).order_by("validated_at", "id")
)


def proofs_of(subjects: Iterable[str]) -> dict[tuple[str, str], Challenge]:
    """The first proof of each subject and block, in one query: keys are the subject, and the block as text."""
    return first_of_each(_proofs(list(subjects)))


def newest_proof_by(*, subjects: Iterable[str], block: Block, methods: Collection[str]) -> Challenge | None:
    """The newest challenge by which one of these subjects showed control of exactly this block in one of these ways."""
    shown = Challenge.objects.filter(subject__in=list(subjects), block=str(block), status=Status.VALID)
    return shown.filter(method__in=methods).order_by("-validated_at", "id").first()


def first_of_each(proofs: Iterable[Challenge]) -> dict[tuple[str, str], Challenge]:
    """The same of proofs that were read, oldest first."""
    found: dict[tuple[str, str], Challenge] = {}
    for challenge in proofs:
        found.setdefault((challenge.subject, str(challenge.network)), challenge)
    return found


def proved() -> QuerySet[Challenge]:
    return Challenge.objects.filter(status=Status.VALID).order_by()


def is_proved(subject: str, block: Block) -> bool:
    return proof_of(subject, block) is not None


def link_token(challenge: Challenge) -> str:
    return links.token(LINK, str(challenge.pk))


def link_index(token: str) -> str:
    return index.blind(LINK, token)


def working_link(*, subject: str, block: Block, now: dt.datetime) -> Challenge | None:
    """The open link of an address; None for one that has run out, or was made before the key of links was another."""
    of_links = (each for each in _of_block(subject, str(block)) if each.method == Method.LINK)
    found = next((each for each in of_links if each.status == Status.PENDING and each.expires_at > now), None)
    return found if found is not None and found.link_index == link_index(link_token(found)) else None


def link_path(challenge: Challenge) -> str:
    return reverse("control:prove", args=[link_token(challenge)])


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


def last_attempts(subjects: QuerySet[Any, str], *, most: int) -> QuerySet[ProbeAttempt]:
    """The same of all subjects of a query, of each the newest."""
    nth = Window(RowNumber(), partition_by="challenge__subject", order_by="-id")
    found = ProbeAttempt.objects.filter(challenge__subject__in=subjects).annotate(nth=nth)
    return found.filter(nth__lte=most).select_related("challenge").order_by("-id")


def places_asked() -> int:
    """From how many places a look is made."""
    return places.count()


def last_attempt_and_tries(challenge: Challenge) -> tuple[ProbeAttempt | None, int]:
    """The newest attempt, and how many there were, in one query."""
    of_block = _newest_attempts(challenge.subject, str(challenge.network))
    last = next((each for each in of_block if each.challenge_id == challenge.pk), None)
    return last, last.tries if last is not None else 0  # type: ignore[attr-defined]


_newest_attempts = Asked(
    lambda subject, block: (
        ProbeAttempt.objects.filter(challenge__subject=subject, challenge__block=block)
        .annotate(tries=Window(Count("*"), partition_by="challenge"))
        .order_by("challenge_id", "-id")
        .distinct("challenge_id")
    )
)


def last_attempt(challenge: Challenge) -> ProbeAttempt | None:
    return last_attempt_and_tries(challenge)[0]


def looks_due(*, now: dt.datetime) -> QuerySet[Challenge]:
    """Challenges that somebody asked us to look at and that are due for another look, the longest due first."""
    return Challenge.objects.filter(status=Status.PENDING, next_look_at__lte=now, expires_at__gt=now).order_by(
        "next_look_at", "id"
    )


def parts_of(subject: str, block: Block) -> list[rules.Part]:
    """What has succeeded so far for the block, by the ways that are still open."""
    return [
        rules.Part(
            attempt.challenge.method,
            ipaddress.ip_address(attempt.evidence["part"]["address"]),
            attempt.evidence["part"]["weight"],
        )
        for attempt in _parts(subject, str(block))
    ]


_parts = Asked(
    lambda subject, block: (
        ProbeAttempt.objects.filter(
            challenge__subject=subject, challenge__block=block, challenge__status=Status.PENDING, finding="part"
        )
        .select_related("challenge")
        .order_by("id")
    )
)


def proofs_later(*, subject: str, block: Block) -> list[Later[Any]]:
    """How far every method has come for a block, as several functions here ask it, for `db.together.ahead`."""
    return [each.later(subject, str(block)) for each in (_of_block, _newest_attempts, _parts)]


def is_awaited(subject: str, block: Block, now: dt.datetime) -> bool:
    """Whether a proof of this block may still come by itself."""
    return Challenge.objects.filter(
        subject=subject, block=str(block), status=Status.PENDING, expires_at__gt=now
    ).exists()


def tries_at(subject: str, block: Block) -> int:
    """The number of attempts to prove control of this block."""
    return ProbeAttempt.objects.filter(challenge__subject=subject, challenge__block=str(block)).count()


def awaited_of(asked: Iterable[tuple[str, Block]], now: dt.datetime) -> set[tuple[str, Block]]:
    """Those of these (subject, block) of which a proof may still come and none is there, in one query."""
    wanted = set(asked)
    found = Challenge.objects.filter(
        subject__in={subject for subject, _ in wanted}, status__in=[Status.VALID, Status.PENDING]
    ).order_by()
    pending, proved = set(), set()
    for subject, block, status, until in found.values_list("subject", "block", "status", "expires_at"):
        about = subject, ipaddress.ip_network(str(block))
        if status == Status.VALID:
            proved.add(about)
        elif until > now:
            pending.add(about)
    return wanted & (pending - proved)


def pending_challenges(subjects: QuerySet[Any, str]) -> QuerySet[Challenge]:
    """Proofs that are still awaited of these subjects."""
    return Challenge.objects.filter(subject__in=subjects, status=Status.PENDING).order_by("opened_at", "id")


def subjects_with_their_operators(subjects: Iterable[str]) -> set[str]:
    """Those whose operator was asked to prove their address, and has not answered."""
    return {each.subject for each in _with_operators(list(subjects))}


_with_operators = Asked(
    lambda subjects: Challenge.objects.filter(
        subject__in=subjects, method=Method.OPERATOR, status=Status.PENDING
    ).order_by()
)


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
