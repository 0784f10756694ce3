"""Decisions, for whoever looks back at them. Reads only."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from rahdari.checks import queries as checks
from rahdari.checks.declared import NUMBER_USED_ELSEWHERE
from rahdari.journal.models import JournalEntry
from rahdari.register.models import Registration

from .models import Decision

# Why officers look at what `with_a_shared_card` finds, and at what became of applications that give the same company or
# card number. No holder reads of these looks: they would tell that somebody else has given the number.
SHARED_CARD, SAME_NUMBER = "shared_card", "same_number"
UNTOLD = frozenset({SHARED_CARD, SAME_NUMBER})
# The acts by which the journal tells of a decision on an application.
ACTS = ("decide.granted_by_rule", "decide.granted_provisionally", "decide.granted", "decide.refused")


def told_by(rows: Sequence[JournalEntry]) -> list[Decision]:
    """The decisions of which these rows of the journal tell, in their order."""
    wanted = {(row.detail["case"], row.at): place for place, row in enumerate(rows)}
    found = Decision.objects.filter(case__in={case for case, _at in wanted}).select_related("case__application")
    told = [each for each in found if (str(each.case_id), each.at) in wanted]
    return sorted(told, key=lambda each: wanted[str(each.case_id), each.at])


def by_officers(*, start: dt.datetime, end: dt.datetime) -> QuerySet[Decision]:
    """What officers decided from `start` on and before `end`, and was not taken back."""
    officers = Q(decided_by__startswith="officer:") | Q(decided_by__startswith="supervisor:")
    return Decision.objects.filter(officers, at__gte=start, at__lt=end, voided_at__isnull=True).order_by("at", "id")


def last_grant(registration: Registration) -> Decision | None:
    """The last grant that led to this registration, or to its renewal or change, and stands."""
    return Decision.objects.filter(registration=registration, voided_at__isnull=True).order_by("-at", "id").first()


def with_a_shared_card(decisions: Sequence[Decision]) -> list[Decision]:
    """Those made by a rule although another account has given the same card number."""
    by_rule = {each.case.application.subject: each for each in decisions if is_by_rule(each)}
    found = checks.checks_where(subject__in=list(by_rule), finding=NUMBER_USED_ELSEWHERE)
    return [by_rule[subject] for subject in found.values_list("subject", flat=True)]


def is_by_rule(decision: Decision) -> bool:
    return decision.decided_by.startswith("rule:")
