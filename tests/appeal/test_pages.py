"""The appellant's page and the desk's, as they are used."""

import datetime as dt
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.appeal import actions, queries
from rahdari.appeal.models import Appeal
from rahdari.appeal.rules import Outcome, State
from rahdari.apply.models import Application
from rahdari.decide import queries as cases
from rahdari.journal import actions as record
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people.models import Role, User
from rahdari.web import values
from tests.builders import story
from tests.builders.drafts import a_pdf
from tests.urdu import page_problems

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusal(db: None) -> Application:
    return story.a_refusal(story.a_person()).application


@pytest.fixture
def supervisor(db: None) -> User:
    return story.an_officer(role=Role.SUPERVISOR)


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


def place(application: Application) -> str:
    return reverse("portal:appeal", args=[application.reference])


def desk(appeal: Appeal, name: str = "appeal") -> str:
    return reverse(f"appeal:{name}", args=[appeal.reference])


def an_appeal(application: Application, **facts: object) -> Appeal:
    given = {"grounds": ["fact"], "words": "It is my line.", "now": timezone.now()} | facts
    return actions.send(application=application, actor=f"person:{application.applicant_id}", **given)  # type: ignore[arg-type]


class TestTheAppellant:
    def test_is_led_from_the_refusal_to_the_form(self, refusal: Application) -> None:
        client = signed_in(refusal.applicant)
        page = client.get(reverse("portal:refusal", args=[refusal.reference])).content.decode()
        assert place(refusal) in page
        form = client.get(place(refusal)).content.decode()
        assert "Appeal against the refusal" in form and 'value="fact"' in form and "Somebody who had no part" in form

    def test_sends_it_with_a_file_and_follows_it(self, refusal: Application) -> None:
        client = signed_in(refusal.applicant)
        given = {"grounds": ["fact", "rule"], "words": "It is my line.", "hearing": "writing", "send": "1"}
        bill = SimpleUploadedFile("bill.pdf", a_pdf(), content_type="application/pdf")
        answer = client.post(place(refusal), {**given, "file": bill}, follow=True)
        page = answer.content.decode()
        assert "Your appeal is being decided" in page and "bill.pdf" in page and "It is my line." in page
        appeal = Appeal.objects.get()
        assert appeal.state == State.OPEN and appeal.grounds == ["fact", "rule"]
        assert queries.papers_of(appeal).count() == 1

    def test_loses_nothing_that_was_typed(self, refusal: Application) -> None:
        client = signed_in(refusal.applicant)
        answer = client.post(place(refusal), {"words": "It is my line.", "send": "1"})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Choose what is wrong with the decision" in page and "It is my line." in page
        client.post(place(refusal), {"words": "My line, since 2023.", "grounds": ["rule"], "draft": "1"})
        page = client.get(place(refusal)).content.decode()
        assert "My line, since 2023." in page
        assert not Letter.objects.filter(template="appeal_received").exists()

    def test_sends_it_once_however_often_it_is_pressed(self, refusal: Application) -> None:
        client = signed_in(refusal.applicant)
        given = {"grounds": ["fact"], "words": "It is my line.", "hearing": "writing", "send": "1"}
        for _ in range(2):
            assert client.post(place(refusal), given).status_code == 302
        assert Appeal.objects.count() == 1

    def test_is_nobody_else(self, refusal: Application) -> None:
        stranger = signed_in(story.a_person())
        assert stranger.get(place(refusal)).status_code == 404
        assert stranger.post(place(refusal), {"words": "Mine.", "send": "1"}).status_code == 404

    def test_withdraws_it(self, refusal: Application) -> None:
        an_appeal(refusal)
        client = signed_in(refusal.applicant)
        client.post(reverse("portal:withdraw_appeal", args=[refusal.reference]))
        assert Appeal.objects.get().state == State.WITHDRAWN

    def test_reads_each_page_in_urdu(self, refusal: Application, supervisor: User) -> None:
        client = signed_in(refusal.applicant, "ur")
        assert page_problems(client.get(place(refusal)).content.decode()) == []
        appeal = an_appeal(refusal, to_be_heard=True)
        assert page_problems(client.get(place(refusal)).content.decode()) == []
        at_the_desk = signed_in(supervisor, "ur")
        assert page_problems(at_the_desk.get(desk(appeal)).content.decode()) == []
        assert page_problems(at_the_desk.get(reverse("appeal:appeals")).content.decode()) == []

    @pytest.mark.parametrize("is_decided", [False, True])
    def test_reads_that_we_are_late(self, refusal: Application, supervisor: User, is_decided: bool) -> None:
        at = timezone.now() - dt.timedelta(days=90)
        appeal = an_appeal(refusal, now=at)
        if is_decided:
            appeal = actions.take(appeal=appeal, user=supervisor, now=at)
            points = {"fact": (str(Outcome.ALLOWED), "The bill says so.")}
            appeal = actions.decide(appeal=appeal, user=supervisor, points=points, text="", now=at)
        end = appeal.carry_out_by if is_decided else appeal.due_at
        page = signed_in(refusal.applicant).get(place(refusal)).text
        late = "It is carried out late, by" if is_decided else "The decision is late by"
        assert late in page and f"The last day was {values.day(end)}" in page
        assert "The delay is ours. Complain to the Federal Ombudsman" in page
        assert "If we miss the day" not in page and "If nothing has happened by then" not in page
        assert page_problems(signed_in(refusal.applicant, "ur").get(place(refusal)).text) == []


