"""Acts on a case, through the database: what each does, what it refuses, and what it leaves behind."""

import datetime as dt

import pytest

from rahdari import workflow
from rahdari.apply import sending
from rahdari.apply.models import Application
from rahdari.checks import queries as check_queries
from rahdari.checks.models import Check
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.decide import (
    assignment,
    case_clock,
    conflicts_of_interest,
    deadlines,
    desk,
    granting,
    queries,
    questions,
    refusals,
    transitions,
)
from rahdari.decide.models import Case, Decision, Notice
from rahdari.decide.rules import CannotSecond, Lane, NoticeState, Outcome, Status
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.people import actions as people
from rahdari.people import mandates
from rahdari.people.models import Mandate, User
from tests.builders.cases import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    a_case,
    a_decided_application,
    a_gateway,
    a_person,
    an_application,
)

pytestmark = pytest.mark.django_db
LATER = NOW + HOUR
YEAR = 365 * DAY
SHOWN = "The bill, page 2, names another subscriber."
SENTENCE = "The address answered for somebody else on 10 November."


def acts_on(case: Case) -> list[str]:
    return [row.act for row in reversed(journal.about(case.application.subject)) if row.act.startswith("decide.")]


def letters_to(case: Case) -> list[str]:
    return [letter.template for letter in letters.letters_of(case.application.applicant).order_by("written_at", "id")]


def failed_check(case: Case) -> Check:
    return next(check for check in check_queries.checks_of(case.application.subject) if check.outcome == "failed")


def taken(case: Case, officer: User) -> Case:
    return assignment.take_case(case=case, officer=officer, now=LATER)


def noticed(case: Case, officer: User, *codes: str) -> Notice:
    taken(case, officer)
    return refusals.propose_refusal(
        case=case, officer=officer, codes=codes or ["R3"], text=SENTENCE, named=SHOWN, now=LATER
    )


def answered(case: Case, officer: User, *codes: str) -> Notice:
    notice = noticed(case, officer, *codes)
    return refusals.answer_notice(notice=notice, answer="It is my line.", actor="person:x", now=LATER + HOUR)


def grantable(case: Case, officer: User) -> Case:
    """What stood in the way was found out by hand."""
    a_gateway()
    taken(case, officer)
    assignment.record_check(
        case=case, officer=officer, check=failed_check(case).pk, outcome="passed", how="Bill seen", now=LATER
    )
    return case


class TestDecideByRule:
    def test_grants_when_every_required_check_passed(self) -> None:
        application = a_decided_application()
        case = queries.case_of(application)
        assert case is not None
        decision = queries.decision_of(case)
        assert decision is not None
        assert application.status == "granted"
        assert (case.status, case.lane, decision.outcome) == (Status.DECIDED, Lane.AUTOMATIC, Outcome.GRANTED)
        assert decision.decided_by == f"rule:{case_clock.policy_of(application).version}"
        assert acts_on(case) == ["decide.granted_by_rule"]
        assert list(queries.grants_not_entered()) == [decision]

    def test_opens_a_case_when_one_did_not_and_refuses_nobody(self) -> None:
        case = a_case()
        assert (case.status, case.lane, case.application.status) == (Status.OPEN, Lane.REVIEW, "submitted")
        assert acts_on(case) == ["decide.opened_case"]
        assert not Decision.objects.exists()

    def test_is_done_once(self) -> None:
        application = a_decided_application()
        again = granting.decide_by_rule(
            application=application, checks=list(check_queries.checks_of(application.subject)), now=LATER
        )
        assert again.decisions.count() == 1
        assert acts_on(again) == ["decide.granted_by_rule"]
        assert not queries.undecided_applications().exists()

    def test_leaves_an_application_alone_while_a_check_waits(self) -> None:
        application = an_application()
        workflow.open_checks(NOW)
        Check.objects.filter(subject=application.subject, kind="origin").update(outcome="waiting", answered_at=None)
        assert workflow.decide_what_is_answered(NOW) == 0
        assert list(queries.undecided_applications()) == [application]

    def test_starts_the_clock_at_receipt(self) -> None:
        case = a_case()
        assert case.started_at == case.application.submitted_at == NOW

    def test_counts_the_time_for_which_we_were_out(self) -> None:
        """The proof was given before sending; nothing ran for three days, and that is nobody's delay but ours."""
        application = an_application(address="198.51.100.240")
        later = NOW + DAY * 3
        workflow.open_checks(later)
        workflow.decide_what_is_answered(later)
        case = queries.case_of(application)
        assert case is not None and case.opened_at == later
        assert case.started_at == application.submitted_at == NOW
        assert case_clock.clock_of(case, later).is_late

    def test_starts_the_clock_when_the_proof_came_and_not_when_it_was_read(self) -> None:
        application = an_application(address="198.51.100.241", also="198.51.100.242")
        [endpoint] = [each for each in application.endpoints.all() if each.address_text.endswith("242")]
        proved = NOW + HOUR
        challenge = challenges.open_challenge(
            subject=endpoint.subject,
            block=endpoint.network,
            method=Method.LINK,
            valid_for=DAY * 7,
            now=NOW,
        )
        workflow.advance(now=NOW)
        assert queries.case_of(application) is None
        challenges.open_link(token=proofs.link_token(challenge), address=endpoint.network.network_address, now=proved)
        workflow.advance(now=NOW + DAY * 3)
        case = queries.case_of(application)
        assert case is not None and case.started_at == proved


