"""JSON and CSV files for other programs to read.

A file is written beside its place, flushed to the disk and moved there: a reader finds the old file or the new one,
whole. The same entries give the same bytes.
"""

import csv
import hashlib
import io
import ipaddress
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .configuration import FileTarget
from .faults import AgentFault, Exit
from .state import Held, Position

COLUMNS = ("prefix", "protocol", "port", "not_before", "not_after", "id", "kept_stale")


class FileNotWritten(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} could not be written: {error.strerror}. The file that was there is still there.",
            "Make room, or let the agent's user write to this folder.",
        )


@dataclass(frozen=True)
class Row:
    """An entry that counts now. `kept_stale`: it has ended, and is kept because the feed is stale."""

    entry: Held
    kept_stale: bool


def as_json(position: Position, rows: Sequence[Row]) -> bytes:
    head = {"format": "1.0", "session": position.session, "sequence": position.sequence, "digest": position.digest}
    lines = [json.dumps(name) + ":" + json.dumps(value) for name, value in head.items()]
    items = [json.dumps({**row.entry._asdict(), "kept_stale": row.kept_stale}, separators=(",", ":")) for row in rows]
    entries = "[\n" + ",\n".join(items) + "\n]" if items else "[]"
    return ("{" + ",\n".join([*lines, f'"entries":{entries}']) + "}\n").encode()


def as_csv(position: Position, rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        values = row.entry._asdict()
        writer.writerow({**values, "port": values["port"] or "", "kept_stale": "yes" if row.kept_stale else "no"})
    return text.getvalue().encode()


FORMATS: dict[str, Callable[[Position, Sequence[Row]], bytes]] = {"json": as_json, "csv": as_csv}


def in_order(rows: Sequence[Row]) -> list[Row]:
    """By address, so that a person can find one and a comparison shows what changed."""

    def key(row: Row) -> tuple[int, int, int, str, int, str]:
        network = ipaddress.ip_network(row.entry.prefix)
        address = int(network.network_address)
        return (network.version, address, network.prefixlen, row.entry.protocol, row.entry.port or 0, row.entry.id)

    return sorted(rows, key=key)


def write(target: FileTarget, content: bytes) -> None:
    """Raises FileNotWritten."""
    # One name: what a killed agent left there is overwritten. The state's lock keeps a second agent away.
    beside = target.path.with_name(f".{target.path.name}.new")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target.path)
        folder = os.open(target.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise FileNotWritten(target.path, error) from error


def stands(target: FileTarget) -> str:
    """The digest of what stands there now, or nothing."""
    try:
        return hashlib.sha256(target.path.read_bytes()).hexdigest()
    except OSError:
        return ""
