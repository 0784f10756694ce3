"""A complaint is taken in, answered by the holder, decided by somebody without a part, and told on its day."""

import datetime as dt
import itertools
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from rahdari.apply.models import Application
from rahdari.complaint import actions, queries
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import Answer, CannotDecide, Outcome, State
from rahdari.decide import queries as cases
from rahdari.decide import recusing, revocation
from rahdari.decide.evidence import EvidenceMissing
from rahdari.decide.models import Case
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people import holders
from rahdari.people.models import User
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.register.rules import Standing
from rahdari.workflow import entering, retention
from tests.builders.cases import DAY, HOUR, NOW, a_decided_application, a_gateway, a_person, an_officer
from tests.data_steps import migrated_again

pytestmark = pytest.mark.django_db
LATER = NOW + HOUR
SENDER = "stranger@sender.example"


def registered() -> tuple[Application, Registration]:
    a_gateway()
    application = a_decided_application()
    entering.enter_grants(NOW)
    decision = cases.decision_of(case_of(application))
    assert decision is not None and decision.registration is not None
    return application, decision.registration


def case_of(application: Application) -> Case:
    case = cases.case_of(application)
    assert case is not None
    return cases.cases().get(pk=case.pk)


def fresh(complaint: Complaint) -> Complaint:
    return queries.complaints().get(pk=complaint.pk)


def sent(target: str, *, now: dt.datetime = LATER, looked_up: bool = True, **facts: Any) -> Complaint:
    given = {"kind": "misuse", "about": "false_statement", "words": "The letter is forged.", "email": SENDER}
    complaint = actions.send(id=uuid.uuid4(), target=target, language="en", now=now, **given | facts)
    if looked_up:
        actions.look_up(now=now)
    return fresh(complaint)


def answered(complaint: Complaint, now: dt.datetime = LATER + HOUR) -> Complaint:
    actions.answer(complaint=complaint, words="It is genuine.", actor="person:x", now=now)
    return fresh(complaint)


def decided(complaint: Complaint, officer: User, outcome: str = "not_founded", **facts: Any) -> Complaint:
    given = {"why": "The letter is genuine.", "now": LATER + DAY} | facts
    actions.decide(complaint=complaint, officer=officer, outcome=outcome, **given)
    return fresh(complaint)


def letters_to(application: Application) -> list[str]:
    return [each.template for each in letters.letters_of(application.applicant).order_by("written_at", "id")]


def letters_to_sender() -> list[Letter]:
    return list(Letter.objects.filter(about__startswith="complaint:").order_by("written_at", "id"))


def rewritten(complaint: Complaint, **changed: Any) -> None:
    """As no act would, for what the database makes of it."""
    row = fresh(complaint)
    for name, value in changed.items():
        setattr(row, name, value)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.save(update_fields=list(changed))


def acts_about(application: Application) -> list[str]:
    return [row.act for row in journal.about(application.subject)]


