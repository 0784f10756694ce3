"""Chance says which decisions are looked at again: once about each, soon after it was made, and nobody can foresee it.
Beside them come grants by rule whose card number another account has given too.

Decisions are followed in the journal, which only grows. What was not drawn leaves no row: the place in the journal up
to which chance has spoken is kept in the same transaction as what it drew, so that a worker that is killed draws
neither twice nor again. A decision whose transaction took longer than `SETTLED` to end may be passed over.
"""

import datetime as dt
import secrets
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from rahdari.decide import decided
from rahdari.decide.case_clock import calendar, policy_in_force
from rahdari.decide.models import Decision
from rahdari.journal import queries as record
from rahdari.policy import SecondLooks

from .models import DrawnUpTo, SecondLook

# Rows of the journal get their number before their transaction ends: younger ones may still have holes among them.
SETTLED = dt.timedelta(minutes=10)
AT_ONCE = 1000
_by_chance = secrets.SystemRandom()


def draw(now: dt.datetime) -> int:
    """Draw from what was decided since the last time; gives how many are looked at again. The first time begins with
    the next decision."""
    with transaction.atomic():
        up_to = _up_to(now)
        share = policy_in_force().second_looks
        rows = list(record.acts_after(up_to.row, decided.ACTS)[:AT_ONCE])
        settled = rows[: next((at for at, row in enumerate(rows) if row.at > now - SETTLED), len(rows))]
        before, drawn = (up_to.row, up_to.month), 0
        if settled:
            told = decided.told_by(settled)
            if share is not None:
                drawn = _mark(_lucky(told, share), now)
            drawn += _mark(decided.with_a_shared_card(told), now, by_chance=False)
            up_to.row = settled[-1].pk
        if len(rows) < AT_ONCE:
            drawn += _mark(_too_seldom(up_to, share.least_of_each_officer if share else 0, now), now)
        if before != (up_to.row, up_to.month):
            up_to.save()
    return drawn


def _up_to(now: dt.datetime) -> DrawnUpTo:
    """Locked: two workers draw one after the other."""
    begin = {"row": record.last_row(), "month": _month_of(now - SETTLED)}
    DrawnUpTo.objects.get_or_create(pk=1, defaults=begin)
    return DrawnUpTo.objects.select_for_update().get(pk=1)


def _mark(found: Iterable[Decision], now: dt.datetime, *, by_chance: bool = True) -> int:
    made = [
        SecondLook(decision=each, by_rule=decided.is_by_rule(each), by_chance=by_chance, drawn_at=now) for each in found
    ]
    SecondLook.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _lucky(found: Iterable[Decision], share: SecondLooks) -> list[Decision]:
    return [
        each
        for each in found
        if _by_chance.randrange(share.one_by_rule_in if decided.is_by_rule(each) else share.one_by_officers_in) == 0
    ]


def _month_of(at: dt.datetime) -> dt.date:
    return at.astimezone(calendar().zone_info).date().replace(day=1)


def _too_seldom(up_to: DrawnUpTo, least: int, now: dt.datetime) -> list[Decision]:
    """Of each month that is over, by chance from what chance did not draw: at least so many of each officer."""
    found: list[Decision] = []
    while up_to.month < _month_of(now - SETTLED):
        following = (up_to.month + dt.timedelta(days=32)).replace(day=1)
        if least:
            found += _of_month(up_to.month, following, least)
        up_to.month = following
    return found


def _of_month(first: dt.date, following: dt.date, least: int) -> list[Decision]:
    start, end = (dt.datetime.combine(day, dt.time(), calendar().zone_info) for day in (first, following))
    by_officer: dict[str, list[Decision]] = defaultdict(list)
    for decision in decided.by_officers(start=start, end=end):
        by_officer[decision.decided_by.partition(":")[2]].append(decision)
    every = [each.pk for decisions in by_officer.values() for each in decisions]
    drawn = set(SecondLook.objects.filter(decision__in=every).values_list("decision", flat=True))
    found: list[Decision] = []
    for decisions in by_officer.values():
        left = [each for each in decisions if each.pk not in drawn]
        wanted = least - (len(decisions) - len(left))
        found += _by_chance.sample(left, max(0, min(wanted, len(left))))
    return found
