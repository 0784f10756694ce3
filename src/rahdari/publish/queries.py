"""Reads of the publisher: editions, what is in force where, how late each operator is."""

import datetime as dt
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery

from rahdari.proof import token_digest
from rahdari.proof.repository import METADATA
from rahdari.register import queries as register
from rahdari.register.models import Entry

from . import envelope, keys, rules
from .models import Edition, Operator, Receipt, Session, WaitingChange
from .rules import LagState, ReceiptStanding

# Acts after which an entry is in the feed as it now stands.
SAID = ("enter", "amend", "renew")


class InForce(NamedTuple):
    """An operator's name in the language of the page, and since when it is in force there."""

    name: str
    applied_at: dt.datetime


@dataclass(frozen=True)
class Standing:
    """Where entries stand: in which edition, published when, in force at whom. `sequence` is None until it is cut."""

    sequence: int | None
    published_at: dt.datetime | None
    in_force: list[InForce]
    operators_total: int


@dataclass(frozen=True)
class Point:
    """One place of an operator where the entries are loaded. `of` is how many the edition has."""

    name: str
    kind: str
    loaded: int
    of: int | None
    ok: bool


@dataclass(frozen=True)
class OperatorLag:
    """How an operator stands against the register.

    `sequence` is the last edition it has in force, `applied_at` since when; `lag` is how long after publication that
    was, or for one that is behind how long the first edition it lacks has been out. `behind` counts those it lacks.
    """

    operator: Operator
    state: LagState
    sequence: int | None
    applied_at: dt.datetime | None
    received_at: dt.datetime | None
    lag: dt.timedelta | None
    behind: int | None
    register_sequence: int | None
    register_published_at: dt.datetime | None
    points: list[Point] = field(default_factory=list)

    @property
    def in_step(self) -> bool:
        return self.state is LagState.IN_STEP


class PastLag(NamedTuple):
    """How long after its publication an edition was in force at an operator."""

    at: dt.datetime
    sequence: int
    lag: dt.timedelta


@dataclass(frozen=True)
class FeedStatus:
    """The state of the feed: of the database, of what is signed, and until when."""

    keys_exist: bool
    published: "envelope.Published | None"
    unreadable: str
    session: str | None
    last_cut: int | None
    waiting: int
    to_publish: int
    expires: dict[str, dt.datetime]


def open_session() -> Session | None:
    return Session.objects.filter(closed_at__isnull=True).first()


def editions_to_publish() -> QuerySet[Edition]:
    """Cut and not yet marked as published, in order."""
    return Edition.objects.filter(published_at__isnull=True).order_by("sequence")


def last_snapshot_sequence() -> int:
    """The last edition with a snapshot. The opening one has one, so there is always one."""
    return (
        Edition.objects.exclude(snapshot_path="").order_by("-sequence").values_list("sequence", flat=True).first() or 0
    )


def due_snapshot() -> Edition | None:
    """The last edition with a snapshot, while that is not written yet. Earlier ones that were overtaken never are."""
    last = Edition.objects.defer("delta").exclude(snapshot_path="").order_by("-sequence").first()
    return last if last is not None and not last.snapshot_sha256 and last.published_at is not None else None


def latest_edition() -> Edition | None:
    """The last one that is published."""
    return Edition.objects.defer("delta").filter(published_at__isnull=False).order_by("-sequence").first()


def changes_waiting() -> int:
    """Committed changes that no edition has yet."""
    return WaitingChange.objects.count()


def something_to_cut() -> bool:
    """Whether changes wait, or no session was opened yet."""
    return WaitingChange.objects.exists() or not Session.objects.filter(closed_at__isnull=True).exists()


def active_operators() -> QuerySet[Operator]:
    return Operator.objects.filter(active=True).order_by("slug")


def operators() -> QuerySet[Operator]:
    return Operator.objects.order_by("slug")


def operator_by_slug(slug: str) -> Operator | None:
    return Operator.objects.filter(slug=slug).first()


def operator_by_token(token: str) -> Operator | None:
    """The active operator whose token this is."""
    digest = token_digest(token)
    found = Operator.objects.filter(token_hash=digest, active=True).first()
    return found if found is not None and hmac.compare_digest(found.token_hash, digest) else None


def standing_of(entries: Iterable[Entry]) -> Standing:
    """Where these entries stand, all of them together: the last change to any of them counts."""
    ids = [entry.pk for entry in entries]
    operators = active_operators()
    total = operators.count()
    last = (
        register.changes()
        .filter(entry__in=ids, act__in=SAID)
        .order_by("entry_id", "-id")
        .distinct("entry_id")
        .values_list("published_in__edition__sequence", "published_in__edition__published_at")
    )
    said = list(last)
    if not said or any(sequence is None for sequence, _ in said):
        return Standing(None, None, [], total)
    sequence = max(number for number, _ in said)
    times = [at for _, at in said if at is not None]
    if len(times) < len(said):
        return Standing(sequence, None, [], total)
    published_at = max(times)
    newest = Receipt.objects.filter(operator=OuterRef("pk")).order_by("-id")
    first_good = newest.filter(standing=ReceiptStanding.GOOD, sequence__gte=sequence).order_by("sequence", "id")
    in_force = [
        InForce(
            operator.name,
            rules.in_force_at(
                published_at=published_at,
                applied_at=operator.first_applied,
                received_at=operator.first_received,
            ),
        )
        for operator in operators.annotate(
            newest_standing=Subquery(newest.values("standing")[:1]),
            newest_sequence=Subquery(newest.values("sequence")[:1]),
            first_applied=Subquery(first_good.values("applied_at")[:1]),
            first_received=Subquery(first_good.values("received_at")[:1]),
        )
        # What an operator said last counts: one that has drifted since does not have it in force for certain.
        if operator.newest_standing == ReceiptStanding.GOOD
        and operator.newest_sequence >= sequence
        and operator.first_applied is not None
    ]
    return Standing(sequence, published_at, in_force, total)


