"""Whoever got no answer sends the same once more, and it is done once.

The answer to one commit of a request is lost: the commit stands, the connection is gone, and the page says 503. That is
tried with each commit of the request in turn. Then the form is sent again as the page offers it, or the program sends
the same under the same key.
"""

import html
import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.appeal.models import Appeal, Served
from rahdari.apply.models import Application
from rahdari.complaint.models import Complaint
from rahdari.consult import actions
from rahdari.consult.models import Comment
from rahdari.db.postgres.base import DatabaseWrapper
from rahdari.decide.note_models import Note
from rahdari.journal.models import JournalEntry
from tests.builders import consultations, story
from tests.builders.cases import a_case, an_officer
from tests.builders.incidents import a_report
from tests.builders.programs import Program
from tests.builders.publishing import an_operator, entered
from tests.confirm.test_api import System
from tests.needs import rarely

pytestmark = pytest.mark.django_db(transaction=True)

HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
MOST_COMMITS = 30


@contextmanager
def answer_lost(number: int) -> Iterator[list[int]]:
    """To the commit of this number, from 1. Gives the numbers of those that were made."""
    made: list[int] = []
    commit = DatabaseWrapper._commit

    def lost(wrapper: DatabaseWrapper) -> Any:
        done = commit(wrapper)
        made.append(len(made) + 1)
        if made[-1] == number:
            wrapper.connection.close()
            raise OperationalError("planted: no answer came to the commit")
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseWrapper, "_commit", lost)
        yield made


@dataclass(frozen=True)
class Sent:
    """A form of a page, as a browser sends it; `times` counts how often it was done."""

    client: Client
    place: str
    given: dict[str, str]
    times: Callable[[], int]

    def post(self, given: dict[str, str]) -> Any:
        return self.client.post(self.place, given, headers={"Origin": "http://testserver"})


def browser(person: Any = None) -> Client:
    made = Client(raise_request_exception=False)
    if person is not None:
        made.force_login(person)
    return made


def an_application_that_begins() -> Sent:
    person = story.a_person()
    client = browser(person)
    client.post(reverse("apply:start"), {"who": "vpn_freelancer", "use": "clients", "which": "line"})
    return Sent(client, reverse("apply:begin"), {"begin": "1"}, Application.objects.filter(applicant=person).count)


def an_application_that_is_sent() -> Sent:
    application = story.a_full_draft(story.a_person())
    client, place = browser(application.applicant), reverse("portal:check", args=[application.reference])
    given = {"declare": "on", "version": str(application.version)}
    done = JournalEntry.objects.filter(act="apply.submitted", subject=application.subject)
    return Sent(client, place, given, done.count)


def an_appeal() -> Sent:
    application = story.a_refusal(story.a_person()).application
    given = {"grounds": "fact", "words": "It is my line.", "hearing": "writing", "send": "1"}
    appeals = Appeal.objects.filter(case__application=application, sent_at__isnull=False)
    return Sent(
        browser(application.applicant), reverse("portal:appeal", args=[application.reference]), given, appeals.count
    )


def a_complaint() -> Sent:
    key = uuid.uuid4()
    given = {"about": "sold_on", "number": "RD-4F7K-92MQ", "words": "It is offered to others.", "key": str(key)}
    return Sent(browser(), reverse("complaint:misuse"), given, Complaint.objects.count)


def a_comment() -> Sent:
    draft = consultations.a_draft().draft
    given = {"words": "Keep it.", "email": "page@reader.example", "version": "1", "passage": "all"}
    given |= {"key": str(uuid.uuid4())}
    place = reverse("portal:say", args=[draft.reference])
    return Sent(browser(), place, given, Comment.objects.filter(draft=draft).count)


def a_hearing() -> Sent:
    draft, day = consultations.a_draft().draft, timezone.localdate() + 2 * consultations.DAY
    given = {"day": day.isoformat(), "at": "10:00", "place_en": "Hall", "place_ur": "ہال"}
    place = reverse("portal:announce_hearing", args=[draft.reference])
    return Sent(browser(story.an_officer()), place, given, draft.hearings.count)


def a_hearing_called_off() -> Sent:
    now, draft = timezone.now(), consultations.a_draft().draft
    held_at, place = now + consultations.DAY, consultations.BOTH
    hearing = actions.announce_hearing(draft=draft, held_at=held_at, place=place, actor=consultations.OFFICER, now=now)
    given = {"hearing": str(hearing.pk), "why_en": "The hall is closed.", "why_ur": "ہال بند ہے۔"}
    done = JournalEntry.objects.filter(act="consult.called_off_hearing", subject=draft.subject)
    return Sent(
        browser(story.an_officer()), reverse("portal:call_off_hearing", args=[draft.reference]), given, done.count
    )


