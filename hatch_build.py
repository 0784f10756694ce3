"""Compiles the catalogues of translations while a wheel is built: `.po` is kept in the repository, `.mo` is not."""

import os
import tempfile
from pathlib import Path
from typing import Any

import polib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def compile_catalogues(root: Path) -> list[Path]:
    """Write every `.mo` below `root` that is missing or older than its `.po`; return those that were written."""
    written = []
    for source in sorted(root.glob("src/rahdari/**/locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        # The time of the source is read first: a source changed while we read it is compiled again next time.
        times = source.stat()
        descriptor, draft = tempfile.mkstemp(dir=target.parent, suffix=".mo.tmp")
        with os.fdopen(descriptor, "wb") as file:
            file.write(polib.pofile(str(source)).to_binary())
        Path(draft).chmod(0o644)
        os.utime(draft, ns=(times.st_atime_ns, times.st_mtime_ns))
        Path(draft).replace(target)
        written.append(target)
    return written


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        compile_catalogues(Path(self.root))
