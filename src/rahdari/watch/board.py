"""What the process that measures holds in memory: each endpoint with a consent, and what each place saw of it last.

Of a hundred thousand endpoints looked at every five minutes nearly all looks say the same as the last. They cost no
row: the board counts them, and `recording` writes what became other.
"""

import datetime as dt
import heapq
import ipaddress
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import batched

from rahdari.probe import Attempt, Outcome, claim_from
from rahdari.register import queries as register

from . import asking
from .facts import Look, Side
from .models import LEAST_EVERY, Conclusion, Consent, Report, Spell
from .neighbours import Standing
from .sketch import Sketch
from .verdicts import State, Verdict

AT_ONCE = 5_000
# A report is looked for a little behind the last one: their transactions may have ended in another order.
BEHIND = dt.timedelta(seconds=30)
# Before all that the schedule has.
FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(slots=True)
class Sight:
    """What one place sees of one endpoint: the open spell, and how many looks in a row came to it."""

    spell: int | None
    outcome: str
    in_a_row: int
    sketch: Sketch
    # Looks counted since the sketch was written.
    unwritten: int = 0


@dataclass(slots=True)
class Watched:
    """An endpoint that is measured. `said` is what was recorded of it last, in short; `due_at` is when the next look is
    due, and `asked` that its holder asked for it."""

    consent: uuid.UUID
    holder: uuid.UUID
    personal: bool
    every: dt.timedelta
    outside: bool
    inside: bool
    agent: bool
    networks: tuple[str, ...]
    attempt: Attempt
    standing: Standing
    sights: dict[str, Sight] = field(default_factory=dict)
    said: tuple[object, ...] = ()
    reported: Look | None = None
    due_at: dt.datetime = FIRST
    looked_at: dt.datetime | None = None
    asked: bool = False

    def short(self, verdict: Verdict) -> tuple[object, ...]:
        """What has to become other for facts to be kept: not that one vantage more or less was there."""
        return verdict.state, verdict.rule, verdict.failed, verdict.alive


class Board:
    """All that is measured, and when each is due. Endpoints are spread over the time between two looks."""

    def __init__(self) -> None:
        self.all: dict[uuid.UUID, Watched] = {}
        self._due: list[tuple[dt.datetime, uuid.UUID]] = []
        self._reports_to = dt.datetime.min.replace(tzinfo=dt.UTC)

    def refresh(self, now: dt.datetime) -> None:
        """Take in who agreed, let go who withdrew or is registered no more, follow where each endpoint is announced."""
        standing: set[uuid.UUID] = set()
        for some in batched(Consent.objects.filter(withdrawn_at=None).order_by("pk").iterator(AT_ONCE), AT_ONCE):
            networks = _networks([each.feed_id for each in some])
            found = [each for each in some if each.feed_id in networks]
            standing.update(each.pk for each in found)
            new = [each for each in found if self._is_new(each, networks[each.feed_id])]
            for watched in _read(new, networks):
                known = self.all.get(watched.consent)
                self.all[watched.consent] = watched
                if known is None:
                    # Who agreed just now is looked at now; all others, after a start, in their place.
                    self._put(watched, now + _place_of(watched) if watched.sights else now)
                else:
                    watched.due_at, watched.looked_at, watched.asked = known.due_at, known.looked_at, known.asked
        for gone in self.all.keys() - standing:
            self.drop(gone)

    def _is_new(self, consent: Consent, networks: tuple[str, ...]) -> bool:
        known = self.all.get(consent.pk)
        if known is None:
            return True
        chosen = (consent.outside, consent.inside, consent.agent, consent.every, networks)
        if chosen != (known.outside, known.inside, known.agent, known.every, known.networks):
            return True
        return _attempt(consent) != known.attempt

    def drop(self, consent: uuid.UUID) -> None:
        self.all.pop(consent, None)

    def _put(self, watched: Watched, at: dt.datetime) -> None:
        """The next look at it is then, and not when it was to be."""
        watched.due_at = at
        heapq.heappush(self._due, (at, watched.consent))

    def hear(self, now: dt.datetime) -> None:
        """Put first whose holder asked for a look: never sooner after the last one than two looks in a row may be."""
        for consent in asking.waiting():
            watched = self.all.get(consent)
            if watched is not None and not watched.asked:
                watched.asked = True
                free = watched.looked_at + LEAST_EVERY if watched.looked_at is not None else FIRST
                self._put(watched, FIRST if free <= now else free)

    def take_due(self, now: dt.datetime, *, most: int) -> list[Watched]:
        """Those that are due, the longest due first, and no more than that: what is left waits and does not pile up."""
        taken = list[Watched]()
        while self._due and len(taken) < most and self._due[0][0] <= now:
            at, consent = heapq.heappop(self._due)
            watched = self.all.get(consent)
            if watched is None or watched.due_at != at:
                continue
            # From now on: who was late, or asked, is not looked at twice for it.
            watched.looked_at = now
            self._put(watched, now + watched.every)
            taken.append(watched)
        return taken

    @property
    def next_at(self) -> dt.datetime | None:
        return self._due[0][0] if self._due else None

    def read_reports(self) -> None:
        """What agents of holders said since it was read last."""
        since = self._reports_to - BEHIND if self._reports_to.year > 1 else self._reports_to
        for each in Report.objects.filter(received_at__gt=since).select_related("consent"):
            self._reports_to = max(self._reports_to, each.received_at)
            if (watched := self.all.get(each.consent_id)) is not None and watched.agent:
                watched.reported = look_of(each, watched.standing.operator)


