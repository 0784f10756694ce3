"""The pages of a disruption in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.incident import actions, answering, clocks, packs, queries
from rahdari.incident.rules import Reason
from rahdari.people.models import User
from tests.builders.incidents import a_report
from tests.builders.publishing import entered
from tests.in_browser import faults_on_a_small_phone

from .test_pages import DAY, Place

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
LONG = "A filter covers all of it, on-a-device-of-a-very-long-name/that-breaks-nowhere/of-all-the-network. " * 3


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    place = Place()
    User.objects.update(language=language)
    for client in (place.at_holder, place.there, place.officer):
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    number = place.registration.reference
    report = reverse("portal:report_cut", args=[number])
    yield "report", place.at_holder.get(report).text
    yield "report-error", place.at_holder.post(report, {}).text
    yield "list-empty", place.there.get(reverse("incident:of_operator")).text
    given = {"connection": "all", "sees": "nothing", "own_side": "unknown"}
    yield "reported", place.at_holder.post(report, given, follow=True).text
    first, second = (each.incident for each in queries.reports_of(place.registration))
    at = reverse("incident:one_of_operator", args=[first.reference])
    yield "list", place.there.get(reverse("incident:of_operator")).text
    yield "operator", place.there.get(at).text
    yield "operator-error", place.there.post(reverse("incident:act_of_operator", args=[first.reference, "answer"])).text
    there = {"actor": "operator:sample-fibre", "now": timezone.now()}
    answering.answer(incident=first, reason=Reason.FILTER_TOO_WIDE, words=LONG, **there)
    page = place.of_holder(first)
    yield "being-mended", place.at_holder.get(page).text
    answering.answer(incident=second, reason=Reason.HOLDER_SERVER, **there)
    yield "disclaimed", place.at_holder.get(place.of_holder(second)).text
    yield "dispute-error", place.at_holder.post(place.of_holder(second, "dispute"), {"words": ""}).text
    clocks.follow(now=timezone.now() + DAY)
    yield "late", place.at_holder.get(page).text
    yield "registration", place.at_holder.get(reverse("portal:registration", args=[number])).text
    yield from _of_the_desk(place, first.reference)
    reports = [each for each in queries.reports_of(place.registration) if each.incident_id == first.pk]
    actions.say_it_works(report=reports[0], actor="person:x", now=timezone.now())
    clocks.follow(now=timezone.now())
    yield "being-put-together", place.at_holder.get(page).text
    packs.make_due(now=timezone.now())
    yield "closed", place.at_holder.get(page).text
    yield "operator-closed", place.there.get(at).text
    answering.report(incident=first, words=LONG, **there)
    yield "closed-with-report", place.at_holder.get(page).text


def _of_the_desk(place: Place, reference: str) -> Iterator[tuple[str, str]]:
    own = entered("198.51.100.9/32", now=place.now - DAY, holder=place.holder.holder_ref, asn=None)
    of_desk = a_report(own, timezone.now()).incident
    desk: Client = place.officer
    yield "desk-list", desk.get(reverse("incident:incidents")).text
    yield "desk-late", desk.get(reverse("incident:incident", args=[reference])).text
    yield "desk-own", desk.get(reverse("incident:incident", args=[of_desk.reference])).text
    yield "desk-report", desk.get(reverse("incident:report")).text
    yield "desk-report-error", desk.post(reverse("incident:report"), {"number": own.reference, "address": "x"}).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(language: str) -> None:
    assert faults_on_a_small_phone(pages_of(language), language) == []
