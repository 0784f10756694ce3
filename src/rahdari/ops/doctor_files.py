"""The part of the doctor that looks whether the pages can use the folders that are theirs."""

import os
from collections.abc import Iterator
from pathlib import Path

from rahdari.ops.checks import OK, WRONG, Finding, Inspection

# Of the data folder: what the pages write, and what they read.
WRITTEN, READ = ("documents",), ("policy", "static", "directory")


def check_files(patient: Inspection) -> Iterator[Finding]:
    """As the user that this runs as, which is the pages': what is not there yet is made by whoever needs it."""
    closed = [*closed_folders(patient.data, WRITTEN, os.R_OK | os.W_OK | os.X_OK)]
    closed += closed_folders(patient.data, READ, os.R_OK | os.X_OK)
    owner = patient.data.stat().st_uid
    for folder in closed:
        text = (
            f"{folder} is closed to the pages: what is in it cannot be read, and nothing can be put there. Give it the "
        )
        yield Finding(
            WRONG, "folders", f"{text}owner of the data folder: chown -R {owner} {folder}; chmod -R u+rwX {folder}"
        )
    if not closed:
        yield Finding(OK, "folders", "the pages can use theirs")


def closed_folders(data: Path, names: tuple[str, ...], wanted: int) -> Iterator[Path]:
    """A folder, or one in it: documents lie one level deeper."""
    for name in names:
        place = data / name
        if not os.path.lexists(place):
            continue
        if not os.access(place, wanted):
            yield place
            continue
        yield from (each for each in sorted(place.iterdir()) if each.is_dir() and not os.access(each, wanted))
