"""Sessions: what was kept is found by its key alone, and a copy of the table opens none."""

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rahdari.people.sessions import SessionStore, read

pytestmark = pytest.mark.django_db


class TestStore:
    def kept(self) -> str:
        store = SessionStore()
        store["name"] = "Sample"
        store.create()
        store.save()
        return str(store.session_key)

    def test_find_what_is_kept(self) -> None:
        key = self.kept()
        store = SessionStore(key)
        assert dict(store.items()) == {"name": "Sample"}
        assert store.session_key == key

    def test_find_nothing_of_one_that_has_ended(self) -> None:
        key = self.kept()
        Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
        store = SessionStore(key)
        assert not dict(store.items())
        assert store.session_key is None

    def test_find_nothing_under_a_forged_key(self) -> None:
        self.kept()
        store = SessionStore("0" * 32)
        assert not dict(store.items())
        assert store.session_key is None

    def test_a_key_read_from_the_table_opens_nothing(self) -> None:
        self.kept()
        store = SessionStore(Session.objects.get().session_key)
        assert not dict(store.items())
        assert store.session_key is None

    def test_what_it_keeps_is_unreadable_and_stays_in_its_row(self) -> None:
        self.kept()
        mine = self.kept()
        one, other = Session.objects.order_by("pk")
        assert "Sample" not in one.session_data and read(one) == {"name": "Sample"}
        assert mine not in (one.pk, other.pk)
        one.session_data = other.session_data
        assert read(one) == {}

    def test_another_key_takes_the_place_of_the_one_before_as_it_is_written(self) -> None:
        before = self.kept()
        store = SessionStore(before)
        store.cycle_key()
        store["more"] = "kept"
        # Whoever signs in and gets an error in the place of the answer has the session of before.
        assert dict(SessionStore(before).items()) == {"name": "Sample"}
        with CaptureQueriesContext(connection) as queries:
            store.save()
        assert len(queries) == 1
        after = str(store.session_key)
        assert after != before and Session.objects.count() == 1
        assert dict(SessionStore(after).items()) == {"name": "Sample", "more": "kept"}

    def test_deletes_what_it_kept(self) -> None:
        SessionStore(self.kept()).delete()
        assert not Session.objects.exists()


def test_a_cookie_with_a_nul_in_it_is_nobodys() -> None:
    """Within quotes a cookie may name any octet; PostgreSQL takes this one in no text."""
    name = settings.SESSION_COOKIE_NAME
    answer = Client().get(reverse("portal:home"), headers={"cookie": f'{name}="aaaaaaaa\\000aaaaaaaa"'})
    assert answer.status_code == 302
