"""Which decisions are looked at again by somebody who does not know the first outcome."""

from dataclasses import dataclass

from .reading import BASES, Section


@dataclass(frozen=True, slots=True)
class SecondLooks:
    """Drawn by chance: one of so many grants by a rule, one of so many decisions of officers, and of each officer so
    many in a calendar month at the least."""

    one_by_rule_in: int
    one_by_officers_in: int
    least_of_each_officer: int
    basis: str  # law | practice | proposal
    source: str


def second_looks_from(section: Section) -> SecondLooks:
    found = SecondLooks(
        one_by_rule_in=section.whole("one_by_rule_in", least=1, most=10_000),
        one_by_officers_in=section.whole("one_by_officers_in", least=1, most=10_000),
        least_of_each_officer=section.whole("least_of_each_officer", 0, most=20),
        basis=section.choice("basis", BASES),
        source=section.string("source", ""),
    )
    if found.basis == "law" and not found.source:
        section.fault("What rests on law must name its provision in source.", "basis")
    section.done()
    return found
