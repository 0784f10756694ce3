"""What is answered to whoever may ask: JSON for one address, JSON or lines for many. Pure."""

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress, repeat
from socket import AF_INET, AF_INET6, inet_pton
from struct import unpack
from typing import Any

from .query import NotAnAddress, Query, understand
from .records import ID_END, NOT_AFTER, NOT_BEFORE, fields, line_of
from .views import Moment, View, entry_record

# So many are looked up while the index is held still, and then others have their turn: less than a millisecond.
AT_ONCE = 500
# Nearly all answers: one entry, which has not ended.
_ONE = b'{"address":"%b","entries":[%b,"kept_stale":false%b],"registered":true}'
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")

# Of a text: one record, or several; None for nothing in force, or why it was not understood.
type Result = bytes | list[bytes] | NotAnAddress | None


def one(text: str, records: Sequence[bytes], at: Moment) -> bytes:
    """The answer for one address or prefix, of which something was found."""
    if len(records) == 1 and records[0][NOT_AFTER] > at.now:
        [record] = records
        return _ONE % (text.encode("ascii"), record[:ID_END], record[ID_END:])
    entries = b",".join([entry_record(record, at) for record in records])
    return b'{"address":"%b","entries":[%b],"registered":true}' % (text.encode("ascii"), entries)


class NotUnderstood(ValueError):
    """The body is no list of addresses."""


class TooMany(ValueError):
    """It has more addresses than are answered at once."""


