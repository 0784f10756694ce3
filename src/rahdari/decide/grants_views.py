"""Several grants at once: a list to look at, then what became of each."""

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.checks import words as findings
from rahdari.people.access import officer_required, person

from . import addresses, case_clock, grants_at_once, queries, words
from .case_access import render, to_page
from .grants_at_once import Chosen


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def grants(request: HttpRequest) -> HttpResponse:
    """What would be granted, and what not and why; sent, it grants what is still as it was shown."""
    officer, now = person(request), timezone.now()
    if request.method == "POST":
        marks = {name: request.POST.get(f"mark-{name}", "") for name in request.POST.getlist("case")}
        done = grants_at_once.grant_chosen(officer=officer, marks=marks, now=now)
        return _page(request, "decide/granted.html", done, now)
    if not (chosen := request.GET.getlist("case")):
        messages.warning(request, _("Choose at least one case."))
        return to_page(request, "queue")
    shown = grants_at_once.preview(officer=officer, references=[name[:40] for name in chosen[:1000]], now=now)
    return _page(request, "decide/grants.html", shown, now)


def _page(request: HttpRequest, template: str, found: list[Chosen], now: dt.datetime) -> HttpResponse:
    language = get_language() or "en"
    context = {
        "grants": [
            (each, _service(each, language), _checks(each, language, now)) for each in found if not each.why_not
        ],
        "left_out": [(each, words.why_not_granted(each.why_not, each.missing)) for each in found if each.why_not],
    }
    return render(request, template, context)


def _service(chosen: Chosen, language: str) -> str:
    if chosen.case is None:
        return ""
    application = chosen.case.application
    return case_clock.policy_of(application).services[application.service].short.in_language(language)


def _checks(chosen: Chosen, language: str, now: dt.datetime) -> list[tuple[str, str]]:
    """Each with its tone, as on the page of the case."""
    if chosen.case is None:
        return []
    tones = addresses.tones_of(chosen.checks, queries.counting(chosen.case.application, chosen.checks, now))
    return [(findings.title_of(check, language), tones[check.pk]) for check in chosen.checks]