def look_of(report: Report, network: str) -> Look:
    """A report as a look."""
    return Look(
        "agent",
        network,
        Side.HOLDER,
        Outcome(report.outcome),
        report.at,
        report.received_at,
        control=Outcome(report.control),
        latency_ms=report.latency_ms,
        sent=report.sent,
    )


def _place_of(watched: Watched) -> dt.timedelta:
    """Where in the time between two looks this endpoint stands."""
    return watched.every * (watched.consent.int % 9973 / 9973)


def _networks(feed_ids: list[str]) -> dict[str, tuple[str, ...]]:
    found = register.networks_by_feed_id(feed_ids)
    return {feed_id: tuple(f"AS{number}" for number in asns) for feed_id, asns in found.items()}


def _attempt(consent: Consent) -> Attempt:
    asks = json.loads(consent.asks)
    return Attempt(ipaddress.ip_address(asks["address"]), claim_from(asks["claim"]))


def _read(consents: Iterable[Consent], networks: dict[str, tuple[str, ...]]) -> Iterator[Watched]:
    """With what was seen of them before this process began."""
    by_id = {each.pk: each for each in consents}
    if not by_id:
        return
    sights: dict[uuid.UUID, dict[str, Sight]] = {}
    for spell in Spell.objects.filter(consent__in=by_id, ended_at=None):
        assert spell.consent_id is not None  # noqa: S101
        sight = Sight(spell.pk, spell.outcome, 1, Sketch(spell.sketch))
        sights.setdefault(spell.consent_id, {})[spell.place] = sight
    concluded = (
        Conclusion.objects.filter(seen__consent__in=by_id)
        .order_by("seen__consent", "-seen__at", "-seen_id", "-version")
        .distinct("seen__consent")
        .values_list("seen__consent", "state", "rule", "verdict")
    )
    said = {consent: (state, rule, verdict) for consent, state, rule, verdict in concluded}
    for consent in by_id.values():
        own = networks[consent.feed_id]
        watched = Watched(
            consent.pk,
            consent.holder,
            consent.personal,
            consent.every,
            consent.outside,
            consent.inside,
            consent.agent,
            own,
            _attempt(consent),
            Standing(own[0] if own else "", consent.holder),
            sights.get(consent.pk, {}),
        )
        if consent.pk in said:
            state, rule, verdict = said[consent.pk]
            watched.said = (state, rule, tuple(verdict["failed"]), tuple(verdict["alive"]))
            if state in (State.IN_ORDER, State.IMPAIRED):
                watched.standing.reached = True
        yield watched