class TestTakeCase:
    def test_gives_the_case_to_one_officer(self, officer: User, second: User) -> None:
        case = taken(a_case(), officer)
        assert case.assigned_to == officer
        assert taken(case, officer).assigned_to == officer
        with pytest.raises(assignment.AlreadyTaken):
            taken(case, second)
        assert acts_on(case).count("decide.took_case") == 1

    def test_is_for_officers_only(self) -> None:
        with pytest.raises(transitions.NotAnOfficer):
            taken(a_case(), a_person())


class TestHandOver:
    def test_passes_to_a_colleague_or_back_into_the_queue(self, officer: User, second: User) -> None:
        case = taken(a_case(), officer)
        assert assignment.hand_over(case=case, officer=officer, to=second, now=LATER).assigned_to == second
        assert assignment.hand_over(case=case, officer=second, to=None, now=LATER).assigned_to is None

    def test_of_anybodys_case_is_for_supervisors(self, officer: User, second: User, director: User) -> None:
        case = taken(a_case(), officer)
        with pytest.raises(transitions.NotYourCase):
            assignment.hand_over(case=case, officer=second, to=second, now=LATER)
        assert assignment.hand_over(case=case, officer=director, to=second, now=LATER).assigned_to == second

    def test_is_to_an_officer(self, officer: User) -> None:
        case = taken(a_case(), officer)
        with pytest.raises(transitions.NotAnOfficer):
            assignment.hand_over(case=case, officer=officer, to=a_person(), now=LATER)


class TestOwnCaseOnly:
    """Guard own_case_only: each act of an officer on a case needs it in the officer's own hands."""

    def test_holds_for_every_such_act(self, officer: User, second: User) -> None:
        case = a_case()
        check = failed_check(case).pk
        for holder in (None, officer):
            if holder is not None:
                taken(case, holder)
            for act in (
                lambda: granting.grant(case=case, officer=second, now=LATER),
                lambda: questions.ask_question(case=case, officer=second, code="Q4", now=LATER),
                lambda: refusals.propose_refusal(case=case, officer=second, codes=["R3"], text=SENTENCE, now=LATER),
                lambda: assignment.record_check(
                    case=case, officer=second, check=check, outcome="passed", how="Bill seen", now=LATER
                ),
            ):
                with pytest.raises(transitions.NotYourCase):
                    act()
        assert not Decision.objects.exists() and not Notice.objects.exists()


