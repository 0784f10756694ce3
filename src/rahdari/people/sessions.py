"""Sessions as Django keeps them in the database. Each request reads one, so it is read in the shortest way."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        if self.session_key is None or "\0" in self.session_key:
            # A cookie within quotes may name any octet, and PostgreSQL takes this one in no text.
            self._session_key = None
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT session_data, expire_date FROM django_session WHERE session_key = %s AND expire_date > %s",
                [self.session_key, timezone.now()],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return None
        return Session(session_key=self.session_key, session_data=row[0], expire_date=row[1])
