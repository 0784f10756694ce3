"""`GET /healthz`: whether this process and its database answer. Open to all; a proxy asks it to choose among servers.

It stands before Django's pages, as reports of routers do: no session, no language, one query.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections, connection, reset_queries

from rahdari.db import connections

PATH = "/healthz"


class Health:
    """Answers that path itself and leaves every other to the application behind it."""

    def __init__(self, behind: Callable[..., Iterable[bytes]]) -> None:
        self.behind = behind

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self.behind(environ, start)
        connections.begin()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            status, body = "200 OK", b"ready\n"
        except (OperationalError, InterfaceError):
            status, body = "503 Service Unavailable", b"the database does not answer\n"
        finally:
            close_old_connections()
            reset_queries()
        start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
        return [body]