class TestAnOfficersOwnApplication:
    """Nobody decides on what they applied for, or their company."""

    def test_is_decided_by_somebody_else(self, officer: User, second: User) -> None:
        case = a_case(applicant=officer)
        with pytest.raises(transitions.OwnApplication):
            taken(case, officer)
        taken(case, second)
        with pytest.raises(transitions.OwnApplication):
            assignment.hand_over(case=case, officer=second, to=officer, now=LATER)
        notice = refusals.propose_refusal(case=case, officer=second, codes=["R3"], text=SENTENCE, now=LATER)
        refusals.answer_notice(notice=notice, answer="It is my line.", actor="person:x", now=LATER + HOUR)
        with pytest.raises(transitions.OwnApplication):
            refusals.drop_refusal(case=case, officer=officer, why="It is mine", now=LATER + HOUR)
        with pytest.raises(transitions.OwnApplication):
            refusals.second_refusal(case=case, officer=officer, because="It is mine", now=LATER + HOUR)

    def test_is_no_case_of_theirs_at_the_desk(self, officer: User, second: User) -> None:
        case = a_case(applicant=officer)
        reference = case.application.reference
        with pytest.raises(queries.CaseNotFound):
            queries.case_for_officer(officer=officer, reference=reference, now=LATER)
        assert queries.case_for_officer(officer=second, reference=reference, now=LATER) == case
        noticed(case, second)
        for person, rows in ((officer, 0), (second, 1)):
            assert desk.desk(officer=person, filters=desk.Filters(view="applicant"), now=LATER).total == rows

    def test_is_also_that_of_their_company(self, officer: User) -> None:
        case = a_case()
        owner = case.application.applicant
        company = people.register_organisation(owner=owner, name="Sample House", actor="system:test", now=NOW)
        Application.objects.filter(pk=case.application.pk).update(organisation=company)
        assert conflicts_of_interest.of_others(Case.objects.all(), officer).get() == case
        people.add_member(organisation=company, user=officer, actor="system:test", now=NOW)
        with pytest.raises(transitions.OwnApplication):
            taken(case, officer)
        assert not conflicts_of_interest.of_others(Case.objects.all(), officer).exists()


class TestAnOfficerWhoHadAPart:
    """Nobody leaves a company to decide its case: a part that ended counts for a year."""

    @pytest.fixture
    def case(self) -> Case:
        case = a_case()
        company = people.register_organisation(
            owner=case.application.applicant, name="Sample House", actor="system:test", now=NOW - 3 * YEAR
        )
        Application.objects.filter(pk=case.application.pk).update(organisation=company)
        case.refresh_from_db()
        return case

    def is_theirs(self, case: Case, officer: User) -> bool:
        """At every door alike."""
        case.refresh_from_db()
        own = conflicts_of_interest.is_own(case.application, officer)
        assert conflicts_of_interest.of_others(Case.objects.all(), officer).exists() is not own
        if own:
            with pytest.raises(queries.CaseNotFound):
                queries.case_for_officer(officer=officer, reference=case.application.reference, now=LATER)
            for act in (lambda: taken(case, officer), lambda: granting.grant(case=case, officer=officer, now=LATER)):
                with pytest.raises(transitions.OwnApplication):
                    act()
        return own

    @pytest.mark.parametrize(
        ("left", "own"), [(-HOUR, True), (HOUR, True), (-YEAR + HOUR, True), (-YEAR - HOUR, False)]
    )
    def test_as_a_member(self, case: Case, officer: User, left: dt.timedelta, own: bool) -> None:
        company, began = case.application.organisation, case.application.created_at
        assert company is not None
        people.add_member(organisation=company, user=officer, role="owner", actor="system:test", now=NOW - 2 * YEAR)
        people.remove_member(organisation=company, user=officer, actor=f"person:{officer.pk}", now=began + left)
        assert self.is_theirs(case, officer) is own

    @pytest.mark.parametrize(("ended", "own"), [(-HOUR, True), (HOUR, True), (-YEAR - HOUR, False)])
    def test_as_an_agent(self, case: Case, officer: User, ended: dt.timedelta, own: bool) -> None:
        company, began = case.application.organisation, case.application.created_at
        assert company is not None
        mandate = mandates.give_mandate(
            organisation=company,
            email=officer.email,
            agent_name="Sample Consultants",
            scope="see",
            valid_until=began + 2 * YEAR,
            actor="system:test",
            now=began - 2 * YEAR,
        )
        Mandate.objects.filter(pk=mandate.pk).update(
            agent=officer, accepted_at=began - 2 * YEAR, ended_at=began + ended
        )
        assert self.is_theirs(case, officer) is own


