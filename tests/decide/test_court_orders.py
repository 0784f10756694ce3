"""The order of a court is proposed with its number and told at once; a second officer decides, and that court hears the
holder."""

from importlib import import_module
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import late_evidence
from rahdari.apply.models import Document
from rahdari.decide import case_clock, deadlines, hearings, refusals, revocation, transitions
from rahdari.decide.models import Case, Notice, Revocation
from rahdari.decide.rules import CannotSecond, NoticeState
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import Standing
from tests.builders.cases import DAY, HOUR, MINUTE
from tests.builders.drafts import a_pdf

from .test_fair_revocation import acts_of, open_notice, text_of_last_letter
from .test_revocation import LATER, granted, letters_to

pytestmark = pytest.mark.django_db
ORDER = "Order 12 of 2026, Sample Court, 2026-11-10"
COPY = late_evidence.File("order.pdf", a_pdf())
SAYS = {"text": "The order names this registration.", "evidence": "Certified copy, file 7, page 3."}
ORDERED = {**SAYS, "copy": COPY}


def ordered(officer: User, code: str = "X6", order: str = ORDER) -> tuple[Case, Registration]:
    case, found = granted()
    revocation.propose_by_order(case=case, officer=officer, code=code, order=order, now=LATER, **ORDERED)  # type: ignore[arg-type]
    return case, found


class TestProposeByOrder:
    def test_tells_the_holder_at_once_and_lets_a_director_decide(
        self, officer: User, second: User, director: User
    ) -> None:
        case, found = ordered(officer)
        told = text_of_last_letter(case)
        assert letters_to(case)[-1] == "registration_ordered"
        assert ORDER in told and "Certified copy, file 7" in told and "court or tribunal that gave the order" in told
        assert open_notice(case).state == NoticeState.RIPE
        for who, why in ((officer, CannotSecond.YOURS), (second, CannotSecond.RANK)):
            with pytest.raises(transitions.MayNotSecond) as error:
                revocation.second_revocation(case=case, officer=who, because="As ordered.", now=LATER + HOUR)
            assert error.value.why == why
        assert entries.standing(entries.fresh(found), LATER + HOUR) is Standing.VALID
        revocation.second_revocation(case=case, officer=director, because="As ordered.", now=LATER + HOUR)
        assert entries.standing(entries.fresh(found), LATER + DAY) is Standing.STRUCK_OUT
        last = text_of_last_letter(case)
        assert ORDER in last and "two officers carried the order out" in last
        assert "Appeal until" not in last and "appeal in writing" not in last, "the remedy is that court"

    def test_a_copy_from_before_it_was_a_paper_like_others_is_in_the_file(self, officer: User) -> None:
        case, _found = ordered(officer)
        (copy,) = Document.objects.filter(rule=open_notice(case).shown_subject)
        Document.objects.filter(pk=copy.pk).update(rule=f"order:{open_notice(case).pk}")
        migration = import_module("rahdari.apply.migrations.0006_papers_of_proposals")
        with connection.cursor() as cursor:
            cursor.execute(migration.RENAME)
        copy.refresh_from_db()
        assert copy.rule == open_notice(case).shown_subject

    def test_needs_a_code_of_its_kind_a_number_and_a_copy(self, officer: User) -> None:
        case, _found = granted()
        for code in ("X5", "S4", "X1", "none"):
            with pytest.raises(transitions.CodeNotUsable):
                revocation.propose_by_order(case=case, officer=officer, code=code, order=ORDER, now=LATER, **ORDERED)  # type: ignore[arg-type]
        with pytest.raises(transitions.ReasonNeeded):
            revocation.propose_by_order(case=case, officer=officer, code="X6", order=" ", now=LATER, **ORDERED)  # type: ignore[arg-type]
        with pytest.raises(transitions.ReasonNeeded):
            revocation.propose_by_order(
                case=case, officer=officer, code="X6", order=ORDER, text="So.", evidence=" ", copy=COPY, now=LATER
            )
        with pytest.raises(transitions.CodeNotUsable):
            revocation.propose_revocation(case=case, officer=officer, code="X6", now=LATER, **SAYS)

    def test_offers_no_hearing_and_reads_an_answer(self, officer: User, director: User) -> None:
        case, _found = ordered(officer)
        notice = open_notice(case)
        assert not hearings.may_ask(notice)
        with pytest.raises(hearings.NoHearing):
            hearings.ask_for_hearing(notice=notice, actor="person:x", now=LATER)
        refusals.answer_notice(notice=notice, answer="The order was lifted.", actor="person:x", now=LATER + MINUTE)
        revocation.keep_registration(case=case, officer=director, why="It was lifted.", now=LATER + HOUR)

    def test_is_dropped_like_any_other_when_nobody_decides(self, officer: User) -> None:
        case, found = ordered(officer)
        due = open_notice(case).decide_by
        assert due is not None and due == case_clock.decide_by(open_notice(case))
        assert deadlines.close_unanswered(now=due + MINUTE) == 1
        assert acts_of(case)[0] == "decide.proposal_lapsed"
        assert entries.standing(entries.fresh(found), due + MINUTE) is Standing.VALID


