"""The page of an endpoint that is measured: how it stands, the last two days, consent and its end."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.applicant import measurement
from rahdari.people.access import person_required
from rahdari.people.rules import Act
from rahdari.watch import queries, words
from rahdari.watch.verdicts import State

from .shared import own_registration

# As tall as each state stands in the strip, of ten; and the class of its bar.
HEIGHT = {
    State.IN_ORDER: (10, ""),
    State.IMPAIRED: (7, "b-wait"),
    State.NOT_ENOUGH: (3, "b-wait"),
    State.SERVER_DOWN: (4, "b-bad"),
    State.PATH_BLOCKED: (4, "b-bad"),
    State.THIS_OPERATOR: (4, "b-bad"),
}
ROWS = 40


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def measured(request: HttpRequest, reference: str, entry: uuid.UUID) -> HttpResponse:
    found, by = own_registration(request, reference, Act.PROVE)
    row, rules = measurement.own_entry(found, entry), measurement.rules()
    if row is None or rules is None:
        raise Http404
    now = timezone.now()
    if request.method == "POST":
        if "withdraw" in request.POST:
            measurement.withdraw(row, by, now=now)
            stopped = _("Measuring has stopped. What was seen is erased, but for what a reported disruption needs.")
            messages.success(request, stopped)
        elif measurement.asks_of(row) is not None:
            inside, agent = "inside" in request.POST, "agent" in request.POST
            measurement.agree(row, by, inside=inside, agent=agent, now=now)
            messages.success(request, _("Thank you. The first check comes within seconds."))
        return redirect(request.path)
    consent, personal = queries.consent_of(row.feed_id), measurement.is_personal(found)
    context: dict[str, Any] = {
        "registration": found,
        "entry": row,
        "address": format_block(row.block),
        "consent": consent,
        "can_be": consent is not None or measurement.asks_of(row) is not None,
        "minutes": (rules.persons_every if personal else rules.every) // dt.timedelta(minutes=1),
        "kept_days": (rules.persons_kept if personal else rules.kept).days,
        "never": words.NEVER,
    }
    if consent is not None:
        spans = queries.series_of(consent, since=now - measurement.SHOWN, now=now)
        concluded = queries.state_of(consent)
        said, why = words.of(concluded.state, concluded.rule) if concluded is not None else (None, None)
        context |= {
            "said": said,
            "why": why,
            "since": concluded.seen.at if concluded is not None else None,
            "paths": _paths(measurement.bars_of(spans, now=now)),
            "rows": [_row(span) for span in reversed(spans)][:ROWS],
            "places": queries.spells_of(consent).filter(ended_at=None),
        }
    return render(request, "portal/applicant/measurement.html", context)


def _paths(bars: list[measurement.Bar]) -> list[tuple[str, str]]:
    """The lines of the strip, by class: what was not measured is left out."""
    lines: dict[str, list[str]] = {}
    for n, bar in enumerate(bars):
        if bar.state is not None:
            tall, kind = HEIGHT[bar.state]
            lines.setdefault(kind, []).append(f"M{n}.5 10V{10 - tall}")
    return [(kind, "".join(path)) for kind, path in lines.items()]


def _row(span: queries.Span) -> dict[str, Any]:
    if span.state is None:
        return {"begins": span.begins, "ends": span.ends, "title": words.NOT_MEASURED, "tone": "off"}
    said, why = words.of(span.state, span.rule)
    return {"begins": span.begins, "ends": span.ends, "title": said.title, "tone": said.tone, "why": why}
