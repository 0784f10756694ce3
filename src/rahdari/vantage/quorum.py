"""What several views of one endpoint come to. Pure.

As the CA/Browser Forum has it for certificates (Baseline Requirements 3.2.2.9): so many views must have proved it, over
so many networks, and few may have come to something else. A view that failed says nothing against anybody: it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rahdari.probe import Outcome, ProbeAnswer

# The register's own view.
HERE = "here"
# These say that somebody else, or something else, answers where the claimed endpoint should.
CONTRADICTING = frozenset({Outcome.OTHER_KEY, Outcome.MALFORMED})


@dataclass(frozen=True)
class Needed:
    """`views` must have proved it, over `networks` networks; `may_fail` of those asked may have come to else."""

    views: int = 1
    may_fail: int = 0
    networks: int = 1


@dataclass(frozen=True)
class View:
    """What one place saw. Without `answer` it was asked and said nothing usable: `absent` says why."""

    place: str
    network: str
    region: str = ""
    answer: ProbeAnswer | None = None
    absent: str = ""

    @property
    def proved(self) -> bool:
        return self.answer is not None and self.answer.proved


class Outlook(StrEnum):
    AGREED = "agreed"  # proved, and by enough
    NOT_PROVED = "not_proved"  # by nobody
    TOO_FEW = "too_few"  # by some; others heard nothing, or could not be asked
    DIVIDED = "divided"  # by some, while others met somebody else there


@dataclass(frozen=True)
class Verdict:
    """The outlook, and who saw what: evidence, whichever way it went."""

    outlook: Outlook
    proved: tuple[str, ...]
    failed: tuple[str, ...]
    absent: tuple[str, ...]
    contradicting: tuple[str, ...]
    networks: tuple[str, ...]
    needed: Needed

    @property
    def agreed(self) -> bool:
        return self.outlook is Outlook.AGREED

    def as_data(self) -> dict[str, object]:
        """Plain data for a record."""
        return {
            "outlook": self.outlook.value,
            "proved": list(self.proved),
            "failed": list(self.failed),
            "absent": list(self.absent),
            "contradicting": list(self.contradicting),
            "networks": list(self.networks),
            "needed": {
                "views": self.needed.views,
                "may_fail": self.needed.may_fail,
                "networks": self.needed.networks,
            },
        }


def judge(views: Sequence[View], needed: Needed) -> Verdict:
    """What the views come to. Each place counts once: its last view."""
    by_place = {view.place: view for view in views}
    proved = [view for view in by_place.values() if view.proved]
    absent = [view for view in by_place.values() if view.answer is None]
    failed = [view for view in by_place.values() if view.answer is not None and not view.proved]
    contradicting = [view for view in failed if view.answer is not None and view.answer.outcome in CONTRADICTING]
    networks = sorted({view.network for view in proved})
    enough = (
        len(proved) >= needed.views
        and len(networks) >= needed.networks
        and len(failed) + len(absent) <= needed.may_fail
    )
    if proved and enough:
        outlook = Outlook.AGREED
    elif not proved:
        outlook = Outlook.NOT_PROVED
    else:
        outlook = Outlook.DIVIDED if contradicting else Outlook.TOO_FEW

    def names(of: Sequence[View]) -> tuple[str, ...]:
        return tuple(sorted(view.place for view in of))

    return Verdict(outlook, names(proved), names(failed), names(absent), names(contradicting), tuple(networks), needed)
