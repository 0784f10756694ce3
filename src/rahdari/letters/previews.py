"""Every letter and note as it would go out, with made-up facts. Nothing is kept and nothing is sent."""

from dataclasses import dataclass
from typing import Any

from . import samples, segments
from .catalogue import LETTERS, NOTES, Title
from .writing import UnknownLetter, Written, compose, compose_note

LANGUAGES = ("en", "ur")


@dataclass(frozen=True)
class Note:
    language: str
    text: str

    @property
    def parts(self) -> int:
        return segments.count(self.text)


@dataclass(frozen=True)
class InOneLanguage:
    language: str
    written: Written
    note: Note | None


@dataclass(frozen=True)
class Preview:
    """One letter. `both` is empty in a list of them."""

    name: str
    title: Title
    has_note: bool
    both: tuple[InOneLanguage, ...] = ()


def _note(name: str, language: str, facts: dict[str, Any]) -> Note | None:
    return Note(language, compose_note(note=name, language=language, context=facts)) if name else None


def letters() -> list[Preview]:
    return [Preview(name, kind.title, bool(kind.note)) for name, kind in LETTERS.items()]


def letter(name: str) -> Preview:
    """Raises UnknownLetter."""
    kind = LETTERS.get(name)
    if kind is None:
        raise UnknownLetter(name)
    facts = samples.facts_of_letter(name)
    both = tuple(
        InOneLanguage(
            language, compose(template=name, language=language, context=facts), _note(kind.note, language, facts)
        )
        for language in LANGUAGES
    )
    return Preview(name, kind.title, bool(kind.note), both)


def notes() -> list[tuple[Title, list[Note | None]]]:
    return [
        (kind.title, [_note(name, language, samples.facts_of_note(name)) for language in LANGUAGES])
        for name, kind in NOTES.items()
    ]
