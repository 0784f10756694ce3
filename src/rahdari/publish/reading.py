"""What a stream lists at an edition, and what became of its entries between two: read from its listings, in parts.

Nothing here holds a transaction open: rows are only ever ended, so what held at an edition can be read at any time.
"""

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db import connection

from rahdari.feed import FeedEntry

from . import rules
from .models import Stream
from .rules import Course, Net

# A row is live, or it ended after the edition; the second part is as long as what changed since. The rows of an edition
# have one entry each. They come in the order of its number, which is random and never published: in the order in which
# they were listed, those of one registration would stand together.
_PAGE = """
SELECT listed.entry_id, c.snapshot FROM (
    (SELECT l.entry_id, l.change_id FROM publish_listing l
      WHERE l.stream_id = %(stream)s AND l.until_sequence IS NULL AND l.entry_id > %(after)s
        AND l.from_sequence <= %(at)s
      ORDER BY l.entry_id LIMIT %(limit)s)
    UNION ALL
    (SELECT l.entry_id, l.change_id FROM publish_listing l
      WHERE l.stream_id = %(stream)s AND l.until_sequence > %(at)s AND l.entry_id > %(after)s
        AND l.from_sequence <= %(at)s
      ORDER BY l.entry_id LIMIT %(limit)s)
    ORDER BY entry_id LIMIT %(limit)s
) AS listed JOIN register_change c ON c.id = listed.change_id
ORDER BY listed.entry_id
"""

# The rows that began within the span, and of those that held at the start the ones that ended within it.
_TOUCHED = """
SELECT e.feed_id, l.change_id, l.from_sequence, l.until_sequence FROM publish_listing l
  JOIN register_entry e ON e.id = l.entry_id
 WHERE l.stream_id = %(stream)s AND l.from_sequence > %(low)s AND l.from_sequence <= %(high)s
UNION ALL
SELECT e.feed_id, l.change_id, l.from_sequence, l.until_sequence FROM publish_listing l
  JOIN register_entry e ON e.id = l.entry_id
 WHERE l.stream_id = %(stream)s AND l.until_sequence > %(low)s AND l.until_sequence <= %(high)s
   AND l.from_sequence <= %(start)s
"""


def entries_at(stream: Stream, sequence: int) -> Iterator[list[FeedEntry]]:
    """All entries that the stream lists at this edition, in parts of `rules.ENTRIES_AT_A_TIME`.

    Between two parts anything may be published. The same edition gives the same entries in the same order.
    """
    after = uuid.UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                _PAGE, {"stream": stream.pk, "after": after, "at": sequence, "limit": rules.ENTRIES_AT_A_TIME}
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield [rules.entry_of(_plain(snapshot)) for _, snapshot in rows]
        after = rows[-1][0]


def between(
    stream: Stream, start: int, end: int, *, parts: Iterable[tuple[int, int]], meanwhile: Callable[[], None]
) -> dict[str, Course]:
    """What became of each entry that changed in the stream after edition `start` up to `end`, by the entry's id.

    It is read a span of sequences at a time, and after each `meanwhile` is called: anything may be published then.
    """
    courses: dict[str, Course] = {}
    for low, high in parts:
        with connection.cursor() as cursor:
            cursor.execute(_TOUCHED, {"stream": stream.pk, "start": start, "low": low, "high": high})
            for feed_id, change, begun, ended in cursor.fetchall():
                seen = courses.get(feed_id, Course())
                courses[feed_id] = seen.with_row(change, begun, ended, start=start, end=end)
        meanwhile()
    return courses


def nets(courses: Mapping[str, Course], *, meanwhile: Callable[[], None]) -> Iterator[Net]:
    """The courses with what the changes say, in the order of the entries' ids, read some at a time."""
    for ids in itertools.batched(sorted(courses), rules.ENTRIES_AT_A_TIME):
        said = _snapshots({change for feed_id in ids for change in courses[feed_id].told})
        for feed_id in ids:
            yield courses[feed_id].net(said)
        meanwhile()


def _snapshots(changes: Iterable[int]) -> dict[int, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, snapshot FROM register_change WHERE id = ANY(%s)", [list(changes)])
        return {number: _plain(snapshot) for number, snapshot in cursor.fetchall()}


def _plain(value: Any) -> Any:
    # A raw cursor gives jsonb as its text.
    return json.loads(value) if isinstance(value, str) else value
