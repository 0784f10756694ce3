"""A simulated country whose endpoints are measured: servers, what goes wrong with them, and what each place then sees.

Nothing is looked at: a fault says what a look comes to. What the looks are held against is the product's own judging.
"""

import datetime as dt
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rahdari.probe.outcome import Outcome
from rahdari.watch.facts import Facts, Look, Side, Usual
from rahdari.watch.neighbours import Neighbourhood, Standing
from rahdari.watch.verdicts import State, Verdict, judge

ROUND = dt.timedelta(minutes=5)
OPERATORS = ("AS64500", "AS64501", "AS64502")
# Two of them foreign, behind the country's gateway.
OUTSIDE = (("outside-1", "AS64600"), ("outside-2", "AS64601"), ("neighbour-1", "AS64602"))
FOREIGN = ("AS64600", "AS64601")
INSIDE = (("inside-1", "AS64500"), ("inside-2", "AS64501"))
DISTRICTS = 20
UP, SILENT, REFUSED = Outcome.PROVED, Outcome.SILENT, Outcome.REFUSED
USUAL = Usual(looks=500, median_ms=40, high_ms=60, sent=1)


class Kind(StrEnum):
    """What goes wrong, and what the right word for it is."""

    CRASHED = "daemon crashed"
    OFF = "server off"
    POWER = "power cut in a district"
    LINE = "holder's line down"
    FIREWALL = "holder's own firewall"
    OVERLOAD = "overload"
    ROUTE = "two routes to an operator lost"
    ONE_ROUTE = "one route to an operator lost"
    GATEWAY = "filter at the country's gateway"
    OUTAGE = "operator's outage"
    FILTER = "operator's filter, many"
    FILTER_ONE = "operator's filter, one address"
    FILTER_WITHIN = "operator's filter within its network"
    OURS = "our own network cut"
    VANTAGE_OFF = "one vantage off"
    LIAR = "one vantage lies"

    @property
    def right(self) -> State:
        return _RIGHT.get(self, State.SERVER_DOWN)


_RIGHT = {
    Kind.FIREWALL: State.PATH_BLOCKED,
    Kind.OVERLOAD: State.IMPAIRED,
    Kind.ROUTE: State.PATH_BLOCKED,
    Kind.GATEWAY: State.PATH_BLOCKED,
    Kind.OUTAGE: State.THIS_OPERATOR,
    Kind.FILTER: State.THIS_OPERATOR,
    Kind.FILTER_ONE: State.THIS_OPERATOR,
    Kind.FILTER_WITHIN: State.THIS_OPERATOR,
    Kind.OURS: State.NOT_ENOUGH,
    Kind.ONE_ROUTE: State.IN_ORDER,
    Kind.VANTAGE_OFF: State.IN_ORDER,
    Kind.LIAR: State.IN_ORDER,
}
# Of several at once the first says what is right.
ORDER = (
    *(Kind.OURS, Kind.OUTAGE, Kind.FILTER_WITHIN),
    *(Kind.CRASHED, Kind.OFF, Kind.POWER, Kind.LINE, Kind.FIREWALL),
    *(
        Kind.FILTER,
        Kind.FILTER_ONE,
        Kind.GATEWAY,
        Kind.ROUTE,
        Kind.OVERLOAD,
        Kind.ONE_ROUTE,
        Kind.LIAR,
        Kind.VANTAGE_OFF,
    ),
)
AT_THE_SERVER = frozenset({Kind.CRASHED, Kind.OFF, Kind.POWER, Kind.LINE, Kind.FIREWALL})


@dataclass(eq=False)
class Server:
    operator: str
    holder: int
    district: int
    # An agent beside it, and whether that goes down with the server.
    agent: bool
    agent_on_it: bool


@dataclass(eq=False)
class Fault:
    """From round `begins` on, before round `ends`. `servers` are those that it touches; empty: all. `networks` are
    those outside that it touches."""

    kind: Kind
    begins: int
    ends: int
    servers: frozenset[Server] = frozenset()
    networks: frozenset[str] = frozenset()

    def touches(self, server: Server) -> bool:
        return not self.servers or server in self.servers


