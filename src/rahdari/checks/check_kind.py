"""What is declared of a kind of check. No Django but its lazy sentences: a policy is judged without a database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import override

from rahdari.control.sentences import Words
from rahdari.policy.checks import About

# Languages that each sentence is in besides the one it is written in.
TRANSLATED = ("ur",)


class Party(StrEnum):
    """Who gives an answer."""

    APPLICANT = "applicant"
    REGISTER = "register"
    CLIENT = "client"
    OPERATOR = "operator"
    ASSOCIATION = "association"
    HOLDER = "holder"  # who has the address, or is the contact on the list of the number


@dataclass(frozen=True)
class By:
    """One of several sentences, chosen by a word of the evidence."""

    key: str
    sentences: Mapping[str, Words]
    otherwise: Words

    def words(self) -> Iterator[Words]:
        yield from (*self.sentences.values(), self.otherwise)


@dataclass(frozen=True)
class Counted:
    """A plural (`ngettext_lazy` with `count`), by a number of the evidence; `none` where it is 0."""

    key: str
    sentence: Words
    none: Words = ""

    def words(self) -> Iterator[Words]:
        yield from filter(None, (self.sentence, self.none))


type Sentence = Words | By | Counted


@dataclass(frozen=True, kw_only=True)
class Others:
    """What the applicant is told while somebody outside is awaited. `title` takes the place of the check's own."""

    heading: Words
    short: Words
    title: Words = ""


@dataclass(frozen=True, kw_only=True)
class CheckKind:
    """A kind of check. Places in its sentences are filled by `words.VALUES`.

    `answered_by`: whose turn it is while it waits. `is_asked`: a room beside this one asks them and brings the answer.
    With the fact `asked_if`, somebody is awaited who has the address, or is the contact on a list. `from_facts`: the
    answer follows from what the house knows, and may be another one later.
    """

    key: str
    about: About
    answered_by: Party
    # What whoever is asked reads of the applicant, for the page about privacy; empty only where nobody is asked.
    seen: Words
    # Each finding with what it says.
    findings: Mapping[str, Sentence]
    # Said while it waits: by a fact of the check, the first that it has; else `waiting`; else that it waits.
    waiting_if: Mapping[str, Words] = field(default_factory=dict)
    waiting: Words = ""
    others: Others | None = None
    is_asked: bool = False
    asked_if: str = ""
    from_facts: bool = False
    # Our own clock has not begun while it waits. Papers came with the application, so they do not hold it.
    holds_clock: bool = False
    # Further evidence of work may answer it.
    takes_proof: bool = False
    # Its place among what is awaited is its own: proofs of control, and what is to be paid.
    stands_apart: bool = False
    # The optional room without which nobody makes it.
    room: str = ""

    def __post_init__(self) -> None:
        # Whether a lazy sentence is empty asks for settings, and a policy is judged without: only a plain text can be.
        if self.is_asked and "" in (each for each in (self.seen, self.waiting) if isinstance(each, str)):
            raise ValueError(f"{self.key}: say what whoever is asked reads of the applicant, and that they are awaited")
        if not self.findings:
            raise ValueError(f"{self.key}: say what its findings are")
        if self.asked_if and self.asked_if not in self.waiting_if:
            raise ValueError(f"{self.key}: say what is awaited when {self.asked_if}")

    def words(self) -> Iterator[Words]:
        """All that a person reads of it."""
        others = (self.others.heading, self.others.short, self.others.title) if self.others else ()
        yield from filter(None, (self.seen, self.waiting, *self.waiting_if.values(), *others))
        for sentence in self.findings.values():
            yield from sentence.words() if isinstance(sentence, By | Counted) else (sentence,)

    def untranslated(self) -> list[str]:
        """Its sentences that one of the languages lacks."""
        with override(None):
            written = [_text(each) for each in self.words()]
        missing: list[str] = []
        for language in TRANSLATED:
            with override(language):
                missing += [text for text, each in zip(written, self.words(), strict=True) if _text(each) == text]
        return missing


class _AnyNumber(dict[str, int]):
    """A number for each place."""

    def __missing__(self, name: str) -> int:
        return 2


def _text(words: Words) -> str:
    """As it is written. A plural is empty until it has its number."""
    return str(words) or str(words % _AnyNumber())
