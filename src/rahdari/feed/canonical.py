"""One form for each value: JSON as RFC 8785 (JCS) has it, for the values that the feed uses.

Allowed are objects with names of small ASCII letters, digits and underscores, arrays, strings, whole numbers up to
2^53 - 1 either way, true, false and null; nested at most 8 deep. No fractions: that leaves out all of RFC 8785 that is
hard. Names are sorted, nothing is spaced, strings hold characters and not escapes wherever JSON allows it.

`decode` accepts the canonical form alone, so that no two readers can see two things in one line: double names, spaces,
other orders and needless escapes are refused.
"""

import json
import re
from typing import Any

from .faults import NotCanonical

LARGEST_NUMBER = 2**53 - 1
DEEPEST = 8
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def encode(value: Any) -> bytes:
    """The canonical bytes of a value. Raises NotCanonical."""
    check(value)
    return encode_checked(value)


def encode_checked(value: Any) -> bytes:
    """`encode` for a value that is known to be allowed: names and numbers are not looked at again.
    Raises NotCanonical for what JSON or UTF-8 cannot hold.
    """
    try:
        return _encoder.encode(value).encode()
    except (UnicodeEncodeError, ValueError, TypeError, RecursionError) as error:
        raise NotCanonical(f"not allowed: {error}") from None


def parse(text: bytes) -> Any:
    """The value of a JSON text, not yet held against the canonical form. Raises NotCanonical."""
    try:
        return json.loads(text.decode())
    except UnicodeDecodeError:
        raise NotCanonical("not UTF-8") from None
    except RecursionError:
        raise NotCanonical("nested too deep") from None
    except ValueError as error:
        raise NotCanonical(f"not JSON: {error}") from None


def decode(text: bytes) -> Any:
    """The value of a canonical text. Raises NotCanonical."""
    value = parse(text)
    if encode(value) != text:
        raise NotCanonical("not in the canonical form")
    return value


def check(value: Any, depth: int = 0) -> None:
    """Raises NotCanonical unless the value is of the kinds that are allowed."""
    # `bool` is an `int` too, and within bounds.
    if value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            raise NotCanonical("a number beyond 2^53 - 1")
        return
    if depth == DEEPEST:
        raise NotCanonical("nested too deep")
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise NotCanonical(f"a name that is not allowed: {str(name)[:40]!r}")
            check(inner, depth + 1)
        return
    if isinstance(value, list | tuple):
        for inner in value:
            check(inner, depth + 1)
        return
    raise NotCanonical(f"a value of type {type(value).__name__}")
