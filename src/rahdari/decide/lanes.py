"""Which of the three ways an application goes or went, in words for everybody."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from .case_clock import policy_in_force
from .decided import is_by_rule
from .models import Case, Decision
from .rules import Status


@dataclass(frozen=True)
class Lane:
    key: str  # automatic | provisional | review
    title: str
    text: str


def lanes() -> tuple[Lane, Lane, Lane]:
    return (
        Lane("automatic", _("Automatic"), _("Every check passed, and a rule granted it. A rule never refuses.")),
        Lane(
            "provisional",
            _("Provisional"),
            _("A rule granted it for now, while something is still missing."),
        ),
        Lane("review", _("Full review"), _("An officer decides. A refusal needs a notice first and a second officer.")),
    )


@dataclass(frozen=True)
class ByRule:
    """What a rule granted by. `looked_at_again`: officers look at one of so many such grants again; 0: at none."""

    version: str
    looked_at_again: int


def by_rule(decision: Decision | None) -> ByRule | None:
    """None of what nobody decided, or an officer did."""
    if decision is None or not is_by_rule(decision):
        return None
    drawn = policy_in_force().second_looks
    return ByRule(decision.rule_version, drawn.one_by_rule_in if drawn is not None else 0)


def lane_of(case: Case | None, decision: Decision | None) -> Lane | None:
    """None while it is open which it will be, and of what nobody decided."""
    automatic, provisional, review = lanes()
    if decision is not None and is_by_rule(decision):
        return provisional if decision.is_provisional else automatic
    if decision is not None:
        return review
    return review if case is not None and case.status == Status.OPEN else None
