"""List first, papers after: one more address for a known holder who is cut off, for a while. From the section `urgent`.

A file without it offers none. No file may list an address longer than `MOST` this way, or let a number do that was
confirmed the same day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from .reading import Section
from .shapes import Reason

MOST = timedelta(days=30)
# So long a second person has at most: whoever is cut off waits at the telephone.
LONGEST_WAIT = timedelta(hours=2)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Urgent:
    """`reason`: the code under which the rule lists it. `known_for`: how long the holder's mobile number must have been
    confirmed, and whoever acts for an organisation have belonged to it. `most_in_year`: how often for one holder."""

    reason: str
    term: timedelta
    known_for: timedelta
    most_in_year: int
    second_within: timedelta
    remind_days_before: tuple[int, ...]


def urgent_from(section: Section, reasons: Mapping[str, Reason]) -> Urgent:
    found = Urgent(
        reason=section.string("reason"),
        term=section.span("term"),
        known_for=section.span("known_for"),
        most_in_year=section.whole("most_in_year", least=1, most=12),
        second_within=section.span("second_within"),
        remind_days_before=section.numbers("remind_days_before"),
    )
    reason = reasons.get(found.reason)
    if reason is None or reason.kind != "provisional" or not reason.by_rule:
        section.fault(f"There is no provisional code {found.reason!r} that a rule may use.", "reason")
    if found.term > MOST:
        section.fault("What is listed before its papers come ends after 30 days at the latest.", "term")
    if found.known_for < DAY:
        section.fault(
            "A number that was confirmed the same day may be a thief's: ask for a day at the least.", "known_for"
        )
    if found.second_within > LONGEST_WAIT:
        section.fault("Whoever is cut off waits at the telephone: two hours at the most.", "second_within")
    if any(days < 1 or days * DAY >= found.term for days in found.remind_days_before):
        section.fault("A reminder comes a day or more before the end, and after the beginning.", "remind_days_before")
    section.done()
    return found
