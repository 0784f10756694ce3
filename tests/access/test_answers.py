"""What every answer carries, whoever asked and whatever became of it."""

import logging
import sys
from logging.config import DictConfigurator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

from rahdari.people.models import User
from rahdari.register import reference
from rahdari.vault import keys
from rahdari.web.logs import Formatter
from tests.builders import story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


class TestHeaders:
    @pytest.mark.urls("tests.web.urls_errors")
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/check/",
            "/sign-in/",
            "/my/",
            "/feed/receipt",
            "/no/such/page",
            "/odd/",
            "/broken/",
            "/away/",
            "/closed/",
        ],
    )
    def test_allow_nothing_from_elsewhere_on_pages_and_errors(self, path: str) -> None:
        answer = Client(raise_request_exception=False).get(path)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]

    def test_are_there_when_a_middleware_before_the_page_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_given: Any, **_named: Any) -> None:
            raise RuntimeError("planted: no sessions")

        monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", away)
        answer = Client(raise_request_exception=False).get("/check/")
        assert answer.status_code == 500
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]

    def test_give_our_files_to_no_other_site(self, settings: Any) -> None:
        settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
        serve = WhiteNoiseMiddleware(lambda _request: HttpResponse(status=404))
        answer = serve(RequestFactory().get("/static/web/rahdari.css"))
        answer.close()
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_are_there_for_a_host_that_is_not_ours(self, settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["register.example"]
        answer = Client(raise_request_exception=False).get("/", headers={"host": "evil.example"})
        assert answer.status_code == 400
        assert answer.headers["X-Frame-Options"] == "DENY"


class TestALogLine:
    def test_keeps_the_secret_of_a_link_that_failed(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(**_named: Any) -> None:
            raise RuntimeError("planted")

        monkeypatch.setattr("rahdari.control.challenges.open_link", fails)
        client = Client(raise_request_exception=False)
        client.get("/prove/abcdefghijklmnopqrstuvwxyz/")
        client.get("/c/RD-8E7A-15VQ/abcdefghijklmnopqrstuvwxyz/no/such/page/")
        as_written = DictConfigurator(django_settings.LOGGING).configure_formatter(
            dict(django_settings.LOGGING["formatters"]["line"])
        )
        written = "\n".join(as_written.format(record) for record in caplog.records)
        assert "/prove/.../" in written and "/c/RD-8E7A-15VQ/.../" in written
        assert "abcdefghijklmnopqrstuvwxyz" not in written

    def test_repeats_no_row_that_the_database_refused(self) -> None:
        user = story.a_person()
        try:
            with transaction.atomic():
                User.objects.create_user(user.email, created_at=user.created_at)
        except IntegrityError:
            record = logging.LogRecord("any", logging.ERROR, __file__, 1, "It failed", None, sys.exc_info())
        line = Formatter().format(record)
        assert "duplicate key" in line and "DETAIL: not logged" in line
        assert user.email not in line


class TestTheCertificateLink:
    def test_with_letters_that_no_token_has_is_the_page_of_an_unknown_number(self) -> None:
        for token in ("ا" * 26, "é", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
            answer = Client().get(f"/c/{reference.make()}/{token}/", headers={"accept-language": "en"})
            assert answer.status_code == 200
            assert answer.context["standing"] == "not_found"
