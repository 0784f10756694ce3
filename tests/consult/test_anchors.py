"""No edit of a draft attaches a comment to other words: what was quoted is found again, or is an orphan."""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari.consult.anchors import Fate, Place, Quote, follow, places_of, quote_at
from tests.needs import fewer

BEFORE = {
    "9.1": "An application is late after 8 hours; a complaint is answered in 15 days; an appeal is late after 30 days.",
    "9.2": "A call centre answers calls for others.",
}


def quote(clause: str, words: str, occurrence: int = 0) -> Quote:
    place = [each for each in places_of(BEFORE, words) if each.clause == clause][occurrence]
    return quote_at(BEFORE, place, len(words))


class TestFollow:
    def test_keeps_words_that_stand_where_they_stood(self) -> None:
        after = BEFORE | {"9.1": "New: " + BEFORE["9.1"], "9.2": "Nothing."}
        found = follow(quote("9.1", "a complaint is answered"), BEFORE, after)
        assert found.fate == Fate.KEPT and found.quote is not None and found.quote.exact == "a complaint is answered"

    def test_follows_few_words_with_their_clause_to_another_id(self) -> None:
        """They stand twice in it, at its beginning, or at its end: by themselves they would say too little."""
        after = {"9.7": BEFORE["9.1"], "9.2": "Nothing."}
        for meant in (quote("9.1", "is late", 1), quote("9.1", "An"), quote("9.1", "days.")):
            found = follow(meant, BEFORE, after)
            assert found.place is not None and (found.fate, found.place.clause) == (Fate.MOVED, "9.7")
        twice = after | {"9.8": BEFORE["9.1"]}
        assert follow(quote("9.1", "An"), BEFORE, twice).fate == Fate.ORPHANED

    def test_follows_words_into_another_clause(self) -> None:
        after = {"9.1": "Gone.", "9.4": BEFORE["9.2"]}
        found = follow(quote("9.2", "A call centre answers calls"), BEFORE, after)
        assert (found.fate, found.place) == (Fate.MOVED, Place("9.4", 0))

    def test_takes_no_other_words_with_the_same_neighbour(self) -> None:
        """What stood between them is taken out: the second "is late" has the neighbour of the first."""
        meant = quote("9.1", "is late")
        after = BEFORE | {"9.1": "An application is late after 30 days."}
        assert follow(meant, BEFORE, after).fate == Fate.ORPHANED

    def test_tells_words_that_stand_twice_apart(self) -> None:
        meant = quote("9.1", "is late", occurrence=1)
        found = follow(meant, BEFORE, BEFORE | {"9.1": "Well: " + BEFORE["9.1"]})
        assert found.place is not None and BEFORE["9.1"][found.place.start - len("Well: ") :].startswith(
            "is late after 30"
        )

    def test_leaves_few_words_whose_neighbours_are_others(self) -> None:
        after = BEFORE | {"9.1": "Whoever pays in 15 days has a rebate."}
        assert follow(quote("9.1", "15 days"), BEFORE, after).fate == Fate.KEPT
        after = BEFORE | {"9.1": "Whoever waits 15 days may go."}
        assert follow(quote("9.1", "15 days"), BEFORE, after).fate == Fate.ORPHANED

    def test_cuts_no_word(self) -> None:
        after = BEFORE | {"9.1": "An application is late after 18 hours."}
        assert follow(quote("9.1", "8 hours"), BEFORE, after).fate == Fate.ORPHANED
        assert places_of({"1": "وقت گزرنے کے بعد"}, "وقت گزر") == []


# -- random edits --------------------------------------------------------------------------------------------------

# A word, and which one it is: a copy is another one, and is known to be.
Word = tuple[str, int]
PHRASE = ("the", "time", "is", "over")


