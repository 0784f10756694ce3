"""The run of `bench/continuity`."""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import desk_run, measure
from bench.country import (
    DISTRICTS,
    FOREIGN,
    OPERATORS,
    OUTSIDE,
    Country,
    Fault,
    Kind,
    Server,
    country,
    right_for,
)
from rahdari.watch.verdicts import RULES_VERSION, State

ENDPOINTS = 500
A_DAY = 288
PAGE = measure.ROOT / "docs" / "continuity.md"
FIGURES, TRIAL = "<!-- figures: bench/continuity --docs -->\n", "<!-- figures: bench/continuity --trial --docs -->\n"
ENDS = "<!-- end of figures -->\n"

# How often each goes wrong, and for how many rounds on average. Of a server in a year; then of a district; then of an
# operator or a route; then of all.
YEAR: dict[Kind, tuple[float, float]] = {
    Kind.CRASHED: (6, 8),
    Kind.OFF: (4, 40),
    Kind.LINE: (6, 15),
    Kind.FIREWALL: (0.25, 100),
    Kind.OVERLOAD: (12, 12),
    Kind.POWER: (50, 15),
    Kind.ROUTE: (6, 12),
    Kind.ONE_ROUTE: (12, 12),
    Kind.OUTAGE: (4, 12),
    Kind.FILTER: (2, 60),
    Kind.FILTER_ONE: (4, 50),
    Kind.FILTER_WITHIN: (1, 50),
    Kind.GATEWAY: (2, 40),
    Kind.OURS: (6, 6),
    Kind.VANTAGE_OFF: (50, 40),
    Kind.LIAR: (12, 60),
}
OF_A_SERVER = (Kind.CRASHED, Kind.OFF, Kind.LINE, Kind.FIREWALL, Kind.OVERLOAD)
OF_AN_OPERATOR = (Kind.ROUTE, Kind.ONE_ROUTE, Kind.OUTAGE, Kind.FILTER, Kind.FILTER_ONE, Kind.FILTER_WITHIN)


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/continuity.md")
    parser.add_argument("--trial", action="store_true", help="play 10 November 2024 through the product, and no more")
    given = parser.parse_args()
    conditions = measure.conditions()
    if given.trial:
        rows = trial(120 if given.quick else ENDPOINTS)
        measure.report(rows, given=given, about=conditions, experiment="trial")
        if given.docs:
            made = f"with version {RULES_VERSION} of the rules, {conditions['date']}"
            told = f"Made by `bench/continuity --trial --docs` {made}. Where an endpoint stands in a round is chance."
            between(TRIAL, [told, "", *_table(rows), ""])
        return
    failed = failures(1_000 if given.quick else 10_000, seed=1)
    replayed = [replay(form, seed=1) for form in FORMS]
    days = 14 if given.quick else 365
    matrix = year(days, seed=1)
    rows = [*({"part": "failures of servers", **row} for row in table(failed))]
    rows += [{"part": "10 November 2024", **row} for row in replayed]
    rows += [{"part": f"{days} days", **row} for row in table(matrix)]
    measure.report(rows, given=given, about=conditions, experiment="continuity")
    if given.docs:
        write(conditions, failed, replayed, matrix, days)


# -- ten thousand failures of servers --------------------------------------------------------------------------------


def failures(count: int, *, seed: int, endpoints: int = ENDPOINTS) -> Counter[tuple[Kind | None, State]]:
    """So many servers that fail, each judged in three rounds beside whatever else goes wrong: kind and state."""
    chance = random.Random(seed)
    land = country(endpoints, chance)
    found: Counter[tuple[Kind | None, State]] = Counter()
    round, failed = 0, 0
    while failed < count:
        mine = _failure(land, round, chance)
        faults = [mine, *_meanwhile(land, round, chance)]
        touched = list(mine.servers)
        also = {server for fault in faults for server in fault.servers} - mine.servers
        for n in range(3):
            for server, verdict in land.look([*touched, *also], faults, round + n):
                if server in mine.servers:
                    found[mine.kind, verdict.state] += 1
        failed += len(touched)
        # All is well again, and long enough for nobody to have stopped with the next.
        round += 10
        list(land.look([*touched, *also], [], round))
    return found


def _failure(land: Country, round: int, chance: random.Random) -> Fault:
    kind = chance.choices((Kind.CRASHED, Kind.OFF, Kind.LINE, Kind.FIREWALL, Kind.POWER), (30, 30, 25, 12, 3))[0]
    servers = {chance.choice(land.servers)}
    if kind is Kind.POWER:
        district = chance.randrange(DISTRICTS)
        servers = {server for server in land.servers if server.district == district}
    elif chance.random() < 0.1:
        # All of a holder at once: one site.
        one = next(iter(servers))
        servers = {server for server in land.servers if server.holder == one.holder}
    return Fault(kind, round, round + 3, frozenset(servers))


