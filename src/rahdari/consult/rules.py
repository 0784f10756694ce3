"""What a draft, a comment and an answer can be. Pure: no database, no clock.

Invariants: a draft is adopted only when its time for comment is over, each comment is answered and each hearing that
was announced is held or called off, by a second person;
what is hidden is hidden for a reason of a closed list, and never for what it says of the draft.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

ROUNDED_TO = 5


class State(StrEnum):
    OPEN = "open"  # comments are taken
    ANSWERING = "answering"  # the time for comment is over, and the office answers
    ADOPTED = "adopted"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What came of a comment."""

    CHANGED = "changed"  # a later version says something else
    KEPT = "kept"  # the draft stays as it was, and why
    LATER = "later"  # right, and not now


class Hidden(StrEnum):
    """Why a comment is hidden. There is no other reason."""

    ABUSE = "abuse"  # insults or threatens somebody
    PERSONAL_DATA = "personal_data"  # tells private details of another person
    FALSE_NAME = "false_name"  # somebody is named who did not write it


class Stop(StrEnum):
    """Why a draft is not adopted now."""

    ENDED = "ended"
    STILL_OPEN = "still_open"
    UNANSWERED = "unanswered"
    APPEALED = "appealed"  # somebody disputes that a comment is hidden
    HIDDEN_LATELY = "hidden_lately"  # a comment is hidden, and its author has time to dispute that
    HEARING_TO_COME = "hearing_to_come"
    NOT_PROPOSED = "not_proposed"


def state(*, closes_at: dt.datetime, ending: str, now: dt.datetime) -> State:
    if ending:
        return State(ending)
    return State.OPEN if now < closes_at else State.ANSWERING


def why_not_adopted(
    state: State, *, unanswered: int, appealed: int, hidden_lately: bool, hearing_to_come: bool
) -> Stop | None:
    """Why nobody may propose to adopt a draft, or agree to it, now."""
    if state in (State.ADOPTED, State.WITHDRAWN):
        return Stop.ENDED
    if state == State.OPEN:
        return Stop.STILL_OPEN
    if unanswered:
        return Stop.UNANSWERED
    if appealed:
        return Stop.APPEALED
    if hidden_lately:
        return Stop.HIDDEN_LATELY
    return Stop.HEARING_TO_COME if hearing_to_come else None


# A number with what stands within it, a word, or a sign.
_WORD = re.compile(r"\d+(?:[^\w\s]\d+)+|[^\W_]+|[^\w\s]")
_SIGNS_THAT_SAY_SOMETHING = frozenset("%‰٪?؟")


def folded(words: str) -> list[str]:
    """The words of a text without what makes no difference: capitals, spaces, vowel marks, and full stops, commas,
    hyphens and the like beside a word. Between two digits they stay (1.5, 10-30), as does what says something by
    itself (%, ?, +, 👎).
    """
    text = unicodedata.normalize("NFC", words).casefold()
    found = _WORD.findall("".join(sign for sign in text if not unicodedata.combining(sign)))
    return [each for each in found if each[0].isalnum() or each in _SIGNS_THAT_SAY_SOMETHING or _is_symbol(each)]


def _is_symbol(sign: str) -> bool:
    return unicodedata.category(sign[0]).startswith("S")


def sameness(words: str, about: Sequence[str] = ()) -> str:
    """Equal for comments that have the same words (`folded`) about the same quote: 64 hex digits. What a campaign has
    its supporters paste is one comment with many signatures. `about`: the quote as it stands in the passage, and what
    stands before and after it; nothing for a comment on the passage or on the whole."""
    return hashlib.sha256("\0".join((" ".join(folded(words)), *about)).encode()).hexdigest()


def protected(count: int, fewest: int) -> int | None:
    """A number as it may be shown: rounded to 5; None for one that is under `fewest` and not zero."""
    if 0 < count < fewest:
        return None
    return round(count / ROUNDED_TO) * ROUNDED_TO


_SENTENCE = re.compile(r"[^.;:۔؛!?؟]+(?:[.;:۔؛!?؟]+(?!\S)|[.;:۔؛!?؟]+(?=\S)[^.;:۔؛!?؟]*)*[.;:۔؛!?؟]*\s*")


def sentences(text: str) -> list[str]:
    """The sentences and half-sentences of a clause, to choose from: what somebody comments on without selecting words
    on a small screen. A full stop within "9.1" ends none."""
    return [each.strip() for each in _SENTENCE.findall(text) if each.strip()]