class TestWhoeverDecides:
    def test_takes_hears_and_decides(self, refusal: Application, supervisor: User) -> None:
        appeal = an_appeal(refusal)
        client = signed_in(supervisor)
        assert appeal.reference in client.get(reverse("appeal:appeals")).content.decode()
        page = client.get(desk(appeal)).content.decode()
        assert "Take the appeal" in page and "It is my line." in page
        client.post(desk(appeal, "take"))
        answer = client.post(desk(appeal, "decide"), {"outcome_fact": "allowed"})
        assert answer.status_code == 422 and "Enter why, in one sentence." in answer.content.decode()
        client.post(desk(appeal, "decide"), {"outcome_fact": "allowed", "why_fact": "The bill says so."})
        appeal = queries.appeals().get()
        assert (appeal.outcome, appeal.state) == (Outcome.ALLOWED, State.DECIDED)
        read = [row for row in journal.about(refusal.subject) if row.act == "appeal.read"]
        assert read and read[0].actor == f"supervisor:{supervisor.pk}" and read[0].ground

    def test_asks_as_much_for_many_as_for_one(
        self, refusal: Application, supervisor: User, django_assert_max_num_queries: Any
    ) -> None:
        client = signed_in(supervisor)
        an_appeal(refusal)
        for _ in range(3):
            an_appeal(story.a_refusal(story.a_person()).application)
        with django_assert_max_num_queries(14):
            page = client.get(reverse("appeal:appeals")).content.decode()
        assert page.count("You may decide") == 4

    def test_sets_no_day_before_a_week_is_over(self, refusal: Application, supervisor: User) -> None:
        appeal = an_appeal(refusal, to_be_heard=True)
        client = signed_in(supervisor)
        client.post(desk(appeal, "take"))
        soon = timezone.localdate() + dt.timedelta(days=2)
        given = {"hearing_time": "11:00", "hearing_place": "By phone"}
        answer = client.post(desk(appeal, "hear"), {"hearing_day": soon.isoformat(), **given})
        assert answer.status_code == 422 and "Choose a day from" in answer.text
        first = timezone.localtime(queries.heard_between(appeal, timezone.now())[0])
        given["hearing_day"] = first.date().isoformat()
        answer = client.post(desk(appeal, "hear"), {**given, "hearing_time": "20:00"})
        assert answer.status_code == 422 and "The office is closed then. Choose a time on" in answer.text
        assert client.post(desk(appeal, "hear"), given)["Location"] == desk(appeal)
        assert "By phone" in client.get(desk(appeal)).text
        assert "By phone" in signed_in(refusal.applicant).get(place(refusal)).text
        assert client.post(desk(appeal, "hear"), given).status_code == 422, "why it is moved is missing"

    def test_writes_down_what_was_said(self, refusal: Application, supervisor: User) -> None:
        ago = timezone.now() - dt.timedelta(days=20)
        appeal = an_appeal(refusal, to_be_heard=True, now=ago)
        actions.take(appeal=appeal, user=supervisor, now=ago)
        day, _last = queries.heard_between(appeal, ago)
        actions.set_hearing(appeal=appeal, user=supervisor, starts_at=day, place="By phone", now=ago)
        client = signed_in(supervisor)
        given = {"hearing_minutes": "The line is theirs.", "hearing_outcome": "attended"}
        answer = client.post(desk(appeal, "hear"), given)
        assert answer.status_code == 422 and "Enter who was there." in answer.text
        client.post(desk(appeal, "hear"), {**given, "hearing_attended": "The appellant"})
        assert queries.appeals().get().hearing == "over"
        for page in (client.get(desk(appeal)), signed_in(refusal.applicant).get(place(refusal))):
            assert "The line is theirs." in page.text and 'name="hearing_minutes"' not in page.text

    def test_is_no_officer_without_rank_and_nobody_with_a_part(self, refusal: Application, supervisor: User) -> None:
        appeal = an_appeal(refusal)
        assert signed_in(story.an_officer()).get(desk(appeal)).status_code == 403
        case = cases.case_of(refusal)
        assert case is not None
        decision = case.decisions.get()
        for user in (decision.proposed_by, decision.seconded_by):
            assert user is not None
            client = signed_in(user)
            client.post(desk(appeal, "take"))
            assert queries.appeals().get().assigned_to is None

    def test_from_outside_reads_the_one_file(self, refusal: Application, supervisor: User) -> None:
        appeal, reviewer = an_appeal(refusal), story.a_person()
        client = signed_in(reviewer)
        assert client.get(desk(appeal)).status_code == 403
        supervisor.posts.update(ended_at=timezone.now())
        namer = story.an_officer(role=Role.SUPERVISOR)
        a_part(namer, refusal)
        page = signed_in(namer).get(desk(appeal)).content.decode()
        assert "Nobody here can decide it" in page
        given = {"email": reviewer.email, "who": "A retired judge."}
        signed_in(namer).post(desk(appeal, "name_reviewer"), given)
        # What is closed to them the page does not lead to.
        assert f'href="{reverse("appeal:appeals")}"' not in client.get(desk(appeal)).text
        assert client.get(reverse("decide:case", args=[refusal.reference])).status_code == 403
        client.post(desk(appeal, "take"))
        client.post(desk(appeal, "decide"), {"outcome_fact": "dismissed", "why_fact": "The operator is right."})
        appeal = queries.appeals().get()
        assert appeal.state == State.CLOSED and appeal.decided_by == reviewer
        assert "A retired judge." in signed_in(refusal.applicant).get(place(refusal)).content.decode()
        assert client.get(desk(appeal)).status_code == 403


