"""Which comments are nearly the same: what a campaign or a machine sends with a word changed here and there. Pure.

The measure is one that anybody can do by hand: of all runs of three words that one text or the other has, the share
that both have (Jaccard's). From half on they are alike. What makes no difference to a word: `rules.folded`.

Nobody compares a comment with all others. Each text has 16 marks, made of the least of many orders of its runs
(MinHash, Broder 1997): two texts that share half of their runs have a mark in common 99 times of 100, and those that
share more, more often. Nothing is drawn by chance: the same text has the same marks on every machine, for good. Texts
that have a mark in common and are not alike by the measure are told apart by it, so a mark alone groups nobody.
"""

import hashlib
from functools import cache

from .rules import folded

RUN = 3  # words
FEWEST_WORDS = 8  # a shorter text is the same or is not: a word more or less is much of it
ALIKE = 0.5
MARKS, LEASTS = 16, 2  # so many marks, each of so many least values
_PRIME = 2**61 - 1


def _number(of: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(of, digest_size=7).digest())


@cache
def _orders() -> list[tuple[int, int]]:
    """A factor and a summand each: how one order of all runs differs from the next."""
    return [(_number(b"factor %d" % place) + 1, _number(b"summand %d" % place)) for place in range(MARKS * LEASTS)]


def runs(words: str) -> frozenset[str]:
    """The runs of three words of a text; none of one that is too short to be like another."""
    found = folded(words)
    if len(found) < FEWEST_WORDS:
        return frozenset()
    return frozenset(" ".join(found[place : place + RUN]) for place in range(len(found) - RUN + 1))


def share(one: frozenset[str], other: frozenset[str]) -> float:
    """Of the runs of either the share that both have: 0 to 1."""
    return len(one & other) / len(one | other) if one and other else 0.0


def marks(of: frozenset[str]) -> list[int]:
    """Sixteen whole numbers, each of 63 bits; none where there are no runs."""
    if not of:
        return []
    numbers = [_number(run.encode()) for run in of]
    leasts = [min((factor * each + summand) % _PRIME for each in numbers) for factor, summand in _orders()]
    found = []
    for place in range(MARKS):
        several = leasts[place * LEASTS : (place + 1) * LEASTS]
        found.append(_number(repr((place, several)).encode()))
    return found