class TestAReport:
    def test_asks_the_holder_and_gives_a_receipt(self) -> None:
        application, registration = registered()
        complaint = sent(registration.reference)
        assert (complaint.state, complaint.holder_answer) == (State.OPEN, Answer.ASKED)
        assert complaint.registration == registration
        assert complaint.answer_due_at is not None and complaint.due_at is not None
        assert complaint.answer_due_at < complaint.due_at
        assert letters_to(application)[-1] == "complaint_to_answer"
        assert [each.template for each in letters_to_sender()] == ["complaint_received"]
        assert "complaint.received" in acts_about(application)

    def test_of_an_unknown_number_gets_the_same_words_on_the_same_day(self, officer: User) -> None:
        _, registration = registered()
        known = decided(answered(sent(registration.reference)), officer)
        unknown = decided(sent("RD-4F7K-92MQ"), officer, "nothing_registered")
        assert known.due_at == unknown.due_at and unknown.registration is None
        assert actions.tell(now=LATER + 2 * DAY) == 0
        assert known.due_at is not None
        assert actions.tell(now=known.due_at) == 2
        texts = {
            letter.text.replace(each.receipt, "").replace(queries.token_of(each), "")
            for each in (known, unknown)
            for letter in Letter.objects.filter(about=each.subject, template="complaint_closed")
        }
        [text] = texts
        assert "Not founded" not in text and "We do not tell who is registered" in " ".join(text.split())

    def test_contests_no_name_whatever_anybody_says(self, officer: User) -> None:
        complaint = sent(registered()[1].reference)
        with pytest.raises(actions.NoNameInIt):
            actions.contest(complaint=complaint, officer=officer, contested=True, now=LATER)
        rewritten(complaint, contested_at=LATER)

    def test_that_was_read_under_the_release_before_goes_on_contesting_a_name(self, officer: User) -> None:
        read, unread = (
            sent(registered()[0].name, kind="correction", about="name", is_theirs=True, email=f"{each}@sender.example")
            for each in ("one", "two")
        )
        for each in (read, unread):
            actions.ask_holder(complaint=each, officer=officer, now=LATER)
        misuse = sent(registered()[1].reference)
        for each in (read, misuse):
            queries.complaint_for_officer(user=officer, reference=each.reference, now=LATER + HOUR)
        migrated_again("complaint", "0007_contested")
        assert fresh(read).contested_at == LATER + HOUR
        assert fresh(unread).contested_at is None and fresh(misuse).contested_at is None

    def test_that_was_sent_under_the_release_before_keeps_its_link(self, officer: User) -> None:
        for complaint in (sent("RD-4F7K-92MQ"), decided(sent("RD-4F7K-92MQ"), officer, "nothing_registered")):
            migrated_again("complaint", "0009_receipt")
            assert fresh(complaint).receipt == complaint.reference
            with pytest.raises(DatabaseError), transaction.atomic():
                Complaint.objects.filter(pk=complaint.pk).update(receipt="C-4F7K-92MQ")

    def test_sent_twice_by_one_form_is_one(self) -> None:
        _, registration = registered()
        key = uuid.uuid4()
        facts = {"kind": "misuse", "about": "sold_on", "target": registration.reference, "words": "Sold."}
        for _each in range(2):
            actions.send(id=key, language="en", now=LATER, **facts)
        assert Complaint.objects.count() == 1

    def test_of_the_same_act_is_counted_while_one_is_open(self, officer: User) -> None:
        application, registration = registered()
        first = sent(registration.reference)
        again = sent(registration.reference, words="I saw it, too.", email="")
        other = sent(registration.reference, about="sold_on")
        assert again.part_of == first and other.part_of is None and again.is_anonymous
        assert letters_to(application).count("complaint_to_answer") == 2
        assert {each.pk: each.others_count for each in queries.open_complaints()} == {first.pk: 1, other.pk: 0}  # type: ignore[attr-defined]
        decided(answered(first), officer)
        assert fresh(again).outcome == Outcome.NOT_FOUNDED
        assert sent(registration.reference).part_of is None

    def test_is_about_nothing_that_has_ended(self) -> None:
        _, registration = registered()
        late = registration.stays_until + DAY
        assert sent(registration.reference, now=late).registration is None


class TestTheHolder:
    def test_is_heard_before_anybody_decides(self, officer: User) -> None:
        _, registration = registered()
        complaint = sent(registration.reference)
        with pytest.raises(actions.NotPossibleNow):
            decided(complaint, officer)
        rewritten(complaint, decided_at=LATER, decided_by=officer, outcome="not_founded")
        assert decided(answered(complaint), officer).state == State.CLOSED

    def test_who_is_silent_loses_nothing_by_that(self, officer: User) -> None:
        application, registration = registered()
        complaint = sent(registration.reference)
        assert complaint.answer_due_at is not None
        assert actions.let_answer_lapse(now=complaint.answer_due_at) == 0
        after = complaint.answer_due_at + HOUR
        assert actions.let_answer_lapse(now=after) == 1
        assert fresh(complaint).holder_answer == Answer.SILENT
        assert register.standing(register.fresh(registration), after) == Standing.VALID
        assert answered(fresh(complaint), after).holder_answer == Answer.ANSWERED
        assert acts_about(application)[:2] == ["complaint.answered", "complaint.answer_lapsed"]

    def test_answers_once(self) -> None:
        _, registration = registered()
        complaint = answered(sent(registration.reference))
        with pytest.raises(actions.NotPossibleNow):
            answered(complaint)
        rewritten(complaint, answer="Another.")