@dataclass
class Country:
    """`lost`: the share of looks that come to nothing though nothing is wrong."""

    servers: Sequence[Server]
    chance: random.Random
    lost: float = 0.002
    standings: dict[int, Standing] = field(default_factory=dict)
    before: dict[tuple[int, str], tuple[Outcome | None, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for server in self.servers:
            self.standings[id(server)] = Standing(server.operator, server.holder, reached=True)

    def look(self, servers: Iterable[Server], faults: Sequence[Fault], round: int) -> Iterator[tuple[Server, Verdict]]:
        """One round: what each of these servers' looks come to, beside all that stood before."""
        at = START + round * ROUND
        seen = []
        for server in servers:
            looks = tuple(self._in_a_row(server, each) for each in self._looks(server, faults, at))
            facts = Facts(at, (server.operator,), looks)
            verdict = judge(facts)
            self.standings[id(server)].take(verdict, at)
            seen.append((server, facts, verdict))
        around = Neighbourhood(self.standings.values())
        for server, facts, verdict in seen:
            if len(verdict.failed) >= 2:
                verdict = judge(around.beside(facts, self.standings[id(server)]))
                self.standings[id(server)].take(verdict, at)
            yield server, verdict

    def _in_a_row(self, server: Server, look: Look) -> Look:
        outcome, count = self.before.get((id(server), look.place), (look.outcome, 0))
        count = count + 1 if outcome is look.outcome else 1
        self.before[id(server), look.place] = look.outcome, count
        return replace(look, in_a_row=count)

    def _looks(self, server: Server, faults: Sequence[Fault], at: dt.datetime) -> Iterator[Look]:
        mine = {fault.kind: fault for fault in faults if fault.touches(server)}
        for place, network in (*OUTSIDE, *((p, n) for p, n in INSIDE if n == server.operator)):
            side = Side.INSIDE if network == server.operator else Side.OUTSIDE
            yield self.look_from(place, network, side, mine, at)
        if server.agent and not self.agent_is_cut(server, mine):
            outcome = self.beside(mine)
            yield Look("agent", server.operator, Side.HOLDER, outcome, at, at, control=UP, latency_ms=1, sent=1)

    def look_from(self, place: str, network: str, side: Side, mine: dict[Kind, Fault], at: dt.datetime) -> Look:
        outcome, latency, control = UP, max(1, round(self.chance.gauss(40, 6))), UP
        if Kind.OVERLOAD in mine:
            latency *= 6
        if Kind.CRASHED in mine:
            outcome = REFUSED
        elif (
            mine.keys() & AT_THE_SERVER
            or self.chance.random() < self.lost
            or mine.keys() & {Kind.OUTAGE, Kind.FILTER_WITHIN}
            or self._is_lost(network, side, mine)
        ):
            outcome = SILENT
        if Kind.OURS in mine or (Kind.OUTAGE in mine and side is Side.INSIDE):
            control = SILENT
        answer: Outcome | None = outcome
        if (liar := mine.get(Kind.LIAR)) is not None and network in liar.networks:
            answer = SILENT if outcome is UP else UP
        if (off := mine.get(Kind.VANTAGE_OFF)) is not None and network in off.networks:
            return Look(place, network, side, None, at, at)
        return Look(place, network, side, answer, at, at, control, latency, 1, clock=at, usual=USUAL)

    def _is_lost(self, network: str, side: Side, mine: dict[Kind, Fault]) -> bool:
        if side is Side.INSIDE:
            return False
        if mine.keys() & {Kind.FILTER, Kind.FILTER_ONE} or (Kind.GATEWAY in mine and network in FOREIGN):
            return True
        return any(network in mine[kind].networks for kind in (Kind.ROUTE, Kind.ONE_ROUTE) if kind in mine)

    @staticmethod
    def agent_is_cut(server: Server, mine: dict[Kind, Fault]) -> bool:
        """What it says would come too late."""
        if mine.keys() & {Kind.POWER, Kind.LINE, Kind.OUTAGE, Kind.OURS}:
            return True
        return Kind.OFF in mine and server.agent_on_it

    @staticmethod
    def beside(mine: dict[Kind, Fault]) -> Outcome:
        return REFUSED if Kind.CRASHED in mine else SILENT if Kind.OFF in mine else UP


START = dt.datetime(2024, 11, 1, tzinfo=dt.UTC)


def country(endpoints: int, chance: random.Random, *, agents: float = 0.3, lost: float = 0.002) -> Country:
    """Three operators, the third in a region: six of ten of its servers stand in one district. Some holders have
    many."""
    servers: list[Server] = []
    holders = 0
    while len(servers) < endpoints:
        holders += 1
        operator = chance.choices(OPERATORS, (5, 3, 2))[0]
        for _ in range(chance.choices((1, 2, 5, 25), (85, 10, 4, 1))[0]):
            district = 0 if operator == OPERATORS[2] and chance.random() < 0.6 else chance.randrange(DISTRICTS)
            servers.append(Server(operator, holders, district, chance.random() < agents, chance.random() < 0.5))
    return Country(servers[:endpoints], chance, lost)


def right_for(server: Server, faults: Sequence[Fault]) -> tuple[Kind | None, State]:
    """What is wrong with it, and the right word."""
    mine = [fault.kind for fault in faults if fault.touches(server)]
    kind = min(mine, key=ORDER.index, default=None)
    return kind, kind.right if kind is not None else State.IN_ORDER
