"""What a second look may come to, and what the looks say of all decisions. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt


class Verdict(StrEnum):
    GRANT = "grant"
    ASK = "ask"
    REFUSE = "refuse"


class Done(StrEnum):
    """What a supervisor did about a decision that the second look disagrees with."""

    STAYS = "stays"
    REVOKES = "revokes"  # proposed to revoke the registration, with notice
    ANEW = "anew"  # told the applicant that it is decided anew


# The decision that each verdict agrees with. Who would have asked first agrees with none: a person decided too early.
AGREES = {Verdict.GRANT: "granted", Verdict.REFUSE: "refused"}


def agrees(verdict: str, outcome: str) -> bool:
    return AGREES.get(Verdict(verdict)) == outcome


# Fewer looks say next to nothing, and may tell of one decision.
FEWEST = 20
# Of the standard normal distribution: 95 of 100 intervals hold the true share.
Z = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """How often the second look came to something else. The interval is Wilson's, in shares of 1."""

    looked: int
    differed: int

    @property
    def is_shown(self) -> bool:
        return self.looked >= FEWEST

    @property
    def share(self) -> float:
        return self.differed / self.looked if self.looked else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.looked:
            return 0.0, 1.0
        n, p = self.looked, self.share
        centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return max(0.0, centre - half), min(1.0, centre + half)

    @property
    def percent(self) -> str:
        return _percent(self.share)

    @property
    def low(self) -> str:
        return _percent(self.interval[0])

    @property
    def high(self) -> str:
        return _percent(self.interval[1])


def _percent(share: float) -> str:
    return f"{share * 100:.1f}"
