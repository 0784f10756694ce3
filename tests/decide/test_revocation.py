"""A registration is taken back by the way of a refusal, and can be restored; page, letters, register and feed
agree."""

import ipaddress
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from rahdari import workflow
from rahdari.apply import late_evidence
from rahdari.decide import (
    deadlines,
    desk,
    ending,
    hearings,
    queries,
    recusing,
    refusals,
    revocation,
    transitions,
)
from rahdari.decide.models import Case, Revocation
from rahdari.decide.rules import CannotSecond
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.models import Change, Registration
from rahdari.register.rules import Standing
from tests.builders.cases import DAY, HOUR, NOW, PAPER, a_decided_application, a_gateway, an_officer
from tests.builders.drafts import a_pdf

pytestmark = pytest.mark.django_db
LATER = NOW + HOUR
FACTS: dict[str, Any] = {
    "text": "The company's letter is forged.",
    "evidence": "The register's answer of 12 November.",
    "paper": PAPER,
}


def granted() -> tuple[Case, Registration]:
    a_gateway()
    application = a_decided_application()
    workflow.enter_grants(NOW)
    case = queries.case_of(application)
    assert case is not None
    found = revocation.registration_of(case, NOW)
    assert found is not None
    return case, found


def proposed(case: Case, officer: User, code: str = "X5") -> None:
    revocation.propose_revocation(case=case, officer=officer, code=code, now=LATER, **FACTS)


def answered(case: Case, *, paper: bool = False) -> None:
    fresh = queries.case_of(case.application)
    assert fresh is not None
    notice = queries.open_notice(fresh)
    assert notice is not None
    actor = f"person:{case.application.applicant_id}"
    if paper:
        sent = late_evidence.File("letter.pdf", a_pdf())
        late_evidence.attach_to_answer(
            application=case.application, asked=notice.subject, sent=sent, actor=actor, now=LATER
        )
    refusals.answer_notice(notice=notice, answer="It is genuine.", actor=actor, now=LATER + HOUR)


def letters_to(case: Case) -> list[str]:
    return [each.template for each in letters.letters_of(case.application.applicant).order_by("written_at", "id")]


def standing(found: Registration) -> Standing:
    return entries.standing(entries.fresh(found), LATER + DAY)


