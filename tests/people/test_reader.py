"""Who is signed in comes with all that each page asks about them, in one statement; and nothing of it is believed too
long."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.people import actions, queries
from rahdari.people.models import Role
from rahdari.people.reader import ReaderBackend
from rahdari.people.rules import Act
from tests.builders import story

pytestmark = pytest.mark.django_db


def test_one_statement_says_it_all(django_assert_num_queries: Any) -> None:
    user = story.a_person()
    # Its letter says that it was sent.
    story.send(story.a_full_draft(user))
    actions.register_organisation(
        owner=user, name="Sample House", company_number="0000482", ntn="", actor="system:test", now=timezone.now()
    )
    with django_assert_num_queries(1):
        found: Any = ReaderBackend().get_user(user.pk)
        assert (found.any_post, found.any_membership, found.any_mandate) == (False, True, False)
        assert found.unread_letters == 1


def test_nobody_is_signed_in_whose_account_is_closed() -> None:
    user = story.a_person()
    user.is_active = False
    user.save()
    assert ReaderBackend().get_user(user.pk) is None


def test_a_post_that_is_given_meanwhile_is_known_at_once() -> None:
    user = story.a_person()
    reader = ReaderBackend().get_user(user.pk)
    assert reader is not None
    with queries.looking_up_posts_once():
        assert not queries.holds_post(reader)
        actions.appoint(user=user, role=Role.OFFICER, actor="system:test", now=timezone.now())
        assert queries.is_officer(reader)


def test_what_is_joined_or_given_meanwhile_is_known_at_once() -> None:
    """Also in the request that does it: only while a page is read nothing can have changed."""
    user = story.a_person()
    reader = ReaderBackend().get_user(user.pk)
    assert reader is not None
    facts: Any = {"actor": "system:test", "now": timezone.now()}
    with queries.looking_up_posts_once():
        assert not queries.organisations_of(reader).exists()
        house = actions.register_organisation(owner=user, name="House", company_number="0000482", ntn="", **facts)
        assert list(queries.organisations_of(reader)) == [house]
        assert queries.may(reader, Act.APPLY, organisation=house)


def test_nothing_is_asked_of_who_has_none(django_assert_num_queries: Any) -> None:
    reader = ReaderBackend().get_user(story.a_person().pk)
    assert reader is not None
    with queries.looking_up_posts_once(only_read=True), django_assert_num_queries(0):
        assert queries.holders_for(reader, Act.SEE) == [reader.holder_ref]
        assert not queries.mandates_in_force(reader, Act.APPLY).exists()
        assert not queries.holds_post(reader)


def test_a_session_from_before_stays_signed_in() -> None:
    browser = Client()
    browser.force_login(story.a_person(), backend=settings.AUTHENTICATION_BACKENDS[1])
    page = browser.get(reverse("portal:home"))
    assert page.status_code == 200 and reverse("portal:letters") in page.text
