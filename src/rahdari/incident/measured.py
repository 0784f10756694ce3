"""What was measured of a connection, as the room `watch` has it: the one place where this room asks for it.

Nothing is measured of whoever did not agree to it. Then nothing is said here, an incident is opened all the same, and
its operator is asked.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .rules import Look


@dataclass(frozen=True)
class Measured:
    """What the last verdict says. `state` is empty where nobody may look, or none was made; `asn` is the network at
    which it is cut, where one is named."""

    state: str = ""
    rule: str = ""
    since: dt.datetime | None = None
    asn: int | None = None

    @property
    def says_something(self) -> bool:
        return self.state not in ("", "not_enough")


def last_of(subject: str, *, now: dt.datetime) -> Measured:
    return Measured()


def looks_since(subject: str, since: dt.datetime, *, now: dt.datetime) -> list[Look]:
    """What each round saw since then, the first in front."""
    return []


def facts_of(subject: str, since: dt.datetime, until: dt.datetime) -> list[Mapping[str, Any]]:
    """The facts themselves, as plain data, for the evidence pack: enough to compute the verdict again."""
    return []
