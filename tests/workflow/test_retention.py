"""What was collected is kept for as long as the policy says, each class by a clock of its own."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.apply import erasing, late_evidence, parts
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Document
from rahdari.confirm.models import SubscriberQuestion as OperatorQuestion
from rahdari.control.models import ProbeAttempt
from rahdari.decide import due, words
from rahdari.decide.models import Decision, Notice
from rahdari.figures import actions as figures
from rahdari.figures import queries as published
from rahdari.figures import verifying
from rahdari.figures.models import Overdue
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.policy.retention import BY_CLOCK, WITH_THE_CASE
from rahdari.register import actions as register_acts
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.share.models import ConsentQuestion, SharingRequest
from rahdari.share.rules import Reply
from rahdari.vault import files
from rahdari.workflow import overdue, retention
from rahdari.workflow.clocks import delete_idle_drafts
from tests.builders import story
from tests.builders.drafts import a_pdf, a_photo, asking

pytestmark = pytest.mark.django_db
KEPT = policy.current(settings.POLICY_FILE).retention["documents"].span or dt.timedelta()


def with_a_paper() -> tuple[Application, Document]:
    application = story.a_full_draft(story.a_person())
    document = parts.attach_document(
        application=application,
        rule="evidence",
        name="contract.jpg",
        content=a_photo(),
        actor=story.actor_of(application.applicant),
        now=timezone.now(),
    )
    return application, document


def is_kept(document: Document) -> bool:
    document.refresh_from_db()
    try:
        files.read(document.stored, aad=document.aad)
    except files.FileMissing:
        return False
    return True


def test_the_policy_keeps_papers_for_some_months() -> None:
    assert dt.timedelta(days=120) == KEPT


def test_papers_go_when_their_time_is_over_and_that_they_were_there_is_known(
    django_capture_on_commit_callbacks: object,
) -> None:
    application, document = with_a_paper()
    story.send(application)
    story.advance()
    decided = story.fresh(application).closed_at
    assert decided is not None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        workflow.advance(now=decided + KEPT - dt.timedelta(minutes=1))
    assert is_kept(document) and document.erased_at is None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        workflow.advance(now=decided + KEPT + dt.timedelta(minutes=1))
    assert not is_kept(document) and document.erased_at is not None and document.name == ""
    assert applications.documents_of(application).get() == document
    erased = [row for row in journal.about(application.subject) if row.act == "apply.erased_documents"]
    assert [row.detail for row in erased] == [{"count": 1}]
    workflow.advance(now=decided + KEPT + dt.timedelta(days=1))
    assert len([row for row in journal.about(application.subject) if row.act == "apply.erased_documents"]) == 1


def test_papers_that_come_long_after_the_decision_stay_as_long_from_then(
    django_capture_on_commit_callbacks: object,
) -> None:
    application = story.a_granted_application(story.a_person())
    decided = story.fresh(application).closed_at
    assert decided is not None
    came = decided + 2 * KEPT
    sent = late_evidence.File("order.pdf", a_pdf())
    document = late_evidence.attach_to_answer(
        application=application, asked="shown:sample", sent=sent, actor="officer:1", now=came
    )
    for at, stays in ((came + KEPT - dt.timedelta(minutes=1), True), (came + KEPT + dt.timedelta(minutes=1), False)):
        assert erasing.with_papers_due(now=at).filter(pk=application.pk).exists() is not stays
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            erasing.erase_documents(application=story.fresh(application), now=at)
        assert is_kept(document) is stays


def test_papers_of_what_is_not_decided_stay(django_capture_on_commit_callbacks: object) -> None:
    application, document = with_a_paper()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert erasing.erase_documents(application=application, now=timezone.now() + 2 * KEPT) == 0
    assert is_kept(document)


class TestEveryClass:
    RULES = policy.current(settings.POLICY_FILE).retention

    def test_of_data_that_is_held_has_a_clock(self) -> None:
        steps = {step.name for step in workflow.STEPS}
        clocks = {key: retention.clock_of(row) for key, row in self.RULES.items() if row.erased_by == "clock"}
        assert {key: clock for key, clock in clocks.items() if clock not in steps} == {}
        assert set(clocks) == set(BY_CLOCK)

    def test_that_a_clock_erases_is_counted_while_it_is_overdue(self) -> None:
        with_the_case = {key for key, row in self.RULES.items() if row.after == WITH_THE_CASE}
        assert set(overdue.COUNTED) == set(BY_CLOCK) - with_the_case - {"letter_delivery"}

    def test_without_a_clock_says_so_with_words(self) -> None:
        assert all(row.note for row in self.RULES.values() if row.erased_by != "clock")


class TestWhatIsOverdue:
    def test_is_what_was_due_a_day_ago_and_is_still_there(self) -> None:
        nothing = dict.fromkeys(overdue.COUNTED, 0)
        draft, (application, _document) = story.a_draft(story.a_person()), with_a_paper()
        story.send(application)
        story.advance()
        closed = story.fresh(application).closed_at
        assert closed is not None
        idle = draft.updated_at + span("draft")
        minute, day = dt.timedelta(minutes=1), dt.timedelta(days=1)
        assert overdue.overdue(idle + day - minute) == nothing
        assert overdue.overdue(idle + day + minute) == nothing | {"draft": 1}
        assert delete_idle_drafts(now=idle + minute) == 1
        assert overdue.overdue(idle + day + minute) == nothing
        found = overdue.overdue(closed + KEPT + day + minute)
        # The registration stands, and so does the file of its case.
        assert (found["documents"], found["case"], found["entry"]) == (1, 0, 0)
        ended = timezone.now() + dt.timedelta(days=4000)
        assert register_acts.expire_due(now=ended) == 1
        long_ago = ended + span("case") + day + minute
        assert (overdue.overdue(long_ago)["case"], overdue.overdue(long_ago)["entry"]) == (0, 1)
        # Nor is a file whose letters are still on their way.
        all_letters_go_out()
        assert overdue.overdue(long_ago)["case"] == 1

    def test_is_counted_once_a_month_published_and_verified(self) -> None:
        october, zone = dt.date(2026, 10, 1), timezone.get_default_timezone()
        over = dt.datetime(2026, 11, 1, 0, 20, tzinfo=zone)
        for _ in range(9):
            story.a_draft(story.a_person())
        Application.objects.update(updated_at=over - span("draft") - dt.timedelta(days=2))
        assert figures.months_to_count(over) == [dt.date(2026, 9, 1), october]
        overdue.count_overdue(over)
        assert figures.months_to_count(over) == []
        while delete_idle_drafts(now=over):
            pass
        overdue.count_overdue(over + dt.timedelta(hours=1))
        assert Overdue.objects.get(month=october, kind="draft").number == 9
        (row,) = [row for row in journal.about("figures:2026-10") if row.act == "figures.counted_overdue"]
        assert row.detail == dict.fromkeys(overdue.COUNTED, 0) | {"draft": 9}
        with pytest.raises(DatabaseError, match="stays"), transaction.atomic():
            Overdue.objects.update(number=0)
        figures.publish(month=october, now=dt.datetime(2026, 11, 10, 6, tzinfo=zone))
        month = published.month(october)
        assert month is not None and list(verifying.differences(month)) == []
        told = {row.part: (row.value, row.mark) for row in month.rows_of("deletions_overdue")}
        # The total would say that the others are few together.
        assert (told["draft"], told["all"], told["card"]) == ((10, ""), (None, "withheld"), (None, "few"))


def span(key: str) -> dt.timedelta:
    kept = TestEveryClass.RULES[key].span
    assert kept is not None
    return kept


def test_the_card_number_goes_some_months_after_the_decision(settings: Any, tmp_path: Path) -> None:
    asking(settings, tmp_path, card_number="required", contact_number="optional")
    application = story.a_full_draft(story.a_person())
    story.send(application)
    story.advance()
    decided = story.fresh(application).closed_at
    assert decided is not None and story.fresh(application).cnic
    workflow.advance(now=decided + span("card_number") - dt.timedelta(minutes=1))
    assert story.fresh(application).cnic
    workflow.advance(now=decided + span("card_number") + dt.timedelta(minutes=1))
    assert not story.fresh(application).cnic and story.fresh(application).cnic_index


def test_of_a_proof_the_digest_of_what_was_seen_stays() -> None:
    application = story.a_full_draft(story.a_person())
    story.send(application)
    story.advance()
    attempt = ProbeAttempt.objects.filter(challenge__status="valid").exclude(evidence={}).earliest("id")
    workflow.advance(now=attempt.at + span("proof_of_control") + dt.timedelta(minutes=1))
    attempt.refresh_from_db()
    assert list(attempt.evidence) == ["sha256"]
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        ProbeAttempt.objects.filter(pk=attempt.pk).update(evidence={"seen": "203.0.113.9"})


def all_letters_go_out() -> None:
    Letter.objects.update(state="sent", sent_at=timezone.now())


def readable_until(application: Application) -> dt.datetime:
    until = due.readable_until(story.fresh(application))
    assert until is not None
    return until


class TestAFile:
    def test_goes_whole_when_what_it_led_to_ended_long_ago(self) -> None:
        application = story.a_full_draft(story.a_person())
        block = str(application.endpoints.get().network)
        story.send(application)
        story.advance()
        registration = register.registration_from(application.subject)
        assert registration is not None
        much_later = timezone.now() + dt.timedelta(days=4000)
        while register.fresh(registration).expired_at is None:
            workflow.advance(now=much_later)
        ended = register.fresh(registration).expired_at
        assert ended is not None
        workflow.advance(now=ended + span("case") - dt.timedelta(minutes=1))
        assert story.fresh(application).name and application.endpoints.exists()
        all_letters_go_out()
        workflow.advance(now=ended + span("case") + dt.timedelta(minutes=1))
        held = register.fresh(registration)
        assert held.holder != application.applicant.holder_ref and str(application.pk) not in held.origin
        row = story.fresh(application)
        assert row.erased_at is not None and not any(getattr(row, field) for field in erasing.SAID)
        assert not application.endpoints.exists()
        # The register keeps what was listed, and the feed's tables what was published: neither says whose it was.
        assert tables_with(block.partition("/")[0]) <= {"register_entry", "register_change", "publish_listing"}

    def test_of_a_refusal_goes_with_its_words_its_letters_and_whom_it_asked(self) -> None:
        application = story.a_refusal(story.a_person()).application
        endpoint = application.endpoints.get()
        times = dict.fromkeys(("asked_at", "due_at", "remind_at", "ended_at", "erase_at", "closed_at"), timezone.now())
        about = {"subject": endpoint.subject, "holder": application.holder_ref, "block": endpoint.network}
        asked = SharingRequest.objects.create(name="Desk 7", asked_by="person:1", state="declined", **about, **times)
        answered = {"reply": Reply.NO, "asked_at": times["asked_at"], "answered_at": times["ended_at"]}
        ConsentQuestion.objects.create(request=asked, holder=application.holder_ref, answered_by="person:2", **answered)
        with pytest.raises(DatabaseError, match="stays"), transaction.atomic():
            ConsentQuestion.objects.all().delete()
        story.advance()

        def said() -> list[str]:
            notice, decision = Notice.objects.get(), Decision.objects.get()
            return [notice.text, notice.answer, decision.text]

        closed = story.fresh(application).closed_at
        assert OperatorQuestion.objects.exclude(block="").exists()
        assert closed is not None and all(said()) and Letter.objects.filter(about=application.subject).exists()
        assert readable_until(application) >= Decision.objects.get().appeal_until
        workflow.advance(now=readable_until(application) - dt.timedelta(minutes=1))
        assert all(said())
        # A letter about it is on its way: were the file erased now, that would stay.
        workflow.advance(now=readable_until(application) + dt.timedelta(minutes=1))
        assert all(said())
        all_letters_go_out()
        workflow.advance(now=readable_until(application) + dt.timedelta(minutes=2))
        assert story.fresh(application).erased_at is not None
        assert not any(said()) and not Letter.objects.filter(about=application.subject).exists()
        assert not SharingRequest.objects.exists() and not ConsentQuestion.objects.exists()
        assert set(OperatorQuestion.objects.values_list("block", flat=True)) == {""}

    def test_that_was_not_pursued_stays_while_an_answer_opens_it_again(self) -> None:
        application = story.a_question(story.a_person()).application
        workflow.advance(now=timezone.now() + dt.timedelta(days=40))
        closed = story.fresh(application).closed_at
        assert closed is not None and readable_until(application) > closed + span("came_to_nothing")
        workflow.advance(now=readable_until(application) - dt.timedelta(minutes=1))
        assert story.fresh(application).name
        all_letters_go_out()
        workflow.advance(now=readable_until(application) + dt.timedelta(minutes=1))
        assert not story.fresh(application).name

    def test_stays_while_what_it_led_to_stands(self) -> None:
        application = story.a_full_draft(story.a_person())
        story.send(application)
        story.advance()
        closed = story.fresh(application).closed_at
        assert closed is not None
        Registration.objects.update(valid_until=closed + 2 * span("case"), grace_until=None)
        Entry.objects.update(valid_until=closed + 2 * span("case"))
        workflow.advance(now=closed + span("case") + dt.timedelta(days=1))
        assert story.fresh(application).erased_at is None and application.endpoints.exists()

    def test_is_read_by_its_holder_and_by_officers_afterwards(self) -> None:
        application = story.a_full_draft(story.a_person())
        story.send(application)
        story.advance()
        Registration.objects.update(struck_out_at=timezone.now(), struck_out_code="X1", struck_out_by="person:1")
        Entry.objects.update(ended_at=timezone.now(), end_reason="strike_out")
        all_letters_go_out()
        workflow.advance(now=timezone.now() + span("case") + dt.timedelta(days=1))
        row = story.fresh(application)
        assert row.erased_at is not None
        client = Client()
        client.force_login(row.applicant)
        answer = client.get(f"/my/applications/{row.reference}/status/")
        assert answer.status_code == 200 and "when its period ended" in answer.content.decode()
        client.force_login(story.an_officer())
        client.post(f"/desk/cases/{row.reference}/why/", {"why": words.WHY_AGAIN[0]})
        answer = client.get(f"/desk/cases/{row.reference}/")
        assert answer.status_code == 200 and "when its period ended" in answer.content.decode()


def tables_with(text: str) -> set[str]:
    found = set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{name}" t WHERE t::text LIKE %s)', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.add(name)
    return found
