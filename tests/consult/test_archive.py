"""A consultation is read without us: nothing leads outside, every digest holds, other programs find the words."""

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest
from django.utils import timezone

from rahdari.consult import answering, archiving, commands, moderating
from rahdari.consult.rules import Hidden, Outcome
from tests.builders.consultations import BOTH, DAY, OFFICER, a_comment, a_draft, next_version

from .test_pages import NIGHT, at, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    now = timezone.now()
    version = a_draft(now=now - DAY)
    draft = version.draft
    a_comment(draft, clause="9.2", quoted="answers or makes calls for others", words="=1+1 is kept.", name="Kept")
    a_comment(draft, clause="9.2", quoted="at least 5 seats", words="Seats are gone.")
    hidden = a_comment(draft, words="Hidden words.", name="Hidden Name")
    next_version(version, NIGHT | {"at least 5 seats": "a licence"}, now=now)
    moderating.hide(comment=hidden, why=Hidden.ABUSE, actor=OFFICER, now=now)
    given = {"draft": draft, "point": BOTH, "text": BOTH, "actor": OFFICER, "now": now}
    answering.answer(numbers=[1], outcome=Outcome.CHANGED, clause="9.1", **given)  # type: ignore[arg-type]
    folder = tmp_path / "archive"
    archiving.write(draft, folder, now)
    return folder


class TestTheArchive:
    def test_leads_nowhere_outside_and_names_no_address_of_email(self, archived: Path) -> None:
        names = {each.name for each in archived.iterdir()}
        for language in ("en", "ur"):
            page = (archived / f"index.{language}.html").read_text()
            for place in re.findall(r'(?:href|src)="([^"]+)"', page):
                assert place in names or (place.startswith("#") and f'id="{place[1:]}"' in page), place
            assert "url(" not in page and "<script" not in page and "Seats are gone." in page
        everything = "".join(each.read_text() for each in archived.iterdir() if not each.name.endswith(".toml"))
        assert "@reader" not in everything and "Hidden words" not in everything and "Hidden Name" not in everything

    def test_is_as_its_digests_say(self, archived: Path) -> None:
        lines = (archived / "SHA256SUMS").read_text().splitlines()
        assert len(lines) == len(list(archived.iterdir())) - 1
        for line in lines:
            digest, name = line.split("  ")
            assert hashlib.sha256((archived / name).read_bytes()).hexdigest() == digest

    def test_has_each_comment_as_a_row_that_no_spreadsheet_runs(self, archived: Path) -> None:
        with (archived / "comments.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["fate"], row["clause_now"], row["hidden"]) for row in rows] == [
            ("kept", "9.2", ""),
            ("orphaned", "", ""),
            ("", "", "abuse"),
        ]
        assert rows[0]["words"] == "'=1+1 is kept." and rows[2]["words"] == ""

    def test_has_annotations_that_find_their_words(self, archived: Path) -> None:
        """As a reader of the W3C's model does it: the clause, and in it the exact words between their neighbours."""
        found = json.loads((archived / "annotations.jsonld").read_text())
        assert found["@context"] == "http://www.w3.org/ns/anno.jsonld" and found["total"] == 3
        kept, gone, hidden = found["first"]["items"]
        for item, number in ((kept, 2), (gone, 1)):
            version = json.loads((archived / f"version-{number}.json").read_text())
            clauses = {f"p{each['id']}": each["text"]["en"] for each in version["clauses"]}
            selector = item["target"]["selector"]
            words = selector["refinedBy"]
            around = words["prefix"] + words["exact"] + words["suffix"]
            assert item["target"]["source"] == f"?version={number}" and around in clauses[selector["value"]]
        assert "creator" not in hidden and "hidden: abuse" in hidden["body"]["value"]

    def test_writes_over_nothing(self, archived: Path, capsys: pytest.CaptureFixture[str]) -> None:
        import argparse

        given = argparse.ArgumentParser()
        commands.register(given.add_subparsers())
        wanted = given.parse_args(["consult", "archive", "DR-1999-01", str(archived)])
        assert wanted.run(wanted) == 1 and "no draft DR-1999-01" in capsys.readouterr().err


def test_annotations_are_served_too() -> None:
    draft = a_draft().draft
    a_comment(draft, clause="9.2")
    answer = visitor().get(at("consultation_annotations", draft))
    assert answer["Content-Type"].startswith("application/ld+json")
    [item] = answer.json()["first"]["items"]
    assert item["target"]["selector"] == {"type": "FragmentSelector", "value": "p9.2"}
