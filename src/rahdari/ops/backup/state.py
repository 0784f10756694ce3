"""What a data folder knows of its backups, for the next one, `doctor` and the metrics. Standard library only."""

import json
from pathlib import Path
from typing import Any

# Also read by `publish.metrics`.
NAME = "backup/state.json"


def noted(data: Path) -> dict[str, Any]:
    """`backup` (as in backup.json), `proved` (the last rehearsal: `backup`, `at`), `target`; empty before the first."""
    try:
        return dict(json.loads((data / NAME).read_text()))
    except (OSError, ValueError):
        return {}


def note(data: Path, found: dict[str, Any]) -> None:
    path = data / NAME
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(found, indent=1) + "\n")
    draft.replace(path)
