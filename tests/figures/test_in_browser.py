"""The pages of figures in Chromium at 360 px and wide, fetched first: axe finds nothing, nothing scrolls sideways."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.figures.definitions import Words
from rahdari.workflow.clocks import delete_idle_drafts
from tests.builders import story
from tests.builders.shared import known_networks
from tests.decide.test_views import signed_in
from tests.in_browser import faults_on_a_small_phone

from .months import publish, publish_year

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    yield "none", client.get(reverse("figures:figures")).text
    publish(dt.date(2025, 10, 1), why=Words("The first month that was counted.", "پہلا مہینہ جو شمار ہوا۔"))
    yield "one", client.get(reverse("figures:figures")).text
    publish_year(dt.date(2026, 10, 1))
    yield "figures", client.get(reverse("figures:figures")).text
    yield "definitions", client.get(reverse("figures:definitions")).text
    yield from flow_pages(language)


def flow_pages(language: str) -> Iterator[tuple[str, str]]:
    """Where time goes, for officers: nothing yet, then some of each."""
    desk = signed_in(story.an_officer(), language)
    yield "flow-none", desk.get(reverse("portal:flow")).text
    with known_networks():
        code = story.a_question(story.a_person()).questions.get().code
        draft = story.a_draft(story.a_person())
    delete_idle_drafts(now=draft.updated_at + dt.timedelta(days=40))
    yield "flow", desk.get(reverse("portal:flow")).text
    yield "flow-ended", desk.get(reverse("portal:cases_ended", args=["withdrawn"])).text
    yield "flow-question", desk.get(reverse("portal:cases_asked", args=[code])).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
