"""An operator that is stopped: what it had besides the feed."""

import pytest
from django.test import Client
from django.utils import timezone

from rahdari.confirm import callbacks, interface, queries
from rahdari.confirm import tokens as confirm_tokens
from rahdari.journal.models import JournalEntry
from rahdari.people import queries as people
from rahdari.publish import actions as publish
from rahdari.publish import queries as publish_queries
from tests.builders.publishing import an_operator
from tests.builders.subscribers import OPERATOR, OTHER, a_desk, a_question

pytestmark = pytest.mark.django_db


def key(operator: str) -> str:
    return confirm_tokens.make_token(
        operator=operator, name="system", sandbox=False, by="person:1", now=timezone.now()
    )[1]


def status(token: str, path: str = "/op/v1/checks") -> int:
    return Client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def stop(slug: str) -> None:
    operator = publish_queries.operator_by_slug(slug)
    assert operator is not None
    publish.stop_operator(operator=operator, actor="officer:1", now=timezone.now())


class TestKeysThatNobodyHas:
    def test_are_limited_for_a_household(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(interface, "UNKNOWN_RATE", 3)
        monkeypatch.setattr(interface, "PER", 86_400)  # none comes back while the test runs
        asked = [
            Client().get(
                "/op/v1/checks", headers={"Authorization": "Bearer wrong"}, REMOTE_ADDR=f"2001:db8:0:9::{number:x}"
            )
            for number in range(4)
        ]
        assert [each.status_code for each in asked] == [401] * 3 + [429]
        assert int(asked[-1].headers["Retry-After"]) >= 1
        assert status(key(OPERATOR)) == 200


class TestStop:
    def test_ends_its_keys_its_callback_and_its_desk_and_nobody_elses(self) -> None:
        an_operator(OPERATOR)
        an_operator(OTHER, asns=(64502,))
        desks = {slug: a_desk(slug) for slug in (OPERATOR, OTHER)}
        tokens = {slug: key(slug) for slug in (OPERATOR, OTHER)}
        for slug in (OPERATOR, OTHER):
            callbacks.register_callback(
                operator=slug, url=f"https://{slug}.example/told", by="person:1", now=timezone.now()
            )
        question = a_question(OPERATOR)
        assert status(tokens[OPERATOR]) == 200

        stop(OPERATOR)

        assert status(tokens[OPERATOR]) == status(tokens[OPERATOR], "/op/v1/lines") == 401
        assert queries.callback_of(operator=OPERATOR) is None
        assert people.operator_of(desks[OPERATOR]) is None
        page = Client()
        page.force_login(desks[OPERATOR])
        assert page.get("/operator/").status_code in {302, 403, 404}
        # Nobody's, and not lost: an officer sees that it is late.
        question.refresh_from_db()
        assert question.is_waiting

        assert status(tokens[OTHER]) == 200
        assert queries.callback_of(operator=OTHER) is not None
        assert people.operator_of(desks[OTHER]) == OTHER

    def test_twice_changes_nothing_and_ends_what_an_earlier_release_left(self) -> None:
        an_operator(OPERATOR)
        stop(OPERATOR)
        token = key(OPERATOR)  # as if it had been left
        stop(OPERATOR)
        assert status(token) == 401
        rows = JournalEntry.objects.count()
        stop(OPERATOR)
        assert JournalEntry.objects.count() == rows
