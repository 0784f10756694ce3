"""What the pages of an association show, gathered for one reader at one moment."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from rahdari.policy import Attesting

from . import queries, rules, words
from .models import Attestation
from .rules import Bounds, Judged

SHOWN = 50


@dataclass(frozen=True)
class View:
    name: str
    title: str
    count: int


@dataclass(frozen=True)
class MemberRow:
    attestation: Attestation
    tone: str
    state: str
    claim: str
    can_renew: bool


@dataclass(frozen=True)
class Desk:
    view: str
    views: tuple[View, ...]
    rows: tuple[MemberRow, ...]
    first: int
    total: int
    next: int | None


def bounds(attesting: Attesting, now: dt.datetime) -> Bounds:
    today = queries.day_of(now)
    return Bounds(today, rules.last_day(today, attesting.longest_months))


def desk(*, association: str, attesting: Attesting, view: str, text: str, page: int, now: dt.datetime) -> Desk:
    """A page of an association's attestations: `view` is one of `queries.VIEWS` (another is read as `all`), `page`
    counts from 0.
    """
    today = queries.day_of(now)
    soon = dt.timedelta(days=attesting.ends_soon_days)
    view = view if view in queries.VIEWS else "all"
    found = queries.attestations_of(association, view=view, on=today, ends_soon=soon)
    if text:
        found = queries.matching(found, association=association, text=text)
    total = found.count()
    first = max(0, min(page, total // SHOWN)) * SHOWN
    rows = list(found[first : first + SHOWN])
    counts = queries.counts_of(association, on=today, ends_soon=soon)
    titles = {
        "all": pgettext("attestations", "All"),
        "live": pgettext("attestations", "Attested"),
        "ends": _("Ends soon"),
        "ended": pgettext("attestations", "Ended"),
        "revoked": pgettext("attestations", "Revoked"),
    }
    return Desk(
        view=view,
        views=tuple(View(name, titles[name], counts[name]) for name in queries.VIEWS),
        rows=tuple(row(each, attesting, today) for each in rows),
        first=first + 1,
        total=total,
        next=first // SHOWN + 1 if first + SHOWN < total else None,
    )


def row(attestation: Attestation, attesting: Attesting | None, today: dt.date) -> MemberRow:
    """One attestation as a row of the desk."""
    days = attesting.ends_soon_days if attesting else 30
    soon = attestation.valid_until <= today + dt.timedelta(days=days)
    tone, state = words.state(attestation, today, soon)
    return MemberRow(
        attestation,
        tone,
        state,
        words.claim(attestation.claim, attesting),
        can_renew=attestation.revoked_at is None,
    )


@dataclass(frozen=True)
class RowResult:
    """A row of a file with what is said about it."""

    judged: Judged
    text: str

    @property
    def line(self) -> int:
        return self.judged.row.line

    @property
    def number(self) -> str:
        return self.judged.row.cell("member_number")[:60]
