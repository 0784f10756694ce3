"""A month as its page shows it: each figure with its words, its parts, a chart of the months before, and what was
corrected."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.template.defaultfilters import floatformat
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.web.values import figure as in_figures
from rahdari.web.values import span_words

from .cells import HALF, MOST, NUMBER, Row
from .charts import Chart, chart
from .definitions import ALL, Figure, load
from .protection import THRESHOLD, Mark
from .queries import Month

# So many months a chart has.
SHOWN = 12


@dataclass(frozen=True)
class Part:
    """`said` is the number or why there is none; of a time what half and 95 of 100 took. `before`: what the earlier
    editions said instead, the first one in front."""

    label: str
    said: str
    most: str
    share: float | None
    is_total: bool
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    figure: Figure
    title: str
    words: str
    unit: str
    denominator: str
    parts: Sequence[Part]
    chart: Chart | None
    # Of earlier months: the month, and what was said of each part.
    months: Sequence[tuple[dt.date, Sequence[str]]]

    @property
    def has_shares(self) -> bool:
        return any(part.share is not None for part in self.parts)

    @property
    def all_said(self) -> str:
        """What the month says of all of it, with its unit; for a list of figures."""
        row = next((part for part in self.parts if part.is_total), None)
        if row is None:
            return ""
        return row.said if self.figure.is_time else f"{row.said} {self.unit}"

    @property
    def is_one_number(self) -> bool:
        return len(self.parts) == 1

    @property
    def months_with_labels(self) -> list[tuple[dt.date, list[tuple[str, str]]]]:
        labels = [self.title] if self.is_one_number else [part.label for part in self.parts]
        return [(date, list(zip(labels, cells, strict=True))) for date, cells in self.months]


def said(row: Row | None) -> str:
    """A cell in words."""
    if row is None:
        return "–"
    if row.value is not None:
        return in_figures(row.value) if row.measure == NUMBER else span_words(dt.timedelta(seconds=row.value), "exact")
    if row.mark == Mark.FEW:
        return _("Fewer than %(count)s") % {"count": THRESHOLD}
    return _("Not shown")


def shown(month: Month, months: Sequence[Month]) -> list[Shown]:
    """`months`: this one and those before it, the latest first."""
    defined = load().figures
    ids = dict.fromkeys(row.figure for row in month.standing.values())
    return [_shown(defined[id], month, months[:SHOWN]) for id in ids if id in defined]


def headline(month: Month) -> list[tuple[str, str]]:
    """What most readers come for: values with what they are, those that are told."""
    half, in_time = ("time_to_decide", ALL, HALF), ("officers_in_time", "in_time", NUMBER)
    on_time = month.standing.get(in_time)
    share = month.share(on_time) if on_time is not None else None
    found = [
        (month.standing.get(half), _("or less: half of the decisions")),
        (month.total("decisions"), _("decisions on applications")),
        (month.total("registrations"), _("registrations in force")),
    ]
    told = [(said(row), words) for row, words in found if row is not None and row.value is not None]
    if share is not None:
        percent = _("%(share)s percent") % {"share": floatformat(share, 1)}
        told.insert(1, (percent, _("of what officers decided was in time")))
    return told


def _shown(figure: Figure, month: Month, months: Sequence[Month]) -> Shown:
    language = get_language() or "en"
    measure = HALF if figure.is_time else NUMBER
    rows = [row for row in month.rows_of(figure.id) if row.measure == measure]
    # The total stands last, as in a sum.
    rows.sort(key=lambda row: row.part == ALL)
    totals = [(each.month, each.standing.get((figure.id, ALL, measure))) for each in reversed(months)]
    hours = 3600 if figure.is_time else 1
    return Shown(
        figure,
        figure.title.in_language(language),
        figure.words.in_language(language),
        _("hours") if figure.is_time else figure.unit.in_language(language),
        figure.denominator.in_language(language),
        [_part(row, month, language) for row in rows],
        chart([(date, row.value / hours if row and row.value is not None else None) for date, row in totals]),
        [(each.month, [said(each.standing.get(row.key)) for row in rows]) for each in months],
    )


def _part(row: Row, month: Month, language: str) -> Part:
    most = month.standing.get((row.figure, row.part, MOST))
    words = [said(each) for edition in month.editions for each in edition.rows if each.key == row.key]
    before = tuple(word for word, after in pairwise(words) if word != after)
    return Part(row.label(language), said(row), said(most) if most else "", month.share(row), row.part == ALL, before)
