"""The yearly question by the clock: due, late, once; its reminders; and whom it never asks."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from rahdari import workflow
from rahdari.apply.models import Application
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.policy import current, still_right_of
from rahdari.register import actions as register
from rahdari.register import queries, still_right
from rahdari.register.models import Registration, YearlyQuestion
from rahdari.workflow.still_right import ask_again, ask_whether_right
from tests.builders import story
from tests.builders.people import a_person
from tests.builders.shared import known_networks

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def granted(shared: None) -> Application:
    with known_networks():
        return story.a_granted_application(story.a_person())


@pytest.fixture
def registration(granted: Application, db: None) -> Registration:
    """Of a term of many years, as no bundled service has one."""
    found = story.registration_of(granted)
    until = found.valid_until + 3650 * DAY
    Registration.objects.filter(pk=found.pk).update(valid_until=until, grace_until=until)
    return queries.fresh(found)


def clock(now: dt.datetime) -> int:
    return ask_again(now=now) + ask_whether_right(now=now)


def letters(registration: Registration) -> list[str]:
    found = Letter.objects.filter(about=f"registration:{registration.pk}", template__startswith="still_right")
    return list(found.order_by("written_at").values_list("template", flat=True))


def the_last(registration: Registration) -> str:
    return str(Letter.objects.filter(about=f"registration:{registration.pk}").order_by("written_at").last().text)


class TestAsking:
    def test_is_a_letter_after_a_year_two_reminders_and_then_the_next_year(self, registration: Registration) -> None:
        year = registration.last_word_at + 366 * DAY
        assert clock(registration.last_word_at + 364 * DAY) == 0
        for days, sent in ((0, 1), (1, 1), (13, 1), (14, 2), (41, 2), (42, 3), (43, 3), (360, 3), (366, 4)):
            clock(year + DAY * days)
            assert len(letters(registration)) == sent, days
        assert letters(registration) == ["still_right", "still_right_again", "still_right_again", "still_right"]

    def test_says_that_nothing_ends_and_in_the_last_letter_whom_to_call(self, registration: Registration) -> None:
        year, phone = registration.last_word_at + 366 * DAY, "+92 51 000 0000"
        clock(year)
        assert "nothing ends because of that" in the_last(registration) and phone not in the_last(registration)
        clock(year + 14 * DAY)
        assert phone not in the_last(registration)
        clock(year + 42 * DAY)
        assert "nothing ends because of that" in the_last(registration) and phone in the_last(registration)

    def test_is_late_and_once_when_the_worker_was_dead(self, registration: Registration) -> None:
        late = registration.last_word_at + 500 * DAY
        for minutes in range(3):
            clock(late + dt.timedelta(minutes=minutes))
        assert letters(registration) == ["still_right"]
        # Dead again beyond both reminders: the second one keeps its distance from the first.
        for days, sent in ((80, 2), (81, 2), (107, 2), (109, 3), (200, 3)):
            clock(late + DAY * days)
            assert len(letters(registration)) == sent, days

    def test_is_undone_as_a_whole_when_the_worker_is_killed_before_its_letter_is_written(
        self, registration: Registration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from rahdari.workflow import still_right as step

        def killed(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        year = registration.last_word_at + 366 * DAY
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(step.letters, "write_letter", killed)
            clock(year)
        assert not YearlyQuestion.objects.exists() and letters(registration) == []
        clock(year)
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(step.letters, "write_letter", killed)
            clock(year + 14 * DAY)
        assert YearlyQuestion.objects.get().letters == 1
        clock(year + 15 * DAY)
        assert len(letters(registration)) == 2

    def test_stops_with_any_word_of_the_holder(self, registration: Registration) -> None:
        year = registration.last_word_at + 366 * DAY
        clock(year)
        register.note_word(registration, year + 3 * DAY)
        assert clock(year + 20 * DAY) == 0 and clock(year + 360 * DAY) == 0
        assert clock(year + 369 * DAY) == 1

    @pytest.mark.parametrize(
        "made",
        [
            {"suspended_at": timezone.now(), "suspended_code": "S2", "suspended_by": "person:1"},
            {"struck_out_at": timezone.now()},
            {"expired_at": timezone.now()},
            {"provisional_code": "P1"},
            {"category": "canary"},
        ],
        ids=["suspended", "struck out", "expired", "provisional", "canary"],
    )
    def test_leaves_out_what_is_not_valid_or_nobodys(self, registration: Registration, made: dict[str, Any]) -> None:
        if "provisional_code" in made:
            made = made | {"provisional_until": registration.valid_until}
        Registration.objects.filter(pk=registration.pk).update(**made)
        assert clock(registration.last_word_at + 366 * DAY) == 0

    def test_leaves_out_whose_renewal_is_near_as_under_every_rule_that_ships(self, granted: Application) -> None:
        found = story.registration_of(granted)
        assert all(clock(found.last_word_at + DAY * days) == 0 for days in range(0, 400, 7))

    def test_agrees_with_the_rule(self, registration: Registration) -> None:
        rules = still_right_of(current(None))
        assert rules is not None
        now = registration.last_word_at + 500 * DAY
        for said in (364, 366):
            for asked in (None, 364, 366):
                for ends in (101, 103):
                    at = {"last_word_at": now - DAY * said, "valid_until": now + DAY * ends}
                    Registration.objects.filter(pk=registration.pk).update(**at, grace_until=None)
                    YearlyQuestion.objects.all().delete()
                    asked_at = None if asked is None else now - DAY * asked
                    if asked_at is not None:
                        YearlyQuestion.objects.create(registration=registration, asked_at=asked_at)
                    found = queries.to_ask_whether_right(
                        silent_since=rules.silent_since(now), term_beyond=rules.renewal_opens_after(now)
                    )
                    assert found.exists() is rules.is_due(**at, asked_at=asked_at, now=now), (said, asked, ends)

    def test_goes_to_those_of_an_organisation_who_may_act_for_it(self, registration: Registration) -> None:
        owner, viewer = a_person("owner"), a_person("viewer")
        company = people.register_organisation(
            owner=owner, name="Sample Fibre", actor="system:test", now=timezone.now()
        )
        company.memberships.create(user=viewer, role="viewer", joined_at=timezone.now())
        Registration.objects.filter(pk=registration.pk).update(holder=company.holder_ref)
        clock(registration.last_word_at + 366 * DAY)
        assert [letter.to for letter in Letter.objects.filter(template="still_right")] == [owner]

    def test_is_a_step_of_the_line(self, registration: Registration) -> None:
        moved = workflow.advance(now=registration.last_word_at + 366 * DAY)
        assert moved["register: ask whether it is still right"] == 1


class TestTheLastWord:
    def test_is_the_grant_and_moves_with_a_yes_said_once(self, registration: Registration) -> None:
        assert registration.last_word_at == registration.created_at
        year = registration.last_word_at + 366 * DAY
        register.say_right(registration=registration, actor="person:1", now=year)  # nobody asked
        assert queries.fresh(registration).last_word_at == registration.created_at
        clock(year)
        for minutes in (1, 2):
            at = year + dt.timedelta(minutes=minutes)
            said = register.say_right(registration=registration, actor="letter", now=at)
            assert said is not None and said.settled_at == year + dt.timedelta(minutes=1)
        assert queries.fresh(registration).last_word_at == year + dt.timedelta(minutes=1)

    def test_opens_no_older_link_once_another_was_sent(self, registration: Registration) -> None:
        year = registration.last_word_at + 366 * DAY
        clock(year)
        first = still_right.token_of(YearlyQuestion.objects.get())
        assert still_right.question_of_link(reference=registration.reference, token=first) is not None
        clock(year + 14 * DAY)
        assert still_right.token_of(YearlyQuestion.objects.get()) == first, "a reminder has the same link"
        clock(year + 366 * DAY)
        assert still_right.question_of_link(reference=registration.reference, token=first) is None