def _meanwhile(land: Country, round: int, chance: random.Random) -> Iterator[Fault]:
    for kind in (Kind.CRASHED, Kind.OFF, Kind.FIREWALL, Kind.LINE):
        yield Fault(kind, round, round + 3, frozenset(chance.sample(land.servers, chance.randrange(4) + 1)))
    _place, network = chance.choice(OUTSIDE)
    if (kind := chance.choice((None, None, Kind.VANTAGE_OFF, Kind.LIAR))) is not None:
        yield Fault(kind, round, round + 3, networks=frozenset({network}))


# -- the six hours ---------------------------------------------------------------------------------------------------

FORMS = {
    "at one operator": (OPERATORS[:1], Kind.FILTER),
    "at two operators of three": (OPERATORS[:2], Kind.FILTER),
    "at the country's gateway": (OPERATORS, Kind.GATEWAY),
}


def replay(form: str, *, seed: int, endpoints: int = ENDPOINTS, hours: int = 6) -> dict[str, Any]:
    """16:00 to 22:00, a round every five minutes: half of the endpoints of these operators are cut; others fail too.

    Found: the round in which half of those that can be named are named rightly. To be named, the cause needs a sign of
    life from inside: a vantage there or an agent.
    """
    chance = random.Random(seed)
    operators, kind = FORMS[form]
    land = country(endpoints, chance)
    cut = frozenset(each for each in land.servers if each.operator in operators and chance.random() < 0.5)
    begins, ends = 16 * 12, (16 + hours) * 12
    trial = Fault(kind, begins, ends, cut)
    seen = [each for each in cut if each.agent or each.operator in OPERATORS[:2]]
    found, closed, wrong = 0, 0, 0
    named: Counter[bool] = Counter()
    background: list[Fault] = []
    for round in range(begins - 6, ends + 12):
        background = [each for each in background if each.ends > round]
        for _ in range(chance.choices((0, 1), (7, 3))[0]):
            fails = chance.choice((Kind.CRASHED, Kind.OFF, Kind.LINE, Kind.FIREWALL))
            background.append(
                Fault(fails, round, round + chance.randrange(4, 40), frozenset({chance.choice(land.servers)}))
            )
        faults = [*background, *([trial] if begins <= round < ends else [])]
        said = dict(land.look(land.servers, faults, round))
        alone = {server for fault in background for server in fault.servers}
        wrong += sum(
            said[each].state is State.THIS_OPERATOR for each in land.servers if each not in cut or kind is Kind.GATEWAY
        )
        right = [said[each].state is trial.kind.right for each in seen if each not in alone]
        if begins <= round < ends:
            if not found and sum(right) * 2 > len(right):
                found = round - begins + 1
            if found:
                named.update(right)
        elif round >= ends and not closed:
            still = [each for each in cut if each not in alone and said[each].state is State.THIS_OPERATOR]
            order = [said[each].state in (State.IN_ORDER, State.IMPAIRED) for each in cut if each not in alone]
            closed = round - ends + 1 if not still and all(order) else 0
    return {
        "form": form,
        "cut": len(cut),
        "found in round": found,
        "named rightly %": round_share(named[True], named.total()),
        "others named %": round_share(wrong, endpoints * (ends - begins + 18)),
        "closed in round": closed,
    }


