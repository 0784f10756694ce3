"""The report of a year: one PDF in both languages, the same for the same months, of what was published alone."""

import datetime as dt
import json
from pathlib import Path

import pytest
import typst
from pikepdf import Pdf

from rahdari.figures import queries, report
from rahdari.web.typesetting import inputs

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


def test_its_tables_speak_both_languages_and_say_of_a_time_both_measures() -> None:
    said = report.said_of(2026, publish_year(dt.date(2026, 10, 1), 2))
    tables = json.loads(typst.query(report.TEMPLATE.read_bytes(), "table", sys_inputs=inputs(said)))
    assert len(tables) == len(said["figures"])
    for figure, table in zip(said["figures"], tables, strict=True):
        words = json.dumps(table, ensure_ascii=False)
        for pair in (("Sep", "ستمبر"), ("Oct", "اکتوبر"), figure["unit"], *(row["part"] for row in figure["rows"])):
            assert [word for word in pair if f'"{word}"' not in words] == []
    [time] = [each for each in said["figures"] if each["title"][0] == "Time from receipt to decision"]
    parts = [row["part"] for row in time["rows"]]
    assert parts[-2:] == [
        ["All: half took at most", "سب: آدھے فیصلے اتنے وقت میں"],
        ["All: 95 of 100 took at most", "سب: 100 میں سے 95 فیصلے اتنے وقت میں"],
    ]
    months = queries.months(since=dt.date(2026, 1, 1))
    standing = months[-1].standing["time_to_decide", "all", "most"]
    assert standing.value is not None
    assert time["rows"][-1]["cells"][0] == f"{standing.value / 60:,.1f}"
