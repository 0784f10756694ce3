"""Where the words that a comment is about stand in the next version: kept, moved, or nowhere. Pure.

A comment quotes: its clause, the words themselves, and what stands before and after them, as the TextQuoteSelector of
the W3C has it (Web Annotation Data Model, 4.2.4). Invariant: an anchor is never attached to other words. So nothing
here is compared by likeness, and what is not sure is an orphan, of which the author is told:

- the words that an anchor is found at are the words that were quoted, character by character, and whole words: "8
  hours" does not stand in "18 hours";
- few words by themselves say little: found in the same clause they need one neighbour that is as it was, in another one
  both;
- a clause that says what it said takes each comment along, whatever other clauses say now, and also under another id,
  where no other clause said or says the same;
- words that stood, or stand, in several places are told apart by all that stood before and after them. One side alone
  is no sign: take "B; C is late; D" out of "A is late; B; C is late; D", and the second "is late" has the first one's
  neighbour.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

# Characters of what stands before and after the words: about five words on each side.
AROUND = 32
# From so many words on they say by themselves what was meant.
TELLING = 4


class Fate(StrEnum):
    KEPT = "kept"  # the same words in the same clause
    CHANGED = "changed"  # said of a clause as such, which is there, in other words
    MOVED = "moved"  # the same words in another clause
    ORPHANED = "orphaned"  # attached to nothing, and in no later version again


@dataclass(frozen=True, slots=True)
class Quote:
    """The words `exact` of the clause `clause`, between `prefix` and `suffix`. Both are shorter than AROUND where the
    clause begins or ends."""

    clause: str
    exact: str
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where words stand: from this character of this clause on."""

    clause: str
    start: int


@dataclass(frozen=True, slots=True)
class Anchored:
    """What became of a quote, and the quote as it is to be looked for from now on. None: nowhere."""

    fate: Fate
    quote: Quote | None = None
    place: Place | None = None


def quote_at(texts: Mapping[str, str], place: Place, length: int) -> Quote:
    """The quote of so many characters from there on."""
    text, end = texts[place.clause], place.start + length
    before = text[max(0, place.start - AROUND) : place.start]
    return Quote(place.clause, text[place.start : end], before, text[end : end + AROUND])


def places_of(texts: Mapping[str, str], words: str) -> list[Place]:
    """Each place where the words stand, also those that overlap."""
    return list(_places(texts, words)) if words else []


def _places(texts: Mapping[str, str], words: str) -> Iterator[Place]:
    for clause, text in texts.items():
        start = text.find(words)
        while start >= 0:
            if not _cuts_a_word(text, start) and not _cuts_a_word(text, start + len(words)):
                yield Place(clause, start)
            start = text.find(words, start + 1)


def _cuts_a_word(text: str, at: int) -> bool:
    """Whether what stands before and after this place is one word."""
    return 0 < at < len(text) and _is_of_a_word(text[at - 1]) and _is_of_a_word(text[at])


def _is_of_a_word(sign: str) -> bool:
    """A letter, a digit, or a mark on one, as Urdu has them."""
    return sign.isalnum() or unicodedata.category(sign).startswith("M")


def follow(quote: Quote, before: Mapping[str, str], after: Mapping[str, str]) -> Anchored:
    """What becomes of the quote, whose words stand in `before`, in `after`: texts of clauses by their ids."""
    length = len(quote.exact)
    if (home := _same_clause(quote.clause, before, after)) is not None:
        here = {home: after[home]}
        were = [each for each in places_of(here, quote.exact) if _is_like(quote_at(here, each, length), quote)]
        if len(were) == 1:
            return _at(were[0], quote, after)
    stood, stand = places_of(before, quote.exact), places_of(after, quote.exact)
    if not stand:
        return Anchored(Fate.ORPHANED)
    if len(stood) == 1 and len(stand) == 1 and _is_enough(quote, quote_at(after, stand[0], length)):
        return _at(stand[0], quote, after)
    # The same neighbours on both sides, as long as ever: and of such places one alone, before and after.
    like = [place for place in stand if _is_like(quote_at(after, place, length), quote)]
    were = [place for place in stood if _is_like(quote_at(before, place, length), quote)]
    at_home = [place for place in like if place.clause == quote.clause]
    if len([place for place in were if place.clause == quote.clause]) == 1 and len(at_home) == 1:
        return _at(at_home[0], quote, after)
    # In another clause only what has neighbours: whole clauses alike say nothing of which was meant.
    if len(were) == 1 and len(like) == 1 and quote.prefix and quote.suffix:
        return _at(like[0], quote, after)
    return Anchored(Fate.ORPHANED)


def _same_clause(clause: str, before: Mapping[str, str], after: Mapping[str, str]) -> str | None:
    """The clause of `after` that says what this one said: the same one, or the only one, as it was."""
    said = before.get(clause, "")
    if after.get(clause) == said:
        return clause
    stood, stand = ([each for each, text in texts.items() if text == said] for texts in (before, after))
    is_sure = len(stood) == len(stand) == 1 and len(said.split()) >= TELLING
    return stand[0] if is_sure else None


def _is_enough(quote: Quote, found: Quote) -> bool:
    """Whether the only words like these are meant: many words are, few where a neighbour says so."""
    if len(quote.exact.split()) >= TELLING:
        return True
    before = quote.prefix.split()[-1:] == found.prefix.split()[-1:]
    after = quote.suffix.split()[:1] == found.suffix.split()[:1]
    return before or after if found.clause == quote.clause else before and after and bool(quote.prefix + quote.suffix)


def _is_like(found: Quote, quote: Quote) -> bool:
    return (found.prefix, found.exact, found.suffix) == (quote.prefix, quote.exact, quote.suffix)


def _at(place: Place, quote: Quote, texts: Mapping[str, str]) -> Anchored:
    fate = Fate.KEPT if place.clause == quote.clause else Fate.MOVED
    return Anchored(fate, quote_at(texts, place, len(quote.exact)), place)
