"""Every letter and every note is on its page, in both languages, with nothing that could be taken for a real one."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from rahdari.letters import catalogue, samples
from rahdari.letters import sms as notes
from rahdari.letters.writing import compose
from rahdari.sms import writing
from tests import urdu
from tests.builders import story

pytestmark = pytest.mark.django_db
EVERY = pytest.mark.parametrize("template", sorted(catalogue.LETTERS))


@pytest.fixture
def desk() -> Client:
    browser = Client()
    browser.force_login(story.an_officer())
    return browser


def in_urdu(browser: Client) -> Client:
    browser.cookies["django_language"] = "ur"
    return browser


class TestThePreviews:
    def test_list_every_letter_and_show_every_note_in_both_languages(self, desk: Client) -> None:
        page = desk.get(reverse("portal:letter_previews")).text
        for name in catalogue.LETTERS:
            assert reverse("portal:letter_preview", kwargs={"template": name}) in page
        for name in writing.NOTES:
            for language in ("en", "ur"):
                text = writing.compose(note=name, language=language, context=notes.NOTES[name][1])
                assert f">{escape(text)}</pre>" in page

    @EVERY
    def test_show_the_letter_as_it_goes_out_by_both_channels(self, desk: Client, template: str) -> None:
        page = desk.get(reverse("portal:letter_preview", kwargs={"template": template})).text
        facts = samples.facts_of_letter(template)
        note = catalogue.LETTERS[template].note
        for language in ("en", "ur"):
            written = compose(template=template, language=language, context=facts)
            assert f">{escape(written.text)}</pre>" in page
            assert escape(written.subject) in page
            if note:
                text = writing.compose(note=note, language=language, context=facts)
                assert f">{escape(text)}</pre>" in page

    @EVERY
    def test_are_sound_in_urdu(self, desk: Client, template: str) -> None:
        page = in_urdu(desk).get(reverse("portal:letter_preview", kwargs={"template": template})).text
        assert '<html lang="ur" dir="rtl"' in page
        assert urdu.page_problems(page) == []

    def test_list_is_sound_in_urdu(self, desk: Client) -> None:
        assert urdu.page_problems(in_urdu(desk).get(reverse("portal:letter_previews")).text) == []

    def test_of_no_letter_is_no_page(self, desk: Client) -> None:
        assert desk.get(reverse("portal:letter_preview", kwargs={"template": "base"})).status_code == 404
