"""The six hours of 10 November 2024, played through the product: simulated endpoints are measured, and everything else
is its own acts, rows and clocks. Time is given, and never waited for.

    story = Trial(endpoints=500, seed=1).play()      # in a database that is migrated and empty
    table(story)

What a place sees comes from `bench.country`; from there on it is the product: rounds of `watch`, steps of the workflow
each minute, incidents, letters, announced work, the public page.
"""

import csv
import datetime as dt
import ipaddress
import random
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import time_machine
from django.test import Client
from django.urls import reverse

from bench.country import INSIDE, OPERATORS, OUTSIDE, UP, Country, Fault, Kind, Server, country
from rahdari import workflow
from rahdari.address import directory
from rahdari.incident import answering, published
from rahdari.incident import queries as incidents
from rahdari.incident.models import Happening, Incident
from rahdari.incident.published import Published
from rahdari.incident.rules import Reason as Cause
from rahdari.letters.models import Letter
from rahdari.maintenance import actions as maintenance
from rahdari.maintenance.rules import Component, Impact, Plan, Reason
from rahdari.people import actions as people
from rahdari.people.models import Role
from rahdari.probe import Answered, Attempt, HttpClaim, ProbeAnswer, TlsClaim
from rahdari.publish import actions as publishing
from rahdari.publish import queries as operators
from rahdari.publish.models import Operator
from rahdari.register import actions as register
from rahdari.register import queries as registered
from rahdari.register.rules import NewEntry
from rahdari.watch import consents, reports
from rahdari.watch.facts import Side
from rahdari.watch.models import Consent
from rahdari.watch.rounds import Place, Rounds
from rahdari.watch.verdicts import State

ACTOR = "system:trial"
# Of the workflow those that are about what is cut and what is announced. All others have nothing to do that day.
STEPS = [step for step in workflow.STEPS if re.search("watch|incidents|maintenance", step.name)]
ZONE = dt.timezone(dt.timedelta(hours=5))
DAY = dt.date(2024, 11, 10)
MINUTE, ROUND = dt.timedelta(minutes=1), dt.timedelta(minutes=5)
NAMES = dict(zip(OPERATORS, ("Sample Fibre", "Example Broadband", "Placeholder Net"), strict=True))
CONTROL = Attempt(ipaddress.ip_address("198.51.100.250"), HttpClaim(line="rahdari-control"))


def at(hour: int, minute: int = 0) -> dt.datetime:
    """A time of that day, as clocks in Karachi have it."""
    return dt.datetime.combine(DAY, dt.time(hour, minute), ZONE)


def asn_of(operator: Operator) -> str:
    return f"AS{operator.asns[0]}"


def block_of(asn: str) -> int:
    return OPERATORS.index(asn) + 1


BEGINS, ENDS = at(16), at(22)
# One operator is silent all the time. The other answers three hours late, and says at the end that it is over.
SILENT, ANSWERS = OPERATORS[0], OPERATORS[1]
ANSWERED, CLAIMED = at(19, 30), at(22, 2)
# The third one is not of the trial: it announced a week before that it works on its lines that evening.
ANNOUNCED, WINDOW, WORKS = OPERATORS[2], (at(19), at(20)), (at(19, 10), at(19, 40))


@dataclass(frozen=True)
class Seen:
    """Of so many that are cut and have no fault of their own, so many are called cut by their operator."""

    at: dt.datetime
    right: int
    of: int


@dataclass
class Story:
    """`others`: how often anybody else than who was cut was called so by an operator."""

    endpoints: int = 0
    holders: int = 0
    cut: Counter[str] = field(default_factory=Counter)
    rounds: list[Seen] = field(default_factory=list)
    others: int = 0
    incidents: list[Incident] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    letters: Counter[str] = field(default_factory=Counter)
    page: str = ""
    days: list[dict[str, str]] = field(default_factory=list)

    @property
    def found_in_round(self) -> int:
        """The round after which half of them were named rightly; 0: none."""
        return next((number for number, seen in enumerate(self._cut) if 2 * seen.right > seen.of), 0)

    @property
    def named_rightly(self) -> float:
        """In per cent, from then on."""
        seen = self._cut[self.found_in_round :]
        return round(100 * sum(each.right for each in seen) / sum(each.of for each in seen), 2)

    @property
    def _cut(self) -> list[Seen]:
        return [each for each in self.rounds if BEGINS <= each.at <= ENDS]

    def main(self, asn: str) -> Incident:
        """The one of the trial at this operator: the first."""
        return next(each for each in self.incidents if each.operator is not None and asn_of(each.operator) == asn)

    def happened(self, incident: Incident, act: str) -> list[dt.datetime]:
        found = Happening.objects.filter(incident=incident, act=act).order_by("at", "id")
        return [each.astimezone(ZONE) for each in found.values_list("at", flat=True)]