class TestGrant:
    def test_waits_for_checks_and_stands_on_what_was_recorded_by_hand(self, officer: User) -> None:
        case = taken(a_case(), officer)
        with pytest.raises(granting.ChecksMissing) as caught:
            granting.grant(case=case, officer=officer, now=LATER)
        assert [fact.kind for fact in caught.value.missing] == ["origin"]
        grantable(case, officer)
        decision = granting.grant(case=case, officer=officer, now=LATER)
        assert decision.decided_by == f"officer:{officer.pk}"
        assert Application.objects.get(pk=case.application_id).status == "granted"

    def test_is_not_possible_while_the_applicant_has_the_word(self, officer: User) -> None:
        case = grantable(a_case(), officer)
        questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        with pytest.raises(transitions.NotPossibleNow):
            granting.grant(case=case, officer=officer, now=LATER)

    def test_is_not_possible_for_a_withdrawn_application(self, officer: User) -> None:
        case = grantable(a_case(), officer)
        sending.withdraw_application(application=case.application, actor="person:x", now=LATER)
        with pytest.raises(transitions.NotPossibleNow):
            granting.grant(case=case, officer=officer, now=LATER)
        assert deadlines.close_unanswered(now=LATER) == 1
        assert Case.objects.get(pk=case.pk).status == Status.WITHDRAWN


class TestTheRegister:
    def test_enters_a_grant_and_the_applicant_is_told(self) -> None:
        application = a_decided_application()
        assert workflow.enter_grants(LATER) == 1
        decision = Decision.objects.get(case__application=application)
        assert decision.registration is not None and decision.entered_at == LATER
        case = queries.case_of(application)
        assert case is not None
        assert letters_to(case)[-1] == "application_granted"
        assert workflow.enter_grants(LATER) == 0
        granting.mark_entered(decision=decision, registration=decision.registration, now=LATER + DAY)
        assert Decision.objects.get(pk=decision.pk).entered_at == LATER

    def test_sends_a_grant_that_was_overtaken_back_to_an_officer(self, officer: User) -> None:
        # Two applications for one address were granted before either was entered.
        first = a_decided_application(address="203.0.113.251")
        other = a_decided_application(address="203.0.113.251", now=NOW + MINUTE)
        assert workflow.enter_grants(LATER) == 2
        decision = Decision.objects.get(case__application=other)
        returned = queries.case_of(other)
        assert Application.objects.get(pk=first.pk).status == "granted" and returned is not None
        assert (returned.status, returned.lane) == (Status.OPEN, Lane.REVIEW)
        # The officer is shown what the register holds now, and cannot grant it into the wall again.
        assert check_queries.checks_of(other.subject).get(kind="not_registered").finding == "registered_by_another"
        taken(returned, officer)
        with pytest.raises(granting.ChecksMissing):
            granting.grant(case=returned, officer=officer, now=LATER)
        assert Application.objects.get(pk=other.pk).status == "submitted"
        assert Decision.objects.get(pk=decision.pk).voided_at == LATER
        assert queries.decision_of(returned) is None
        assert granting.return_grant(decision=decision, why="already_entered", now=LATER + DAY).pk == returned.pk
        assert case_clock.pauses_of(returned)[-1].until_at == LATER
        assert granting.decide_by_rule(application=other, checks=[], now=LATER).status == Status.OPEN


class TestAskQuestion:
    def test_stops_the_clock_until_the_answer(self, officer: User) -> None:
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", text="What for?", now=LATER)
        case = queries.cases().get(pk=case.pk)
        before = case_clock.clock_of(case, LATER)
        much_later = case_clock.clock_of(case, LATER + 9 * DAY)
        assert before.paused and before.waits_for == "applicant"
        assert much_later.remaining == before.remaining
        questions.answer_question(question=question, answer="For clients.", actor="person:x", now=LATER + 2 * DAY)
        case = queries.cases().get(pk=case.pk)
        running = case_clock.clock_of(case, LATER + 2 * DAY)
        assert not running.paused and running.waits_for == "officer"
        assert running.remaining == before.remaining
        assert letters_to(case)[-1] == "application_question"

    def test_takes_a_code_of_questions_only(self, officer: User) -> None:
        case = taken(a_case(), officer)
        for code in ("R3", "Q99", ""):
            with pytest.raises(transitions.CodeNotUsable):
                questions.ask_question(case=case, officer=officer, code=code, now=LATER)

    def test_is_one_at_a_time(self, officer: User) -> None:
        case = taken(a_case(), officer)
        questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        with pytest.raises(transitions.NotPossibleNow):
            questions.ask_question(case=case, officer=officer, code="Q5", now=LATER)

    def test_is_answered_once(self, officer: User) -> None:
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        with pytest.raises(transitions.ReasonNeeded):
            questions.answer_question(question=question, answer="  ", actor="person:x", now=LATER)
        questions.answer_question(question=question, answer="For clients.", actor="person:x", now=LATER)
        with pytest.raises(transitions.AlreadyAnswered):
            questions.answer_question(question=question, answer="Or not.", actor="person:x", now=LATER)

    def test_gives_more_time_once(self, officer: User) -> None:
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        longer = questions.extend_question(question=question, actor="person:x", now=LATER)
        # Ten working days from Tuesday 17 November, then ten more from 30 November.
        assert question.due_at.astimezone(case_clock.calendar().zone_info).date() == dt.date(2026, 11, 30)
        assert longer.due_at.astimezone(case_clock.calendar().zone_info).date() == dt.date(2026, 12, 14)
        with pytest.raises(questions.NoMoreTime):
            questions.extend_question(question=longer, actor="person:x", now=LATER)


