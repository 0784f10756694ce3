"""How registered connections stand, for everybody: now, in 90 days, what was cut and what is announced; as a page,
and as RSS, JSON and CSV for programs.

Nothing here leads to an endpoint or a holder: days are counted of ten endpoints or more, an incident names an operator
only where connections of three holders or more were cut.
"""

import csv
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from rahdari.applicant.links import absolute
from rahdari.incident import published as incidents
from rahdari.incident.published import Published
from rahdari.maintenance import published as works
from rahdari.maintenance import queries as planned
from rahdari.maintenance import words as work_words
from rahdari.maintenance.models import Work
from rahdari.maintenance.rules import State as WorkState
from rahdari.publish import queries as operators
from rahdari.publish.models import Operator
from rahdari.watch import daily
from rahdari.watch import queries as watch
from rahdari.watch.models import Day
from rahdari.web import feeds
from rahdari.web.replicas import from_replica
from rahdari.web.values import moment, plain_ltr, zone

from . import compared
from .keeping import keeping

DAYS = 90
# A day is counted when it is over; one may have been missed.
LATELY = dt.timedelta(days=2)
fresh = cache_control(public=True, max_age=60)


@dataclass(frozen=True)
class Connections:
    """Of one operator; of all without one. `days` are those that were counted, by date, until `today`."""

    operator: Operator | None
    today: dt.date
    days: list[Day]
    cut_since: dt.datetime | None
    work: Work | None

    @property
    def shown(self) -> list[Day]:
        return [day for day in self.days if day.reached is not None]

    @property
    def percent(self) -> float | None:
        """Of the days that are shown, each weighs the same."""
        shown = self.shown
        return sum(day.reached or 0 for day in shown) / len(shown) / 10 if shown else None

    @property
    def worst(self) -> Day | None:
        return min(self.shown, key=lambda day: day.reached or 0, default=None)

    @property
    def state(self) -> str:
        """For programs, in the words of status pages, which have none for whom nothing was counted lately: empty."""
        if self.cut_since is not None:
            return "partial_outage"
        if self.work is not None:
            return "under_maintenance"
        return "operational" if any(day.date >= self.today - LATELY for day in self.shown) else ""


@dataclass(frozen=True)
class Told:
    now: dt.datetime
    first: dt.date
    all: Connections
    of_operators: list[Connections]
    incidents: list[Published]
    # Of fewer connections each, so that they are counted and no more.
    unnamed: int
    works: list[Work]


def told(now: dt.datetime) -> Told:
    today = timezone.localdate(now)
    first = today - dt.timedelta(days=DAYS)
    since = now - dt.timedelta(days=DAYS)
    named = operators.network_operators()
    days = watch.days(["", *(each.slug for each in named)], since=first)
    found, unnamed = incidents.lately(since=since, now=now)
    announced = list(works.announced(since=since))
    running = [work for work in announced if work.state == WorkState.STARTED]

    def of(operator: Operator | None) -> Connections:
        live = [each.began_at for each in found if each.is_live and each.operator == operator]
        work = next((each for each in running if each.operator == operator), None)
        return Connections(operator, today, days[operator.slug if operator else ""], min(live, default=None), work)

    return Told(now, first, of(None), [of(each) for each in named], found, unnamed, announced)


@require_safe
@from_replica
def connections(request: HttpRequest) -> HttpResponse:
    found = told(timezone.now())
    context = {
        "told": found,
        "rows": [(each, _paths(each.days, found.first)) for each in (found.all, *found.of_operators)],
        "unnamed_shown": found.unnamed > 0,
        "cut": [each for each in found.of_operators if each.cut_since is not None],
        "works": [(each, work_words.state(each.state)) for each in found.works],
        "keeping": keeping(found.now),
        "compared": compared.shown(),
        "terms": planned.terms(),
        "fewest_disruptions": incidents.FEWEST,
        "fewest": daily.FEWEST,
        "fewest_holders": daily.FEWEST_HOLDERS,
        "days": DAYS,
    }
    return render(request, "portal/public/connections.html", context)


def _paths(days: Iterable[Day], first: dt.date) -> list[tuple[str, str]]:
    """The bars of the strip by their class: one for each day that is shown, the shorter the more was cut."""
    lines: dict[str, list[str]] = {}
    for day in days:
        if day.reached is not None:
            kind, tall = ("", 10) if day.reached == 1000 else ("b-wait", 7) if day.reached >= 950 else ("b-bad", 4)
            lines.setdefault(kind, []).append(f"M{(day.date - first).days}.5 10V{10 - tall}")
    return [(kind, "".join(path)) for kind, path in lines.items()]


# -- for programs --------------------------------------------------------------------------------------------------


