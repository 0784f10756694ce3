"""What the database itself refuses, and two officers at the same moment."""

from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from rahdari import workflow
from rahdari.checks import queries as checks
from rahdari.decide import deadlines, granting, questions, refusals, transitions
from rahdari.decide.models import Case, Decision, Notice
from rahdari.people.models import User
from tests.builders.cases import DAY, MINUTE, NOW, a_case, a_refusal, an_application, an_officer

from .test_actions import LATER, answered, grantable, noticed, taken

pytestmark = pytest.mark.django_db


class TestTwoOfficersAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_make_one_decision(self) -> None:
        officer = an_officer("Officer A")
        case = grantable(a_case(), officer)
        start, outcomes = Barrier(2), []

        def grant() -> None:
            try:
                start.wait()
                granting.grant(case=case, officer=officer, now=LATER)
                outcomes.append("granted")
            except transitions.NotPossibleNow:
                outcomes.append("too late")
            finally:
                connection.close()

        threads = [Thread(target=grant) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["granted", "too late"]
        assert Decision.objects.filter(case=case).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_of_the_line_make_one_case(self) -> None:
        application = an_application()
        workflow.open_checks(NOW)
        start, made = Barrier(2), []

        def decide() -> None:
            start.wait()
            case = granting.decide_by_rule(
                application=application, checks=list(checks.checks_of(application.subject)), now=LATER
            )
            made.append(case.pk)
            connection.close()

        threads = [Thread(target=decide) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 2 and len(set(made)) == 1
        assert Decision.objects.filter(case_id=made[0]).count() == 1


class TestTheDatabase:
    """What no program may write, whatever its code says."""

    def refused(self, officer: User, second: User) -> Decision:
        case = a_case()
        answered(case, officer)
        return refusals.second_refusal(case=case, officer=second, because="Agreed.", now=LATER + DAY)

    def test_keeps_a_decision_as_it_was_made(self, officer: User, second: User) -> None:
        decision = self.refused(officer, second)
        for change in ({"outcome": "granted"}, {"codes": ["R1"]}, {"seconded_by": officer}, {"at": NOW}):
            with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic():
                Decision.objects.filter(pk=decision.pk).update(**change)
        with pytest.raises(ProgrammingError), transaction.atomic():
            decision.delete()

    def test_takes_no_refusal_before_the_applicant_was_heard(self, officer: User, second: User) -> None:
        notice = noticed(a_case(), officer)
        with pytest.raises(IntegrityError, match="follows a notice"), transaction.atomic():
            a_refusal(notice, decided_by="officer:x", proposed_by=officer, seconded_by=second)

    def test_moves_no_case_but_as_the_table_says(self, officer: User) -> None:
        case = a_case()
        with pytest.raises(IntegrityError, match="decided by a decision"), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(status="decided", decided_at=NOW)
        deadlines.close_unanswered(now=NOW)
        Case.objects.filter(pk=case.pk).update(status="withdrawn", closed_at=NOW)
        with pytest.raises(IntegrityError, match="does not move"), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(status="open", closed_at=None)
        with pytest.raises(ProgrammingError, match="never deleted"), transaction.atomic():
            case.delete()

    def test_keeps_what_was_asked_and_announced(self, officer: User) -> None:
        notice = answered(a_case(), officer)
        with pytest.raises(ProgrammingError), transaction.atomic():
            Notice.objects.filter(pk=notice.pk).update(codes=["R1"])
        with pytest.raises(ProgrammingError), transaction.atomic():
            Notice.objects.filter(pk=notice.pk).update(answer_due_at=NOW + MINUTE)
        case = taken(a_case(), officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
        with pytest.raises(ProgrammingError), transaction.atomic():
            type(question).objects.filter(pk=question.pk).update(code="Q1")
        with pytest.raises(ProgrammingError), transaction.atomic():
            question.delete()
