"""Peers that are measured beside us: one small module each.

For propagation each is a context manager that gives a `Peer`: `change(n)` makes entry n known to the sender and says
when it began and when the sender had it; `arrived(n)` waits until the receiver has it and says when that was. All times
are `time.time_ns()` of this machine. What would be unfair in a comparison stands in `unfair` and goes into the results.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Sent:
    """When the change began, and when the sender had taken it (the commit, where there is one)."""

    began: int
    taken: int


class Peer(Protocol):
    name: str
    setting: str
    unfair: str
    versions: dict[str, str]

    def change(self, number: int) -> Sent: ...

    def arrived(self, number: int) -> int: ...

    def facts(self) -> dict[str, Any]: ...


# Sets a peer up in a folder with so many entries. Raises place.NotHere.
type Starting = Callable[[Path, int, bool], AbstractContextManager[Peer]]


@dataclass
class Known:
    """A peer that can be started, and about how long one of its changes takes: how often it is measured."""

    name: str
    starting: Starting
    changes: int
    quick_changes: int
    # Whether changes come at random moments, since a timer of the peer would otherwise be met at one phase only.
    random_moments: float = 0.0
    quick: bool = True
    largest: int = field(default=10**9)


def host(number: int) -> str:
    """Address number n: private numbers, which are nobody's. Neighbours in number are far apart as addresses."""
    return str(IPv4Address((10 << 24) + (number * 4_241_473 + 77_777) % (1 << 24)))
