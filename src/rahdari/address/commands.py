"""`rahdari directory import FILE` puts a newer directory into the data folder; `directory show ADDRESS` asks it.

A row that is wrong is counted, named with its line, and left out; a file without one good row changes nothing.
"""

import argparse
import os
import sys
from pathlib import Path

from . import directory
from .block import AddressError, parse_block

FAULTS = {
    directory.RowFault.COLUMNS: "there are not three columns",
    directory.RowFault.ASN: "the number of the network is not one from 1 to 4294967295",
    directory.RowFault.ORGANISATION: "the name is empty, too long, or holds control characters",
    directory.RowFault.PREFIX: "the prefix is not one",
    directory.RowFault.SPECIAL_USE: "the prefix lies in a range that belongs to nobody",
    directory.RowFault.REPEATED: "the prefix was in an earlier row",
}
REASONS = {
    "missing": "the file cannot be read",
    "too_big": f"the file is larger than {directory.LARGEST_FILE // 1024 // 1024} MB",
    "not_text": "the file is not CSV in UTF-8",
    "header": f"the first line is not {','.join(directory.COLUMNS)}",
    "empty": "the file has no row that could be taken",
}
MOST_SHOWN = 20


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("directory", help="import the directory of networks and operators")
    acts = parser.add_subparsers(dest="act", required=True)
    take = acts.add_parser("import", help="put a newer file (asn,organisation,prefix) in place of the one in use")
    take.add_argument("file", type=Path)
    take.set_defaults(run=import_file)
    show = acts.add_parser("show", help="say which network announces an address")
    show.add_argument("address")
    show.set_defaults(run=show_origin)


def in_use(data: Path) -> Path:
    """Where the data folder keeps the imported file."""
    return data / "directory" / "networks.csv"


def _data() -> Path:
    return Path(os.environ.get("RAHDARI_DATA", ".data")).absolute()


def import_file(arguments: argparse.Namespace) -> int:
    try:
        report = directory.import_csv(arguments.file, in_use(_data()))
    except directory.DirectoryError as error:
        print(f"{error.path}: {REASONS[error.reason]}. The directory in use stays as it was.", file=sys.stderr)
        return 1
    print(
        f"Rows taken: {report.accepted}, left out: {len(report.rejected)}. The running service takes them up by itself."
    )
    for line, fault in report.rejected[:MOST_SHOWN]:
        print(f"  line {line}: {FAULTS[fault]}")
    if len(report.rejected) > MOST_SHOWN:
        print(f"  and {len(report.rejected) - MOST_SHOWN} more")
    return 0


def show_origin(arguments: argparse.Namespace) -> int:
    try:
        block = parse_block(arguments.address)
    except AddressError as error:
        hint = f" Did you mean {error.suggestion}?" if error.suggestion else ""
        print(f"{arguments.address!r} is not an address or prefix.{hint}", file=sys.stderr)
        return 1
    directory.configure(in_use(_data()))
    origin = directory.current().origin(block)
    print(
        directory.describe(origin)
        if origin
        else "No listed network announces all of it. That is no ground for refusal."
    )
    return 0
