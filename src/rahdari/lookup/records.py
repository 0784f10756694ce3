"""An entry as it is held: the bytes of its canonical form, as they stand in the edition.

They are what the digest is over and, but for one field put in, what an answer says, so nothing is written out for an
answer. `id`, both times and `port` stand at fixed places; an entry with fields of a later version, where they may not,
is an `Extended`, which carries the six fields of today beside the whole.
"""

import re
from operator import itemgetter
from typing import NamedTuple

from rahdari.feed import SNAPSHOT_LIMITS, FeedEntry, Malformed, TooLarge
from rahdari.feed.canonical import decode, encode_checked
from rahdari.feed.entry import FIELDS
from rahdari.feed.faults import NotCanonical

from .query import NotAnAddress, understand

ID, ID_END, NOT_AFTER, NOT_BEFORE, PORT = slice(7, 39), 40, slice(54, 74), slice(90, 110), 119
# Each protocol has three letters.
PROTOCOL, PREFIX_END, _BEFORE_PREFIX = slice(-5, -2), -19, b',"prefix":"'
_NULL = b"n"[0]
# Prefix, protocol and end, where there is no port: nearly always.
_WITHOUT_PORT = itemgetter(slice(PORT + len(b"null") + len(_BEFORE_PREFIX), PREFIX_END), PROTOCOL, NOT_AFTER)

_TIME = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_PLAIN = (
    rb'\{"id":"[0-9a-f]{32}","not_after":"' + _TIME + rb'","not_before":"' + _TIME + rb'",'
    rb'"port":(?:null|[1-9][0-9]{0,4}),"prefix":"([0-9a-f.:]+/[0-9]{1,3})","protocol":"[a-z]{3}"\}'
)
_ADD = re.compile(rb'\{"entry":(' + _PLAIN + rb'),"op":"add"\}')
_WHOLE = re.compile(_PLAIN)


class Extended(bytes):
    """An entry with fields that are not known here. `plain` is the same without them."""

    plain: bytes


class Place(NamedTuple):
    """Where an entry stands in an index."""

    version: int
    length: int
    key: int


class Fields(NamedTuple):
    """An entry in texts. `port` is "null" where there is none."""

    id: bytes
    not_before: bytes
    not_after: bytes
    port: bytes
    prefix: bytes
    protocol: bytes


def added(line: bytes) -> tuple[bytes, str]:
    """The entry of an `add` line of an edition, and its prefix. Raises FeedFault (Malformed, TooLarge)."""
    if form := _ADD.fullmatch(line):
        return form[1], form[2].decode("ascii")
    if len(line) > SNAPSHOT_LIMITS.line:
        raise TooLarge("line", SNAPSHOT_LIMITS.line)
    try:
        value = decode(line)
        if not isinstance(value, dict) or value.get("op") != "add":
            raise Malformed("a snapshot has `add` lines only")
        entry = FeedEntry.from_json(value.get("entry"))
    except NotCanonical as error:
        raise Malformed(error.why) from None
    return record_of(entry.canonical), entry.prefix


def record_of(canonical: bytes) -> bytes:
    """What is held of an entry, from its canonical form, which has been checked."""
    if _WHOLE.fullmatch(canonical):
        return canonical
    value = decode(canonical)
    extended = Extended(canonical)
    extended.plain = encode_checked({name: value[name] for name in FIELDS})
    return extended


def plain(record: bytes) -> bytes:
    return record.plain if isinstance(record, Extended) else record


def fields(record: bytes) -> Fields:
    """Of a plain record."""
    port_end = record.index(_BEFORE_PREFIX, PORT)
    return Fields(
        record[ID],
        record[NOT_BEFORE],
        record[NOT_AFTER],
        record[PORT:port_end],
        record[port_end + len(_BEFORE_PREFIX) : PREFIX_END],
        record[PROTOCOL],
    )


def line_of(text: bytes, record: bytes) -> bytes:
    """A text, a tab, and what an answer in lines says of a plain record that has not ended: all in one go, as bulk
    answers are made of this.
    """
    if record[PORT] == _NULL:
        return b"%b\t%b %b - %b\n" % (text, *_WITHOUT_PORT(record))
    port_end = record.index(_BEFORE_PREFIX, PORT)
    prefix = record[port_end + len(_BEFORE_PREFIX) : PREFIX_END]
    return b"%b\t%b %b %b %b\n" % (text, prefix, record[PROTOCOL], record[PORT:port_end], record[NOT_AFTER])


def prefix_of(record: bytes) -> str:
    return fields(plain(record)).prefix.decode("ascii")


def place_of(prefix: str) -> Place:
    """Raises Malformed."""
    try:
        asked = understand(prefix)
    except NotAnAddress as error:
        raise Malformed(f"the prefix of an entry is not acceptable ({error.fault})") from None
    return Place(asked.version, asked.length, asked.number >> ((32 if asked.version == 4 else 128) - asked.length))
