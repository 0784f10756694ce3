"""What bodies outside measured: taken in by the command, shown as it was published, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import Error, transaction
from django.test import Client

from rahdari.cli import parser_for
from rahdari.journal.models import JournalEntry
from rahdari.ops.errors import Told
from rahdari.watch.models import Comparison
from tests.builders.publishing import an_operator
from tests.difference.test_result import a_row
from tests.urdu import page_problems

pytestmark = pytest.mark.django_db
HERE, AT = "/status/connections/", "https://institute.example/w48"


def page(language: str = "en") -> str:
    answer = Client(headers={"accept-language": language}).get(HERE)
    assert answer.status_code == 200
    return str(answer.text)


def take_in(
    path: Path,
    *rows: dict[str, Any],
    body: str = "Sample Institute",
    url: str = "https://institute.example/w48",
    **more: str,
) -> str:
    path.write_text(json.dumps({"rules_version": 1, "weeks": list(rows)}))
    options = [word for name, value in more.items() for word in (f"--{name}", value)]
    given = parser_for("watch").parse_args(["watch", "take-in", str(path), "--body", body, "--url", url, *options])
    given.run(given)
    return Comparison.objects.order_by("-taken_at")[0].sha256


def test_without_any_says_so_and_how_it_is_done() -> None:
    for language in ("en", "ur"):
        assert "docs/difference.md" in page(language)
    assert "No body has published anything yet." in page()
    assert Client().get(f"{HERE}difference.json").json() == {"comparisons": []}


def test_shows_a_file_as_it_was_published_and_a_correction_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "w48.json"
    first = take_in(file, a_row("no_difference"), a_row("difference", protocol="wireguard"))
    shown = page()
    for word in ("Sample Institute", "https://institute.example/w48", "2026-W47", "WireGuard", "No difference"):
        assert word in shown
    assert JournalEntry.objects.filter(act="watch.took_in").count() == 1
    with pytest.raises(Told, match="already"):
        take_in(file, a_row("no_difference"), a_row("difference", protocol="wireguard"))
    with pytest.raises(Told, match="--corrects"):
        take_in(file, a_row("not_enough"))
    with pytest.raises(Told, match="No file of Other Institute"):
        take_in(file, a_row("not_enough"), body="Other Institute", corrects=first[:12])
    second = take_in(file, a_row("not_enough"), corrects=first[:12])
    with pytest.raises(Told, match="begins with"):
        take_in(file, a_row("not_enough", pairs=3), corrects=first)
    told = Client().get(f"{HERE}difference.json").json()["comparisons"]
    assert [(each["sha256"], each["corrects"], len(each["weeks"])) for each in told] == [
        (second, first, 1), (first, None, 2),
    ]  # fmt: skip
    shown = page()
    assert shown.count("2026-W47") == 3 and "Both are on this page." in shown and "an earlier file" in shown
    assert page_problems(page("ur")) == []
    for act in (lambda: Comparison.objects.update(body="Another"), lambda: Comparison.objects.all().delete()):
        with pytest.raises(Error), transaction.atomic():
            act()


def test_takes_nothing_of_an_operator_and_nothing_that_names_one(tmp_path: Path) -> None:
    an_operator(name="Sample Fibre")
    file = tmp_path / "x.json"
    for wrong in (
        {"body": "sample-fibre"},
        {"body": "Sample Fibre"},
        {"body": " "},
        {"url": "http://institute.example"},
    ):
        with pytest.raises(Told):
            take_in(file, a_row("no_difference"), **wrong)  # type: ignore[arg-type]
    with pytest.raises(Told, match="never 'operator'"):
        take_in(file, a_row("no_difference") | {"operator": "Sample Fibre"})
    assert not Comparison.objects.exists()
