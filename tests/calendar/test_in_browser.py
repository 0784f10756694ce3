"""The pages of the calendar in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from rahdari.decide import assignment, questions
from rahdari.people.models import User
from rahdari.policy.corrections import Kind
from tests.builders.cases import HOUR, NOW, a_case, a_person
from tests.decide.test_views import signed_in
from tests.in_browser import faults_on_a_small_phone

from .said import entered, in_force
from .test_pages import LIST, NEW

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
DAY = dt.date(2026, 11, 17)
WEEK = [["09:00-13:00", "14:00-16:00"]] * 4 + [["09:00-12:30"], [], []]


def pages_of(officer: User, supervisor: User, language: str) -> Iterator[tuple[str, str]]:
    def text(person: User, address: str, **given: str) -> str:
        browser = signed_in(person, language)
        return (browser.post(address, given) if given else browser.get(address)).content.decode()

    first = in_force(supervisor, officer, DAY, now=NOW)
    withdrawn = {"kind": Kind.WORKED, "replaces": first, "why": "The order was withdrawn by another one."}
    in_force(supervisor, officer, DAY, now=NOW, **withdrawn)
    in_force(supervisor, officer, DAY, dt.date(2026, 12, 10), now=NOW, kind=Kind.HOURS, week=WEEK)
    part = {"begins": dt.time(13), "ends": dt.time(17), "status": "estimated"}
    waits = f"{LIST}{entered(supervisor, DAY, now=NOW, **part).pk}/"
    case = assignment.take_case(case=a_case(applicant=a_person(language)), officer=officer, now=NOW)
    questions.ask_question(case=case, officer=officer, code="Q4", text="Which client?", now=NOW)
    yield "list", text(supervisor, LIST)
    yield "new", text(supervisor, NEW)
    yield "new-error", text(supervisor, NEW, kind="hours", day_0="from nine")
    yield "replace", text(supervisor, f"{NEW}?replaces={first.pk + 2}")
    yield "replaced", text(officer, f"{LIST}{first.pk}/")
    yield "of-the-author", text(supervisor, waits)
    yield "to-confirm", text(officer, waits)
    yield "to-confirm-error", text(officer, waits, decision="drop")
    yield "approvals", text(officer, "/desk/approvals/")
    yield "service-status", text(officer, "/status/")
    yield "application", text(case.application.applicant, reverse("portal:status", args=[case.application.reference]))


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(
    officer: User, supervisor: User, language: str, time_machine: Any
) -> None:
    time_machine.move_to(NOW + HOUR, tick=False)
    assert faults_on_a_small_phone(pages_of(officer, supervisor, language), language) == []
