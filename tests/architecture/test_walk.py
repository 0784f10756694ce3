"""docs/workflow.md names files and functions: each must be there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(?:src/rahdari/)?([a-z_]+(?:/[a-z_]+)*\.py)(?::([A-Za-z_]+))?`")


def names_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    }


def test_every_file_and_function_of_the_walk_is_in_the_code() -> None:
    missing = []
    named = NAMED.findall((ROOT / "docs" / "workflow.md").read_text())
    for file, name in named:
        path = ROOT / "src" / "rahdari" / file
        if not path.is_file() or (name and name not in names_in(path)):
            missing.append(f"{file}:{name}")
    assert len(named) > 40
    assert missing == []
