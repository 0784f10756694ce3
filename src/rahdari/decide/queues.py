"""Which open cases fit a queue of the policy, a filter, or a view that an officer has saved.

All of it is asked of what is kept on the case (`queue_columns`), by an index: the words that mark a case are few
together, so the combinations in use are read first, and a condition on marks names those that fit.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Count, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from rahdari import policy
from rahdari.db import together
from rahdari.errors import RahdariError
from rahdari.people.models import User
from rahdari.policy import DeskQueue

from .case_clock import calendar, policy_in_force
from .models import Case, SavedView

# So many cases of a queue or of a saved view are counted, and no more.
MOST_COUNTED = 1000
MOST_SAVED = 10
# What of a filter an officer can save: never the words that were searched for.
SAVED = ("view", "service", "checks", "who", "queue")
APPLICANTS_TURN = Q(waits_for="applicant")
# In the words of an index: a case that was never kept is ours too.
OUR_TURN = Q(waits_for__in=["", "officer", "second", "hearing"])
TURNS = {"us": OUR_TURN, "officer": Q(waits_for="officer"), "second": Q(waits_for="second"),
         "applicant": APPLICANTS_TURN}  # fmt: skip
# From one combination to the next by the index, without the rows between.
IN_USE = """
ARRAY(WITH RECURSIVE used(marks) AS (
    (SELECT marks FROM decide_case WHERE status = 'open' ORDER BY marks LIMIT 1)
    UNION ALL
    SELECT (SELECT marks FROM decide_case WHERE status = 'open' AND marks > used.marks ORDER BY marks LIMIT 1)
    FROM used WHERE marks IS NOT NULL
) SELECT marks FROM used WHERE marks IS NOT NULL)
"""


class TooManyViews(RahdariError):
    """The officer has saved as many views as there may be. `.most`."""

    says = "no more than {most} saved views"
    most: int


def marks_in_use(officer: User) -> QuerySet[Any, dict[str, Any]]:
    """All combinations of marks that open cases have: one row, beside the number of the officer's saved views."""
    used = RawSQL(IN_USE, (), output_field=ArrayField(models.TextField()))  # noqa: S611 - our own text
    return together.totals(saved_views(officer), used=used, number=Count("*"))


def policy_queue(key: str) -> DeskQueue | None:
    return next((queue for queue in policy_in_force().queues if queue.key == key), None)


class Fitting:
    """The conditions of queues and filters, with the combinations of marks that are in use now."""

    def __init__(self, used: QuerySet[Any, dict[str, Any]], now: dt.datetime) -> None:
        self._used, self._now = [frozenset(marks.split()) for marks in used[0]["used"]], now

    def queue(self, key: str) -> Q:
        """Nothing for a queue that is not in the policy in force."""
        queue = policy_queue(key)
        if queue is None:
            return Q(pk__in=[])
        fits = TURNS[queue.turn] & self._marked(lambda marks: _has(queue, marks))
        if queue.services:
            fits &= Q(service__in=queue.services)
        if queue.addresses_from:
            fits &= Q(addresses__gte=queue.addresses_from)
        if queue.addresses_to:
            fits &= Q(addresses__lte=queue.addresses_to)
        if queue.due_within is not None:
            fits &= Q(due_at__lte=policy.add(start=self._now, allowance=queue.due_within, calendar=calendar()))
        return fits & Q(assigned_to__isnull=True) if queue.free else fits

    def checks(self, result: str) -> Q:
        """One failed, one waits, or each passed."""
        if result == "passed":
            return self._marked(lambda marks: not any(":" in mark for mark in marks))
        return self._marked(lambda marks: any(mark.startswith(f"{result}:") for mark in marks))

    def _marked(self, fits: Callable[[frozenset[str]], bool]) -> Q:
        return Q(marks__in=[" ".join(sorted(marks)) for marks in self._used if fits(marks)])


def _has(queue: DeskQueue, marks: frozenset[str]) -> bool:
    if queue.passed and any(":" in mark for mark in marks):
        return False
    one_of = [{f"failed:{kind}" for kind in queue.failed}, {f"waiting:{kind}" for kind in queue.waiting}]
    return marks.issuperset(queue.has) and all(not some or some & marks for some in one_of)


class UpTo(Subquery):
    """How many rows a query that is cut off has, as one value."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    empty_result_set_value = 0
    output_field = models.IntegerField()


def counted(found: QuerySet[Case], fits: dict[str, Q], officer: User) -> QuerySet[Any, dict[str, Any]]:
    """How many fit each, up to one more than `MOST_COUNTED`: `n0`, `n1` and so on of one row."""
    numbers = {
        f"n{at}": UpTo(found.filter(each).order_by().values("pk")[: MOST_COUNTED + 1])
        for at, each in enumerate(fits.values())
    }
    return together.totals(saved_views(officer), number=Count("*"), **numbers)


def saved_views(officer: User) -> QuerySet[SavedView]:
    return SavedView.objects.filter(officer=officer).order_by("id")


@transaction.atomic
def save_view(*, officer: User, name: str, **filters: str) -> SavedView:
    """Save this filter under a name; the one that had the name is replaced. Words that were searched for are no part of
    it: they would follow a person. Raises TooManyViews.
    """
    known = list(saved_views(officer).select_for_update())
    view = next((each for each in known if each.name == name), None)
    if view is None and len(known) >= MOST_SAVED:
        raise TooManyViews(MOST_SAVED)
    view = view or SavedView(officer=officer, name=name)
    for filter_name, value in filters.items():
        setattr(view, filter_name, value)
    view.save()
    return view


def forget_view(*, officer: User, view: str) -> None:
    """A second call changes nothing."""
    saved_views(officer).filter(pk=view).delete()
