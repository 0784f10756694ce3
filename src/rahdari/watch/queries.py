"""What was agreed to, what was seen, and who may see it."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from rahdari import policy as policies
from rahdari.policy import Measuring
from rahdari.register import queries as register

from .models import Conclusion, Consent, Day, Measured, SeenFacts, Spell
from .verdicts import Rule, State

# Whether an incident that the holder opened lets this officer see the series of an endpoint. `incident` adds its own;
# without one no officer sees any.
LETS_SEE: list[Callable[[str, str, dt.datetime], bool]] = []


class SeriesNotFound(LookupError):
    """There is none, or it is not for this officer: the same to whoever asks."""


def rules_in_force() -> Measuring | None:
    return policies.current(settings.POLICY_FILE).watch


def consent_of(feed_id: str) -> Consent | None:
    """The consent that stands."""
    return Consent.objects.filter(feed_id=feed_id, withdrawn_at=None).first()


def consents_of(feed_ids: Iterable[str]) -> dict[str, Consent]:
    return {each.feed_id: each for each in Consent.objects.filter(feed_id__in=list(feed_ids), withdrawn_at=None)}


def of_ended_entries() -> QuerySet[Consent]:
    """Consents whose endpoint is registered no more."""
    standing = register.standing_feed_ids()
    return Consent.objects.filter(withdrawn_at=None).exclude(feed_id__in=standing).order_by("given_at", "id")


@dataclass(frozen=True)
class Span:
    """From `begins` on, before `ends`, an endpoint stood so. Without a state nothing was measured; `ours`: since our
    own measurement failed."""

    begins: dt.datetime
    ends: dt.datetime
    state: State | None
    rule: Rule | None = None
    ours: bool = False
    # On which it rests.
    seen: SeenFacts | None = field(default=None, compare=False, repr=False)


def series_of(consent: Consent, *, since: dt.datetime, now: dt.datetime) -> list[Span]:
    """How it stood, without gaps, in the order of time."""
    return series_of_each([consent], since=since, now=now)[consent.pk]


def series_of_each(consents: Iterable[Consent], *, since: dt.datetime, now: dt.datetime) -> dict[uuid.UUID, list[Span]]:
    """The same of many, for the price of one."""
    by_id = {each.pk: each for each in consents}
    marks: dict[uuid.UUID, list[Conclusion]] = {each: [] for each in by_id}
    last = SeenFacts.objects.filter(consent=OuterRef("pk"), at__lte=since).order_by("-at", "-id").values("pk")[:1]
    before = Consent.objects.filter(pk__in=by_id).annotate(last=Subquery(last)).values_list("last", flat=True)
    after = Q(seen__consent__in=by_id, seen__at__gt=since, seen__at__lte=now)
    told = Conclusion.objects.filter(Q(seen__in=[each for each in before if each is not None]) | after)
    for mark in told.select_related("seen").defer("verdict").order_by("seen__at", "seen_id"):
        marks[mark.seen.consent_id].append(mark)
    gaps: dict[tuple[dt.timedelta, dt.datetime], list[Span]] = {}
    found = {}
    for pk, consent in by_id.items():
        begins = max(since, consent.given_at)
        if (consent.every, begins) not in gaps:
            gaps[consent.every, begins] = _gaps(consent.every, begins, now)
        found[pk] = _without(gaps[consent.every, begins], _spans(marks[pk], begins, now))
    return found


def _spans(marks: list[Conclusion], since: dt.datetime, now: dt.datetime) -> list[Span]:
    spans, at = list[Span](), since
    for n, mark in enumerate(marks, 1):
        following = marks[n] if n < len(marks) else None
        begins, ends = max(mark.seen.at, since), following.seen.at if following else now
        if begins > at:
            spans.append(Span(at, begins, None))
        spans.append(Span(begins, ends, State(mark.state), Rule(mark.rule), seen=mark.seen))
        at = ends
    if at < now:
        spans.append(Span(at, now, None))
    return spans


def _without(gaps: list[Span], spans: list[Span]) -> list[Span]:
    """What was concluded holds only where we measured."""
    for gap in gaps:
        spans = [part for span in spans for part in _cut(span, gap)]
    return sorted((span for span in spans if span.begins < span.ends), key=lambda span: span.begins)


def _cut(span: Span, gap: Span) -> Iterable[Span]:
    begins, ends = max(span.begins, gap.begins), min(span.ends, gap.ends)
    if begins >= ends:
        yield span
        return
    if span.begins < begins:
        yield replace(span, ends=begins)
    yield Span(begins, ends, None, ours=True)
    if ends < span.ends:
        yield replace(span, begins=ends)


def _gaps(every: dt.timedelta, since: dt.datetime, now: dt.datetime) -> list[Span]:
    """When we did not measure, or measured in vain. Between two rounds nobody is missed."""
    gaps, at = list[Span](), None
    for each in Measured.objects.filter(last_at__gte=since - every, began_at__lte=now).order_by("began_at", "id"):
        if each.failed:
            gaps.append(Span(each.began_at, each.last_at, None, ours=True))
            at = max(at or each.last_at, each.last_at)
        elif at is not None and each.began_at - at > every:
            gaps.append(Span(at, each.began_at, None, ours=True))
        at = max(at or each.last_at, each.last_at)
    if at is not None and now - at > every:
        gaps.append(Span(at, now, None, ours=True))
    return gaps


def state_of(consent: Consent) -> Conclusion | None:
    """What was concluded last, with its facts."""
    found = Conclusion.objects.filter(seen__consent=consent).select_related("seen")
    return found.order_by("-seen__at", "-seen_id", "-version").first()


def states_of(consents: Iterable[Consent]) -> dict[uuid.UUID, Conclusion]:
    """Of each of which anything was concluded, what was last."""
    found = Conclusion.objects.filter(seen__consent__in=[each.pk for each in consents]).select_related("seen")
    found = found.order_by("seen__consent_id", "-seen__at", "-seen_id", "-version").distinct("seen__consent_id")
    return {each.seen.consent_id: each for each in found}


def since_when(consent: Consent, states: Iterable[State]) -> dt.datetime | None:
    """When the row of conclusions began that all are one of these; None: the last one is not."""
    told = SeenFacts.objects.filter(consent=consent).order_by("at", "id")
    other = told.exclude(conclusions__state__in=list(states)).last()
    row = told.filter(at__gt=other.at) if other is not None else told
    return row.values_list("at", flat=True).first()


def spells_of(consent: Consent) -> QuerySet[Spell]:
    """What each place saw, the newest first."""
    return Spell.objects.filter(consent=consent).order_by("-began_at", "-id")


def concluded_between(consent: Consent, *, since: dt.datetime, until: dt.datetime) -> QuerySet[Conclusion]:
    """What was concluded in this time, with its facts, in order."""
    found = Conclusion.objects.filter(seen__consent=consent, seen__at__gte=since, seen__at__lte=until)
    return found.select_related("seen").order_by("seen__at", "pk")


def standing_so(states: Iterable[State]) -> QuerySet[Conclusion]:
    """Of each endpoint of which the last that was concluded is one of these, that conclusion."""
    later = Conclusion.objects.filter(seen__consent=OuterRef("seen__consent"), pk__gt=OuterRef("pk"))
    found = Conclusion.objects.filter(state__in=list(states), seen__consent__withdrawn_at=None)
    return found.exclude(Exists(later)).select_related("seen__consent").order_by("pk")


def concluded_after(pk: int) -> QuerySet[Conclusion]:
    """What was concluded since, in order: whoever opens incidents by measurement reads on from here."""
    return Conclusion.objects.filter(pk__gt=pk).select_related("seen__consent").order_by("pk")


def series_for_officer(*, officer: str, feed_id: str, since: dt.datetime, now: dt.datetime) -> list[Span]:
    """The gatekeeper: the series of an endpoint whose holder opened an incident about it. Raises SeriesNotFound."""
    consent = consent_of(feed_id)
    if consent is None or not any(lets(consent.subject, officer, now) for lets in LETS_SEE):
        raise SeriesNotFound
    return series_of(consent, since=since, now=now)


def figures(now: dt.datetime) -> dict[str, Any]:
    """For the doctor and for monitoring: how many agreed, and how it stands with our own measurement."""
    last = Measured.objects.order_by("-last_at").first()
    return {
        "consents": Consent.objects.filter(withdrawn_at=None).count(),
        "last_at": last.last_at if last is not None else None,
        "failed": last is not None and last.failed,
    }


def days(groups: Iterable[str], *, since: dt.date) -> dict[str, list[Day]]:
    """What was published of each group (`daily`), by date."""
    found: dict[str, list[Day]] = {group: [] for group in groups}
    for day in Day.objects.filter(group__in=found, date__gte=since).order_by("date"):
        found[day.group].append(day)
    return found
