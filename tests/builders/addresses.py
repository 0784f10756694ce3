"""Sample addresses for whoever minds only that nobody else has theirs.

A test gets the same ones in whatever process and after whatever other tests it runs: those that follow
what the fixtures of its module took. So they never meet, by chance, the ones that it writes itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

KNOWN, UNKNOWN = "203.0.113.", "198.51.100."
# Between those that tests write themselves.
FIRST, HOSTS = 150, 250
_given = 0


def an_address(*, known: bool = True) -> str:
    """Of 203.0.113.0/24, which the tests' directory knows, or of 198.51.100.0/24, which it does not know."""
    global _given
    last = (FIRST + _given - 1) % HOSTS + 1
    _given += 1
    return f"{KNOWN if known else UNKNOWN}{last}"


@contextmanager
def given_back() -> Iterator[None]:
    """What is taken meanwhile is free afterwards, as the rows that have it go."""
    global _given
    before = _given
    try:
        yield
    finally:
        _given = before
