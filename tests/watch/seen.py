"""Facts for tests, in few words: who reached the endpoint, and from where."""

import datetime as dt
from typing import Any

from rahdari.probe.outcome import Outcome
from rahdari.watch.facts import Facts, Look, Neighbours, Side

AT = dt.datetime(2024, 11, 10, 16, 5, tzinfo=dt.UTC)
OPERATOR = "AS64500"
FINE = Neighbours(reached=20)
# An operator whose holders stopped together, with one of whom it is known that the server runs.
CUT = Neighbours(failed=12, began=12, alive=2)


def look(place: str, network: str, outcome: Outcome | None, side: Side = Side.OUTSIDE, **more: Any) -> Look:
    given = {"at": AT, "received_at": AT + dt.timedelta(seconds=5), "control": Outcome.PROVED, "in_a_row": 2, **more}
    return Look(place=place, network=network, side=side, outcome=outcome, **given)


def outside(*outcomes: Outcome | None, **more: Any) -> list[Look]:
    """One look from a network each."""
    return [look(f"out-{n}", f"AS{64510 + n}", outcome, **more) for n, outcome in enumerate(outcomes)]


def inside(*outcomes: Outcome | None, **more: Any) -> list[Look]:
    return [look(f"in-{n}", OPERATOR, outcome, Side.INSIDE, **more) for n, outcome in enumerate(outcomes)]


def holder(outcome: Outcome, **more: Any) -> list[Look]:
    return [look("agent", OPERATOR, outcome, Side.HOLDER, **more)]


def facts(*looks: list[Look], here: Neighbours = FINE, others: tuple[Neighbours, ...] = (FINE, FINE)) -> Facts:
    return Facts(AT, (OPERATOR,), tuple(each for some in looks for each in some), here, others)
