"""Many addresses from a CSV."""

import argparse
import hashlib
from pathlib import Path
from typing import Any

from .calling import Json, Trouble
from .filing import key_of
from .terminal import DONE, YOUR_TURN, register_of, say


def addresses(given: argparse.Namespace) -> int:
    """Send a file, say what is wrong with its rows, add the good ones, keep the others for correction."""
    register = register_of(given)
    try:
        content = given.file.read_bytes()
    except OSError as error:
        raise Trouble(f"{given.file} cannot be read ({error.strerror}).") from None
    at = f"/applications/{given.reference}/address-files"
    digest = hashlib.sha256(content).hexdigest()
    file: Json = register.upload(at, {"file": (given.file.name, content)}, key=key_of("addresses", at, digest))
    one = f"{at}/{file['id']}"
    said: Json = {"added": [], "file": file}
    if given.add:
        said = register.post(f"{one}/add", {"mend": given.mend}, key=key_of("add", one, given.mend))
    left = said["file"]
    lines = [f"added {len(said['added'])}, left {left['waiting'] if left else 0}"]
    if left:
        lines += [line for row in left["rows"] for line in _row(row)]
    if left and given.corrected:
        given.corrected.write_bytes(register.get(f"{one}/corrected"))
        lines.append(f"The rows that are left, to be corrected: {given.corrected}")
    if left and given.add:
        # They stand in the file of the caller; a corrected one is sent anew.
        register.ask("DELETE", one)
    say(given, said, lines)
    return DONE if not left or (left["good"] == left["waiting"] and not given.add) else YOUR_TURN


def _row(row: Json) -> list[str]:
    faults = [
        f"  row {row['line']}, {fault['column']}: {fault['detail']}"
        + (f" Meant, probably: {fault['suggestion']}" if fault["suggestion"] else "")
        for fault in row["faults"]
    ]
    return faults + [f"  row {row['line']}: {note}" for note in row["notes"]]


def add_to(act: Any) -> None:
    """The arguments of these acts."""
    one = act("addresses", addresses, "Add many addresses from a CSV; rows with mistakes are told, and can be kept.")
    one.add_argument("reference")
    one.add_argument("file", type=Path)
    one.add_argument("--add", action="store_true", help="add the good rows; without it they are only looked at")
    one.add_argument("--mend", action="store_true", help="take what was probably meant, where that is known")
    one.add_argument("--corrected", type=Path, help="where to write the rows that are left")
