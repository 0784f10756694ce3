"""The pages of a hearing, of a revocation and of a refusal, in Chromium at 360 px, fetched first: axe finds nothing,
nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply.late_evidence import File
from rahdari.decide import assignment, hearings, refusals, revocation
from rahdari.people.models import User
from tests.builders.cases import DAY, PAPER, a_case
from tests.builders.drafts import a_pdf
from tests.in_browser import faults_on_a_small_phone

from .test_fair_revocation import open_notice
from .test_hearings import first_day, set_for
from .test_revocation import granted

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
LONG = "The router answered for somebody else at 198.51.100.14, twice, and the holder said that it had been off. " * 4


def pages_of(officer: User, second: User, language: str) -> Iterator[tuple[str, str]]:
    case, found = granted()
    reference = case.application.reference
    place, there = reverse("decide:revoke", args=[reference]), reverse("portal:notice", args=[reference])
    own = reverse("portal:registration", args=[found.reference])
    holder, desk = Client(), Client()
    for browser, user in ((holder, case.application.applicant), (desk, second)):
        browser.cookies["django_language"] = language
        User.objects.filter(pk=user.pk).update(language=language)
        user.refresh_from_db()
        browser.force_login(user)
    desk.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
    yield "propose", desk.get(place).text
    yield "propose-error", desk.post(place, {"take_code": "S4"}).text
    yield "order-error", desk.post(place, {"order_number": ""}).text
    ago = timezone.now() - 25 * DAY
    revocation.propose_revocation(case=case, officer=officer, code="S4", text=LONG, evidence=LONG, paper=PAPER, now=ago)
    yield "notice", holder.get(there).text
    yield "registration-noticed", holder.get(own).text
    hearings.ask_for_hearing(notice=open_notice(case), actor=f"person:{case.application.applicant_id}", now=ago)
    yield "notice-asked", holder.get(there).text
    yield "set", desk.get(place).text
    yield "set-error", desk.post(place, {"hearing_day": "2026-01-05", "hearing_time": "10:30"}).text
    set_for(case, officer, first_day(case, ago), now=ago)
    set_for(case, officer, first_day(case, ago + DAY), now=ago + DAY, why="The room is closed.")
    yield "notice-set", holder.get(there).text
    yield "record", desk.get(place).text
    yield "record-error", desk.post(place, {"hearing_minutes": ""}).text
    yield "approvals", desk.get(reverse("decide:approvals")).text
    sent = {"hearing_minutes": LONG, "hearing_outcome": "attended", "hearing_attended": "The holder, and a friend"}
    desk.post(place, sent)
    yield "notice-heard", holder.get(there).text
    now = timezone.now()
    holder.post(there, {"answer": "My router was off.", "send": "1"})
    yield "second", desk.get(place).text
    revocation.second_revocation(case=case, officer=second, because="Two proofs failed.", now=now)
    yield "registration-suspended", holder.get(own).text
    yield "restore", desk.get(place).text
    revocation.restore_registration(case=case, officer=second, why="It was proved again.", now=now)
    revocation.propose_by_order(
        case=case,
        officer=officer,
        code="X6",
        order="Order 12 of 2026, Sample Court of a long name, 2026-11-10",
        text="The order names this registration.",
        evidence="Certified copy, file 7.",
        copy=File("order.pdf", a_pdf()),
        now=timezone.now(),
    )
    yield "notice-ordered", holder.get(there).text
    yield "second-ordered", desk.get(place).text


def pages_of_refusal(officer: User, director: User, language: str) -> Iterator[tuple[str, str]]:
    case, ago = a_case(), timezone.now() - 25 * DAY
    reference = case.application.reference
    place, sends = reverse("decide:case", args=[reference]), reverse("decide:hearing", args=[reference])
    there, status = reverse("portal:notice", args=[reference]), reverse("portal:status", args=[reference])
    applicant, desk = Client(), Client()
    for browser, user in ((applicant, case.application.applicant), (desk, director)):
        browser.cookies["django_language"] = language
        User.objects.filter(pk=user.pk).update(language=language)
        user.refresh_from_db()
        browser.force_login(user)
    assignment.take_case(case=case, officer=officer, now=ago)
    refusals.propose_refusal(case=case, officer=officer, codes=["R4"], text=LONG, named=LONG, now=ago)
    yield "refusal-notice", applicant.get(there).text
    hearings.ask_for_hearing(notice=open_notice(case), actor=f"person:{case.application.applicant_id}", now=ago)
    yield "refusal-asked", applicant.get(there).text
    yield "refusal-set", desk.get(place).text
    yield "refusal-set-error", desk.post(sends, {"hearing_day": "2026-01-05", "hearing_time": "10:30"}).text
    set_for(case, officer, first_day(case, ago), now=ago)
    applicant.post(there, {"answer": "It is true.", "send": "1"})
    yield "refusal-status", applicant.get(status).text
    yield "refusal-record", desk.get(place).text
    yield "refusal-record-error", desk.post(sends, {"hearing_minutes": ""}).text
    yield "refusal-queue", desk.get(reverse("decide:queue")).text
    sent = {"hearing_minutes": LONG, "hearing_outcome": "attended", "hearing_attended": "The applicant, and a friend"}
    desk.post(sends, sent)
    yield "refusal-second", desk.get(place).text
    refusals.second_refusal(case=case, officer=director, because="It is not true.", now=timezone.now())
    yield "refused", applicant.get(reverse("portal:refusal", args=[reference])).text
    desk.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
    yield "refused-case", desk.get(place).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_before_a_refusal_have_nothing_for_axe_and_fit_too(officer: User, director: User, language: str) -> None:
    assert faults_on_a_small_phone(pages_of_refusal(officer, director, language), language) == []


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(officer: User, second: User, language: str) -> None:
    assert faults_on_a_small_phone(pages_of(officer, second, language), language) == []
