"""What is in force where, how late each operator is, and how a monitoring system is told."""

import datetime as dt
import logging
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from rahdari.feed import EMPTY
from rahdari.publish import actions, metrics, operator_lag, queries, watching
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator
from rahdari.publish.rules import LagState
from rahdari.register import queries as registered
from rahdari.register.models import Entry, Registration
from rahdari.web.metrics_access import exposition as in_text
from tests.builders.publishing import NOW, address, an_operator, entered, moved, publish
from tests.needs import needs_program

from .receipts import SECOND, a_receipt, received

pytestmark = pytest.mark.django_db
RULES = Path(__file__).resolve().parents[2] / "deploy" / "alerts-register.yml"


def entries_of(registration: Registration) -> list[Entry]:
    return list(registered.entries_of(registration))


class TestStandingOf:
    def test_goes_from_nothing_to_published_to_in_force(self, feed: Repository) -> None:
        first, second = an_operator(), an_operator("sample-mobile")
        publish()
        registration = entered(address(1))
        entries = entries_of(registration)
        assert queries.standing_of(entries) == queries.OperatorStanding(None, None, [], 2)
        actions.cut_edition(now=NOW)
        assert queries.standing_of(entries) == queries.OperatorStanding(1, None, [], 2)
        publish(NOW + SECOND)
        assert queries.standing_of(entries) == queries.OperatorStanding(1, NOW + SECOND, [], 2)
        received(second, a_receipt(second, after=2 * SECOND), after=5 * SECOND)
        assert queries.standing_of(entries).in_force == [("Sample Mobile", NOW + 3 * SECOND)]
        received(first, a_receipt(first, after=3 * SECOND), after=5 * SECOND)
        in_force = queries.standing_of(entries).in_force
        assert in_force == [("Sample Fibre", NOW + 4 * SECOND), ("Sample Mobile", NOW + 3 * SECOND)]

    def test_counts_the_edition_of_the_last_change(self, feed: Repository, operator: Operator) -> None:
        publish()
        registration = entered(address(1), address(2))
        publish()
        received(operator)
        assert len(queries.standing_of(entries_of(registration)).in_force) == 1
        moved(registration, address(3))
        assert queries.standing_of(entries_of(registration)).sequence is None
        publish()
        standing = queries.standing_of(entries_of(registration))
        assert standing.sequence == 2 and standing.in_force == []

    def test_an_edition_that_came_later_has_it_too_and_the_first_one_gives_the_time(
        self, feed: Repository, operator: Operator
    ) -> None:
        publish()
        registration = entered(address(1))
        publish()
        for number in range(2, 5):
            entered(address(number))
            publish(NOW + number * SECOND)
        received(operator, a_receipt(operator, 3, after=SECOND), after=20 * SECOND)
        received(operator, a_receipt(operator, 4, after=SECOND), after=20 * SECOND)
        assert queries.standing_of(entries_of(registration)).in_force == [("Sample Fibre", NOW + 4 * SECOND)]

    def test_an_operator_that_has_drifted_since_does_not_count(self, feed: Repository, operator: Operator) -> None:
        registration = entered(address(1))
        publish()
        received(operator)
        received(operator, a_receipt(operator, digest=EMPTY))
        assert queries.standing_of(entries_of(registration)).in_force == []
        received(operator, a_receipt(operator, after=9 * SECOND), after=10 * SECOND)
        assert len(queries.standing_of(entries_of(registration)).in_force) == 1

    def test_an_operator_that_was_stopped_or_gets_others_does_not_count(
        self, feed: Repository, operator: Operator
    ) -> None:
        an_operator("sample-mobile", asns=[64501])
        registration = entered(address(1))
        publish()
        received(operator)
        assert queries.standing_of(entries_of(registration)).operators_total == 1
        actions.stop_operator(operator=operator, actor="officer:1", now=NOW)
        standing = queries.standing_of(entries_of(registration))
        assert (standing.in_force, standing.operators_total) == ([], 0)

    def test_of_no_entries_is_nothing(self, feed: Repository) -> None:
        assert queries.standing_of([]) == queries.OperatorStanding(None, None, [], 0)

    def test_names_the_operator_in_the_language_of_the_page(self, feed: Repository) -> None:
        operator = an_operator(name_ur="نمونہ فائبر")
        registration = entered(address(1))
        publish()
        received(operator)
        with translation.override("ur"):
            assert queries.standing_of(entries_of(registration)).in_force[0].name == "نمونہ فائبر"


