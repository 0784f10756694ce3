"""Reads of the ledger. The caller of `demands_of` has made sure that the application is theirs."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from rahdari.apply.models import Application
from rahdari.errors import RahdariError

from .models import Demand


class DemandNotFound(RahdariError):
    """There is no such demand. `.id`"""

    says = "no demand {id}"
    id: uuid.UUID


def demands() -> QuerySet[Demand]:
    return Demand.objects.select_related("case__application", "recorded_by", "answered_by", "agreed_by")


def demand_for_officer(id: uuid.UUID) -> Demand:
    """Every officer sees the ledger. Raises DemandNotFound."""
    found = demands().filter(pk=id).first()
    if found is None:
        raise DemandNotFound(id)
    return found


def demands_of(application: Application, now: dt.datetime) -> list[Demand]:
    """What was demanded about this application, and is not hidden from its holder any more."""
    return [each for each in demands().filter(case__application=application) if not each.is_hidden(now)]


def hidden_grounds(now: dt.datetime) -> frozenset[str]:
    """Of the looks that no holder is shown yet (`applicant.access_log`)."""
    hidden = Demand.objects.filter(hidden_until__gte=timezone.localdate(now))
    return frozenset(each.ground for each in hidden)


@dataclass(frozen=True)
class Figures:
    """Of one year. `hidden`: whether there are demands among them of which holders are not told yet."""

    year: int
    demands: int
    given: int
    refused: int
    bulk: int
    hidden: bool


def figures(now: dt.datetime) -> Figures:
    year = timezone.localdate(now).year
    found = Demand.objects.filter(at__year=year).aggregate(
        demands=Count("pk"),
        given=Count("pk", filter=Q(agreed_at__isnull=False)),
        refused=Count("pk", filter=Q(outcome=Demand.Outcome.REFUSED)),
        bulk=Count("pk", filter=Q(outcome=Demand.Outcome.BULK)),
        hidden=Count("pk", filter=Q(hidden_until__gte=timezone.localdate(now))),
    )
    return Figures(year, found["demands"], found["given"], found["refused"], found["bulk"], bool(found["hidden"]))
