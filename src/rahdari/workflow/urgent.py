"""Addresses listed before their papers: reminded of, settled when the papers came or did not, and forgotten."""

import datetime as dt

from rahdari.archive.actions import Box
from rahdari.db.queues import Queue
from rahdari.register.models import Registration
from rahdari.urgent import actions, queries

from .step import A_MINUTE, Place, Step

DAY = dt.timedelta(days=1)


def remind(now: dt.datetime) -> int:
    """Tell holders some days before it ends that its proof is still to come, once each."""
    terms = queries.terms()
    return sum(_remind(days, now) for days in (terms.remind_days_before if terms is not None else ()))


def _remind(days: int, now: dt.datetime) -> int:
    start = now + (days - 1) * DAY
    queue = Queue(
        f"workflow.urgent.remind {days}",
        lambda _now: queries.ending_between(start=start, end=start + DAY),
        lambda row, now: actions.remind(row, now, days),
    )
    return queue(now)


def forget_holder(*, registration: Registration, box: Box) -> list[str]:
    actions.forget(registration=registration)
    return []


# They end with all other entries whose own time is over (`register.end_entries_due`): nothing of this room need run.
STEPS = {
    Place.LAST: (
        Step("urgent: not finished in time", actions.let_lapse, clock=True),
        Step("urgent: papers came, or did not", actions.settle),
        Step("urgent: remind", remind, rests=A_MINUTE),
    )
}
