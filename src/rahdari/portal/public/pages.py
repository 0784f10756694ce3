"""The pages that anyone may read: the start page, and what the service promises."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rahdari import __version__, policy
from rahdari.address import directory
from rahdari.page import visitor
from rahdari.publish import queries as publish


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    rules = policy.current(settings.POLICY_FILE)
    here = visitor.address(request)
    operators = publish.operators_with_lag(now=timezone.now())
    return render(
        request,
        "portal/public/start.html",
        {
            "services": [
                {"title": service.title.in_language(get_language()), "open": service.open}
                for service in rules.services.values()
            ],
            "here": here,
            "origin": directory.current().origin(here),
            "operators": len(operators),
            "in_step": sum(operator.in_step for operator in operators),
            "edition": publish.latest_edition(),
            "decision": _allowance(_decision_clock(rules)),
            "kept_days": rules.limits.draft_kept.days,
        },
    )


def _decision_clock(rules: policy.Policy) -> policy.Allowance:
    """The longest clock of the services that are open: what nobody has to wait longer than."""
    clocks = [rules.clocks[service.clock] for service in rules.services.values() if service.open]
    return max(clocks, key=lambda clock: (clock.unit != "working_hours", clock.length))


def _allowance(allowance: policy.Allowance) -> str:
    """A clock of the policy in words: "10 working hours"."""
    words = {
        "minutes": _("%(count)s minutes"),
        "working_hours": _("%(count)s working hours"),
        "working_days": _("%(count)s working days"),
        "calendar_days": _("%(count)s days"),
    }
    return words.get(allowance.unit, words["calendar_days"]) % {"count": allowance.length}


@require_safe
def help_and_contact(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/help.html", {"mail": settings.DEFAULT_FROM_EMAIL})


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    rules = policy.current(settings.POLICY_FILE)
    return render(request, "portal/public/privacy.html", {"kept_days": rules.limits.draft_kept.days})


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/accessibility.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/terms.html")


@require_safe
def source(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/source.html", {"version": __version__})
