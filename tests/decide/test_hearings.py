"""A holder is heard before a registration is taken back: asked for, set, moved, held or not, and written down."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.decide import case_clock, deadlines, hearings, recusing, revocation, transitions
from rahdari.decide.models import Case, Hearing, Notice, Revocation
from rahdari.decide.rules import CannotSecond, HearingOutcome, HearingState
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import Standing
from tests.builders.cases import DAY, HOUR, MINUTE, NOW, PAPER, a_case

from .test_fair_revocation import acts_of, open_notice, text_of_last_letter
from .test_revocation import LATER, answered, granted, letters_to, proposed

pytestmark = pytest.mark.django_db
ASKED = LATER + 2 * HOUR
PLACE = "Sample Road 1, Sample City, room 2"


def asked(officer: User, code: str = "S4") -> tuple[Case, Registration]:
    """A notice that was answered, and whose holder wants to be heard."""
    case, found = granted()
    proposed(case, officer, code)
    answered(case)
    hearings.ask_for_hearing(notice=open_notice(case), actor=f"person:{case.application.applicant_id}", now=ASKED)
    return case, found


def first_day(case: Case, now: dt.datetime = ASKED) -> dt.datetime:
    return case_clock.notice_heard_between(open_notice(case), now)[0] + HOUR


def set_for(case: Case, officer: User, at: dt.datetime, *, now: dt.datetime = ASKED, why: str = "") -> Hearing:
    return hearings.set_hearing(case=case, officer=officer, starts_at=at, place=PLACE, why=why, now=now)


def decide(case: Case, officer: User, now: dt.datetime) -> Revocation:
    return revocation.second_revocation(case=case, officer=officer, because="Two proofs failed.", now=now)


class TestAskForHearing:
    def test_keeps_the_second_officer_back(self, officer: User, second: User) -> None:
        case, found = asked(officer)
        with pytest.raises(transitions.MayNotSecond) as error:
            decide(case, second, ASKED + HOUR)
        assert error.value.why == CannotSecond.HEARING
        assert revocation.waiting(officer=second, now=ASKED + HOUR)[0][1] == CannotSecond.HEARING
        assert entries.standing(entries.fresh(found), ASKED) is Standing.VALID
        # To drop the proposal harms nobody.
        revocation.keep_registration(case=case, officer=second, why="It was proved again.", now=ASKED + HOUR)

    def test_changes_nothing_the_second_time(self, officer: User) -> None:
        case, _found = asked(officer)
        again = hearings.ask_for_hearing(notice=open_notice(case), actor="person:x", now=ASKED + DAY)
        assert again.hearing_asked_at == ASKED
        assert acts_of(case).count("decide.asked_for_hearing") == 1

    def test_is_possible_before_and_after_the_answer_and_not_after_the_decision(
        self, officer: User, second: User
    ) -> None:
        case, _found = granted()
        proposed(case, officer, "S4")
        notice = open_notice(case)
        assert hearings.may_ask(notice)
        answered(case)
        assert hearings.may_ask(open_notice(case))
        decide(case, second, LATER + DAY)
        with pytest.raises(transitions.NotPossibleNow):
            hearings.ask_for_hearing(notice=notice, actor="person:x", now=LATER + DAY)

    def test_gives_the_officers_time_to_hold_it(self, officer: User) -> None:
        case, _found = granted()
        proposed(case, officer, "S4")
        answered(case)
        before = open_notice(case).decide_by
        hearings.ask_for_hearing(notice=open_notice(case), actor="person:x", now=ASKED)
        after = open_notice(case).decide_by
        assert before is not None and after is not None and after > before


class TestSetHearing:
    def test_tells_the_holder_day_and_place_long_before(self, officer: User) -> None:
        case, _found = asked(officer)
        hearing = set_for(case, officer, first_day(case))
        assert hearing.starts_at - ASKED >= 7 * DAY
        assert letters_to(case)[-1] == "hearing_set"
        assert PLACE in text_of_last_letter(case)

    def test_is_refused_too_soon_too_late_and_unasked(self, officer: User) -> None:
        case, _found = asked(officer)
        for at in (ASKED + 6 * DAY, ASKED + 90 * DAY):
            with pytest.raises(hearings.NotThen) as error:
                set_for(case, officer, at)
            assert error.value.earliest < error.value.latest
        other, _found = granted()
        proposed(other, officer, "S4")
        with pytest.raises(transitions.NotPossibleNow):
            set_for(other, officer, ASKED + 10 * DAY)

    def test_leaves_room_also_long_after_the_answer(self, officer: User) -> None:
        case, _found = asked(officer)
        now = ASKED + 14 * DAY
        hearing = set_for(case, officer, first_day(case, now), now=now)
        decide_by = open_notice(case).decide_by
        assert hearing.starts_at > now
        assert decide_by is not None and decide_by > hearing.starts_at + 10 * DAY, "it begins with the day that is set"

    def test_moves_it_twice_and_no_more_with_a_sentence(self, officer: User, second: User) -> None:
        case, _found = asked(officer)
        day = first_day(case)
        set_for(case, officer, day)
        with pytest.raises(transitions.ReasonNeeded):
            set_for(case, officer, day + DAY)
        for days in (1, 2):
            set_for(case, second, day + days * DAY, now=ASKED + days * HOUR, why="The room is closed.")
        assert letters_to(case)[-1] == "hearing_set" and "moved" in text_of_last_letter(case)
        with pytest.raises(hearings.MovedTooOften):
            set_for(case, officer, day + 3 * DAY, now=ASKED + 3 * HOUR, why="Again.")
        outcomes = [each.outcome for each in hearings.hearings_of(open_notice(case))]
        assert outcomes == [HearingOutcome.MOVED, HearingOutcome.MOVED, ""]
        assert open_notice(case).hearing == HearingState.ASKED, "a hearing that was moved is still to come"


class TestAHearingWhileTheOfficeIsClosed:
    """The first day is Tuesday, 24 November 2026."""

    @pytest.mark.parametrize(
        ("at", "near"),
        [
            ("24 03:00", ["24 09:00 13:00"]),
            ("24 08:59", ["24 09:00 13:00"]),
            ("24 13:10", ["24 09:00 13:00", "24 13:30 17:00"]),
            ("24 17:00", ["24 13:30 17:00", "25 09:00 13:00"]),
            ("28 11:00", ["27 14:30 17:00", "30 09:00 13:00"]),
        ],
    )
    def test_is_not_set_and_the_nearest_times_are_named(self, officer: User, at: str, near: list[str]) -> None:
        case, _found = asked(officer)
        zone = case_clock.calendar().zone_info
        with pytest.raises(hearings.NotOpenThen) as error:
            set_for(case, officer, dt.datetime.fromisoformat(f"2026-11-{at}").replace(tzinfo=zone))
        assert [f"{opens:%d %H:%M} {closes:%H:%M}" for opens, closes in error.value.near] == near
        for opens, closes in error.value.near:
            with transaction.atomic():
                set_for(case, officer, closes - MINUTE)
                transaction.set_rollback(True)
            with transaction.atomic():
                set_for(case, officer, opens)
                transaction.set_rollback(True)


class TestRecordHearing:
    def test_lets_the_second_officer_decide_and_the_holder_read_what_was_said(
        self, officer: User, second: User, time_machine: Any
    ) -> None:
        case, found = asked(officer)
        day = first_day(case)
        set_for(case, officer, day)
        with pytest.raises(hearings.NotSet):
            hearings.record_hearing(
                case=case, officer=officer, attended="The holder", minutes="Said.", now=day - MINUTE
            )
        facts = {"case": case, "officer": officer, "now": day + HOUR}
        with pytest.raises(transitions.ReasonNeeded):
            hearings.record_hearing(attended="The holder", minutes=" ", **facts)  # type: ignore[arg-type]
        with pytest.raises(transitions.ReasonNeeded):
            hearings.record_hearing(attended=" ", minutes="Said.", **facts)  # type: ignore[arg-type]
        minutes = "The router was off for two days, and is on again."
        hearings.record_hearing(attended="The holder, alone", minutes=minutes, **facts)  # type: ignore[arg-type]
        notice = open_notice(case)
        assert notice.hearing == HearingState.OVER
        assert notice.decide_by is not None and notice.decide_by > day + HOUR
        assert letters_to(case)[-1] == "hearing_held" and minutes in text_of_last_letter(case)
        time_machine.move_to(day + HOUR)
        holder = Client()
        holder.force_login(case.application.applicant)
        page = holder.get(reverse("portal:notice", args=[case.application.reference])).text
        assert minutes in page and "The holder, alone" in page
        decide(case, second, day + 2 * HOUR)
        assert entries.standing(entries.fresh(found), day + DAY) is Standing.SUSPENDED
        assert minutes in holder.get(reverse("portal:registration", args=[found.reference])).text
        desk = Client()
        desk.force_login(second)
        desk.post(reverse("decide:why", args=[case.application.reference]), {"why": "complaint"})
        assert minutes in desk.get(reverse("decide:revoke", args=[case.application.reference])).text

    def test_of_one_to_which_nobody_came_lets_the_case_go_on(self, officer: User, second: User) -> None:
        case, _found = asked(officer)
        day = first_day(case)
        set_for(case, officer, day)
        hearings.record_hearing(
            case=case, officer=second, attended="", minutes="I waited 45 minutes.", nobody_came=True, now=day + HOUR
        )
        assert "Nobody came to the hearing" in text_of_last_letter(case)
        assert acts_of(case)[0] == "decide.nobody_came"
        decide(case, second, day + 2 * HOUR)

    def test_says_nothing_of_nobody_where_the_letter_came_back(self, officer: User, second: User) -> None:
        case, _found = asked(officer)
        day = first_day(case)
        set_for(case, officer, day)
        letters = Letter.objects.filter(template="hearing_set")
        letters.update(state="failed")
        said = {"case": case, "officer": second, "attended": "", "minutes": "I waited.", "nobody_came": True}
        with pytest.raises(hearings.NotTold):
            hearings.record_hearing(now=day + HOUR, **said)  # type: ignore[arg-type]
        # It is no move of the officer's: two are left. And each of them comes back, too.
        for _ in range(hearings.MOST_MOVES + 2):
            now = day + HOUR
            day = first_day(case, now)
            set_for(case, officer, day, now=now, why="The letter came back.")
            letters.update(state="failed")
        letters.filter(written_at=now).update(read_at=now + DAY)
        hearings.record_hearing(now=day + HOUR, **said)  # type: ignore[arg-type]

    def test_is_not_open_to_an_officer_who_left_the_case(self, officer: User, second: User) -> None:
        case, _found = asked(officer)
        day = first_day(case)
        set_for(case, officer, day)
        recusing.recuse(case=case, officer=second, why="A neighbour.", now=ASKED)
        with pytest.raises(transitions.Recused):
            hearings.record_hearing(case=case, officer=second, attended="All", minutes="Said.", now=day + HOUR)


class TestWithoutAnOfficer:
    def test_no_day_set_is_no_way_to_wait_for_ever(self, officer: User) -> None:
        case, found = asked(officer)
        due = open_notice(case).decide_by
        assert due is not None
        late = due + 3 * DAY
        assert deadlines.close_unanswered(now=late) == 1
        assert letters_to(case)[-1] == "registration_stays"
        assert entries.standing(entries.fresh(found), late) is Standing.VALID

    def test_a_day_that_passed_unrecorded_is_no_way_either(self, officer: User) -> None:
        case, _found = asked(officer)
        day = first_day(case)
        set_for(case, officer, day)
        due = open_notice(case).decide_by
        assert due is not None and due > day
        assert deadlines.close_unanswered(now=due + MINUTE) == 1
        with pytest.raises(transitions.NotPossibleNow):
            hearings.record_hearing(case=case, officer=officer, attended="All", minutes="Said.", now=due + HOUR)


class TestDatabase:
    def test_takes_nothing_back_before_a_hearing_that_was_asked_for(self, officer: User, second: User) -> None:
        case, found = asked(officer)
        with pytest.raises(DatabaseError, match="after the hearing"), transaction.atomic():
            Revocation.objects.create(
                case=case,
                registration=found,
                notice=open_notice(case),
                kind="suspension",
                codes=["S4"],
                proposed_by=officer,
                seconded_by=second,
                decided_by=f"officer:{second.pk}",
                rule_version="1",
                at=ASKED + HOUR,
                ends_at=ASKED + 90 * DAY,
                appeal_until=ASKED + 30 * DAY,
            )

    def test_takes_no_hearing_for_over_that_was_not_held(self, officer: User) -> None:
        case, _found = asked(officer)
        row = Notice.objects.filter(case=case)
        with pytest.raises(DatabaseError, match="held or nobody came"), transaction.atomic():
            row.update(hearing_over_at=ASKED + HOUR)
        with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
            row.update(hearing_asked_at=None)
        other, _found = granted()
        proposed(other, officer, "S4")
        with pytest.raises(DatabaseError), transaction.atomic():
            Notice.objects.filter(case=other).update(hearing_over_at=ASKED)

    def test_rewrites_nothing_that_was_said(self, officer: User, second: User) -> None:
        case, _found = asked(officer)
        day = first_day(case)
        hearing = set_for(case, officer, day)
        row = Hearing.objects.filter(pk=hearing.pk)
        with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
            row.update(starts_at=day + DAY)
        with pytest.raises(DatabaseError, match="over_after_it_began"), transaction.atomic():
            row.update(outcome="attended", closed_at=day - HOUR, closed_by=officer)
        hearings.record_hearing(case=case, officer=officer, attended="All", minutes="Said.", now=day + HOUR)
        for wrong in ({"outcome": "nobody_came"}, {"minutes": b"other"}, {"closed_by": second}):
            with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
                row.update(**wrong)
        with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
            row.delete()

    def test_sets_none_that_nobody_asked_for(self, officer: User) -> None:
        case, _found = granted()
        proposed(case, officer, "S4")
        with pytest.raises(DatabaseError, match="while one is asked for"), transaction.atomic():
            Hearing.objects.create(
                matter=open_notice(case).subject,
                case=case,
                starts_at=ASKED + DAY,
                place="A",
                set_at=ASKED,
                set_by=officer,
            )


class TestPages:
    def test_lead_from_the_wish_to_the_minutes(self, officer: User, second: User, time_machine: Any) -> None:
        time_machine.move_to(LATER)
        case, _found = granted()
        now = timezone.now()
        revocation.propose_revocation(
            case=case,
            officer=officer,
            code="S4",
            text="Two proofs failed.",
            evidence="Tries of today.",
            paper=PAPER,
            now=now,
        )
        reference = case.application.reference
        place, there = reverse("decide:revoke", args=[reference]), reverse("portal:notice", args=[reference])
        holder, desk = Client(), Client()
        holder.force_login(case.application.applicant)
        desk.force_login(second)
        desk.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
        assert "Ask for a hearing" in holder.get(there).text
        assert "It must be decided by" in holder.get(there).text
        assert holder.post(there, {"hear": "1"})["Location"] == there
        assert "You asked for a hearing" in holder.get(there).text
        assert "A hearing was asked for" in desk.get(reverse("decide:approvals")).text
        wrong = desk.post(place, {"hearing_day": "2026-01-05", "hearing_time": "10:30", "hearing_place": PLACE})
        assert wrong.status_code == 422 and "Choose a day from" in wrong.text
        day = timezone.localtime(first_day(case, now))
        sent = {"hearing_day": f"{day:%Y-%m-%d}", "hearing_time": "10:30", "hearing_place": PLACE}
        at_night = desk.post(place, sent | {"hearing_time": "20:00"})
        assert at_night.status_code == 422 and "The office is closed then. Choose a time on" in at_night.text
        assert desk.post(place, sent)["Location"] == place
        assert PLACE in desk.get(place).text and PLACE in holder.get(there).text
        assert 'name="hearing_why"' in desk.get(place).text and 'name="hearing_minutes"' not in desk.get(place).text
        assert desk.post(place, sent).status_code == 422, "why it is moved is missing"
        desk.post(place, {"decision": "take", "because": "So it is."})
        assert not Revocation.objects.exists()

    def test_record_it_when_its_time_has_come(self, officer: User, second: User, time_machine: Any) -> None:
        case, _found = granted()
        ago = LATER
        time_machine.move_to(ago + 20 * DAY)
        revocation.propose_revocation(
            case=case,
            officer=officer,
            code="S4",
            text="Two proofs failed.",
            evidence="Tries of today.",
            paper=PAPER,
            now=ago,
        )
        hearings.ask_for_hearing(notice=open_notice(case), actor="person:x", now=ago)
        set_for(case, officer, first_day(case, ago), now=ago)
        reference = case.application.reference
        place = reverse("decide:revoke", args=[reference])
        desk = Client()
        desk.force_login(second)
        desk.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
        assert 'name="hearing_minutes"' in desk.get(place).text
        letters = Letter.objects.filter(template="hearing_set")
        letters.update(state="failed")
        shown = desk.get(place).text
        assert "The email about the hearing came back" in shown and reverse("appeal:served", args=[reference]) in shown
        nobody = {"hearing_minutes": "I waited.", "hearing_outcome": "nobody_came"}
        assert "so the person did not know the day" in desk.post(place, nobody, follow=True).text
        letters.update(state="queued")
        empty = desk.post(place, {"hearing_minutes": "The router was off.", "hearing_outcome": "attended"})
        assert empty.status_code == 422 and "Enter who was there." in empty.text
        sent = {
            "hearing_minutes": "The router was off.",
            "hearing_outcome": "attended",
            "hearing_attended": "The holder",
        }
        assert desk.post(place, sent)["Location"] == place
        page = desk.get(place).text
        assert "The router was off." in page and 'name="hearing_minutes"' not in page


class TestTheTimeForAHearing:
    """`case_clock.heard_between`: within its days, and a week more only where the notice of it leaves none of them."""

    def test_ends_with_its_days_where_there_is_room(self, officer: User) -> None:
        application = a_case().application
        first, until = case_clock.heard_between(application, NOW + 10 * DAY, NOW)
        assert NOW + 7 * DAY < first < until == NOW + 10 * DAY

    def test_is_a_week_longer_where_there_is_none(self, officer: User) -> None:
        application = a_case().application
        first, until = case_clock.heard_between(application, NOW + 3 * DAY, NOW)
        assert (until - first).days == 7