def operators_with_lag(now: dt.datetime) -> list[OperatorLag]:
    """Every active operator, by slug, with its lag."""
    head = latest_edition()
    newest = Receipt.objects.filter(operator=OuterRef("pk")).order_by("-id")
    found = list(
        active_operators().annotate(
            newest_id=Subquery(newest.values("pk")[:1]),
            good_id=Subquery(newest.filter(standing=ReceiptStanding.GOOD).values("pk")[:1]),
        )
    )
    wanted = {each.newest_id for each in found} | {each.good_id for each in found}
    receipts = Receipt.objects.in_bulk([number for number in wanted if number is not None])
    sequences = {receipt.sequence for receipt in receipts.values()}
    editions = Edition.objects.defer("delta").in_bulk(sequences | {sequence + 1 for sequence in sequences})
    return [_lag(each, receipts.get(each.newest_id), receipts.get(each.good_id), head, editions, now) for each in found]


def _lag(
    operator: Operator,
    newest: Receipt | None,
    good: Receipt | None,
    head: Edition | None,
    editions: dict[int, Edition],
    now: dt.datetime,
) -> OperatorLag:
    lag = applied_at = lacking = None
    edition = editions.get(good.sequence) if good else None
    if good is not None and edition is not None and edition.published_at is not None:
        applied_at = rules.in_force_at(
            published_at=edition.published_at, applied_at=good.applied_at, received_at=good.received_at
        )
        lacking = editions.get(good.sequence + 1)
        if lacking is not None and lacking.published_at is not None:
            lag = now - lacking.published_at
        else:
            lag = applied_at - edition.published_at
    return OperatorLag(
        operator=operator,
        state=rules.lag_state(
            latest=ReceiptStanding(newest.standing) if newest else None,
            lag=lag,
            lacks=lacking is not None and lacking.published_at is not None,
        ),
        sequence=good.sequence if good else None,
        applied_at=applied_at,
        received_at=newest.received_at if newest else None,
        lag=lag,
        behind=max(head.sequence - good.sequence, 0) if head and good else None,
        register_sequence=head.sequence if head else None,
        register_published_at=head.published_at if head else None,
        points=_points(newest, editions.get(newest.sequence) if newest else None),
    )


def _points(receipt: Receipt | None, edition: Edition | None) -> list[Point]:
    if receipt is None:
        return []
    of = edition.entries if edition is not None else None
    return [Point(each["name"], each["kind"], each["loaded"], of, each["ok"]) for each in receipt.targets]


def lags_of(*, operator: Operator, since: dt.datetime) -> list[PastLag]:
    """How late each edition was that this operator put in force since then, oldest first."""
    receipts = list(
        Receipt.objects.filter(operator=operator, standing=ReceiptStanding.GOOD, received_at__gte=since).order_by("id")
    )
    first: dict[int, Receipt] = {}
    for receipt in receipts:
        first.setdefault(receipt.sequence, receipt)
    editions = Edition.objects.defer("delta").in_bulk(first)
    lags = []
    for sequence, receipt in first.items():
        published_at = editions[sequence].published_at
        if published_at is not None:
            at = rules.in_force_at(
                published_at=published_at, applied_at=receipt.applied_at, received_at=receipt.received_at
            )
            lags.append(PastLag(at, sequence, at - published_at))
    return lags


def feed_keys_exist() -> bool:
    return keys.online_folder(Path(settings.DATA)).is_dir()


def root_file() -> Path:
    """The root that agents are given to pin."""
    return Path(settings.DATA) / "feed" / METADATA / "1.root.json"


def feed_status() -> FeedStatus:
    """For `rahdari feed status` and `rahdari doctor`. What cannot be read is said in `unreadable`."""
    repository = envelope.Repository(Path(settings.DATA))
    published, unreadable, expires = None, "", {}
    if feed_keys_exist() and root_file().exists():
        try:
            published = repository.published()
            expires = {
                "root": repository.root().signed.expires,
                "targets": repository.offline_targets().signed.expires,
                **(published.expires if published else {}),
            }
        except envelope.FeedUnusable as error:
            unreadable = str(error)
    session = open_session()
    return FeedStatus(
        keys_exist=feed_keys_exist(),
        published=published,
        unreadable=unreadable,
        session=session.id if session else None,
        last_cut=session.sequence if session else None,
        waiting=changes_waiting(),
        to_publish=editions_to_publish().count(),
        expires=expires,
    )


def editions_to_erase(*, unreferenced_since: dt.datetime) -> QuerySet[Edition]:
    """Editions whose files no metadata has named since then, and that are still there."""
    then = (
        Edition.objects.filter(published_at__lte=unreferenced_since)
        .order_by("-published_at", "-sequence")
        .values_list("sequence", flat=True)
        .first()
    )
    if then is None:
        return Edition.objects.none()
    written = Edition.objects.filter(sequence__lte=then).exclude(snapshot_sha256="").order_by("-sequence")
    snapshots = list(written.values_list("sequence", flat=True)[: rules.LIVE_SNAPSHOTS])
    oldest = min([rules.oldest_live_delta(head=then, newest_snapshot=max(snapshots, default=0)), *snapshots])
    return Edition.objects.filter(Q(erased_at__isnull=True), sequence__lt=oldest).order_by("sequence")
