"""How late each operator is: what it last said of each of its streams, held against what was published."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection
from django.db.models import Min

from rahdari.feed.repository import role_of
from rahdari.feed.terms import TERMS

from . import rules
from .models import AgentKey, Edition, Operator, Receipt
from .rules import LagState, ReceiptStanding

# The stream whose editions are shown on pages.
SHOWN = role_of("static")


@dataclass(frozen=True)
class Point:
    """One place of an operator where the entries are loaded. `of` is how many the edition has."""

    name: str
    kind: str
    loaded: int
    of: int | None
    ok: bool

    @property
    def more(self) -> int:
        """What it has beside the editions: the operator's own additions, and removals that the agent holds back."""
        return max(self.loaded - self.of, 0) if self.of is not None else 0


@dataclass(frozen=True)
class OperatorLag:
    """How an operator stands against the register.

    `sequence` is the last edition it has in force, `applied_at` since when; `lag` is how long after publication that
    was, or for one that is behind how long the first edition it lacks has been out. `behind` counts those it lacks.
    `terms_at` is since when the terms of the feed are accepted there. One is `unsupported` whose last receipt does not
    name them; one has a `complement` that tells that what is not listed is dropped there. Both are served as before.
    """

    operator: Operator
    state: LagState
    sequence: int | None
    applied_at: dt.datetime | None
    received_at: dt.datetime | None
    lag: dt.timedelta | None
    # How long after its publication `sequence` was in force; `lag` is of the stream that is latest.
    shown_lag: dt.timedelta | None
    behind: int | None
    register_sequence: int | None
    register_published_at: dt.datetime | None
    terms_at: dt.datetime | None = None
    unsupported: bool = False
    complement: bool = False
    points: list[Point] = field(default_factory=list)

    @property
    def in_sync(self) -> bool:
        return self.state is LagState.IN_SYNC


class PastLag(NamedTuple):
    """How long after its publication an operator had in force what was published at one moment: of each of its streams
    that changed the last edition, by kind of entries. The latest of them counts.
    """

    at: dt.datetime
    sequences: dict[str, int]
    lag: dt.timedelta


_NEWEST = """
SELECT f.operator_id, f.stream_id, newest.id, good.id, head.id, first.published_at
  FROM publish_delegation f
  JOIN publish_operator o ON o.id = f.operator_id AND o.active
  LEFT JOIN LATERAL (SELECT id FROM publish_receipt r
    WHERE r.operator_id = f.operator_id AND r.stream_id = f.stream_id ORDER BY r.id DESC LIMIT 1) newest ON true
  LEFT JOIN LATERAL (SELECT id, sequence FROM publish_receipt r
    WHERE r.operator_id = f.operator_id AND r.stream_id = f.stream_id AND r.standing = 'good'
    ORDER BY r.id DESC LIMIT 1) good ON true
  LEFT JOIN LATERAL (SELECT id FROM publish_edition e
    WHERE e.stream_id = f.stream_id AND e.published_at IS NOT NULL ORDER BY e.sequence DESC LIMIT 1) head ON true
  LEFT JOIN LATERAL (SELECT published_at FROM publish_edition e
    WHERE e.stream_id = f.stream_id AND e.published_at IS NOT NULL AND e.sequence > COALESCE(good.sequence, -1)
    ORDER BY e.sequence LIMIT 1) first ON true
 WHERE f.left_at IS NULL
"""


