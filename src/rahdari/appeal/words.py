"""What an appeal is about and what came of it, in the reader's words."""

from django.utils.translation import gettext as _

from .models import Appeal
from .rules import Against, CannotDecide, Ground, Outcome, State


def ground(key: str) -> str:
    return {
        Ground.FACT: _("A fact is wrong"),
        Ground.RULE: _("The rule does not fit"),
        Ground.HEARD: _("Not heard before the decision"),
        Ground.SILENCE: _("No decision came in time"),
        Ground.OTHER: _("Something else"),
    }[Ground(key)]


def hint(key: str) -> str:
    return {
        Ground.FACT: _("For example, the line is yours."),
        Ground.RULE: _("Or it was read in the wrong way."),
        Ground.HEARD: _("You had no chance to answer before."),
    }.get(Ground(key), "")


def against(key: str) -> str:
    return {
        Against.REFUSAL: _("The refusal"),
        Against.REVOCATION: _("The revocation of the registration"),
        Against.SILENCE: _("The missing decision"),
    }[Against(key)]


def outcome(key: str) -> str:
    """Of one point, or of the whole."""
    return {
        Outcome.ALLOWED: _("Allowed"),
        Outcome.SENT_BACK: _("Sent back, to be decided again"),
        Outcome.DISMISSED: _("Dismissed"),
    }[Outcome(key)]


def came_of(appeal: Appeal) -> str:
    """What came of it, or how it stands, in a few words."""
    if appeal.state == State.WITHDRAWN:
        return _("Withdrawn")
    if appeal.was_overtaken:
        return _("Closed: the decision came")
    if appeal.decided_at is None:
        return _("Not decided yet")
    return outcome(appeal.outcome) if appeal.outcome else _("Not heard: it came too late")


def tone_of(appeal: Appeal) -> str:
    if appeal.decided_at is None:
        return "off" if appeal.state in {State.WITHDRAWN, State.CLOSED} else "wait"
    return "ok" if appeal.outcome in {Outcome.ALLOWED, Outcome.SENT_BACK} else "bad"


def why_not(reason: CannotDecide) -> str:
    return {
        CannotDecide.PART: _("You had a part in this case: somebody else decides"),
        CannotDecide.RANK: _("A supervisor or an officer of Director rank decides"),
    }[reason]
