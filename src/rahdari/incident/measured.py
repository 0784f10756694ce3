"""What was measured of a connection, as the room `watch` has it: the one place where this room asks for it.

Nothing is measured of whoever did not agree to it. Then nothing is said here, an incident is opened all the same, and
its operator is asked. What is kept are changes; of how often it was looked at meanwhile, the consent says.
"""

import datetime as dt
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rahdari.watch import asking
from rahdari.watch import queries as watch
from rahdari.watch.facts import Facts, Side, facts_from
from rahdari.watch.models import Conclusion, Consent
from rahdari.watch.queries import Span
from rahdari.watch.verdicts import State

from .rules import Look

# Of a span in which nothing changed so many looks are told of, the last ones: more say nothing more.
MOST_OF_A_SPAN = 30
INSIDE_HOLDS = dt.timedelta(days=2)
ANSWERS = frozenset({State.IN_ORDER, State.IMPAIRED})
# Of these it is not reached; where it is not enough to say, nothing is said.
FAILS = frozenset({State.SERVER_DOWN, State.PATH_BLOCKED, State.THIS_OPERATOR})


@dataclass(frozen=True)
class Measured:
    """What the last verdict says. `state` is empty where nobody may look, or none was made; `since` is when it began to
    be so, where that is known."""

    state: str = ""
    rule: str = ""
    since: dt.datetime | None = None

    @property
    def says_something(self) -> bool:
        return self.state not in ("", State.NOT_ENOUGH)

    @property
    def is_cut(self) -> bool:
        return self.state in FAILS


NOTHING = Measured()


def _consent(subject: str) -> Consent | None:
    return _consents([subject]).get(subject)


def _consents(subjects: Iterable[str]) -> dict[str, Consent]:
    """By subject, of those of which one stands."""
    feed_ids = {subject.partition(":")[2]: subject for subject in subjects if subject}
    return {feed_ids[feed_id]: consent for feed_id, consent in watch.consents_of(feed_ids).items()}


def of_conclusion(found: Conclusion) -> Measured:
    return Measured(found.state, f"{found.rule}/{found.version}", found.seen.at)


def last_of(subject: str, *, now: dt.datetime) -> Measured:
    """With since when it is so: of what is cut the first look that did not reach it, whatever that was called then."""
    found = lasts_of([subject], now=now)[subject]
    consent = _consent(subject)
    if consent is None or not found.is_cut:
        return found
    return replace(found, since=watch.since_when(consent, FAILS) or found.since)


def lasts_of(subjects: Iterable[str], *, now: dt.datetime) -> dict[str, Measured]:
    """What the last verdict of each says, and since when it says that."""
    subjects = list(subjects)
    consents = _consents(subjects)
    states = watch.states_of(consents.values())
    said = {subject: states.get(consent.pk) for subject, consent in consents.items()}
    last = {subject: each for subject, each in said.items() if each is not None and each.seen.at <= now}
    return {each: of_conclusion(last[each]) if each in last else NOTHING for each in subjects}


def every(subject: str) -> dt.timedelta:
    """How far two looks at it are apart; no time where nobody looks."""
    consent = _consent(subject)
    return consent.every if consent is not None else dt.timedelta(0)


def ask_for_look(subject: str, holder: uuid.UUID, *, now: dt.datetime) -> None:
    """Its holder says that it is cut: let it be looked at, where they agreed to that."""
    asking.ask(feed_id=subject.partition(":")[2], holder=holder, now=now)


@dataclass(frozen=True)
class Asked:
    """Whether anybody looks at a connection; and when its holder asked for one look more, and when that was made."""

    is_agreed: bool = False
    at: dt.datetime | None = None
    looked_at: dt.datetime | None = None


NOBODY_LOOKS = Asked()


def asked_of(subjects: Iterable[str]) -> dict[str, Asked]:
    subjects = list(subjects)
    found = {subject: Asked(True, each.asked_at, each.looked_for_at) for subject, each in _consents(subjects).items()}
    return {each: found.get(each, NOBODY_LOOKS) for each in subjects}


def looks_since(subject: str, since: dt.datetime, *, now: dt.datetime) -> list[Look]:
    """What each round saw since then, the first in front."""
    return looks_of([subject], since, now=now)[subject]


def looks_of(subjects: Iterable[str], since: dt.datetime, *, now: dt.datetime) -> dict[str, list[Look]]:
    """The same of each of many, for the price of one."""
    subjects = list(subjects)
    consents = _consents(subjects)
    series = watch.series_of_each(consents.values(), since=since, now=now)
    return {
        each: _looks(series[consents[each].pk], consents[each].every, since, now) if each in consents else []
        for each in subjects
    }


def _looks(series: Iterable[Span], every: dt.timedelta, since: dt.datetime, now: dt.datetime) -> list[Look]:
    looks = []
    for span in series:
        if span.state is None:
            continue
        outside = True if span.state in ANSWERS else False if span.state in FAILS else None
        # What was seen from inside long before says nothing of now.
        kept = span.seen if span.seen is not None and span.seen.at >= since - INSIDE_HOLDS else None
        inside = _from_inside(facts_from(kept.facts)) if kept is not None else None
        # Where another span follows, the look at its beginning is that one's.
        rounds = (span.ends - span.begins) / every
        count = int(rounds) + 1 if span.ends >= now else max(math.ceil(rounds), 1)
        first, is_off = max(count - MOST_OF_A_SPAN, 0), span.state == State.SERVER_DOWN
        looks += [Look(span.begins + every * place, outside, inside, is_off) for place in range(first, count)]
    return looks


def _from_inside(facts: Facts) -> bool | None:
    """From inside the operator's network, or beside the server; None where nobody looked there."""
    seen = [look.reached for look in facts.looks if look.side is not Side.OUTSIDE and look.outcome is not None]
    return None if not seen else sum(seen) * 2 > len(seen)


def facts_of(subject: str, since: dt.datetime, until: dt.datetime) -> list[Mapping[str, Any]]:
    """Facts and what they came to, as plain data: enough to compute the verdict again. They name no address."""
    consent = _consent(subject)
    if consent is None:
        return []
    found = watch.concluded_between(consent, since=since, until=until)
    return [{"facts": each.seen.facts, "verdict": each.verdict, "version": each.version} for each in found]


def cut_now() -> list[tuple[str, uuid.UUID, dt.datetime]]:
    """Of each connection that is cut by what was concluded last: its name, whose it is, and since when. A server
    that is off is nobody's cut."""
    found = watch.standing_so([State.PATH_BLOCKED, State.THIS_OPERATOR])
    return [(each.seen.consent.subject, each.seen.consent.holder, each.seen.at) for each in found]