class TestTakingBack:
    def test_strikes_out_after_a_notice_and_by_a_second_officer_of_rank(
        self, officer: User, second: User, director: User
    ) -> None:
        case, found = granted()
        proposed(case, officer)
        assert standing(found) is Standing.VALID
        for who, why in (
            (officer, CannotSecond.YOURS),
            (second, CannotSecond.RANK),
            (director, CannotSecond.NOT_YET),
        ):
            with pytest.raises(transitions.MayNotSecond) as error:
                revocation.second_revocation(case=case, officer=who, because="So it is.", now=LATER)
            assert error.value.why == why
        answered(case, paper=True)
        revocation.second_revocation(case=case, officer=director, because="The register says so.", now=LATER + DAY)
        fresh = entries.fresh(found)
        assert (fresh.struck_out_code, fresh.struck_out_by) == ("X5", f"supervisor:{director.pk}")
        assert letters_to(case)[-2:] == ["registration_notice", "registration_struck_out"]
        assert Change.objects.filter(entry__registration=found).last().snapshot == {}  # type: ignore[union-attr]
        acts = [row.act for row in journal.about(case.application.subject)]
        assert acts.index("decide.revoked") < acts.index("decide.proposed_revocation")

    def test_is_not_seconded_by_whoever_is_in_office_since_today(
        self, officer: User, director: User, settings: Any
    ) -> None:
        case, _found = granted()
        proposed(case, officer)
        answered(case)
        settings.SECONDS_AFTER = 3 * DAY
        with pytest.raises(transitions.MayNotSecond) as error:
            revocation.second_revocation(case=case, officer=director, because="So it is.", now=LATER + DAY)
        assert error.value.why == CannotSecond.NEW

    def test_suspends_and_is_restored_under_the_same_number(self, officer: User, second: User) -> None:
        case, found = granted()
        feed_id = found.entries.get().feed_id
        proposed(case, officer, "S4")
        answered(case)
        revocation.second_revocation(case=case, officer=second, because="Two proofs failed.", now=LATER + DAY)
        assert standing(found) is Standing.SUSPENDED
        assert letters_to(case)[-1] == "registration_suspended"
        revocation.restore_registration(case=case, officer=second, why="It was proved again.", now=LATER + 2 * DAY)
        assert standing(found) is Standing.VALID
        assert letters_to(case)[-1] == "registration_goes_on"
        letter = letters.letters_of(case.application.applicant).order_by("written_at", "id").last()
        assert letter is not None and "It was proved again." in letter.text
        last = Change.objects.filter(entry__registration=found).last()
        assert last is not None and last.snapshot["id"] == feed_id
        with pytest.raises(transitions.NotPossibleNow):
            revocation.restore_registration(case=case, officer=second, why="Again.", now=LATER + DAY)

    def test_takes_the_place_of_a_pause_that_the_holder_could_end(self, officer: User, second: User) -> None:
        case, found = granted()
        holder = f"person:{case.application.applicant_id}"
        proposed(case, officer, "S4")
        answered(case)
        ending.pause(registration=found, days=30, actor=holder, now=LATER + HOUR)
        before = Change.objects.count()
        revocation.second_revocation(case=case, officer=second, because="Two proofs failed.", now=LATER + DAY)
        assert Change.objects.count() == before
        with pytest.raises(ending.NotYours):
            ending.undo_end(registration=found, actor=holder, now=LATER + DAY)
        ending.pause(registration=found, days=1, actor=holder, now=LATER + DAY)
        assert entries.fresh(found).suspended_code == "S4"
        assert not ending.resume_due(now=LATER + 40 * DAY) and standing(found) is Standing.SUSPENDED

    def test_restores_what_was_struck_out(self, officer: User, director: User) -> None:
        case, found = granted()
        proposed(case, officer)
        answered(case)
        revocation.second_revocation(case=case, officer=director, because="So it is.", now=LATER + DAY)
        revocation.restore_registration(case=case, officer=officer, why="The letter is genuine.", now=LATER + DAY)
        assert standing(found) is Standing.VALID
        assert found.entries.get().ended_at is None

    def test_is_dropped_and_the_holder_is_told_that_it_stays(self, officer: User, second: User) -> None:
        case, found = granted()
        proposed(case, officer)
        revocation.keep_registration(case=case, officer=second, why="The letter is genuine.", now=LATER + HOUR)
        assert standing(found) is Standing.VALID
        assert letters_to(case)[-1] == "registration_stays"
        proposed(case, officer)

    def test_needs_a_code_of_its_kind_and_its_evidence(self, officer: User) -> None:
        case, _found = granted()
        for code in ("R3", "X1", "X3", "S3", "none"):
            with pytest.raises(transitions.CodeNotUsable):
                proposed(case, officer, code)
        with pytest.raises(transitions.ReasonNeeded):
            revocation.propose_revocation(
                case=case, officer=officer, code="X5", text="Forged.", evidence=" ", now=LATER
            )

    def test_waits_for_an_answer_as_long_as_the_policy_says(self, officer: User, director: User) -> None:
        case, _found = granted()
        proposed(case, officer)
        assert deadlines.close_unanswered(now=LATER + 29 * DAY) == 0
        assert deadlines.close_unanswered(now=LATER + 32 * DAY) == 1
        revocation.second_revocation(case=case, officer=director, because="No answer.", now=LATER + 32 * DAY)


class TestDatabase:
    def test_takes_nothing_back_without_a_notice_that_was_heard_or_by_a_rule(self) -> None:
        # Both of the rank of the code: nothing else is in the way.
        officer, second = (an_officer(name, rank="director") for name in ("Director A", "Director B"))
        case, found = granted()
        proposed(case, officer)
        fresh = queries.case_of(case.application)
        assert fresh is not None
        notice = queries.open_notice(fresh)
        facts = {
            "case": case,
            "registration": found,
            "notice": notice,
            "kind": "striking_out",
            "codes": ["X5"],
            "proposed_by": officer,
            "rule_version": "1",
            "at": LATER,
            "appeal_until": LATER + 30 * DAY,
        }
        with pytest.raises(DatabaseError, match="after a notice"), transaction.atomic():
            Revocation.objects.create(seconded_by=second, decided_by=f"officer:{second.pk}", **facts)
        answered(case)
        with pytest.raises(DatabaseError, match="rule_never_revokes"), transaction.atomic():
            Revocation.objects.create(seconded_by=second, decided_by="rule:1", **facts)
        with pytest.raises(DatabaseError, match="second_officer"), transaction.atomic():
            Revocation.objects.create(seconded_by=officer, decided_by=f"officer:{officer.pk}", **facts)


