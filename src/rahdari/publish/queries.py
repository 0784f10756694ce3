"""Reads of the publisher: editions, what is in force where, how late each operator is."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from rahdari.feed.repository import METADATA, ROLES
from rahdari.register.models import Entry

from . import cutting, envelope, keys, rules, signing
from .credentials import credentials_of, holder
from .holds import hold_by_start, open_holds, who_ended
from .models import AgentKey, Edition, Listing, Operator, PendingChange, Receipt, RemovalHold, Session, Stream
from .operator_lag import SHOWN, OperatorLag, PastLag, Point, lags_of, operators_with_lag
from .restoring import differences as differences_from_disk
from .restoring import is_behind as database_is_behind
from .restoring import on_disk as feed_on_disk
from .rules import ReceiptStanding
from .streams import needed as needed

# What other modules of the room read for the rooms above.
__all__ = [
    "OperatorLag",
    "PastLag",
    "Point",
    "credentials_of",
    "database_is_behind",
    "differences_from_disk",
    "feed_on_disk",
    "hold_by_start",
    "holder",
    "lags_of",
    "open_holds",
    "operators_with_lag",
    "who_ended",
]


class InForce(NamedTuple):
    """An operator's name in the language of the page, and since when it is in force there."""

    name: str
    applied_at: dt.datetime


@dataclass(frozen=True)
class OperatorStanding:
    """Where entries stand: in which edition, published when, in force at whom. `sequence` is None until it is cut."""

    sequence: int | None
    published_at: dt.datetime | None
    in_force: list[InForce]
    operators_total: int
    # Addresses that no operator is to have: their network is unknown or nobody's, and no gateway takes the feed.
    unreached: int = 0

    @property
    def is_everywhere(self) -> bool:
        """Whether each of these entries goes to somebody, and everybody it goes to has it in force."""
        return not self.unreached and 0 < self.operators_total <= len(self.in_force)


@dataclass(frozen=True)
class StreamStatus:
    """A stream that somebody follows, or one of everything."""

    stream: Stream
    session: str
    sequence: int
    entries: int
    to_publish: int
    followers: int


@dataclass(frozen=True)
class FeedStatus:
    """The state of the feed: of the database, of what is signed, and until when.

    `behind` are the operators to whom something is published that the database does not know, with its session and
    sequence, and those of the database.
    """

    keys_exist: bool
    unreadable: str
    shown: Edition | None
    streams: list[StreamStatus]
    repositories: int
    signed_at: dt.datetime | None
    behind: "dict[str, tuple[tuple[str, int], tuple[str, int] | None]]"
    waiting: int
    to_publish: int
    expires: dict[str, dt.datetime]


# -- editions ------------------------------------------------------------------------------------------------------


def editions_to_publish() -> QuerySet[Edition]:
    """Cut and not yet marked as published, in order."""
    return Edition.objects.filter(published_at=None).order_by("stream", "sequence")


def latest_edition() -> Edition | None:
    """The last one that is published of the stream of all static entries."""
    return (
        Edition.objects.filter(stream__everything=True, stream__role=SHOWN, published_at__isnull=False)
        .order_by("-sequence")
        .first()
    )


def changes_waiting() -> int:
    """Committed changes that no edition has yet."""
    return PendingChange.objects.count()


def oldest_waiting_change() -> dt.datetime | None:
    """When the change was made that has waited longest."""
    return PendingChange.objects.order_by("change_id").values_list("change__at", flat=True).first()


def waiting_holds() -> QuerySet[RemovalHold]:
    """Mass removals that wait for a second person."""
    return RemovalHold.objects.filter(state=RemovalHold.State.WAITING)


def holds_waiting() -> int:
    """How many these are."""
    return waiting_holds().count()


def something_to_cut(*, now: dt.datetime) -> cutting.Waiting:
    """Whether changes wait, entries may leave a stream, held ones too, or no stream was opened yet."""
    return cutting.waiting(now=now)


# -- operators -----------------------------------------------------------------------------------------------------


def active_operators() -> QuerySet[Operator]:
    return Operator.objects.filter(active=True).order_by("slug")


def network_operators() -> list[Operator]:
    """Those that announce addresses; a gateway follows for others."""
    return [each for each in active_operators() if each.asns and not each.gateway]


def announced_by() -> dict[str, list[int]]:
    """The AS numbers of each of them, by its name in addresses."""
    return {each.slug: each.asns for each in network_operators()}


