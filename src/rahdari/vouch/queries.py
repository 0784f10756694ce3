"""Reads of the questions. The token of a link is derived when it is needed; no table holds one."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from rahdari.vault import index, links

from .models import MailOptOut, ReferenceRequest
from .rules import ReferenceState, Written

LINK = "vouch.link"
# Of fewer answers than these it is not said how long they took.
FEWEST_TO_SAY = 5


def token_of(question: ReferenceRequest) -> str:
    return links.token(LINK, str(question.pk))


def link_index(token: str) -> str:
    return index.blind(LINK, token)


def address_index(address: str) -> str:
    return index.blind("vouch.address", address.strip().lower())


def question_by_token(token: str) -> ReferenceRequest | None:
    """The question that a link opens, whatever became of it; None for a token that was never given out."""
    if not token.isascii() or len(token) != links.LENGTH:
        return None
    found = ReferenceRequest.objects.filter(link_index=link_index(token)).first()
    if found is None or not links.matches(LINK, str(found.pk), token):
        return None
    return found


def question_of(subject: str) -> ReferenceRequest | None:
    return ReferenceRequest.objects.filter(subject=subject).first()


def questions_of(subjects: Iterable[str]) -> QuerySet[ReferenceRequest]:
    return ReferenceRequest.objects.filter(subject__in=list(subjects))


def subjects_asked_for(subjects: QuerySet[Any, str]) -> QuerySet[ReferenceRequest, str]:
    """Those of these for which somebody was asked."""
    return ReferenceRequest.objects.filter(subject__in=subjects).order_by().values_list("subject", flat=True)


def is_open(question: ReferenceRequest, now: dt.datetime) -> bool:
    return question.state == ReferenceState.WAITING and now < question.ends_at


def not_carried() -> QuerySet[ReferenceRequest]:
    """Those whose answer is still awaited, or was not taken along yet."""
    return ReferenceRequest.objects.filter(carried_at__isnull=True)


def latest_waiting(subjects: Iterable[str]) -> ReferenceRequest | None:
    """Of these subjects, the question that waits and was asked last."""
    return questions_of(subjects).filter(state=ReferenceState.WAITING).order_by("-asked_at", "-id").first()


def usual_time(*, since: dt.datetime) -> dt.timedelta | None:
    """How long half of those who answered took at most, of the last hundred; None while too few did to say so."""
    answered = ReferenceRequest.objects.filter(
        state__in=[ReferenceState.YES, ReferenceState.NO, ReferenceState.NOT_ME], answered_at__gte=since
    )
    spans = sorted(
        done - asked
        for asked, done in answered.order_by("-answered_at").values_list("asked_at", "answered_at")[:100]
        if done is not None
    )
    return spans[(len(spans) - 1) // 2] if len(spans) >= FEWEST_TO_SAY else None


def wants_no_mail(address: str) -> bool:
    return MailOptOut.objects.filter(address_index=address_index(address)).exists()


def written_lately(*, asked_by: str, address: str, domain: str, since: dt.datetime) -> Written:
    lately = ReferenceRequest.objects.filter(asked_at__gte=since)
    return Written(
        by_applicant=lately.filter(asked_by=asked_by).count(),
        to_address=lately.filter(address_index=address_index(address)).count(),
        to_domain=lately.filter(domain=domain).count(),
    )


def to_remind(now: dt.datetime) -> QuerySet[ReferenceRequest]:
    waiting = ReferenceRequest.objects.filter(state=ReferenceState.WAITING, reminded_at__isnull=True, ends_at__gt=now)
    return waiting.filter(remind_at__lte=now).order_by("remind_at", "id")


def past_their_time(now: dt.datetime) -> QuerySet[ReferenceRequest]:
    return ReferenceRequest.objects.filter(state=ReferenceState.WAITING, ends_at__lte=now).order_by("ends_at", "id")


def to_carry() -> QuerySet[ReferenceRequest]:
    found = ReferenceRequest.objects.filter(carried_at__isnull=True).exclude(state=ReferenceState.WAITING)
    return found.order_by("answered_at", "id")


def to_forget(now: dt.datetime) -> QuerySet[ReferenceRequest]:
    over = ReferenceRequest.objects.filter(forgotten_at__isnull=True, forget_at__lte=now).exclude(
        state=ReferenceState.WAITING
    )
    return over.order_by("forget_at", "id")