class TestTheCountOfApprovals:
    def test_has_what_this_officer_may_revoke_now(self, officer: User, second: User, director: User) -> None:
        case, _found = granted()
        proposed(case, officer)
        everybody = (officer, second, director)
        assert [desk.for_me(officer=each) for each in everybody] == [0, 0, 0]
        answered(case)
        assert [desk.for_me(officer=each) for each in everybody] == [0, 0, 1]
        hearings.ask_for_hearing(notice=case.notices.get(), actor="person:x", now=LATER + HOUR)
        assert desk.for_me(officer=director) == 0
        recusing.recuse(case=case, officer=officer, why="A neighbour.", now=LATER + HOUR)
        assert not case.notices.filter(withdrawn_at=None).exists() and desk.for_me(officer=director) == 0
        proposed(case, second, "S4")
        answered(case)
        assert [desk.for_me(officer=each) for each in everybody] == [0, 0, 1], "recused, proposer, and one who may"

    def test_is_on_the_pages_of_the_desk(self, officer: User, second: User, time_machine: Any) -> None:
        # What is decided too late is void, and counts no more.
        time_machine.move_to(LATER + 2 * HOUR, tick=False)
        case, _found = granted()
        proposed(case, officer, "S4")
        answered(case)
        first, other = Client(), Client()
        first.force_login(officer)
        other.force_login(second)
        for name in ("decide:queue", "decide:approvals", "decide:unreached"):
            assert 'Approvals <span class="count">1<' in other.get(reverse(name)).text, name
            assert 'Approvals <span class="count">' not in first.get(reverse(name)).text, name


class TestPages:
    def test_lead_from_the_proposal_to_the_end_and_back(self, officer: User, second: User, time_machine: Any) -> None:
        time_machine.move_to(LATER)
        case, found = granted()
        reference = case.application.reference
        place = reverse("decide:revoke", args=[reference])

        def desk(user: User) -> Client:
            client = Client()
            client.force_login(user)
            # Whoever is asked why goes on to where they were going.
            asked = client.get(place)["Location"]
            assert client.post(asked, {}).status_code == 422
            assert client.post(asked, {"why": "complaint"})["Location"] == place
            return client

        first, other = desk(officer), desk(second)
        holder = Client()
        holder.force_login(case.application.applicant)
        assert place in first.get(reverse("decide:case", args=[reference])).text
        # What each reason needs stands beside the reason, not beside its code alone.
        asked = first.get(place).text
        assert "X5</bdi> The entry was obtained by a false statement." in asked and 'class="btn danger"' in asked
        assert first.post(place, {"take_code": "S4"}).status_code == 422
        given: dict[str, Any] = {
            "take_code": "S4",
            "take_text": "Two proofs failed.",
            "take_evidence": "Tries of 12 November.",
        }
        paper = SimpleUploadedFile("report.pdf", a_pdf())
        assert first.post(place, given | {"take_paper": paper})["Location"] == place
        page = holder.get(reverse("portal:registration", args=[found.reference])).text
        answer = reverse("portal:notice", args=[reference])
        assert "An officer proposes to revoke this registration" in page and answer in page
        assert "Tries of 12 November." in holder.get(answer).text
        # Nobody who signs in is told that nothing is to be done.
        home, status = reverse("portal:home"), reverse("portal:status", args=[reference])
        assert "1 application waits for you" in holder.get(home).text and answer in holder.get(home).text
        assert "Tell us your side before we decide" in holder.get(status).text
        holder.post(answer, {"answer": "My router was off.", "send": "1"})
        assert "Nothing waits for you" in holder.get(home).text
        assert "A second officer decides whether your registration is revoked" in holder.get(status).text
        assert "You can answer" not in holder.get(reverse("portal:registration", args=[found.reference])).text
        page = other.get(reverse("decide:approvals")).text
        assert place in page and "1 decision waits for you" in page and "Nothing waits" not in page
        assert "My router was off." in other.get(place).text
        assert 'value="take"' in other.get(place).text
        assert 'value="take"' not in first.get(place).text, "nobody has a button for a proposal of their own"
        other.post(place, {"decision": "take", "because": "The address answers for somebody else."})
        assert standing(found) is Standing.SUSPENDED
        page = holder.get(reverse("portal:registration", args=[found.reference])).text
        assert "Your registration is suspended" in page and "The address answers for somebody else." in page
        assert "You may appeal until" in page
        assert "Tries of 12 November." in page and "My router was off." in page, "an appeal needs both"
        public = Client().get(reverse("portal:check_number"), {"number": found.reference}).text
        assert "Suspended" in public and "somebody else" not in public
        assert 'class="btn danger"' not in other.get(place).text, "to restore it harms nobody"
        other.post(place, {"why": "It was proved again."})
        assert standing(found) is Standing.VALID
        assert "Your registration is valid" in holder.get(reverse("portal:registration", args=[found.reference])).text


def test_the_address_stays_its_own_while_it_is_suspended(officer: User, second: User) -> None:
    case, found = granted()
    block = found.entries.get().block
    proposed(case, officer, "S4")
    answered(case)
    revocation.second_revocation(case=case, officer=second, because="Two proofs failed.", now=LATER + DAY)
    assert list(entries.overlapping_active(block=ipaddress.ip_network(str(block)))) == list(found.entries.all())
