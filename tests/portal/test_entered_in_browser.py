"""The pages of applying by telephone in Chromium at 360 px: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders import story
from tests.builders.entered import an_entry, code_of
from tests.in_browser import faults_on_a_small_phone

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    desk, client, officer = Client(), Client(HTTP_ACCEPT_LANGUAGE=language), story.an_officer(language=language)
    desk.force_login(officer)
    entry = an_entry(officer, language=language)
    yield "desk", desk.get(reverse("portal:desk_entries")).text
    yield "desk_faults", desk.post(reverse("portal:desk_entries"), {"block": "203.0.113."}).text
    yield "code", client.get(reverse("portal:entered")).text
    given = {"number": entry.reference, "code": code_of(entry)}
    yield "code_faults", client.post(reverse("portal:entered"), given | {"code": "1"}).text
    yield "read", client.post(reverse("portal:entered"), given, follow=True).text
    yield "gone", client.post(reverse("portal:disown_entry")).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
