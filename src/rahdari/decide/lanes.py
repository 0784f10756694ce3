"""Which of the three ways an application goes or went, in words for everybody."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

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


def lane_of(case: Case | None, decision: Decision | None) -> Lane | None:
    """None while it is open which it will be, and of what nobody decided."""
    automatic, provisional, review = lanes()
    if decision is not None and is_by_rule(decision):
        return provisional if decision.is_provisional else automatic
    if decision is not None:
        return review
    return review if case is not None and case.status == Status.OPEN else None
