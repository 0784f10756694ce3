"""docs/glossary.md names every room, model and status of the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps

from tests.architecture import house

PAGE = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"


def named() -> set[str]:
    return set(re.findall(r"`([^`]+)`", PAGE.read_text(encoding="utf-8")))


def test_is_short() -> None:
    assert PAGE.read_text(encoding="utf-8").count("\n") < 140


def test_names_every_room_and_no_other() -> None:
    rooms = {path.parent.name for path in house.PACKAGE.glob("*/__init__.py")}
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == rooms


def test_names_every_model() -> None:
    models = {
        model.__name__
        for model in apps.get_models()
        if model.__module__.startswith("rahdari.") and not model._meta.proxy
    }
    assert sorted(models - named()) == []


def test_names_every_status() -> None:
    assert sorted({value for _name, value in statuses()} - named()) == []


def statuses() -> Iterator[tuple[str, str]]:
    """Of each enumeration of states: its name, and each value."""
    for path in house.PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ClassDef)
                and node.name.endswith(("State", "Status", "Standing"))
                and any(re.search("Enum|Choices", ast.unparse(base)) for base in node.bases)
            ):
                for line in node.body:
                    if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                        yield node.name, str(line.value.value)


def test_a_status_is_found() -> None:
    assert ("Status", "not_pursued") in set(statuses())
