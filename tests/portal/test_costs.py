"""What the pages of one application ask of the database: a last day before a deadline is made of them.

The numbers are what they need today, with a little room; whoever needs more says so here.
"""

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
    # Session, person, application, posts, unread letters, organisations: the six that every page asks.
    open("apply:person", 6)
    open("apply:contact", 6)
    # What was refused before, and why, stands on it.
    open("portal:tasks", 10)
    open("apply:addresses", 10)
    open("portal:prove", 25, more=(endpoint.pk,))
    story.prove(endpoint)
    open("portal:tasks", 10)
    open("portal:check", 14)
    sending.submit_application(
        application=story.fresh(draft),
        policy=story.policy.current(settings.POLICY_FILE),
        actor=story.actor_of(applicant),
        now=timezone.now(),
    )
    open("portal:status", 16)
    workflow.advance(now=timezone.now())
    open("portal:status", 25)
