"""Somebody else decides: an officer says why, or the applicant does. At the desk, on the pages, by program, and in the
database."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from rahdari.apply import sending
from rahdari.decide import (
    assignment,
    conflicts_of_interest,
    desk,
    erasing,
    granting,
    queries,
    recusing,
    refusals,
    revocation,
    transitions,
)
from rahdari.decide.models import Case, Decision, Recusal, Revocation
from rahdari.decide.rules import Status
from rahdari.people.models import User
from tests.builders.cases import DAY, HOUR, NOW, a_case, a_refusal
from tests.builders.programs import Program

from .test_actions import LATER, acts_on, answered, grantable, noticed, taken
from .test_revocation import granted, proposed
from .test_views import page, signed_in

pytestmark = pytest.mark.django_db
OnePerson = Callable[..., None]
WHY = "The applicant is my cousin."
DOUBT = "I am in court against the officer."


def left(case: Case, officer: User) -> Recusal:
    return recusing.recuse(case=case, officer=officer, why=WHY, now=LATER)


def asked(case: Case) -> Recusal:
    actor = f"person:{case.application.applicant_id}"
    return recusing.ask_for_another(case=case, actor=actor, why=DOUBT, now=LATER)


def fresh(case: Case) -> Case:
    return queries.cases().get(pk=case.pk)


class TestAnOfficer:
    def test_leaves_a_case_that_they_had(self, officer: User, second: User) -> None:
        case = taken(a_case(), officer)
        recusal = left(case, officer)
        case = fresh(case)
        assert (case.assigned_to, case.assigned_at, case.status) == (None, None, Status.OPEN)
        assert (recusal.why, recusal.is_asked_for) == (WHY, False)
        assert acts_on(case)[-1] == "decide.recused"
        assert taken(case, second).assigned_to == second

    def test_need_not_have_it(self, officer: User, second: User) -> None:
        case = taken(a_case(), second)
        left(case, officer)
        assert fresh(case).assigned_to == second

    def test_has_no_part_in_it_any_more(self, officer: User, second: User) -> None:
        case = grantable(a_case(), second)
        left(case, officer)
        reference = case.application.reference
        with pytest.raises(queries.CaseNotFound):
            queries.case_for_officer(officer=officer, reference=reference, now=LATER)
        assert queries.case_for_officer(officer=second, reference=reference, now=LATER) == case
        for person, rows in ((officer, 0), (second, 1)):
            shown = desk.desk(officer=person, filters=desk.Filters(), now=LATER)
            assert (shown.total, conflicts_of_interest.of_others(Case.objects.all(), person).count()) == (rows, rows)
        with pytest.raises(transitions.Recused):
            assignment.hand_over(case=case, officer=second, to=officer, now=LATER)
        for act in (
            lambda: taken(case, officer),
            lambda: granting.grant(case=case, officer=officer, now=LATER),
            lambda: left(case, officer),
        ):
            with pytest.raises(transitions.Recused):
                act()
        refusals.propose_refusal(case=case, officer=second, codes=["R3"], text="It is not.", now=LATER)
        for act in (
            lambda: refusals.second_refusal(case=case, officer=officer, because="It is so", now=LATER + HOUR),
            lambda: refusals.drop_refusal(case=case, officer=officer, why="It is not", now=LATER + HOUR),
        ):
            with pytest.raises(transitions.Recused):
                act()
        assert fresh(case).status == Status.OPEN and not Decision.objects.exists()

    def test_takes_their_proposal_with_them(self, officer: User) -> None:
        case = a_case()
        noticed(case, officer)
        left(case, officer)
        assert queries.open_notice(fresh(case)) is None
        assert acts_on(case)[-2:] == ["decide.dropped_refusal", "decide.recused"]

    def test_leaves_the_proposal_of_another(self, officer: User, second: User) -> None:
        case = a_case()
        noticed(case, second)
        left(case, officer)
        assert queries.open_notice(fresh(case)) is not None

    def test_leaves_what_another_account_of_theirs_has(
        self, officer: User, second: User, director: User, one_person: OnePerson
    ) -> None:
        case = taken(a_case(), officer)
        one_person(officer, second)
        left(case, second)
        assert (fresh(case).assigned_to, fresh(case).assigned_at) == (None, None)
        with pytest.raises(transitions.Recused):
            taken(fresh(case), officer)
        assert taken(fresh(case), director).assigned_to == director

    def test_takes_the_proposal_of_another_account_of_theirs_along(
        self, officer: User, second: User, one_person: OnePerson
    ) -> None:
        one_person(officer, second)
        case = a_case()
        noticed(case, officer)
        left(case, second)
        assert queries.open_notice(fresh(case)) is None
        registered, _registration = granted()
        proposed(registered, officer)
        left(fresh(registered), second)
        assert queries.open_notice(fresh(registered)) is None

    def test_leaves_a_registration_to_others(self, officer: User, second: User) -> None:
        case, _registration = granted()
        proposed(case, officer)
        left(fresh(case), officer)
        assert queries.open_notice(fresh(case)) is None
        assert revocation.waiting(officer=second, now=LATER) == []
        proposed(fresh(case), second)
        assert len(revocation.waiting(officer=second, now=LATER)) == 1
        assert revocation.waiting(officer=officer, now=LATER) == []

    def test_says_why(self, officer: User) -> None:
        with pytest.raises(transitions.ReasonNeeded):
            recusing.recuse(case=a_case(), officer=officer, why=" ", now=LATER)
        assert not Recusal.objects.exists()


class TestTheApplicant:
    def test_gets_another_officer(self, officer: User, second: User) -> None:
        case = taken(a_case(), officer)
        assert recusing.may_ask_for_another(case)
        recusal = asked(case)
        assert (recusal.officer, recusal.why, recusal.is_asked_for) == (officer, DOUBT, True)
        assert acts_on(case)[-1] == "decide.asked_for_another"
        with pytest.raises(transitions.Recused):
            taken(fresh(case), officer)
        case = taken(fresh(case), second)
        assert not recusing.may_ask_for_another(case)
        with pytest.raises(recusing.AskedBefore):
            asked(case)
        assert fresh(case).assigned_to == second

    def test_may_ask_after_an_officer_left(self, officer: User, second: User, director: User) -> None:
        case = taken(a_case(), officer)
        left(case, officer)
        asked(taken(fresh(case), second))
        assert taken(fresh(case), director).assigned_to == director

    def test_is_told_when_there_is_nobody_else(self, officer: User) -> None:
        case = taken(a_case(), officer)
        with pytest.raises(recusing.NobodyElse):
            asked(case)
        assert fresh(case).assigned_to == officer and not Recusal.objects.exists()

    def test_gets_no_other_account_of_the_same_person(self, officer: User, second: User, one_person: OnePerson) -> None:
        case = taken(a_case(), officer)
        assert recusing.others(case) == [second]
        one_person(officer, second)
        with pytest.raises(recusing.NobodyElse):
            asked(case)
        assert fresh(case).assigned_to == officer and not Recusal.objects.exists()
        assert recusing.others(a_case(), besides=[officer]) == []

    def test_gets_none_while_nobody_has_it_or_a_notice_stands(self, officer: User, second: User) -> None:
        case = a_case()
        assert not recusing.may_ask_for_another(case)
        with pytest.raises(recusing.NotWithAnOfficer):
            asked(case)
        noticed(case, officer)
        assert not recusing.may_ask_for_another(fresh(case))
        with pytest.raises(recusing.NotWithAnOfficer):
            asked(fresh(case))


class TestPages:
    @pytest.fixture(autouse=True)
    def the_time(self, time_machine: object) -> None:
        time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_of_the_desk(self, officer: User, second: User, language: str) -> None:
        case = taken(a_case(), officer)
        browser = signed_in(officer, language)
        assert page(case, "recuse") in browser.get(page(case)).content.decode()
        empty = browser.post(page(case, "recuse"), {"conflict": ""})
        assert empty.status_code == 422 and b'href="#id_conflict"' in empty.content
        answer = browser.post(page(case, "recuse"), {"conflict": WHY}, follow=True)
        assert answer.redirect_chain[-1][0] == reverse("decide:queue")
        assert case.application.reference in answer.content.decode()
        assert browser.get(page(case)).status_code == 404
        shown = signed_in(second, language).get(page(case)).content.decode()
        assert WHY in shown and officer.name in shown
        # The applicant sees that it happened, and neither who nor why.
        status = reverse("portal:status", args=[case.application.reference])
        seen = signed_in(case.application.applicant, language).get(status)
        said = {"en": "An officer declared a conflict of interest", "ur": "ایک افسر نے مفادات کا ٹکراؤ بتایا"}
        assert said[language] in seen.text and WHY not in seen.text and officer.name not in seen.text

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_of_the_applicant(self, officer: User, second: User, language: str) -> None:
        case = a_case()
        browser, reference = signed_in(case.application.applicant, language), case.application.reference
        status, there = (reverse(f"portal:{name}", args=[reference]) for name in ("status", "another_officer"))
        assert there not in browser.get(status).content.decode()
        assert browser.get(there)["Location"] == status
        taken(case, officer)
        assert there in browser.get(status).content.decode()
        assert browser.get(there).status_code == 200
        assert browser.post(there, {"why": " "}).status_code == 422
        answer = browser.post(there, {"why": DOUBT}, follow=True)
        assert answer.redirect_chain == [(status, 302)] and there not in answer.content.decode()
        assert Recusal.objects.get().why == DOUBT
        assert {"en": "Another officer was asked for", "ur": "دوسرا افسر مانگا گیا"}[language] in answer.text
        assert DOUBT in signed_in(second, language).get(page(case)).content.decode()

    def test_offer_nothing_of_what_was_withdrawn(self, officer: User) -> None:
        case = taken(a_case(), officer)
        actor = f"person:{case.application.applicant_id}"
        sending.withdraw_application(application=case.application, actor=actor, now=NOW)
        assert page(case, "recuse") not in signed_in(officer).get(page(case)).content.decode()

    def test_keep_what_was_written_when_there_is_nobody_else(self, officer: User) -> None:
        case = taken(a_case(), officer)
        there = reverse("portal:another_officer", args=[case.application.reference])
        answer = signed_in(case.application.applicant).post(there, {"why": DOUBT})
        assert answer.status_code == 422
        assert DOUBT in answer.content.decode() and "no other officer" in answer.content.decode()

    def test_are_nobody_elses(self, officer: User, second: User) -> None:
        case = taken(a_case(), officer)
        there = reverse("portal:another_officer", args=[case.application.reference])
        assert signed_in(second).post(there, {"why": DOUBT}).status_code == 404
        assert Client().post(there, {"why": DOUBT}).status_code == 302
        assert not Recusal.objects.exists()


class TestPrograms:
    def test_ask_once(self, officer: User, second: User) -> None:
        case = a_case()
        program = Program(case.application.applicant)
        path = f"/applications/{case.application.reference}/another-officer"
        answer = program.ask("post", path, {"why": DOUBT})
        assert (answer.status_code, answer.said["code"]) == (409, "no_officer")
        taken(case, officer)
        assert program.ask("post", path, {"why": ""}).status_code == 422
        assert program.ask("post", path, {"why": DOUBT}).status_code == 200
        taken(fresh(case), second)
        answer = program.ask("post", path, {"why": DOUBT})
        assert (answer.status_code, answer.said["code"]) == (409, "asked_before")


class TestTheDatabase:
    def test_keeps_the_recused_out(self, officer: User, second: User, director: User) -> None:
        case = a_case()
        notice = answered(case, officer)
        Recusal.objects.create(case=case, officer=second, asked_by=f"officer:{second.pk}", why=WHY, at=LATER)
        for write in (
            lambda: Case.objects.filter(pk=case.pk).update(assigned_to=second),
            lambda: a_refusal(notice, proposed_by=officer, seconded_by=second, decided_by=f"officer:{second.pk}"),
            lambda: Decision.objects.create(
                case=case, outcome="granted", decided_by=f"supervisor:{second.pk}", rule_version="1", at=LATER
            ),
        ):
            with pytest.raises(DatabaseError, match="recused"), transaction.atomic():
                write()
        assert a_refusal(notice, proposed_by=officer, seconded_by=director, decided_by=f"officer:{director.pk}").pk

    def test_keeps_them_out_of_revocations(self, officer: User, second: User) -> None:
        case, registration = granted()
        proposed(case, officer)
        notice = queries.open_notice(fresh(case))
        assert notice is not None
        refusals.answer_notice(notice=notice, answer="It is genuine.", actor="person:x", now=LATER + HOUR)
        Recusal.objects.create(case=case, officer=second, asked_by="person:x", why=DOUBT, at=LATER)
        facts = {
            "case": case, "registration": registration, "notice": notice, "kind": "striking_out", "codes": ["X5"],
            "proposed_by": officer, "rule_version": "1", "at": LATER + DAY, "appeal_until": LATER + 30 * DAY,
        }  # fmt: skip
        with pytest.raises(DatabaseError, match="recused"), transaction.atomic():
            Revocation.objects.create(seconded_by=second, decided_by=f"officer:{second.pk}", **facts)

    def test_never_rewrites_what_was_said(self, officer: User, second: User) -> None:
        case = a_case()
        recusal = left(case, officer)
        for write in (
            recusal.delete,
            lambda: Recusal.objects.filter(pk=recusal.pk).update(officer=second),
            lambda: Recusal(pk=recusal.pk, why="Other words").save(update_fields=["why"]),
            lambda: Recusal.objects.filter(pk=recusal.pk).update(why=""),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                write()

    def test_lets_the_words_go_with_the_file(self, officer: User) -> None:
        from rahdari.apply.models import Application
        from rahdari.archive.actions import Box

        case = a_case()
        left(case, officer)
        Application.objects.filter(pk=case.application.pk).update(erased_at=NOW + DAY)
        erasing.erase_words(application=case.application, box=Box("case", now=NOW + DAY))
        assert Recusal.objects.get().why == ""
