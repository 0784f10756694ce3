"""Sessions in Django's table, of no use to whoever reads it.

Invariants: the column `session_key` holds a keyed hash of what the browser sends, never that itself; what the session
keeps is encrypted, and bound to that row. So a copy of the database opens no session, and names nobody who has one.
"""

from typing import Any, cast

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, UpdateError
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django.utils.crypto import get_random_string

from rahdari.vault import cipher, index

INSERT = """INSERT INTO django_session (session_data, expire_date, session_key) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING"""
# In the place of another, whose key was known before somebody signed in.
REPLACE = """WITH gone AS (DELETE FROM django_session WHERE session_key = %s)
INSERT INTO django_session (session_data, expire_date, session_key) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"""
UPDATE = "UPDATE django_session SET session_data = %s, expire_date = %s WHERE session_key = %s"
# The column takes 40 signs: 160 bits of the hash.
LENGTH = 40


def row_of(session_key: str) -> str:
    """What the table has in the place of the key that the browser sends."""
    return index.blind("people.session", session_key)[:LENGTH]


def read(row: Session) -> dict[str, Any]:
    """What a row keeps. Empty where it was written with a key that is gone, or stood in another row."""
    try:
        written = cipher.unseal("fields", bytes.fromhex(row.session_data), where=f"session:{row.session_key}")
    except (cipher.CannotDecrypt, ValueError):
        return {}
    kept: dict[str, Any] = SessionStore().decode(written.decode())
    return kept


class SessionStore(db.SessionStore):
    # The row that goes as this one is written.
    _replaces: str | None = None

    def cycle_key(self) -> None:
        """Another key, and another row, with the answer: until then the one before stays, and is written no more."""
        self._get_session()  # type: ignore[attr-defined]
        self._replaces = self._replaces or self._session_key
        self._session_key = None
        self.modified = True

    def _get_session_from_db(self) -> Session | None:
        if self.session_key is None or "\0" in self.session_key:
            # A cookie within quotes may name any octet, and PostgreSQL takes this one in no text.
            self._session_key = None
            return None
        # Each request reads one, so it is read in the shortest way.
        at = row_of(self.session_key)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT session_data, expire_date FROM django_session WHERE session_key = %s AND expire_date > %s",
                [at, timezone.now()],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return None
        return Session(session_key=at, session_data=row[0], expire_date=row[1])

    def load(self) -> dict[str, Any]:
        row = self._get_session_from_db()
        return {} if row is None else read(row)

    def exists(self, session_key: str) -> bool:
        return super().exists(row_of(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        row.session_key = row_of(row.session_key)
        sealed = cipher.seal("fields", row.session_data.encode(), where=f"session:{row.session_key}")
        row.session_data = sealed.hex()
        return row

    def save(self, must_create: bool = False) -> None:
        """One statement, which needs no transaction of its own."""
        if self.session_key is None:
            self.create()
            return
        row = self.create_model_instance(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        values: list[Any] = [row.session_data, row.expire_date, row.session_key]
        with connection.cursor() as cursor:
            if must_create and self._replaces is not None:
                cursor.execute(REPLACE, [row_of(self._replaces), *values])
            else:
                cursor.execute(INSERT if must_create else UPDATE, values)
            if cursor.rowcount == 0:
                raise CreateError if must_create else UpdateError
        self._replaces = None

    def _get_new_session_key(self) -> str:
        """Whether somebody has it is found out as it is written."""
        return get_random_string(32, VALID_KEY_CHARS)

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM django_session WHERE session_key = %s", [row_of(key)])
