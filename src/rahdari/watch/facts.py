"""What was seen of one endpoint in one minute, apart from what it means. Pure.

Facts are plain data both ways (`as_data`, `facts_from`): what is kept of them is enough to judge them again. They name
no endpoint and no holder. Times are those of the register's clock, unless they say otherwise.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from rahdari.probe.outcome import Outcome


class Side(StrEnum):
    """From where it was looked."""

    OUTSIDE = "outside"  # a vantage in a network that is not the operator's
    INSIDE = "inside"  # a vantage in the operator's own network
    HOLDER = "holder"  # the holder's agent, beside the server


# Somebody answers, by the protocol.
REACHED = frozenset({Outcome.PROVED, Outcome.ANSWERED})


@dataclass(frozen=True)
class Usual:
    """What is usual at one endpoint from one place: of how many looks, the median and the 95th of 100 in milliseconds,
    and the packets or connections that it took."""

    looks: int
    median_ms: int
    high_ms: int
    sent: int


@dataclass(frozen=True)
class Look:
    """What one place saw.

    `network` is an AS number like "AS64496". `outcome` is empty for a place that said nothing usable. `control` is what
    the same place saw of our control endpoint in the same minute: empty if it did not look; for the holder's agent it
    is the way out of their network. `in_a_row` counts the looks from there that came to the same, this one included.
    `clock` is what the place's own clock said at `at`.
    """

    place: str
    network: str
    side: Side
    outcome: Outcome | None
    at: dt.datetime
    received_at: dt.datetime
    control: Outcome | None = None
    latency_ms: int = 0
    sent: int = 0
    in_a_row: int = 1
    clock: dt.datetime | None = None
    usual: Usual | None = None

    @property
    def reached(self) -> bool:
        return self.outcome in REACHED

    @property
    def control_worked(self) -> bool:
        return self.control in REACHED

    def as_data(self) -> dict[str, Any]:
        """Plain data for a record."""
        return {
            "place": self.place,
            "network": self.network,
            "side": self.side.value,
            "outcome": self.outcome.value if self.outcome is not None else None,
            "at": _time(self.at),
            "received_at": _time(self.received_at),
            "control": self.control.value if self.control is not None else None,
            "latency_ms": self.latency_ms,
            "sent": self.sent,
            "in_a_row": self.in_a_row,
            "clock": _time(self.clock) if self.clock is not None else None,
            "usual": asdict(self.usual) if self.usual is not None else None,
        }


class Neighbours(NamedTuple):
    """How it stands with other holders' endpoints at one operator in the same minute, as the networks outside see them.

    Counted are holders, each once, so that one holder's fifty servers are one. `began` are those not reached who
    stopped in the same minutes as this one; `alive` are those of `began` whose server was seen alive from inside or by
    its own agent, `dead` those whose server was seen not to answer there.
    """

    reached: int = 0
    failed: int = 0
    began: int = 0
    alive: int = 0
    dead: int = 0

    @property
    def holders(self) -> int:
        return self.reached + self.failed


NOBODY = Neighbours()


@dataclass(frozen=True)
class Facts:
    """All that is known of one endpoint in the minute from `at` on.

    `networks` are the operator's. `same_operator` are the neighbours there, `others` those at each other operator that
    has any. `applied` is the last edition that the operator's network is known to have applied, and `listed` the
    edition from which on the endpoint stands in its list: evidence, of which no verdict is made.
    """

    at: dt.datetime
    networks: tuple[str, ...]
    looks: tuple[Look, ...]
    same_operator: Neighbours = NOBODY
    others: tuple[Neighbours, ...] = ()
    applied: int | None = None
    listed: int | None = None

    def as_data(self) -> dict[str, Any]:
        """Plain data, the same for the same facts in whatever order they came."""
        return {
            "at": _time(self.at),
            "networks": sorted(self.networks),
            "looks": sorted((look.as_data() for look in self.looks), key=as_bytes),
            "same_operator": list(self.same_operator),
            "others": sorted(list(each) for each in self.others),
            "applied": self.applied,
            "listed": self.listed,
        }


def facts_from(data: Mapping[str, Any]) -> Facts:
    """What `as_data` gave. Raises ValueError, KeyError or TypeError for anything else."""
    return Facts(
        at=_read_time(data["at"]),
        networks=tuple(data["networks"]),
        looks=tuple(_look_from(each) for each in data["looks"]),
        same_operator=Neighbours(*data["same_operator"]),
        others=tuple(Neighbours(*each) for each in data["others"]),
        applied=data["applied"],
        listed=data["listed"],
    )


def as_bytes(data: Any) -> bytes:
    """Plain data, always in the same bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _look_from(data: Mapping[str, Any]) -> Look:
    return Look(
        place=data["place"],
        network=data["network"],
        side=Side(data["side"]),
        outcome=Outcome(data["outcome"]) if data["outcome"] is not None else None,
        at=_read_time(data["at"]),
        received_at=_read_time(data["received_at"]),
        control=Outcome(data["control"]) if data["control"] is not None else None,
        latency_ms=data["latency_ms"],
        sent=data["sent"],
        in_a_row=data["in_a_row"],
        clock=_read_time(data["clock"]) if data["clock"] is not None else None,
        usual=Usual(**data["usual"]) if data["usual"] is not None else None,
    )


def _time(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
