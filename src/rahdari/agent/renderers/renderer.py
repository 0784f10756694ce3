"""What a renderer is: one small module that writes the registered endpoints as one kind of device reads them.

What is rendered is a list of addresses that must not be disrupted. No renderer writes an action, and none writes an
address that is not registered. A renderer sees a stream and gives a stream: a register of millions is never held whole.

`takes` says what it is given, always in order of family, address, length, protocol and port:
  "entries"    each entry as it is, one after the other
  "prefixes"   each prefix once, without protocol, port and term: for a device that knows addresses alone
  "ends"       each prefix once, with the last end of its entries
  "regions"    the address space cut into prefixes that do not overlap, each with all endpoints that cover it
"""

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from rahdari.feed.entry import time_text
from rahdari.feed.terms import TERMS

type Takes = Literal["entries", "prefixes", "ends", "regions"]

PURPOSE = "registered VPN endpoints that must not be disrupted"
ANY_PROTOCOL = "This device knows no ports here: each address is listed for any protocol."


class Row(Protocol):
    """An entry that counts now, as `agent.entries.Row` is. `kept_stale`: it has ended, and is kept because the feed is
    stale. `held`: the feed took it out, and the agent holds that back. `local`: the comment of the operator's own row,
    which has no term."""

    @property
    def id(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def not_before(self) -> str: ...
    @property
    def not_after(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def held(self) -> bool: ...
    @property
    def local(self) -> str: ...
    @property
    def kept_stale(self) -> bool: ...


class End(NamedTuple):
    prefix: str
    not_after: str


class Region(NamedTuple):
    """`endpoints` are (protocol, port) pairs, sorted, as text and number; the port is 0 where there is none."""

    first: int
    length: int
    version: int
    endpoints: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Head:
    """Which edition it is, of each stream: role, session, sequence, digest. `now` is when it is rendered."""

    streams: tuple[tuple[str, str, int, str], ...]
    now: dt.datetime

    def as_json(self) -> dict[str, Any]:
        return {
            role: {"session": session, "sequence": sequence, "digest": digest}
            for role, session, sequence, digest in self.streams
        }

    @property
    def lines(self) -> Iterator[str]:
        """For the comments of a file: what it is for, under which terms, and which edition."""
        yield f"rahdari: {PURPOSE}"
        yield "an address that is not here is not suspect for that"
        yield f"terms of the feed: SHA-256 {TERMS}"
        for role, session, sequence, _ in self.streams:
            yield f"{role} {sequence} of session {session[:8]}"

    @property
    def rendered_at(self) -> str:
        return time_text(self.now)


type Options = Mapping[str, Any]


class Option(NamedTuple):
    """A setting of a target of this kind. A text must fit `pattern`: it becomes part of what a device reads."""

    default: Any
    help: str
    pattern: str = r"[A-Za-z][A-Za-z0-9_-]{0,62}"

    def problem(self, value: Any) -> str:
        if isinstance(value, str) and not re.fullmatch(self.pattern, value, re.ASCII):
            return f"is not as it must be: {self.help}."
        if isinstance(value, int) and value < 1:
            return "must be 1 or more."
        return ""


class Renderer(ABC):
    """Subclass, give `kind`, `takes` and `render`, and put it into the registry (docs/devices/adding.md)."""

    kind: ClassVar[str]
    takes: ClassVar[Takes] = "prefixes"
    # What a device of this kind holds at most by what its maker says; None where there is no known limit.
    capacity: ClassVar[int | None] = None
    # Not written more often than this, unless the target says otherwise: for what costs much to write.
    every_seconds: ClassVar[int] = 0
    # Written anew after this time though nothing changed: for what fades at the device.
    renew_seconds: ClassVar[int | None] = None
    options: ClassVar[Mapping[str, Option]] = {}

    @property
    def knows_ports(self) -> bool:
        return self.takes in {"entries", "regions"}

    @abstractmethod
    def render(self, items: Iterable[Any], head: Head, options: Options) -> Iterator[str | bytes]:
        """The file, piece by piece."""


def named(default: str) -> Mapping[str, Option]:
    """The setting `list` of a device whose lists have names."""
    return {"list": Option(default, "name of the list on the device; 4 or 6 is added where a family has its own")}


def is_v6(prefix: str) -> bool:
    return ":" in prefix


def host(prefix: str) -> str:
    """A single address without its length, a prefix as it is."""
    return prefix.removesuffix("/128") if ":" in prefix else prefix.removesuffix("/32")
