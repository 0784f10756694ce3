"""A registration that stands while one check waits: granted, confirmed, handed to an officer, never silently ended."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from rahdari import policy, workflow
from rahdari.apply.models import Application
from rahdari.checks import checking
from rahdari.checks import queries as checks
from rahdari.checks.rules import Answer
from rahdari.decide import assignment, due, granting
from rahdari.decide import queries as decisions
from rahdari.decide.models import Case, Decision
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.people.models import User
from rahdari.register import actions as registering
from rahdari.register import queries as register
from rahdari.register.models import Change, Registration
from rahdari.register.rules import Standing
from rahdari.workflow.terms import months_later
from tests.builders.cases import DAY, MINUTE, NOW, an_application, an_officer

pytestmark = pytest.mark.django_db
RULES = policy.current(None)


def provisional() -> tuple[Application, Registration]:
    """A freelancer with a profile on a platform: enough for now, one stronger proof is awaited."""
    application = an_application(evidence="work_profile")
    workflow.advance(now=NOW)
    return Application.objects.get(pk=application.pk), registration_of(application)


def registration_of(application: Application) -> Registration:
    found = register.registration_from(application.subject)
    assert found is not None
    return found


def case_of(application: Application) -> Case:
    found = decisions.case_of(application)
    assert found is not None
    return found


def answer(application: Application, result: str, *, now: dt.datetime) -> None:
    given = Answer("passed", "all_there") if result == "passed" else Answer("failed", "missing")
    assert checking.answer_check(
        subject=application.subject, kind="documents", target="", found=given, actor="system:workflow", now=now
    )


def written(about: str) -> list[str]:
    return [letter.template for letter in reversed(letters.letters_about(about))]


class TestGrant:
    def test_is_provisional_by_rule_with_code_term_and_letter(self) -> None:
        application, registration = provisional()
        decision = decisions.decision_of(case_of(application))
        assert decision is not None and decision.is_provisional and decision.provisional_codes == ["P2"]
        assert registration.provisional_code == "P2"
        assert registration.provisional_until == registration.valid_until == decision.provisional_until
        assert dt.timedelta(days=90) <= registration.valid_until - NOW < dt.timedelta(days=92)
        assert "application_granted_provisionally" in written(application.subject)
        acts = [row.act for row in journal.about(application.subject)]
        assert "decide.granted_provisionally" in acts and "decide.granted_by_rule" not in acts
        assert not any(workflow.advance(now=NOW).values()), "and nothing moves again by itself"

    def test_goes_to_an_officer_where_its_code_is_not_confirmed(self, settings: Any) -> None:
        settings.REASONS_TO_CONFIRM_ALLOWED = False
        application = an_application(evidence="work_profile")
        workflow.advance(now=NOW)
        assert case_of(application).status == "open"
        assert register.registration_from(application.subject) is None

    def test_is_never_rewritten(self) -> None:
        application, _registration = provisional()
        for change in ({"provisional_until": NOW + DAY}, {"provisional_codes": ["P1"]}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Decision.objects.filter(case__application=application).update(**change)


class TestConfirm:
    def test_gives_the_full_term_under_the_same_number_when_the_awaited_check_passes(self) -> None:
        application, before = provisional()
        answer(application, "passed", now=NOW + 5 * DAY)
        workflow.advance(now=NOW + 5 * DAY)
        after = registration_of(application)
        assert after.reference == before.reference and not after.is_provisional
        assert after.valid_until == months_later(before.valid_from, 12)
        assert [change.act for change in Change.objects.order_by("id")] == ["enter", "renew"], "no gap in the feed"
        assert written(f"registration:{after.pk}") == ["registration_confirmed"]
        decision = decisions.decision_of(case_of(application))
        assert decision is not None and decision.confirmed_at == NOW + 5 * DAY
        assert not any(workflow.advance(now=NOW + 5 * DAY).values())

    def test_comes_at_once_for_an_answer_of_now_and_within_a_minute_for_one_that_nobody_saw(self) -> None:
        (first, _), (second, _) = provisional(), provisional()
        rounds = workflow.Rounds()
        workflow.advance(now=NOW + MINUTE, rounds=rounds)
        answer(first, "passed", now=NOW + 2 * MINUTE)
        seen = due.provisional_with_news(NOW + 2 * MINUTE)
        assert [each.case.application for each in seen] == [first]
        assert not due.provisional_with_news(NOW + 13 * MINUTE).exists(), "only answers of late are read"
        answer(second, "passed", now=NOW + 2 * MINUTE)
        moved = workflow.advance(now=NOW + 13 * MINUTE, rounds=rounds)
        assert moved["register: settle those that were answered before"] == 2
        assert not registration_of(first).is_provisional and not registration_of(second).is_provisional

    def test_is_all_or_nothing_and_done_again_after_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        application, _before = provisional()
        answer(application, "passed", now=NOW + DAY)

        def fails(**facts: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("rahdari.register.actions.confirm_registration", fails)
        workflow.advance(now=NOW + DAY)
        decision = decisions.decision_of(case_of(application))
        assert decision is not None and decision.is_provisional, "the two rooms never say different things"
        monkeypatch.undo()
        workflow.advance(now=NOW + DAY + MINUTE)
        assert not registration_of(application).is_provisional


class TestReturn:
    def test_to_an_officer_when_it_fails_while_the_entry_stays(self) -> None:
        application, registration = provisional()
        answer(application, "failed", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        case = case_of(application)
        assert (case.status, case.lane) == ("open", "review")
        assert register.standing(registration_of(application), NOW + DAY) is Standing.VALID
        assert registration.entries.get().ended_at is None

    def test_to_an_officer_before_its_end_when_nothing_comes(self) -> None:
        application, registration = provisional()
        assert RULES.provisional is not None
        handed = registration.valid_until - dt.timedelta(days=RULES.provisional.officer_days_before)
        workflow.advance(now=handed - MINUTE)
        assert case_of(application).status == "decided"
        workflow.advance(now=handed)
        assert case_of(application).status == "open"

    def test_the_officer_may_grant_it_and_the_number_goes_on(self) -> None:
        application, before = provisional()
        answer(application, "failed", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        officer = an_officer()
        record_and_grant(case_of(application), officer, now=NOW + 2 * DAY)
        workflow.advance(now=NOW + 2 * DAY)
        after = registration_of(application)
        assert after.reference == before.reference and not after.is_provisional
        assert after.valid_until == months_later(before.valid_from, 12)
        assert "application_granted" in written(application.subject)


def record_and_grant(case: Case, officer: User, *, now: dt.datetime) -> None:
    assignment.take_case(case=case, officer=officer, now=now)
    check = checks.checks_of(case.application.subject).get(kind="documents")
    assignment.record_check(
        case=case, officer=officer, check=check.pk, outcome="passed", how="Seen in the office.", now=now
    )
    granting.grant(case=case, officer=officer, now=now)


class TestEnd:
    def test_is_reminded_of_on_the_days_that_the_policy_names(self) -> None:
        _application, registration = provisional()
        counts = []
        for days in (46, 45, 45, 16, 15, 3, 3):
            workflow.remind_of_provisional(registration.valid_until - days * DAY + MINUTE)
            counts.append(written(f"registration:{registration.pk}").count("registration_provisional_ends"))
        assert counts == [0, 1, 1, 1, 2, 3, 3]

    def test_has_no_letters_of_an_ordinary_term(self) -> None:
        _application, registration = provisional()
        assert workflow.remind(registration.valid_until - 30 * DAY + MINUTE) == 0

    def test_is_put_off_while_an_officer_has_the_case(self) -> None:
        application, registration = provisional()
        workflow.advance(now=registration.valid_until - DAY)  # to the officer, who does nothing
        workflow.advance(now=registration.valid_until - DAY)
        later = registration_of(application)
        assert later.valid_until > registration.valid_until and later.is_provisional
        workflow.advance(now=registration.valid_until + DAY)
        assert register.standing(later, registration.valid_until + DAY) is Standing.VALID

    def test_comes_with_its_term_and_not_before(self) -> None:
        application, registration = provisional()
        assert registering.expire_due(registration.valid_until - MINUTE) == 0
        assert registering.expire_due(registration.valid_until) == 1
        assert register.standing(registration_of(application), registration.valid_until) is Standing.EXPIRED
