"""What a round sees becomes rows where it is other, verdicts where it says something, and nothing without consent."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rahdari.probe import Attempt
from rahdari.register import actions as register
from rahdari.register.models import Entry
from rahdari.watch import asking, consents, erasing, queries, rescoring
from rahdari.watch.models import Conclusion, Consent, Measured, SeenFacts, Spell
from rahdari.watch.verdicts import Rule, State
from tests.probe.certificates import an_identity
from tests.vantage.places import LOOPBACK, a_vantage
from tests.vantage.test_process import Web

from .places import NOW, ROUND, SILENT, UP, Places, agreed, places

pytestmark = pytest.mark.django_db


@pytest.fixture
def land() -> Iterator[Places]:
    with places() as found:
        yield found


def state(consent: Consent) -> tuple[str, str]:
    found = queries.state_of(consent)
    assert found is not None
    return found.state, found.rule


class TestARound:
    def test_writes_what_became_other_and_nothing_for_what_is_the_same(self, land: Places) -> None:
        consent = agreed()
        assert land.round() == 1
        assert state(consent) == (State.IN_ORDER, Rule.REACHED)
        rows = Spell.objects.filter(consent=consent).count(), SeenFacts.objects.count()
        assert rows == (4, 1)
        with CaptureQueriesContext(connection) as asked:
            assert [land.round() for _ in range(5)] == [1] * 5
        # Only that we measured until now.
        assert {query["sql"].split()[0] for query in asked} <= {"SELECT", "UPDATE"}
        assert all("watch_measured" in query["sql"] for query in asked if query["sql"].startswith("UPDATE"))
        assert (Spell.objects.filter(consent=consent).count(), SeenFacts.objects.count()) == rows

    def test_names_an_operator_that_cuts_and_what_comes_after(self, land: Places) -> None:
        consent = agreed(agent=False)
        others = [agreed(f"203.0.113.{n}") for n in range(30, 34)]
        elsewhere = [agreed(f"198.51.100.{n}", asn=64501) for n in range(40, 44)]
        land.round()
        cut = {"203.0.113.24", *(f"203.0.113.{n}" for n in range(30, 34))}
        land.sees = lambda place, address: SILENT if address in cut and place != "in-1" else UP
        land.round()
        assert state(consent) == (State.PATH_BLOCKED, Rule.RUNS_INSIDE)
        land.round()
        assert {state(each) for each in (consent, *others)} == {(State.THIS_OPERATOR, Rule.CUT_TOGETHER)}
        assert {state(each)[0] for each in elsewhere} == {State.IN_ORDER}
        land.sees = lambda place, address: UP
        land.round()
        assert state(consent) == (State.IN_ORDER, Rule.REACHED)
        spans = queries.series_of(consent, since=NOW, now=land.at)
        said = [span.state for span in spans if span.state is not None]
        assert said == [State.IN_ORDER, State.PATH_BLOCKED, State.THIS_OPERATOR]
        assert all(before.ends == after.begins for before, after in pairwise(spans))

    def test_says_nothing_of_anybody_when_our_own_network_is_cut(
        self, land: Places, caplog: pytest.LogCaptureFixture
    ) -> None:
        consent = agreed()
        land.round()
        land.control, land.sees = {"out-1", "out-2", "out-3", "in-1"}, lambda place, address: SILENT
        land.round()
        assert state(consent) == (State.IN_ORDER, Rule.REACHED)
        assert queries.figures(land.at)["failed"]
        # As at each start, where the pages come up after the watch.
        assert "our own control endpoint" not in caplog.text
        land.round()
        assert "our own control endpoint" in caplog.text
        land.control, land.sees = set(), lambda place, address: UP
        land.round()
        gaps = [span for span in queries.series_of(consent, since=NOW, now=land.at) if span.ours]
        assert [(gap.begins, gap.ends) for gap in gaps] == [(land.at - 2 * ROUND, land.at - ROUND)]
        assert Measured.objects.filter(failed=True).count() == 1

    def test_looks_as_often_as_was_agreed_and_spreads_what_is_due(self, land: Places) -> None:
        agreed("203.0.113.30", personal=True)
        agreed("203.0.113.31")
        assert sum(land.round() for _ in range(12)) in {13, 14}
        asked = [str(request.address) for fake in land.fakes[:1] for request in fake.asked]
        assert asked.count("203.0.113.30") <= 2

    def test_asks_only_from_where_was_agreed(self, land: Places) -> None:
        agreed("203.0.113.30", inside=False)
        agreed("203.0.113.31", outside=False)
        land.round()
        seen = {fake.name: {str(each.address) for each in fake.asked} for fake in land.fakes}
        assert "203.0.113.30" not in seen["in-1"] and "203.0.113.30" in seen["out-1"]
        assert "203.0.113.31" in seen["in-1"] and "203.0.113.31" not in seen["out-1"]

    def test_goes_on_where_another_process_stopped(self, land: Places) -> None:
        consent = agreed()
        land.round()
        with places() as again:
            again.at = land.at
            again.round()
        assert Spell.objects.filter(consent=consent).count() == 4
        assert SeenFacts.objects.filter(consent=consent).count() == 1

    def test_over_real_vantages_and_a_real_server(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rahdari.watch.rounds.TIMEOUT", 30.0)
        identity = an_identity(tmp_path, "vpn.sample.example")
        consent = agreed(asn=64500)
        with (
            a_vantage(tmp_path / "a", name="a", network="AS64600") as one,
            a_vantage(tmp_path / "b", name="b", network="AS64601") as two,
            Web(identity).running() as web,
        ):
            control = Attempt(LOOPBACK, web.claim)
            consents.agree(
                feed_id=consent.feed_id,
                holder=consent.holder,
                personal=False,
                address=LOOPBACK,
                claim=web.claim,
                actor="user:sample",
                now=NOW,
            )
            with places(one, two, control=control) as land:
                land.at = dt.datetime.now(dt.UTC)
                land.round(after=dt.timedelta(0))
                land.rounds.board.take_due(land.at + ROUND, most=9)
                land.rounds.look_at(list(land.rounds.board.all.values()), dt.datetime.now(dt.UTC))
        assert state(consent) == (State.IN_ORDER, Rule.REACHED)


class TestWithdrawal:
    def test_in_mid_look_throws_away_what_comes_back(self, land: Places) -> None:
        consent, other = agreed(), agreed("203.0.113.31")

        # Between the looks and their record, where nothing else can see it.
        looks = land.rounds._looks

        def then_withdrawn(due, now):  # type: ignore[no-untyped-def]
            found = list(looks(due, now))
            consents.withdraw(feed_id=consent.feed_id, actor="user:sample", now=land.at)
            return found

        land.rounds._looks = then_withdrawn  # type: ignore[method-assign]
        land.round()
        assert not Spell.objects.filter(consent=consent).exists()
        assert not SeenFacts.objects.filter(consent=consent).exists()
        assert state(other) == (State.IN_ORDER, Rule.REACHED)
        land.rounds._looks = looks  # type: ignore[method-assign]
        assert land.round() == 1

    def test_erases_what_was_seen_and_what_is_asked(self, land: Places) -> None:
        consent = agreed()
        land.round()
        assert consents.withdraw(feed_id=consent.feed_id, actor="user:sample", now=land.at)
        consent.refresh_from_db()
        assert consent.asks == "" and not Spell.objects.filter(consent=consent).exists()
        assert not Conclusion.objects.exists()
        assert not consents.withdraw(feed_id=consent.feed_id, actor="user:sample", now=land.at)
        assert land.rounds.woken(land.at + ROUND) == 0

    def test_comes_by_itself_with_the_end_of_the_entry(self, land: Places) -> None:
        consent = agreed()
        assert erasing.end_with_the_entry(now=land.at) == 0
        entry = Entry.objects.get(feed_id=consent.feed_id)
        register.strike_out(registration=entry.registration, code="R1", actor="officer:sample", now=land.at)
        land.round()
        assert not SeenFacts.objects.exists()
        assert erasing.end_with_the_entry(now=land.at) == 1
        consent.refresh_from_db()
        assert consent.withdrawn_at == land.at


def test_kept_facts_give_the_same_verdicts_again(land: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    agreed()
    land.round()
    land.sees = lambda place, address: SILENT
    land.round()
    land.round()
    count = Conclusion.objects.count()
    assert count >= 2
    assert list(rescoring.lines(None, differences=9)) == [f"version 1 -> 1: {count} the same, 0 other"]
    assert list(rescoring.lines(land.at + ROUND, differences=9)) == ["version 1 -> 1: 0 the same, 0 other"]
    monkeypatch.setattr("rahdari.watch.verdicts.NETWORKS_NEEDED", 9)
    said = list(rescoring.lines(None, differences=1))
    assert "now it is not_enough (too_few_networks)" in said[0]
    assert said[-1].endswith(f"{count} other") and len(said) == 2


def test_persons_are_kept_for_thirty_days_and_only_changes(land: Places) -> None:
    person, firm = agreed("203.0.113.30", personal=True), agreed("203.0.113.31")
    hour = dt.timedelta(hours=1)
    land.round(after=hour)
    land.sees = lambda place, address: SILENT
    land.round(after=hour)
    assert all(spell.sketch == [] for spell in Spell.objects.filter(consent=person).exclude(ended_at=None))
    assert any(spell.sketch for spell in Spell.objects.filter(consent=firm).exclude(ended_at=None))
    assert erasing.erase_old(now=land.at + dt.timedelta(days=29)) == 0
    assert erasing.erase_old(now=land.at + dt.timedelta(days=31)) > 0
    assert SeenFacts.objects.filter(consent=person).count() == 1
    assert not Spell.objects.filter(consent=person).exclude(ended_at=None).exists()
    assert SeenFacts.objects.filter(consent=firm).count() > 1


def test_an_officer_sees_a_series_only_where_an_incident_lets_them(
    land: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = agreed()
    land.round()
    asked = {"officer": "officer:a", "feed_id": consent.feed_id, "since": NOW, "now": land.at}
    with pytest.raises(queries.SeriesNotFound):
        queries.series_for_officer(**asked)
    opened = lambda subject, officer, now: (subject, officer) == (consent.subject, "officer:a")  # noqa: E731
    monkeypatch.setattr(queries, "LETS_SEE", [opened])
    assert queries.series_for_officer(**asked)
    with pytest.raises(queries.SeriesNotFound):
        queries.series_for_officer(**(asked | {"officer": "officer:b"}))


class TestALookAskedFor:
    def test_comes_before_its_time_once_and_not_sooner_than_two_looks_in_a_row(self, land: Places) -> None:
        consent, beat = agreed(personal=True), dt.timedelta(seconds=10)
        holder = {"feed_id": consent.feed_id, "holder": consent.holder}
        assert land.round() == 1
        assert asking.ask(now=land.at, **holder) and not asking.ask(now=land.at + beat, **holder)
        assert land.round(after=beat) == 0, "5 minutes after the last one at the earliest"
        assert land.round() == 1
        consent.refresh_from_db()
        assert consent.looked_for_at == land.at
        # The schedule goes on from there; asked for again it is looked at again.
        assert [land.round(after=beat) for _ in range(3)] == [0, 0, 0]
        assert asking.ask(now=land.at + ROUND, **holder)
        assert [land.round(), land.round(after=beat)] == [1, 0]
        assert land.round(after=dt.timedelta(minutes=59)) == 0
        assert land.round(after=dt.timedelta(minutes=1)) == 1

    def test_is_in_front_of_what_is_due_and_within_the_bound_of_all(
        self, land: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = [agreed(f"203.0.113.{n}") for n in range(30, 34)]
        assert land.round() == 4
        rules = queries.rules_in_force()
        assert rules is not None
        monkeypatch.setattr(queries, "rules_in_force", lambda: replace(rules, most_a_minute=24))
        asking.ask(feed_id=found[-1].feed_id, holder=found[-1].holder, now=land.at)
        before = len(land.fakes[0].asked)
        assert land.round(after=ROUND * 2) == 1
        assert {str(each.address) for each in land.fakes[0].asked[before:]} >= {"203.0.113.33"}

    def test_is_made_by_nobody_else_and_without_consent_by_nobody(self, land: Places) -> None:
        consent = agreed()
        land.round()
        asked = {"feed_id": consent.feed_id, "now": land.at}
        assert not asking.ask(holder=uuid.uuid4(), **asked)
        consents.withdraw(feed_id=consent.feed_id, actor="user:sample", now=land.at)
        assert not asking.ask(holder=consent.holder, **asked)
        assert land.rounds.woken(land.at + ROUND) == 0
