"""Announced work: how much notice is the rule, and what no notice exceeds. A file without the part has these terms."""

from dataclasses import dataclass
from datetime import timedelta

from .reading import BASES, Section


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The terms of announced work."""

    notice_days: int = 7
    longest_hours: int = 12
    most_days_ahead: int = 366
    most_components: int = 1000  # prefixes, services and entries of one work
    most_open: int = 200  # works of one operator that are drafts, announced or running
    # So long whoever announced work has to answer a holder who asks for another night.
    answer_hours: int = 48
    # Of fewer works than these no figure of an operator is given.
    fewest: int = 5
    basis: str = "proposal"  # law | practice | proposal
    source: str = ""

    @property
    def notice(self) -> timedelta:
        return timedelta(days=self.notice_days)

    @property
    def answer_within(self) -> timedelta:
        return timedelta(hours=self.answer_hours)

    @property
    def longest_window(self) -> timedelta:
        return timedelta(hours=self.longest_hours)

    @property
    def furthest_ahead(self) -> timedelta:
        return timedelta(days=self.most_days_ahead)


def maintenance_from(section: Section) -> Maintenance:
    usual = Maintenance()
    found = Maintenance(
        notice_days=section.whole("notice_days", usual.notice_days, least=1, most=90),
        longest_hours=section.whole("longest_hours", usual.longest_hours, least=1, most=168),
        most_days_ahead=section.whole("most_days_ahead", usual.most_days_ahead, least=1, most=731),
        most_components=section.whole("most_components", usual.most_components, least=1, most=10_000),
        most_open=section.whole("most_open", usual.most_open, least=1, most=10_000),
        answer_hours=section.whole("answer_hours", usual.answer_hours, least=1, most=720),
        fewest=section.whole("fewest", usual.fewest, least=2, most=1000),
        basis=section.choice("basis", BASES, usual.basis),
        source=section.string("source", ""),
    )
    if found.basis == "law" and not found.source:
        section.fault("What rests on law must name its provision in source.", "basis")
    if found.most_days_ahead <= found.notice_days:
        section.fault("Work can be announced further ahead than the notice that is the rule.", "most_days_ahead")
    section.done()
    return found