def trial(endpoints: int) -> list[dict[str, str]]:
    """The same day through the product, in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as folder, desk_run.database(Path(folder)):
        from bench import trial

        with trial.networks():
            return trial.table(trial.Trial(endpoints=endpoints, seed=1).play())


def round_share(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


# -- a year ----------------------------------------------------------------------------------------------------------


def year(days: int, *, seed: int) -> Counter[tuple[Kind | None, State]]:
    """All that goes wrong in so many days, by rounds: what was wrong with an endpoint, and what was said. Of endpoints
    with which nothing is wrong one in fifty is looked at in each round."""
    chance = random.Random(seed)
    land = country(ENDPOINTS, chance)
    coming = sorted(_of_days(land, days, chance), key=lambda fault: fault.begins)
    found: Counter[tuple[Kind | None, State]] = Counter()
    active: list[Fault] = []
    left: set[Server] = set()
    for round in range(days * A_DAY):
        over = [fault for fault in active if fault.ends <= round]
        left |= {server for fault in over for server in fault.servers}
        active = [fault for fault in active if fault.ends > round]
        while coming and coming[0].begins <= round:
            active.append(coming.pop(0))
        touched = {server for fault in active for server in fault.servers}
        looked = touched | left | set(chance.sample(land.servers, ENDPOINTS // 50))
        left = set()
        for server, verdict in land.look(looked, active, round):
            found[right_for(server, active)[0], verdict.state] += 1
    return found


def _of_days(land: Country, days: int, chance: random.Random) -> Iterator[Fault]:
    rounds = days * A_DAY
    for kind, (often, length) in YEAR.items():
        for servers, networks in _whom(kind, land, chance):
            at = 0.0
            while (at := at + chance.expovariate(often / (365 * A_DAY))) < rounds:
                lasts = 1 + int(chance.expovariate(1 / length))
                touched = (
                    servers
                    if kind is not Kind.FILTER_ONE
                    else frozenset({chance.choice(sorted(servers, key=land.servers.index))})
                )
                if kind is Kind.FILTER:
                    touched = frozenset(each for each in servers if chance.random() < 0.4)
                if kind in (Kind.LIAR, Kind.VANTAGE_OFF):
                    networks = frozenset({chance.choice(OUTSIDE)[1]})
                yield Fault(kind, int(at), int(at) + lasts, touched, networks)


def _whom(kind: Kind, land: Country, chance: random.Random) -> Iterator[tuple[frozenset[Server], frozenset[str]]]:
    nobody: frozenset[str] = frozenset()
    if kind in OF_A_SERVER:
        yield from ((frozenset({server}), nobody) for server in land.servers)
    elif kind is Kind.POWER:
        for district in range(DISTRICTS):
            yield frozenset(each for each in land.servers if each.district == district), nobody
    elif kind in OF_AN_OPERATOR:
        for operator in OPERATORS:
            networks = frozenset(FOREIGN[: 1 if kind is Kind.ONE_ROUTE else 2])
            yield frozenset(each for each in land.servers if each.operator == operator), networks
    else:
        yield frozenset(land.servers) if kind in (Kind.GATEWAY, Kind.OURS) else frozenset(), nobody


# -- the page --------------------------------------------------------------------------------------------------------


def table(found: Counter[tuple[Kind | None, State]]) -> list[dict[str, Any]]:
    """A row for each kind: how many looks, and the state of each in per cent."""
    rows = []
    for kind in (*Kind, None):
        of_kind = {state: found[kind, state] for state in State}
        if not (whole := sum(of_kind.values())):
            continue
        name = kind.value if kind is not None else "nothing"
        right = kind.right if kind is not None else State.IN_ORDER
        shares = {state.value.replace("_", " "): round_share(count, whole) for state, count in of_kind.items()}
        rows.append({"wrong": name, "right": right.value.replace("_", " "), "looks": whole, **shares})
    return rows


def write(
    conditions: dict[str, Any],
    failed: Counter[tuple[Kind | None, State]],
    replayed: Sequence[dict[str, Any]],
    matrix: Counter[tuple[Kind | None, State]],
    days: int,
) -> None:
    accused = sum(count for (_, state), count in failed.items() if state is State.THIS_OPERATOR)
    parts = [
        f"Made by `bench/continuity --docs`, {_of(conditions)}; {ENDPOINTS} endpoints at {len(OPERATORS)} operators, "
        "two of which run a vantage inside; three vantages outside, two of them foreign; three endpoints of ten have "
        "an agent; one look of 500 is lost though nothing is wrong. The same seed gives the same figures.",
        "",
        f"**Servers that fail**: {failed.total():,} looks at {failed.total() // 3:,} failures, each beside others, an "
        f"absent or a lying vantage; called `this_operator`: **{accused}**.",
        "",
        *_table(table(failed)),
        "",
        "**10 November 2024**, 16:00 to 22:00, half of the endpoints cut, one round every five minutes:",
        "",
        *_table(replayed),
        "",
        f"**{days} days** of ordinary failures, in per cent of the looks at endpoints with which that was wrong:",
        "",
        *_table(table(matrix)),
        "",
    ]
    between(FIGURES, parts)


def between(begins: str, lines: Sequence[str]) -> None:
    head, rest = PAGE.read_text(encoding="utf-8").split(begins)
    kept = rest.partition(ENDS)[2]
    PAGE.write_text(head + begins + "\n".join(lines) + ENDS + kept, encoding="utf-8")


def _of(conditions: dict[str, Any]) -> str:
    return (
        f"with version {RULES_VERSION} of the rules, commit {conditions['commit']}, Python {conditions['python']}, "
        f"{conditions['date']}"
    )


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return lines + ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows]
