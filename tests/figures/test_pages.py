"""The pages and files of figures, and what a stranger recomputes from the files alone."""

import csv
import datetime as dt
import json
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.cli import main
from rahdari.figures import actions, checking, files, queries
from rahdari.figures.definitions import Words, load
from rahdari.figures.models import Publication
from rahdari.figures.views import FILES

from .months import publish, publish_year

pytestmark = pytest.mark.django_db
OCTOBER = dt.date(2026, 10, 1)


@pytest.fixture
def folder(client: Client, tmp_path: Path) -> Path:
    publish_year(OCTOBER, 3)
    for name in FILES:
        (tmp_path / name).write_bytes(client.get(reverse("figures:data", args=[name])).content)
    return tmp_path


class TestPages:
    def test_say_that_there_is_none_yet(self, client: Client) -> None:
        assert "No month is published yet" in client.get(reverse("figures:figures")).text

    def test_show_a_month_its_few_and_its_charts_with_a_table_beside_each(self, client: Client) -> None:
        publish_year(OCTOBER, 3)
        page = client.get(reverse("figures:figures")).text
        assert "Figures of October 2026" in page
        assert "Fewer than 8" in page and "1 min 34 s" in page
        assert page.count("<figure") <= page.count("<table")
        for number in re.findall(r"<td[^>]*><span>([\d,]+)<", page):
            assert int(number.replace(",", "")) % 5 == 0

    def test_show_what_was_corrected_beside_what_is_right(self, client: Client) -> None:
        publish(OCTOBER)
        Publication.objects.create(
            month=OCTOBER,
            edition=2,
            at=dt.datetime(2026, 12, 10, tzinfo=dt.UTC),
            why_en="Counted twice.",
            why_ur="دو بار شمار ہوا۔",
            cells=[
                {**cell, "value": 10} for cell in Publication.objects.get().cells if cell["figure"] == "provisional"
            ],
        )
        page = client.get(reverse("figures:month", args=["2026-10"])).text
        assert "Corrected on 10 December 2026" in page and "Counted twice." in page
        assert "Published before: 15" in page
        feed = client.get(reverse("figures:rss")).text
        assert "Figures of October 2026, corrected" in feed

    def test_show_each_definition_with_its_query(self, client: Client) -> None:
        page = client.get(reverse("figures:definitions")).text
        assert page.count('class="codebox"') == len(load().figures)

    @pytest.mark.parametrize("path", ["figures/2026-09/", "figures/data/secret.csv"])
    def test_know_nothing_else(self, client: Client, path: str) -> None:
        publish(OCTOBER)
        assert client.get(f"/{path}").status_code == 404


class TestFiles:
    def test_are_described_twice_as_they_are(self, folder: Path) -> None:
        package = json.loads((folder / files.PACKAGE).read_text())
        tables = json.loads((folder / files.CSVW).read_text())["tables"]
        for each, table in zip(package["resources"], tables, strict=True):
            header = next(csv.reader((folder / each["path"]).read_text().splitlines()))
            assert header == [field["name"] for field in each["schema"]["fields"]]
            assert header == [column["name"] for column in table["tableSchema"]["columns"]]
            assert each["path"] == table["url"]

    def test_say_the_same_in_each_form(self, folder: Path) -> None:
        told = json.loads((folder / files.EVERYTHING).read_text())["editions"]
        rows = list(csv.DictReader((folder / files.FIGURES).read_text().splitlines()))
        assert [(row["figure"], row["part"], row["value"], row["mark"]) for row in rows] == [
            (cell["figure"], cell["part"], "" if cell["value"] is None else str(cell["value"]), cell["mark"] or "")
            for edition in told
            for cell in edition["cells"]
        ]


class TestAStranger:
    def test_recomputes_totals_and_shares_without_a_database(
        self, folder: Path, capsys: pytest.CaptureFixture[str], django_db_blocker: object
    ) -> None:
        with django_db_blocker.block():  # type: ignore[attr-defined]
            assert main(["figures", "check", str(folder)]) == 0
        assert "3 months, 3 editions" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            (",decisions,1,rule,", ",decisions,1,rule,", ""),
            (",number,510,,", ",number,600,,", "the parts do not come to"),
            (",number,510,,", ",number,501,,", "not rounded"),
            (",number,,few,", ",number,5,,", "is below 8"),
            (",number,,few,", ",number,,,", "a number or a mark"),
        ],
    )
    def test_finds_what_does_not_come_out(self, folder: Path, old: str, new: str, says: str) -> None:
        text = (folder / files.FIGURES).read_text()
        assert old in text
        (folder / files.FIGURES).write_text(text.replace(old, new, 1))
        problems = "\n".join(checking.check(folder).problems)
        assert says in problems
        assert bool(problems) == bool(says)

    def test_works_out_what_a_careless_month_gives_away(self, client: Client, folder: Path) -> None:
        """The margins of a month from which nothing more was withheld than what is few."""
        text = (folder / files.FIGURES).read_text().splitlines()
        rows = list(csv.DictReader(text))
        month = max(row["month"] for row in rows)
        for row in rows:
            if (row["month"], row["figure"]) == (month, "appeals"):
                row["value"], row["mark"] = ("15", "") if row["part"] == "all" else ("", "few")
                row["share_percent"] = ""
                if row["part"] in {"sent_back", "other"}:
                    row["figure"] = "left_out"
        with (folder / files.FIGURES).open("w", newline="") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        assert any("appeals.allowed can be worked out" in each for each in checking.check(folder).problems)


def test_the_command_verifies_and_corrects(capsys: pytest.CaptureFixture[str]) -> None:
    from rahdari.cli import parser_for

    def run(*words: str) -> int:
        given = parser_for("figures").parse_args(["figures", *words])
        return int(given.run(given))

    assert run("verify", "2026-10") == 3
    actions.publish(month=OCTOBER, now=dt.datetime(2026, 11, 10, tzinfo=dt.UTC))
    assert run("verify", "2026-10") == 0
    assert "There is no public log of the register yet" in capsys.readouterr().out
    assert run("correct", "2026-10", "--why", "Nothing.", "--why-ur", "کچھ نہیں۔") == 0
    assert "no correction is needed" in capsys.readouterr().out
    publish(dt.date(2026, 9, 1), why=Words("Made up.", "فرضی۔"))
    assert run("verify", "2026-09") == 3
    assert run("correct", "2026-09", "--why", "It was made up.", "--why-ur", "فرضی تھا۔") == 0
    assert run("verify", "2026-09") == 0
    month = queries.month(dt.date(2026, 9, 1))
    assert month is not None and len(month.editions) == 2
