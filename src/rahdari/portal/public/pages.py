"""The pages that anyone may read: the start page, how the service stands, and what it promises."""

import datetime as dt

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from rahdari import __version__, policy
from rahdari.address import directory
from rahdari.appeal import queries as appeals
from rahdari.apply import needed, summary
from rahdari.apply.eligible import questions_of, which_are_offered
from rahdari.calendar import queries as calendars
from rahdari.calendar.words import hours_of, what_it_says
from rahdari.checks.kinds import what_is_seen
from rahdari.decide import reviewing
from rahdari.decide.lanes import lanes
from rahdari.demand import queries as demands
from rahdari.feed.terms import TERMS, terms_in, terms_page
from rahdari.incident.evidence import PURPOSE
from rahdari.publish import operator_lag
from rahdari.publish import queries as publish
from rahdari.register import queries as register
from rahdari.sampling.rules import FEWEST
from rahdari.vault import statements
from rahdari.watch import words
from rahdari.web import visitor
from rahdari.web.allowances import in_words
from rahdari.web.templatetags.rahdari import comma

from .entered import kept_for
from .rules import kept_rows

# Of a yearly question: the year, and the time for its reminders.
THIRTEEN_MONTHS = dt.timedelta(days=396)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    rules = policy.current(settings.POLICY_FILE)
    language = get_language()
    here = visitor.address(request)
    open_services = [service for service in rules.services.values() if service.open]
    fees = {service.fee.text.in_language(language) for service in open_services}
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
            "fee_line": needed.fee_line(open_services, language=language),
            "minutes": summary.MINUTES_TO_APPLY,
            "questions": len(questions_of(rules)),
            "decisions": decision_times(rules),
            "here": None if here == visitor.NOWHERE else here,
            "origin": directory.current().origin(here),
            "kept_days": rules.limits.draft_kept.days,
        },
    )


def _today() -> dict[str, object]:
    lags = operator_lag.operators_with_lag(now=timezone.now())
    return {
        "lags": lags,
        "operators": len(lags),
        "in_sync": sum(lag.in_sync for lag in lags),
        "edition": publish.latest_edition(),
    }


def decision_times(rules: policy.Policy) -> list[dict[str, str]]:
    """Within which time an officer decides, by the clocks of the policy: services with the same time stand together."""
    language = get_language()
    found: dict[str, list[str]] = {}
    for service in rules.services.values():
        if service.open:
            found.setdefault(in_words(rules.clocks[service.clock]), []).append(service.short.in_language(language))
    return [{"span": span, "titles": comma().join(titles)} for span, titles in found.items()]


@require_safe
def service_status(request: HttpRequest) -> HttpResponse:
    now, rules = timezone.now(), policy.current(settings.POLICY_FILE)
    context = {
        "now": now,
        "lanes": lanes(),
        "fewest": FEWEST,
        "drawn": rules.second_looks,
        "demands": demands.figures(now),
        "yearly": yearly(now),
        "complaint_within": in_words(rules.clocks["complaint_decided"]),
        "alone": {
            "named": reviewing.named_lately(now),
            "only_one": appeals.by_the_only_one(now),
            "waiting": reviewing.waiting_for_nobody() + appeals.waiting_for_nobody(),
        },
        "hours": list(hours_of(calendars.in_force().week)),
        "said": [(row, what_it_says(row)) for row in calendars.published(now)],
    }
    return render(request, "portal/public/service_status.html", context | _today())


def yearly(now: dt.datetime) -> dict[str, int] | None:
    """How many holders were asked whether a registration is still right, and of how many that is settled, in per cent;
    None under rules that ask nobody. Nobody can be found by it: there is no list."""
    if policy.still_right_of(policy.current(settings.POLICY_FILE)) is None:
        return None
    asked, settled = register.asked_and_settled(since=now - THIRTEEN_MONTHS)
    return {"asked": asked, "percent": settled * 100 // asked} if asked >= FEWEST else {"asked": 0}


@require_safe
def help_and_contact(request: HttpRequest) -> HttpResponse:
    rules = policy.current(settings.POLICY_FILE)
    return render(
        request,
        "portal/public/help.html",
        {
            "mail": settings.CONTACT_EMAIL,
            "which": [summary.WHICH[key] for key in which_are_offered(rules)],
            "entry_kept": kept_for(),
        },
    )


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    rules = policy.current(settings.POLICY_FILE)
    return render(
        request,
        "portal/public/privacy.html",
        {
            "kept_days": rules.limits.draft_kept.days,
            "kept": kept_rows(rules),
            "mail": settings.CONTACT_EMAIL,
            "seen": what_is_seen(rules),
            "demands": rules.demands.in_language(get_language()) if rules.demands else "",
            "measured": rules.watch,
            "never_measured": words.NEVER,
        },
    )


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/accessibility.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/public/terms.html")


@require_safe
def feed_terms(request: HttpRequest) -> HttpResponse:
    """The terms under which operators read the feed, in both languages: they are one page."""
    found = []
    for language, direction in (("en", "ltr"), ("ur", "rtl")):
        title, lead, listed = terms_in(language).strip().split("\n\n")
        terms = [line.partition(" ")[2] for line in listed.splitlines()]
        found.append({"language": language, "direction": direction, "title": title, "lead": lead, "terms": terms})
    return render(request, "portal/public/feed_terms.html", {"languages": found, "digest": TERMS})


@require_safe
def feed_terms_text(request: HttpRequest) -> HttpResponse:
    """Its very bytes, which the digest is of."""
    return HttpResponse(terms_page(), content_type="text/plain; charset=utf-8")


@require_safe
def evidence_key(request: HttpRequest) -> HttpResponse:
    """By which packs of evidence are signed: the key in use in front, then those of before."""
    return HttpResponse(b"".join(statements.public_keys(PURPOSE)), content_type="application/x-pem-file")


@require_safe
def source(request: HttpRequest) -> HttpResponse:
    rules = policy.current(settings.POLICY_FILE)
    return render(
        request,
        "portal/public/source.html",
        {"version": __version__, "rules": rules, "code": settings.SOURCE_URL},
    )
