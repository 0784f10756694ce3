"""Rounds of the workflow: all steps that have nothing to do cost one query, and none is left out that has something."""

import datetime as dt
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from rahdari import workflow
from rahdari.apply.models import Application, Endpoint
from rahdari.checks.models import Check
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge
from rahdari.db import queues
from rahdari.db.queues import each_of
from rahdari.policy.loading import BUNDLED, SHIPPED
from rahdari.register.models import Change
from rahdari.vouch.models import MailOptOut
from rahdari.workflow.step import BY_THE_CLOCK, Step
from tests.builders.addresses import an_address
from tests.builders.cases import DAY, NOW, an_application
from tests.builders.drafts import a_draft
from tests.db.test_gate import questions

from .waiting import owing

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> workflow.Rounds:
    """Of a worker that has looked at everything, and found nothing, and knows of nothing that fails."""
    monkeypatch.setattr(queues, "_troubled", None)
    made = workflow.Rounds()
    for _ in range(2):
        workflow.advance(now=NOW, rounds=made)
    return made


def moved(rounds: workflow.Rounds, now: dt.datetime = NOW, *, woken: bool = True) -> dict[str, int]:
    return {name: count for name, count in workflow.advance(now=now, rounds=rounds, woken=woken).items() if count}


class TestARound:
    @pytest.mark.parametrize("name", sorted(SHIPPED))
    def test_goes_through_every_step_under_each_policy_that_ships(self, settings: Any, name: str) -> None:
        an_application()
        settings.POLICY_FILE = SHIPPED[name]
        for days in (0, 1, 400):
            workflow.advance(now=NOW + days * DAY)
        assert [(row.queue, row.item, row.error) for row in queues.failing()] == []

    def test_with_nothing_to_do_asks_one_query_for_all_steps(self, rounds: workflow.Rounds) -> None:
        an_application()
        assert moved(rounds)
        assert moved(rounds) == {}
        with CaptureQueriesContext(connection) as asked:
            assert moved(rounds, NOW + SECOND) == {}
        assert len(questions(asked)) == 1, "\n".join(each["sql"][:200] for each in asked)

    def test_asks_of_every_step_that_has_no_rest_of_its_own(self) -> None:
        unasked = [step.name for step in workflow.STEPS if not step.rests and len(step.queues) < len(step.parts)]
        assert unasked == []

    def test_makes_its_question_without_a_query(self) -> None:
        first = workflow.Rounds()
        with CaptureQueriesContext(connection) as asked:
            assert all(queue.found(NOW) is not None for queue in first.gate.queues)
        assert len(asked) == 0
        with CaptureQueriesContext(connection) as asked:
            first.gate.ask(NOW)
        assert len(questions(asked)) == 1

    def test_takes_an_application_all_the_way(self, rounds: workflow.Rounds) -> None:
        an_application()
        assert moved(rounds, NOW + SECOND) == {"apply -> checks": 1, "checks -> decide": 1, "decide -> register": 1}
        assert Change.objects.count() == 1

    def test_with_one_application_that_a_rule_grants_asks_so_many_queries(self, rounds: workflow.Rounds) -> None:
        an_application()
        with CaptureQueriesContext(connection) as asked:
            assert moved(rounds, NOW + SECOND)["decide -> register"] == 1
        assert len(asked) <= 103, "\n".join(each["sql"][:200] for each in asked)

    def test_runs_a_step_that_gains_work_within_it_and_none_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reads, fills = Step("reads", queue_of("b", leaves="")), Step("fills", queue_of("a", leaves="b"))
        monkeypatch.setattr(workflow, "STEPS", (reads, fills, Step("reads after", reads.run)))
        rounds = workflow.Rounds()
        assert moved(rounds) == {}
        MailOptOut.objects.create(address_index="a", at=NOW)
        assert workflow.advance(now=NOW, rounds=rounds) == {"reads": 0, "fills": 1, "reads after": 1}

    def test_alone_asks_of_the_steps_that_rest_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        step = Step("rests", queue_of("a", leaves="b"), rests=dt.timedelta(hours=1))
        monkeypatch.setattr(workflow, "STEPS", (step, Step("goes on", queue_of("b", leaves=""))))
        with CaptureQueriesContext(connection) as asked:
            assert workflow.advance(now=NOW) == {"rests": 0, "goes on": 0}
        assert len(questions(asked)) == 1
        MailOptOut.objects.create(address_index="a", at=NOW)
        assert workflow.advance(now=NOW) == {"rests": 1, "goes on": 1}

    def test_meets_a_policy_that_is_put_in_force_between_two(
        self, rounds: workflow.Rounds, settings: Any, tmp_path: Path
    ) -> None:
        draft = a_draft()
        Application.objects.filter(pk=draft.pk).update(updated_at=NOW - 10 * DAY)
        assert moved(rounds, NOW + 10 * SECOND) == {}
        settings.POLICY_FILE = tmp_path / "policy.toml"
        rules, days = re.subn(r"(?m)^(draft(?:_kept)? = .*length =) 30,", r"\1 5,", BUNDLED.read_text(encoding="utf-8"))
        assert days == 2  # how long a draft is kept, among the limits and with what is retained
        settings.POLICY_FILE.write_text(rules, encoding="utf-8")
        assert moved(rounds, NOW + 11 * SECOND) == {"apply: delete idle drafts": 1}

    def test_runs_all_unasked_every_ten_minutes(self, rounds: workflow.Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rounds.gate, "ask", lambda _now: frozenset())  # it is wrong
        an_application()
        assert moved(rounds, NOW + 10 * MINUTE - SECOND) == {}
        assert moved(rounds, NOW + 10 * MINUTE)["decide -> register"] == 1

    def test_runs_all_when_it_cannot_ask(self, rounds: workflow.Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(_now: dt.datetime) -> frozenset[Any]:
            raise ZeroDivisionError

        monkeypatch.setattr(queues, "_troubled", None)
        monkeypatch.setattr(rounds.gate, "ask", broken)
        an_application()
        assert moved(rounds, NOW + SECOND)["decide -> register"] == 1
        assert [str(each) for each in queues.failing()] == ["workflow what waits"]

    def test_rests_where_what_waits_for_a_clock_cannot_be_moved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tried: list[dt.datetime] = []
        MailOptOut.objects.create(address_index="a", at=NOW)
        step = Step("stays", queue_of("a", leaves="a", tried=tried.append), clock=True)
        monkeypatch.setattr(workflow, "STEPS", (step,))
        rounds = workflow.Rounds()
        for seconds in range(8):
            moved(rounds, NOW + seconds * SECOND)
        assert tried == [NOW, NOW + BY_THE_CLOCK]

    def test_leaves_what_waits_for_somebody_until_it_is_woken(self, rounds: workflow.Rounds) -> None:
        _, owed = owing(an_address())
        assert Check.objects.filter(outcome="waiting").exists()
        assert moved(rounds, NOW + SECOND) == {}
        with CaptureQueriesContext(connection) as asked:
            assert moved(rounds, NOW + 2 * SECOND, woken=False) == {}
        assert len(questions(asked)) == 1
        prove(owed)
        assert moved(rounds, NOW + 3 * SECOND, woken=False) == {}
        assert moved(rounds, NOW + 3 * SECOND)["decide -> register"] == 1

    def test_sees_it_within_ten_seconds_when_a_wake_up_is_lost(self, rounds: workflow.Rounds) -> None:
        _, owed = owing(an_address())
        assert moved(rounds, NOW + SECOND) == {}
        prove(owed)
        assert moved(rounds, NOW + SECOND + workflow.IN_VAIN, woken=False)["decide -> register"] == 1


def prove(endpoint: Endpoint) -> None:
    challenge = Challenge.objects.get(subject=endpoint.subject)
    there = ipaddress.ip_address(challenge.network.network_address)
    challenges.open_link(token=proofs.link_token(challenge), address=there, now=NOW)


def queue_of(
    name: str, *, leaves: str, tried: Callable[[dt.datetime], None] = lambda _now: None
) -> queues.Queue[MailOptOut]:
    def found() -> QuerySet[MailOptOut]:
        return MailOptOut.objects.filter(address_index=name).order_by("at", "address_index")

    @each_of(found)
    def move(row: MailOptOut, now: dt.datetime) -> bool:
        tried(now)
        MailOptOut.objects.filter(pk=row.pk).update(address_index=leaves)
        return leaves != name

    return move
