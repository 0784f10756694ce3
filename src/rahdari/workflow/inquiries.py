"""Somebody outside is asked, and the answer taken to whoever waits for it: what every party has in common.

    ask -> remind -> end -> deliver -> erase

What differs stands with each party: when it is asked, what its answer is to the check, what goes with what is sealed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rahdari.inquiry.kinds import Kind
from rahdari.inquiry.models import Inquiry

from .step import Run, together


@dataclass(frozen=True)
class Asked:
    """A party as the workflow knows it. `withdraw` ends what nobody waits for any more."""

    kind: Kind[Any]
    deliver: Run
    erase: Run
    ask: Run | None = None
    withdraw: Run | None = None
    remind: Run | None = None


def all_of(parties: tuple[Asked, ...], choose: Callable[[Asked], tuple[Run | None, ...]]) -> Run:
    """One step of the workflow: this queue of each of them that has it."""
    return together(*(run for party in parties for run in choose(party) if run is not None))


def came_at(inquiry: Inquiry) -> str:
    """When the answer came. Silence is an answer when the time is over, whenever we see that it is."""
    return min(inquiry.ended_at, inquiry.due_at).isoformat() if inquiry.ended_at else ""
