"""A letter and the page of the same moment say the same: nobody is told to wait while the page asks for something."""

import datetime as dt
import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.address import directory
from rahdari.applicant.overview import overview
from rahdari.apply.models import Application
from rahdari.letters import queries as letters
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.vault import keys
from tests.builders import story
from tests.needs import ENGLISH_FIRST
from tests.workflow.test_services import sent

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
# Told without a condition. "If you have answered meanwhile, you need not do anything" is one with a condition.
NOTHING_TO_DO = {"en": ["You need not do anything"], "ur": ["آپ کو کچھ نہیں کرنا"]}
WITH_A_CONDITION = {"en": "If ", "ur": "اگر "}


@pytest.fixture(autouse=True)
def known_network() -> Iterator[None]:
    keys.make_missing(Path(settings.DATA) / "keys")
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


def sent_by_page(applicant: User, *, proved: bool) -> Application:
    """Sent as an applicant sends it, by the page."""
    draft = story.a_full_draft(applicant) if proved else story.fill(story.a_draft(applicant))
    if not proved:
        story.add(draft, "203.0.113.24")
    browser = Client()
    browser.force_login(applicant)
    place = reverse("portal:check", args=[draft.reference])
    assert browser.post(place, {"declare": "on"}).status_code == 302
    return story.fresh(draft)


def unproved(applicant: User) -> Application:
    return sent_by_page(applicant, proved=False)


def unproved_and_checked(applicant: User) -> Application:
    application = unproved(applicant)
    story.advance()
    return application


def proved_afterwards(applicant: User) -> Application:
    application = unproved_and_checked(applicant)
    story.prove(application.endpoints.get())
    story.advance()
    return story.fresh(application)


def reminded(applicant: User) -> Application:
    application = unproved_and_checked(applicant)
    workflow.remind(application.submitted_at + 1.5 * DAY)
    return application


STATES: dict[str, Callable[[User], Application]] = {
    "proof": unproved,
    "proof, checks open": unproved_and_checked,
    "proof, reminded": reminded,
    "checking": lambda applicant: sent_by_page(applicant, proved=True),
    "granted": lambda applicant: story.a_granted_application(applicant),
    "granted after a late proof": proved_afterwards,
    "review": lambda applicant: story.a_case(applicant).application,
    "question": lambda applicant: story.a_question(applicant).application,
    "notice": lambda applicant: story.a_notice(applicant).application,
    "refused": lambda applicant: story.a_refusal(applicant).application,
}


def says_nothing_is_to_do(letter: Letter) -> bool:
    sentences = [" ".join(part.split()) for part in letter.text.replace("۔", ".").split(".")]
    return any(
        words in sentence and not sentence.startswith(WITH_A_CONDITION[letter.language])
        for sentence in sentences
        for words in NOTHING_TO_DO[letter.language]
    )


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("language", ENGLISH_FIRST)
class TestEachState:
    def test_letter_and_page_ask_for_the_same(self, state: str, language: str) -> None:
        applicant = story.a_person(language)
        application = STATES[state](applicant)
        seen = overview(story.fresh(application), now=timezone.now())
        written = letters.letters_about(application.subject)
        assert written, "a letter of each state"
        newest = max(written, key=lambda letter: letter.written_at)
        browser = Client(headers={"accept-language": language})
        browser.force_login(applicant)
        page = browser.get(reverse("portal:status", args=[application.reference])).text
        if seen.is_your_turn:
            assert not [letter.subject for letter in written if says_nothing_is_to_do(letter)]
            path = urlsplit(newest.html.rsplit('href="', 1)[1].split('"')[0]).path
            assert f'href="{path}"' in page, "the letter leads where the page leads"
        else:
            assert newest.template != "proof_missing"


class TestTheLetterAfterSending:
    def test_says_that_the_proof_is_missing_and_where_it_is_given(self) -> None:
        application = unproved(story.a_person())
        (letter,) = letters.letters_about(application.subject)
        assert letter.subject == f"Received, one thing is missing: {application.reference}"
        assert "203.0.113.24" in letter.text and "It is decided as soon as" not in letter.text
        assert reverse("portal:prove_first", args=[application.reference]) in letter.text

    def test_names_no_proof_when_all_are_proved(self) -> None:
        application = sent_by_page(story.a_person(), proved=True)
        letter = next(each for each in letters.letters_about(application.subject))
        assert letter.subject == f"Received: {application.reference}"
        assert "within 10 working hours" in letter.text and "when nothing is missing" in letter.text

    def test_names_no_moment_since_nobody_knows_yet_who_is_to_be_asked(self) -> None:
        for proved in (True, False):
            application = sent_by_page(story.a_person(), proved=proved)
            (letter,) = letters.letters_about(application.subject)
            assert "at the latest" not in letter.text and f"{timezone.localtime():%Y}" not in letter.text

    def test_names_the_fee_that_is_still_to_come_and_the_page_does_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workflow, "advance", lambda now: None)
        now, five = timezone.now(), tuple(f"203.0.113.{10 + at}" for at in range(5))
        papers = {"incorporation": None, "call_centre_certificate": timezone.localdate(now) + 300 * DAY}
        application = sent("whitelist_call_centre", papers, addresses=five, now=now)
        letter = letters.letters_about(application.subject).get(template="application_received")
        browser = Client()
        browser.force_login(application.applicant)
        page = browser.get(reverse("portal:status", args=[application.reference])).text
        for text in (letter.text, page):
            assert "PKR 1,000.00" in text.replace("\u2066", "").replace("\u2069", "")
            assert "We send the invoice when everything else has passed" in " ".join(text.split())


class TestReminding:
    def reminders(self, application: Application) -> list[Letter]:
        return [each for each in letters.letters_about(application.subject) if each.template == "proof_missing"]

    def test_goes_out_after_one_day_and_after_three_once_each(self) -> None:
        application = unproved_and_checked(story.a_person())
        sent = application.submitted_at
        counts = []
        for hours in (2, 23, 25, 26, 50, 71, 73, 80, 120, 200):
            workflow.remind(sent + dt.timedelta(hours=hours))
            counts.append(len(self.reminders(application)))
        assert counts == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2]

    def test_reaches_nobody_who_has_proved_it_or_withdrawn(self) -> None:
        application = proved_afterwards(story.a_person())
        workflow.remind(application.submitted_at + 1.5 * DAY)
        assert self.reminders(application) == []

    def test_reaches_nobody_whose_case_an_officer_has(self) -> None:
        application = story.a_case(story.a_person()).application
        assert application.submitted_at is not None
        workflow.remind(application.submitted_at + 1.5 * DAY)
        assert self.reminders(application) == []