def operators() -> QuerySet[Operator]:
    return Operator.objects.order_by("slug")


def operator_by_slug(slug: str) -> Operator | None:
    return Operator.objects.filter(slug=slug).first()


def operator_of_network(asn: int | None) -> Operator | None:
    """The active operator that has this network: whom to ask about an address of it."""
    return None if asn is None else of_network(active_operators().filter(asns__contains=[asn]), asn)


def of_network(operators: Iterable[Operator], asn: int | None) -> Operator | None:
    """The same among active operators that were read."""
    return next((each for each in operators if asn in each.asns and not each.gateway), None)


def gateways() -> QuerySet[Operator]:
    """Active operators that take everything, whatever its network."""
    return active_operators().filter(gateway=True)


def operators_of_networks() -> list[tuple[str, str, int]]:
    """Active operators with networks of their own: slug, name in the language of the page, and the first of these."""
    return with_networks(active_operators())


def with_networks(operators: Iterable[Operator]) -> list[tuple[str, str, int]]:
    """The same of active operators that were read."""
    return [(each.slug, each.name, min(each.asns)) for each in operators if each.asns and not each.gateway]


def unreached_entries(entries: QuerySet[Entry], operators: Iterable[Operator] | None = None) -> QuerySet[Entry]:
    """Those of these entries that no active operator is to have. `operators`: the active ones, where they were read."""
    active = active_operators() if operators is None else operators
    if any(each.gateway for each in active):
        return entries.none()
    known = {asn for each in active for asn in each.asns}
    return entries.exclude(asns__overlap=sorted(known))


def mobile_operators() -> QuerySet[Operator]:
    """Active operators of mobile networks: those of whom prefixes are known."""
    return active_operators().exclude(number_prefixes=[]).order_by("slug")


def agent_keys_of(operator: Operator) -> QuerySet[AgentKey]:
    """The keys its agents sign with, those that were revoked too, oldest first."""
    return operator.agent_keys.order_by("pk")


def sessions_by_operator(*, now: dt.datetime) -> dict[object, list[str]]:
    """The sessions whose files each active operator may fetch: those it is led to, and those it left whose files are
    still there."""
    found: dict[object, list[str]] = defaultdict(list)
    since = now - rules.KEPT_UNREFERENCED
    rows = (
        Session.objects.filter(Q(closed_at=None) | Q(closed_at__gte=since), stream__followings__operator__active=True)
        .filter(Q(stream__followings__left_at=None) | Q(stream__followings__left_at__gte=since))
        .order_by("id")
        .values_list("stream__followings__operator", "id")
        .distinct()
    )
    for operator, session in rows:
        found[operator].append(session)
    return found


def known_sessions() -> set[str]:
    """Those that agents may still be in: open ones, and those that were left a short while ago."""
    return set(Session.objects.filter(closed_at=None).values_list("pk", flat=True))


# -- where entries stand -------------------------------------------------------------------------------------------

_RECEIVED = """
SELECT f.operator_id, n.stream_id, n.sequence, newest.standing, newest.sequence, good.applied_at, good.received_at
  FROM unnest(%s::bigint[], %s::bigint[]) AS n (stream_id, sequence)
  JOIN publish_delegation f ON f.stream_id = n.stream_id AND f.left_at IS NULL
  LEFT JOIN LATERAL (
    SELECT standing, sequence FROM publish_receipt r
     WHERE r.operator_id = f.operator_id AND r.stream_id = n.stream_id ORDER BY r.id DESC LIMIT 1) newest ON true
  LEFT JOIN LATERAL (
    SELECT applied_at, received_at FROM publish_receipt r
     WHERE r.operator_id = f.operator_id AND r.stream_id = n.stream_id AND r.standing = 'good'
       AND r.sequence >= n.sequence ORDER BY r.sequence, r.id LIMIT 1) good ON true
"""


def standing_of(entries: Iterable[Entry]) -> OperatorStanding:
    """Where these entries stand, all of them together: the last change to any of them counts.

    Only operators who are to have one of them are counted.
    """
    return standings_of({"": entries})[""]


