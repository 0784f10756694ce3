"""A registered connection is cut: its report, and the page of the incident until after it is over.

Who sees the registration may report it and say how it goes: whoever notices first is rarely who applied.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.address import format_block
from rahdari.applicant.lines import standing_of
from rahdari.applicant.refusals import why
from rahdari.incident import actions, measured, packs, page, queries, rules, words
from rahdari.incident.forms import ALL, ReportForm, WordsForm
from rahdari.incident.models import Incident, Report
from rahdari.incident.rules import Channel, State
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.vault.files import FileMissing
from rahdari.web import errors, limits, values
from rahdari.web.posting import posted_from

from .shared import own_registration, state_for_script


def connections_of(found: Registration) -> dict[str, Entry]:
    """What of it can be cut now: each endpoint once, by its key."""
    entries = register.own_entries_of(found).select_related("carrier", "registration")
    return {str(each.pk): each for each in entries.filter(ended_at__isnull=True, part_of__isnull=True)}


def _form(request: HttpRequest, connections: dict[str, Entry], now: dt.datetime) -> ReportForm:
    looks = {}
    for key, entry in connections.items():
        seen = measured.last_of(queries.subject_of(entry), now=now)
        tone = "ok" if seen.state == "in_order" else "warn" if seen.state == "impaired" else "bad"
        if seen.says_something:
            looks[key] = (tone, words.measured(seen.state))
    named = [(key, values.plain_ltr(format_block(entry.block))) for key, entry in connections.items()]
    return ReportForm(request.POST if request.method == "POST" else None, connections=named, looks=looks)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report_cut(request: HttpRequest, reference: str) -> HttpResponse:
    """Three questions; the evidence we add by ourselves."""
    found, by = own_registration(request, reference, Act.SEE)
    now, connections = timezone.now(), connections_of(found)
    form = _form(request, connections, now)
    if form.is_bound and form.is_valid():
        allowance = limits.take(f"incident.report:{found.holder}", rate=actions.MOST_AN_HOUR, per=3600)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        incident = _report(found, connections, form, by, now)
        messages.success(request, _("Reported. This page shows what is done about it."))
        return redirect("portal:incident", reference=found.reference, number=incident.reference)
    context = {
        "registration": found,
        "form": form,
        "connections": connections,
        "open": [each for each in queries.incidents_of(found) if each.is_live],
        "published": standing_of(found, connections.values()),
    }
    return render(request, "portal/applicant/report_cut.html", context, status=422 if form.is_bound else 200)


def _report(
    found: Registration, connections: dict[str, Entry], form: ReportForm, by: Acting, now: dt.datetime
) -> Incident:
    chosen = form.cleaned_data["connection"]
    entries = list(connections.values()) if chosen == ALL else [connections[chosen]]
    facts, first = form.facts, None
    for entry in entries:
        made = actions.report(**facts, registration=found, entry=entry, channel=Channel.PAGE, actor=by.actor, now=now)
        first = first or made
        facts |= {"id": None}
    assert first is not None  # noqa: S101 - the form offers none where there is no connection
    return first.incident


def _reached(request: HttpRequest, reference: str, number: str) -> tuple[Registration, Incident, list[Report], Acting]:
    found, by = own_registration(request, reference, Act.SEE)
    try:
        incident, reports = queries.incident_for_holder(registration=found, reference=number)
    except queries.IncidentNotFound:
        raise Http404 from None
    return found, incident, reports, by


@login_required
@never_cache
@require_safe
def incident(request: HttpRequest, reference: str, number: str) -> HttpResponse:
    found, shown, reports, _by = _reached(request, reference, number)
    return state_for_script(request, _moves(found, shown)) or _show(request, found, shown, reports)


def _moves(found: Registration, shown: Incident) -> str:
    """What the script of the page waits for; empty when nothing comes any more."""
    pack = queries.pack_of(shown, found)
    is_made = pack is None or pack.made_at is not None
    return f"{shown.state}.{shown.happenings.count()}.{is_made}" if shown.is_live or not is_made else ""


def _show(
    request: HttpRequest,
    found: Registration,
    shown: Incident,
    reports: list[Report],
    form: WordsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    standing = [each for each in reports if each.withdrawn_at is None]
    facts = queries.facts_of(shown, now)

    def may(act: str) -> bool:
        return rules.move_of(act, State(shown.state), facts) is not None

    context = {
        "registration": found,
        "incident": shown,
        "state": words.state(shown.state),
        "tone": page.tone_of(shown),
        "is_over": not shown.is_live,
        "is_muted": shown.is_muted(now),
        "follow": _moves(found, shown),
        "reason": words.reason(shown.reason),
        "measured": words.measured(shown.measured),
        "lasted": page.lasted_words(shown, now),
        "in_time": shown.late_mend_at is None,
        "clock": page.clock_of(shown, now),
        "steps": page.steps_of(queries.said_to(shown, reports)),
        "connections": page.connections_of(shown, standing, now),
        "others": queries.others_at(shown, reports),
        "looks": queries.times().looks,
        "form": form or WordsForm(),
        "may_add": may("add") and bool(standing),
        "may_say_it_works": may("say_it_works") and any(each.works_at is None for each in standing),
        "may_withdraw": may("withdraw") and bool(standing),
        "may_dispute": may("dispute") and bool(standing),
        "may_open_again": may("open_again"),
        "dispute_until": shown.claimed_at + queries.times().dispute if shown.claimed_at is not None else None,
        "pack": (pack := queries.pack_of(shown, found)),
        "may_ask_for_pack": pack is None or pack.made_at is not None,
    }
    return render(request, "portal/applicant/incident.html", context, status=status)


@login_required
@never_cache
@require_safe
def pack_file(request: HttpRequest, reference: str, number: str, part: str) -> HttpResponse:
    """One of the two files of the last pack."""
    found, shown, _reports, _by = _reached(request, reference, number)
    pack = queries.pack_of(shown, found)
    if pack is None or pack.made_at is None or part not in packs.PARTS:
        raise Http404
    try:
        content = packs.content_of(pack, part)
    except FileMissing:
        raise Http404 from None
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{packs.name_of(pack, part)}"'
    return answer


type Done = Callable[[Report, str, str, dt.datetime], Any]
_WITH_WORDS: dict[str, Done] = {
    "add": lambda report, said, actor, now: actions.add(report=report, words=said, actor=actor, now=now),
    "dispute": lambda report, said, actor, now: actions.dispute(report=report, words=said, actor=actor, now=now),
    "open_again": lambda report, said, actor, now: actions.open_again(report=report, words=said, actor=actor, now=now),
}


@login_required
@never_cache
@posted_from("portal:incident", "reference", "number")
def act(request: HttpRequest, reference: str, number: str, act: str) -> HttpResponse:
    """What a holder does afterwards; what is said of one connection is said of all of them that they reported."""
    found, shown, reports, by = _reached(request, reference, number)
    standing, now = [each for each in reports if each.withdrawn_at is None] or reports[:1], timezone.now()
    try:
        if act in _WITH_WORDS:
            form = WordsForm(request.POST)
            if not form.is_valid():
                return _show(request, found, shown, reports, form, status=422)
            _WITH_WORDS[act](standing[0], form.cleaned_data["words"], by.actor, now)
        elif act == "works":
            for each in standing:
                actions.say_it_works(report=each, actor=by.actor, now=now)
        elif act == "pack":
            packs.ask(incident=shown, registration=found, now=now)
        elif act == "withdraw":
            for each in standing:
                actions.withdraw(report=each, actor=by.actor, now=now)
        else:
            raise Http404
    except actions.NotPossibleNow:
        messages.warning(request, why(actions.NotPossibleNow))
    else:
        messages.success(request, _("It is on record, and the people who mend it see it."))
    return redirect("portal:incident", reference=reference, number=number)
