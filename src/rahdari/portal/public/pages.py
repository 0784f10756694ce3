"""The pages that anyone may read: the start page, how the service stands, and what it promises."""

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

from ..allowances import in_words
from .forms import CheckForm


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    rules = policy.current(settings.POLICY_FILE)
    language = get_language()
    here = visitor.address(request)
    open_services = [service for service in rules.services.values() if service.open]
    fees = {service.fee.text.in_language(language) for service in open_services}
    allowance = _longest_clock(rules)
    return render(
        request,
        "portal/public/start.html",
        {
            "services": [
                {
                    "title": service.title.in_language(language),
                    "open": service.open,
                    "fee": service.fee.text.in_language(language) if len(fees) > 1 else "",
                }
                for service in rules.services.values()
            ],
            "fee": next(iter(fees)) if len(fees) == 1 else "",
            "here": None if here == visitor.NOWHERE else here,
            "origin": directory.current().origin(here),
            "decision": in_words(allowance),
            "decision_at_most": _("%(span)s at most") % {"span": in_words(allowance)},
            "kept_days": rules.limits.draft_kept.days,
            "check": CheckForm(),
            **_today(),
        },
    )


def _today() -> dict[str, object]:
    lags = publish.operators_with_lag(now=timezone.now())
    return {
        "lags": lags,
        "operators": len(lags),
        "in_step": sum(lag.in_step for lag in lags),
        "edition": publish.latest_edition(),
    }


def _longest_clock(rules: policy.Policy) -> policy.Allowance:
    """The longest clock of the services that are open: what nobody has to wait longer than."""
    clocks = [rules.clocks[service.clock] for service in rules.services.values() if service.open]
    return max(clocks, key=lambda clock: (clock.unit != "working_hours", clock.length))


@require_safe
def service_status(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/service_status.html", {"now": timezone.now(), **_today()})


@require_safe
def help_and_contact(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/help.html", {"mail": settings.CONTACT_EMAIL})


@require_safe
def licensees(request: HttpRequest) -> HttpResponse:
    """The providers whose users need no registration."""
    rules = policy.current(settings.POLICY_FILE)
    return render(
        request, "portal/public/licensees.html", {"known": rules.licensees, "rules": rules, "rows": _rows(rules)}
    )


def _rows(rules: policy.Policy) -> list[dict[str, object]]:
    found = rules.licensees.providers if rules.licensees else ()
    return [{"known": one, "source": one.reported_by.in_language(get_language())} for one in found]


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
    rules = policy.current(settings.POLICY_FILE)
    return render(
        request,
        "portal/public/source.html",
        {"version": __version__, "rules": rules, "code": settings.SOURCE_URL},
    )
