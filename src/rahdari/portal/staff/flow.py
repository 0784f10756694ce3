"""Where the queue grows, which question is asked most, and where applicants give up: for officers, to mend the process.

Of drafts there is a number of each month and step and nothing else: what somebody has not sent no officer reads, and
nobody is followed. Of cases each number leads to those that the officer may see, and that list is a look on record.
"""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.applicant.titles import service_title
from rahdari.apply import queries as apply
from rahdari.apply import summary
from rahdari.decide import desk, flow
from rahdari.figures import queries as figures
from rahdari.figures.models import CLOSED, PROVE_AND_SEND
from rahdari.people.access import officer_required, person
from rahdari.policy import Policy

A_YEAR = dt.timedelta(days=365)


@officer_required
@never_cache
@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    now, rules, language = timezone.now(), apply.policy_in_force(), get_language() or "en"
    since = now - A_YEAR
    ended = flow.ended_without_decision(since)
    queues = [(each, service_title(each.service, rules, language)) for each in flow.queues(now)]
    context = {
        "weeks": flow.weeks(now),
        "queues": queues,
        "waiting": [(each, title) for each, title in queues if each.waiting],
        "questions": [(each, words_of(each.code, rules, language)) for each in flow.questions(now)],
        "steps": _steps(timezone.localdate(since).replace(day=1)),
        "ended": [(how, title, ended[how]) for how, title in _ended().items()],
        "days": flow.DAYS,
    }
    return render(request, "portal/staff/flow.html", context)


def _ended() -> dict[str, str]:
    return {
        "withdrawn-asked": _("Withdrawn while a question waited for an answer"),
        "withdrawn": _("Withdrawn otherwise"),
        "not-pursued": _("Ended because a question was not answered"),
    }


def _steps(since: dt.date) -> list[tuple[str, int]]:
    """Drafts that were deleted since then because nobody touched them, by the step at which they came to rest."""
    counted: dict[str, int] = {}
    for row in figures.given_up(since):
        counted[row.step] = counted.get(row.step, 0) + row.number
    titles = {str(step): str(title) for step, title in summary.TITLES.items()}
    titles |= {
        PROVE_AND_SEND: _("All was filled in: to prove the address, or to send it"),
        CLOSED: _("The category took no more applications"),
    }
    found = sorted(counted.items(), key=lambda each: -each[1])
    return [(titles.get(step, step), number) for step, number in found]


def words_of(code: str, rules: Policy, language: str) -> str:
    reason = rules.reasons.get(code)
    return reason.text.in_language(language) if reason is not None else code


@officer_required
@never_cache
@require_safe
def cases_asked(request: HttpRequest, code: str) -> HttpResponse:
    officer, now = person(request), timezone.now()
    if code not in {each.code for each in flow.questions(now)}:
        raise Http404
    found = flow.cases_asked(code, officer=officer, now=now)
    desk.record_looks([each.application for each in found], officer=officer, where="questions", now=now)
    words = words_of(code, apply.policy_in_force(), get_language() or "en")
    context = {"cases": found, "words": words, "days": flow.DAYS}
    return render(request, "portal/staff/cases_asked.html", context)


@officer_required
@never_cache
@require_safe
def cases_ended(request: HttpRequest, how: str) -> HttpResponse:
    officer, now = person(request), timezone.now()
    if how not in flow.ENDED:
        raise Http404
    found = flow.cases_ended(how, officer=officer, since=now - A_YEAR)
    desk.record_looks([each.application for each in found], officer=officer, where="ended", now=now)
    return render(request, "portal/staff/cases_asked.html", {"cases": found, "words": _ended()[how]})
