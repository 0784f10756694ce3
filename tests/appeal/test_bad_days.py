"""Days on which things go wrong, forced: two who decide in the same second, somebody struck from their post, an order
whose letter comes back, and a worker that was down for three days."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.appeal import actions, queries
from rahdari.complaint import actions as complaints
from rahdari.decide import (
    assignment,
    case_clock,
    deadlines,
    granting,
    hearings,
    questions,
    refusals,
    revocation,
    transitions,
)
from rahdari.decide import queries as cases
from rahdari.decide.models import Case, Notice
from rahdari.decide.rules import NoticeState
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.rules import Standing
from rahdari.workflow import reminding
from tests.builders.cases import DAY, HOUR, a_case
from tests.builders.programs import Program
from tests.complaint.test_complaints import answered as complaint_answered
from tests.complaint.test_complaints import registered
from tests.complaint.test_complaints import sent as complained
from tests.decide.test_actions import noticed, taken
from tests.decide.test_fair_revocation import suspended
from tests.decide.test_revocation import answered, granted, proposed

from .test_appeals import LATER, actor_of, acts_of, fresh, refused, sent, struck_out
from .test_other_persons import proposed as refusal_proposed

pytestmark = pytest.mark.django_db
CHANGED = "changed in the meantime"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


Quicker = Callable[[Any, str, Callable[[], object]], None]


@pytest.fixture
def quicker(monkeypatch: pytest.MonkeyPatch) -> Quicker:
    """Somebody else decides after the page of the loser was opened, and before its act begins: the act has what the
    page knew."""

    def arrange(module: Any, act: str, rival: Callable[[], object]) -> None:
        tried = getattr(module, act)

        def beaten(**facts: Any) -> object:
            monkeypatch.setattr(module, act, tried)
            rival()
            return tried(**facts)

        monkeypatch.setattr(module, act, beaten)

    return arrange


class TestInTheSameSecond:
    def test_a_refusal_is_seconded_and_dropped(self, quicker: Quicker, officer: User, second: User) -> None:
        case = refusal_proposed(officer)
        now = timezone.now()
        quicker(
            refusals,
            "second_refusal",
            lambda: refusals.drop_refusal(case=case, officer=officer, why="It is old.", now=now),
        )
        place = reverse("decide:second", args=[case.application.reference])
        answer = signed_in(second).post(place, {"decision": "refuse", "because": "The operator says so."})
        # Nothing that was typed is lost.
        assert answer.status_code == 409 and CHANGED in answer.text and "The operator says so." in answer.text
        assert cases.decision_of(fresh(case)) is None

    def test_a_refusal_is_dropped_and_seconded(self, quicker: Quicker, officer: User, second: User) -> None:
        case = refusal_proposed(officer)
        now = timezone.now()
        quicker(
            refusals,
            "drop_refusal",
            lambda: refusals.second_refusal(case=case, officer=second, because="So it is.", now=now),
        )
        place = reverse("decide:drop", args=[case.application.reference])
        answer = signed_in(officer).post(place, {"because": "The bill is old."})
        assert answer.status_code == 409 and CHANGED in answer.text and "The bill is old." in answer.text
        decision = cases.decision_of(fresh(case))
        assert decision is not None and decision.outcome == "refused"

    def test_a_case_is_granted_and_its_refusal_seconded(self, quicker: Quicker, officer: User, second: User) -> None:
        """The officer dropped the proposal in another tab and grants; the second officer was quicker."""
        case = refusal_proposed(officer)
        now = timezone.now()
        quicker(
            granting, "grant", lambda: refusals.second_refusal(case=case, officer=second, because="So it is.", now=now)
        )
        with pytest.raises(transitions.NotPossibleNow):
            granting.grant(case=case, officer=officer, now=now)
        assert cases.decision_of(fresh(case)).outcome == "refused"  # type: ignore[union-attr]

    @pytest.mark.parametrize("winner", ["keep", "take"])
    def test_a_registration_is_revoked_and_kept(
        self, winner: str, quicker: Quicker, officer: User, second: User, director: User
    ) -> None:
        case, found = granted()
        proposed(case, officer, "S4")
        answered(case)
        reference, now = case.application.reference, LATER + DAY
        facts: dict[str, Any] = {"case": fresh(case), "now": now}
        if winner == "keep":
            quicker(
                revocation,
                "second_revocation",
                lambda: revocation.keep_registration(officer=second, why="It is proved.", **facts),
            )
        else:
            quicker(
                revocation,
                "keep_registration",
                lambda: revocation.second_revocation(officer=second, because="So it is.", **facts),
            )
        loser = signed_in(director)
        loser.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
        given = {"decision": "take" if winner == "keep" else "keep", "because": "I saw it otherwise."}
        answer = loser.post(reverse("decide:revoke", args=[reference]), given, follow=True)
        assert CHANGED in answer.text
        expected = Standing.VALID if winner == "keep" else Standing.SUSPENDED
        assert entries.standing(entries.fresh(found), now) is expected

    def test_an_appeal_is_decided_in_two_tabs_and_taken_by_two(
        self, quicker: Quicker, officer: User, second: User, director: User, uninvolved: User
    ) -> None:
        appeal = sent(refused(officer, second))
        facts: dict[str, Any] = {"appeal": appeal, "now": LATER + 3 * DAY}
        quicker(actions, "take", lambda: actions.take(user=uninvolved, **facts))
        page = signed_in(director).post(reverse("appeal:take", args=[appeal.reference]), follow=True)
        assert "Somebody else has this appeal." in page.text
        points = {"fact": ("dismissed", "The bill is another's.")}
        quicker(actions, "decide", lambda: actions.decide(user=uninvolved, points=points, text="", **facts))
        given = {"outcome_fact": "allowed", "why_fact": "The bill is theirs."}
        page = signed_in(uninvolved).post(reverse("appeal:decide", args=[appeal.reference]), given, follow=True)
        assert "The appeal changed in the meantime" in page.text
        assert queries.appeals().get().outcome == "dismissed"

    def test_a_complaint_is_decided_by_two(self, quicker: Quicker, officer: User, second: User) -> None:
        _application, registration = registered()
        complaint = complaint_answered(complained(registration.reference))
        facts = {"complaint": complaint, "outcome": "not_founded", "why": "It is genuine.", "now": LATER + DAY}
        quicker(complaints, "decide", lambda: complaints.decide(officer=second, **facts))  # type: ignore[arg-type]
        given = {"outcome": "malicious", "why": "I saw it otherwise."}
        place = reverse("complaint:decide", args=[complaint.reference])
        page = signed_in(officer).post(place, given, follow=True)
        assert "The complaint changed in the meantime" in page.text
        complaint.refresh_from_db()
        assert (complaint.outcome, complaint.decided_by) == ("not_founded", second)


class TestStruckFromThePost:
    def test_gives_up_the_cases_in_their_hands(self, officer: User, second: User) -> None:
        case = refusal_proposed(officer)
        assert deadlines.release_left(now=LATER + 2 * HOUR) == 0
        officer.posts.update(ended_at=LATER + 2 * HOUR)
        assert deadlines.release_left(now=LATER + 3 * HOUR) == 1
        assert fresh(case).assigned_to is None and acts_of(case)[0] == "decide.handed_over"
        # Their proposal stands, and is seconded or dropped by another.
        refusals.drop_refusal(case=case, officer=second, why="The bill is old.", now=LATER + 4 * HOUR)
        assert assignment.take_case(case=fresh(case), officer=second, now=LATER + DAY).assigned_to == second

    def test_leaves_a_hearing_that_any_other_officer_holds_or_moves(self, officer: User, second: User) -> None:
        case, _found = granted()
        proposed(case, officer, "S4")
        answered(case)
        notice = cases.open_notice(fresh(case))
        assert notice is not None
        hearings.ask_for_hearing(notice=notice, actor=actor_of(case), now=LATER + HOUR)
        day = case_clock.notice_heard_between(open_one(case), LATER + HOUR)[0]
        facts: dict[str, Any] = {"case": fresh(case), "officer": officer, "place": "Room 2"}
        hearings.set_hearing(starts_at=day, now=LATER + HOUR, **facts)
        officer.posts.update(ended_at=LATER + 2 * HOUR)
        hearings.set_hearing(starts_at=day + DAY, why="It moves.", now=LATER + 3 * HOUR, **facts | {"officer": second})
        hearings.record_hearing(
            case=fresh(case), officer=second, attended="The holder.", minutes="It is mine.", now=day + DAY
        )
        assert open_one(case).hearing == "over"

    def test_leaves_nobody_who_could_and_the_page_says_so(self, officer: User, director: User) -> None:
        case = refusal_proposed(officer)
        place = reverse("decide:case", args=[case.application.reference])
        assert "Nobody in the office may decide it" not in signed_in(officer).get(place).text
        director.posts.update(ended_at=LATER + 2 * HOUR)
        shown = signed_in(officer).get(place).text
        assert "Nobody in the office may decide it" in shown and "An administrator appoints one" in shown


def open_one(case: Case) -> Notice:
    notice = cases.open_notice(fresh(case))
    assert notice is not None
    notice.case = fresh(case)
    return notice


def bounced(template: str) -> None:
    """Every letter of this kind came back."""
    assert Letter.objects.filter(template=template).update(state="failed")


def reminded_before(end: dt.datetime) -> int:
    """How many reminders to answer the last days before this end bring."""
    before = Letter.objects.filter(template="reminder_to_answer").count()
    for days in range(14, -1, -1):
        reminding.remind(end - days * DAY)
    return Letter.objects.filter(template="reminder_to_answer").count() - before


class TestAnOrderWhoseLetterComesBack:
    def test_of_a_refusal_is_handed_over_and_the_time_runs_from_then(self, officer: User, second: User) -> None:
        case = refused(officer, second)
        decision = cases.decision_of(case)
        assert decision is not None and decision.appeal_until is not None
        holder, program = signed_in(case.application.applicant), Program(case.application.applicant)
        page = reverse("portal:refusal", args=[case.application.reference])
        one = f"/applications/{case.application.reference}/decision"
        bounced("application_refused")
        assert "the time to appeal has not begun" in holder.get(page).text
        assert program.get(one).said["appeal"]["until"] is None
        on = (decision.at + 20 * DAY).date()
        actions.record_service(case=case, officer=officer, on=on, how="By courier.", now=LATER + 21 * DAY)
        moved = queries.appeal_until(decision)
        assert moved is not None and moved >= decision.appeal_until + 19 * DAY
        day = timezone.localtime(moved)
        assert f"{day.day} {day:%B %Y}" in holder.get(page).text
        assert dt.datetime.fromisoformat(program.get(one).said["appeal"]["until"]) == moved.replace(microsecond=0)

    @pytest.mark.parametrize("code", ["S4", "X5"])
    def test_of_a_revocation_likewise(self, code: str, officer: User, second: User, director: User) -> None:
        if code == "S4":
            case, found, taken = suspended(officer, second)
        else:
            case, taken = struck_out(officer, director)
            found = taken.registration
        holder, page = (
            signed_in(case.application.applicant),
            reverse("portal:registration", args=[found.reference]),
        )
        bounced("registration_suspended" if code == "S4" else "registration_struck_out")
        shown = holder.get(page).text
        assert "the time to appeal has not begun" in shown and "Write an appeal" in shown
        desk = signed_in(officer)
        desk.post(reverse("decide:why", args=[case.application.reference]), {"why": "complaint"})
        served = reverse("appeal:served", args=[case.application.reference])
        assert served in desk.get(reverse("decide:case", args=[case.application.reference])).text
        day = timezone.localdate()
        assert desk.post(served, {"on": day.isoformat(), "how": "By courier."}).status_code == 302
        moved = queries.appeal_until(taken)
        assert moved is not None and moved > taken.appeal_until
        day_moved = timezone.localtime(moved)
        assert f"{day_moved.day} {day_moved:%B %Y}" in holder.get(page).text


class TestThreeDaysWithoutAWorker:
    def test_do_what_was_due_late_and_skip_nothing(self, officer: User, second: User, director: User) -> None:
        by_notice = assignment.take_case(case=refusal_proposed(officer), officer=officer, now=LATER)
        _case, found, taken = suspended(officer, second)
        appeal = sent(struck_out(officer, director)[0])
        assert taken.ends_at is not None and appeal.due_at is not None
        heard, _registration = granted()
        proposed(heard, officer, "S4")
        hearings.ask_for_hearing(notice=open_one(heard), actor=actor_of(heard), now=LATER + HOUR)
        day = case_clock.notice_heard_between(open_one(heard), LATER + HOUR)[0]
        hearings.set_hearing(case=fresh(heard), officer=second, starts_at=day, place="Room 2", now=LATER + HOUR)
        back = max(taken.ends_at, appeal.due_at) + 3 * DAY
        for _round in range(4):
            workflow.advance(now=back)
        assert entries.standing(entries.fresh(found), back) is Standing.VALID
        appeal = queries.appeals().get(pk=appeal.pk)
        assert appeal.overdue_at == back and appeal.stands_meanwhile
        # A hearing to which nobody saw to takes nothing from its holder.
        assert cases.open_notice(fresh(heard)) is None and acts_of(heard)[0] == "decide.proposal_lapsed"
        assert by_notice is not None and fresh(by_notice).escalated_at == back


class TestANoticeWhoseLetterComesBack:
    """No time runs that began with it, before it was read here or handed over: as with a decision."""

    def over(self, notice: Notice) -> dt.datetime:
        return notice.answer_due_at + DAY

    def test_of_a_refusal_is_not_ripe_before_it_is_handed_over(self, officer: User, second: User) -> None:
        case = a_case()
        noticed(case, officer)
        notice = open_one(case)
        bounced("application_notice")
        late = self.over(notice)
        deadlines.close_unanswered(now=late)
        assert open_one(case).state == NoticeState.RUNNING
        with pytest.raises(transitions.MayNotSecond):
            refusals.second_refusal(case=case, officer=second, because="So it is.", now=late)
        holder = signed_in(case.application.applicant)
        assert (
            "the time to answer has not begun"
            in holder.get(reverse("portal:notice", args=[case.application.reference])).text
        )
        program, one = Program(case.application.applicant), f"/applications/{case.application.reference}"
        assert program.get(f"{one}/notice").said["answer_until"] is None
        assert program.get(one).said["awaited"][0]["until"] is None
        assert reminded_before(notice.answer_due_at) == 0
        actions.record_service(case=case, officer=officer, on=late.date(), how="By courier.", now=late)
        deadlines.close_unanswered(now=late + DAY)
        assert open_one(case).state == NoticeState.RUNNING
        again = case_clock.notice_due_at(open_one(case))
        assert again > late + 7 * DAY
        assert dt.datetime.fromisoformat(program.get(f"{one}/notice").said["answer_until"]) == again.replace(
            microsecond=0
        )
        assert reminded_before(again) == 1
        deadlines.close_unanswered(now=again + HOUR)
        refusals.second_refusal(case=case, officer=second, because="So it is.", now=again + 2 * HOUR)

    def test_that_was_ripe_when_it_came_back_is_not_decided(self, officer: User, second: User) -> None:
        case = a_case()
        noticed(case, officer)
        late = self.over(open_one(case))
        deadlines.close_unanswered(now=late)
        assert open_one(case).state == NoticeState.RIPE
        bounced("application_notice")
        with pytest.raises(transitions.MayNotSecond):
            refusals.second_refusal(case=case, officer=second, because="So it is.", now=late)
        Letter.objects.filter(template="application_notice").update(read_at=late)
        assert case_clock.notice_due_at(open_one(case)) > late + 7 * DAY

    @pytest.mark.parametrize("code", ["S4", "X5"])
    def test_of_a_revocation_likewise(self, code: str, officer: User, director: User) -> None:
        case, found = granted()
        proposed(case, officer, code)
        notice = open_one(case)
        bounced("registration_notice")
        late = self.over(notice)
        deadlines.close_unanswered(now=late)
        assert open_one(case).state == NoticeState.RUNNING
        with pytest.raises((transitions.NotPossibleNow, transitions.MayNotSecond)):
            revocation.second_revocation(case=case, officer=director, because="So it is.", now=late)
        page = reverse("portal:notice", args=[case.application.reference])
        holder, program = signed_in(case.application.applicant), Program(case.application.applicant)
        assert "It must be decided by" not in holder.get(page).text
        assert "Answer by" not in holder.get(reverse("portal:home")).text
        assert program.get(f"/registrations/{found.reference}").said["proposal"]["decide_by"] is None
        actions.record_service(case=case, officer=officer, on=late.date(), how="By courier.", now=late)
        assert "It must be decided by" in holder.get(page).text
        again = case_clock.notice_due_at(open_one(case))
        assert again > late + 29 * DAY
        deadlines.close_unanswered(now=again + HOUR)
        assert open_one(case).state == NoticeState.RIPE
        revocation.second_revocation(case=case, officer=director, because="So it is.", now=again + 2 * HOUR)


class TestAQuestionWhoseLetterComesBack:
    """It closes nothing before it was read here or handed over: as with a notice."""

    def test_closes_nothing_before_it_is_handed_over(self, officer: User) -> None:
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        bounced("application_question")
        late = question.due_at + 5 * DAY
        deadlines.close_unanswered(now=late)
        assert fresh(case).status == "open"
        holder, desk = signed_in(case.application.applicant), signed_in(officer)
        page = holder.get(reverse("portal:question", args=[case.application.reference])).text
        assert "the time to answer has not begun" in page
        assert "The deadline to answer passed" not in page and "If you cannot answer by" not in page
        program, one = Program(case.application.applicant), f"/applications/{case.application.reference}"
        assert program.get(f"{one}/question").said["answer_until"] is None
        assert program.get(one).said["awaited"][0]["until"] is None
        assert reminded_before(question.due_at) == 0
        shown = desk.get(reverse("decide:case", args=[case.application.reference])).text
        assert "The email with the question came back" in shown and "The answer is due by" not in shown
        assert reverse("appeal:served", args=[case.application.reference]) in shown
        actions.record_service(case=case, officer=officer, on=late.date(), how="By courier.", now=late)
        deadlines.close_unanswered(now=late + DAY)
        assert fresh(case).status == "open"
        again = case_clock.question_due_at(fresh(case).questions.get())
        assert again > late + 9 * DAY
        assert dt.datetime.fromisoformat(program.get(f"{one}/question").said["answer_until"]) == again.replace(
            microsecond=0
        )
        assert reminded_before(again) == 1
        deadlines.close_unanswered(now=again + HOUR)
        assert fresh(case).status == "not_pursued"

    def test_is_one_that_was_read_where_more_time_was_asked_for(self, officer: User) -> None:
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        bounced("application_question")
        longer = questions.extend_question(question=question, actor=actor_of(case), now=LATER + DAY)
        deadlines.close_unanswered(now=longer.due_at - HOUR)
        assert fresh(case).status == "open"
        deadlines.close_unanswered(now=longer.due_at + HOUR)
        assert fresh(case).status == "not_pursued"
