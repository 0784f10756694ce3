"""A file that an appeal, a complaint or a court needs stays while an officer keeps it, and goes the day after."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import erasing, file_hold, parts
from rahdari.apply.models import Application, Document
from rahdari.decide import due, ending, transitions, words
from rahdari.decide import file_hold as decide_file_hold
from rahdari.decide import queries as decisions
from rahdari.decide.models import Case
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.publish import actions as publish
from rahdari.register import queries as register
from rahdari.register.models import Registration
from tests.builders import story
from tests.builders.drafts import a_photo, asking

pytestmark = pytest.mark.django_db
DAYS = dt.timedelta(days=300)


@pytest.fixture(autouse=True)
def asks_for_a_card(settings: Any, tmp_path: Path) -> None:
    asking(settings, tmp_path, card_number="required", contact_number="optional")


def last_day() -> dt.date:
    return timezone.localdate(timezone.now() + DAYS)


def at(day: dt.date, *, hour: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour, 30)))


def held(case: Case, officer: User, *, until: dt.date | None = None, because: str = "appeal") -> None:
    facts: dict[str, Any] = {"until": until or last_day(), "because": because, "words": "Appeal 17 of 2026"}
    decide_file_hold.hold_file(case=case, officer=officer, now=timezone.now(), **facts)


def advance(now: dt.datetime, commit: Callable[..., Any]) -> None:
    Letter.objects.exclude(state="sent").update(state="sent", sent_at=timezone.now())
    with commit(execute=True):
        workflow.advance(now=now)


def with_a_paper(case: Case) -> Document:
    """One more paper in a file: it was sent before."""
    application = story.a_full_draft(story.a_person())
    facts = {"actor": story.actor_of(application.applicant), "now": timezone.now()}
    paper = parts.attach_document(
        application=application, rule="evidence", name="contract.jpg", content=a_photo(), **facts
    )
    Document.objects.filter(pk=paper.pk).update(application=case.application)
    return paper


def papers_of(application: Application) -> int:
    return Document.objects.filter(application=application, erased_at__isnull=True).count()


class TestARefusedFile:
    def test_is_kept_to_the_end_of_its_last_day_and_goes_the_day_after(
        self, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        case = story.a_refusal(story.a_person())
        with_a_paper(case)
        application, day = case.application, last_day()
        held(case, story.an_officer())
        readable = due.readable_until(story.fresh(application))
        assert readable is not None and timezone.localdate(readable) == day
        advance(at(day, hour=23), django_capture_on_commit_callbacks)
        row = story.fresh(application)
        assert row.name and row.cnic and row.endpoints.exists() and papers_of(row) == 1
        assert decisions.refusal_of(row).text  # type: ignore[union-attr]
        advance(at(day + dt.timedelta(days=1), hour=0), django_capture_on_commit_callbacks)
        row = story.fresh(application)
        assert row.erased_at is not None and not (row.name or row.cnic or row.held_words) and papers_of(row) == 0
        with pytest.raises(file_hold.NotToHold):
            held(case, story.an_officer())

    def test_would_be_lost(
        self, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A step of the line that forgets the hold meets the act, which asks again under the lock; without both it is
        gone."""
        case = story.a_refusal(story.a_person())
        held(case, story.an_officer())
        later = timezone.now() + DAYS / 2
        monkeypatch.setattr(erasing, "held", lambda now: Q(pk__in=[]))
        advance(later, django_capture_on_commit_callbacks)
        row = story.fresh(case.application)
        assert row.name and row.cnic
        monkeypatch.setattr(erasing, "is_held", lambda application, now: False)
        advance(later, django_capture_on_commit_callbacks)
        assert not story.fresh(row).name

    def test_goes_in_its_time_when_the_hold_was_ended(
        self, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        case = story.a_refusal(story.a_person())
        held(case, story.an_officer())
        decide_file_hold.end_hold(case=case, officer=story.an_officer(), now=timezone.now())
        with pytest.raises(file_hold.NotToHold):
            decide_file_hold.end_hold(case=case, officer=story.an_officer(), now=timezone.now())
        told = [each.text for each in Letter.objects.filter(template="file_kept").order_by("written_at", "id")]
        assert sorted("Appeal 17 of 2026" in text for text in told) == [False, True]
        advance(timezone.now() + DAYS / 2, django_capture_on_commit_callbacks)
        assert not story.fresh(case.application).name

    def test_is_held_a_year_at_most_and_prolonged(self) -> None:
        case, officer = story.a_refusal(story.a_person()), story.an_officer()
        today = timezone.localdate()
        for until in (today, today + file_hold.LONGEST + dt.timedelta(days=1)):
            with pytest.raises(file_hold.NotToHold):
                held(case, officer, until=until)
        with pytest.raises(file_hold.NotToHold):
            held(case, officer, because="curiosity")
        for until in (today + dt.timedelta(days=1), today + file_hold.LONGEST):
            held(case, officer, until=until)
            assert story.fresh(case.application).held_until == until
        rows = [row for row in journal.about(case.application.subject) if row.act == "decide.held_file"]
        assert (rows[0].reason, rows[0].detail["until"]) == ("appeal", until.isoformat())
        assert "Appeal 17" not in str([row.detail for row in rows])

    def test_is_none_while_it_is_open(self) -> None:
        with pytest.raises(file_hold.NotToHold):
            held(story.a_case(story.a_person()), story.an_officer())


class TestAGrantedFile:
    def test_is_kept_with_whose_registration_it_was(
        self, feed: Path, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        application = story.a_granted_application(story.a_person())
        registration = Registration.objects.get()
        ending.end(registration=registration, actor=story.actor_of(application.applicant), now=timezone.now())
        held(story.case_of(application), story.an_officer(), because="court")
        day, holder = last_day(), registration.holder
        publish.publish_editions(now=timezone.now())
        publish.publish_editions(now=at(day, hour=22))
        advance(at(day, hour=23), django_capture_on_commit_callbacks)
        assert story.fresh(application).name and register.fresh(registration).holder == holder
        assert registration.entries.exists()
        for days in (1, 2):
            advance(at(day + dt.timedelta(days=days), hour=1), django_capture_on_commit_callbacks)
        assert not story.fresh(application).name and register.fresh(registration).holder != holder
        assert not registration.entries.exists()


class TestWho:
    def test_holds_is_an_officer_and_nobody_of_the_file(self) -> None:
        case = story.a_refusal(story.a_person())
        with pytest.raises(transitions.NotAnOfficer):
            held(case, case.application.applicant)
        officer = story.an_officer()
        Application.objects.filter(pk=case.application.pk).update(applicant=officer)
        own = story.case_of(case.application)
        with pytest.raises(transitions.OwnApplication):
            held(own, officer)
        held(own, story.an_officer())
        with pytest.raises(transitions.OwnApplication):
            decide_file_hold.end_hold(case=own, officer=officer, now=timezone.now())

    def test_applied_reads_until_when_and_why(self) -> None:
        case = story.a_refusal(story.a_person())
        reference = case.application.reference
        place, desk = reverse("decide:hold", args=[reference]), Client()
        desk.force_login(story.an_officer())
        desk.post(reverse("decide:why", args=[reference]), {"why": words.WHY_AGAIN[0]})
        assert place in desk.get(reverse("decide:case", args=[reference])).content.decode()
        given = {"until": last_day().isoformat(), "because": "complaint", "words": "Ombudsman 4/26"}
        assert desk.post(place, given | {"until": "2020-01-01"}).status_code == 422
        assert desk.post(place, given | {"because": ""}).status_code == 422
        assert story.fresh(case.application).held_until is None
        assert desk.post(place, given).status_code == 302
        theirs = Client()
        theirs.force_login(case.application.applicant)
        for name in ("portal:status", "portal:refusal"):
            page = theirs.get(reverse(name, args=[reference])).content.decode()
            assert "An officer keeps this file until" in page and "Ombudsman 4/26" in page and "A complaint" in page
        assert theirs.get(place).status_code == 403 and theirs.post(place, given).status_code == 403
        page = desk.get(place).content.decode()
        assert "Ombudsman 4/26" in page and f'value="{last_day().isoformat()}"' in page, "as it stands now"
        desk.post(place, {"end": "1"})
        assert "Ombudsman 4/26" not in theirs.get(reverse("portal:status", args=[reference])).content.decode()


class TestTheNumberOfThem:
    def test_is_told_to_whoever_watches(self) -> None:
        def told() -> dict[str, float]:
            page = Client().get("/metrics/held").content.decode()
            rows = [row.split() for row in page.splitlines() if not row.startswith("#")]
            return {name: float(value) for name, value in rows}

        case = story.a_refusal(story.a_person())
        assert told()["rahdari_files_on_hold"] == 0 and told()["rahdari_held_without_registration_seconds"] > 0
        held(case, story.an_officer())
        assert told() == {
            "rahdari_held_without_registration": 1,
            "rahdari_held_without_registration_seconds": 0,
            "rahdari_files_on_hold": 1,
        }
