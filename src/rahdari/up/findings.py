"""What `rahdari doctor` says of one thing that it looked at."""

from dataclasses import dataclass

OK, NOTE, WRONG = "ok", "note", "WRONG"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    state: str
    about: str
    text: str
