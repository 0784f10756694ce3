"""Officers who have the same case open see each other."""

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.people.models import User
from tests.builders.cases import HOUR, MINUTE, NOW, a_case

pytestmark = pytest.mark.django_db


def signed_in(user: User, language: str = "en") -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client


def test_a_case_names_who_else_opened_it_just_now(officer: User, second: User, time_machine: object) -> None:
    at = reverse("decide:case", args=[a_case().application.reference])
    time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]
    signed_in(second).get(at)
    assert "has this case open too" not in signed_in(second).get(at).text, "nobody is told of themselves"
    time_machine.move_to(NOW + HOUR + 2 * MINUTE, tick=False)  # type: ignore[attr-defined]
    text = signed_in(officer).get(at).text
    assert "Officer B" in text and "has this case open too: opened 2 min ago." in text
    assert "2 منٹ پہلے کھولا" in signed_in(officer, "ur").get(at).text
    time_machine.move_to(NOW + HOUR + 18 * MINUTE, tick=False)  # type: ignore[attr-defined]
    assert "has this case open too" not in signed_in(officer).get(at).text


def test_a_page_of_a_list_is_not_an_open_case(officer: User, second: User, time_machine: object) -> None:
    at = reverse("decide:case", args=[a_case().application.reference])
    time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]
    signed_in(second).get(reverse("decide:queue"))
    assert "has this case open too" not in signed_in(officer).get(at).text
