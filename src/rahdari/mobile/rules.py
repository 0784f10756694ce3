"""How a mobile line stands, whom to propose as its operator, and what its operator's list says of it. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class MobileState(StrEnum):
    """How far a line has come."""

    TYPED = "typed"  # its number waits for the code
    CONFIRMED = "confirmed"  # the code came back: the SIM is in the applicant's hands
    ASKED = "asked"  # its operator has the question
    KNOWN = "known"  # the operator said yes, and has its own word for it: the number is gone
    DENIED = "denied"  # the operator said no, or cannot tell
    ENDED = "ended"


# (from, act, to). A line is on its operator's list while it is tied to a registration that is in force, asked or known.
MOVES: tuple[tuple[str, str, str], ...] = (
    ("", "type_number", MobileState.TYPED),
    (MobileState.TYPED, "type_number", MobileState.TYPED),
    (MobileState.TYPED, "confirm", MobileState.CONFIRMED),
    (MobileState.CONFIRMED, "ask_operator", MobileState.ASKED),
    (MobileState.DENIED, "ask_operator", MobileState.ASKED),
    (MobileState.ASKED, "take_yes", MobileState.KNOWN),
    (MobileState.ASKED, "take_no", MobileState.DENIED),
    (MobileState.TYPED, "end", MobileState.ENDED),
    (MobileState.CONFIRMED, "end", MobileState.ENDED),
    (MobileState.ASKED, "end", MobileState.ENDED),
    (MobileState.KNOWN, "end", MobileState.ENDED),
    (MobileState.DENIED, "end", MobileState.ENDED),
    # Its holder undid the end of the registration, and its operator's word for it is still kept.
    (MobileState.ENDED, "come_back", MobileState.KNOWN),
)


def may_move(source: str, act: str, target: str) -> bool:
    return (source, act, target) in MOVES


class Left(StrEnum):
    """Why an operator says that a line is no longer its subscriber's."""

    PORTED_OUT = "ported_out"
    LINE_CLOSED = "line_closed"
    ANOTHER_SUBSCRIBER = "another_subscriber"


# A number that nobody confirmed by its code goes after so long; one that is another operator's, so that the applicant
# can ask that one without typing it again, after so long.
TYPED_KEPT = dt.timedelta(days=1)
# A number whose operator was never asked, and one whose operator never answered for anything that was registered.
CONFIRMED_KEPT = dt.timedelta(days=30)
ASKED_KEPT = dt.timedelta(days=90)
PORTED_KEPT = dt.timedelta(days=7)
# An operator's own word for a line that has ended: so long it can be told of the end by the changes, and the line come
# back if the end of its registration is undone.
ENDED_KEPT = dt.timedelta(days=30)


def masked(number: str) -> str:
    """`+923001234520` as `03** *****20`: for the person who just typed it, and kept nowhere."""
    return f"03** *****{number[-2:]}" if len(number) >= 4 else ""


def msisdn(number: str) -> str:
    """As operators write it, and as a spreadsheet leaves it alone: `923001234520`."""
    return number.removeprefix("+")


def propose(number: str, prefixes: Mapping[str, Iterable[str]]) -> str | None:
    """The operator whose prefix the number has, the longest counting: a hint only, since numbers are taken along."""
    national = number.removeprefix("+92")
    fitting = [
        (len(prefix), operator)
        for operator, given in prefixes.items()
        for prefix in given
        if prefix and national.startswith(prefix)
    ]
    return max(fitting)[1] if fitting else None


@dataclass(frozen=True)
class Listed:
    """A line as its operator is told of it: by its own word, or by the number of the check that it has not answered."""

    reference: str
    check: str
    not_before: str
    not_after: str

    def as_told(self) -> dict[str, Any]:
        return (
            ({"reference": self.reference} if self.reference else {})
            | ({"check": self.check} if self.check else {})
            | {"not_before": self.not_before, "not_after": self.not_after}
        )


def listed_until(*, stays_until: dt.datetime, leaves_at: dt.datetime | None) -> dt.datetime:
    """A line that is left ends when its overlap is over, and never after its registration."""
    return stays_until if leaves_at is None else min(stays_until, leaves_at)
