"""Cases that wait for an officer and that no officer has touched: a rule may still decide them. Reads only."""

import datetime as dt

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from rahdari.apply import subjects
from rahdari.checks import queries as checks

from .models import Case
from .rules import Status

# The checks' word for a case's application.
_SUBJECT = Concat(Value("application:"), Cast(OuterRef("application"), CharField()))


def untouched_cases() -> QuerySet[Case]:
    """Open, in nobody's hands, and no officer has asked, announced or found out anything."""
    by_hand = checks.recorded_by_hand().filter(subject=_SUBJECT)
    return Case.objects.filter(
        ~Exists(by_hand),
        status=Status.OPEN,
        application__status="submitted",
        assigned_to__isnull=True,
        questions__isnull=True,
        notices__isnull=True,
    ).select_related("application", "application__organisation", "application__applicant")


def is_untouched(case: Case) -> bool:
    return untouched_cases().filter(pk=case.pk).exists()


def with_news(now: dt.datetime) -> QuerySet[Case]:
    """Untouched cases of which a check was answered since the rule last looked, and just now. Of older answers the look
    hears that comes round by the clock."""
    answered = checks.answered_checks()
    news = subjects.named_by(checks.just_answered(now))
    # In one run of the line all happens at one time: what was answered at the time of the look counts as news.
    since = answered.filter(subject=_SUBJECT, answered_at__gte=OuterRef("assessed_at"))
    return untouched_cases().filter(Exists(since), application__in=news).order_by("id")


def not_looked_at_since(at: dt.datetime) -> QuerySet[Case]:
    """Untouched cases at which the rule has not looked since then."""
    long_ago = Q(assessed_at__isnull=True) | Q(assessed_at__lte=at)
    return untouched_cases().filter(long_ago).order_by("id")


def with_proofs_that_came_late() -> QuerySet[Case]:
    """Open cases, whoever has them, of an address that counts as not proved and is proved now."""
    proved = checks.controls_proved_late().filter(subject=_SUBJECT)
    return Case.objects.filter(Exists(proved), status=Status.OPEN).select_related("application").order_by("id")