class TestDeciding:
    def test_that_it_is_founded_proposes_a_revocation_and_changes_nothing(self, officer: User, director: User) -> None:
        application, registration = registered()
        complaint = answered(sent(registration.reference))
        assert [reason.code for reason in queries.codes_for(complaint)] == ["X5"]
        founded = decided(complaint, director, "founded", code="X5", evidence="The register’s answer.")
        assert founded.notice is not None and founded.notice.codes == ["X5"]
        assert register.standing(register.fresh(registration), LATER + DAY) == Standing.VALID
        assert set(letters_to(application)[-2:]) == {"registration_notice", "complaint_decided"}
        assert revocation.waiting(officer=officer, now=LATER + DAY)

    def test_it_is_the_report_that_a_code_needs_while_it_is_not_unfounded(self, officer: User, director: User) -> None:
        application, registration = registered()
        complaint = answered(sent(registration.reference, about="sold_on"))
        assert queries.reports_about(application) == [False]
        founded = decided(complaint, director, "founded", code="S5", evidence="What the sender wrote.")
        assert founded.notice is not None and queries.reports_about(application) == [False]
        other, again = registered()
        decided(answered(sent(again.reference, about="sold_on")), director)
        assert queries.reports_about(other) == []

    def test_by_a_code_whose_evidence_is_not_in_the_file_is_refused(self, director: User) -> None:
        _, registration = registered()
        complaint = answered(sent(registration.reference, about="not_the_holder"))
        with pytest.raises(EvidenceMissing):
            decided(complaint, director, "founded", code="X2", evidence="It was wound up.")
        assert fresh(complaint).state == State.OPEN

    def test_by_a_code_of_another_act_is_refused(self, director: User) -> None:
        _, registration = registered()
        complaint = answered(sent(registration.reference))
        with pytest.raises(actions.ReasonNeeded):
            decided(complaint, director, "founded", code="S4", evidence="Something.")
        assert fresh(complaint).state == State.OPEN

    def test_is_for_nobody_with_a_part_or_recused_or_who_sent_it(self, officer: User) -> None:
        application, registration = registered()
        complaint = answered(sent(registration.reference, email=officer.email))
        with pytest.raises(actions.MayNotDecide) as error:
            decided(complaint, officer)
        assert error.value.why == CannotDecide.PART
        recused = an_officer("Officer R")
        recusing.recuse(case=case_of(application), officer=recused, why="A neighbour.", now=LATER)
        for user in (recused, application.applicant):
            assert queries.why_not(complaint, user) == CannotDecide.PART
        for user in (officer, recused, application.applicant):
            rewritten(complaint, decided_at=LATER + DAY, decided_by=user, outcome="not_founded")

    def test_founds_nothing_where_nothing_is_registered(self, officer: User) -> None:
        complaint = sent("RD-4F7K-92MQ")
        with pytest.raises(actions.OutcomeNotPossible):
            decided(complaint, officer, "founded")
        assert decided(complaint, officer, "malicious").outcome == Outcome.MALICIOUS

    def test_happens_once(self, officer: User, second: User) -> None:
        complaint = decided(sent("RD-4F7K-92MQ"), officer, "nothing_registered")
        with pytest.raises(actions.NotPossibleNow):
            decided(complaint, second, "not_founded")

    def test_that_is_late_is_marked_and_removes_nobody(self) -> None:
        application, registration = registered()
        complaint = sent(registration.reference)
        assert complaint.due_at is not None
        assert actions.run_out(now=complaint.due_at + HOUR) == 1
        assert actions.run_out(now=complaint.due_at + DAY) == 0
        assert fresh(complaint).overdue_at is not None
        assert register.standing(register.fresh(registration), complaint.due_at + DAY) == Standing.VALID
        assert acts_about(application)[0] == "complaint.ran_out"


