"""What a stream lists at an edition, and what became of its entries between two: read from its listings, in parts.

Nothing here holds a transaction open: rows are only ever ended, so what held at an edition can be read at any time.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection

from rahdari.proof import FeedEntry

from . import rules
from .models import Stream
from .rules import Net

# A row is live, or it ended after the edition; the second part is as long as what changed since.
_PAGE = """
SELECT listed.id, c.snapshot FROM (
    (SELECT l.id, l.change_id FROM publish_listing l
      WHERE l.stream_id = %(stream)s AND l.until_sequence IS NULL AND l.id > %(after)s AND l.from_sequence <= %(at)s
      ORDER BY l.id LIMIT %(limit)s)
    UNION ALL
    (SELECT l.id, l.change_id FROM publish_listing l
      WHERE l.stream_id = %(stream)s AND l.until_sequence > %(at)s AND l.id > %(after)s AND l.from_sequence <= %(at)s
      ORDER BY l.id LIMIT %(limit)s)
    ORDER BY id LIMIT %(limit)s
) AS listed JOIN register_change c ON c.id = listed.change_id
ORDER BY listed.id
"""

_BETWEEN = """
WITH touched AS (
    SELECT entry_id, max(change_id) AS change_id FROM publish_listing
     WHERE stream_id = %(stream)s AND from_sequence > %(start)s AND from_sequence <= %(end)s
     GROUP BY entry_id
    UNION
    SELECT entry_id, NULL FROM publish_listing
     WHERE stream_id = %(stream)s AND until_sequence > %(start)s AND until_sequence <= %(end)s
), entries AS (
    SELECT entry_id, max(change_id) AS change_id FROM touched GROUP BY entry_id
)
SELECT e.feed_id, before.snapshot, after.snapshot, between_.snapshot
  FROM entries t
  JOIN register_entry e ON e.id = t.entry_id
  LEFT JOIN LATERAL (
    SELECT c.snapshot FROM publish_listing l JOIN register_change c ON c.id = l.change_id
     WHERE l.entry_id = t.entry_id AND l.stream_id = %(stream)s AND l.from_sequence <= %(start)s
       AND (l.until_sequence IS NULL OR l.until_sequence > %(start)s)) before ON true
  LEFT JOIN LATERAL (
    SELECT c.snapshot FROM publish_listing l JOIN register_change c ON c.id = l.change_id
     WHERE l.entry_id = t.entry_id AND l.stream_id = %(stream)s AND l.from_sequence <= %(end)s
       AND (l.until_sequence IS NULL OR l.until_sequence > %(end)s)) after ON true
  LEFT JOIN register_change between_ ON between_.id = t.change_id
 ORDER BY e.feed_id
"""


def entries_at(stream: Stream, sequence: int) -> Iterator[list[FeedEntry]]:
    """All entries that the stream lists at this edition, in parts of `rules.ENTRIES_AT_A_TIME`.

    Between two parts anything may be published. The same edition gives the same entries in the same order.
    """
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                _PAGE, {"stream": stream.pk, "after": after, "at": sequence, "limit": rules.ENTRIES_AT_A_TIME}
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield [rules.entry_of(_said(snapshot)) for _, snapshot in rows]
        after = rows[-1][0]


def between(stream: Stream, start: int, end: int) -> list[tuple[str, Net]]:
    """Each entry that changed in the stream after edition `start` up to `end`, by its id, in the order of these."""
    with connection.cursor() as cursor:
        cursor.execute(_BETWEEN, {"stream": stream.pk, "start": start, "end": end})
        return [
            (feed_id, Net(_said(before), _said(after), _said(middle)))
            for feed_id, before, after, middle in cursor.fetchall()
        ]


def _said(value: Any) -> Any:
    # A raw cursor gives jsonb as its text.
    return json.loads(value) if isinstance(value, str) else value
