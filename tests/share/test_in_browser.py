"""The pages of sharing in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.register.models import CoHolder
from rahdari.share.models import ConsentQuestion
from tests.builders import story
from tests.in_browser import faults_on_a_small_phone

from .test_sharing import DESK, House, browser_of, text
from .test_sharing import built as built
from .test_sharing import house as house

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def pages_of(house: House, language: str) -> Iterator[tuple[str, str]]:
    def visitor(client: Client) -> Client:
        client.cookies["django_language"] = language
        return client

    first, second = visitor(browser_of(house.first)), visitor(browser_of(house.second))
    yield "proved", text(second, reverse("portal:prove", args=[house.draft.reference, house.endpoint.pk]))
    yield "ask", text(second, house.page)
    yield "ask-error", second.post(house.page, {"name": "", "ask": "1"}).content.decode()
    second.post(house.page, {"name": DESK, "ask": "1"})
    yield "waiting", text(second, house.page)
    question = reverse("share:question", args=[ConsentQuestion.objects.get().pk])
    yield "home-of-the-first", text(first, reverse("portal:home"))
    yield "question", text(first, question)
    yield "question-error", first.post(question, {"answer": ""}).content.decode()
    yield "questions", text(first, reverse("share:sharing"))
    house.sent()
    yield "status-waiting", text(second, reverse("portal:status", args=[house.draft.reference]))
    first.post(question, {"answer": "yes"})
    yield "question-answered", text(first, question)
    yield "agreed", text(second, house.page)
    story.advance()
    yield "shared", text(first, reverse("share:sharing"))
    yield "registration", text(first, reverse("portal:registration", args=[house.registration.reference]))
    stop = reverse("share:stop", args=[CoHolder.objects.get(holder=house.second.holder_ref).pk])
    yield "stop", text(first, stop)
    first.post(stop, {"stop": "1"})
    yield "stopped", text(first, stop)
    yield "given-notice", text(second, reverse("share:sharing"))


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(house: House, language: str) -> None:
    assert faults_on_a_small_phone(pages_of(house, language), language) == []