class Trial:
    """The country, registered and measured. `land` says what a look comes to."""

    def __init__(self, *, endpoints: int, seed: int, lost: float = 0.002) -> None:
        chance = random.Random(seed)
        self.seed, self.land = seed, country(endpoints, chance, lost=lost)
        self.cut = {each for each in self.land.servers if each.operator in (SILENT, ANSWERS) and chance.random() < 0.5}
        self.faults = [(BEGINS, ENDS, Fault(Kind.FILTER, 0, 0, frozenset(self.cut))), *self._ordinary(chance)]
        self.now = BEGINS - 9 * dt.timedelta(days=1)
        self.servers: dict[str, Server] = {}
        self.consents: dict[Server, Consent] = {}
        self.story = Story(endpoints=endpoints)

    def _ordinary(self, chance: random.Random) -> Iterator[tuple[dt.datetime, dt.datetime, Fault]]:
        """Servers that fail for reasons of their own, one in a quarter of an hour; some never come back."""
        for quarter in range(int((ENDS - BEGINS) / (3 * ROUND))):
            begins = BEGINS + quarter * 3 * ROUND + chance.randrange(15) * MINUTE
            kind = chance.choice((Kind.CRASHED, Kind.OFF, Kind.LINE))
            yield (
                begins,
                begins + chance.randrange(20, 400) * MINUTE,
                Fault(kind, 0, 0, frozenset({chance.choice(self.land.servers)})),
            )

    # -- what is there before ------------------------------------------------------------------------------------

    def enter(self) -> None:
        for asn in OPERATORS:
            slug = NAMES[asn].lower().replace(" ", "-")
            publishing.create_operator(slug=slug, name=NAMES[asn], asns=[int(asn[2:])], now=self.now)
            self._appoint(f"noc@{slug}.example", Role.OPERATOR, operator=slug)
        self._appoint("supervisor@authority.example", Role.SUPERVISOR)
        by_holder: dict[int, list[Server]] = {}
        for number, server in enumerate(self.land.servers):
            by_holder.setdefault(server.holder, []).append(server)
            self.servers[f"2001:db8:{block_of(server.operator)}::{number + 1:x}"] = server
        addresses = {server: address for address, server in self.servers.items()}
        for number, servers in by_holder.items():
            self._register(number, [(each, addresses[each]) for each in servers])
        self.story.holders = len(by_holder)
        self.story.cut = Counter(each.operator for each in self.cut)

    def _appoint(self, email: str, role: str, **where: str) -> None:
        user = people.register_person(email=email, language="en", name=email.partition("@")[0], now=self.now)
        people.appoint(user=user, role=role, actor=ACTOR, now=self.now, **where)

    def _register(self, number: int, servers: Sequence[tuple[Server, str]]) -> None:
        name = f"Sample Holder {number}"
        user = people.register_person(email=f"holder-{number}@client.example", language="en", name=name, now=self.now)
        found = register.enter(
            origin=f"application:{uuid.uuid4()}",
            holder=user.holder_ref,
            category="vpn_freelancer",
            endpoints=[
                NewEntry(f"endpoint:{address}", ipaddress.ip_network(address), "tcp", 443, int(server.operator[2:]))
                for server, address in servers
            ],
            valid_from=self.now,
            valid_until=self.now + dt.timedelta(days=365),
            actor=ACTOR,
            now=self.now,
        )
        entries = {str(each.block.network_address): each for each in registered.entries_of(found)}
        for server, address in servers:
            self.consents[server] = consents.agree(
                feed_id=entries[address].feed_id,
                holder=user.holder_ref,
                personal=False,
                address=ipaddress.ip_address(address),
                claim=TlsClaim("0" * 64),
                agent=server.agent,
                actor=ACTOR,
                now=self.now,
            )

    # -- what is seen --------------------------------------------------------------------------------------------

    def places(self) -> list[Place]:
        return [Place(name, network, self._ask(name, network)) for name, network in (*OUTSIDE, *INSIDE)]

    def _ask(self, place: str, network: str) -> Any:
        def ask(
            attempts: Sequence[Attempt], *, timeout: float, now: dt.datetime
        ) -> tuple[dt.datetime | None, list[Answered]]:
            return self.now, [self._answer(place, network, str(each.address)) for each in attempts]

        return ask

    def _answer(self, place: str, network: str, address: str) -> ProbeAnswer:
        server = self.servers.get(address)
        if server is None:
            return ProbeAnswer(UP, "http", sent=1, elapsed=0.01)
        # Of its own for each look: in whatever order they are asked, the same seed gives the same.
        land = Country([], random.Random(f"{self.seed} {place} {address} {self.now}"), self.land.lost)
        side = Side.INSIDE if network == server.operator else Side.OUTSIDE
        seen = land.look_from(place, network, side, self._wrong_with(server), self.now)
        assert seen.outcome is not None
        return ProbeAnswer(seen.outcome, "tls", sent=1, elapsed=seen.latency_ms / 1000)

    def _wrong_with(self, server: Server) -> dict[Kind, Fault]:
        return {
            fault.kind: fault
            for begins, ends, fault in self.faults
            if begins <= self.now < ends and fault.touches(server)
        }

    def _agents_say(self) -> None:
        for server, consent in self.consents.items():
            wrong = self._wrong_with(server)
            if server.agent and not self.land.agent_is_cut(server, wrong):
                seen: dict[str, Any] = {"latency_ms": 1, "sent": 1, "age": dt.timedelta(0), "control": UP}
                reports.take(consent=consent, outcome=self.land.beside(wrong), now=self.now, **seen)

    # -- the play ------------------------------------------------------------------------------------------------

    def play(self) -> Story:
        self.enter()
        self.now = BEGINS - 2 * ROUND
        # Whoever agreed just now is looked at now; after the next start of the process each has its place in a round.
        first = Rounds(self.places(), CONTROL, clock=lambda: self.now)
        first(self.now)
        first.close()
        rounds = Rounds(self.places(), CONTROL, clock=lambda: self.now)
        acts = {ANSWERED: self._answers, CLAIMED: self._says_mended} | self._work()
        try:
            self.now = BEGINS - ROUND
            while self.now <= ENDS + 6 * ROUND:
                if (self.now - BEGINS) % ROUND == dt.timedelta(0):
                    self._agents_say()
                rounds(self.now)
                if (self.now - BEGINS) % ROUND == dt.timedelta(0):
                    self._count(rounds)
                if self.now in acts:
                    acts[self.now]()
                for step in STEPS:
                    step.run(now=self.now)
                self.now += MINUTE
        finally:
            rounds.close()
        # The day is over, and counted.
        self.now = at(0) + dt.timedelta(days=1, hours=1, minutes=5)
        workflow.advance(now=self.now)
        self._read()
        return self.story

    def _count(self, rounds: Rounds) -> None:
        said = {consent: each.said[0] if each.said else None for consent, each in rounds.board.all.items()}
        can = [each for each in self.cut if not self._wrong_with(each).keys() - {Kind.FILTER}]
        right = sum(said[self.consents[each].pk] is State.THIS_OPERATOR for each in can)
        self.story.rounds.append(Seen(self.now, right, len(can)))
        named = [each for each, consent in self.consents.items() if said[consent.pk] is State.THIS_OPERATOR]
        self.story.others += sum(each not in self.cut for each in named)

    def _at(self, asn: str) -> Operator:
        found = operators.operator_of_network(int(asn[2:]))
        assert found is not None
        return found

    def _each(self, asn: str, act: Callable[..., object], **given: Any) -> None:
        operator = self._at(asn)
        for each in incidents.live_of_operator(operator):
            act(incident=each, actor=f"operator:{operator.slug}", now=self.now, **given)

    def _answers(self) -> None:
        self._each(ANSWERS, answering.answer, reason=Cause.FILTER_TOO_WIDE, words="A trial of a filter.")

    def _says_mended(self) -> None:
        self._each(ANSWERS, answering.say_mended)

    def _work(self) -> dict[dt.datetime, Callable[[], object]]:
        """Announced in time, and over in its window."""
        operator = self._at(ANNOUNCED)
        block = ipaddress.ip_network(f"2001:db8:{block_of(ANNOUNCED)}::/48")
        plan = Plan(
            components=(Component(block, Impact.OUTAGE),),
            reason=Reason.CABLE,
            text_en="A cable is spliced.",
            starts_at=WINDOW[0],
            ends_at=WINDOW[1],
        )
        given: dict[str, Any] = {"by": f"operator:{operator.slug}"}
        work = maintenance.draft(operator=operator, plan=plan, now=self.now, **given)
        maintenance.announce(work=work, now=self.now, **given)
        return {
            WORKS[0]: lambda: maintenance.start(work=work, now=self.now, **given),
            WORKS[1]: lambda: maintenance.complete(work=work, now=self.now, **given),
        }

    def _read(self) -> None:
        """What everybody reads the day after."""
        self.story.incidents = list(incidents.incidents().order_by("opened_at", "id"))
        self.story.published, _few = published.lately(since=BEGINS, now=self.now)
        self.story.letters = Counter(Letter.objects.values_list("template", flat=True))
        with time_machine.travel(self.now, tick=False):
            client = Client(headers={"accept-language": "en"})
            self.story.page = client.get(reverse("portal:connections")).text
            lines = client.get(reverse("portal:connections_csv")).text.splitlines()
        self.story.days = list(csv.DictReader(lines))


