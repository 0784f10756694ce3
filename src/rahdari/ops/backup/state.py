"""What a data folder knows of its backups, for the next one, `doctor` and the metrics. Standard library only."""

import json
from pathlib import Path
from typing import Any

# Also read by `publish.metrics`.
NAME = "backup/state.json"


def noted(data: Path) -> dict[str, Any]:
    """`backup` (as in backup.json), `proved` (the last rehearsal: `backup`, `at`), `target`, `places` (of each the last
    backup that was verified there), `damaged` (objects of older backups), `fell` (what is less than it may be), and
    `counted` (as `facts.of` says it) in the database `counted_in`; empty before the first."""
    try:
        return dict(json.loads((data / NAME).read_text()))
    except (OSError, ValueError):
        return {}


def places(data: Path) -> dict[str, str]:
    """Where backups of this register were verified, and which was the last there."""
    found = noted(data)
    # Before `places` were noted, the last one was.
    last = {found["target"]: found["backup"]["id"]} if "target" in found else {}
    return last | dict(found.get("places", {}))


def note(data: Path, found: dict[str, Any]) -> None:
    path = data / NAME
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(found, indent=1) + "\n")
    draft.replace(path)
