"""The feed ties nobody's addresses together: what somebody learns who has every edition, and somebody with the last."""

import bisect
import dataclasses
import datetime as dt
import ipaddress
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.publish import cutting, reading
from rahdari.publish.models import Session
from rahdari.register import address_changes, rules
from rahdari.register.models import Change, Entry
from rahdari.register.rules import NewEntry, feed_fields
from tests.builders.publishing import NOW, entered

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
OVERLAP, REPORT_LASTS = dt.timedelta(minutes=10), dt.timedelta(hours=98)
MOMENTS = st.integers(0, 10 * 365 * 86_400).map(lambda seconds: NOW + dt.timedelta(seconds=seconds))


def told(kind: str, begin: dt.datetime, end: dt.datetime) -> tuple[str, str]:
    fields = feed_fields(
        feed_id="0" * 32,
        block=ipaddress.ip_network("203.0.113.24/32"),
        protocol="any",
        port=None,
        kind=kind,
        valid_from=begin,
        valid_until=end,
    )
    return fields["not_before"], fields["not_after"]


class TestTheTimes:
    @given(MOMENTS, st.timedeltas(dt.timedelta(seconds=1), 400 * DAY))
    def test_tell_the_day_and_cover_the_entry(self, begin: dt.datetime, term: dt.timedelta) -> None:
        before, after = told("static", begin, begin + term)
        assert before[10:] == after[10:] == "T00:00:00Z"
        assert before <= rules.stamp(begin) < rules.stamp(begin + term) <= after
        assert dt.datetime.fromisoformat(after) - (begin + term) < DAY

    @given(MOMENTS, st.timedeltas(dt.timedelta(seconds=1), 4 * DAY))
    def test_of_a_changing_address_tell_the_hour(self, begin: dt.datetime, term: dt.timedelta) -> None:
        before, after = told("dynamic", begin, begin + term)
        assert before[13:] == after[13:] == ":00:00Z"
        assert before <= rules.stamp(begin) < rules.stamp(begin + term) <= after
        assert dt.datetime.fromisoformat(after) - (begin + term) < HOUR


@pytest.mark.django_db
class TestASnapshot:
    def test_comes_in_an_order_that_tells_nothing_of_when_entries_came(self) -> None:
        for number in range(12):
            entered(*[f"203.0.{number}.{place}/32" for place in range(4)])
        for _ in range(2):  # the first opens the streams
            cutting.cut(now=NOW, checkpoint=lambda at: None, guard=lambda streams: None)
        session = Session.objects.get(stream__role="feed-static", stream__everything=True)
        listed = [entry.id for part in reading.entries_at(session.stream, session.sequence) for entry in part]
        by_number = Entry.objects.order_by("pk").values_list("feed_id", flat=True)
        assert listed == list(by_number), "the numbers are random (uuid4), and stand nowhere in the feed"


@pytest.mark.django_db
class TestWhoHasEveryEdition:
    """Twenty lines whose addresses change some ten times an hour, and what an adversary makes of it who knows the rules
    and sees each addition, each removal, and when."""

    LINES, MOVES = 20, 3

    def lines(self) -> list[Entry]:
        made = []
        for number in range(self.LINES):
            registration = entered(f"198.51.100.{number}/32")
            new = NewEntry(
                f"host:{number}", ipaddress.ip_network(f"203.0.{number}.0/32"), "udp", 51820, 64500, kind="dynamic"
            )
            new = dataclasses.replace(new, until=NOW + REPORT_LASTS)
            made.append(address_changes.add_entry(registration=registration, new=new, actor="person:1", now=NOW))
        return made

    def story(self, luck: random.Random) -> tuple[dict[str, dt.datetime], dict[str, dt.datetime], dict[str, str]]:
        """When each entry came, when each went, and by which each was followed in truth."""
        current = dict(enumerate(self.lines()))
        moments = sorted(
            (NOW + DAY + luck.random() * 6 * HOUR, number) for number in range(self.LINES) for _ in range(self.MOVES)
        )
        truth: dict[str, str] = {}
        for turn, (now, number) in enumerate(moments):
            address_changes.end_entries_due(now=now)
            old = Entry.objects.get(pk=current[number].pk)
            new = address_changes.move_entry(
                entry=old,
                block=ipaddress.ip_network(f"203.0.{number}.{turn + 1}/32"),
                asn=64500,
                origin=f"host:{number}:{turn}",
                until=now + REPORT_LASTS,
                overlap_until=now + OVERLAP,
                actor="host:1",
                now=now,
            )
            said = Change.objects.filter(at=now, entry__in=[old, new])
            assert [change.act for change in said] == ["move"], "the feed hears of the new one alone"
            truth[old.feed_id], current[number] = new.feed_id, new
        for entry in Entry.objects.filter(ended_at=None, valid_until__lt=NOW + 3 * DAY).order_by("valid_until"):
            address_changes.end_entries_due(now=entry.valid_until)
        moved = Change.objects.filter(act="move").select_related("entry")
        came = {change.entry.feed_id: change.at for change in moved}
        lapsed = Change.objects.filter(act="lapse").select_related("entry")
        went = {change.entry.feed_id: change.at for change in lapsed}
        return came, went, truth

    def test_links_an_address_to_the_next_no_better_than_by_guessing_among_those_of_an_hour(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        luck = random.Random(906)
        monkeypatch.setattr(rules.secrets, "randbelow", luck.randrange)
        came, went, truth = self.story(luck)
        assert set(went) == set(truth) and len(truth) == self.LINES * self.MOVES
        distances = {went[old] - came[new] for old, new in truth.items()}
        assert len(distances) == len(truth), "none is at a fixed distance"
        assert max(self.right(self.by_distance(came, went), truth), self.right(self.by_turn(came, went), truth)) < 0.25

    def by_distance(self, came: dict[str, dt.datetime], went: dict[str, dt.datetime]) -> dict[str, str]:
        """Of all that came, the one that is nearest to the middle of the time that an address stays."""
        middle = OVERLAP + HOUR / 2
        return {old: min(came, key=lambda new: abs(at - came[new] - middle)) for old, at in went.items()}

    def by_turn(self, came: dict[str, dt.datetime], went: dict[str, dt.datetime]) -> dict[str, str]:
        """Each that came to the first removal that its time allows."""
        left = sorted((at, old) for old, at in went.items())
        linked: dict[str, str] = {}
        for new, at in sorted(came.items(), key=lambda each: each[1]):
            place = bisect.bisect_left(left, (at + OVERLAP, ""))
            if place < len(left):
                linked[left.pop(place)[1]] = new
        return linked

    def right(self, linked: dict[str, str], truth: dict[str, str]) -> float:
        return sum(truth[old] == new for old, new in linked.items()) / len(truth)
