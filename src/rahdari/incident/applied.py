"""What an operator's network had applied of the register, and since when: its own agents said so, and signed it."""

import datetime as dt
from dataclasses import dataclass

from rahdari.publish import operator_lag
from rahdari.publish import queries as publish
from rahdari.publish.models import Operator
from rahdari.register.models import Entry


@dataclass(frozen=True)
class Applied:
    """How a network stands against the register, and since when it has one connection in force (None: it has not said
    so). `sequence` is the last edition that it has in force."""

    state: str
    sequence: int | None
    register_sequence: int | None
    received_at: dt.datetime | None
    in_force_at: dt.datetime | None


def applied_by(operator: Operator | None, entry: Entry | None, now: dt.datetime) -> Applied | None:
    """None where no operator is known, or none that follows the feed."""
    if operator is None:
        return None
    seen = next((each for each in operator_lag.operators_with_lag(now) if each.operator.pk == operator.pk), None)
    if seen is None:
        return None
    in_force = None
    if entry is not None:
        standing = publish.standing_of([entry])
        in_force = next((at for name, at in standing.in_force if name == operator.name), None)
    return Applied(str(seen.state), seen.sequence, seen.register_sequence, seen.received_at, in_force)