class TestACorrection:
    def correction(self, about: str, target: str, **facts: Any) -> Complaint:
        return sent(target, kind="correction", about=about, **facts)

    def test_of_an_address_finds_the_entry_that_has_it(self) -> None:
        application, registration = registered()
        block = application.endpoints.get().block
        complaint = self.correction("address", str(block), email="")
        assert complaint.registration == registration and complaint.is_anonymous
        assert self.correction("address", "192.0.2.77/32", email="").registration is None

    def test_of_an_entry_waits_until_the_email_address_is_confirmed(self) -> None:
        application, registration = registered()
        complaint = self.correction("entry", registration.reference)
        assert complaint.state == State.UNCONFIRMED and complaint.registration is None
        assert [each.template for each in letters_to_sender()] == ["complaint_confirm"]
        assert "complaint_to_answer" not in letters_to(application)
        actions.confirm(complaint=complaint, now=LATER + HOUR)
        actions.look_up(now=LATER + HOUR)
        assert fresh(complaint).registration == registration
        assert letters_to(application)[-1] == "complaint_to_answer"

    def test_that_nobody_confirms_is_gone_after_a_week(self) -> None:
        complaint = self.correction("entry", "RD-4F7K-92MQ")
        assert actions.forget(now=LATER + 6 * DAY) == 0
        assert actions.forget(now=LATER + 8 * DAY) == 1
        assert not Complaint.objects.filter(pk=complaint.pk).exists()

    def test_needs_an_address_to_confirm(self) -> None:
        with pytest.raises(actions.ReasonNeeded):
            self.correction("company", "0054321", email="")

    def test_finds_all_who_hold_under_the_number_of_a_company(self) -> None:
        facts = {"name": "Sample Fibre", "company_number": "0054321", "actor": "system:test", "now": NOW}
        both = [people.register_organisation(owner=a_person(), **facts) for _each in range(2)]
        assert set(holders.holders_numbered("0054321")) == {each.holder_ref for each in both}
        assert holders.holders_numbered("0054322") == []

    def test_asks_about_each_registration_of_a_company(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _, one = registered()
        _, two = registered()
        monkeypatch.setattr(queries, "_named", lambda about, target: [one, two])
        complaint = self.correction("company", "0054321")
        actions.confirm(complaint=complaint, now=LATER)
        actions.look_up(now=LATER)
        assert {each.registration for each in queries.open_complaints()} == {one, two}
        assert len(letters_to_sender()) == 2

    def test_gives_each_holder_another_number_than_the_sender(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else a holder of one who sends it learns whether there is a newer one."""
        one, two = registered(), registered()
        shown = []
        for found in ([one[1]], [two[1], one[1]]):
            monkeypatch.setattr(queries, "_named", lambda about, target, found=found: found)
            complaint = self.correction("card", "3520212345671")
            actions.confirm(complaint=complaint, now=LATER)
            actions.look_up(now=LATER)
            letter = letters.letters_of(one[0].applicant).latest("written_at", "id")
            assert all(
                complaint.receipt in each.text for each in letters_to_sender() if each.about == complaint.subject
            )
            assert complaint.receipt not in letter.text
            shown.append([each.reference == complaint.receipt for each in queries.complaints_of(one[0])])
        assert not any(itertools.chain(*shown))
        assert queries.complaint_for_sender(receipt=complaint.receipt, token=queries.token_of(complaint)) == complaint
        with pytest.raises(queries.ComplaintNotFound):
            queries.complaint_for_sender(receipt=complaint.reference, token=queries.token_of(complaint))

    def test_asks_all_who_gave_a_card_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A limit would tell the one who is left out that there are so many others."""
        found = [registered()[1] for _each in range(3)]
        monkeypatch.setattr(queries, "MOST_FOUND", 2)
        monkeypatch.setattr(queries, "_named", lambda about, target: found)
        assert len(queries.registrations_about("card", "3520212345671", NOW)) == 3
        assert len(queries.registrations_about("company", "0054321", NOW)) == 2


class TestTheRecord:
    def test_is_never_rewritten_or_deleted(self, officer: User) -> None:
        complaint = decided(sent("RD-4F7K-92MQ"), officer, "nothing_registered")
        for changed in ({"words": "Else."}, {"outcome": "malicious"}, {"why": "Else."}, {"target": "RD-5P9X-31GN"}):
            rewritten(complaint, **changed)
        with pytest.raises(DatabaseError), transaction.atomic():
            Complaint.objects.filter(pk=complaint.pk).delete()

    def test_of_what_was_not_upheld_goes_a_while_after_its_end(self, officer: User) -> None:
        _, registration = registered()
        complaint = decided(answered(sent(registration.reference)), officer)
        assert complaint.due_at is not None
        actions.tell(now=complaint.due_at)
        assert retention.erase_complaints(now=complaint.due_at + 89 * DAY) == 0
        assert retention.erase_complaints(now=complaint.due_at + 91 * DAY) == 1
        found = fresh(complaint)
        assert (found.words, found.email, found.target, found.answer, found.why) == ("", "", "", "", "")
        assert found.registration is None and found.case is None
        assert (found.kind, found.about, found.outcome) == ("misuse", "false_statement", "not_founded")

    def test_keeps_the_file_while_it_is_open(self) -> None:
        application, registration = registered()
        assert queries.settled_at(application) is None
        sent(registration.reference)
        assert queries.settled_at(application) is not None
