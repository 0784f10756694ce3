"""Sessions are Django's: what its own engine finds, ours finds, and nothing else."""

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.people.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("engine", [SessionStore, db.SessionStore])
class TestBoth:
    def kept(self) -> str:
        store = SessionStore()
        store["name"] = "Sample"
        store.create()
        store.save()
        return str(store.session_key)

    def test_find_what_is_kept(self, engine: type[db.SessionStore]) -> None:
        key = self.kept()
        store = engine(key)
        assert dict(store.items()) == {"name": "Sample"}
        assert store.session_key == key

    def test_find_nothing_of_one_that_has_ended(self, engine: type[db.SessionStore]) -> None:
        key = self.kept()
        Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
        store = engine(key)
        assert not dict(store.items())
        assert store.session_key is None

    def test_find_nothing_under_a_forged_key(self, engine: type[db.SessionStore]) -> None:
        self.kept()
        store = engine("0" * 32)
        assert not dict(store.items())
        assert store.session_key is None


def test_a_cookie_with_a_nul_in_it_is_nobodys() -> None:
    """Within quotes a cookie may name any octet; PostgreSQL takes this one in no text."""
    name = settings.SESSION_COOKIE_NAME
    answer = Client().get(reverse("portal:home"), headers={"cookie": f'{name}="aaaaaaaa\\000aaaaaaaa"'})
    assert answer.status_code == 302
