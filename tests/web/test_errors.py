import html
import logging
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client

from rahdari.web import errors
from tests import urdu

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.urls_errors")]
SAYS_WHETHER_LOST = {
    "en": ("Nothing is lost.", "What you saved is safe."),
    "ur": ("کچھ ضائع نہیں ہوا۔", "جو محفوظ ہو چکا تھا وہ محفوظ ہے۔", "جو آپ نے لکھا وہ اس صفحے میں موجود ہے۔"),
}


def client(language: str = "en", **options: Any) -> Client:
    made = Client(raise_request_exception=False, **options)
    made.cookies["django_language"] = language
    return made


@pytest.mark.parametrize("language", ["en", "ur"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/no/such/page/", 404),
        ("/lost/", 404),
        ("/closed/", 403),
        ("/odd/", 400),
        ("/broken/", 500),
        ("/away/", 503),
        ("/often/", 429),
        ("/ended/", 403),
        ("/only-posted/", 405),
    ],
)
def test_says_first_whether_anything_was_lost(path: str, status: int, language: str) -> None:
    response = client(language).get(path, headers={"accept": "text/html,*/*;q=0.8"})
    page = html.unescape(response.content.decode())
    assert response.status_code == status
    assert re.search(f'<html lang="{language}" dir="{"rtl" if language == "ur" else "ltr"}">', page)
    lead = re.search(r'<p class="lead">(.*?)</p>', page)
    assert lead and lead.group(1).startswith(SAYS_WHETHER_LOST[language])
    assert page.count("<h1>") == 1
    assert response.headers["Cache-Control"] == "no-store"
    assert "style=" not in page and "<script>" not in page
    if language == "ur":
        assert urdu.page_problems(page) == []


class TestBroke:
    def test_gives_a_number_that_is_in_the_log_and_no_address_of_the_page(self, caplog: Any) -> None:
        with caplog.at_level(logging.ERROR, logger="rahdari.web.errors"):
            page = client().get("/broken/?secret=planted-secret").content.decode()
        number = re.search(r"E-[2-9A-Z]{4}-[2-9A-Z]{4}", page)
        assert number
        ours = [record.getMessage() for record in caplog.records if record.name == "rahdari.web.errors"]
        assert ours == [f"Error number {number.group()} at GET broken"]

    def test_needs_no_template_to_say_so_in_both_languages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(*_given: Any, **_named: Any) -> str:
            raise RuntimeError("planted: no templates")

        monkeypatch.setattr("django.template.loader.render_to_string", fails)
        for path, status in (("/broken/", 500), ("/away/", 503)):
            response = client().get(path)
            assert response.status_code == status
            assert "Something went wrong on our side" in response.content.decode()
            assert "ہماری طرف سے مسئلہ ہوا ہے" in response.content.decode()

    def test_asks_the_database_for_nothing(self, django_assert_num_queries: Any) -> None:
        for path in ("/broken/", "/away/"):
            with django_assert_num_queries(0):
                client().get(path)

    def test_is_a_short_wait_when_the_database_is_away(self) -> None:
        assert client().get("/away/").headers["Retry-After"] == "60"


WITHOUT_DATABASE = """
import django
django.setup()
from django.conf import settings
from django.test import Client
from rahdari.vault import keys
keys.make_missing(settings.DATA / "keys")
client = Client(raise_request_exception=False)
client.cookies["django_language"], client.cookies["sessionid"] = "ur", "a" * 32
for path in ("/", "/check/?number=RD-4F7K-92MX", "/my/", "/no/such/page/"):
    response = client.get(path)
    print(response.status_code, "سروس تھوڑی دیر میں بحال ہو جائے گی" in response.content.decode())
"""


def pages_say_that_we_are_back_in_a_moment(url: str) -> bool:
    """To whoever is signed in, of a database at this address."""
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "rahdari.settings.test"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATABASE], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines() == ["503 True"] * 4


class TestDown:
    def test_is_said_to_whoever_is_signed_in_when_no_database_answers(self) -> None:
        assert pages_say_that_we_are_back_in_a_moment("postgresql://nobody@127.0.0.1:1/nothing")


class TestTooBig:
    def test_is_told_when_a_form_is_larger_than_we_take(self, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        response = client().post("/reads/", {"text": "a" * 2000})
        assert response.status_code == 413
        assert "What you sent is too big" in response.content.decode()

    def test_is_told_before_anything_is_read(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def reads(*_given: Any) -> None:
            raise AssertionError("the form was read")

        monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", reads)
        response = client().post("/reads/", CONTENT_LENGTH=str(settings.LARGEST_REQUEST + 1))
        assert response.status_code == 413

    def test_is_told_when_a_form_has_more_fields_than_any_of_ours(self, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
        assert client().post("/reads/", {str(n): "a" for n in range(5)}).status_code == 413


class TestNotThisWay:
    def test_is_said_to_whoever_reads_pages_with_the_methods_that_are_answered(self) -> None:
        answer = client().post("/other-way/", headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert "This page cannot be opened like this" in answer.content.decode()

    def test_is_left_as_it_is_for_a_program(self) -> None:
        answer = client().get("/only-posted/", headers={"accept": "*/*"})
        assert (answer.status_code, answer.headers["Allow"], answer.content) == (405, "POST", b"")


class TestTooMany:
    def test_says_how_long_to_wait(self, rf: Any) -> None:
        import datetime as dt

        response = errors.too_many(rf.get("/"), wait=dt.timedelta(minutes=12))
        assert response.headers["Retry-After"] == "721"
        assert "Try again in 13 minutes." in response.content.decode()


TYPED = {"name": 'Sample "Software" <House>', "address": "203.0.113.24"}


class TestFormTooOld:
    """Without the right token a form is not taken; what was typed stays."""

    def post(self, path: str = "/reads/", checks: bool = True, **headers: str) -> str:
        response = client(enforce_csrf_checks=checks).post(path, TYPED, headers=headers)
        assert response.status_code == 403
        return response.content.decode()

    def test_keeps_what_was_typed_and_sends_it_again(self) -> None:
        sender = client(enforce_csrf_checks=True)
        page = sender.post("/reads/", TYPED, headers={"Origin": "http://testserver"}).content.decode()
        kept = {html.unescape(name): html.unescape(value) for name, value in HIDDEN.findall(page)}
        assert kept.items() >= TYPED.items()
        again = sender.post("/reads/", kept, headers={"Origin": "http://testserver"})
        assert again.content == b"3 fields"

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    )
    def test_offers_nothing_that_another_site_has_filled_in(self, headers: dict[str, str]) -> None:
        page = self.post(**headers)
        assert "203.0.113.24" not in page
        assert "What you saved is safe." in page

    def test_keeps_it_over_a_sign_out_too_and_opens_the_sign_in_beside_it(self) -> None:
        page = self.post("/ended/", checks=False, **{"Sec-Fetch-Site": "same-origin"})
        assert "You were signed out" in page
        assert HIDDEN.findall(page)[1:] == [("name", html.escape(TYPED["name"])), ("address", "203.0.113.24")]
        assert re.search(r'href="/sign-in/"[^>]* target="_blank" rel="noopener"', page)


HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
