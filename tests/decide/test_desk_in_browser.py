"""The pages of work at the desk in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.decide import granting, notes
from rahdari.people.models import User
from tests.builders.cases import NOW, a_case, a_gateway
from tests.in_browser import faults_on_a_small_phone

from .test_actions import grantable
from .test_grants_at_once import confirmed, number, ready

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
LONG = "The bank was called twice, and the second letter is from another branch of the same bank. " * 4


def pages_of(officer: User, second: User, language: str) -> Iterator[tuple[str, str]]:
    desk, other, holder = Client(), Client(), Client()
    a_gateway()
    granting.grant(case=grantable(a_case(), second), officer=second, now=NOW)
    case = a_case()
    for browser, user in ((desk, officer), (other, second), (holder, case.application.applicant)):
        browser.cookies["django_language"] = language
        User.objects.filter(pk=user.pk).update(language=language)
        user.refresh_from_db()
        browser.force_login(user)
    at = {name: reverse(f"decide:{name}", args=[number(case)]) for name in ("case", "note")}
    yield "note", desk.get(at["note"]).text
    yield "note-error", desk.post(at["note"], {"text": ""}).text
    desk.post(at["note"], {"text": LONG, "mentioned": [str(second.pk)]})
    notes.write_note(case=case, officer=officer, text=LONG, kept_back="other_person", now=timezone.now())
    yield "queue-mentioned", other.get(reverse("decide:queue"), {"view": "mentioned"}).text
    other.get(at["case"])
    yield "case", desk.get(at["case"]).text
    granting.grant(case=grantable(case, officer), officer=officer, now=timezone.now())
    yield "status", holder.get(reverse("portal:status", args=[number(case)])).text
    free = [ready(second) for _ in range(3)]
    yield "queue-view-error", desk.post(reverse("decide:save_view"), {"name": ""}).text
    desk.post(
        f"{reverse('decide:save_view')}?queue=network&who=nobody", {"name": "A long name, of forty letters together"}
    )
    yield "queue", desk.get(reverse("decide:queue")).text
    chosen = [*map(number, free), number(a_case()), "A-2611-AAAA-BBBB"]
    listed = desk.get(reverse("decide:grants"), {"case": chosen}).text
    yield "grants", listed
    yield "granted", confirmed(desk, listed)


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(officer: User, second: User, language: str) -> None:
    assert faults_on_a_small_phone(pages_of(officer, second, language), language) == []
