"""A list is brought in by the command: all of it or nothing; the pages and files say what changes, before it counts."""

import csv
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.cli import main
from rahdari.journal.models import JournalEntry
from rahdari.licensees.models import ProviderList

from .lists import BOTH, a_list, row

pytestmark = pytest.mark.django_db
ONE, TWO = "A. One, Licensing", "B. Two, Law"


def today() -> dt.date:
    return timezone.localdate()


def bring(folder: Path, text: str, *more: str) -> int:
    (folder / "list.toml").write_text(text, encoding="utf-8")
    return main(["providers", "import", str(folder / "list.toml"), "--name", ONE, *more])


class TestImport:
    def test_takes_a_list_once(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert bring(tmp_path, a_list([row()], today())) == 0
        assert bring(tmp_path, "# a comment\n" + a_list([row()], today())) == 0
        assert "says the same" in capsys.readouterr().out
        assert ProviderList.objects.get().names == [ONE]
        assert JournalEntry.objects.filter(act="licensees.imported").count() == 1

    def test_says_each_fault_by_line_and_takes_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        good = a_list([row(), row("example-provider-two")], today())
        bad = good.replace("reported_on = 2026-01-10", "reported_on = 10.1.2026", 1)
        assert bring(tmp_path, bad) == 1 and "This is not TOML" in capsys.readouterr().err
        bad = good.replace("valid_from = 2026-01-15", 'valid_from = "15 January"', 1).replace(
            'licence = "data"', 'licence = "dta"', 1
        )
        assert bring(tmp_path, bad) == 1
        said = capsys.readouterr().err
        line = bad.split("\n").index('valid_from = "15 January"') + 1
        assert f"line {line}, licensees.providers.0.valid_from: This must be a day written like" in said
        assert "add [licensees.licences.dta]" in said and "Nothing was taken in" in said
        assert not ProviderList.objects.exists()

    def test_an_end_takes_two_persons_thirty_days_and_where_users_turn(
        self, tmp_path: Path, client: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert bring(tmp_path, a_list([row(), row("example-provider-two")], today())) == 0
        assert bring(tmp_path, a_list([row()], today())) == 1
        assert "'example-provider-two' is not in it any more" in capsys.readouterr().err
        soon, last = today() + dt.timedelta(days=3), today() + dt.timedelta(days=30)
        texts = {"why": "It gave its licence back.", "turn_to": "Ask Example Provider One."}
        ends = a_list([row(valid_until=soon, **texts), row("example-provider-two")], today())
        assert bring(tmp_path, ends, "--second", TWO) == 1
        assert "Its users are told 30 days before" in capsys.readouterr().err
        ends = a_list([row(), row("example-provider-two", valid_until=last, **texts)], today())
        assert bring(tmp_path, ends, "--second", ONE.lower()) == 1
        assert "takes two persons" in capsys.readouterr().err
        assert bring(tmp_path, ends, "--second", TWO) == 0

        page = client.get(reverse("licensees:provider", args=["example-provider-two"])).text
        assert "The licence ends: its last day is" in page and "Ask Example Provider One." in page
        rows = list(csv.DictReader(client.get(reverse("licensees:data", args=["changes.csv"])).text.splitlines()))
        assert (rows[0]["what"], rows[0]["effective_on"]) == ("ends", last.isoformat())
        assert rows[0]["told_at"][:10] < last.isoformat() and len(rows) == 3
        assert "It gave its licence back." in client.get(reverse("licensees:rss")).text
        listed = json.loads(client.get(reverse("licensees:data", args=["list.json"])).text)
        assert {each["key"]: each["standing"] for each in listed["providers"]} == {
            "example-provider-one": "valid",
            "example-provider-two": "ends",
        }
        assert listed["licences"]["data"]["records"][0]["keep"] == {"length": 6, "unit": "months"}

    def test_a_provider_in_force_is_put_off_as_it_is_ended(
        self, tmp_path: Path, client: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert bring(tmp_path, a_list([row()], today())) == 0
        begins = today() + dt.timedelta(days=300)
        later = row().replace("valid_from = 2026-01-15", f"valid_from = {begins}")
        assert bring(tmp_path, a_list([later], today())) == 1
        said = capsys.readouterr().err
        assert "valid_from: Its users are told 30 days before" in said and "takes two persons" in said
        texts = {"why": "A court ruled so.", "turn_to": "Ask the Authority.", "at_once": "The ruling counts at once."}
        for name, text in texts.items():
            later += f"{name} = {BOTH.format(text)}\n"
        assert bring(tmp_path, a_list([later], today()), "--second", TWO) == 0
        page = client.get(reverse("licensees:provider", args=["example-provider-one"])).text
        assert "A change for its users" in page and "A court ruled so." in page and "The licence ends" not in page
        rows = list(csv.DictReader(client.get(reverse("licensees:data", args=["changes.csv"])).text.splitlines()))
        assert (rows[0]["what"], rows[0]["effective_on"]) == ("later", today().isoformat())
        assert "has no licence from" in client.get(reverse("licensees:rss")).text

    def test_the_first_list_is_held_against_a_policy_that_has_the_regulators_own(
        self, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rules = Path("src/rahdari/policy/pakistan.toml").read_text(encoding="utf-8")
        settings.POLICY_FILE = tmp_path / "policy.toml"
        own = a_list([row()], today())
        bundled = r"(?ms)^\[licensees\]$.*?(?=^\[{1,2}(?!licensees|\[))"
        settings.POLICY_FILE.write_text(re.sub(bundled, lambda _found: own, rules), encoding="utf-8")
        assert bring(tmp_path, a_list([], today())) == 1
        assert "'example-provider-one' is not in it any more" in capsys.readouterr().err
        assert bring(tmp_path, a_list([row()], today())) == 0
        assert not ProviderList.objects.get().takes_two

    def test_the_database_keeps_each_list_and_asks_for_the_second_name(self, tmp_path: Path) -> None:
        assert bring(tmp_path, a_list([row()], today())) == 0
        for statement in (
            "UPDATE licensees_providerlist SET text = ''",
            "DELETE FROM licensees_providerlist",
            *(
                f"INSERT INTO licensees_providerlist SELECT {values} FROM licensees_providerlist"
                for values in ("3, as_of, at, text, digest, names, false", "2, as_of, at, text, digest, names, true")
            ),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                connection.cursor().execute(statement)


@pytest.mark.parametrize("language", ["en", "ur"])
def test_what_only_reports_named_keeps_a_page_that_says_so(client: Client, tmp_path: Path, language: str) -> None:
    client.cookies["django_language"] = language
    assert bring(tmp_path, a_list([row()], today())) == 0
    page = client.get(reverse("licensees:provider", args=["zettabyte"]))
    assert page.status_code == 410 and "Zettabyte" in page.text
    if language == "en":
        assert "own list of" in page.text and "That does not say that it has no licence" in page.text
    assert client.get(reverse("licensees:provider", args=["nobody"])).status_code == 404


@pytest.mark.parametrize("language", ["en", "ur"])
def test_the_bundled_list_names_its_source_and_claims_no_more(client: Client, language: str) -> None:
    client.cookies["django_language"] = language
    page = client.get(reverse("licensees:providers")).text
    assert "Zettabyte" in page and "Crest VPN" in page
    one = client.get(reverse("licensees:provider", args=["zettabyte"]))
    assert one.status_code == 200
    if language == "en":
        assert "Public facts, not an official list" in page and "According to TechNadu" in page
        assert "there were 9 licensees. Named here are 7 whose names we found" in page
        assert "The Demonstration Authority has given no licence." in page
        assert ">Reported</span>" in page and ">Valid<" not in page
        assert "Kept for 2 years." in page and "A draft, not known to be in force" in page
        assert "We found no source that says what" in one.text
    assert client.get(reverse("licensees:provider", args=["nobody"])).status_code == 404
