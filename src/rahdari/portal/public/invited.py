"""The page that a personal link of an invitation opens: who invites, what will be asked, how long it takes, and what
the inviter learns. Opening it changes nothing: programs that look at links in mail begin nothing.

Whoever begins is not known by the link: their browser keeps which invitation it was, until the application is sent, and
the register keeps nothing of it. Of staff the browser keeps nothing either, since no number is ever told.
"""

import datetime as dt
import uuid

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.applicant import links
from rahdari.applicant.inviting import may_still_invite
from rahdari.apply import needed, queries, summary
from rahdari.apply.eligible import questions_of
from rahdari.invite import actions, calendars, rules, words
from rahdari.invite import queries as invitations
from rahdari.invite.models import Campaign
from rahdari.web import errors, limits, visitor

from .pages import decision_times

# Pages a minute for one household: an office may open many at once, and nobody tries tokens.
PAGES, PER_SECONDS = 60, 60
# Only the pages of one's own application get it.
COOKIE, PATH = "invited", "/my/"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, id: uuid.UUID, number: int, token: str) -> HttpResponse:
    allowance = limits.take(f"portal.invited:{visitor.household(request)}", rate=PAGES, per=PER_SECONDS)
    if not allowance.allowed:
        return errors.too_many(request, wait=allowance.wait)
    campaign, now = invitations.opened_by(id, number, token), timezone.now()
    runs = campaign is not None and _runs(campaign, now)
    if campaign is not None and runs and request.method == "POST":
        return _begin(request, campaign, now)
    context: dict[str, object] = {"campaign": campaign, "runs": runs, "number": number, "token": token}
    if campaign is not None:
        context |= {"head": words.head(campaign), "why": words.why(campaign)}
        context |= _asked(campaign) | {"reminders": len(rules.reminders(now, campaign.ends_at))} if runs else {}
    response = render(request, "portal/public/invited.html", context, status=404 if campaign is None else 200)
    # The address of this page is somebody's own: it goes to no other site and into no search.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def reminders(request: HttpRequest, id: uuid.UUID, number: int, token: str) -> HttpResponse:
    """Two reminders at most for the reader's own calendar. We keep no address, and write to nobody."""
    campaign, now = invitations.opened_by(id, number, token), timezone.now()
    if campaign is None or not _runs(campaign, now) or not rules.reminders(now, campaign.ends_at):
        raise Http404
    link = links.absolute(reverse("portal:invited", args=[id, number, token]))
    content = calendars.file_of(campaign, title=_("Register, if you want to"), link=link, now=now)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="reminders.ics"'
    return response


def _runs(campaign: Campaign, now: dt.datetime) -> bool:
    return invitations.runs(campaign, now) and may_still_invite(campaign.inviter, campaign.whom, now)


def _asked(campaign: Campaign) -> dict[str, object]:
    """What the rules in force ask, cost and take."""
    policy = queries.policy_in_force()
    services = [each for each in policy.services.values() if each.open]
    return {
        "is_counted": rules.is_counted(campaign.whom),
        "fewest": rules.FEWEST,
        "questions": len(questions_of(policy)),
        "fee_line": needed.fee_line(services, language=get_language()),
        "never": needed.never_asked(*services),
        "minutes": summary.MINUTES_TO_APPLY,
        "decisions": decision_times(policy),
    }


def _begin(request: HttpRequest, campaign: Campaign, now: dt.datetime) -> HttpResponse:
    response = redirect("apply:start")
    if rules.is_counted(campaign.whom):
        response.set_cookie(
            COOKIE,
            signing.dumps(str(campaign.pk), salt=COOKIE),
            max_age=campaign.ends_at - now,
            path=PATH,
            samesite="Lax",
            secure=request.is_secure(),
            httponly=True,
        )
    return response


def count(request: HttpRequest, now: dt.datetime) -> None:
    """An application is sent from this browser: count it for the invitation by which it was begun, if there was one."""
    try:
        campaign = uuid.UUID(signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE))
    except (signing.BadSignature, ValueError):
        return
    actions.count(campaign, now)


def forget(response: HttpResponse) -> HttpResponse:
    """The application is sent: the browser keeps nothing of the invitation any more."""
    response.delete_cookie(COOKIE, path=PATH, samesite="Lax")
    return response
