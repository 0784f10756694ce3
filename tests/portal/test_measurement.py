"""The holder's page of a measured endpoint, and the same by the API: consent, how it stands, its end."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.control.models import Challenge, Method, Status
from rahdari.people.models import User
from rahdari.register.models import Entry
from rahdari.watch import queries, words
from rahdari.watch.models import Conclusion, Consent, Report, SeenFacts
from rahdari.watch.verdicts import Rule, State
from tests import urdu
from tests.builders import story
from tests.builders.cases import a_person as another
from tests.builders.programs import Program, problem
from tests.builders.shared import known_networks

pytestmark = pytest.mark.django_db


def proved_by_handshake(entry: Entry, port: int = 443) -> Challenge:
    now = timezone.now()
    return Challenge.objects.create(
        subject=entry.subject,
        block=str(entry.block),
        method=Method.TLS,
        given=json.dumps({"fingerprint": "0" * 64, "port": port}),
        status=Status.VALID,
        link_index=uuid.uuid4().hex,
        opened_at=now,
        expires_at=now,
        validated_at=now,
    )


@pytest.fixture(autouse=True)
def networks() -> Iterator[None]:
    with known_networks():
        yield


@pytest.fixture
def entry() -> Entry:
    return story.registration_of(story.a_granted_application(story.a_person())).entries.get()


@pytest.fixture
def person(entry: Entry) -> User:
    return User.objects.get(holder_ref=entry.holder)


def page_of(entry: Entry) -> str:
    return reverse("portal:measurement", args=[entry.registration.reference, entry.pk])


def signed_in(person: User, language: str = "en") -> Client:
    person.language = language
    person.save()
    client = Client(headers={"Accept-Language": language})
    client.force_login(person)
    return client


def concluded(consent: Consent, state: State, rule: Rule, at: dt.datetime) -> None:
    seen = SeenFacts.objects.create(consent=consent, at=at, facts={})
    Conclusion.objects.create(seen=seen, version=1, state=state, rule=rule, verdict={})


class TestThePage:
    def test_asks_for_nothing_that_cannot_be_repeated(self, entry: Entry, person: User) -> None:
        client, page = signed_in(person), page_of(entry)
        assert "cannot be measured yet" in client.get(page).text
        client.post(page, {"inside": "1"})
        assert queries.consent_of(entry.feed_id) is None

    def test_takes_consent_and_lets_it_go_in_one_press(self, entry: Entry, person: User) -> None:
        proved_by_handshake(entry)
        client, page = signed_in(person), page_of(entry)
        assert page in client.get(reverse("portal:registration", args=[entry.registration.reference])).text
        shown = client.get(page).text
        assert "I agree: measure this address" in shown and "every 60 minutes" in shown
        assert all(str(each) in shown.replace("&#x27;", "'") for each in words.NEVER)
        client.post(page, {"agent": "1"})
        consent = queries.consent_of(entry.feed_id)
        assert consent is not None and (consent.inside, consent.agent, consent.personal) == (False, True, True)
        assert json.loads(consent.asks)["claim"]["method"] == "tls"
        agreed, erased = client.get(page).text, "What was seen is erased, but for what a reported disruption needs."
        assert "Nothing was seen yet" in agreed and erased in agreed
        client.post(page, {"withdraw": "1"})
        assert queries.consent_of(entry.feed_id) is None
        stopped = client.get(page).text
        assert "I agree" in stopped and erased in stopped

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_says_each_state_and_rule_in_words(self, entry: Entry, person: User, language: str) -> None:
        proved_by_handshake(entry)
        client, page, now = signed_in(person, language), page_of(entry), timezone.now()
        client.post(page, {"inside": "1"})
        consent = queries.consent_of(entry.feed_id)
        assert consent is not None
        Consent.objects.filter(pk=consent.pk).update(given_at=now - dt.timedelta(days=2))
        for n, rule in enumerate(Rule):
            concluded(consent, list(State)[n % 6], rule, now - dt.timedelta(hours=30 - n))
        shown = client.get(page).text
        assert shown.count("<svg") >= 1 and "<path" in shown
        assert shown.count('role="rowheader"') == len(Rule) + 1  # and what was before the first
        if language == "ur":
            assert urdu.page_problems(shown) == []

    def test_is_not_there_without_the_part_of_the_policy(self, entry: Entry, person: User, monkeypatch: Any) -> None:
        monkeypatch.setattr(queries, "rules_in_force", lambda: None)
        assert signed_in(person).get(page_of(entry)).status_code == 404


class TestByProgram:
    def test_agrees_reports_and_stops(self, entry: Entry, person: User) -> None:
        program = Program(person)
        place = f"/registrations/{entry.registration.reference}/entries/{entry.pk}/measurement"
        body = {"inside": True, "agent": False}
        assert program.get(place).said["can_be_measured"] is False
        problem(program.put(place, body), 409, "not-possible-now")
        proved_by_handshake(entry)
        said = program.put(place, body).said
        assert (said["agreed"], said["every_minutes"], said["kept_days"], said["state"]) == (True, 60, 30, None)
        # Nobody agreed that a program of theirs says anything.
        report = {"outcome": "proved", "control": "answered", "latency_ms": 3, "sent": 1, "age_ms": 1_000}
        problem(program.get(f"{place}/task"), 409, "not-possible-now")
        problem(program.post(f"{place}/reports", report), 409, "not-possible-now")
        program.put(place, body | {"agent": True})
        task = program.get(f"{place}/task").said
        assert (task["every_seconds"], task["claim"]["method"]) == (3600, "tls")
        assert program.post(f"{place}/reports", report).said == {"heard": True}
        assert program.post(f"{place}/reports", report | {"age_ms": 10**8}).said == {"heard": False}
        assert Report.objects.get().outcome == "proved"
        consent = queries.consent_of(entry.feed_id)
        assert consent is not None
        concluded(consent, State.IN_ORDER, Rule.REACHED, timezone.now())
        said = program.get(place).said
        assert (said["state"], said["rule"], said["spans"][-1]["state"]) == ("in_order", "reached", "in_order")
        assert program.delete(place).status_code == 204
        assert not Report.objects.exists() and program.get(place).said["agreed"] is False
        others = Program(another())
        problem(others.get(place), 404, "not-found")
