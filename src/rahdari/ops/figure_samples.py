"""Months of figures for the demonstration: made up, and each says so. A register that begins has none to show."""

import datetime as dt
from collections.abc import Mapping

from rahdari.figures import actions, queries
from rahdari.figures.cells import Counted
from rahdari.figures.counting import SEVERAL, parts_of, reading
from rahdari.figures.definitions import ALL, OTHER, Words, load

MADE_UP = Words(
    "The numbers of this month are made up for the demonstration.", "اس مہینے کے اعداد ڈیمو کے لیے فرضی ہیں۔"
)
MONTHS = 8
# Of the last month; what a figure has more of parts shares what is left.
NUMBERS: Mapping[str, Mapping[str, int]] = {
    "decisions": {"rule": 412, "officers": 96},
    "officers_decided": {"granted": 71, "refused": 25},
    "officers_in_time": {"in_time": 90, "late": 6},
    "refusals": {"R1": 13, "R3": 9, "R8": 3},
    "appeals": {"allowed": 3, "dismissed": 9},
    "second_looks_at_rules": {"agreed": 39, "differed": 2},
    "second_looks_at_officers": {"agreed": 18, "differed": 11},
    "provisional": {ALL: 14},
    "provisional_confirmed": {ALL: 4},
    "registrations": {"vpn_freelancer": 5103, "vpn_company": 1098},
    "registrations_by_operator": {"sample-fibre": 3120, "example-broadband": 1640, SEVERAL: 201, OTHER: 1240},
    "disruptions": {"filter": 12, "fault": 9, "work": 3},
    "disruptions_in_time": {"in_time": 20, "late": 4},
    "notices_kept": {"kept": 17, "missed": 1},
    "work_announced": {"week": 15, "days": 9, "late": 3},
    "complaints": {"misuse": 26, "correction": 19},
    "complaints_misuse": {"founded": 8, "not_founded": 13, "nothing_registered": 5},
    "complaints_in_time": {"in_time": 36, "late": 9},
    "urgent_listed": {ALL: 31},
    "urgent_settled": {"proved": 18, "ended": 10},
    "reads": {"case": 301, "document": 188, "contact": 12, "appeal": 13, "second_look": 70},
    "reads_besides": {"complaint": 44, "cut_off": 29},
    "deletions": {"draft": 33, "card": 61, "documents": 60, "file": 12},
    "deletions_overdue": {},
}
TIMES = {"time_to_decide": {"all": (108.0, 86_400.0), "rule": (94.0, 161.0), "officers": (90_000.0, 300_000.0)}}


def make(now: dt.datetime) -> None:
    """Publish what is missing of the last months."""
    month = next(actions.months_due(now), None)
    if month is None or queries.last_month() is not None:
        return
    for place in range(MONTHS):
        actions.publish_counted(month, counted(1 - 0.06 * place + 0.03 * (place % 3)), now=now, why=MADE_UP)
        month = (month - dt.timedelta(days=1)).replace(day=1)


def counted(grown: float = 1.0) -> Counted:
    """Numbers as a month might have them, for the rules in force; all of them grown by the same."""
    parts: dict[str, Mapping[str, Words]] = {}
    numbers: dict[str, dict[str, int]] = {}
    with reading() as cursor:
        for id, figure in load().figures.items():
            if not figure.is_time:
                parts[id] = parts_of(figure, cursor)
                names = list(parts[id]) or [ALL]
                numbers[id] = {name: round(NUMBERS[id].get(name, 0) * grown) for name in names}
                _fill(numbers[id], _total(id, numbers, grown))
    return Counted(parts, numbers, TIMES)


def _total(id: str, numbers: Mapping[str, Mapping[str, int]], grown: float) -> int:
    of, _dot, part = load().figures[id].is_total.partition(".")
    if not of:
        return round(sum(NUMBERS[id].values()) * grown)
    return sum(numbers[of].values()) if part == ALL else numbers[of][part]


def _fill(numbers: dict[str, int], total: int) -> None:
    """What is left of the total, since each was rounded apart and other rules have other parts, to the greatest."""
    greatest = max(numbers, key=lambda name: numbers[name])
    numbers[greatest] += total - sum(numbers.values())
