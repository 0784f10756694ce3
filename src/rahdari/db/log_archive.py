"""How far PostgreSQL has archived its log, where it does: what was not archived is in no backup yet."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

_STATE = """
SELECT last_archived_time, last_failed_time, coalesce(last_failed_wal, ''),
       CASE WHEN last_archived_wal ~ '^[0-9A-F]{24}' AND NOT pg_is_in_recovery() THEN
           floor(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') / bytes)
           - ('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint * (4294967296 / bytes)
           - ('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint - 1
       END
FROM pg_stat_archiver, (SELECT setting::bigint AS bytes FROM pg_settings WHERE name = 'wal_segment_size') size
WHERE current_setting('archive_mode') <> 'off'
"""


@dataclass(frozen=True)
class LogArchive:
    """`at` is when a file of the log (16 MB mostly) was archived last, None for never; `failed_at` and `failed` say
    which one could not be; `waiting` counts the finished files that are not archived."""

    at: dt.datetime | None
    failed_at: dt.datetime | None
    failed: str
    waiting: int

    @property
    def fails(self) -> bool:
        return self.failed_at is not None and (self.at is None or self.failed_at > self.at)


def log_archive() -> LogArchive | None:
    """None where the log is not archived."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        row = cursor.fetchone()
    return LogArchive(row[0], row[1], row[2], max(0, int(row[3] or 0))) if row else None
