from pathlib import Path

import polib
import pytest
from django.conf import settings as django_settings
from django.test import Client

import rahdari.people
from rahdari.people import demonstration
from tests import urdu
from tests.builders.people import NOW, a_person, ask_for_code, set_up_app, sign_in, with_post

CATALOGUE = Path(rahdari.people.__file__).parent / "locale/ur/LC_MESSAGES/django.po"


def in_urdu() -> Client:
    browser = Client()
    browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ur"
    return browser


def problems(answer: object) -> list[str]:
    return [str(problem) for problem in urdu.page_problems(answer.content.decode())]  # type: ignore[attr-defined]


class TestCatalogue:
    def test_has_every_sentence_in_good_urdu(self) -> None:
        entries = polib.pofile(str(CATALOGUE))
        assert len(entries) > 150
        found = []
        for entry in entries:
            assert not entry.fuzzy
            pairs = [(entry.msgid, entry.msgstr, "")]
            if entry.msgid_plural:
                pairs = [
                    (entry.msgid, entry.msgstr_plural[0], "count"),
                    (entry.msgid_plural, entry.msgstr_plural[1], ""),
                ]
            for english, translation, count in pairs:
                found += urdu.pair_problems(english, translation, count_may_go=count)
        assert [str(problem) for problem in found] == []


@pytest.mark.django_db
class TestPagesInUrdu:
    def test_of_signing_in(self) -> None:
        browser = in_urdu()
        assert problems(browser.get("/sign-in/?next=/account/")) == []
        assert problems(browser.post("/sign-in/", {"email": "no"})) == []
        ask_for_code(browser, "a@sample.example")
        assert problems(browser.get("/sign-in/code/")) == []
        for _ in range(3):
            assert problems(browser.post("/sign-in/code/", {"code": "x"})) == []

    def test_of_the_account(self) -> None:
        browser = in_urdu()
        sign_in(browser, "a@sample.example")
        for path in ("/account/", "/account/app/", "/account/passkeys/add/", "/sign-out/", "/account/second-factor/"):
            assert problems(browser.get(path)) == [], path
        for data in ({}, {"name": "x" * 130}):
            assert problems(browser.post("/account/", data)) == []
        set_up_app(browser)
        for path in ("/account/", "/account/recovery-codes/", "/account/recovery-codes/new/", "/account/app/remove/"):
            assert problems(browser.get(path)) == [], path
        other = in_urdu()
        sign_in(other, "a@sample.example")
        assert problems(other.get("/sign-in/second-factor/")) == []
        assert problems(other.post("/sign-in/second-factor/", {"code": "1"})) == []
        assert problems(browser.get("/account/confirm/")) == []
        assert problems(browser.get("/posts/")) == []

    def test_of_the_administrator(self) -> None:
        browser = in_urdu()
        user = a_person("administrator")
        with_post(user, "administrator")
        with_post(a_person("operator"), "operator", operator="sample-fibre")
        with_post(a_person("director"), "supervisor", rank="director")
        sign_in(browser, user.email)
        assert problems(browser.get("/posts/")) == []
        assert problems(browser.post("/posts/", {"email": "x", "role": "operator", "operator": "-?"})) == []

    def test_of_the_demonstration(self, demo_urls: None) -> None:
        demonstration.make_ready_accounts(operators=[("sample-fibre", "Sample Fibre")], now=NOW)
        browser = in_urdu()
        assert problems(browser.get("/demo/sign-in/")) == []
        assert problems(browser.get("/sign-in/")) == []