def standings_of[K](groups: Mapping[K, Iterable[Entry]]) -> dict[K, OperatorStanding]:
    """The same for many groups of entries, in as many queries as for one."""
    # Of an address that is shared, the line by which the feed knows it.
    asked = {key: list({entry.line.pk: entry.line for entry in group}.values()) for key, group in groups.items()}
    lines = [entry for group in asked.values() for entry in group]
    if not lines:
        return {key: OperatorStanding(None, None, [], 0) for key in asked}
    asns = sorted({asn for entry in lines for asn in entry.asns})
    operators = list(active_operators().filter(Q(gateway=True) | Q(asns__overlap=asns)))
    rows: dict[object, list[Listing]] = defaultdict(list)
    for row in (
        Listing.objects.filter(entry__in=lines)
        .select_related("stream")
        .order_by("stream_id", "entry_id", "-from_sequence", "-pk")
        .distinct("stream_id", "entry_id")
    ):
        rows[row.entry_id].append(row)
    waiting = set(PendingChange.objects.filter(change__entry__in=lines).values_list("change__entry", flat=True))
    listed = {
        key: [row for entry in group for row in rows[entry.pk]]
        for key, group in asked.items()
        if group and waiting.isdisjoint(entry.pk for entry in group)
    }
    published = _published_at([row for group in listed.values() for row in group])
    lasts = {key: _last(group) for key, group in listed.items()}
    received = _received({pair for last in lasts.values() for pair in last.items()})
    found: dict[K, OperatorStanding] = {}
    for key, group in asked.items():
        entitled = [each for each in operators if _is_entitled(each, group)]
        living = [entry for entry in group if entry.ended_at is None]
        nobodys = len({entry.block for entry in living if not any(_is_entitled(each, [entry]) for each in operators)})
        shown = [row for row in listed.get(key, []) if row.stream.everything]
        if not group or len(shown) < len(group):
            found[key] = OperatorStanding(None, None, [], len(entitled), nobodys)
            continue
        sequence = max(row.from_sequence for row in shown)
        times = [published.get((row.stream_id, row.from_sequence)) for row in shown]
        moments = [at for at in times if at is not None]
        if len(moments) < len(times):
            found[key] = OperatorStanding(sequence, None, [], len(entitled), nobodys)
            continue
        there = _in_force(group, entitled, listed[key], published, lasts[key], received)
        found[key] = OperatorStanding(sequence, max(moments), there, len(entitled), nobodys)
    return found


def _is_entitled(operator: Operator, entries: Sequence[Entry]) -> bool:
    return bool(entries) and (
        operator.gateway or any(not set(operator.asns).isdisjoint(entry.asns) for entry in entries)
    )


def _published_at(rows: Sequence[Listing]) -> dict[tuple[int, int], dt.datetime]:
    if not rows:
        return {}
    wanted = {(row.stream_id, row.from_sequence) for row in rows}
    found = Edition.objects.filter(
        stream__in={stream for stream, _ in wanted}, sequence__in={sequence for _, sequence in wanted}
    ).values_list("stream", "sequence", "published_at")
    return {(stream, sequence): at for stream, sequence, at in found if at is not None}


def _last(rows: Iterable[Listing]) -> dict[int, int]:
    """In each stream, the last edition that changed one of these."""
    last: dict[int, int] = {}
    for row in rows:
        last[row.stream_id] = max(last.get(row.stream_id, 0), row.from_sequence)
    return last


type Received = dict[tuple[int, int, object], tuple[str | None, int | None, dt.datetime | None, dt.datetime | None]]


def _received(pairs: set[tuple[int, int]]) -> Received:
    """Of each stream and edition, what each operator that follows the stream said last, and when it first had it."""
    if not pairs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_RECEIVED, [[stream for stream, _ in pairs], [sequence for _, sequence in pairs]])
        return {
            (stream, sequence, operator): (standing, newest, applied_at, received_at)
            for operator, stream, sequence, standing, newest, applied_at, received_at in cursor.fetchall()
        }


def _in_force(
    asked: Sequence[Entry],
    entitled: Sequence[Operator],
    rows: Sequence[Listing],
    published: Mapping[tuple[int, int], dt.datetime],
    last: Mapping[int, int],
    received: Received,
) -> list[InForce]:
    listed: dict[int, set[object]] = defaultdict(set)
    for row in rows:
        listed[row.stream_id].add(row.entry_id)
    found = []
    for operator in entitled:
        theirs = {entry.pk for entry in asked if operator.gateway or not set(operator.asns).isdisjoint(entry.asns)}
        has: set[object] = set()
        times = []
        for stream, sequence in last.items():
            said = received.get((stream, sequence, operator.pk))
            at = published.get((stream, sequence))
            if said is None or at is None:
                continue
            standing, newest, applied_at, received_at = said
            # What an operator said last counts: one that has drifted since does not have it in force for certain.
            if standing == ReceiptStanding.GOOD and (newest or 0) >= sequence and applied_at and received_at:
                has |= listed[stream]
                times.append(rules.in_force_at(published_at=at, applied_at=applied_at, received_at=received_at))
        if times and theirs <= has:
            found.append(InForce(operator.name, max(times)))
    return found


