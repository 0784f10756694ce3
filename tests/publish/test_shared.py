"""The life of a shared address in the feed, in whatever order things happen, against the real database.

Three holders enter, are let in, end, leave, renew, expire and are given notice. After each step the feed lists an
endpoint exactly while an entry of it lives, once, under one id for as long as it is there, and until the last of them
ends.
"""

import datetime as dt
import ipaddress
import uuid
from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rahdari.publish import cutting
from rahdari.publish.models import Listing
from rahdari.register import actions as register
from rahdari.register import address_changes, changes, sharing
from rahdari.register.models import CoHolder, Entry, Registration
from rahdari.register.rules import NewEntry, published_end, stamp
from tests.needs import fewer

pytestmark = pytest.mark.django_db
BEGINNING = dt.datetime(2026, 11, 10, 9, 31, 7, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOLDERS = tuple(uuid.UUID(int=number) for number in (1, 2, 3))
BLOCK = ipaddress.ip_network("203.0.113.24/32")
WAYS: tuple[tuple[str, int | None], ...] = (("udp", 51820), ("any", None))
ACTS = ("enter", "let_in", "strike_out", "end", "retire", "renew", "notice", "stay", "end_part", "days")
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(1, 7), st.integers(0, 1)), min_size=4, max_size=18
)


class Life:
    """The acts of the register, each by who does it. What the register refuses changes nothing, and is left."""

    def __init__(self) -> None:
        self.now = BEGINNING

    def enter(self, who: int, much: int, way: int) -> None:
        protocol, port = WAYS[way]
        register.enter(
            origin=f"application:{uuid.uuid4()}",
            holder=HOLDERS[who],
            category="vpn_freelancer",
            endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", BLOCK, protocol, port, 64500)],
            valid_from=self.now,
            valid_until=self.now + much * 3 * DAY,
            actor="rule:1",
            now=self.now,
        )

    def let_in(self, who: int, much: int, way: int) -> None:
        agreed = [holder for place, holder in enumerate(HOLDERS) if much & (1 << place)]
        sharing.let_in(
            block=BLOCK, newcomer=HOLDERS[who], agreed=agreed, origin=str(uuid.uuid4()), actor="person:1", now=self.now
        )

    def strike_out(self, who: int, much: int, way: int) -> None:
        for each in Registration.objects.filter(holder=HOLDERS[who], entries__ended_at=None).distinct():
            register.strike_out(registration=each, code="X1", actor="person:1", now=self.now)

    def end(self, who: int, much: int, way: int) -> None:
        for entry in self.of(who)[:1]:
            address_changes.end_entry(entry=entry, why="yield", now=self.now)

    def retire(self, who: int, much: int, way: int) -> None:
        for entry in self.of(who)[:1]:
            address_changes.retire_entry(entry=entry, until=self.now + much * DAY, actor="person:1", now=self.now)

    def renew(self, who: int, much: int, way: int) -> None:
        for entry in self.of(who)[:1]:
            until = entry.registration.valid_until + much * DAY
            register.renew(registration=entry.registration, valid_until=until, actor="person:1", now=self.now)

    def notice(self, who: int, much: int, way: int) -> None:
        by, at = HOLDERS[(who + 1 + way) % 3], self.now + much * DAY
        for sharer in self.parts_of(who):
            sharing.leave(sharer=sharer, at=at, withdrawn_by=by, actor="person:1", now=self.now)

    def stay(self, who: int, much: int, way: int) -> None:
        for sharer in self.parts_of(who):
            sharing.stay(sharer=sharer, actor="person:1", now=self.now)

    def end_part(self, who: int, much: int, way: int) -> None:
        for sharer in self.parts_of(who):
            sharing.end_part(sharer=sharer, actor="person:1", now=self.now)

    def days(self, who: int, much: int, way: int) -> None:
        self.now += much * DAY
        register.expire_due(now=self.now)
        sharing.end_parts_due(now=self.now)
        address_changes.end_entries_due(now=self.now)

    def of(self, who: int) -> list[Entry]:
        found = Entry.objects.filter(holder=HOLDERS[who], ended_at=None).select_related("registration")
        return list(found.order_by("valid_from", "origin"))

    def parts_of(self, who: int) -> list[CoHolder]:
        return list(CoHolder.objects.filter(holder=HOLDERS[who], ended_at=None))


REFUSALS = (
    changes.BlockAlreadyEntered,
    sharing.NotAllAgreed,
    sharing.NotShareable,
    changes.NotValid,
)


def cut(now: dt.datetime) -> None:
    for _ in range(2):  # the first opens the streams
        cutting.cut(now=now, checkpoint=lambda name: None, guard=lambda streams: None)


def listed() -> list[dict[str, object]]:
    rows = Listing.objects.filter(until_sequence=None, stream__everything=True).select_related("change")
    return [row.change.snapshot for row in rows]


@settings(
    max_examples=fewer(25, 8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
@example(steps=[("enter", 0, 2, 0), ("let_in", 1, 1, 0), ("enter", 1, 7, 0), ("days", 0, 7, 0), ("end", 1, 1, 0)])
@example(
    steps=[
        ("enter", 0, 7, 0),
        ("let_in", 1, 1, 0),
        ("enter", 1, 7, 0),
        ("let_in", 2, 3, 0),
        ("strike_out", 0, 1, 0),
        ("enter", 2, 7, 0),
        ("notice", 1, 2, 0),
        ("days", 0, 2, 0),
    ]
)
def test_an_endpoint_is_listed_once_exactly_while_one_of_its_entries_lives(
    steps: list[tuple[str, int, int, int]],
) -> None:
    with transaction.atomic():
        try:
            go_through(steps)
        finally:
            transaction.set_rollback(True)


def go_through(steps: list[tuple[str, int, int, int]]) -> None:
    life, ids, done = Life(), dict[object, object](), set[str]()
    for act, who, much, way in steps:
        done.add(act)
        try:
            with transaction.atomic():
                getattr(life, act)(who, much, way)
        except REFUSALS:
            pass
        cut(life.now)
        living = list(Entry.objects.filter(ended_at=None))
        ends: dict[tuple[str, int | None], dt.datetime] = {}
        for entry in living:
            key = (entry.protocol, entry.port)
            ends[key] = max(ends.get(key, entry.valid_until), entry.valid_until)
        said = listed()
        assert Counter((each["protocol"], each["port"]) for each in said) == Counter(ends.keys())
        for each in said:
            key = (str(each["protocol"]), each["port"])
            told = stamp(published_end(ends[key], "static"))  # type: ignore[index]
            # Of what was left the feed tells the end when it comes.
            assert each["not_after"] >= told if "retire" in done else each["not_after"] == told
            assert ids.setdefault(key, each["id"]) == each["id"], "one line, as long as it is there"
        ids = {key: id for key, id in ids.items() if key in ends}
        holders = {entry.holder for entry in living}
        agreed = set(CoHolder.objects.filter(ended_at=None).values_list("holder", flat=True))
        assert len(holders) <= 1 or holders <= agreed
