"""Reads of campaigns. A link is derived from its campaign and a number, when it is needed: no table holds one."""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db.models import QuerySet

from rahdari import policy
from rahdari.policy import Inviting
from rahdari.vault import links

from .models import Campaign
from .rules import End

LINK = "invite.link"
A_YEAR = dt.timedelta(days=365)


def terms() -> Inviting | None:
    """None under rules by which nobody invites."""
    return policy.current(settings.POLICY_FILE).inviting


def token_of(campaign: uuid.UUID, number: int) -> str:
    return links.token(LINK, f"{campaign} {number}")


def tokens_of(campaign: Campaign) -> Iterator[tuple[int, str]]:
    """All its links, from number 1."""
    return ((number, token_of(campaign.pk, number)) for number in range(1, campaign.links + 1))


def opened_by(campaign: uuid.UUID, number: int, token: str) -> Campaign | None:
    """The campaign of a link; None for one that was never given out."""
    if not links.matches(LINK, f"{campaign} {number}", token):
        return None
    found = Campaign.objects.filter(pk=campaign).first()
    return found if found is not None and 1 <= number <= found.links else None


def runs(campaign: Campaign, now: dt.datetime) -> bool:
    return campaign.end == End.RUNS and now < campaign.ends_at


def of_inviters(keys: Iterable[str]) -> QuerySet[Campaign]:
    return Campaign.objects.filter(inviter__in=list(keys))


def all_campaigns() -> QuerySet[Campaign]:
    """For the desk, those that run in front."""
    return Campaign.objects.order_by("end", "-begun_at", "id")


def running_and_in_year(inviter: str, now: dt.datetime) -> tuple[int, int]:
    mine = Campaign.objects.filter(inviter=inviter)
    return mine.filter(end=End.RUNS).count(), mine.filter(begun_at__gt=now - A_YEAR).count()


def due(now: dt.datetime) -> QuerySet[Campaign]:
    """Those whose day has come."""
    return Campaign.objects.filter(end=End.RUNS, ends_at__lte=now).order_by("ends_at", "id")
