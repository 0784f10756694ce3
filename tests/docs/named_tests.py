"""Tests that a page names, as `room/test_module.py::TestClass::test_function`."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


def missing_tests(cells: Iterable[str]) -> list[str]:
    """Those named in these cells that are not there."""
    named = sorted({name for cell in cells for name in re.findall(r"`([a-z_/]+\.py[^`]*)`", cell)})
    bodies = {path: _body(path) for path in {name.split("::")[0] for name in named}}
    return [name for name in named if not _holds(bodies[name.split("::")[0]], name.split("::")[1:])]


def _body(path: str) -> list[ast.stmt] | None:
    file = TESTS / path
    return ast.parse(file.read_text(encoding="utf-8")).body if file.is_file() else None


def _holds(body: list[ast.stmt] | None, names: list[str]) -> bool:
    if body is None or not names:
        return body is not None
    inner = [node.body for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == names[0]]
    return bool(inner) and _holds(inner[0], names[1:])
