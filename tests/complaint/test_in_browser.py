"""The pages of complaints in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.complaint import actions, queries
from rahdari.people.models import User
from tests.builders import story
from tests.builders.drafts import a_pdf
from tests.in_browser import faults_on_a_small_phone

from .test_files import a_file, reported
from .test_pages import CORRECTION, MISUSE, report, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
LONG = (
    "It is on sale at a market, and on a page https://shop.example/of-a-very-long-name/that-breaks-nowhere, again. " * 4
)
LONG_NAME = "Sample Authority for Telecommunication in the Districts of the North and of the West " * 2


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    application = story.a_granted_application(story.a_person())
    number = story.registration_of(application).reference
    User.objects.filter(pk=application.applicant_id).update(language=language)
    stranger, holder = visitor(language), visitor(language, application.applicant)
    desk: Client = visitor(language, story.an_officer(rank="director"))
    yield "misuse", stranger.get(MISUSE).text
    yield "misuse-error", stranger.post(MISUSE, {"public_body": "Sample Authority"}).text
    yield "correction", stranger.get(CORRECTION).text
    yield "correction-error", stranger.post(CORRECTION, {"about": "entry"}).text
    given = {"about": "entry", "number": number, "words": LONG, "email": "stranger@sender.example"}
    yield "to-confirm", stranger.post(CORRECTION, given, follow=True).text
    claimed = {"words": LONG, "about": "false_statement", "public_body": LONG_NAME, "body_reference": "File 7 of 2026"}
    yield "receipt", stranger.post(MISUSE, report(number, **claimed), follow=True).text
    _complaint, _client, link = reported(number, about="false_statement")
    yield "files", stranger.get(link).text
    yield "files-error", stranger.post(link, {"add": "1", "file": [a_file(a_pdf()), a_file(b"GIF89a", "a.gif")]}).text
    stranger.post(link, {"end": "1"})
    actions.look_up(now=timezone.now())
    complaint = next(each for each in queries.open_complaints())
    place = reverse("portal:complaint", args=[application.reference, complaint.reference])
    yield "holder", holder.get(place).text
    yield "holder-error", holder.post(place, {"answer": ""}).text
    yield "registration", holder.get(reverse("portal:registration", args=[number])).text
    at_desk = reverse("complaint:complaint", args=[complaint.reference])
    yield "list", desk.get(reverse("complaint:complaints")).text
    yield "waiting", desk.get(at_desk).text
    [paper] = [paper for each in queries.said_again(complaint) for paper in queries.papers_of(each)]
    yield "with-a-file", desk.get(at_desk, {"paper": str(paper.pk)}).text
    holder.post(place, {"answer": LONG})
    yield "to-decide", desk.get(at_desk).text
    decide = reverse("complaint:decide", args=[complaint.reference])
    founded = {"outcome": "founded", "why": LONG, "code": "X5"}
    yield "decide-error", desk.post(decide, founded).text
    yield "decided", desk.post(decide, {**founded, "evidence": LONG}, follow=True).text
    yield "holder-decided", holder.get(place).text
    assert complaint.due_at is not None
    actions.tell(now=complaint.due_at)
    yield (
        "told",
        stranger.get(reverse("complaint:receipt", args=[complaint.receipt, queries.token_of(complaint)])).text,
    )


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
