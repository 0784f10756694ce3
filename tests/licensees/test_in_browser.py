"""The register of licensed providers in Chromium at 360 px and wide: axe finds nothing, nothing scrolls sideways."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.licensees import actions
from tests.in_browser import faults_on_a_small_phone

from .lists import a_list, row

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    client, now = Client(HTTP_ACCEPT_LANGUAGE=language), timezone.now()
    yield "bundled", client.get(reverse("licensees:providers")).text
    yield "reported", client.get(reverse("licensees:provider", args=["zettabyte"])).text
    names = ("A. One, Licensing", "B. Two, Law")
    first = a_list([row(), row("example-provider-two")], now.date())
    last = now.date() + dt.timedelta(days=40)
    more = {"why": "It gave its licence back.", "turn_to": "Ask Example Provider One.", "valid_until": last}
    told = {
        "why": "The Authority changed the licence.",
        "turn_to": "Ask your provider.",
        "at_once": "A court ruled so.",
    }
    for text in (first, a_list([row(), row("example-provider-two", **more)], now.date(), months=12, **told)):
        actions.import_list(text=text, names=names, now=now)
    yield "list", client.get(reverse("licensees:providers")).text
    yield "ends", client.get(reverse("licensees:provider", args=["example-provider-two"])).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
