"""Runs import-linter with the contracts of pyproject.toml on a tree."""

import os
import subprocess
import sys
from pathlib import Path


def lint_imports(root: Path) -> str:
    """The linter's report on the tree at `root` (which has a pyproject.toml and src/rahdari)."""
    command = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run(
        [command, "--config", root / "pyproject.toml", "--no-cache"],
        cwd=root,
        # So wide that no line is wrapped.
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr
