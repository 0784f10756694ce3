"""The entries that an operator's editions list, as a pre-flight asks for them: by spans of addresses.

What is asked is in a query and nowhere else. What the streams of an operator list is the set of its editions, so an
operator never sees an entry here that its own agent does not hold.
"""

import ipaddress
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.db import connection

from rahdari.feed import ROLES
from rahdari.preflight import EVERY_SORT, Answer, Change, Held, Sorts, Spans, answer, blocks_of, condition

from .models import Edition, Operator, Session
from .streams import followed_by

# One look into the partial index over entries that have not ended for each block that is asked. Whether an entry is
# listed is a question of its own for each row: joined, the planner, which takes one address in a hundred to lie in any
# block, reads all entries and all listings instead. Those that have ended, and whose removal waits, are few, and apart.
_MEETING = """
SELECT e.feed_id, e.block::text, e.protocol, e.port,
       (SELECT true FROM publish_listing l
         WHERE l.entry_id = e.id AND l.stream_id = ANY(%(streams)s) AND l.until_sequence IS NULL LIMIT 1)
  FROM unnest(%(blocks)s::cidr[]) AS asked (block)
  JOIN register_entry e ON e.block::inet && asked.block::inet AND e.ended_at IS NULL
"""
_LEAVING = """
SELECT e.feed_id, e.block::text, e.protocol, e.port, true
  FROM publish_listing l JOIN register_entry e ON e.id = l.entry_id
 WHERE l.stream_id = ANY(%(streams)s) AND l.until_sequence IS NULL AND l.leaving <> '' AND e.ended_at IS NOT NULL
"""
_LISTED = """
  FROM publish_listing l JOIN register_entry e ON e.id = l.entry_id
 WHERE l.stream_id = ANY(%(streams)s) AND l.until_sequence IS NULL AND
"""
# Mostly the first thousands that are listed have enough of those that are asked for; else all are looked at.
_FIRST = """
  WITH l AS MATERIALIZED (
    SELECT entry_id FROM publish_listing WHERE stream_id = ANY(%(streams)s) AND until_sequence IS NULL LIMIT 2000
  )
SELECT e.feed_id, e.block::text, e.protocol, e.port, true FROM l JOIN register_entry e ON e.id = l.entry_id WHERE
"""
_ALL = """
  WITH found AS MATERIALIZED (SELECT e.feed_id, e.block::text, e.protocol, e.port, true {listed})
SELECT * FROM found LIMIT {most}
"""
# Those that a change names are passed over afterwards.
MOST_READ = 20_000


def look_ahead(*, operator: Operator, change: Change) -> Answer:
    """What a planned change would do to the entries of an operator's editions. Raises what `preflight.answer` does."""
    return answer(change, Listed(operator))


def edition_of(operator: Operator) -> int:
    """The number of the operator's last edition of fixed addresses that is published; 0 before the first."""
    stream = followed_by(operator).filter(role=ROLES[0]).first()
    found = Edition.objects.filter(stream=stream, published_at__isnull=False).order_by("-sequence").first()
    return found.sequence if found is not None else 0


class Listed:
    def __init__(self, operator: Operator) -> None:
        self.streams = list(followed_by(operator).values_list("pk", flat=True))

    def total(self) -> int:
        sizes = Session.objects.filter(stream__in=self.streams, closed_at=None).values_list("entries", flat=True)
        return sum(sizes)

    def meeting(self, spans: Mapping[int, Spans]) -> Iterator[Held]:
        blocks = [str(block) for version, each in spans.items() for span in each for block in blocks_of(version, span)]
        if blocks:
            yield from self._rows(_MEETING, blocks=blocks)
        for held in self._rows(_LEAVING):
            if any(first <= held.block[1] and held.block[0] <= last for first, last in spans[held.version]):
                yield held

    def count(self, version: int, sorts: Sorts) -> int:
        # Nearly all are of IPv4: who asks for all of these is answered by the others.
        if sorts == EVERY_SORT and version == 4:
            return self.total() - self.count(6, sorts)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) {_LISTED} {_is_one(version, sorts)}", {"streams": self.streams})
            return int(cursor.fetchone()[0])

    def some(self, version: int, sorts: Sorts) -> Generator[Held]:
        is_one = _is_one(version, sorts)
        first = self._rows(f"{_FIRST} {is_one}")
        yield from first
        known = {each.id for each in first}
        more = self._rows(_ALL.format(listed=f"{_LISTED} {is_one}", most=MOST_READ))
        yield from (each for each in more if each.id not in known)

    def _rows(self, query: str, **values: Any) -> list[Held]:
        with connection.cursor() as cursor:
            cursor.execute(query, {"streams": self.streams, **values})
            # An entry that several blocks meet is found by each.
            return [_held(*row) for row in dict.fromkeys((*row,) for *row, listed in cursor.fetchall() if listed)]


def _is_one(version: int, sorts: Sorts) -> str:
    """One expression, of which the planner guesses that it holds for every second entry: of a family alone it guesses
    one in two hundred, and asks for the listing of each by itself."""
    return f"CASE WHEN family(e.block) <> {version} THEN FALSE ELSE {condition(sorts)} END"


def _held(feed_id: str, block: str, protocol: str, port: int | None) -> Held:
    host, _, length = block.partition("/")
    with suppress(ValueError):
        # Nearly all of them, and several times as quick.
        if length == "32":
            parts = host.split(".")
            number = int(parts[0]) << 24 | int(parts[1]) << 16 | int(parts[2]) << 8 | int(parts[3])
            return Held(feed_id, 4, (number, number), protocol, port)
    network = ipaddress.ip_network(block)
    first = int(network.network_address)
    return Held(feed_id, network.version, (first, first + network.num_addresses - 1), protocol, port)
