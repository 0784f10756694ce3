"""What a proxy hears of a web process that it may choose."""

from collections.abc import Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import InterfaceError, OperationalError, connection

from rahdari.db import connections
from rahdari.web import health
from rahdari.wsgi import application

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own connection, which is in a transaction."""
    for module in (health, connections):
        monkeypatch.setattr(module, "close_old_connections", lambda: None)


def ask(path: str = "/healthz") -> tuple[str, bytes]:
    environ: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    said: list[str] = []
    content: Iterable[bytes] = application(environ, lambda status, headers, *_: said.append(status))
    return said[0], b"".join(content)


def test_is_well_while_the_database_answers_and_asks_it_once() -> None:
    asked: list[str] = []

    def hear(execute: Any, sql: str, *more: Any) -> Any:
        asked.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(hear):
        assert ask() == ("200 OK", b"ready\n")
    assert asked == ["SELECT 1"]


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError])
def test_is_not_while_the_database_is_away(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise fault("the server closed the connection")

    monkeypatch.setattr(connection, "cursor", away)
    status, content = ask()
    assert (status, content) == ("503 Service Unavailable", b"the database does not answer\n")


def test_is_that_path_alone() -> None:
    assert ask("/healthz/")[0].startswith("404")
