"""What the pages of one application ask of the database: a last day before a deadline is made of them.

The numbers are what they need today, with a little room; whoever needs more says so here.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import sending
from rahdari.vault import keys
from tests.builders import story

pytestmark = pytest.mark.django_db


def test_the_pages_of_a_freelancer_ask_little(django_assert_max_num_queries: Any) -> None:
    keys.make_missing(Path(settings.DATA) / "keys")
    applicant = story.a_person()
    browser = Client()
    browser.force_login(applicant)
    draft = story.fill(story.a_draft(applicant))
    endpoint = story.add(draft)
    at = [draft.reference]

    def open(name: str, most: int, *, more: tuple[object, ...] = ()) -> None:
        with django_assert_max_num_queries(most):
            assert browser.get(reverse(name, args=[*at, *more])).status_code == 200

    # The first page notes that they are here.
    browser.get(reverse("portal:home"))
    with django_assert_max_num_queries(6):
        browser.get(reverse("portal:home"))
    # Session, the reader with what the navigation shows, application: the three that every page asks.
    open("apply:person", 3)
    open("apply:contact", 3)
    # What was refused before, and why, stands on it.
    open("portal:tasks", 6)
    open("apply:addresses", 6)
    open("portal:prove", 6, more=(endpoint.pk,))
    story.prove(endpoint)
    open("portal:tasks", 6)
    open("portal:check", 6)
    sending.submit_application(
        application=story.fresh(draft),
        policy=story.policy.current(settings.POLICY_FILE),
        actor=story.actor_of(applicant),
        now=timezone.now(),
    )
    # Once in each process the frozen rules are read, and what the office said of its days.
    open("portal:status", 8)
    open("portal:status", 6)
    # The script of the page asks for its state alone.
    status = reverse("portal:status", args=at)
    states = re.findall(r'data-follow="([^"]+)"', browser.get(status).text)
    with django_assert_max_num_queries(4):
        answer = browser.get(status, headers={"X-Rahdari-Follow": "1"}).text
    assert re.findall(r'data-follow="([^"]+)"', answer) == states and "<html" not in answer
    workflow.advance(now=timezone.now())
    open("portal:status", 6)
    with django_assert_max_num_queries(6):
        browser.get(reverse("portal:home"))
