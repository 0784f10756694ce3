"""The run of `bench/difference`."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench import measure
from rahdari.difference.judging import Finding, Judged, Tally, judge

PAIRS, NETWORKS, PROTOCOLS, WEEKS = 20, 3, 6, 52
MINUTES = 7 * 24 * 60
YEARS, QUICK = 10, 1


@dataclass(frozen=True)
class Country:
    """`lost`: the share of the minutes of addresses that are not registered; `networks`: how many of them block."""

    name: str
    lost: float = 0.0
    networks: int = NETWORKS
    # A week: how often the route to one address breaks in one network, and for how many minutes on average.
    breaks: float = 0.3
    broken_for: float = 180.0


COUNTRIES = (
    Country("treats all alike"),
    Country("treats all alike, routes break ten times as often", breaks=3.0),
    Country("blocks the others in all networks", lost=0.98),
    Country("blocks the others in one network of three", lost=0.98, networks=1),
    Country("loses a tenth of the others' minutes", lost=0.10),
    Country("loses a hundredth of the others' minutes", lost=0.01),
)


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--years", type=int, help=f"so many years without a difference ({YEARS})")
    given = parser.parse_args()
    years = given.years or (QUICK if given.quick else YEARS)
    conditions = measure.conditions()
    rows = [row(country, years if not country.lost else 1, seed=1) for country in COUNTRIES]
    measure.report(rows, given=given, about=conditions, experiment="difference")


def row(country: Country, years: int, *, seed: int) -> dict[str, Any]:
    found = list(verdicts(country, weeks=WEEKS * years, chance=random.Random(seed)))
    first = [next((week for week, one in enumerate(each, 1) if one.finding is Finding.DIFFERENCE), 0) for each in found]
    flat = [one.finding for each in found for one in each]
    return {
        "country": country.name,
        "verdicts": len(flat),
        **{each.value.replace("_", " "): flat.count(each) for each in Finding},
        "first in week": max(first) if all(first) else None,
    }


def verdicts(country: Country, *, weeks: int, chance: random.Random) -> Iterator[list[Judged]]:
    """For each protocol its verdicts, week by week."""
    for _ in range(PROTOCOLS):
        yield [judge(a_week(country, chance)) for _ in range(weeks)]


def a_week(country: Country, chance: random.Random) -> dict[str, dict[str, Tally]]:
    """Of each pair in each network the minutes in which one address alone was reached."""
    return {
        f"p{pair}": {f"n{network}": _tally(country, network, chance) for network in range(NETWORKS)}
        for pair in range(PAIRS)
    }


def _tally(country: Country, network: int, chance: random.Random) -> Tally:
    # Servers that are down, and places that are, take minutes from both.
    minutes = MINUTES - chance.randrange(MINUTES // 4)
    alone = [chance.binomialvariate(minutes, 0.002) + _broken(country, chance, minutes) for _ in range(2)]
    if network < country.networks and country.lost:
        alone[0] += chance.binomialvariate(minutes - alone[0], country.lost)
    return Tally(minutes, registered_alone=min(alone[0], minutes), other_alone=min(alone[1], minutes))


def _broken(country: Country, chance: random.Random, minutes: int) -> int:
    """Minutes in which no route leads to one address of a pair."""
    times = chance.binomialvariate(20, country.breaks / 20)
    return min(minutes, round(sum(chance.expovariate(1 / country.broken_for) for _ in range(times))))
