"""A connection whose address changes: proving it in an application, and its page while it is registered.

A token is shown once, on the page that answers the press of its button, and is kept nowhere in the clear.
"""

import datetime as dt
import ipaddress
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import is_global
from rahdari.applicant import router_settings
from rahdari.applicant.dyndns import (
    LONGEST_PAUSE,
    OLD_TOKEN_LASTS,
    PER_SECONDS,
    PRESSES,
    REPORTS_SHOWN,
    WrongDay,
    end_of_pause,
    host_name,
    row_of,
    status_of,
)
from rahdari.apply.models import Application, Endpoint
from rahdari.control import queries as proofs
from rahdari.dyndns import hosts, queries, reporting, rules
from rahdari.dyndns.models import DynamicHost
from rahdari.dyndns.rules import By, ReportOutcome, V6As
from rahdari.people.access import person_required
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.register import queries as register
from rahdari.register.rules import Standing
from rahdari.web import errors, limits, visitor
from rahdari.web.values import again_after

from .shared import own_registration


def values_of(host: DynamicHost, token: str = "") -> dict[str, Any]:
    """What the router needs to know, for `_settings.html`."""
    full = host_name(host)
    values = router_settings.Settings(
        settings.SITE_URL, host.name, full, token or router_settings.NO_TOKEN, host.v6_as == V6As.NETWORK
    )
    return {
        "host": host,
        "host_name": full,
        "server": values.server,
        "update_path": "/nic/update",
        "new_token": token,
        "clients": router_settings.clients(values),
        "change_every": queries.rules_in_force().change_every,
    }


def report_from_here(request: HttpRequest, host: DynamicHost) -> reporting.Heard | None:
    """Take the visitor's own address as a report; None when it is no public one."""
    source = visitor.address(request)
    asked = rules.to_register(ipaddress.ip_network(source), host.v6_as)
    if asked is None:
        return None
    return reporting.report(host=host, block=asked, source=source, by=By.PAGE, now=timezone.now())


def _say(request: HttpRequest, heard: reporting.Heard | None) -> None:
    if heard is not None and heard.is_taken:
        messages.success(request, _("Reported. Your registration follows within seconds."))
    elif heard is None or heard.outcome is ReportOutcome.NOT_PUBLIC:
        messages.warning(request, _("You are on an address that is not public. Try it on the line itself."))
    elif heard.outcome is ReportOutcome.TOO_OFTEN:
        words = _("Too many changes in a short time. Try again after %(when)s.")
        messages.warning(request, words % {"when": again_after(heard.wait)})
    elif heard.outcome is ReportOutcome.RIVAL:
        rival = _("Another holder reports this address too. If they do not repeat it within 30 minutes, it is yours.")
        messages.warning(request, rival)
    else:
        held = _("This address is registered to another holder, or already to you. Nothing changed.")
        messages.warning(request, held)


def _seen(request: HttpRequest) -> str:
    """The visitor's address, when it is a public one."""
    address = visitor.address(request)
    return str(address) if is_global(address, allowed=settings.ALLOWED_SPECIAL_RANGES) else ""


# -- in an application ----------------------------------------------------------------------------------------------


def prove(
    request: HttpRequest, application: Application, by: Acting, endpoint: Endpoint, facts: dict[str, Any]
) -> HttpResponse:
    """Router settings to copy, and what was heard so far."""
    actor, now = by.actor, timezone.now()
    host = queries.host_by_subject(endpoint.connection)
    if host is None:
        raise Http404
    token = ""
    if request.method == "POST":
        allowance = limits.take(f"portal.changing:{host.pk}", rate=PRESSES, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        if "v6" in request.POST:
            hosts.choose_v6(host=host, v6_as=_v6(request), actor=actor, now=now)
        elif "report" in request.POST:
            _say(request, report_from_here(request, host))
        elif "token" in request.POST:
            token = hosts.make_token(host=host, actor=actor, now=now).text
        if not token:
            return redirect(request.path)
    reports = list(queries.reports_of(host)[:REPORTS_SHOWN])
    proof = proofs.proof_of(endpoint.subject, endpoint.network)
    facts |= {
        **values_of(host, token),
        "rows": [row_of(report) for report in reports],
        "first": next((report for report in reversed(reports) if report.outcome in rules.TAKEN), None),
        "tokens": list(queries.tokens_of(host, now=now)),
        "proof": proof,
        "seen": _seen(request),
        "state": f"{len(reports)}.{reports[0].last_at if reports else ''}.{proof is not None}",
        "looked_at": now,
    }
    return render(request, "portal/applicant/prove_changing.html", facts)


def _v6(request: HttpRequest) -> str:
    given = request.POST.get("v6", "")
    return given if given in set(V6As) else V6As.HOST


# -- while it is registered -----------------------------------------------------------------------------------------


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def changing(request: HttpRequest, reference: str, host: uuid.UUID) -> HttpResponse:
    """The connection's page: its address now, what was reported, what to do when nothing is; token, pause."""
    found, by = own_registration(request, reference, Act.ADDRESSES)
    row = queries.host_of(found, host)
    if row is None:
        raise Http404
    now, actor = timezone.now(), by.actor
    if register.standing(found, now) is not Standing.VALID:
        return redirect("portal:registration", reference=found.reference)
    token = ""
    if request.method == "POST":
        allowance = limits.take(f"portal.changing:{row.pk}", rate=PRESSES, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        if "report" in request.POST:
            _say(request, report_from_here(request, row))
        elif "token" in request.POST:
            lasts = dt.timedelta(0) if request.POST.get("stop") == "0" else OLD_TOKEN_LASTS
            token = hosts.make_token(host=row, actor=actor, now=now, old_ends_in=lasts).text
        elif "pause" in request.POST:
            _pause(request, row, actor, now)
        elif "v6" in request.POST:
            hosts.choose_v6(host=row, v6_as=_v6(request), actor=actor, now=now)
        if not token:
            return redirect(request.path)
    reports = list(queries.reports_of(row)[:REPORTS_SHOWN])
    status = status_of(row, now)
    context = {
        "registration": found,
        **values_of(row, token),
        "now_is": status,
        "reported": min(status.reported, key=lambda each: each.until, default=None),
        "protected_until": max(
            (each.entry.valid_until for each in status.reported if each.entry is not None), default=None
        ),
        "rival": any(each.rival_until is not None for each in status.reported),
        "rows": [row_of(report) for report in reports],
        "tokens": list(queries.tokens_of(row, now=now)),
        "seen": _seen(request),
        "looked_at": now,
        "length": queries.rules_in_force().length,
        "grace": queries.rules_in_force().grace,
        "latest_pause": timezone.localdate(now + LONGEST_PAUSE),
        "state": f"{status.state}.{reports[0].last_at if reports else ''}",
    }
    return render(request, "portal/applicant/changing.html", context)


def _pause(request: HttpRequest, host: DynamicHost, actor: str, now: dt.datetime) -> None:
    if request.POST["pause"] == "off":
        hosts.pause(host=host, until=None, actor=actor, now=now)
        return
    try:
        day = parse_date(request.POST.get("until", "").strip())
    except ValueError:
        day = None
    try:
        hosts.pause(host=host, until=end_of_pause(day, now), actor=actor, now=now)
    except WrongDay as error:
        messages.warning(request, str(error))
        return
    messages.success(request, _("Paused. We send no letters about this address until then."))


prove_changing = prove
urlpatterns = [path("my/registrations/<str:reference>/changing/<uuid:host>/", changing, name="changing")]
