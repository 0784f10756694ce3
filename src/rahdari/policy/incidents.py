"""The clock of an operator when a registered connection is cut, and when an incident counts as over. Pure.

A file without `[incidents]` has these times: somebody who is cut off does not wait for a file to be changed.
"""

from dataclasses import dataclass
from datetime import timedelta

from .reading import BASES, Section


@dataclass(frozen=True, slots=True)
class Incidents:
    """Spans count from when the operator was asked, `report` and `open_again` from the end of the cut, `dispute` from
    when the operator said that it is over. `looks` in a row show that a connection answers again."""

    first_answer: timedelta = timedelta(minutes=30)
    mend: timedelta = timedelta(hours=2)
    report: timedelta = timedelta(days=3)
    dispute: timedelta = timedelta(days=3)
    open_again: timedelta = timedelta(days=14)
    looks: int = 3
    basis: str = "proposal"  # law | practice | proposal
    source: str = ""


def incidents_from(section: Section) -> Incidents:
    found = Incidents(
        first_answer=section.span("first_answer"),
        mend=section.span("mend"),
        report=section.span("report"),
        dispute=section.span("dispute"),
        open_again=section.span("open_again"),
        looks=section.whole("looks", least=2, most=20),
        basis=section.choice("basis", BASES),
        source=section.string("source", ""),
    )
    if found.first_answer > found.mend:
        section.fault("The first answer must come before it is to be mended.", "first_answer")
    if found.basis == "law" and not found.source:
        section.fault("What rests on law must name its provision in source.", "basis")
    section.done()
    return found
