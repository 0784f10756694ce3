"""How each operator keeps to what it announces: in time, in its window, and how many disruptions were in no window.

Announced work lies below the incidents, so both are put together here.
"""

import csv
import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from rahdari.incident import published as incidents
from rahdari.incident.published import Unannounced
from rahdari.maintenance import figures as works
from rahdari.maintenance.figures import Figures
from rahdari.publish.models import Operator
from rahdari.web.replicas import from_replica


@dataclass(frozen=True)
class Keeping:
    """`unannounced` is None where its disruptions are too few to say."""

    operator: Operator
    works: Figures
    unannounced: Unannounced | None


def keeping(now: dt.datetime) -> list[Keeping]:
    """Of each operator of networks, by name."""
    unannounced = incidents.unannounced(now=now)
    return [
        Keeping(each.operator, each, unannounced.get(each.operator.slug))
        for each in works.figures(now=now)
        if each.operator is not None
    ]


COLUMNS = (
    *("operator", "windows", "announced_in_time", "windows_kept"),
    *("disruptions", "disruptions_outside_windows", "requests", "requests_answered_in_time", "requests_moved"),
)


@require_safe
@cache_control(public=True, max_age=60)
@from_replica
def operators_csv(request: HttpRequest) -> HttpResponse:
    """A row for each operator; what is too few to say is empty."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    out = csv.writer(answer)
    out.writerow(COLUMNS)
    for each in keeping(timezone.now()):
        of, cut, asked = each.works, each.unannounced, each.works.requests
        out.writerow(
            [
                each.operator.slug,
                *((of.announced, of.in_time, of.kept) if of.is_shown else ("", "", "")),
                *((cut.disruptions, cut.outside) if cut is not None else ("", "")),
                *((asked.asked, asked.answered, asked.moved) if asked is not None else ("", "", "")),
            ]
        )
    return answer
