"""Who looks again, what they say, and what follows. By the acts, and by the database."""

import uuid

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from rahdari.apply.models import Application
from rahdari.archive.actions import Box
from rahdari.decide import queries as cases
from rahdari.decide import recusing
from rahdari.decide.models import Decision
from rahdari.decide.transitions import CodeNotUsable, NotAnOfficer, ReasonNeeded
from rahdari.journal import queries as journal
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.sampling import erasing, looking, queries
from rahdari.sampling.models import SecondLook
from tests.builders.cases import DAY, HOUR, a_person

from .looks import DRAWN, LATER, WHY, by_officer, by_rule, drawn, looked, refused, taken

pytestmark = pytest.mark.django_db


class TestTakeNext:
    def test_is_for_whoever_had_no_part(self, officer: User, second: User, third: User) -> None:
        look = drawn(refused(officer, second))
        assert [queries.free_for(each, DRAWN) for each in (officer, second)] == [[], []]
        assert looking.take_next(officer=officer, now=DRAWN) is None
        assert taken(third) == look

    def test_is_not_for_whoever_opened_the_file(self, officer: User, second: User) -> None:
        decision = by_rule()
        drawn(decision)
        reference = decision.case.application.reference
        cases.case_for_officer(officer=officer, reference=reference, now=LATER, why="again")
        assert looking.take_next(officer=officer, now=DRAWN) is None
        assert looking.take_next(officer=second, now=DRAWN) is not None

    def test_is_not_for_whoever_left_the_case(self, officer: User, second: User) -> None:
        decision = by_rule()
        drawn(decision)
        recusing.recuse(case=decision.case, officer=officer, why="My cousin.", now=LATER)
        assert looking.take_next(officer=officer, now=DRAWN) is None

    def test_is_not_for_whoever_looked_at_the_case_before(self, officer: User, second: User) -> None:
        decision = by_rule()
        drawn(decision)
        looked(officer)
        decision.voided_at = DRAWN
        decision.save()
        again = Decision.objects.create(
            case=decision.case, outcome="granted", decided_by="rule:1", rule_version="1", at=DRAWN
        )
        drawn(again)
        assert looking.take_next(officer=officer, now=DRAWN + HOUR) is None
        assert taken(second, DRAWN + HOUR).decision == again

    def test_gives_nobody_what_a_colleague_has(self, officer: User, second: User) -> None:
        first, other = drawn(by_rule()), drawn(by_rule())
        assert taken(officer).pk != taken(second).pk
        assert {first.pk, other.pk} == set(SecondLook.objects.values_list("pk", flat=True))
        assert taken(officer).taken_by == officer

    def test_gives_it_to_another_after_a_day(self, officer: User, second: User) -> None:
        look = drawn(by_rule())
        taken(officer)
        assert looking.take_next(officer=second, now=DRAWN + 23 * HOUR) is None
        assert taken(second, DRAWN + DAY) == look
        with pytest.raises(queries.LookNotFound):
            looking.give_verdict(look=look, officer=officer, verdict="grant", text=WHY, now=DRAWN + DAY)

    def test_passes_over_what_was_taken_back(self, officer: User) -> None:
        look = drawn(by_rule())
        look.decision.voided_at = DRAWN
        look.decision.save()
        assert looking.take_next(officer=officer, now=DRAWN) is None

    def test_is_for_officers(self) -> None:
        drawn(by_rule())
        with pytest.raises(NotAnOfficer):
            looking.take_next(officer=a_person(), now=DRAWN)


