"""Endpoints that agreed, and vantages that see what a test says."""

import datetime as dt
import ipaddress
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from rahdari import probe
from rahdari.probe import Attempt, Outcome, ProbeAnswer
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.vantage import Vantage
from rahdari.vantage.message import Request
from rahdari.watch import consents
from rahdari.watch.models import Consent
from rahdari.watch.rounds import Rounds
from rahdari.watch.vantage import place_of
from tests.builders.publishing import entered
from tests.vantage.places import FakeVantage

NOW = dt.datetime(2026, 11, 10, 16, 0, tzinfo=dt.UTC)
ROUND = dt.timedelta(minutes=5)
CONTROL = Attempt(ipaddress.ip_address("198.51.100.250"), probe.HttpClaim(line="rahdari-control"))
UP, SILENT = Outcome.PROVED, Outcome.SILENT


def entry_of(registration: Registration) -> Entry:
    return register.entries_of(registration)[0]


def agreed(
    address: str = "203.0.113.24",
    *,
    asn: int = 64500,
    now: dt.datetime = NOW,
    of: Registration | None = None,
    **more: Any,
) -> Consent:
    """An endpoint whose holder agreed: that `of` a registration, or one that is registered for it."""
    entry = entry_of(of or entered(f"{address}/32", asn=asn, now=now))
    chosen = {"personal": False, "holder": entry.holder, "actor": "user:sample", **more}
    chosen.setdefault("claim", probe.TlsClaim("0" * 64))
    return consents.agree(feed_id=entry.feed_id, address=ipaddress.ip_address(address), now=now, **chosen)


@dataclass
class Places:
    """Three vantages outside and one inside AS64500. `sees` says for a place and an address what a look comes to."""

    rounds: Rounds
    fakes: Sequence[FakeVantage]
    at: dt.datetime = NOW
    sees: Callable[[str, str], Outcome] = lambda place, address: UP
    latency: float = 0.04
    control: set[str] = field(default_factory=set)

    def round(self, *, after: dt.timedelta = ROUND) -> int:
        """The next round: all that are due in it."""
        self.at += after
        return self.rounds(self.at)

    def answer(self, place: str, request: Request) -> ProbeAnswer:
        if request.address == CONTROL.address:
            return ProbeAnswer(SILENT if place in self.control else UP, "http", sent=1)
        return ProbeAnswer(self.sees(place, str(request.address)), "tls", sent=1, elapsed=self.latency)


@contextmanager
def places(*vantages: Vantage, control: Attempt | None = CONTROL) -> Iterator[Places]:
    """With no vantages given: fakes that speak the protocol."""
    with ExitStack() as stack:
        fakes: list[FakeVantage] = []
        if not vantages:
            networks = {"out-1": "AS64600", "out-2": "AS64601", "out-3": "AS64602", "in-1": "AS64500"}
            fakes = [FakeVantage(name, network) for name, network in networks.items()]
            vantages = tuple(stack.enter_context(fake.running()) for fake in fakes)
        found = Places(None, fakes)  # type: ignore[arg-type]
        found.rounds = Rounds([place_of(each) for each in vantages], control, clock=lambda: found.at)
        stack.callback(found.rounds.close)
        for fake in fakes:
            fake.clock = lambda: found.at
            fake.sees = lambda request, name=fake.name: found.answer(name, request)
        yield found
