"""A connection in use is not asked whether it serves; one that the server has ended is."""

from collections.abc import Iterator

import pytest
from django.db import connection

from rahdari.db import connections
from rahdari.ops import loops

pytestmark = pytest.mark.django_db(transaction=True)


class Time:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    time = Time()
    monkeypatch.setattr(connections, "time", time)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    # The pages of other tests have used it.
    monkeypatch.delattr(connection, "used_at", raising=False)
    connection.close()
    connection.ensure_connection()
    yield time
    connection.close()


def queries_of_a_request() -> list[str]:
    """What the server is asked, as it hears it: Django's own question does not pass by its cursors' wrappers."""
    connections.begin()
    heard: list[str] = []
    usable = connection.is_usable

    def ask() -> bool:
        heard.append("SELECT 1")
        return usable()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "is_usable", ask)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 2")
            heard.append("SELECT 2")
    return heard


def test_asks_once_and_then_trusts_what_is_in_use(time: Time) -> None:
    assert queries_of_a_request() == ["SELECT 1", "SELECT 2"]
    time.now += connections.A_MOMENT - 0.1
    assert queries_of_a_request() == ["SELECT 2"]


def test_asks_again_after_a_rest(time: Time) -> None:
    queries_of_a_request()
    time.now += connections.A_MOMENT
    assert queries_of_a_request() == ["SELECT 1", "SELECT 2"]


def test_takes_another_when_the_server_has_ended_it(time: Time) -> None:
    queries_of_a_request()
    ended = connection.connection
    with loops.listen_to("nothing", name="test") as other:
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [ended.info.backend_pid])
    assert queries_of_a_request() == ["SELECT 1", "SELECT 2"]
    assert connection.connection is not ended
