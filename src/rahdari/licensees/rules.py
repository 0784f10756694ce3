"""What a list of licensed providers says otherwise than the one before it, and whether it may take its place. Pure.

Invariants: no provider vanishes, it ends on a day; what is over stays as it was; an end that nobody could foresee is
told 30 days before, or says why not, and where its users turn; it takes two names, as new duties to record do.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rahdari.policy import Licensee, Licensees, history
from rahdari.policy.reading import Faults

NOTICE = history.NOTICE
# From so long before its last day on, a provider is shown as one that ends.
SOON = dt.timedelta(days=90)


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
    TERMS = "terms"


@dataclass(frozen=True)
class Change:
    """`on`: from which day it counts; of an end, the last day. `key` is that of a provider, or of a licence (TERMS)."""

    what: What
    key: str
    on: dt.date

    @property
    def takes_two(self) -> bool:
        return self.what in (What.ENDS, What.TERMS)


def standing(one: Licensee, today: dt.date) -> Standing:
    if one.valid_until is not None and one.valid_until < today:
        return Standing.ENDED
    if one.valid_from is not None and one.valid_from > today:
        return Standing.TO_COME
    ends = one.valid_until is not None and (one.why is not None or one.valid_until <= today + SOON)
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
                found.append(Change(What.TERMS, key, today))
    return found


def _of(old: Licensee, one: Licensee, today: dt.date) -> list[Change]:
    if ends_earlier(old, one) and one.valid_until is not None:
        return [Change(What.ENDS, one.key, one.valid_until)]
    if one.valid_until != old.valid_until:
        return [Change(What.PROLONGED, one.key, today)]
    return [Change(What.CHANGED, one.key, today)]


def ends_earlier(old: Licensee, one: Licensee) -> bool:
    return one.valid_until is not None and (old.valid_until is None or one.valid_until < old.valid_until)


def judge(before: Licensees | None, after: Licensees, names: Sequence[str], today: dt.date, faults: Faults) -> None:
    """Why it may not take the place of `before` today, with how to mend it, to `faults`."""

    def fault(at: int, key: str, message: str) -> None:
        faults.add(("licensees", "providers", str(at), key), message)

    if after.as_of > today:
        faults.add(("licensees", "as_of"), f"This day is to come. Give the day of the list: {today} at the latest.")
    if before is None:
        return
    if after.as_of < before.as_of:
        faults.add(("licensees", "as_of"), f"The list in force is of {before.as_of}: this one is older.")
    gone = [each.key for each in before.providers if after.provider(each.key) is None]
    for key in gone:
        faults.add(
            ("licensees", "providers"),
            f"{key!r} is not in it any more. A provider is never taken out: give it its last day, valid_until.",
        )
    for at, one in enumerate(after.providers):
        old = before.provider(one.key)
        if old is None or one == old:
            continue
        if old.valid_until is not None and old.valid_until < today:
            fault(at, "key", f"It ended on {old.valid_until} and stays as it was. A new licence is a new row and key.")
        elif ends_earlier(old, one) and one.valid_until is not None:
            if one.valid_until < today:
                fault(at, "valid_until", f"It cannot have ended before it was told: {today} at the earliest.")
            elif one.valid_until < today + NOTICE and one.at_once is None:
                told = f"Its users are told {NOTICE.days} days before: {today + NOTICE} at the earliest"
                fault(at, "valid_until", f"{told}, or at_once says why not, in both languages.")
            for key, wanted in (("why", "why it ends"), ("turn_to", "where its users turn")):
                if getattr(one, key) is None:
                    fault(at, key, f'It is missing: say {wanted}, {{ en = "...", ur = "..." }}.')
    two = len({" ".join(name.casefold().split()) for name in names if name.strip()}) > 1
    if not two and (against := [each for each in changes(before, after, today) if each.takes_two]):
        which = ", ".join(f"{each.key} ({each.what})" for each in against)
        faults.add(("licensees",), f"This takes two persons, --name and --second: {which}.")