class TestCloseUnanswered:
    def test_closes_as_not_pursued_what_was_not_answered(self, officer: User) -> None:
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        assert deadlines.close_unanswered(now=question.due_at) == 0
        assert deadlines.close_unanswered(now=question.due_at + MINUTE) == 1
        assert deadlines.close_unanswered(now=question.due_at + DAY) == 0
        case = queries.cases().get(pk=case.pk)
        assert (case.status, case.application.status) == (Status.NOT_PURSUED, "not_pursued")
        assert letters_to(case)[-1] == "application_not_pursued"
        assert not Decision.objects.exists()

    def test_lets_an_answer_open_the_case_again_for_ninety_days(self, officer: User) -> None:
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        closed = question.due_at + MINUTE
        deadlines.close_unanswered(now=closed)
        with pytest.raises(questions.TooLateToReopen):
            questions.answer_question(question=question, answer="Here.", actor="person:x", now=closed + 94 * DAY)
        questions.answer_question(question=question, answer="Here.", actor="person:x", now=closed + 80 * DAY)
        case = queries.cases().get(pk=case.pk)
        assert (case.status, case.application.status) == (Status.OPEN, "submitted")
        assert case_clock.clock_of(case, closed + 80 * DAY).remaining == case_clock.clock_of(case, LATER).remaining

    def test_tells_the_applicant_of_a_late_case_once_and_any_officer_may_still_take_it(self, officer: User) -> None:
        case = a_case()
        due = case_clock.clock_of(case, NOW).due_at
        assert deadlines.close_unanswered(now=due - MINUTE) == 0
        assert deadlines.close_unanswered(now=due) == 1
        assert deadlines.close_unanswered(now=due + DAY) == 0
        case = queries.cases().get(pk=case.pk)
        assert case.escalated_at == due and case.status == Status.OPEN
        assert letters_to(case)[-1] == "application_late"
        assert acts_on(case)[-1] == "decide.escalated"
        letter = letters.letters_of(case.application.applicant).latest("written_at")
        assert "front of the queue" in letter.text and "goes to a supervisor" not in letter.text
        took = assignment.take_case(case=case, officer=officer, now=due + DAY)
        assert took.assigned_to == officer

    def test_says_nothing_of_lateness_while_the_applicant_has_the_word(self, officer: User) -> None:
        case = taken(a_case(), officer)
        questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        assert deadlines.close_unanswered(now=LATER + 5 * DAY) == 0
        assert Case.objects.get(pk=case.pk).escalated_at is None

    def test_makes_a_notice_ripe_that_was_not_answered(self, officer: User, second: User) -> None:
        case = a_case()
        notice = noticed(case, officer)
        assert deadlines.close_unanswered(now=notice.answer_due_at) == 0
        with pytest.raises(transitions.MayNotSecond) as caught:
            refusals.second_refusal(case=case, officer=second, because="Agreed.", now=notice.answer_due_at)
        assert caught.value.why is CannotSecond.NOT_YET
        after = notice.answer_due_at + MINUTE
        assert deadlines.close_unanswered(now=after) == 1
        assert Notice.objects.get(pk=notice.pk).state == NoticeState.RIPE
        assert (
            refusals.second_refusal(case=case, officer=second, because="Agreed.", now=after).outcome == Outcome.REFUSED
        )
