"""The bounds of the house, held: on today's code, and (test_rules_bite) against planted faults."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

from . import house, rules
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
    floor = {room: place for place, rooms in enumerate(house.FLOORS) for room in rooms}
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
