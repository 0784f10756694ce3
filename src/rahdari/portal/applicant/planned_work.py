"""Planned work at the visitor's addresses: each notice, and the calendar that has them all."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.maintenance import actions, calendars, maintnote, moving, notes, queries, rules, words
from rahdari.maintenance.forms import AnotherNightForm
from rahdari.maintenance.models import Notice
from rahdari.people import holders
from rahdari.people import queries as people
from rahdari.people.access import actor_of, person
from rahdari.people.rules import Act
from rahdari.web.posting import posted_from

SHOWN = 50


def _notice(request: HttpRequest, reference: str) -> Notice:
    try:
        return queries.notice_for(people.holders_for(person(request), Act.SEE), reference)
    except queries.WorkNotFound:
        raise Http404 from None


@login_required
@never_cache
@require_safe
def planned_works(request: HttpRequest) -> HttpResponse:
    """All that is announced, and the calendars of those in whose name the visitor may change addresses."""
    user, now = person(request), timezone.now()
    found = queries.last_notices(people.holders_for(user, Act.SEE)).filter(ends_at__gte=now - queries.SHOWN_AFTER)
    mine = [(each, queries.calendar_of(each)) for each in people.holders_for(user, Act.ADDRESSES)]
    names = holders.holder_names([each for each, _feed in mine]) if len(mine) > 1 else {}
    context = {
        "rows": [(each, words.status(each.status), notes.announcer(each.work)) for each in found[:SHOWN]],
        "calendars": [
            (holder, names.get(holder, ""), feed, _address(request, feed) if feed is not None else "")
            for holder, feed in mine
        ],
    }
    return render(request, "portal/applicant/planned_works.html", context)


def _address(request: HttpRequest, feed: Any) -> str:
    path = reverse("maintenance:calendar", args=[feed.pk, queries.calendar_token(feed)])
    return request.build_absolute_uri(path)


@login_required
@never_cache
@posted_from("portal:planned_works")
def set_calendar(request: HttpRequest) -> HttpResponse:
    """Make the calendar of a holder, or end it."""
    user, now = person(request), timezone.now()
    holder = next(
        (each for each in people.holders_for(user, Act.ADDRESSES) if str(each) == request.POST.get("holder")), None
    )
    if holder is None:
        raise Http404
    if request.POST.get("act") == "end":
        calendars.end_calendar(holder=holder, actor=actor_of(user), now=now)
        messages.success(request, _("The calendar link no longer works."))
    else:
        calendars.make_calendar(holder=holder, language=user.language, actor=actor_of(user), now=now)
        messages.success(request, _("The calendar link is made."))
    return redirect(reverse("portal:planned_works") + "#calendar")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def planned_work(request: HttpRequest, reference: str) -> HttpResponse:
    """The notice, and what is done about it: asking for another night."""
    notice, now = _notice(request, reference), timezone.now()
    form = AnotherNightForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _ask(request, notice, form):
        return redirect(request.path)
    status = 422 if form.is_bound else 200
    return render(request, "portal/applicant/planned_work.html", _shown(request, notice, form, now), status=status)


def _ask(request: HttpRequest, notice: Notice, form: AnotherNightForm) -> bool:
    """In the name of a holder for whom the visitor acts; returns whether the form is done with."""
    if notice.holder not in people.holders_for(person(request), Act.ADDRESSES):
        raise Http404
    try:
        moving.ask(notice=notice, **form.cleaned_data, by=actor_of(person(request)), now=timezone.now())
    except moving.NightNotTaken:
        form.add_error("night", words.night_not_taken())
        return False
    except actions.NotPossibleNow as error:
        messages.warning(request, words.refused(error))
        return True
    messages.success(request, _("Your request is sent."))
    return True


def _shown(request: HttpRequest, notice: Notice, form: AnotherNightForm, now: dt.datetime) -> dict[str, Any]:
    work = notice.work
    told_at = work.told_at or notice.said_at
    is_to_come = notice.status in {"TENTATIVE", "CONFIRMED"}
    left, terms = notice.starts_at - now, queries.terms()
    affected = [(what, words.impact(impact), impact) for what, impact in notice.affected]
    asked = queries.request_of(notice)
    acts = notice.holder in people.holders_for(person(request), Act.ADDRESSES)
    return {
        "notice": notice,
        "asked": asked,
        "why_it_stays": words.stays(asked.code) if asked is not None and asked.code else "",
        "form": form if acts and queries.may_ask(notice, asked, now) else None,
        "work": work,
        "who": notes.announcer(work),
        "status": words.status(notice.status),
        "reason": words.reason(notice.reason),
        "interrupted": words.interrupted(notice.minutes) if notice.minutes else "",
        "affected": affected,
        "worked_on": sum(impact is not rules.Impact.NO_IMPACT for impact in notice.addresses.values()),
        "is_to_come": is_to_come and left > dt.timedelta(),
        "is_overrun": work.is_overrun(now) and notice.status != "CANCELLED",
        "left": left,
        "share": _share(told_at, notice.starts_at, now),
        "given": notice.starts_at - told_at,
        "in_time": rules.is_in_time(told_at=told_at, starts_at=notice.starts_at, terms=terms),
        "terms": terms,
        "answer_by": rules.answer_by(asked_at=now, starts_at=work.starts_at or notice.starts_at, terms=terms),
    }


def _share(since: dt.datetime, until: dt.datetime, now: dt.datetime) -> float:
    """How much of the notice is used up, 0 to 1."""
    return min(1.0, max(0.0, (now - since) / (until - since))) if until > since else 1.0


@login_required
@never_cache
@require_safe
def calendar_file(request: HttpRequest, reference: str) -> HttpResponse:
    """The notice as a calendar file."""
    notice = _notice(request, reference)
    response = HttpResponse(notes.calendar_of([notice]), content_type=maintnote.MEDIA)
    response["Content-Disposition"] = f'attachment; filename="{notice.work.reference}.ics"'
    return response