class TestDatabase:
    def test_takes_no_other_notice_for_an_order(self, officer: User) -> None:
        case, _found = granted()
        facts = {"case": case, "codes": ["X5"], "text": "x", "proposed_by": officer, "sent_at": LATER}
        for wrong in (
            {"answer_due_at": LATER},
            {"answer_due_at": LATER, "is_order": True},
            {"answer_due_at": LATER + DAY, "ran_out_at": LATER, "is_order": True},
        ):
            with pytest.raises(DatabaseError, match="notice_gives_time_to_answer"), transaction.atomic():
                Notice.objects.create(**facts, **wrong)
        revocation.propose_revocation(case=case, officer=officer, code="X5", now=LATER, **SAYS)
        with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
            Notice.objects.filter(case=case).update(is_order=True)


class TestPage:
    def test_asks_for_the_order_apart_from_a_finding(self, officer: User, director: User, time_machine: Any) -> None:
        time_machine.move_to(LATER)
        case, found = granted()
        reference = case.application.reference
        place = reverse("decide:revoke", args=[reference])
        first, other, holder = Client(), Client(), Client()
        for browser, user in ((first, officer), (other, director), (holder, case.application.applicant)):
            browser.force_login(user)
        for browser in (first, other):
            browser.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
        page = first.get(place).text
        assert "A court or tribunal ordered it" in page
        assert '<option value="X6"' in page and page.count('<option value="X5"') == 1
        sent = {
            "order_code": "X6",
            "order_number": "Order 12 of 2026",
            "order_court": "Sample Court",
            "order_day": "2999-01-01",
            "order_copy": "File 7",
            "order_text": "The order names this registration.",
        }
        assert "This day is still to come." in first.post(place, sent).text
        today = timezone.localdate().isoformat()
        sent |= {"order_day": today}
        assert "Add the certified copy." in first.post(place, sent).text
        forged = SimpleUploadedFile("order.pdf", b"no PDF")
        assert first.post(place, sent | {"order_file": forged}).status_code == 422 and not Notice.objects.exists()
        copy = SimpleUploadedFile("order.pdf", a_pdf())
        assert first.post(place, sent | {"order_file": copy})["Location"] == place
        told = holder.get(reverse("portal:notice", args=[reference])).text
        [kept] = Document.objects.filter(rule__startswith="shown:")
        read = reverse("apply:document", args=[reference, kept.pk])
        assert read in told and holder.get(read)["Content-Type"] == "application/pdf"
        assert f"paper={kept.pk}" in other.get(place).text
        document = reverse("decide:document", args=[reference, kept.pk])
        assert document in other.get(f"{reverse('decide:case', args=[reference])}?paper={kept.pk}").text
        assert f"Order 12 of 2026, Sample Court, {today}" in told
        assert "Ask for a hearing" not in told and "Time to answer" not in told and "Send answer" in told
        assert (
            "A court or tribunal ordered it" in holder.get(reverse("portal:registration", args=[found.reference])).text
        )
        assert "Order 12 of 2026" in other.get(place).text
        other.post(place, {"decision": "take", "because": "As ordered."})
        assert Revocation.objects.get().kind == "striking_out"
        page = holder.get(reverse("portal:registration", args=[found.reference])).text
        assert "You may appeal until" not in page and "that gave the order" in page
