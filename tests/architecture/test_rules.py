"""The bounds of the house, held: on today's code, and (test_rules_bite) against planted faults."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

from rahdari.proof.entry import FeedEntry
from rahdari.register import rules as register_rules
from rahdari.register.models import KINDS

from . import rules
from .linter import lint_imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "rahdari"


@pytest.mark.parametrize("rule", rules.ALL, ids=lambda rule: rule.__name__)
def test_the_code_keeps(rule: Callable[[Path], list[str]]) -> None:
    assert rule(PACKAGE) == []


def test_tests_do_not_outgrow_a_mind() -> None:
    assert rules.no_file_outgrows_a_mind(ROOT / "tests") == []


def test_imports_keep_to_the_floors() -> None:
    report = lint_imports(ROOT)
    assert "0 broken" in report, report


def test_foreign_keys_point_down() -> None:
    floor = {room: place for place, rooms in enumerate(rules.FLOORS) for room in rooms}
    broken = []
    for model in apps.get_models():
        here = model._meta.app_label
        if here not in floor:
            continue
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey | ManyToManyField) or field.related_model is None:
                continue
            there = field.related_model._meta.app_label
            if there in floor and there != here and floor[there] <= floor[here]:
                broken.append(f"{model._meta.label}.{field.name} -> {there}")
    assert broken == []


def test_every_room_says_what_it_owns() -> None:
    rooms = [path.parent for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "settings"]
    assert [room.name for room in rooms if not (room / "README.md").is_file()] == []


class TestTheFeed:
    FIELDS = ("id", "prefix", "protocol", "port", "not_before", "not_after")

    def test_an_entry_has_six_fields_and_no_identity(self) -> None:
        names = [name for name in FeedEntry.__dataclass_fields__ if name not in {"extra", "others", "unknown"}]
        assert sorted(names) == sorted(self.FIELDS)

    def test_the_register_gives_the_feed_nothing_else(self) -> None:
        annotations = register_rules.feed_fields.__annotations__
        assert sorted(name for name in annotations if name != "return") == sorted(
            ["feed_id", "block", "protocol", "port", "kind", "valid_from", "valid_until"]
        )

    def test_no_table_of_publish_has_a_column_for_a_person(self) -> None:
        personal = re.compile(r"name|cnic|mobile|phone|email|holder|person|applicant|user", re.IGNORECASE)
        columns = [
            f"{model.__name__}.{field.name}"
            for model in apps.get_app_config("publish").get_models()
            for field in model._meta.get_fields()
            if personal.search(field.name)
        ]
        # An operator's name is no person's, a credential's is a machine's; a stream may never have been named.
        ours = re.compile(r"Operator\.name|(Credential\.name|Stream\.unnamed)$")
        assert [column for column in columns if not ours.match(column)] == []


class TestMobileLines:
    """A line is told to its own operator over its own key, and to nobody else."""

    def test_no_table_that_is_published_from_reaches_a_line(self) -> None:
        lines = set(apps.get_app_config("mobile").get_models())
        for room in ("register", "publish"):
            for model in apps.get_app_config(room).get_models():
                for field in model._meta.get_fields():
                    # What points down at a registration is seen from there; nothing points up.
                    if not field.auto_created:
                        assert field.related_model not in lines, f"{model.__name__}.{field.name}"

    def test_no_module_that_publishes_names_the_room_or_its_words(self) -> None:
        named = re.compile(r"mobile_lines|rahdari\.mobile\b|mobile_line\b|reference_index")
        published = [
            path
            for room in ("publish", "proof", "push", "lookup", "agent", "register")
            for path in sorted((PACKAGE / room).rglob("*.py"))
        ]
        assert published
        assert [str(path) for path in published if named.search(path.read_text())] == []

    def test_the_kinds_of_entries_have_no_line_among_them(self) -> None:
        assert "mobile" not in KINDS and "line" not in KINDS

    def test_a_line_has_no_address(self) -> None:
        model = apps.get_model("mobile", "Line")
        assert [
            field.name for field in model._meta.get_fields() if re.search(r"block|address|port|asn", field.name)
        ] == []


class TestTheRepository:
    def files(self) -> list[Path]:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
        kinds = (".py", ".md", ".html", ".toml", ".txt", ".sh", ".service", ".yml", ".po", ".in")
        return [
            ROOT / name
            for name in listed.split("\0")
            if name.endswith(kinds) or name in {"rahdari", "test", "justfile"}
        ]

    def test_names_no_machine_path_and_no_registry(self) -> None:
        # Put together here, so that this file does not name them either.
        hosts = ("py" + "pi", "python" + "hosted", "npm" + "js")
        unwanted = re.compile(rf"(?:^|[\s\"'=`])/(?:work|root|farm)/[a-z]|\b(?:{'|'.join(hosts)})\.org\b", re.MULTILINE)
        found = [
            f"{path.relative_to(ROOT)}: {hit.group()}"
            for path in self.files()
            if path.is_file() and (hit := unwanted.search(path.read_text(errors="replace")))
        ]
        assert found == []

    def test_decisions_are_numbered_without_gaps(self) -> None:
        numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
        assert numbers == list(range(1, len(numbers) + 1))

    def test_the_index_of_decisions_names_each(self) -> None:
        index = (ROOT / "docs" / "adr" / "README.md").read_text()
        files = [path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")]
        assert [name for name in files if f"({name})" not in index] == []
