"""The page that somebody who works from home opens from their employer's link. Only its buttons change anything."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari import policy as policies
from rahdari.address import format_block
from rahdari.people import holders
from rahdari.register import queries as entries
from rahdari.web import errors, limits, visitor

from . import actions, queries, rules
from .models import HomeConnection
from .rules import HomeConnectionState

# Pages a minute for one household: enough for anybody, too few to try tokens.
PAGES, PER_SECONDS = 30, 60


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def line(request: HttpRequest, token: str) -> HttpResponse:
    allowance = limits.take(f"remote.page:{visitor.household(request)}", rate=PAGES, per=PER_SECONDS)
    if not allowance.allowed:
        return errors.too_many(request, wait=allowance.wait)
    found, why = queries.line_by_token(token), ""
    rule = policies.current(settings.POLICY_FILE).remote_staff
    if found is not None and request.method == "POST":
        why = _act(request, found, rule)
        if not why:
            return redirect("remote:line", token=token)
    return _page(request, found, token, why=why, offered=rule is not None)


def _act(request: HttpRequest, found: HomeConnection, rule: policies.RemoteStaff | None) -> str:
    """What hinders it; nothing when it was done, or when there was nothing to do."""
    now, act = timezone.now(), request.POST.get("act", "")
    try:
        if act == "withdraw":
            actions.withdraw(line=found, now=now)
        elif act == "agree" and rule is not None:
            source = actions.From(
                visitor.address(request), tuple(str(each) for each in settings.ALLOWED_SPECIAL_RANGES)
            )
            actions.agree(line=found, source=source, policy=rule, now=now)
    except actions.NotFromHere as error:
        return str(error.why)
    except actions.LineOver:
        return ""
    return ""


def _page(request: HttpRequest, found: HomeConnection | None, token: str, *, why: str, offered: bool) -> HttpResponse:
    seen = visitor.address(request)
    context: dict[str, object] = {"line": found, "token": token, "why": why, "state": _state(found, offered)}
    if found is not None:
        holder = holders.public_holder(found.registration.holder)
        entry = found.entry
        context |= {
            "organisation": holder.name if holder else "",
            "here": format_block(rules.line_of(seen)),
            # Shown to whoever is on it, and not to whoever else was given the link.
            "registered": format_block(entry.block) if entry is not None and found.stands else "",
            "is_here": entry is not None and found.stands and ipaddress.ip_address(seen) in entry.block,
            "stays_until": entries.fresh(found.registration).stays_until,
        }
    status = 404 if found is None else 422 if why else 200
    response = render(request, "remote/line.html", context, status=status)
    # Whoever has the address of this page may withdraw: it goes to no other site and into no search. Not "no-referrer":
    # then browsers send our own form with the origin "null", and it could not be told from a forged one.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _state(found: HomeConnection | None, offered: bool) -> str:
    if found is None:
        return "unknown"
    if found.state == HomeConnectionState.STANDING and queries.rests(found, timezone.now()):
        return "resting"
    if found.stands:
        return "standing"
    if found.state == HomeConnectionState.OFFERED and offered and queries.is_open(found, timezone.now()):
        return "offered"
    return "withdrawn" if found.state == HomeConnectionState.WITHDRAWN else "over"