def texts_of_json(body: bytes, most: int) -> list[Any]:
    """Raises NotUnderstood, TooMany."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise NotUnderstood from None
    if not isinstance(value, list):
        raise NotUnderstood
    if len(value) > most:
        raise TooMany
    return value


def lines_of(body: bytes, most: int) -> list[bytes]:
    """Without their ends, which may be those of other systems. Raises TooMany."""
    lines = body.split(b"\n", most + 1)
    if not lines[-1]:
        lines.pop()
    if len(lines) > most:
        raise TooMany
    return [line.removesuffix(b"\r") for line in lines] if b"\r" in body else lines


def texts_of_lines(lines: Sequence[bytes]) -> list[str]:
    """What is no UTF-8 makes a text that is no address."""
    return b"\n".join(lines).decode("utf-8", "surrogateescape").split("\n") if lines else []


def numbers_of(texts: Sequence[Any]) -> tuple[int, Sequence[int]] | None:
    """Family and numbers when all are single addresses of one family: nearly always, and ten times as quick."""
    try:
        if ":" in texts[0]:
            halves = unpack(f">{2 * len(texts)}Q", b"".join(map(inet_pton, repeat(AF_INET6), texts)))
            numbers = [high << 64 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]
            return None if any(number >> 32 == 0xFFFF for number in numbers) else (6, numbers)
        return 4, unpack(f">{len(texts)}I", b"".join(map(inet_pton, repeat(AF_INET), texts)))
    except (OSError, ValueError, TypeError):
        return None


def found(view: View, texts: Sequence[Any], at: Moment) -> list[Result]:
    """For each text, what is on the longest prefix that covers it."""
    quick = numbers_of(texts)
    if quick is None:
        return [_found(view, text, at) for text in texts]
    (version, numbers), (now, after) = quick, at
    bits = 32 if version == 4 else 128
    results: list[Result] = [None] * len(texts)
    # Those of which nothing was found yet: what a probe has, in force or not, is looked at alone, and seldom again.
    places: Sequence[int] = range(len(texts))
    left, missed = numbers, None
    for band in view.bands(version):
        near, places_near = left, places = _where(missed, left, places) if missed is not None else (left, places)
        missed = None
        if not left:
            break
        if band.near:
            keys = [number >> band.shift for number in left]
            marks: list[object] = list(map(band.near[0], keys))
            for get_near in band.near[1:]:
                marks = [mark or get_near(key) for mark, key in zip(marks, keys, strict=True)]
            if not any(marks):
                continue
            near, places_near = _where(marks, left, places)
        for shift, get, last in band.probes:
            if missed is not None:
                near, places_near = left, places = _where(missed, left, places)
                missed = None
            hits = list(map(get, [number >> shift for number in near] if shift else near))
            there = list(filter(None, hits))
            if not there:
                continue
            for place, number, hit in zip(compress(places_near, hits), compress(near, hits), there, strict=True):
                if results[place] is not None:
                    continue
                if type(hit) is bytes and last and hit[NOT_BEFORE] <= now and hit[NOT_AFTER] > after:
                    results[place] = hit
                else:
                    results[place] = view.covering(Query(version, number, bits), at) or None
            # Put off until there is another probe: nearly always there is none.
            missed = None if band.near else [hit is None for hit in hits]
    return results


def _where(marks: Sequence[object], numbers: Sequence[int], places: Sequence[int]) -> tuple[list[int], list[int]]:
    return list(compress(numbers, marks)), list(compress(places, marks))


def _found(view: View, text: object, at: Moment) -> Result:
    try:
        asked = understand(text if isinstance(text, str) else "?")
    except NotAnAddress as error:
        return error
    return view.covering(asked, at) or None


def as_json(results: Sequence[Result], at: Moment) -> bytes:
    """For each an array of entries, empty for none; an object with `error` for what was not understood."""
    if at.stale:
        return b",".join([_json_of(result, at) if result is not None else b"[]" for result in results])
    # While the feed is fresh, what counts has not ended.
    return b",".join(
        [
            b"[]"
            if result is None
            else b'[%b,"kept_stale":false%b]' % (result[:ID_END], result[ID_END:])
            if type(result) is bytes
            else _json_of(result, at)
            for result in results
        ]
    )


def _json_of(result: Result, at: Moment) -> bytes:
    if isinstance(result, bytes):
        return b"[%b]" % entry_record(result, at)
    if isinstance(result, list):
        return b"[%b]" % b",".join([entry_record(record, at) for record in result])
    assert result is not None  # noqa: S101
    return b'{"error":"%b"}' % result.fault.encode("ascii")


def as_lines(lines: Sequence[bytes], results: Sequence[Result], at: Moment) -> bytes:
    """The line as it came, a tab, and: `-` for nothing; `!` and why it was not understood; or each entry, with tabs
    between: prefix, protocol, port or `-`, until when, and `kept-stale` where it is.
    """
    if results.count(None) == len(results):
        return b"\t-\n".join(lines) + b"\t-\n"
    # While the feed is fresh, what counts has not ended.
    quick: Callable[..., bytes] = partial(_line_of, at=at) if at.stale else line_of
    return b"".join(
        [
            line + b"\t-\n"
            if result is None
            else quick(line, result)
            if type(result) is bytes
            else _line_of(line, result, at)
            for line, result in zip(lines, results, strict=True)
        ]
    )


def _line_of(line: bytes, result: Result, at: Moment) -> bytes:
    if isinstance(result, bytes):
        return b"%b\t%b\n" % (line, in_words(result, at))
    if isinstance(result, list):
        return b"%b\t%b\n" % (line, b"\t".join([in_words(record, at) for record in result]))
    assert result is not None  # noqa: S101
    # A tab or another control sign in it would make one line look like several.
    return b"%b\t!%b\n" % (_CONTROLS.sub(b" ", line), result.fault.encode("ascii"))


def in_words(record: bytes, at: Moment) -> bytes:
    """An entry as one line of plain text: prefix, protocol, port, end; with `kept-stale` after its end."""
    _, _, not_after, port, prefix, protocol = fields(record)
    kept = b"" if not_after > at.now else b" kept-stale"
    return b"%b %b %b %b%b" % (prefix, protocol, b"-" if port == b"null" else port, not_after, kept)