class Desk:
    """Clauses whose words are known one by one, edited as drafts are. Truth beside the text."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.made = chance, 0
        self.clauses: dict[str, list[Word]] = {}
        for clause in ("1", "2", "3"):
            words = [self.word() for _ in range(chance.randint(6, 20))]
            # The same phrase stands in several places, as it does in rules.
            for _ in range(chance.randint(0, 3)):
                at = chance.randint(0, len(words))
                words[at:at] = [self.word(each) for each in PHRASE]
            self.clauses[clause] = words

    def word(self, text: str = "") -> Word:
        self.made += 1
        return (text or f"w{self.made}", self.made)

    def texts(self) -> dict[str, str]:
        return {clause: " ".join(text for text, _ in words) for clause, words in self.clauses.items()}

    def words_at(self, place: Place, count: int) -> tuple[int, ...]:
        """Which words stand there."""
        text = self.texts()[place.clause]
        first = text[: place.start].count(" ")
        return tuple(which for _, which in self.clauses[place.clause][first : first + count])

    def edit(self) -> None:
        act = self.chance.choice(["insert", "delete", "replace", "swap", "copy", "move", "exchange"])
        clause = self.chance.choice(list(self.clauses))
        words = self.clauses[clause]
        start = self.chance.randint(0, len(words))
        end = min(len(words), start + self.chance.randint(1, 8))
        if act == "insert":
            fresh = [self.word(each) for each in PHRASE] if self.chance.random() < 0.3 else [self.word()]
            words[start:start] = fresh
        elif act == "delete":
            del words[start:end]
        elif act == "replace":
            words[start:end] = [self.word() for _ in range(self.chance.randint(1, 4))]
        elif act == "swap" and len(words) > 1:
            one, other = self.chance.sample(range(len(words)), 2)
            # Of two words that are the same nobody can say that they changed places.
            if words[one][0] != words[other][0]:
                words[one], words[other] = words[other], words[one]
        elif act in ("copy", "move"):
            part = words[start:end]
            if act == "move":
                del words[start:end]
            target = self.clauses[self.chance.choice(list(self.clauses))]
            at = self.chance.randint(0, len(target))
            target[at:at] = [self.word(text) for text, _ in part] if act == "copy" else part
        elif act == "exchange":
            other_clause = self.chance.choice(list(self.clauses))
            self.clauses[clause], self.clauses[other_clause] = self.clauses[other_clause], words


@settings(max_examples=fewer(1000, 200), deadline=None)
@given(seed=st.integers(0, 2**32), edits=st.integers(1, 6))
def test_of_a_thousand_random_edits_none_attaches_an_anchor_to_other_words(seed: int, edits: int) -> None:
    desk = Desk(random.Random(seed))
    before = desk.texts()
    quotes: list[tuple[Quote, tuple[int, ...], set[tuple[int, ...]]]] = []
    for _ in range(25):
        clause = desk.chance.choice(list(desk.clauses))
        words = desk.clauses[clause]
        first, count = desk.chance.randrange(len(words)), desk.chance.choice((1, 2, 4, 7))
        exact = " ".join(text for text, _ in words[first : first + count])
        place = Place(clause, len(" ".join(text for text, _ in words[:first])) + (first > 0))
        stood = {desk.words_at(each, exact.count(" ") + 1) for each in places_of(before, exact)}
        quotes.append((quote_at(before, place, len(exact)), desk.words_at(place, exact.count(" ") + 1), stood))
    for _ in range(edits):
        desk.edit()
    after = desk.texts()
    for meant, which, stood in quotes:
        found = follow(meant, before, after)
        if found.place is None:
            assert found.fate == Fate.ORPHANED
            continue
        assert after[found.place.clause][found.place.start :].startswith(meant.exact)
        assert found.quote is not None and found.quote.exact == meant.exact
        now = desk.words_at(found.place, len(meant.exact.split()))
        # Words that stood elsewhere before are other words, however alike; a copy made since says the same.
        assert now == which or now not in stood, (meant, before, after)


def quotes_of(desk: Desk, clauses: Sequence[str], count: int) -> Iterator[Quote]:
    """Words of these clauses as somebody may quote them: they stand there once."""
    texts = desk.texts()
    for _ in range(count):
        clause = desk.chance.choice(clauses)
        words = [text for text, _ in desk.clauses[clause]]
        first = desk.chance.randrange(len(words))
        exact = " ".join(words[first : first + desk.chance.choice((1, 2, 4, 7))])
        places = places_of({clause: texts[clause]}, exact)
        if len(places) == 1:
            yield quote_at(texts, places[0], len(exact))


@settings(max_examples=fewer(500, 100), deadline=None)
@given(seed=st.integers(0, 2**32), edits=st.integers(1, 6), versions=st.integers(1, 3))
def test_a_clause_that_nobody_touched_keeps_every_comment(seed: int, edits: int, versions: int) -> None:
    """Whatever is edited, copied or moved in other clauses, version after version."""
    desk = Desk(random.Random(seed))
    untouched = desk.clauses["2"][:]
    quotes = list(quotes_of(desk, "2", 25))
    for _ in range(versions):
        before = desk.texts()
        for _ in range(edits):
            desk.edit()
        desk.clauses["2"] = untouched[:]
        after = desk.texts()
        for meant in quotes:
            found = follow(meant, before, after)
            assert (found.fate, found.quote) == (Fate.KEPT, meant), (meant, before, after)


def test_the_words_around_are_those_of_the_text() -> None:
    for place, following in pairwise(places_of({"1": "a b a b a"}, "a")):
        assert quote_at({"1": "a b a b a"}, place, 1).exact == "a" and place.start < following.start