@require_safe
@fresh
@from_replica
def summary(request: HttpRequest) -> HttpResponse:
    """The shape of `/api/v2/summary.json`, which programs that read status pages know."""
    found = told(timezone.now())
    updated = found.now.isoformat()
    components = [
        {
            "id": each.operator.slug,
            "name": each.operator.name_en,
            "status": each.state,
            "updated_at": updated,
            "position": position,
            "description": f"{each.percent:.1f} % in {DAYS} days"
            if each.percent is not None
            else "Too few connections were measured to say",
        }
        for position, each in enumerate(found.of_operators, 1)
        if each.operator is not None and each.state
    ]
    cut = any(each.is_live for each in found.incidents)
    return JsonResponse(
        {
            "page": {
                "id": request.get_host(),
                "name": "Rahdari",
                "url": absolute(reverse("portal:connections")),
                "time_zone": timezone.get_current_timezone_name(),
                "updated_at": updated,
            },
            "status": {
                "indicator": "major" if cut else "none",
                "description": "Registered connections are cut"
                if cut
                else f"No disruption of {daily.FEWEST_HOLDERS} or more holders is known",
            },
            "components": components,
            "incidents": [_incident(each) for each in found.incidents],
            "scheduled_maintenances": [_work(each) for each in found.works],
        }
    )


def _incident(each: Published) -> dict[str, Any]:
    return {
        "id": each.reference,
        "name": f"Registered connections cut at {each.operator.name_en}",
        "status": "resolved" if not each.is_live else "identified" if each.cause else "investigating",
        "impact": "major",
        "started_at": each.began_at.isoformat(),
        "resolved_at": each.back_at.isoformat() if each.back_at else None,
        "cause": each.cause or None,
        "components": [{"id": each.operator.slug}],
        "shortlink": absolute(reverse("portal:connections")) + "#" + each.reference,
    }


def _work(work: Work) -> dict[str, Any]:
    name = work.operator.name_en if work.operator is not None else "Regulator"
    return {
        "id": work.reference,
        "name": f"Planned work: {name}",
        "status": _STATUS[WorkState(work.state)],
        "impact": "maintenance",
        "scheduled_for": work.starts_at.isoformat() if work.starts_at else None,
        "scheduled_until": work.ends_at.isoformat() if work.ends_at else None,
        "components": [{"id": work.operator.slug}] if work.operator is not None else [],
        "shortlink": absolute(reverse("portal:connections")) + "#" + work.reference,
    }


# In the words of status pages, which have none for work that is off.
_STATUS = {
    WorkState.ANNOUNCED: "scheduled",
    WorkState.STARTED: "in_progress",
    WorkState.COMPLETED: "completed",
    WorkState.CANCELLED: "cancelled",
}


@require_safe
@fresh
@from_replica
def days_csv(request: HttpRequest) -> HttpResponse:
    """A row for each day and operator that is shown; without an operator of all."""
    found = told(timezone.now())
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    out = csv.writer(answer)
    out.writerow(["date", "operator", "endpoints_rounded_to_5", "reached_percent"])
    for each in (found.all, *found.of_operators):
        for day in each.shown:
            name = each.operator.slug if each.operator is not None else ""
            out.writerow([day.date.isoformat(), name, day.endpoints, f"{(day.reached or 0) / 10:.1f}"])
    return answer


@require_safe
@fresh
@from_replica
def rss(request: HttpRequest) -> HttpResponse:
    """Disruptions and announced work, the newest first. That work is over, or off, is an entry of its own."""
    found, here = told(timezone.now()), absolute(reverse("portal:connections"))
    entries = []
    for each in found.incidents:
        title, at = _("Connections at %(operator)s were cut"), each.back_at or each.began_at
        entries.append(_entry(at, title % {"operator": each.operator.name}, _of_disruption(each), each.reference))
    for work in found.works:
        if work.told_at is not None:
            name = work.operator.name if work.operator is not None else _("The regulator")
            title = _("Planned work of %(operator)s: %(state)s") % {
                "operator": name,
                "state": work_words.state(work.state),
            }
            text = _("%(window)s. Times are those of %(zone)s.") % {"window": works.window(work), "zone": _zone()}
            entries.append(_entry(work.ended_at or work.told_at, title, text, work.reference))
    return feeds.answer(
        title=_("Registered connections"),
        description=_("Disruptions and announced work"),
        link=here,
        here=absolute(reverse("portal:connections_rss")),
        entries=entries,
    )


def _entry(at: dt.datetime, title: str, text: str, reference: str) -> feeds.Entry:
    link = absolute(reverse("portal:connections"))
    return feeds.Entry(at, title, text, f"{link}#{reference}", f"{reference}-{at:%Y%m%d%H%M}")


def _of_disruption(each: Published) -> str:
    """Since when and until when, with days: whoever reads it may read it on another one."""
    told = {"start": moment(each.began_at), "zone": _zone(), "cause": each.cause_in_words or _("Not said yet")}
    if each.back_at is None or each.is_live:
        return _("Since %(start)s, not over yet. Cause: %(cause)s. Times are those of %(zone)s.") % told
    told["end"] = moment(each.back_at)
    return _("From %(start)s to %(end)s. Cause: %(cause)s. Times are those of %(zone)s.") % told


def _zone() -> str:
    return plain_ltr(zone())
