"""Views of one endpoint from several places, and what they come to.

    views = ask_all(others, claim=claim, address=address, standpoint=standpoint, now=now)
    verdict = judge([asked.view for asked in views], needed)

As the CA/Browser Forum has it for certificates (Baseline Requirements 3.2.2.9): so many views must have proved it, over
so many networks, and few may have come to something else. A view that failed says nothing against anybody: it is shown.
"""

import dataclasses
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from rahdari.address import Address

from .claims import Claim, WireguardClaim
from .outcome import Outcome, ProbeAnswer
from .proving import TIMEOUT, Standpoint, prove

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


@dataclass(frozen=True)
class VantageAnswer:
    """One view, and the signed evidence for it where it came from elsewhere."""

    view: View
    signed: Mapping[str, Any] | None = None

    def as_data(self) -> dict[str, Any]:
        """Plain data for a record."""
        view = self.view
        return {
            "place": view.place,
            "network": view.network,
            "region": view.region,
            "answer": view.answer.as_data() if view.answer is not None else None,
            "absent": view.absent,
            "signed": self.signed,
        }


class Ask(Protocol):
    """Asks one place. Raises nothing: a place that says nothing usable has an absent view."""

    def __call__(self, *, claim: Claim, address: Address, timeout: float, now: dt.datetime) -> VantageAnswer: ...


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


def ask_all(
    others: Sequence[Ask],
    *,
    claim: Claim,
    address: Address,
    now: dt.datetime,
    timeout: float = TIMEOUT,
    standpoint: Standpoint | None = None,
    network: str = HERE,
) -> list[VantageAnswer]:
    """The view from here, and from each of the others: at once, or one after another where the claim wants it.

    `network` names the register's own, so that a vantage beside it does not count as another.
    """

    def here(claim: Claim) -> VantageAnswer:
        seen = prove(claim, address=address, timeout=timeout, standpoint=standpoint)
        return VantageAnswer(View(HERE, network, "", seen))

    if claim.AT_ONCE:
        with ThreadPoolExecutor(len(others) + 1) as pool:
            own = pool.submit(here, claim)
            asked = [pool.submit(ask, claim=claim, address=address, timeout=timeout, now=now) for ask in others]
            return [own.result(), *(other.result() for other in asked)]
    own_view = here(_with_moment(claim))
    return [
        own_view,
        *(ask(claim=_with_moment(claim), address=address, timeout=timeout, now=now) for ask in others),
    ]


def _with_moment(claim: Claim) -> Claim:
    """With our time, which grows from one place to the next whatever their clocks say."""
    if isinstance(claim, WireguardClaim):
        return dataclasses.replace(claim, moment=time.time_ns() // 1000)
    return claim