def a_part(officer: User, application: Application) -> None:
    """A part in the case, as an act leaves it."""
    record.record(
        act="decide.took_case", actor=f"supervisor:{officer.pk}", subject=application.subject, now=timezone.now()
    )


class TestAtTheDesk:
    def test_an_officer_records_what_came_by_letter(self, refusal: Application) -> None:
        client = signed_in(story.an_officer())
        case = reverse("decide:case", args=[refusal.reference])
        client.post(reverse("decide:why", args=[refusal.reference]), {"why": "complaint"})
        assert "Record an appeal that came in writing" in client.get(case).content.decode()
        place = reverse("appeal:written", args=[refusal.reference])
        given = {"grounds": ["other"], "words": "By letter.", "hearing": "writing"}
        # Two days, so that it is still to come when midnight passes here.
        later = timezone.localdate() + dt.timedelta(days=2)
        answer = client.post(place, {**given, "received": later.isoformat()})
        assert answer.status_code == 422 and "still to come" in answer.content.decode()
        client.post(place, {**given, "received": timezone.localdate().isoformat()})
        appeal = Appeal.objects.get()
        assert appeal.sent_by.startswith("officer:") and not appeal.late

    def test_an_officer_records_that_it_was_handed_over(self, refusal: Application) -> None:
        client = signed_in(story.an_officer())
        client.post(reverse("decide:why", args=[refusal.reference]), {"why": "complaint"})
        place = reverse("appeal:served", args=[refusal.reference])
        assert client.get(place).status_code == 200
        client.post(place, {"on": timezone.localdate().isoformat(), "how": "By courier."})
        assert next(row.act for row in journal.about(refusal.subject)) == "appeal.served"