@contextmanager
def networks() -> Iterator[None]:
    """The table of routes of this country."""
    directory.configure(
        None,
        [
            directory.Origin(int(asn[2:]), NAMES[asn], ipaddress.ip_network(f"2001:db8:{block_of(asn)}::/48"))
            for asn in OPERATORS
        ],
    )
    try:
        yield
    finally:
        directory.configure(None)


# -- the table -------------------------------------------------------------------------------------------------------


def table(story: Story) -> list[dict[str, str]]:
    """What happened when, as docs/continuity.md tells it."""
    silent, answering = (story.main(asn) for asn in (SILENT, ANSWERS))
    cut, work = story.cut, f"{NAMES[ANNOUNCED]} works on its lines"
    opened = sorted({*story.happened(silent, "open"), *story.happened(answering, "open")})
    found = BEGINS + story.found_in_round * ROUND
    lasted = " and ".join(f"{_span(each)} at {each.operator.name_en}" for each in story.published)
    windows = sum(each.in_window for each in story.published)
    rows: list[tuple[dt.datetime | str, str]] = [
        (
            "1 November",
            f"{NAMES[ANNOUNCED]} announces work for that evening: {story.letters['planned_work']} letters tell holders",
        ),
        (
            BEGINS - ROUND,
            f"{story.endpoints} endpoints of {story.holders} holders are measured. Of a trial nobody knows",
        ),
        (
            BEGINS,
            f"The filter is there: {cut[SILENT]} endpoints at {NAMES[SILENT]} and {cut[ANSWERS]} at {NAMES[ANSWERS]} "
            "stop answering from outside",
        ),
        (
            opened[0],
            "The first look: something is in the way. One [incident](incidents.md) for each operator; "
            f"{story.letters['incident_reported']} letters tell holders that it was noticed",
        ),
        (
            found,
            f"After {story.found_in_round} rounds the operators are named: {story.named_rightly} % of what they cut "
            f"is `this_operator` from then on; of what they did not cut: {story.others or 'nothing'}",
        ),
        (story.happened(silent, "escalate")[0], "No answer in 30 minutes: a supervisor is told, and it counts as late"),
        (story.happened(silent, "escalate_mend")[0], "Not mended in two hours: it counts again"),
        (WORKS[0], f"{work}, as announced, until {_clock(WORKS[1])}: within its window"),
        (story.happened(answering, "answer")[0], f"{NAMES[ANSWERS]} answers: a filter was too wide"),
        (ENDS, "The filter is taken out"),
        (story.happened(answering, "say_mended")[0], f"{NAMES[ANSWERS]} says that it is mended. That closes nothing"),
        (
            story.happened(answering, "close")[0],
            "Three looks in a row were answered, from inside and outside. Closed with proof at "
            f"{NAMES[ANSWERS]}; at {NAMES[SILENT]}, which never answered, it came back on its own",
        ),
        (
            "11 November",
            f"The page says {lasted}; in an announced window: {windows or 'none'}. Its CSV has the day with "
            + ", ".join(f"{row['reached_percent']} % at {row['operator']}" for row in story.days if row["operator"]),
        ),
    ]
    return [{"time": _clock(at) if isinstance(at, dt.datetime) else at, "what happens": what} for at, what in rows]


def _clock(at: dt.datetime) -> str:
    return f"{at.astimezone(ZONE):%H:%M}"


def _span(each: Published) -> str:
    hours, minutes = divmod(round(each.lasted / MINUTE), 60)
    return f"{hours} h {minutes} min"
