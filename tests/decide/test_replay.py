"""Past cases under a draft: who would have gone another way, by what, and that nothing is written."""

import argparse
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from rahdari import policy
from rahdari.apply.models import Application
from rahdari.checks.models import Check
from rahdari.decide import commands, granting, queries, refusals, replay
from rahdari.decide.models import Case, Decision
from rahdari.decide.replay import Way
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from rahdari.policy import Policy
from tests.builders.cases import DAY, HOUR, NOW, a_case, a_decided_application

from .test_actions import LATER, answered, grantable

pytestmark = pytest.mark.django_db
SERVICE = "vpn_freelancer"


def draft(change: Callable[[dict[str, Any]], None] = lambda service: None) -> Policy:
    """The rules in force, with another service for freelancers."""
    data = json.loads(policy.freeze(policy.current(None)))
    change(data["services"][SERVICE])
    return policy.thaw(json.dumps(data))


def without(kind: str) -> Policy:
    def change(service: dict[str, Any]) -> None:
        service["checks"] = [each for each in service["checks"] if each["kind"] != kind]

    return draft(change)


def with_check(kind: str) -> Policy:
    def change(service: dict[str, Any]) -> None:
        service["checks"].append(
            {"kind": kind, "title": {"en": "More", "ur": "مزید"}, "required": True, "reason": "R3"}
        )

    return draft(change)


def never_provisional(service: dict[str, Any]) -> None:
    for check in service["checks"]:
        check.pop("provisional", None)


def closed(service: dict[str, Any]) -> None:
    service["open"] = False


def by_hand(officer: User) -> Case:
    case = grantable(a_case(), officer)
    granting.grant(case=case, officer=officer, now=LATER)
    return case


def run(of: Policy, *, limit: int | None = None, now: dt.datetime = LATER) -> replay.Replay:
    return replay.replay(of, now=now, limit=limit)


def moves(found: replay.Replay) -> list[tuple[Way, Way, tuple[str, ...]]]:
    return [(each.was, each.would_be, each.because) for each in found.in_order()]