def lag(at: dt.datetime) -> operator_lag.OperatorLag:
    return operator_lag.operators_with_lag(at)[0]


class TestOperatorsWithLag:
    def test_tells_how_late_and_how_far_behind(self, feed: Repository, operator: Operator) -> None:
        publish()
        assert lag(NOW).state is LagState.NEVER and not lag(NOW).in_sync
        received(operator, a_receipt(operator, after=2 * SECOND), after=3 * SECOND)
        seen = lag(NOW + 3600 * SECOND)
        assert (seen.state, seen.lag, seen.behind, seen.sequence) == (LagState.IN_SYNC, 2 * SECOND, 0, 0)
        assert seen.points == [operator_lag.Point("North gateway", "nft", 0, 0, True)]
        for number in (1, 2):
            entered(address(number))
            publish(NOW + 60 * number * SECOND)
        seen = lag(NOW + 90 * SECOND)
        assert (seen.state, seen.lag, seen.behind) == (LagState.IN_SYNC, 30 * SECOND, 2)
        assert (seen.register_sequence, seen.register_published_at) == (2, NOW + 120 * SECOND)
        assert lag(NOW + 361 * SECOND).state is LagState.BEHIND
        received(operator, a_receipt(operator, after=5 * SECOND), after=130 * SECOND)
        assert (lag(NOW + 400 * SECOND).lag, lag(NOW + 400 * SECOND).behind) == (5 * SECOND, 0)
        received(operator, a_receipt(operator, after=6 * SECOND, ok=False), after=131 * SECOND)
        seen = lag(NOW + 400 * SECOND)
        assert seen.state is LagState.INCOMPLETE and seen.sequence == 2 and not seen.points[0].ok
        received(operator, a_receipt(operator, after=7 * SECOND, digest=EMPTY), after=132 * SECOND)
        assert lag(NOW + 400 * SECOND).state is LagState.DRIFT

    def test_tells_of_the_stream_that_stands_worst(self, feed: Repository, operator: Operator) -> None:
        entered(address(1))
        entered(address(2), kind="dynamic")
        publish()
        received(operator, a_receipt(operator, role="feed-static"))
        assert lag(NOW + 10 * SECOND).state is LagState.NEVER, "it has said nothing of what is dynamic"
        received(operator, a_receipt(operator, role="feed-dynamic"))
        assert lag(NOW + 10 * SECOND).state is LagState.IN_SYNC
        received(operator, a_receipt(operator, role="feed-dynamic", after=3 * SECOND, digest=EMPTY))
        assert lag(NOW + 10 * SECOND).state is LagState.DRIFT

    def test_lists_past_lags_once_for_each_edition(self, feed: Repository, operator: Operator) -> None:
        publish()
        for number in range(3):
            entered(address(number))
            publish(NOW + number * SECOND)
            received(operator, a_receipt(operator, after=SECOND), after=30 * SECOND)
            received(operator, a_receipt(operator, after=9 * SECOND), after=30 * SECOND)
        lags = operator_lag.lags_of(operator=operator, since=NOW)
        assert [(past.sequences, past.lag) for past in lags] == [({"static": number}, SECOND) for number in (1, 2, 3)]
        assert operator_lag.lags_of(operator=operator, since=NOW + 31 * SECOND) == []

    def test_lists_what_was_published_at_one_moment_once_with_the_latest_of_it(
        self, feed: Repository, operator: Operator
    ) -> None:
        publish()
        entered(address(1))
        entered(address(2), kind="dynamic")
        publish(NOW + SECOND)
        received(operator, a_receipt(operator, role="feed-static", after=3 * SECOND), after=30 * SECOND)
        received(operator, a_receipt(operator, role="feed-dynamic", after=8 * SECOND), after=30 * SECOND)
        lags = operator_lag.lags_of(operator=operator, since=NOW)
        assert lags == [operator_lag.PastLag(lags[0].at, {"static": 1, "dynamic": 1}, 8 * SECOND)]


