"""The page of a measured endpoint in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone

from rahdari.people.models import User
from rahdari.watch import queries
from rahdari.watch.models import Consent
from rahdari.watch.verdicts import Rule, State
from tests.builders import story
from tests.builders.shared import known_networks
from tests.in_browser import faults_on_a_small_phone

from .test_measurement import concluded, page_of, proved_by_handshake, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
COURSE = (
    (State.IN_ORDER, Rule.REACHED),
    (State.IMPAIRED, Rule.SLOW),
    (State.IN_ORDER, Rule.REACHED),
    (State.PATH_BLOCKED, Rule.RUNS_INSIDE),
    (State.THIS_OPERATOR, Rule.CUT_TOGETHER),
    (State.IN_ORDER, Rule.REACHED),
    (State.NOT_ENOUGH, Rule.OUTSIDE_ONLY),
)


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    with known_networks():
        entry = story.registration_of(story.a_granted_application(story.a_person())).entries.get()
    client = signed_in(User.objects.get(holder_ref=entry.holder), language)
    page, now = page_of(entry), timezone.now()
    yield "not-measurable", client.get(page).text
    proved_by_handshake(entry)
    yield "asked", client.get(page).text
    client.post(page, {"inside": "1"})
    consent = queries.consent_of(entry.feed_id)
    assert consent is not None
    Consent.objects.filter(pk=consent.pk).update(given_at=now - dt.timedelta(days=2))
    for n, (state, rule) in enumerate(COURSE):
        concluded(consent, state, rule, now - dt.timedelta(hours=40 - 6 * n))
    yield "measured", client.get(page).text.replace("<details>", "<details open>")
    yield "registration", client.get(reverse("portal:registration", args=[entry.registration.reference])).text
    yield "privacy", client.get(reverse("portal:privacy")).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
