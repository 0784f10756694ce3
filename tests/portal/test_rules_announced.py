"""Rules that are to come, and all that were: as anybody reads them."""

import argparse
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from rahdari import policy
from rahdari.policy import commands
from tests.in_browser import faults_on_a_small_phone
from tests.urdu import page_problems

pytestmark = pytest.mark.django_db
TEXT = (
    policy.SHIPPED["declaration"]
    .read_text(encoding="utf-8")
    .replace('name = "", office = "", on = ""', 'name = "Sample", office = "Law officer", on = 2026-11-01')
)
IN_USE = TEXT.replace("demonstration = true", "demonstration = false")
DRAFT = IN_USE.replace("endpoints_per_application = 5", "endpoints_per_application = 4").replace(
    'version = "declaration-', 'version = "draft-', 1
)


@pytest.fixture
def announced(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A register in use, and a draft that takes something away and something that is only a fact."""
    settings.DATA = tmp_path / "data"
    settings.POLICY_FILE = commands.in_force(settings.DATA)
    monkeypatch.setenv("RAHDARI_DATA", str(settings.DATA))
    parser = argparse.ArgumentParser()
    commands.register(parser.add_subparsers(dest="command", required=True))
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text(IN_USE, encoding="utf-8")
    other.write_text(DRAFT, encoding="utf-8")
    for words in (
        ["use", str(one), "--name", "Sample One, Chair", "--second", "Sample Two, Law officer"],
        ["announce", str(other), "--name", "Sample One, Chair"],
    ):
        arguments = parser.parse_args(["policy", *words])
        assert arguments.run(arguments) == 0
    return other


def test_the_rules_name_two_persons_and_what_is_to_come(client: Client, announced: Path) -> None:
    page = client.get(reverse("portal:rules")).text
    assert "<bdi>Sample One, Chair</bdi>; <bdi>Sample Two, Law officer</bdi>" in page
    assert policy.load(settings.POLICY_FILE).digest in page
    assert reverse("portal:rules_announced") in page


@pytest.mark.parametrize(("language", "says"), [("en", "May go against somebody"), ("ur", "کسی کے خلاف جا سکتا ہے")])
def test_what_changes_is_told_by_whom_it_hits(client: Client, announced: Path, language: str, says: str) -> None:
    client.cookies["django_language"] = language
    page = client.get(reverse("portal:rules_announced")).text
    against = page.index(says)
    assert against < page.index("limits.endpoints_per_application") < page.index(">version<")
    assert language == "en" or page_problems(page) == []


def test_programs_read_each_version_and_its_text(client: Client, announced: Path) -> None:
    found = client.get(reverse("portal:rules_versions")).json()
    assert [(each["act"], len(each["names"])) for each in found["events"]] == [("in_force", 2), ("announced", 1)]
    assert found["in_force"] == found["events"][0]["digest"]
    assert client.get(found["events"][1]["text"]).text == DRAFT
    assert client.get(reverse("portal:rules_version", args=["0" * 64])).status_code == 404


def test_under_a_demonstration_it_is_told_as_what_it_is_and_takes_no_notice(
    client: Client, announced: Path, settings: Any
) -> None:
    settings.POLICY_FILE.write_text(TEXT, encoding="utf-8")
    page = client.get(reverse("portal:rules_announced")).text
    assert "These are demonstration rules, and nobody depends on them. New rules can start on any day." in page
    assert page.index("May go against somebody") < page.index("limits.endpoints_per_application")
    assert "Nothing in it puts anybody at a disadvantage" not in page


def test_where_nothing_is_announced_it_says_so(client: Client) -> None:
    assert "Nothing is announced." in client.get(reverse("portal:rules_announced")).text


@pytest.mark.browser
@pytest.mark.whole
@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(
    client: Client, announced: Path, language: str
) -> None:
    client.cookies["django_language"] = language
    pages = [(name, client.get(reverse(f"portal:{name}")).text) for name in ("rules", "rules_announced")]
    assert faults_on_a_small_phone(pages, language) == []
