"""What differs between two versions of the rules, and which of it may go against somebody.

A difference goes against somebody unless `HARMLESS` names it: a version of this program that has not met a rule yet
judges a change of it strictly. What goes against somebody takes notice before it comes into force (`history`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from .clock import DAY, Allowance, Calendar, add
from .days import calendar_from
from .reading import Faults, Section
from .toml_lines import Lines

Path = tuple[str, ...]
# What a list of tables is told apart by, so that one more in front changes no other.
NAMED_BY = ("key", "date", "kind", "method", "name")


@dataclass(frozen=True)
class Change:
    """One value of the file. None: it is not there."""

    path: Path
    before: Any
    after: Any
    is_against: bool

    @property
    def place(self) -> str:
        return ".".join(self.path)


Harmless = Callable[[Any, Any], bool]


def _any(_before: Any, _after: Any) -> bool:
    return True


def _less(before: Any, after: Any) -> bool:
    return _is_number(before) and _is_number(after) and after < before


def _more(before: Any, after: Any) -> bool:
    return _less(after, before)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _added(before: Any, _after: Any) -> bool:
    return before is None


def _more_of_them(before: Any, after: Any) -> bool:
    return isinstance(before, list) and isinstance(after, list) and set(before) < set(after)


def _to(value: Any) -> Harmless:
    return lambda _before, after: after == value


# Days without a holiday on each side of those that a calendar names.
AROUND, A_MONDAY = timedelta(days=31), date(2026, 11, 2)
# Times within which others answer whoever applies, and what ends for them: shorter is in their favour.
OF_OTHERS = (
    *("officer_decision", "whitelisting_decision", "client_confirms", "association_attests", "operator_confirms"),
    *("hearing_held", "order_after_hearing", "suspension_lasts", "suspension_before_hearing", "complaint_decided"),
    *("appeal_officer_decision_decided", "appeal_carried_out", "appeal_authority_decision_decided"),
    *("ombudsman_decides", "information_request", "information_request_extension"),
    *("information_request_life_or_liberty", "information_appeal_decided", "consultation_name"),
)
# Times that they have themselves: longer is in their favour.
THEIR_OWN = (
    *("question", "notice_before_refusal", "show_cause_licensee", "show_cause_other", "cure", "hearing_notice"),
    *("appeal_officer_decision", "appeal_authority_decision", "second_appeal", "complaint_answered"),
    *("ombudsman_complaint", "information_appeal", "consultation", "consultation_hidden"),
)
# A place in the file, `*` for one name and `**` for all below; and of which change of it nobody is worse off.
HARMLESS: tuple[tuple[str, Harmless], ...] = (
    # Who and when, and what a law is read in: facts, not rules.
    *((place, _any) for place in ("version", "contact.**", "signed.**", "fees.pay_to.**", "queues.**")),
    *((place, _any) for place in ("calendar.holidays.**", "calendar.seasons.**", "licensees.as_of")),
    *((f"instruments.*.{name}", _any) for name in ("gazette", "registry", "read", "checked_on")),
    *((f"**.{name}", _any) for name in ("basis", "source", "note", "validity_basis")),
    # In somebody's favour.
    *((f"clocks.{name}.length", _less) for name in OF_OTHERS),
    *((f"clocks.{name}.length", _more) for name in THEIR_OWN),
    ("reasons.*.status", _to("to_confirm")),
    ("services.*.open", _to(True)),
    ("services.*.validity_months", _more),
    ("services.*.fee.amount", _less),
    ("services.*.evidence.*.**", _added),
    ("retention.*.keep.length", _less),
    ("renewal.grace.length", _more),
    ("limits.endpoints_per_application", _more),
    ("limits.endpoints_per_organisation", _more),
    ("limits.document_bytes", _more),
    ("limits.document_types", _more_of_them),
    ("limits.challenge_valid.length", _more),
    ("guards", _more_of_them),
)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What `after` says otherwise, of two `Policy.source`, in the order of their places."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    found = []
    for path in sorted(old.keys() | new.keys()):
        one, other = old.get(path), new.get(path)
        if one != other:
            harmless = _is_harmless(path, one, other) or _is_decided_sooner(path, before, after)
            found.append(Change(path, one, other, not harmless))
    return found


def _is_decided_sooner(path: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """A service that names another of the clocks by which others answer, which ends later on no day."""
    if len(path) != 3 or (path[0], path[2]) != ("services", "clock"):
        return False
    faults = Faults(Lines(""))
    old, new = (_clock_of(path[1], source, faults) for source in (before, after))
    calendar = calendar_from(Section(after, (), faults).section("calendar"))
    # Rules that cannot be read are judged strictly.
    return old is not None and new is not None and not faults.found and _is_never_later(new, old, calendar)


def _clock_of(service: str, source: Mapping[str, Any], faults: Faults) -> Allowance | None:
    root = Section(source, (), faults)
    name = root.section("services").section(service).string("clock")
    return root.section("clocks").allowance(name) if name in OF_OTHERS else None


@lru_cache(maxsize=16)
def _is_never_later(new: Allowance, old: Allowance, calendar: Calendar) -> bool:
    """Looks at each day that the calendar tells apart. What counts in days ends alike for all that begins on a day, and
    what counts in hours ends the later the later it begins: the first and the last moment of a day say it of all."""
    if new.unit != old.unit and not (_counts_days(new) or _counts_days(old)):
        return False
    known = [each.date for each in calendar.holidays]
    known += [day for each in calendar.seasons for day in (each.from_date, each.until_date)]
    first, last = min(known, default=A_MONDAY) - AROUND, max(known, default=A_MONDAY) + AROUND
    starts = (
        datetime.combine(first + number * DAY, moment, calendar.zone_info)
        for number in range((last - first).days)
        for moment in (time.min, time.max)
    )
    return all(
        add(start=each, allowance=new, calendar=calendar) <= add(start=each, allowance=old, calendar=calendar)
        for each in starts
    )


def _counts_days(allowance: Allowance) -> bool:
    return allowance.unit in ("working_days", "calendar_days", "months")


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        value = _by_name(value)
    if not isinstance(value, Mapping) or not value:
        yield path, value
        return
    for name, below in value.items():
        yield from _leaves(below, (*path, str(name)))


def _by_name(tables: list[Mapping[str, Any]]) -> dict[str, Any]:
    for name in NAMED_BY:
        named = {str(each[name]): each for each in tables if name in each}
        if len(named) == len(tables):
            return named
    return {str(at): each for at, each in enumerate(tables, start=1)}


def _is_harmless(path: Path, before: Any, after: Any) -> bool:
    return any(_fits(tuple(place.split(".")), path) and judge(before, after) for place, judge in HARMLESS)


def _fits(pattern: Path, path: Path) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return len(pattern) == 1 or any(_fits(pattern[1:], path[at:]) for at in range(len(path)))
    return bool(path) and pattern[0] in ("*", path[0]) and _fits(pattern[1:], path[1:])
