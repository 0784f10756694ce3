"""What the rows come to: for each protocol and week one verdict. Pure.

A minute of a pair counts when a place outside saw both addresses answer in it; then a network inside that reached one
address alone says something. Of each pair there is one number: of how many in a thousand minutes the registered
address alone was reached, less those of the other alone, over all networks alike.

Had registration no effect, the coin that chose the registered address of each pair would have chosen the sign of its
number, and nothing else. So the chance is counted over all draws of the coins (a randomization test, Fisher 1935): it
holds whatever failures depend on each other, since no coin knew of them.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .plan import Plan

RULES_VERSION = 1


class Finding(StrEnum):
    DIFFERENCE = "difference"
    NO_DIFFERENCE = "no_difference"
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True)
class Needed:
    """`chance`: six protocols are judged in 52 weeks, 312 times a year; with a fifty-thousandth each there is one false
    alarm in 160 years. 20 pairs can show a chance of 2 in 2**20, so that some may go the other way. `least`, in
    thousandths: what is less is called no difference.
    """

    pairs: int = 20
    networks: int = 2
    minutes: int = 500
    chance: float = 2e-5
    least: int = 10


@dataclass
class Tally:
    """Of one pair in one network. Minutes that count, and those in which one address alone was reached."""

    minutes: int = 0
    registered_alone: int = 0
    other_alone: int = 0


type Tallies = Mapping[str, Mapping[str, Tally]]  # by pair and network


@dataclass(frozen=True)
class Judged:
    """`difference` in thousandths of the minutes: above 0 the registered addresses were reached more often. Of too few
    pairs neither it nor `chance` is computed."""

    finding: Finding
    pairs: int
    networks: int
    minutes: int
    difference: float | None = None
    chance: float | None = None


def judge(tallies: Tallies, needed: Needed = Needed()) -> Judged:
    """The verdict on one protocol in one week."""
    counted = {
        pair: enough
        for pair, of_networks in tallies.items()
        if len(enough := _enough(of_networks, needed)) >= needed.networks
    }
    networks = {network for of_networks in counted.values() for network in of_networks}
    minutes = sum(tally.minutes for of_networks in counted.values() for tally in of_networks.values())
    if len(counted) < needed.pairs:
        return Judged(Finding.NOT_ENOUGH, len(counted), len(networks), minutes)
    numbers = [_number(of_networks) for of_networks in counted.values()]
    mean, chance = sum(numbers) / len(numbers), chance_of(numbers)
    if abs(mean) < needed.least:
        finding = Finding.NO_DIFFERENCE
    else:
        finding = Finding.DIFFERENCE if chance <= needed.chance else Finding.NOT_ENOUGH
    return Judged(finding, len(counted), len(networks), minutes, round(mean, 1), chance)


def _enough(of_networks: Mapping[str, Tally], needed: Needed) -> dict[str, Tally]:
    return {network: tally for network, tally in of_networks.items() if tally.minutes >= needed.minutes}


def _number(of_networks: Mapping[str, Tally]) -> int:
    shares = [(tally.registered_alone - tally.other_alone) / tally.minutes for tally in of_networks.values()]
    return round(1000 * sum(shares) / len(shares))


def chance_of(numbers: Iterable[int]) -> float:
    """The share of all draws of the coins whose sum is at least as far from 0 as this one."""
    values = list(numbers)
    sums = Counter({0: 1})
    for value in values:
        after: Counter[int] = Counter()
        for total, ways in sums.items():
            after[total + value] += ways
            after[total - value] += ways
        sums = after
    seen = abs(sum(values))
    as_far: int = sum(ways for total, ways in sums.items() if abs(total) >= seen)
    return as_far / (1 << len(values))


def tallies(plan: Plan, registered: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> dict[Any, Tallies]:
    """By (week, protocol), as `judge` takes them. Rows of places, pairs or protocols that are not in the plan are left
    out; a minute that one place gives twice counts once, and of two places of one network one view.
    """
    up: set[tuple[str, str, str]] = set()
    seen: dict[tuple[str, str, str], dict[str, tuple[bool, bool]]] = defaultdict(dict)
    for row in rows:
        place, pair = plan.places.get(row["place"]), plan.pairs.get(row["pair"])
        if place is None or pair is None or row["pair"] not in registered or row["protocol"] not in pair.claims:
            continue
        key = (row["minute"], row["pair"], row["protocol"])
        if not place.outside:
            a, b = seen[key].get(place.network, (False, False))
            seen[key][place.network] = (a or row["a"], b or row["b"])
        elif row["a"] and row["b"]:
            up.add(key)
    found: dict[Any, dict[str, dict[str, Tally]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(Tally)))
    for key in up:
        minute, name, protocol = key
        for network, sides in seen.get(key, {}).items():
            tally = found[week_of(minute), protocol][name][network]
            a, b = sides if registered[name] == "a" else sides[::-1]
            tally.minutes += 1
            tally.registered_alone += a and not b
            tally.other_alone += b and not a
    return dict(found)


def week_of(minute: str) -> str:
    """The ISO week, as in 2026-W48."""
    year, week, _ = dt.datetime.fromisoformat(minute).isocalendar()
    return f"{year}-W{week:02}"
