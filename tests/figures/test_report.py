"""The report of a year: one PDF in both languages, the same for the same months, of what was published alone."""

import datetime as dt
from pathlib import Path

import pytest
from pikepdf import Pdf

from rahdari.figures import queries, report

from .months import publish_year

pytestmark = pytest.mark.django_db


def test_a_year_is_one_paper_and_the_same_again(tmp_path: Path) -> None:
    publish_year(dt.date(2026, 10, 1), 10)
    months = queries.months(since=dt.date(2026, 1, 1))
    made = report.render(2026, months)
    assert made == report.render(2026, months[::-1])
    (tmp_path / "report.pdf").write_bytes(made)
    with Pdf.open(tmp_path / "report.pdf") as paper:
        assert str(paper.Root.Lang) == "en"
        assert "2026" in str(paper.docinfo["/Title"])


def test_of_a_year_it_says_between_what_its_months_lie() -> None:
    months = publish_year(dt.date(2026, 10, 1), 2)
    rows = [each.standing["provisional", "all", "number"] for each in months]
    assert [row.value for row in rows] == [15, 15]
    assert report._of_year(rows) == "26 – 34"
    few = [each.standing["provisional_confirmed", "all", "number"] for each in months]
    assert report._of_year(few) == "0 – 14"
