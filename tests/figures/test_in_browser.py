"""The pages of figures in Chromium at 360 px and wide, fetched first: axe finds nothing, nothing scrolls sideways."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.figures.definitions import Words
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


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