def operators_with_lag(now: dt.datetime) -> list[OperatorLag]:
    """Every active operator, by slug, with its lag."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        found = cursor.fetchall()
    receipts = Receipt.objects.in_bulk({pk for _, _, *two, _, _ in found for pk in two if pk is not None})
    heads = Edition.objects.select_related("stream").in_bulk({head for *_, head, _ in found if head is not None})
    editions = {
        (edition.session_id, edition.sequence): edition
        for edition in Edition.objects.filter(
            session__in={receipt.session for receipt in receipts.values()},
            sequence__in={receipt.sequence for receipt in receipts.values()},
        )
    }
    parts: dict[object, list[_Part]] = defaultdict(list)
    for operator, _, newest, good, head, lacking_since in found:
        if head is not None:
            parts[operator].append(
                _part(heads[head], receipts.get(newest), receipts.get(good), lacking_since, editions, now)
            )
    keys = AgentKey.objects.filter(terms=TERMS, revoked_at=None).order_by("operator").values("operator")
    accepted = dict(keys.annotate(at=Min("terms_at")).values_list("operator", "at"))
    return [
        _lag(operator, parts[operator.pk], accepted.get(operator.pk))
        for operator in Operator.objects.filter(active=True).order_by("slug")
    ]


@dataclass(frozen=True)
class _Part:
    """How an operator stands in one of its streams."""

    head: Edition
    newest: Receipt | None
    good: Receipt | None
    of: int | None
    applied_at: dt.datetime | None
    lag: dt.timedelta | None
    state: LagState


def _part(
    head: Edition,
    newest: Receipt | None,
    good: Receipt | None,
    lacking_since: dt.datetime | None,
    editions: Mapping[tuple[str, int], Edition],
    now: dt.datetime,
) -> _Part:
    lag = applied_at = None
    edition = editions.get((good.session, good.sequence)) if good else None
    if good is not None and edition is not None and edition.published_at is not None:
        applied_at = rules.in_force_at(
            published_at=edition.published_at, applied_at=good.applied_at, received_at=good.received_at
        )
        lag = now - lacking_since if lacking_since is not None else applied_at - edition.published_at
    told = editions.get((newest.session, newest.sequence)) if newest else None
    state = rules.lag_state(
        latest=ReceiptStanding(newest.standing) if newest else None, lag=lag, lacks=lacking_since is not None
    )
    return _Part(head, newest, good, told.entries if told else None, applied_at, lag, state)


# Of an operator's streams, the one that stands worst says how it stands.
_WORST = (LagState.DRIFT, LagState.INCOMPLETE, LagState.BEHIND, LagState.NEVER, LagState.IN_SYNC)


def _lag(operator: Operator, parts: Sequence[_Part], terms_at: dt.datetime | None) -> OperatorLag:
    shown = next((part for part in parts if part.head.stream.role == SHOWN), None)
    # A stream with nothing in it need not have been heard of.
    heard = [part for part in parts if part.newest is not None or part.head.entries]
    states = [part.state for part in heard] or [LagState.NEVER]
    lags = [part.lag for part in heard if part.lag is not None]
    told = [part.newest for part in heard if part.newest is not None]
    newest = max(told, key=lambda receipt: receipt.pk, default=None)
    entries = [part.of for part in heard if part.of is not None]
    good = shown.good if shown else None
    return OperatorLag(
        operator=operator,
        state=min(states, key=_WORST.index),
        sequence=good.sequence if good else None,
        applied_at=shown.applied_at if shown else None,
        received_at=newest.received_at if newest else None,
        lag=max(lags, default=None),
        shown_lag=shown.lag if shown else None,
        behind=max(shown.head.sequence - good.sequence, 0) if shown and good else None,
        register_sequence=shown.head.sequence if shown else None,
        register_published_at=shown.head.published_at if shown else None,
        terms_at=terms_at if newest is None or newest.terms == TERMS else None,
        unsupported=newest is not None and newest.terms != TERMS,
        complement=newest is not None and newest.complement,
        points=_points(newest, sum(entries) if entries else None),
    )


def _points(receipt: Receipt | None, of: int | None) -> list[Point]:
    if receipt is None:
        return []
    return [Point(each["name"], each["kind"], each["loaded"], of, each["ok"]) for each in receipt.targets]


def lags_of(*, operator: Operator, since: dt.datetime) -> list[PastLag]:
    """How late this operator was with all that it put in force since then, oldest first."""
    receipts = (
        Receipt.objects.filter(
            operator=operator, standing=ReceiptStanding.GOOD, received_at__gte=since, stream__isnull=False
        )
        .select_related("stream")
        .order_by("id")
    )
    first: dict[tuple[str, int], Receipt] = {}
    for receipt in receipts:
        first.setdefault((receipt.session, receipt.sequence), receipt)
    published = Edition.objects.filter(
        session__in={session for session, _ in first},
        sequence__in={sequence for _, sequence in first},
    ).values_list("session_id", "sequence", "published_at")
    moments = {(session, sequence): moment for session, sequence, moment in published if moment is not None}
    lags: dict[dt.datetime, PastLag] = {}
    for key, receipt in first.items():
        if key not in moments:
            continue
        moment = moments[key]
        at = rules.in_force_at(published_at=moment, applied_at=receipt.applied_at, received_at=receipt.received_at)
        past = lags.setdefault(moment, PastLag(at, {}, at - moment))
        assert receipt.stream is not None  # noqa: S101 (asked for above)
        kind = receipt.stream.kind
        past.sequences[kind] = max(receipt.sequence, past.sequences.get(kind, 0))
        if at > past.at:
            lags[moment] = past._replace(at=at, lag=at - moment)
    return list(lags.values())
