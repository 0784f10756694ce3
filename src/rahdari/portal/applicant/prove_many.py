"""Proving many addresses: the list with how each stands, and one link that proves whichever it is opened from.

The link is the same for all addresses of an application, so that it can be sent to every branch, or run on every server
by one command. It proves nothing more than the link of one address does: each address only by a visit from it.
"""

import ipaddress
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language_bidi, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.applicant import links
from rahdari.applicant.proofs import addresses_in, proofs_of, provable_by_link, prove_by_visit
from rahdari.apply import access
from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.control import method_words, rules, visits
from rahdari.people.rules import Act
from rahdari.web import errors, limits, visitor

from . import shared
from .prove import continue_url, without_addresses

A_PAGE = 50
UNKNOWN_LINKS, PER_SECONDS = 30, 60
VISITOR = "system:verify"


@login_required
@never_cache
@require_safe
def prove_many(request: HttpRequest, reference: str) -> HttpResponse:
    application = shared.application(request, reference, Act.PROVE).row
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    known = proofs_of(application)
    if not known:
        return redirect(without_addresses(request, application))
    # What is still to be done stands in front.
    listed = [each for each in known if not each.is_proved] + [each for each in known if each.is_proved]
    page = Paginator(listed, A_PAGE).get_page(request.GET.get("page"))
    address = rules.plain_address(visitor.address(request))
    by_link, path = provable_by_link(application, known, timezone.now()), links.proves(application)
    context = {
        "application": application,
        "page": page,
        "rows": [
            {
                "endpoint": each.endpoint,
                "line": apply.what_runs_at(each.endpoint),
                "result": method_words.proved_by(each.proof) if each.proof is not None else None,
            }
            for each in page
        ],
        "total": addresses_in(known),
        "continue_url": continue_url(request, application),
        "proved": addresses_in([each for each in known if each.is_proved]),
        "link_url": links.absolute(path) if by_link else "",
        "link_path": path,
        "seen": address,
        "here": [each for each in by_link if rules.covers(each.network, address)],
        "state": f"{sum(each.is_proved for each in known)}",
    }
    return render(request, "portal/applicant/prove_many.html", context)


@dataclass(frozen=True)
class Visit:
    """What a visit to the link came to: the addresses that it proved, counted for, or would; those proved before."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    proved: list[str]
    counted: list[str]
    would: list[str]
    before: list[str]

    @property
    def result(self) -> str:
        if self.would:
            return "would_prove"
        if self.proved:
            return "proved"
        return "counted" if self.counted else "proved_before" if self.before else "elsewhere"


@visits.link_page
def prove_by_link(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    """Opened by whoever sits at one of the addresses, signed in or not."""
    address = rules.plain_address(visitor.address(request))
    try:
        application = access.application_for_link(reference=reference, token=token)
    except access.ApplicationNotFound:
        where = visitor.household(request)
        allowance = limits.take(f"verify.unknown_link:{where}", rate=UNKNOWN_LINKS, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        raise Http404 from None
    is_open = application.status in {"draft", "submitted"}
    visit = _visit(application, address, confirmed=visits.is_confirmed(request)) if is_open else None
    if "text/html" not in request.headers.get("Accept", "text/html"):
        return HttpResponse(_one_line(visit, address) + "\n", content_type="text/plain; charset=utf-8")
    return render(request, "portal/applicant/prove_by_link.html", {"visit": visit, "seen": address})


def _visit(application: Application, address: Any, *, confirmed: bool) -> Visit:
    visit = Visit(address, [], [], [], [])
    known = proofs_of(application)
    visit.before.extend(
        each.endpoint.address_text for each in known if each.is_proved and rules.covers(each.endpoint.network, address)
    )
    policy, now = apply.frozen_policy(application), timezone.now()
    for endpoint in provable_by_link(application, known, now):
        if not rules.covers(endpoint.network, address):
            continue
        if not confirmed:
            visit.would.append(endpoint.address_text)
            continue
        result = prove_by_visit(endpoint, policy, address, actor=VISITOR, now=now)
        # Of several ports at one address the first proves them all: the others are proved by this visit as well.
        (visit.counted if result == "counted" else visit.proved).append(endpoint.address_text)
    return visit


def _one_line(visit: Visit | None, address: object) -> str:
    """The answer for curl and its like, on a server without a browser."""
    # A right-to-left terminal would turn a bare address round.
    seen = {"seen": f"\u2066{address}\u2069" if get_language_bidi() else str(address)}
    if visit is None:
        return _("This link is not needed any more.")
    if visit.proved:
        count = len(visit.proved)
        said = ngettext(
            "Proved for %(count)s entry: this address is %(seen)s.",
            "Proved for %(count)s entries: this address is %(seen)s.",
            count,
        )
        return said % ({"count": count} | seen)
    sentence = {
        "counted": _("Proved: this address is %(seen)s. Its range needs one more."),
        "proved_before": _("Already proved: this address is %(seen)s."),
        "would_prove": _("Not proved yet: this address is %(seen)s. Send a POST to the link, or use curl or Wget."),
    }.get(visit.result, _("Not proved: this address is %(seen)s, and it is not in the application."))
    return sentence % seen