class TestTheFile:
    def test_is_opened_on_record_as_a_second_look(self, officer: User) -> None:
        decision = by_rule()
        look = drawn(decision)
        taken(officer)
        queries.file_for_look(officer=officer, id=look.pk, now=DRAWN)
        row = journal.reads_of([decision.case.application.subject])[0]
        assert (row.act, row.actor, row.reason) == ("sampling.read_file", f"officer:{officer.pk}", "second_look")

    def test_is_closed_to_everybody_else(self, officer: User, second: User) -> None:
        look = drawn(by_rule())
        for person in (officer, a_person()):
            with pytest.raises(queries.LookNotFound):
                queries.file_for_look(officer=person, id=look.pk, now=DRAWN)
        taken(officer)
        for person, id in ((second, look.pk), (officer, uuid.uuid4())):
            with pytest.raises(queries.LookNotFound):
                queries.file_for_look(officer=person, id=id, now=DRAWN)

    def test_is_closed_once_the_case_was_opened_by_the_other_way(self, officer: User) -> None:
        decision = by_rule()
        look = drawn(decision)
        taken(officer)
        reference = decision.case.application.reference
        cases.case_for_officer(officer=officer, reference=reference, now=DRAWN, why="mistake")
        with pytest.raises(queries.LookNotFound):
            queries.file_for_look(officer=officer, id=look.pk, now=DRAWN)
        with pytest.raises(queries.LookNotFound):
            looking.give_verdict(look=look, officer=officer, verdict="grant", text=WHY, now=DRAWN)


class TestGiveVerdict:
    def test_agrees_or_not_and_changes_nothing(self, officer: User, second: User, third: User) -> None:
        found = by_officer(officer), refused(officer, second)
        registrations, acts = Registration.objects.count(), {row.act for row in about(found[0])}
        for decision in found:
            drawn(decision)
        assert [looked(third, "grant").agrees, looked(third, "refuse", "R3").agrees] == [True, True]
        assert Registration.objects.count() == registrations
        assert {row.act for row in about(found[0])} - acts == {"sampling.took", "sampling.looked"}

    def test_counts_a_question_as_another_outcome(self, officer: User) -> None:
        drawn(by_rule())
        assert looked(officer, "ask", "Q4").agrees is False

    def test_is_given_once(self, officer: User) -> None:
        drawn(by_rule())
        look = looked(officer)
        with pytest.raises(queries.LookNotFound):
            looking.give_verdict(look=look, officer=officer, verdict="refuse", codes=["R3"], text=WHY, now=DRAWN)

    @pytest.mark.parametrize(
        ("verdict", "codes", "text", "error"),
        [
            ("refuse", [], WHY, ReasonNeeded),
            ("grant", [], "  ", ReasonNeeded),
            ("refuse", ["Q4"], WHY, CodeNotUsable),
            ("ask", ["R3"], WHY, CodeNotUsable),
            ("ask", ["Z9"], WHY, CodeNotUsable),
        ],
    )
    def test_names_codes_of_its_kind_and_a_sentence(
        self, officer: User, verdict: str, codes: list[str], text: str, error: type[Exception]
    ) -> None:
        drawn(by_rule())
        look = taken(officer)
        with pytest.raises(error):
            looking.give_verdict(look=look, officer=officer, verdict=verdict, codes=codes, text=text, now=DRAWN)


class TestClose:
    def test_is_for_a_supervisor_who_neither_looked_nor_decided(
        self, officer: User, second: User, supervisor: User
    ) -> None:
        drawn(by_officer(officer))
        look = looked(second, "refuse", "R3")
        for person in (officer, second):
            with pytest.raises(queries.LookNotFound):
                looking.close(look=look, officer=person, done="stays", text=WHY, now=DRAWN)
        assert queries.open_disagreements(supervisor) == [look]
        closed = looking.close(look=look, officer=supervisor, done="revokes", text=WHY, now=DRAWN)
        assert (closed.closed_by, closed.closed_as, closed.closed_text) == (supervisor, "revokes", WHY)
        assert queries.open_disagreements(supervisor) == []
        with pytest.raises(queries.LookNotFound):
            looking.close(look=look, officer=supervisor, done="stays", text=WHY, now=DRAWN)

    def test_is_not_for_one_who_looked_or_decided_themselves(self, officer: User, supervisor: User) -> None:
        drawn(by_officer(supervisor))
        looked(officer, "ask", "Q4")
        drawn(by_rule())
        looked(supervisor, "ask", "Q4")
        assert queries.open_disagreements(supervisor) == []

    def test_has_nothing_to_close_where_they_agree(self, officer: User, supervisor: User) -> None:
        drawn(by_rule())
        looked(officer)
        assert queries.open_disagreements(supervisor) == []