def a_note() -> Sent:
    case, officer = a_case(), an_officer(f"Officer {uuid.uuid4()}")
    given = {"text": "Called, and nobody answered.", "key": str(uuid.uuid4())}
    place = reverse("decide:note", args=[case.application.reference])
    return Sent(browser(officer), place, given, Note.objects.filter(case=case).count)


def a_service() -> Sent:
    refusal, client = story.a_refusal(story.a_person()), browser(story.an_officer())
    reference = refusal.application.reference
    client.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
    given = {"on": timezone.localdate().isoformat(), "how": "In person, at the desk."}
    return Sent(client, reverse("appeal:served", args=[reference]), given, Served.objects.filter(case=refusal).count)


def hidden_of(page: str) -> list[tuple[str, str]]:
    return HIDDEN.findall(page)


FORMS = (
    an_application_that_begins,
    an_application_that_is_sent,
    an_appeal,
    a_complaint,
    a_comment,
    a_hearing,
    a_hearing_called_off,
    a_note,
    a_service,
)


@pytest.fixture(autouse=True)
def vault() -> None:
    cache.clear()


@pytest.mark.parametrize("form", rarely(FORMS, often=[an_application_that_is_sent]), ids=lambda form: form.__name__)
def test_a_form_whose_answer_was_lost_is_sent_again_from_the_page_and_done_once(form: Callable[[], Sent]) -> None:
    for number in range(1, MOST_COMMITS):
        sent = form()
        before = sent.times()
        with answer_lost(number) as made:
            answer = sent.post(sent.given)
        if len(made) < number:
            break
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "60"
        page = answer.text
        assert "What you typed is kept on this page." in page and "Send it again" in page
        kept = {html.unescape(name): html.unescape(value) for name, value in hidden_of(page)}
        assert kept.items() >= sent.given.items()
        assert sent.post(kept).status_code == 302
        assert sent.times() == before + 1
    assert number > 1


@pytest.mark.parametrize("what", rarely(["begin", "submit"], often=["submit"]))
def test_what_a_program_got_no_answer_to_is_done_once_under_the_same_key(what: str) -> None:
    for number in range(1, MOST_COMMITS):
        program, key = Program(), {"HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex}
        program.client.raise_request_exception = False
        body: Any = {"service": "vpn_freelancer", "fixed_address": "yes"}
        path, act = "/applications", "apply.started"
        if what == "submit":
            application = story.a_full_draft(program.person)
            path, body, act = f"/applications/{application.reference}/submit", {"declare": True}, "apply.submitted"
        with answer_lost(number) as made:
            answer = program.post(path, body, **key)
        if len(made) < number:
            break
        assert answer.status_code == 503 and "Retry-After" in answer.headers
        again = program.post(path, body, **key)
        assert again.status_code in (200, 201), again.content
        assert JournalEntry.objects.filter(act=act, actor__endswith=str(program.person.pk)).count() == 1
        third = program.post(path, body, **key)
        assert json.loads(third.content) == json.loads(again.content)
        assert third.headers["Idempotent-Replayed"] == "true"
    assert number > 1


@pytest.mark.parametrize("what", rarely(["draft", "answer"], often=["draft"]))
def test_what_an_operators_system_got_no_answer_to_is_done_once_under_the_same_key(what: str) -> None:
    an_operator()
    system = System("sample-fibre")
    system.client.raise_request_exception = False
    starts_at = timezone.now() + 9 * consultations.DAY
    window = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + consultations.DAY / 24).isoformat()}
    for number in range(1, MOST_COMMITS):
        key = {"HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex}
        body: Any = {"reason": "cable", "affected": [{"object": "192.0.2.0/28", "impact": "OUTAGE"}], **window}
        path, act = "/planned-work", "maintenance.drafted"
        if what == "answer":
            held = entered(f"203.0.113.{number}/32", now=timezone.now() - consultations.DAY)
            reference = a_report(held, timezone.now()).incident.reference
            path, body, act = f"/incidents/{reference}/answer", {"reason": "power"}, "incident.answered"
        before = JournalEntry.objects.filter(act=act).count()
        with answer_lost(number) as made:
            answer = system.ask("post", path, body, **key)
        if len(made) < number:
            break
        assert answer.status_code == 503
        again, third = (system.ask("post", path, body, **key) for _twice in range(2))
        assert again.status_code in (200, 201) and third.said == again.said
        assert third.headers["Idempotent-Replayed"] == "true"
        assert JournalEntry.objects.filter(act=act).count() == before + 1
    assert number > 1
