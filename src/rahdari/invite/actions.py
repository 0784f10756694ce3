"""The acts of invite: begin a campaign, stop it, withdraw it, count somebody who finished, end it.

Invariants: nobody is written to, and nobody who is invited is known; a link dies with its campaign, at once; whoever
finished is counted and not named, neither here nor in the journal; one that has ended stays ended.
"""

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import F

from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.policy import Inviting

from . import queries, rules
from .models import Campaign
from .rules import Cannot, End, Inviter, Whom, Why

BY_ITS_DAY = "system:invite"


class MayNotInvite(RahdariError):
    """The campaign does not begin. `.why`"""

    says = "{why}"
    why: Cannot


class HasEnded(RahdariError):
    """The campaign has ended before. `.campaign`"""

    says = "{campaign} has ended"
    campaign: Campaign


@transaction.atomic
def begin(
    *, inviter: Inviter, whom: Whom, links: int, days: int, terms: Inviting, actor: str, now: dt.datetime
) -> Campaign:
    """Let a body invite: so many links, for so many days. Two tabs count twice. Raises MayNotInvite."""
    hold(Lock.INVITER, inviter.key)
    running, in_year = queries.running_and_in_year(inviter.key, now)
    facts = {"links": links, "days": days, "running": running, "in_year": in_year}
    if (why := rules.cannot(inviter, whom, **facts, terms=terms)) is not None:
        raise MayNotInvite(why)
    campaign = Campaign.objects.create(
        inviter=inviter.key,
        name=inviter.name,
        whom=whom,
        links=links,
        begun_at=now,
        ends_at=now + dt.timedelta(days=days),
    )
    journal.record(act="invite.began", actor=actor, subject=str(campaign), now=now, detail={"links": links})
    return campaign


def stop(*, campaign: Campaign, actor: str, now: dt.datetime) -> Campaign:
    """Whoever invited ends it before its day, and is told no number. Raises HasEnded."""
    return _end(campaign, End.STOPPED, "invite.stopped", actor=actor, now=now)


def withdraw(*, campaign: Campaign, why: Why, actor: str, now: dt.datetime) -> Campaign:
    """The office ends it, with a reason that each of its links shows from now on. Raises HasEnded."""
    return _end(campaign, End.WITHDRAWN, "invite.withdrawn", why=why, actor=actor, now=now)


@each_of(queries.due)
def end(campaign: Campaign, now: dt.datetime) -> bool:
    """Its day has come: what its inviter is told stands from now on, and the count is gone."""
    _end(campaign, End.OVER, "invite.ended", actor=BY_ITS_DAY, now=now)
    return True


@transaction.atomic
def _end(campaign: Campaign, how: End, act: str, *, actor: str, now: dt.datetime, why: Why | None = None) -> Campaign:
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if campaign.end:
        raise HasEnded(campaign)
    campaign.told = rules.told(campaign.finished, whom=campaign.whom, end=how)
    campaign.end, campaign.ended_at, campaign.why, campaign.finished = how, now, why or "", None
    campaign.save()
    detail = {"why": str(why)} if why else {}
    journal.record(act=act, actor=actor, subject=str(campaign), now=now, detail=detail)
    return campaign


def count(campaign: uuid.UUID, now: dt.datetime) -> bool:
    """Somebody who was invited has sent an application: one more, and nothing else. Whether it was counted.

    It is called in the transaction that sends. No row says which link, which application, or when.
    """
    running = Campaign.objects.filter(pk=campaign, end=End.RUNS, ends_at__gt=now).exclude(whom=Whom.STAFF)
    return bool(running.update(finished=F("finished") + 1))
