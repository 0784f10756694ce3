"""The pages of a suspension before a hearing, and of a proposal that nobody in the office may decide, in Chromium at
360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.decide import deadlines, revocation
from rahdari.people.models import Role, User
from tests.builders.cases import DAY, HOUR, PAPER, a_person, an_officer
from tests.builders.rules import suspending_first
from tests.in_browser import faults_on_a_small_phone

from .test_reviewers import named
from .test_revocation import granted

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
LONG = "The router answered for somebody else at 198.51.100.14, twice, and the holder said that it had been off. " * 3


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    alone = an_officer("Supervisor Sample", role=Role.SUPERVISOR)
    director = an_officer("Director Sample", rank="director")
    case, found = granted()
    reference, reviewer = case.application.reference, a_person()
    place, there = reverse("decide:revoke", args=[reference]), reverse("portal:notice", args=[reference])
    clients = {}
    for user in (alone, director, case.application.applicant, reviewer):
        User.objects.filter(pk=user.pk).update(language=language)
        user.refresh_from_db()
        clients[user.pk] = client = Client()
        client.cookies["django_language"] = language
        client.force_login(user)
    desk, second = clients[alone.pk], clients[director.pk]
    holder, outside = clients[case.application.applicant_id], clients[reviewer.pk]
    for client in (desk, second):
        client.post(reverse("decide:why", args=[reference]), {"why": "complaint"})
    yield "propose", desk.get(place).text
    yield "propose-error", desk.post(place, {"take_code": "S5", "take_first": "on"}).text
    ago = timezone.now() - 32 * DAY
    revocation.propose_revocation(
        case=case, officer=alone, code="S4", text=LONG, evidence=LONG, paper=PAPER, now=ago, before_hearing=True
    )
    yield "suspend-first", second.get(place).text
    yield "suspend-first-not-mine", desk.get(place).text
    yield "notice", holder.get(there).text
    now = timezone.now()
    revocation.suspend_before_hearing(case=case, officer=director, because=LONG, now=now - HOUR)
    yield "notice-suspended", holder.get(there).text
    yield "registration-suspended", holder.get(reverse("portal:registration", args=[found.reference])).text
    yield "suspended", second.get(place).text
    director.posts.update(ended_at=now)
    deadlines.close_unanswered(now=now)
    yield "nobody", desk.get(place).text
    yield "notice-nobody", holder.get(there).text
    name = reverse("decide:name_reviewer", args=[reference])
    yield "name", desk.get(name).text
    yield "name-error", desk.post(name, {"email": "x", "who": ""}).text
    named(case, alone, reviewer, now)
    yield "named", desk.get(place).text
    yield "notice-named", holder.get(there).text
    review = reverse("decide:review", args=[reference])
    yield "review", outside.get(review).text
    yield "review-error", outside.post(review, {"because": ""}).text
    yield "status", Client(headers={"accept-language": language}).get(reverse("portal:service_status")).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str, settings: Any, tmp_path: Path) -> None:
    suspending_first(settings, tmp_path)
    assert faults_on_a_small_phone(pages_of(language), language) == []
