"""How long what was collected is kept, and what a renewal takes of it; `standing_on` holds the two together."""

from dataclasses import dataclass
from datetime import timedelta

from rahdari import optional

from .clock import Allowance

# What a clock of the line erases. `with_the_case` has no time of its own: it goes when the case goes. Every other kind
# of data that a policy names is either not held by this version, or erased by whoever runs the register.
BY_CLOCK = {
    "draft": "an application that nobody sent",
    "desk_entry": "what an officer entered for somebody who has not taken it over",
    "documents": "papers that were sent",
    "card_number": "the card number of an application",
    "proof_of_control": "what was seen when an address was proved",
    "client_address": "the address of a client that was asked",
    "came_to_nothing": "names, numbers, addresses and texts of an application that was refused or given up",
    "case": "names, numbers, addresses and texts of an application that was granted",
    "identity_check": "what a check found",
    "operator_answer": "what an operator was asked of a subscriber",
    "letters": "letters about an application",
    "misuse_report": "a complaint that was not upheld",
    "incident": "what was said when a connection was cut, and the evidence of it",
    "letter_delivery": "how a letter travelled",
    "planned_work": "what a holder was told of planned work, with the addresses",
    "payment": "who paid, in which words",
    "comment_address": "the address of whoever commented on a draft rule",
    "entry": "whose an ended registration was, and its addresses",
}
# What only an optional room collects.
OF_ROOMS = {"payment": "fees"}
# By which clock of the policy an appeal may still be made, and so what may not be gone before: the loader refuses it.
APPEAL = "appeal_officer_decision"
NOT_BEFORE_AN_APPEAL = ("came_to_nothing", "case", "entry")
WITH_THE_CASE = "with_the_case"
ERASED_BY = ("clock", "hand", "nothing")


def by_clock() -> frozenset[str]:
    """Of which a policy says how long it is kept."""
    return frozenset(key for key in BY_CLOCK if OF_ROOMS.get(key) not in optional.left_out())


DAYS = {"hours": 1 / 24, "days": 1, "months": 30.44, "years": 365.25}


@dataclass(frozen=True, slots=True)
class Retention:
    key: str
    after: str
    keep: str  # as written: "120 days"; for ever: ""
    archive_class: str
    consent_ref: str
    without_consent: str
    basis: str
    note: str
    # `clock`: a step of the line erases it; `hand`: whoever runs the register does; `nothing`: this version holds none.
    erased_by: str = "clock"

    @property
    def allowance(self) -> Allowance | None:
        """How long, as a clock says it; None for ever."""
        if not self.keep:
            return None
        length, _space, unit = self.keep.partition(" ")
        return Allowance(int(length), {"days": "calendar_days"}.get(unit, unit))

    @property
    def span(self) -> timedelta | None:
        """How long, with months and years as days on average; None for ever."""
        if not self.keep:
            return None
        length, unit = self.keep.split()
        return timedelta(days=int(length) * DAYS[unit])


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a registration goes on after its term."""

    opens_days_before: int
    in_grace: str  # stays | ends: whether the entries stay on the register until the grace is over
    # Of papers of the last application: the papers themselves are `kept` and count again, or what was seen in them is
    # `noted` and counts again while the papers are gone, or they are asked for `again`.
    documents: str
