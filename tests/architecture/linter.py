"""Run import-linter with the contracts of `house`: `python -m tests.architecture.linter` in the root of the tree."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import house


def lint_imports(root: Path) -> str:
    """The linter's report on the tree at `root`, which has src/rahdari."""
    command = Path(sys.executable).parent / "lint-imports"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "contracts.toml"
        config.write_text(as_toml(root / "src" / "rahdari"))
        ran = subprocess.run(
            [command, config, "--no-cache"],
            cwd=root,
            # So wide that no line is wrapped.
            env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "500"},
            capture_output=True,
            text=True,
            check=False,
        )
    return ran.stdout + ran.stderr


def as_toml(package: Path) -> str:
    """The linter's settings. What JSON writes of texts, lists and truth values is TOML too."""
    lines = ["[tool.importlinter]", 'root_package = "rahdari"', "include_external_packages = true"]
    for contract in house.contracts(package):
        lines += ["[[tool.importlinter.contracts]]", *(f"{key} = {json.dumps(said)}" for key, said in contract.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    report = lint_imports(Path.cwd())
    print(report)
    sys.exit("0 broken" not in report)