class TestWatchOperators:
    def test_says_once_that_one_fell_behind_and_once_that_it_is_back(
        self,
        feed: Repository,
        operator: Operator,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO, logger="rahdari.publish")
        publish()
        received(operator)
        entered(address(1))
        publish()

        def told(at: dt.timedelta) -> list[str]:
            caplog.clear()
            watching.watch_operators(now=NOW + at)
            return [record.message for record in caplog.records if "sample-fibre" in record.message]

        assert told(4 * 60 * SECOND) == []
        (behind,) = told(6 * 60 * SECOND)
        assert "sample-fibre is behind" in behind
        assert told(7 * 60 * SECOND) == []
        received(operator, a_receipt(operator), after=480 * SECOND)
        (back,) = told(9 * 60 * SECOND)
        assert "sample-fibre is in sync again" in back
        received(operator, a_receipt(operator, digest=EMPTY, after=2 * SECOND), after=600 * SECOND)
        (drift,) = told(11 * 60 * SECOND)
        assert "sample-fibre holds another set" in drift

    def test_looks_no_more_than_once_a_minute(
        self, feed: Repository, operator: Operator, django_assert_num_queries: Any
    ) -> None:
        watching.watch_operators(now=NOW + 3600 * SECOND)
        with django_assert_num_queries(0):
            watching.watch_operators(now=NOW + 3630 * SECOND)


def samples(text: str) -> dict[str, float]:
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line and not line.startswith("#")
    }


class TestMetrics:
    def test_tell_what_the_pages_tell(self, feed: Repository, operator: Operator) -> None:
        publish()
        received(operator)
        entered(address(1))
        publish(NOW + 60 * SECOND)
        entered(address(2))
        seen = samples(metrics.exposition(now=NOW + 600 * SECOND))
        name = 'operator="sample-fibre"'
        assert seen[f"rahdari_operator_lag_seconds{{{name}}}"] == 540
        assert seen[f"rahdari_operator_behind_editions{{{name}}}"] == 1
        assert seen[f"rahdari_operator_receipt_age_seconds{{{name}}}"] == 598
        assert seen[f'rahdari_operator_standing{{{name},standing="behind"}}'] == 1
        assert seen[f'rahdari_operator_standing{{{name},standing="in_sync"}}'] == 0
        assert seen['rahdari_feed_edition{role="feed-static"}'] == 1
        assert seen["rahdari_changes_waiting"] == 1 and seen["rahdari_oldest_change_seconds"] == 600
        assert seen["rahdari_feed_signature_age_seconds"] == 540
        assert seen["rahdari_holds_waiting"] == seen["rahdari_database_behind_feed"] == 0
        assert seen['rahdari_feed_expires_seconds{role="targets"}'] == 90 * 86400 - 600

    def test_are_there_before_anything_is(self, data: Path) -> None:
        seen = samples(metrics.exposition(now=NOW))
        assert seen["rahdari_changes_waiting"] == 0 and not any("operator" in name for name in seen)

    def test_name_no_address(self, feed: Repository, operator: Operator) -> None:
        entered("203.0.113.77/32")
        publish()
        assert "203.0.113.77" not in metrics.exposition(now=NOW)

    def test_escape_what_a_label_may_hold(self) -> None:
        text = in_text([("x", "y", [({"a": 'q"\\\n'}, 1.5)])])
        assert text.endswith('rahdari_x{a="q\\"\\\\\\n"} 1.5\n')

    def test_are_what_promtool_takes(self, feed: Repository, operator: Operator) -> None:
        publish()
        received(operator)
        page = metrics.exposition(now=NOW)
        for line in page.splitlines():
            if line.startswith("# TYPE"):
                assert line.endswith(" gauge")
        promtool = needs_program("promtool", "apt-get install prometheus")
        checked = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        linted = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
        assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.urls("rahdari.publish.urls")
class TestMetricsPage:
    def test_answers_this_machine_and_who_has_the_token(self, data: Path, settings: Any) -> None:
        assert Client().get("/metrics").status_code == 200
        away = Client(REMOTE_ADDR="192.0.2.7", raise_request_exception=False)
        assert away.get("/metrics").status_code == 404
        settings.METRICS_TOKEN = "sample-words-of-some-length"
        assert away.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).status_code == 200
        for other in ("Bearer sample", "Bearer ", f"Basic {settings.METRICS_TOKEN}", "Bearer نمونہ"):
            assert away.get("/metrics", headers={"Authorization": other}).status_code == 404
        # One that is guessed opens nothing.
        settings.METRICS_TOKEN = "x"
        assert away.get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 404

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
    def test_is_not_misled_by_a_proxy_on_this_machine(self, data: Path, header: str) -> None:
        passed_on = Client(raise_request_exception=False).get("/metrics", headers={header: "192.0.2.7"})
        assert passed_on.status_code == 404

    def test_is_read_only(self, data: Path) -> None:
        answer = Client().post("/metrics")
        assert answer.status_code == 405
        assert Client().get("/metrics")["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
