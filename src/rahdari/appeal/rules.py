"""How an appeal may move, who may decide it, and what comes of it. Pure: no database, no clock, no request.

Two dimensions are kept apart: the appeal's state, and whether the appellant is still to be heard. A move that is not in
MOVES does not exist. Nothing about an appeal changes what is registered before its decision says so, but for one case:
when the office misses its own time, a registration that was taken back stands again until the appeal is decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rahdari.decide.rules import ANY_HEARING, HEARING_ASKED, HEARING_SETTLED, HearingState


class Against(StrEnum):
    REFUSAL = "refusal"
    REVOCATION = "revocation"
    # No decision came in its time.
    SILENCE = "silence"


class Ground(StrEnum):
    FACT = "fact"  # a fact is wrong
    RULE = "rule"  # the rule does not fit, or was read the wrong way
    HEARD = "heard"  # there was no chance to answer
    SILENCE = "silence"  # no decision in its time
    OTHER = "other"


GROUNDS = {
    Against.REFUSAL: (Ground.FACT, Ground.RULE, Ground.HEARD, Ground.OTHER),
    Against.REVOCATION: (Ground.FACT, Ground.RULE, Ground.HEARD, Ground.OTHER),
    Against.SILENCE: (Ground.SILENCE,),
}


class Outcome(StrEnum):
    """Of one point, and of the appeal as a whole."""

    ALLOWED = "allowed"
    SENT_BACK = "sent_back"  # to be decided anew
    DISMISSED = "dismissed"


class State(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    DECIDED = "decided"  # what was allowed is still to be carried out
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class By(StrEnum):
    APPELLANT = "appellant"
    OFFICER = "officer"
    DECIDER = "decider"
    SUPERVISOR = "supervisor"
    CLOCK = "clock"
    WORKFLOW = "workflow"


@dataclass(frozen=True)
class Move:
    source: State
    act: str
    target: State
    by: By
    hearing: frozenset[HearingState] = ANY_HEARING
    # It is in the hands of whoever makes the move.
    in_own_hands: bool = False


DRAFT, OPEN, DECIDED, CLOSED, WITHDRAWN = State.DRAFT, State.OPEN, State.DECIDED, State.CLOSED, State.WITHDRAWN

MOVES = (
    Move(DRAFT, "save", DRAFT, By.APPELLANT),
    Move(DRAFT, "send", OPEN, By.APPELLANT),
    # One that came by letter, or was spoken at the desk.
    Move(DRAFT, "record", OPEN, By.OFFICER),
    Move(OPEN, "withdraw", WITHDRAWN, By.APPELLANT),
    Move(OPEN, "name_reviewer", OPEN, By.SUPERVISOR),
    Move(OPEN, "take", OPEN, By.DECIDER),
    Move(OPEN, "set_hearing", OPEN, By.DECIDER, HEARING_ASKED, in_own_hands=True),
    Move(OPEN, "record_hearing", OPEN, By.DECIDER, HEARING_ASKED, in_own_hands=True),
    Move(OPEN, "decide", DECIDED, By.DECIDER, HEARING_SETTLED, in_own_hands=True),
    # Out of time, and there was no good reason for that: nothing is heard.
    Move(OPEN, "refuse_late", CLOSED, By.DECIDER, in_own_hands=True),
    # The office missed its own time.
    Move(OPEN, "let_time_run_out", OPEN, By.CLOCK),
    # The decision whose absence was appealed against came.
    Move(OPEN, "overtake", CLOSED, By.WORKFLOW),
    Move(DECIDED, "carry_out", CLOSED, By.WORKFLOW),
)


def move_of(act: str) -> Move:
    return next(move for move in MOVES if move.act == act)


def allows(state: State, hearing: HearingState, act: str) -> bool:
    move = move_of(act)
    return move.source == state and hearing in move.hearing


def outcome_of(points: Iterable[Outcome]) -> Outcome:
    """One point that is allowed allows the appeal; else one that is sent back sends it back."""
    found = set(points)
    return next((each for each in (Outcome.ALLOWED, Outcome.SENT_BACK) if each in found), Outcome.DISMISSED)


class CannotDecide(StrEnum):
    """Why somebody may not decide an appeal."""

    PART = "part"  # they had a part in what is appealed against
    RANK = "rank"


def may_decide(*, had_part: bool, has_rank: bool, is_reviewer: bool) -> CannotDecide | None:
    """`has_rank`: a supervisor, or of Director rank. A reviewer from outside was named for this appeal."""
    if had_part:
        return CannotDecide.PART
    return None if has_rank or is_reviewer else CannotDecide.RANK
