"""What a list of licensed providers says otherwise than the one before it, and whether it may take its place. Pure.

Invariants: no provider vanishes, it ends on a day; what is over stays as it was. Whatever leaves a provider's users
worse off, on whatever day from today on, takes two names and says why and where they turn; it is told 30 days before,
or says why not.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rahdari.policy import Allowance, Licence, Licensee, Licensees, Term, history
from rahdari.policy.licensees import GROUNDS
from rahdari.policy.reading import Faults

NOTICE = history.NOTICE
# From so long before its last day on, a provider is shown as one that ends; the first where the end was not foreseen.
UNFORESEEN, SOON = dt.timedelta(days=365), dt.timedelta(days=90)
# By these its users know a provider: another one of them, and they look for it in vain.
KNOWN_BY = ("name", "product", "licence")
# At most and at least, so that of two spans in other units the new one is never taken for the shorter by mistake.
DAYS_OF = {"calendar_days": 1, "months": 31, "years": 366}
LEAST_DAYS_OF = {"calendar_days": 1, "months": 28, "years": 365}


class Standing(StrEnum):
    TO_COME = "to_come"
    VALID = "valid"
    ENDS = "ends"
    ENDED = "ended"


class What(StrEnum):
    """What became of a provider, or of the kind of licence that it has."""

    LISTED = "listed"
    CHANGED = "changed"
    PROLONGED = "prolonged"
    ENDS = "ends"
    LATER = "later"
    OTHER = "other"
    TERMS = "terms"


@dataclass(frozen=True)
class Change:
    """`on`: from which day it counts; of an end, the last day. `key` is that of a provider, or of a licence (TERMS).
    `field`: of what it is told, if somebody is worse off by it."""

    what: What
    key: str
    on: dt.date
    field: str = ""

    @property
    def takes_two(self) -> bool:
        return bool(self.field) or self.what is What.TERMS


def standing(one: Licensee, today: dt.date) -> Standing:
    if one.valid_until is not None and one.valid_until < today:
        return Standing.ENDED
    if one.valid_from is not None and one.valid_from > today:
        return Standing.TO_COME
    ends = one.valid_until is not None and one.valid_until <= today + (UNFORESEEN if one.why else SOON)
    return Standing.ENDS if ends else Standing.VALID


def changes(before: Licensees | None, after: Licensees, today: dt.date) -> list[Change]:
    """What `after` says otherwise; all of it, where there was none before. In the order of the list."""
    found = []
    for one in after.providers:
        old = before.provider(one.key) if before is not None else None
        if old is None:
            found.append(Change(What.LISTED, one.key, one.valid_from or today))
        elif one != old:
            found += _of(old, one, today)
    if before is not None:
        for key, licence in after.licences.items():
            if key in before.licences and licence != before.licences[key]:
                harder = _harder_from(before, after, key, today)
                found.append(Change(What.TERMS, key, harder or today, "" if harder is None else "at_once"))
    return found


def _of(old: Licensee, one: Licensee, today: dt.date) -> list[Change]:
    lost = _first_day(_breaks(old, one), today, lambda day: covers(old, day) and not covers(one, day))
    found = []
    if ends_earlier(old, one) and one.valid_until is not None:
        found.append(Change(What.ENDS, one.key, one.valid_until, "valid_until"))
    if lost is not None and one.valid_from is not None and lost < one.valid_from:
        found.append(Change(What.LATER, one.key, lost, "valid_from"))
    if changed := [name for name in KNOWN_BY if getattr(old, name) != getattr(one, name)]:
        on = _first_day(_breaks(old, one), today, lambda day: covers(old, day))
        found.append(Change(What.OTHER, one.key, on or today, "" if on is None else changed[0]))
    if found:
        return found
    if one.valid_until != old.valid_until:
        return [Change(What.PROLONGED, one.key, today)]
    return [Change(What.CHANGED, one.key, today)]


def ends_earlier(old: Licensee, one: Licensee) -> bool:
    return one.valid_until is not None and (old.valid_until is None or one.valid_until < old.valid_until)


# -- who is worse off, and from which day ----------------------------------------------------------------------------


def covers(one: Licensee, day: dt.date) -> bool:
    return standing(one, day) in (Standing.VALID, Standing.ENDS)


def is_harder(old: Licence, new: Licence, day: dt.date) -> bool:
    """Whether on this day it demands, or has recorded, anything that the old one did not, or for longer. What words
    mean nobody can tell from a file: other words are other demands."""
    return any(
        not any(_holds(known, each) for known in before if counts(known, day))
        for before, terms in ((old.conditions, new.conditions), (old.records, new.records))
        for each in terms
        if counts(each, day)
    )


def counts(term: Term, day: dt.date) -> bool:
    return term.valid_from is None or term.valid_from <= day


def _holds(known: Term, term: Term) -> bool:
    """What is known already demands as much as this one."""
    surer = GROUNDS.index(term.ground) < GROUNDS.index(known.ground)
    return known.text == term.text and not surer and not _may_be_longer(term.keep, known.keep)


def _may_be_longer(keep: Allowance | None, known: Allowance | None) -> bool:
    if keep == known:
        return False
    if keep is None or known is None:
        return True
    if keep.unit == known.unit:
        return keep.length > known.length
    return keep.length * DAYS_OF[keep.unit] > known.length * LEAST_DAYS_OF[known.unit]


def _harder_from(before: Licensees, after: Licensees, key: str, today: dt.date) -> dt.date | None:
    """From when somebody is worse off by the terms of this kind of licence: a user of a provider that keeps it."""
    old, new = before.licences[key], after.licences[key]
    found = []
    for was in before.providers:
        one = after.provider(was.key)
        if one is None or not was.licence == one.licence == key:
            continue
        days = [*_breaks(was, one), *_days_of(old), *_days_of(new)]

        def worse(day: dt.date, was: Licensee = was, one: Licensee = one) -> bool:
            return covers(was, day) and covers(one, day) and is_harder(old, new, day)

        found.append(_first_day(days, today, worse))
    return min((day for day in found if day is not None), default=None)


def _breaks(*ones: Licensee) -> list[dt.date]:
    """Days on which something begins, or is over."""
    begins = [one.valid_from for one in ones if one.valid_from is not None]
    return begins + [one.valid_until + dt.timedelta(days=1) for one in ones if one.valid_until is not None]


def _days_of(licence: Licence) -> list[dt.date]:
    return [each.valid_from for each in (*licence.conditions, *licence.records) if each.valid_from is not None]


def _first_day(days: Iterable[dt.date], today: dt.date, holds: Callable[[dt.date], bool]) -> dt.date | None:
    """The first of them, from today on, on which it holds. Between two of them nothing changes."""
    return next((day for day in sorted({today, *days}) if day >= today and holds(day)), None)


# -- whether it may take the place -----------------------------------------------------------------------------------


def takes_two(before: Licensees | None, after: Licensees, today: dt.date) -> bool:
    if before is None:
        return False
    return before.users != after.users or any(each.takes_two for each in changes(before, after, today))


def judge(before: Licensees | None, after: Licensees, names: Sequence[str], today: dt.date, faults: Faults) -> None:
    """Why it may not take the place of `before` today, with how to mend it, to `faults`."""
    if after.as_of > today:
        faults.add(("licensees", "as_of"), f"This day is to come. Give the day of the list: {today} at the latest.")
    if before is None:
        return
    if after.as_of < before.as_of:
        faults.add(("licensees", "as_of"), f"The list in force is of {before.as_of}: this one is older.")
    if before.own_list and not after.own_list:
        faults.add(
            ("licensees", "own_list"), "The list in force is the regulator's own, and so are those after it: true."
        )
    gone = [each.key for each in before.providers if after.provider(each.key) is None]
    for key in gone:
        faults.add(
            ("licensees", "providers"),
            f"{key!r} is not in it any more. A provider is never taken out: give it its last day, valid_until.",
        )
    found = changes(before, after, today)
    for at, one in enumerate(after.providers):
        old, place = before.provider(one.key), ("licensees", "providers", str(at))
        if old is None or one == old:
            continue
        if old.valid_until is not None and old.valid_until < today:
            said = f"It ended on {old.valid_until} and stays as it was. A new licence is a new row and key."
            faults.add((*place, "key"), said)
            continue
        if ends_earlier(old, one) and one.valid_until is not None and one.valid_until < today:
            said = f"It cannot have ended before it was told: {today} at the earliest."
            faults.add((*place, "valid_until"), said)
        of_it = [each for each in found if each.key == one.key and each.what is not What.TERMS]
        _judge_notice(old, one, of_it, place, today, faults)
        goes_on = one.valid_until is None or (old.valid_until is not None and one.valid_until > old.valid_until)
        if old.why and not goes_on and standing(old, today) is Standing.ENDS and not (one.why and one.turn_to):
            faults.add((*place, "why"), "It ends, and its users were told: why and turn_to stay until it has.")
    for key, licence in after.licences.items():
        of_it = [each for each in found if each.key == key and each.what is What.TERMS]
        if of_it:
            _judge_notice(before.licences[key], licence, of_it, ("licensees", "licences", key), today, faults)
    two = len({" ".join(name.casefold().split()) for name in names if name.strip()}) > 1
    if not two and takes_two(before, after, today):
        which = [f"{each.key} ({each.what})" for each in found if each.takes_two]
        which += ["users"] if before.users != after.users else []
        faults.add(("licensees",), f"This takes two persons, --name and --second: {', '.join(which)}.")


def _judge_notice[T: (Licensee, Licence)](
    old: T, told: T, found: Iterable[Change], place: tuple[str, ...], today: dt.date, faults: Faults
) -> None:
    """Users who are worse off were told so in time, or why not; and in any case why, and where they turn. A reason that
    stood there before was for something else."""
    against = [each for each in found if each.field]
    for each in against:
        if each.on < today + NOTICE and told.at_once in (None, old.at_once):
            said = f"Its users are told {NOTICE.days} days before: {today + NOTICE} at the earliest"
            faults.add((*place, each.field), f"{said}, or at_once says why not, in both languages.")
    for key, wanted in (("why", "why it is so"), ("turn_to", "where its users turn")):
        if against and getattr(told, key) is None:
            faults.add((*place, key), f'It is missing: say {wanted}, {{ en = "...", ur = "..." }}.')