class TestTheDatabase:
    @pytest.mark.parametrize("who", ["taken_by", "closed_by"])
    def test_keeps_out_whoever_had_a_part(self, officer: User, second: User, third: User, who: str) -> None:
        decision = refused(officer, second)
        look = drawn(decision)
        looked(third)
        look.refresh_from_db()
        recused = recusing.recuse(case=by_rule().case, officer=third, why="x", now=LATER)
        other = drawn(recused.case.decisions.get())
        applicant = decision.case.application.applicant
        for row, person in ((look, officer), (look, second), (look, applicant), (other, third)):
            facts = {"taken_by": {"taken_by": person, "taken_at": DRAWN}}.get(
                who, {"closed_by": person, "closed_at": DRAWN, "closed_as": "stays"}
            )
            with pytest.raises(DatabaseError), transaction.atomic():
                SecondLook.objects.filter(pk=row.pk).update(**facts)

    def test_draws_a_decision_once(self) -> None:
        look = drawn(by_rule())
        with pytest.raises(DatabaseError), transaction.atomic():
            drawn(look.decision)

    def test_never_rewrites_a_verdict(self, officer: User, second: User, supervisor: User) -> None:
        drawn(by_rule())
        look = looked(officer, "ask", "Q4")
        looking.close(look=look, officer=supervisor, done="stays", text=WHY, now=DRAWN)
        for facts in (
            {"verdict": "grant"},
            {"agrees": True},
            {"codes": []},
            {"text": ""},
            {"looked_at": None},
            {"taken_by": second},
            {"drawn_at": LATER},
            {"closed_as": "anew"},
            {"closed_text": ""},
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                SecondLook.objects.filter(pk=look.pk).update(**facts)
        with pytest.raises(DatabaseError), transaction.atomic():
            SecondLook.objects.all().delete()

    def test_lets_nobody_close_what_they_looked_at(self, supervisor: User) -> None:
        drawn(by_rule())
        look = looked(supervisor, "ask", "Q4")
        with pytest.raises(DatabaseError), transaction.atomic():
            SecondLook.objects.filter(pk=look.pk).update(closed_by=supervisor, closed_at=DRAWN, closed_as="stays")

    def test_lets_words_go_with_the_file_alone(self, officer: User, supervisor: User) -> None:
        drawn(by_rule())
        look = looked(officer, "ask", "Q4")
        looking.close(look=look, officer=supervisor, done="stays", text=WHY, now=DRAWN)
        application = look.decision.case.application
        with pytest.raises(DatabaseError), transaction.atomic():
            erasing.erase_words(application=application, box=Box("case", now=DRAWN))
        Application.objects.filter(pk=application.pk).update(erased_at=timezone.now())
        erasing.erase_words(application=application, box=Box("case", now=DRAWN))
        look.refresh_from_db()
        assert (look.text, look.closed_text, look.verdict, look.codes) == ("", "", "ask", ["Q4"])


class TestFigures:
    def test_tell_rules_from_officers(self, officer: User, second: User, third: User) -> None:
        for decision in (by_rule(), by_rule(), by_officer(officer), refused(officer, second)):
            drawn(decision)
        for verdict in (["grant"], ["ask", "Q4"], ["refuse", "R3"], ["refuse", "R3"]):
            looked(third, *verdict)
        found = queries.figures(DRAWN)
        assert (found.by_rule.looked, found.by_officers.looked) == (2, 2)
        assert found.by_rule.differed + found.by_officers.differed == SecondLook.objects.filter(agrees=False).count()
        by_name = dict(queries.by_officer(DRAWN))
        assert sorted(by_name) == ["Officer A", "Officer B"]
        assert queries.figures(DRAWN + 366 * DAY).by_rule.looked == 0


def about(decision: object) -> list[object]:
    return list(journal.about(decision.case.application.subject))  # type: ignore[attr-defined]
