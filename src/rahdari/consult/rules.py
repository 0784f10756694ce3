"""What a draft, a comment and an answer can be. Pure: no database, no clock.

Invariants: a draft is adopted only when its time for comment is over and each comment is answered, by a second person;
what is hidden is hidden for a reason of a closed list, and never for what it says of the draft.
"""

import datetime as dt
import hashlib
import re
import unicodedata
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
    PERSONAL_DATA = "personal_data"  # says of somebody else what is theirs to say
    FALSE_NAME = "false_name"  # somebody is named who did not write it


class Stop(StrEnum):
    """Why a draft is not adopted now."""

    ENDED = "ended"
    STILL_OPEN = "still_open"
    UNANSWERED = "unanswered"
    APPEALED = "appealed"  # somebody disputes that a comment is hidden
    NOT_PROPOSED = "not_proposed"
    SAME_PERSON = "same_person"


def state(*, closes_at: dt.datetime, ending: str, now: dt.datetime) -> State:
    if ending:
        return State(ending)
    return State.OPEN if now < closes_at else State.ANSWERING


def why_not_adopted(state: State, *, unanswered: int, appealed: int) -> Stop | None:
    """Why nobody may propose to adopt a draft, or agree to it, now."""
    if state in (State.ADOPTED, State.WITHDRAWN):
        return Stop.ENDED
    if state == State.OPEN:
        return Stop.STILL_OPEN
    if unanswered:
        return Stop.UNANSWERED
    return Stop.APPEALED if appealed else None


def folded(words: str) -> list[str]:
    """The words of a text without what makes no difference: capitals, spaces, marks and signs."""
    signs = unicodedata.normalize("NFKD", words).casefold()
    return "".join(sign for sign in signs if sign.isalnum() or sign.isspace()).split()


def sameness(words: str) -> str:
    """Equal for comments that differ in capitals, spaces, marks and signs alone: 64 hex digits. What a campaign has
    its supporters paste is one comment with many signatures."""
    return hashlib.sha256(" ".join(folded(words)).encode()).hexdigest()


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
