"""An applicant is heard before a refusal by a code whose remedies offer it, and by no other."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import sending
from rahdari.decide import case_clock, deadlines, desk, hearings, queries, recusing, refusals, transitions
from rahdari.decide.models import Case, Decision, Hearing, Notice
from rahdari.decide.rules import CannotSecond, HearingState, Status, Urgency
from rahdari.people.models import User
from tests.builders.cases import DAY, HOUR, MINUTE, a_case

from .test_actions import LATER, answered, letters_to, noticed
from .test_fair_revocation import acts_of, open_notice, text_of_last_letter
from .test_hearings import PLACE, first_day, set_for

pytestmark = pytest.mark.django_db
ASKED = LATER + 2 * HOUR


def actor_of(case: Case) -> str:
    return f"person:{case.application.applicant_id}"


def fresh(case: Case) -> Case:
    return queries.cases().get(pk=case.pk)


def asked(officer: User, *codes: str) -> Case:
    """A notice that was answered, and whose applicant wants to be heard."""
    case = a_case()
    answered(case, officer, *(codes or ["R4"]))
    hearings.ask_for_hearing(notice=open_notice(case), actor=actor_of(case), now=ASKED)
    return fresh(case)


def record(case: Case, officer: User, now: dt.datetime, *, minutes: str = "The bill is mine.") -> None:
    hearings.record_hearing(case=case, officer=officer, attended="The applicant", minutes=minutes, now=now)


def refuse(case: Case, director: User, now: dt.datetime) -> Decision:
    return refusals.second_refusal(case=case, officer=director, because="It is not true.", now=now)


def signed_in(user: User, language: str = "en") -> Client:
    browser = Client()
    browser.force_login(user)
    browser.cookies["django_language"] = language
    return browser


class TestAskForHearing:
    def test_is_offered_by_the_letter_and_keeps_the_second_officer_back(self, officer: User, director: User) -> None:
        case = a_case()
        noticed(case, officer, "R3", "R4")
        assert "You can also ask to be heard" in text_of_last_letter(case)
        case = asked(officer)
        with pytest.raises(transitions.MayNotSecond) as error:
            refuse(case, director, ASKED + DAY)
        assert error.value.why is CannotSecond.HEARING
        assert open_notice(case).decide_by is None, "a refusal is not dropped by the clock"
        again = hearings.ask_for_hearing(notice=open_notice(case), actor="person:x", now=ASKED + DAY)
        assert again.hearing_asked_at == ASKED, "twice changes nothing"

    def test_is_refused_where_no_code_offers_it(self, officer: User) -> None:
        case = a_case()
        notice = noticed(case, officer, "R3", "R6")
        assert "ask to be heard" not in text_of_last_letter(case)
        assert not hearings.may_ask(open_notice(case))
        with pytest.raises(hearings.NotOffered):
            hearings.ask_for_hearing(notice=notice, actor=actor_of(case), now=ASKED)
        page = signed_in(case.application.applicant)
        there = reverse("portal:notice", args=[case.application.reference])
        assert "Ask for a hearing" not in page.get(there).text
        assert "No hearing belongs to the reasons" in page.post(there, {"hear": "1"}, follow=True).text
        assert open_notice(case).hearing is HearingState.NONE

    def test_is_not_possible_once_it_is_dropped_or_decided(self, officer: User, director: User) -> None:
        case = a_case()
        notice = answered(case, officer, "R4")
        refuse(case, director, ASKED)
        dropped = a_case()
        other = answered(dropped, officer, "R4")
        refusals.drop_refusal(case=dropped, officer=officer, why="It was true.", now=ASKED)
        for each in (notice, other):
            with pytest.raises(transitions.NotPossibleNow):
                hearings.ask_for_hearing(notice=each, actor="person:x", now=ASKED + HOUR)

    def test_takes_the_case_out_of_what_a_second_officer_may_decide(self, officer: User, director: User) -> None:
        case = a_case()
        answered(case, officer, "R4")
        assert desk.for_me(officer=director) == 1
        hearings.ask_for_hearing(notice=open_notice(case), actor=actor_of(case), now=ASKED)
        assert desk.for_me(officer=director) == 0
        [row] = desk.proposals(officer=director, page=1, now=ASKED).rows
        assert (row.cannot_second, row.waits_for_hearing) == (CannotSecond.HEARING, True)
        assert not row.may_be_granted
        assert desk.next_for(officer=officer, now=ASKED, after=None, filters=desk.Filters()) is None


class TestTheTimeToDecide:
    def test_stands_still_until_it_is_over(self, officer: User) -> None:
        case = asked(officer)
        face = case_clock.clock_of(case, ASKED + DAY)
        assert (face.waits_for, face.paused, face.urgency) == ("hearing", True, Urgency.STOPPED)
        day = first_day(case, ASKED)
        set_for(case, officer, day, now=ASKED)
        record(case, officer, day + HOUR)
        after = case_clock.clock_of(fresh(case), day + HOUR)
        assert (after.waits_for, after.paused) == ("second", False)
        assert abs(after.used_share - face.used_share) < 0.001

    def test_runs_on_where_no_day_is_set_in_the_time_of_the_rules(self, officer: User) -> None:
        case = asked(officer)
        until = case_clock.hearing_held_by(open_notice(case), case_clock.policy_of(case.application))
        assert case.late_at is not None and case.late_at > until
        assert case_clock.clock_of(case, until - MINUTE).paused
        assert not case_clock.clock_of(case, until + MINUTE).paused
        assert deadlines.close_unanswered(now=until - MINUTE) == 0
        assert deadlines.close_unanswered(now=case.late_at + MINUTE) == 1
        assert fresh(case).escalated_at is not None and fresh(case).status == Status.OPEN


class TestSetHearing:
    def test_tells_the_applicant_day_and_place_and_moves_it(self, officer: User, second: User) -> None:
        case = asked(officer)
        day = first_day(case, ASKED)
        hearing = set_for(case, officer, day, now=ASKED)
        assert hearing.starts_at - ASKED >= 7 * DAY
        assert letters_to(case)[-1] == "hearing_set"
        told = " ".join(text_of_last_letter(case).split())
        assert PLACE in told and "Application number" in told and case.application.reference in told
        assert "a second officer decides on what is on file" in told
        set_for(case, second, day + DAY, now=ASKED + HOUR, why="The room is closed.")
        assert "moved" in text_of_last_letter(case)
        assert acts_of(case)[0] == "decide.moved_hearing"

    def test_is_not_possible_unasked(self, officer: User) -> None:
        case = a_case()
        answered(case, officer, "R4")
        with pytest.raises(transitions.NotPossibleNow):
            set_for(case, officer, ASKED + 10 * DAY, now=ASKED)


class TestRecordHearing:
    @pytest.mark.parametrize("nobody_came", [False, True])
    def test_lets_it_be_refused_and_is_read_on_both_sides(
        self, officer: User, director: User, nobody_came: bool
    ) -> None:
        case = asked(officer)
        day = first_day(case, ASKED)
        set_for(case, officer, day, now=ASKED)
        minutes = "I waited for 45 minutes." if nobody_came else "The bill is mine."
        hearings.record_hearing(
            case=case, officer=officer, attended="All", minutes=minutes, nobody_came=nobody_came, now=day + HOUR
        )
        assert letters_to(case)[-1] == "hearing_held"
        told = " ".join(text_of_last_letter(case).split())
        assert minutes in told and "decides next" in told and "registration stays" not in told
        refuse(case, director, day + 2 * HOUR)
        page = signed_in(case.application.applicant).get(reverse("portal:refusal", args=[case.application.reference]))
        assert minutes in page.text
        browser = signed_in(director)
        browser.post(reverse("decide:why", args=[case.application.reference]), {"why": "complaint"})
        assert minutes in browser.get(reverse("decide:case", args=[case.application.reference])).text


class TestDropping:
    def test_before_the_day_tells_the_applicant_not_to_come(self, officer: User) -> None:
        case = asked(officer)
        set_for(case, officer, first_day(case, ASKED), now=ASKED)
        refusals.drop_refusal(case=case, officer=officer, why="It was true.", now=ASKED + DAY)
        assert letters_to(case)[-1] == "hearing_off"
        told = " ".join(text_of_last_letter(case).split())
        assert "Do not come" in told and "Your application continues" in told
        [hearing] = Hearing.objects.filter(case=case)
        assert hearings.standing_matter(hearing) is None, "no letter about its day follows"
        face = case_clock.clock_of(fresh(case), ASKED + DAY + MINUTE)
        assert (face.waits_for, face.paused) == ("officer", False)
        notice = noticed(case, officer, "R4")
        assert hearings.may_ask(notice), "another notice, another hearing"

    def test_by_an_author_who_leaves_the_case_does_too(self, officer: User) -> None:
        case = asked(officer)
        set_for(case, officer, first_day(case, ASKED), now=ASKED)
        recusing.recuse(case=case, officer=officer, why="A neighbour.", now=ASKED + DAY)
        assert "hearing_off" in letters_to(case)

    def test_without_a_day_or_after_it_tells_nobody_of_a_hearing(self, officer: User) -> None:
        case = asked(officer)
        refusals.drop_refusal(case=case, officer=officer, why="It was true.", now=ASKED + DAY)
        other = asked(officer)
        day = first_day(other, ASKED)
        set_for(other, officer, day, now=ASKED)
        record(other, officer, day + HOUR)
        refusals.drop_refusal(case=other, officer=officer, why="It was true.", now=day + DAY)
        assert "hearing_off" not in letters_to(case) + letters_to(other)

    def test_leaves_what_was_said_on_the_page_of_the_case(self, officer: User) -> None:
        case = asked(officer)
        day = first_day(case, ASKED)
        set_for(case, officer, day, now=ASKED)
        record(case, officer, day + HOUR)
        refusals.drop_refusal(case=case, officer=officer, why="It was true.", now=day + DAY)
        page = signed_in(officer).get(reverse("decide:case", args=[case.application.reference])).text
        assert "The bill is mine." in page

    def test_of_one_whose_application_was_withdrawn_nothing_is_set(self, officer: User) -> None:
        case = asked(officer)
        hearing = set_for(case, officer, first_day(case, ASKED), now=ASKED)
        sending.withdraw_application(application=case.application, actor=actor_of(case), now=ASKED + DAY)
        assert hearings.standing_matter(hearing) is None
        with pytest.raises(transitions.NotPossibleNow):
            set_for(fresh(case), officer, hearing.starts_at + DAY, now=ASKED + DAY, why="Again.")


class TestDatabase:
    def test_refuses_nothing_before_a_hearing_that_was_asked_for(self, officer: User, director: User) -> None:
        case = asked(officer)
        facts = {
            "case": case,
            "outcome": "refused",
            "codes": ["R4"],
            "notice": open_notice(case),
            "decided_by": f"officer:{director.pk}",
            "proposed_by": officer,
            "seconded_by": director,
            "rule_version": "1",
            "appeal_until": ASKED + 60 * DAY,
        }
        with pytest.raises(DatabaseError, match="and the hearing about it"), transaction.atomic():
            Decision.objects.create(at=ASKED + HOUR, **facts)
        day = first_day(case, ASKED)
        set_for(case, officer, day, now=ASKED)
        record(case, officer, day + HOUR)
        with transaction.atomic():
            Decision.objects.create(at=day + 2 * HOUR, **facts)
            transaction.set_rollback(True)
        with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
            Notice.objects.filter(case=case).update(hearing_asked_at=None)


class TestPages:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_lead_from_the_wish_to_the_day(self, officer: User, director: User, language: str) -> None:
        case = a_case()
        now = timezone.now()
        answered(case, officer, "R4")
        reference = case.application.reference
        mine, office = signed_in(case.application.applicant, language), signed_in(director, language)
        status, notice = (reverse(f"portal:{name}", args=[reference]) for name in ("status", "notice"))
        page, sends = (reverse(f"decide:{name}", args=[reference]) for name in ("case", "hearing"))
        words = {
            "en": ("Ask for a hearing", "You are heard before we decide", "Your hearing:", "A hearing was asked for"),
            "ur": ("سماعت مانگیں", "فیصلے سے پہلے آپ کی سماعت ہو گی", "آپ کی سماعت:", "سماعت مانگی گئی ہے"),
        }[language]
        assert words[0] in mine.get(notice).text
        assert "hearing_day" not in office.get(page).text
        mine.post(notice, {"hear": "1"})
        assert words[1] in mine.get(status).text
        assert words[3] in office.get(page).text and words[3] in office.get(reverse("decide:approvals")).text
        wrong = office.post(sends, {"hearing_day": "2026-01-05", "hearing_time": "10:30", "hearing_place": PLACE})
        assert wrong.status_code == 422 and 'value="10:30"' in wrong.text
        day = first_day(case, now).astimezone(case_clock.calendar().zone_info)
        given = {"hearing_day": f"{day:%Y-%m-%d}", "hearing_time": f"{day:%H:%M}", "hearing_place": PLACE}
        assert office.post(sends, given).status_code == 302
        assert words[2] in mine.get(status).text and PLACE in mine.get(notice).text
        shown = office.get(page).text
        assert PLACE in shown and "hearing_why" in shown and "hearing_minutes" not in shown

    def test_write_down_what_was_said(self, officer: User, second: User) -> None:
        case = asked(officer)
        set_for(case, officer, first_day(case, ASKED), now=ASKED)
        office, place = signed_in(second), reverse("decide:hearing", args=[case.application.reference])
        page = reverse("decide:case", args=[case.application.reference])
        assert "hearing_minutes" in office.get(page).text
        assert office.post(place, {"hearing_minutes": "", "hearing_outcome": "attended"}).status_code == 422
        sent = {"hearing_minutes": "It was said.", "hearing_outcome": "attended", "hearing_attended": "Both"}
        assert office.post(place, sent).status_code == 302
        shown = office.get(page).text
        assert "It was said." in shown and "hearing_day" not in shown
        assert "changed in the meantime" in office.post(place, sent, follow=True).text
