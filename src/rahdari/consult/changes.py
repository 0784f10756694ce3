"""What became of a text, word by word. Pure.

Words are compared whole: a reader of a rule asks which words changed, not which letters.
"""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

_WORDS = re.compile(r"\S+\s*")


class Kind(StrEnum):
    SAME = "same"
    OLD = "old"  # it goes
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    text: str

    @property
    def words(self) -> str:
        """Without the space behind them."""
        return self.text.rstrip()


def pieces(before: str, after: str) -> list[Piece]:
    """The pieces in the order of reading, what goes before what comes. Without the new ones they are `before`, without
    the old ones `after`."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    found: list[Piece] = []

    def add(kind: Kind, words: list[str]) -> None:
        if words:
            found.append(Piece(kind, "".join(words)))

    # Spaces behind a word are no part of it: the last one of a text has none.
    matcher = difflib.SequenceMatcher(None, [w.rstrip() for w in old], [w.rstrip() for w in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            add(Kind.SAME, new[j1:j2])
        else:
            add(Kind.OLD, old[i1:i2])
            add(Kind.NEW, new[j1:j2])
    return found


def is_changed(found: list[Piece]) -> bool:
    return any(piece.kind != Kind.SAME for piece in found)