# -- the feed as a whole -------------------------------------------------------------------------------------------


def feed_keys_exist() -> bool:
    return keys.online_folder(Path(settings.DATA)).is_dir()


def root_file() -> Path:
    """The root that agents are given to pin."""
    return Path(settings.DATA) / "feed" / METADATA / "1.root.json"


def stream_statuses() -> list[StreamStatus]:
    """Every stream that somebody follows and those of everything: these first."""
    found = Session.objects.filter(
        Q(stream__followed=True) | Q(stream__everything=True), closed_at=None, stream__retired_at=None
    ).select_related("stream")
    waiting: dict[int, int] = defaultdict(int)
    for stream in Edition.objects.filter(published_at=None).values_list("stream", flat=True):
        waiting[stream] += 1
    return [
        StreamStatus(
            each.stream,
            each.pk,
            each.sequence,
            each.entries,
            waiting[each.stream_id],
            each.stream.followings.filter(left_at=None).count(),
        )
        for each in found.order_by("-stream__everything", "stream__asns", "-stream__role")
    ]


def feed_status() -> FeedStatus:
    """For `rahdari feed status` and `rahdari doctor`. What cannot be read is said in `unreadable`."""
    repository = envelope.Repository(Path(settings.DATA))
    unreadable, expires, signed, behind = "", {}, [], {}
    led = list(active_operators().filter(followings__left_at=None, followings__isnull=False).distinct())
    streams = stream_statuses()
    if feed_keys_exist() and root_file().exists():
        try:
            expires = {
                "root": repository.root().signed.expires,
                "targets": repository.offline_targets().signed.expires,
            }
            for operator in led:
                said = repository.of(operator.repository).published()
                if said is not None:
                    signed.append(said)
            repository.check_reached((each.stream.role, each.session) for each in streams)
            lost = signing.behind(repository, led)
            behind = {operator.slug: lost[operator.pk] for operator in led if operator.pk in lost}
        except envelope.FeedUnusable as error:
            unreadable = str(error)
    for role in ROLES:
        ends = Stream.objects.filter(role=role, followings__left_at=None, followings__isnull=False).values_list(
            "signed_expires_at", flat=True
        )
        if dates := [at for at in ends if at is not None]:
            expires[role] = min(dates)
    if signed:
        expires["snapshot"] = min(each.snapshot_expires for each in signed)
        expires["timestamp"] = min(each.timestamp_expires for each in signed)
    return FeedStatus(
        keys_exist=feed_keys_exist(),
        unreadable=unreadable,
        shown=latest_edition(),
        streams=streams,
        repositories=len(signed),
        signed_at=min((each.signed_at for each in signed), default=None),
        behind=behind,
        waiting=changes_waiting(),
        to_publish=editions_to_publish().count(),
        expires=expires,
    )


def receipts_between(operator: Operator, start: dt.datetime, end: dt.datetime, *, most: int = 200) -> list[Receipt]:
    """What its agents said in this time, oldest first, and the last word before it."""
    found = Receipt.objects.filter(operator=operator).select_related("stream", "key")
    before = found.filter(received_at__lt=start).order_by("-id")[:1]
    return [*before, *found.filter(received_at__gte=start, received_at__lte=end).order_by("id")[:most]]


class AppliedByNetwork:
    """Which edition the operator of a network had applied last, by its receipts. Asked for once a minute."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self._clock, self._asked_at, self._found = clock, dt.datetime.min.replace(tzinfo=dt.UTC), dict[str, int]()

    def __call__(self, network: str) -> int | None:
        """`network` like AS64496."""
        now = self._clock()
        if now - self._asked_at >= dt.timedelta(minutes=1):
            self._asked_at, self._found = now, {}
            for operator in Operator.objects.filter(active=True):
                good = Receipt.objects.filter(operator=operator, standing=ReceiptStanding.GOOD)
                last = good.order_by("-id").values_list("sequence", flat=True).first()
                self._found |= {f"AS{number}": last for number in operator.asns if last is not None}
        return self._found.get(network)
