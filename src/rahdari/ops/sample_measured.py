"""The sample holder whose endpoint is measured: days of looks, a disruption that is over and one that is open, and work
that its operator announced. All of it by the rooms' own acts; what was seen before the start is made up.

From the start on the sample vantages look for real, at `sample_server`, which stands on loopback. They look at nobody
else.
"""

import datetime as dt
import ipaddress
import random
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from rahdari import optional, workflow
from rahdari.incident import actions, answering, clocks, packs
from rahdari.incident.models import Incident
from rahdari.incident.rules import Channel, Reason
from rahdari.maintenance import actions as maintenance
from rahdari.maintenance import rules as works
from rahdari.people import demonstration
from rahdari.people.models import User
from rahdari.probe import Answered, Attempt, HttpClaim, Outcome, ProbeAnswer, TlsClaim
from rahdari.publish import queries as networks
from rahdari.register import queries as register
from rahdari.register.models import Entry
from rahdari.watch import consents, reports
from rahdari.watch.models import Consent
from rahdari.watch.rounds import Place, Rounds

from . import samples
from .sample_server import ADDRESS, PORT, fingerprint

ACTOR, OPERATOR = demonstration.ACTOR, "sample-fibre"
HOUR, QUARTER = dt.timedelta(hours=1), dt.timedelta(minutes=15)
UP, SILENT = Outcome.PROVED, Outcome.SILENT
# Hours before the start: looked at first; cut, and back again.
MEASURED, CUT, BACK = 60, 30, 26
# As `vantage_samples` calls them, which may be left out.
PLACES = (("sample-north", "AS64501"), ("sample-south", "AS64502"))
CONTROL = Attempt(ipaddress.ip_address("127.0.0.1"), HttpClaim(line="rahdari-control"))


def measured(now: dt.datetime) -> None:
    """Of a holder whose endpoint is looked at, and whose operator is asked again."""
    samples.unless_there(47, now, lambda user: _walk(user, now))


def _walk(user: User, now: dt.datetime) -> None:
    begins = now - MEASURED * HOUR
    samples.proved_and_sent(samples.draft(user, ADDRESS, 47, begins), begins)
    mobile = samples.SAMPLE_MOBILE.format(number=47)
    optional.ask(__package__, "sow_number", user, mobile, begins - dt.timedelta(days=30))
    (registration,) = register.registrations_of(holders=[user.holder_ref])
    (entry,) = register.entries_of(registration)
    consent = consents.agree(
        feed_id=entry.feed_id,
        holder=user.holder_ref,
        personal=True,
        address=ipaddress.ip_address(ADDRESS),
        claim=TlsClaim(fingerprint(Path(settings.DATA)), port=PORT),
        agent=True,
        actor=f"person:{user.pk}",
        now=begins,
    )
    with closing(_Looks(consent, now)) as looks:
        for hours in range(MEASURED, CUT, -1):
            looks.at(hours, UP)
        looks.at(CUT, SILENT)
        first = _reported(entry, now - CUT * HOUR)
        there: dict[str, Any] = {"incident": first, "actor": f"operator:{OPERATOR}"}
        words = "A filter against an attack covered the address. We take it out."
        answering.answer(reason=Reason.FILTER_TOO_WIDE, words=words, now=now - CUT * HOUR + QUARTER, **there)
        for hours in range(CUT - 1, BACK, -1):
            looks.at(hours, SILENT)
        answering.say_mended(now=now - BACK * HOUR - QUARTER, **there)
        for hours in (BACK, BACK - 1, BACK - 2):
            looks.at(hours, UP)
        clocks.follow(now=now - (BACK - 2) * HOUR)
        words = "The filter was made for a range, and is made for single addresses now."
        answering.report(words=words, now=now - 20 * HOUR, **there)
        for hours in range(BACK - 3, 0, -1):
            looks.at(hours, UP)
        looks.at(0, SILENT)
        _reported(entry, now)
    _announced(now)
    workflow.advance(now=now)
    packs.make_due(now=now)


class _Looks:
    """What the two sample vantages saw, so many hours before now, and the holder's own program beside the server."""

    def __init__(self, consent: Consent, now: dt.datetime) -> None:
        self.consent, self.now, self.clock, self.seen = consent, now, now, UP
        places = [Place(name, network, self._ask) for name, network in PLACES]
        self.rounds = Rounds(places, CONTROL, clock=lambda: self.clock)

    def close(self) -> None:
        self.rounds.close()

    def _ask(
        self, attempts: Sequence[Attempt], *, timeout: float, now: dt.datetime
    ) -> tuple[dt.datetime | None, list[Answered]]:
        latency = random.Random(now.timestamp()).uniform(0.03, 0.05)  # noqa: S311 - made up
        seen = [ProbeAnswer(self.seen, "tls", sent=1, elapsed=latency) for _ in attempts[1:]]
        return now, [ProbeAnswer(UP, "http", sent=1, elapsed=0.01), *seen]

    def at(self, hours: int, seen: Outcome) -> None:
        self.clock, self.seen = self.now - hours * HOUR, seen
        told: dict[str, Any] = {"latency_ms": 1, "sent": 1, "age": dt.timedelta(0)}
        reports.take(consent=self.consent, outcome=UP, control=UP, now=self.clock, **told)
        self.rounds(self.clock)


def _reported(entry: Entry, now: dt.datetime) -> Incident:
    """Found by measurement, and its holder says it too."""
    clocks.report_measured(now=now)
    given: dict[str, Any] = {"registration": entry.registration, "entry": entry, "channel": Channel.PAGE, "now": now}
    return actions.report(sees="nothing", own_side="on", actor=f"holder:{entry.holder}", **given).incident


def _announced(now: dt.datetime) -> None:
    """A week ahead, as is the rule."""
    begins = timezone.localtime(now).replace(hour=2, minute=0, second=0, microsecond=0) + dt.timedelta(days=9)
    plan = works.Plan(
        components=[works.Component(ipaddress.ip_network(f"{ADDRESS}/32"), works.Impact.OUTAGE)],
        reason=works.Reason.MOVE,
        text_en="Lines go to another gateway.",
        starts_at=begins,
        ends_at=begins + 2 * HOUR,
    )
    operator = networks.operator_by_slug(OPERATOR)
    work = maintenance.draft(operator=operator, plan=plan, by=ACTOR, now=now)
    work = maintenance.announce(work=work, by=ACTOR, now=now)
    if work.wording_id is not None:
        maintenance.read_wording(id=work.wording_id, is_shown=True, by=ACTOR, now=now)
