from typing import Any

import pytest
from django.test import Client

from rahdari.people.models import User
from tests import urdu

pytestmark = pytest.mark.django_db
URDU = '<html lang="ur" dir="rtl">'


def speaks(client: Client, **headers: str) -> str:
    response = client.get("/privacy/", headers=headers)
    assert response.headers["Content-Language"] in response.content.decode()[:200]
    return str(response.headers["Content-Language"])


class TestLanguage:
    def test_is_the_chosen_one_then_the_readers_own_then_the_browsers(self, client: Client) -> None:
        assert speaks(client) == "en"
        assert speaks(client, **{"Accept-Language": "ur-PK,ur;q=0.9,en;q=0.5"}) == "ur"
        assert speaks(client, **{"Accept-Language": "fr"}) == "en"
        client.force_login(User.objects.create_user(email="reader@sample.example", language="ur"))
        assert speaks(client, **{"Accept-Language": "en"}) == "ur"
        client.cookies["django_language"] = "en"
        assert speaks(client) == "en"

    def test_is_written_from_right_to_left_with_its_own_words(self, client: Client) -> None:
        page = client.get("/privacy/", headers={"Accept-Language": "ur"}).content.decode()
        assert URDU in page
        assert "رازداری" in page


class TestSwitch:
    def test_goes_back_to_where_the_reader_was(self, client: Client) -> None:
        response = client.get("/language/ur/?next=/check/%3Fnumber%3DRD-4F7K-92MQ")
        assert response.url == "/check/?number=RD-4F7K-92MQ"  # type: ignore[attr-defined]
        assert URDU in client.get("/privacy/").content.decode()

    @pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
    def test_leads_nowhere_else(self, client: Client, target: str) -> None:
        assert client.get("/language/ur/", {"next": target}).url == "/"  # type: ignore[attr-defined]

    def test_knows_two_languages_only(self, client: Client) -> None:
        assert not client.get("/language/fr/").cookies

    def test_is_remembered_for_letters_but_not_when_another_site_links_to_it(self, client: Client) -> None:
        person = User.objects.create_user(email="reader@sample.example", language="en")
        client.force_login(person)
        client.get("/language/ur/", headers={"Sec-Fetch-Site": "cross-site"})
        person.refresh_from_db()
        assert person.language == "en"
        client.get("/language/ur/", headers={"Sec-Fetch-Site": "same-origin"})
        person.refresh_from_db()
        assert person.language == "ur"


class TestBorrowed:
    def test_sentences_of_django_are_said_in_our_urdu(self) -> None:
        from django import forms
        from django.utils import translation

        class Form(forms.Form):
            text = forms.CharField()
            number = forms.IntegerField()
            choice = forms.ChoiceField(choices=[("a", "a")])
            short = forms.CharField(max_length=2)

        with translation.override("ur"):
            form = Form({"number": "x", "choice": "b", "short": "abcd"})
            said = [str(error) for found in form.errors.values() for error in found]
        assert len(said) == 4
        problems: list[Any] = [problem for text in said for problem in urdu.text_problems(text.replace(" b ", " "))]
        assert problems == []
