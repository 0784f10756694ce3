"""The public check compares a company's name and tells none: whoever walks through all numbers learns nobody."""

import datetime as dt
import html

import pytest
from django.test import Client
from django.utils import timezone

from rahdari.people import actions as people
from rahdari.register.models import Registration
from rahdari.web import limits
from tests.portal.test_public_pages import a_registration, link_of

pytestmark = pytest.mark.django_db
COMPANIES = [f"Planted Holding {letter} (Pvt) Ltd" for letter in "ABCDEFGH"]
MARK = "Planted Holding"


@pytest.fixture
def registrations() -> list[Registration]:
    owner = people.register_person(email="owner@planted.example", name="Planted Owner", now=timezone.now())
    found = [
        people.register_organisation(owner=owner, name=name, actor="system:test", now=timezone.now())
        for name in COMPANIES
    ]
    return [a_registration(each.holder_ref) for each in found]


@pytest.fixture(autouse=True)
def _without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody with as many addresses as they like."""
    monkeypatch.setattr(limits, "take", lambda *_, **__: limits.Allowance(allowed=True, wait=dt.timedelta()))


class TestWalking:
    def test_many_numbers_gives_no_name(self, client: Client, registrations: list[Registration]) -> None:
        for language in ("en", "ur"):
            client.cookies["django_language"] = language
            for each in registrations:
                for asked in ({}, {"name": "Holding"}, {"name": "*"}, {"name": "Planted"}, {"name": " "}):
                    page = client.get("/check/", {"number": each.reference} | asked)
                    assert MARK not in html.unescape(page.text), asked
                    assert "planted.example" not in page.text

    def test_would_find_the_names_where_they_stand(self, client: Client, registrations: list[Registration]) -> None:
        """The needle is not a wrong one: whoever has the certificate in hand sees it."""
        assert MARK in html.unescape(client.get(link_of(registrations[0])).text)
        typed = client.get("/check/", {"number": registrations[0].reference, "name": COMPANIES[0]})
        assert MARK in html.unescape(typed.text), "what was typed"

    def test_by_programs_meets_nothing_that_asks_a_number(
        self, client: Client, registrations: list[Registration]
    ) -> None:
        paths = client.get("/api/v1/openapi.json").json()["paths"]
        open_to_all = [
            f"{verb} {path}"
            for path, operations in paths.items()
            for verb, operation in operations.items()
            if isinstance(operation, dict) and not operation.get("security")
        ]
        assert open_to_all and not [each for each in open_to_all if "{reference}" in each or "{number}" in each]
