"""How long what was collected is kept, and what a renewal takes of it; `standing_on` holds the two together."""

from dataclasses import dataclass
from datetime import timedelta

DAYS = {"hours": 1 / 24, "days": 1, "months": 30.44, "years": 365.25}


@dataclass(frozen=True, slots=True)
class Retention:
    key: str
    after: str
    keep: str  # as written: "120 days"; for ever: ""
    archive_class: str
    consent_ref: str
    without_consent: str
    basis: str
    note: str

    @property
    def span(self) -> timedelta | None:
        """How long, with months and years as days on average; None for ever."""
        if not self.keep:
            return None
        length, unit = self.keep.split()
        return timedelta(days=int(length) * DAYS[unit])


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a registration goes on after its term."""

    opens_days_before: int
    in_grace: str  # stays | ends: whether the entries stay on the register until the grace is over
    # Of papers of the last application: the papers themselves are `kept` and count again, or what was seen in them is
    # `noted` and counts again while the papers are gone, or they are asked for `again`.
    documents: str
