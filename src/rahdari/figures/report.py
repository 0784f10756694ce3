"""The report of a year on paper: one PDF in both languages, set by typst from what was published and from nothing else.

It counts nothing: of a year it says between what its months lie. The same months give the same bytes on every machine
(`web.typesetting`).
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from rahdari import policy
from rahdari.web.typesetting import MONTHS, in_words, typeset

from .cells import HALF, NUMBER, Row
from .cells import MOST as LONGEST
from .definitions import ALL, Figure, Words, load
from .protection import BASE, MOST, THRESHOLD, Mark, at_least_and_most
from .queries import Month

# The measures in the order in which they are told, and what is said of one beside its part.
OF_TIME = {
    NUMBER: None,
    HALF: Words("half took at most", "آدھے فیصلے اتنے وقت میں"),
    LONGEST: Words("95 of 100 took at most", "100 میں سے 95 فیصلے اتنے وقت میں"),
}
TEMPLATE = Path(__file__).parent / "templates" / "figures" / "report.typ"


def render(year: int, months: Sequence[Month]) -> bytes:
    """Of the published months of a year, in whatever order. Bytes of one file."""
    return typeset(TEMPLATE, said_of(year, months), now=last_edition(months))


def last_edition(months: Sequence[Month]) -> dt.datetime:
    """When the newest edition of these months was published."""
    return max(edition.at for each in months for edition in each.editions)


def said_of(year: int, months: Sequence[Month]) -> dict[str, Any]:
    """All that the paper says, in both languages."""
    found = sorted(months, key=lambda each: each.month)
    last = last_edition(months)
    authority = policy.current(settings.POLICY_FILE).authority
    return {
        "year": str(year),
        "authority": (authority.en, authority.ur),
        "day": (last.year, last.month, last.day),
        "as_of": [in_words(timezone.localdate(last), language) for language in ("en", "ur")],
        "threshold": THRESHOLD,
        "rounded_to": BASE,
        "months": [[MONTHS[language][each.month.month - 1] for language in ("en", "ur")] for each in found],
        "figures": [_figure(each, found) for each in load().figures.values()],
        "notes": [
            {"month": each.name, "edition": edition.number, "en": edition.why_en, "ur": edition.why_ur}
            for each in found
            for edition in each.editions
            if edition.why_en
        ],
        "demo": settings.DEMO,
    }


def _figure(figure: Figure, months: Sequence[Month]) -> dict[str, Any]:
    keys = {row.key: row for each in months for row in each.rows_of(figure.id)}
    # The total stands last, as in a sum; of a time both measures of a part stand together.
    parts = list(dict.fromkeys(key[1] for key in keys))
    ordered = sorted(keys, key=lambda key: (key[1] == ALL, parts.index(key[1]), list(OF_TIME).index(key[2])))
    return {
        "title": (figure.title.en, figure.title.ur),
        "words": (figure.words.en, figure.words.ur),
        "unit": ("minutes", "منٹ") if figure.is_time else (figure.unit.en, figure.unit.ur),
        "is_time": figure.is_time,
        "of_year": not figure.is_time and not figure.id.startswith("registrations"),
        "rows": [
            {
                "part": [_label(keys[key], language) for language in ("en", "ur")],
                "cells": [_said(each.standing.get(key)) for each in months],
                "year": _of_year([each.standing[key] for each in months if key in each.standing]),
            }
            for key in ordered
        ],
    }


def _label(row: Row, language: str) -> str:
    measure = OF_TIME[row.measure]
    return f"{row.label(language)}: {measure.in_language(language)}" if measure is not None else row.label(language)


def _said(row: Row | None) -> str:
    if row is None or row.mark == Mark.WITHHELD:
        return "–"
    if row.value is None:
        return f"<{THRESHOLD}"
    return f"{row.value:,}" if row.measure == NUMBER else f"{row.value / 60:,.1f}"


def _of_year(rows: Sequence[Row]) -> str:
    """Between what the sum of the months lies, as far as they tell it."""
    if not rows or rows[0].measure != NUMBER:
        return ""
    found = at_least_and_most(row.cell for row in rows)
    return f"{found.low:,} +" if found.high >= MOST else f"{found.low:,} – {found.high:,}"
