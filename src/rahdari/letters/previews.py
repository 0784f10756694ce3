"""Every letter and note as it would go out, with made-up facts. Nothing is kept and nothing is sent."""

from dataclasses import dataclass
from typing import Any

from rahdari import optional

from . import samples
from .catalogue import LETTERS, Kind, Title
from .writing import UnknownLetter, Written, compose

LANGUAGES = ("en", "ur")


@dataclass(frozen=True)
class InOneLanguage:
    language: str
    written: Written
    # The note by SMS, if one goes with it.
    note: Any


@dataclass(frozen=True)
class Preview:
    """One letter. `both` is empty in a list of them."""

    name: str
    title: Title
    has_note: bool
    both: tuple[InOneLanguage, ...] = ()


def _has_note(kind: Kind) -> bool:
    return bool(kind.note) and "sms" not in optional.left_out()


def letters() -> list[Preview]:
    return [Preview(name, kind.title, _has_note(kind)) for name, kind in LETTERS.items()]


def letter(name: str) -> Preview:
    """Raises UnknownLetter."""
    kind = LETTERS.get(name)
    if kind is None:
        raise UnknownLetter(name)
    facts = samples.facts_of_letter(name)
    both = tuple(
        InOneLanguage(
            language,
            compose(template=name, language=language, context=facts),
            optional.ask(__package__, "sample_note", kind.note, language, facts),
        )
        for language in LANGUAGES
    )
    return Preview(name, kind.title, _has_note(kind), both)


def notes() -> list[tuple[Title, list[Any]]]:
    """The short notes, each in both languages."""
    return [note for each in optional.given(__package__, "sample_notes") for note in each(LANGUAGES)]