class TestReplay:
    def test_finds_nothing_where_nothing_changes(self, officer: User) -> None:
        a_decided_application()
        a_decided_application(evidence="work_profile", text="https://profile.example/sample")
        by_hand(officer)
        found = run(draft())
        assert (found.cases, found.same, found.unknown, found.moved) == (3, 3, 0, [])

    def test_tells_what_no_officer_would_have_seen(self, officer: User) -> None:
        case = by_hand(officer)
        found = run(without("origin"))
        assert moves(found) == [(Way.OFFICER, Way.AT_ONCE, ("origin",))]
        assert found.moved[0].reference == case.application.reference
        assert not found.moved[0].is_worse

    def test_tells_what_an_officer_refused_and_a_rule_would_grant(self, officer: User, second: User) -> None:
        notice = answered(a_case(), officer)
        refusals.second_refusal(case=notice.case, officer=second, because="No.", now=LATER + 2 * HOUR)
        found = run(without("origin"), now=LATER + 3 * HOUR)
        assert [(each.was, each.outcome, each.would_be) for each in found.moved] == [
            (Way.OFFICER, "refused", Way.AT_ONCE)
        ]
        said = "\n".join(commands.lines(found, without("origin")))
        assert "to an officer (refused) -> granted at once: origin" in said

    def test_tells_what_would_wait_for_an_officer(self) -> None:
        a_decided_application(evidence="work_profile", text="https://profile.example/sample")
        found = run(draft(never_provisional))
        assert moves(found) == [(Way.PROVISIONAL, Way.OFFICER, ("documents",))]
        assert found.moved[0].is_worse

    def test_does_not_know_what_an_added_check_would_have_found(self) -> None:
        a_decided_application()
        found = run(with_check("operator"))
        assert moves(found) == [(Way.AT_ONCE, Way.DEPENDS, ("operator",))]
        assert found.moved[0].is_worse

    def test_tells_what_would_not_have_been_taken(self) -> None:
        a_decided_application()
        assert moves(run(draft(closed))) == [(Way.AT_ONCE, Way.NOT_TAKEN, ())]

    def test_leaves_out_what_does_not_follow_from_the_record(self) -> None:
        application = a_decided_application()
        Check.objects.filter(subject=application.subject, kind="origin").update(outcome="failed")
        found = run(without("origin"))
        assert (found.cases, found.unknown, found.moved) == (1, 1, [])

    def test_takes_a_check_as_it_was_when_the_case_was_decided(self) -> None:
        application = a_decided_application(evidence="work_profile", text="https://profile.example/sample")
        late = Check.objects.filter(subject=application.subject, kind="documents")
        assert late.update(outcome="passed", answered_at=LATER) == 1
        assert (run(draft()).same, run(draft()).unknown) == (1, 0)

    def test_puts_in_front_what_is_worse(self, officer: User) -> None:
        by_hand(officer)
        a_decided_application(evidence="work_profile", text="https://profile.example/sample")

        def change(service: dict[str, Any]) -> None:
            never_provisional(service)
            service["checks"] = [each for each in service["checks"] if each["kind"] != "origin"]

        found = run(draft(change))
        assert [each.is_worse for each in found.in_order()] == [True, False]
        assert list(found.numbers().values()) == [1, 1]

    def test_takes_the_last_year_or_the_last_cases(self) -> None:
        for days in (3, 2, 1):
            a_decided_application(now=NOW - days * DAY)
        assert run(draft()).cases == 3
        assert run(draft(), now=NOW + 363.5 * DAY).cases == 1
        assert run(draft(), limit=2, now=NOW + 900 * DAY).cases == 2
        assert [each.at for each in run(draft(closed), limit=1).moved] == [NOW - DAY]

    def test_leaves_out_what_is_erased_and_what_is_open(self) -> None:
        a_case()
        erased = a_decided_application()
        Application.objects.filter(pk=erased.pk).update(erased_at=NOW)
        assert run(draft()).cases == 0

    def test_reads_in_parts_and_asks_no_more_for_more(
        self, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            a_decided_application()
        run(draft())
        with django_assert_max_num_queries(9):
            assert run(draft()).cases == 5
        monkeypatch.setattr(replay, "AT_ONCE", 2)
        assert run(draft()).same == 5


class TestItChangesNothing:
    def test_for_the_database_lets_it_write_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        a_decided_application()

        def meddle(self: replay.Judge, found: replay.Replay, case: replay.PastCase, checks: object) -> None:
            Decision.objects.update(voided_why="meddled")

        monkeypatch.setattr(replay.Judge, "take_in", meddle)
        with pytest.raises(DatabaseError, match="read-only"), transaction.atomic():
            run(draft())

    def test_and_leaves_all_as_it_was(self, officer: User) -> None:
        by_hand(officer)
        rows = JournalEntry.objects.count(), list(Decision.objects.values()), list(Case.objects.values())
        run(without("origin"))
        assert rows == (JournalEntry.objects.count(), list(Decision.objects.values()), list(Case.objects.values()))
        assert queries.case_of(a_decided_application()) is not None, "others write on"


class TestTheCommand:
    def run(self, *words: str) -> int:
        parser = argparse.ArgumentParser()
        commands.register(parser.add_subparsers(dest="command", required=True))
        arguments = parser.parse_args(["policy", "replay", *words])
        result: int = arguments.run(arguments)
        return result

    @pytest.fixture(autouse=True)
    def the_time(self, time_machine: Any) -> None:
        time_machine.move_to(LATER, tick=False)

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """The bundled rules, in which the freelancers' service is closed."""
        before, name, rest = policy.BUNDLED.read_text(encoding="utf-8").partition(f"[services.{SERVICE}]\n")
        found = tmp_path / "draft.toml"
        found.write_text(before + name + rest.replace("open = true", "open = false", 1), encoding="utf-8")
        return found

    def test_tells_numbers_reasons_and_cases(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        application = a_decided_application()
        assert self.run(str(file)) == 0
        said = capsys.readouterr().out
        assert "1 decided cases. Nothing was decided again, and nobody was told." in said
        assert "The same: 0. Another way: 1, of them worse for the applicant: 1." in said
        assert "granted at once -> not taken: no such service, or not open" in said
        assert application.reference in said

    def test_tells_a_program_all_of_it(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        application = a_decided_application()
        assert self.run(str(file), "--limit", "5", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["cases"], told["same"], told["not_reproduced"]) == (1, 0, 0)
        assert told["numbers"] == [
            {
                "was": "granted at once",
                "outcome": "granted",
                "would_be": "not taken: no such service, or not open",
                "because": [],
                "count": 1,
            }
        ]
        assert (told["moved"][0]["reference"], told["moved"][0]["worse"]) == (application.reference, True)

    def test_judges_the_draft_first(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "broken.toml"
        file.write_text("format = 1", encoding="utf-8")
        assert self.run(str(file)) == 1
        assert "is missing" in capsys.readouterr().err

    def test_lists_no_more_than_a_person_reads(
        self, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "SHOWN", 1)
        a_decided_application()
        a_decided_application()
        self.run(str(file))
        assert "and 1 more; --json lists all." in capsys.readouterr().out
