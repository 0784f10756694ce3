"""The line moves what waits, once, in order, and one item that fails holds nobody up."""

import datetime as dt

import pytest
from django.db import OperationalError

from rahdari import policy, workflow
from rahdari.apply import drafts, parts
from rahdari.apply.models import Application
from rahdari.checks import checking
from rahdari.decide import queries as decisions
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.register import queries as register
from rahdari.register.models import Change, Registration
from rahdari.register.rules import Standing
from rahdari.workflow.terms import months_later
from tests.builders import cases as builders
from tests.builders.cases import DAY, NOW, an_application

pytestmark = pytest.mark.django_db


def registration_of(application: Application) -> Registration:
    found = register.registration_from(application.subject)
    assert found is not None
    return found


class TestAdvance:
    def test_takes_an_application_from_sent_to_registered_in_one_run(self) -> None:
        application = an_application()
        moved = workflow.advance(now=NOW)
        assert {name: count for name, count in moved.items() if count} == {
            "apply -> checks": 1,
            "checks -> decide": 1,
            "decide -> register": 1,
        }
        registration = registration_of(application)
        assert [str(entry.block) for entry in registration.entries.all()] == [
            str(endpoint.network) for endpoint in application.endpoints.all()
        ]

    def test_a_second_run_moves_nothing(self) -> None:
        an_application()
        workflow.advance(now=NOW)
        assert not any(workflow.advance(now=NOW).values())
        assert Change.objects.count() == 1

    def test_goes_on_where_a_crash_between_any_two_steps_left_it(self) -> None:
        application = an_application()
        for step in workflow.STEPS:
            step.run(now=NOW)  # and then the process dies: the next one begins at the top
            workflow.STEPS[0].run(now=NOW)
        assert registration_of(application).entries.count() == 1
        assert Change.objects.count() == 1

    def test_one_application_that_fails_holds_nobody_up(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken, sound = an_application(), an_application()
        open_checks = checking.open_checks

        def fail_for_one(**facts: object) -> object:
            if facts["subject"] == broken.subject:
                raise ZeroDivisionError
            return open_checks(**facts)  # type: ignore[arg-type]

        monkeypatch.setattr(checking, "open_checks", fail_for_one)
        workflow.advance(now=NOW)
        assert registration_of(sound).entries.count() == 1
        assert register.registration_from(broken.subject) is None
        assert "could not move on" in caplog.text
        monkeypatch.undo()
        workflow.advance(now=NOW + dt.timedelta(minutes=1))
        assert registration_of(broken).entries.count() == 1

    def test_a_database_that_is_away_is_the_callers_business(self, monkeypatch: pytest.MonkeyPatch) -> None:
        an_application()

        def away(**facts: object) -> None:
            raise OperationalError

        monkeypatch.setattr(checking, "open_checks", away)
        with pytest.raises(OperationalError):
            workflow.advance(now=NOW)


class TestEnterGrants:
    def test_a_grant_that_another_holder_has_overtaken_goes_back_to_an_officer(self) -> None:
        first, second = an_application(address="203.0.113.9"), an_application(address="203.0.113.9")
        workflow.open_checks(NOW)
        workflow.decide_what_is_answered(NOW)  # both are granted: neither stood in the register yet
        workflow.enter_grants(NOW)
        entered = [each for each in (first, second) if register.registration_from(each.subject)]
        assert len(entered) == 1
        overtaken = second if entered == [first] else first
        case = decisions.case_of(overtaken)
        assert case is not None
        assert case.status == "open"
        assert not any(workflow.advance(now=NOW).values()), "and it waits there for a person"


class TestClocks:
    def test_reminds_60_30_and_7_days_before_the_end_once_each(self) -> None:
        application = an_application()
        workflow.advance(now=NOW)
        registration = registration_of(application)
        written = []
        for days in (61, 60, 60, 31, 30, 8, 7, 7):
            at = registration.valid_until - days * DAY + dt.timedelta(minutes=1)
            workflow.remind(at)
            written.append(letters.letters_about(f"registration:{registration.pk}").count())
        assert written == [0, 1, 1, 1, 2, 2, 3, 3]

    def test_deletes_a_draft_that_nobody_touched_and_keeps_what_was_sent(self) -> None:
        sent, applicant = an_application(), builders.a_person()
        actor = f"person:{applicant.pk}"
        draft = drafts.start_application(applicant=applicant, service="vpn_freelancer", actor=actor, now=NOW)
        parts.add_endpoint(application=draft, block="203.0.113.250", runs="wireguard", actor=actor, now=NOW)
        kept = policy.current(None).limits.draft_kept
        workflow.delete_idle_drafts(NOW + kept)
        assert Application.objects.filter(pk=draft.pk).exists(), "its last moment is not over yet"
        workflow.delete_idle_drafts(NOW + kept + DAY)
        assert not Application.objects.filter(pk=draft.pk).exists()
        assert Application.objects.filter(pk=sent.pk).exists()
        assert next(row.act for row in journal.about(draft.subject)) == "apply.deleted_idle_draft"

    def test_expires_at_the_end_of_the_grace_and_tells_the_holder_once(self) -> None:
        application = an_application()
        workflow.advance(now=NOW)
        registration = registration_of(application)
        workflow.advance(now=registration.valid_until)
        assert register.standing(registration_of(application), registration.valid_until) is Standing.VALID, "its grace"
        end = registration.stays_until
        for _ in range(2):
            workflow.advance(now=end)
        registration = registration_of(application)
        assert register.standing(registration, end) is Standing.EXPIRED
        told = letters.letters_about(f"registration:{registration.pk}").filter(template="registration_expired")
        assert told.count() == 1


class TestMonthsLater:
    @pytest.mark.parametrize(
        ("start", "months", "end"),
        [
            ((2026, 11, 10), 12, (2027, 11, 10)),
            ((2027, 8, 31), 6, (2028, 2, 29)),
            ((2026, 12, 31), 2, (2027, 2, 28)),
            ((2026, 1, 31), 1, (2026, 2, 28)),
            ((2026, 11, 30), 1, (2026, 12, 30)),
        ],
    )
    def test_keeps_the_day_or_takes_the_last_of_the_month(
        self, start: tuple[int, int, int], months: int, end: tuple[int, int, int]
    ) -> None:
        at = dt.datetime(*start, 5, 30, tzinfo=dt.UTC)
        assert months_later(at, months) == dt.datetime(*end, 5, 30, tzinfo=dt.UTC)
