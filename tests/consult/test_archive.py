"""A consultation is read without us: nothing leads outside, every digest holds, other programs find the words."""

import csv
import datetime as dt
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rahdari import policy
from rahdari.consult import actions, answering, archiving, commands, moderating
from rahdari.consult.rules import Hidden, Outcome
from tests.builders.consultations import BOTH, DAY, OFFICER, SECOND, a_comment, a_draft, next_version

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
    shown = a_comment(draft, words="Shown again.")
    moderating.hide(comment=shown, why=Hidden.PERSONAL_DATA, actor=OFFICER, now=now)
    moderating.dispute(comment=shown, now=now)
    moderating.review(comment=shown, show=True, actor=SECOND, now=now + DAY)
    folder = tmp_path / "archive"
    archiving.write(draft, folder, now)
    return folder


def passage_of(folder: Path, target: dict[str, Any]) -> Any:
    """What a target points to, by RFC 6901: a place in a file of the folder."""
    assert target["selector"]["conformsTo"] == "http://tools.ietf.org/rfc/rfc6901"
    found = json.loads((folder / target["source"]).read_text())
    for name in target["selector"]["value"].split("/")[1:]:
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found


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
            ("", "", ""),
        ]
        assert rows[0]["words"] == "'=1+1 is kept." and rows[2]["words"] == ""

    def test_has_annotations_that_find_their_words(self, archived: Path) -> None:
        """As a reader of the W3C's model does it: the clause, and in it the exact words between their neighbours."""
        found = json.loads((archived / "annotations.jsonld").read_text())
        assert found["@context"] == "http://www.w3.org/ns/anno.jsonld" and found["total"] == 4
        kept, gone, hidden, shown = found["first"]["items"]
        for item, number in ((kept, 2), (gone, 1)):
            assert item["target"]["source"] == f"version-{number}.json"
            words = item["target"]["selector"]["refinedBy"]
            around = words["prefix"] + words["exact"] + words["suffix"]
            assert around in passage_of(archived, item["target"])
        assert "creator" not in hidden and "hidden: abuse" in hidden["body"]["value"]
        assert shown["motivation"] == "commenting" and shown["body"][0]["value"] == "Shown again."
        assert shown["body"][1]["purpose"] == "moderating" and "personal_data; shown again" in shown["body"][1]["value"]

    def test_has_nothing_in_its_annotations_that_is_not_there(self, archived: Path) -> None:
        items = json.loads((archived / "annotations.jsonld").read_text())["first"]["items"]
        for number, item in enumerate(items, 1):
            name, _sharp, place = item["id"].partition("#")
            assert f'<article id="{place}">' in (archived / name).read_text() and place == f"c{number}"
            target = item["target"]
            if isinstance(target, str):
                assert (archived / target).exists()
            else:
                assert passage_of(archived, target) and "state" not in target
        assert isinstance(items[2]["target"], str)

    def test_tells_days_and_times_by_the_zone_of_the_register(self, tmp_path: Path) -> None:
        """Late in the evening by UTC it is the next day there."""
        at = dt.datetime(2026, 12, 1, 20, 30, tzinfo=dt.UTC)
        draft = a_draft(now=at).draft
        comment = a_comment(draft, clause="9.2", now=at)
        moderating.hide(comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=at)
        moderating.dispute(comment=comment, now=at)
        moderating.review(comment=comment, show=True, actor=SECOND, now=at)
        actions.announce_hearing(draft=draft, held_at=at + DAY, place=BOTH, actor=OFFICER, now=at)
        archiving.write(draft, tmp_path, at)
        told = {each.name: each.read_text() for each in tmp_path.iterdir() if each.suffix in (".html", ".csv")}
        for name, text in told.items():
            assert "2026-12-02" in text and "2026-12-01" not in text, name
            assert name.endswith(".csv") or (
                "2026-12-03 01:30" in text and "Asia/Karachi" in text and "UTC" not in text
            )
        assert "hidden from 2026-12-02 to 2026-12-02" in (tmp_path / "annotations.jsonld").read_text()

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_keeps_a_hearing_that_was_called_off(self, language: str, tmp_path: Path) -> None:
        at = dt.datetime(2026, 12, 1, 20, 30, tzinfo=dt.UTC)
        draft = a_draft(now=at).draft
        hearing = actions.announce_hearing(draft=draft, held_at=at + 9 * DAY, place=BOTH, actor=OFFICER, now=at)
        why = policy.Text("The hall is closed.", "ہال بند ہے۔")
        actions.call_off_hearing(hearing=hearing, why=why, actor=OFFICER, now=at + DAY)
        archiving.write(draft, tmp_path, at + 2 * DAY)
        page = (tmp_path / f"index.{language}.html").read_text()
        _before, _date, told = page.partition("2026-12-11 01:30")
        assert "2026-12-03" in told and why.in_language(language) in told
        assert {"en": "Called off on", "ur": "منسوخ ہوئی"}[language] in told

    def test_has_the_log_of_what_was_hidden_also_of_what_is_shown_again(self, archived: Path) -> None:
        with (archived / "moderation.csv").open(newline="") as file:
            rows = [(row["comment"], row["reason"], row["decision"]) for row in csv.DictReader(file)]
        assert rows == [("3", "abuse", ""), ("4", "personal_data", "shown")]
        for language in ("en", "ur"):
            page = (archived / f"index.{language}.html").read_text()
            assert "Shown again." in page and page.count('href="moderation.csv"') == 2
        assert OFFICER not in (archived / "moderation.csv").read_text()

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
