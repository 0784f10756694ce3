"""What was measured of a connection, as the room `watch` has it: the one place where this room asks for it.

Nothing is measured of whoever did not agree to it. Then nothing is said here, an incident is opened all the same, and
its operator is asked. What is kept are changes; of how often it was looked at meanwhile, the consent says.
"""

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rahdari.watch import queries as watch
from rahdari.watch.facts import Facts, Side, facts_from
from rahdari.watch.models import Conclusion, Consent
from rahdari.watch.verdicts import State

from .rules import Look

# Of a span in which nothing changed so many looks are told of, the last ones: more say nothing more.
MOST_OF_A_SPAN = 30
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
    return watch.consent_of(subject.partition(":")[2]) if subject else None


def of_conclusion(found: Conclusion) -> Measured:
    return Measured(found.state, f"{found.rule}/{found.version}", found.seen.at)


def last_of(subject: str, *, now: dt.datetime) -> Measured:
    """Since when it is so: the first look of the row of verdicts that say the same."""
    consent = _consent(subject)
    found = watch.state_of(consent) if consent is not None else None
    return of_conclusion(found) if found is not None and found.seen.at <= now else NOTHING


def looks_since(subject: str, since: dt.datetime, *, now: dt.datetime) -> list[Look]:
    """What each round saw since then, the first in front."""
    consent = _consent(subject)
    if consent is None:
        return []
    kept = {each.at: facts_from(each.facts) for each in watch.facts_of(consent, since=since - dt.timedelta(days=2))}
    looks = []
    for span in watch.series_of(consent, since=since, now=now):
        if span.state is None:
            continue
        seen = max((at for at in kept if at <= span.begins), default=None)
        outside = True if span.state in ANSWERS else False if span.state in FAILS else None
        inside = _from_inside(kept[seen]) if seen is not None else None
        # Where another span follows, the look at its beginning is that one's.
        rounds = (span.ends - span.begins) / consent.every
        count = int(rounds) + 1 if span.ends >= now else max(math.ceil(rounds), 1)
        first = max(count - MOST_OF_A_SPAN, 0)
        looks += [Look(span.begins + consent.every * place, outside, inside) for place in range(first, count)]
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
