"""What is answered to whoever may ask: JSON for one address, JSON or lines for many. Pure."""

import json
from collections.abc import Iterator, Sequence
from itertools import repeat
from socket import AF_INET, AF_INET6, inet_pton
from struct import unpack
from typing import Any

from .asking import Asked, NotAnAddress, understand
from .records import fields
from .views import Moment, View, shown

# So many are looked up while the index is held still, and then others have their turn: less than a millisecond.
AT_ONCE = 500
_WITH_COLON = ":"


def one(text: str, records: Sequence[bytes], at: Moment) -> bytes:
    """The answer for one address or prefix, of which something was found."""
    entries = b",".join([shown(record, at) for record in records])
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


def texts_of_lines(body: bytes, most: int) -> list[str]:
    """Raises TooMany. What is no UTF-8 is given back as it came."""
    if body.count(b"\n") > most:
        raise TooMany
    lines = body.decode("utf-8", "surrogateescape").split("\n")
    if not lines[-1]:
        lines.pop()
    if "\r" in body.decode("latin-1"):
        lines = [line.removesuffix("\r") for line in lines]
    if len(lines) > most:
        raise TooMany
    return lines


def parts(texts: list[Any]) -> Iterator[list[Any]]:
    return (texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE))


def numbers_of(texts: Sequence[Any]) -> tuple[int, Sequence[int]] | None:
    """Family and numbers when all are single addresses of one family: nearly always, and ten times as quick."""
    try:
        if _WITH_COLON in texts[0]:
            halves = unpack(f">{2 * len(texts)}Q", b"".join(map(inet_pton, repeat(AF_INET6), texts)))
            numbers = [high << 64 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]
            return None if any(number >> 32 == 0xFFFF for number in numbers) else (6, numbers)
        return 4, unpack(f">{len(texts)}I", b"".join(map(inet_pton, repeat(AF_INET), texts)))
    except (OSError, ValueError, TypeError):
        return None


def found(view: View, texts: list[Any], at: Moment) -> list[list[bytes] | NotAnAddress | None]:
    """For each text, what is on the longest prefix; None for nothing, or why it was not understood."""
    quick = numbers_of(texts)
    if quick is None:
        return [_found(view, text, at) for text in texts]
    version, numbers = quick
    probes, bits = (view.v4, 32) if version == 4 else (view.v6, 128)
    if not probes:
        return [None] * len(texts)
    # Whatever a probe has, in force or not: few, and these are looked at one by one.
    touched: list[Any] = [None] * len(texts)
    first, *wider = probes
    hits = list(map(first.get, numbers if first.shift == 0 else [number >> first.shift for number in numbers]))
    for place, number in enumerate(numbers):
        hit: Any = hits[place]
        if hit is None:
            for shift, get, _ in wider:
                hit = get(number >> shift)
                if hit is not None:
                    break
        if hit is not None:
            touched[place] = view.covering(Asked(version, number, bits), at) or None
    return touched


def _found(view: View, text: object, at: Moment) -> list[bytes] | NotAnAddress | None:
    try:
        asked = understand(text if isinstance(text, str) else "?")
    except NotAnAddress as error:
        return error
    return view.covering(asked, at) or None


def as_json(results: Sequence[list[bytes] | NotAnAddress | None], at: Moment) -> Iterator[bytes]:
    """For each an array of entries, empty for none; an object with `error` for what was not understood."""
    for result in results:
        if result is None:
            yield b"[]"
        elif isinstance(result, NotAnAddress):
            yield b'{"error":"%b"}' % result.fault.encode("ascii")
        else:
            yield b"[%b]" % b",".join([shown(record, at) for record in result])


def as_lines(texts: Sequence[str], results: Sequence[list[bytes] | NotAnAddress | None], at: Moment) -> Iterator[str]:
    """The text as it came, a tab, and: `-` for nothing; `!` and why it was not understood; or each entry, with tabs
    between: prefix, protocol, port or `-`, until when, and `kept-stale` where it is.
    """
    for text, result in zip(texts, results, strict=True):
        if result is None:
            yield f"{text}\t-\n"
        elif isinstance(result, NotAnAddress):
            # A tab or another control sign in it would make one line look like several.
            echoed = text if text.isprintable() else "".join(max(sign, " ") for sign in text)
            yield f"{echoed}\t!{result.fault}\n"
        else:
            yield f"{text}\t" + "\t".join([in_words(record, at) for record in result]) + "\n"


def in_words(record: bytes, at: Moment) -> str:
    _, _, not_after, port, prefix, protocol = fields(record)
    kept = "" if not_after.encode("ascii") > at.now else " kept-stale"
    return f"{prefix} {protocol} {'-' if port == 'null' else port} {not_after}{kept}"
