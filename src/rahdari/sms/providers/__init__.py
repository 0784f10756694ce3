"""Who carries our short messages: what a provider is asked, and what it may answer.

Invariant: a provider that did not take a message says so (`Refused`, `Away`), and then another may be asked; one of
which nobody knows whether it took it (`Unclear`) is never followed by another, since a person would get it twice.
Reasons are words of ours or bare codes: what providers write repeats numbers.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Text:
    """One message on its way. `id` is ours, `to` is in E.164."""

    id: str
    to: str = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True)
class Accepted:
    """Taken. One reference for each part that the provider will report on, in their order; none if it does not."""

    references: tuple[str, ...] = ()
    parts: int = 1


@dataclass(frozen=True)
class Refused:
    """Not taken, and why. `final`: no other provider would take it either (the number is none)."""

    reason: str
    final: bool = False


@dataclass(frozen=True)
class Away:
    """Not reached, or busy: nothing was taken."""

    reason: str


@dataclass(frozen=True)
class Unclear:
    """Sent, and the answer did not come: it may have been taken or not."""

    reason: str


Outcome = Accepted | Refused | Away | Unclear


@dataclass(frozen=True)
class Report:
    """What became of a part that was taken. `outcome` is delivered, failed or waiting."""

    reference: str
    outcome: str
    reason: str = ""


Told = Callable[[str, Report, dt.datetime], None]


class Provider(Protocol):
    """`name` is the operator's own word for it. `send` waits some seconds at most and raises nothing."""

    name: str

    def send(self, text: Text, *, now: dt.datetime) -> Outcome: ...

    def listen(self, *, now: dt.datetime) -> None:
        """Take reports that wait; called every few seconds. Does nothing where reports come by another way."""

    def close(self) -> None: ...
