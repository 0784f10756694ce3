"""`rahdari rpki import FILE` takes a validator's export into the data folder; `rpki show PREFIX` asks it."""

import argparse
import os
import sys
from pathlib import Path

from . import directory, rpki
from .block import AddressError, Block, parse_block

WRITTEN = "rpki-client writes it with -j, Routinator with `vrps --format json`"
REASONS = {
    "missing": "the file cannot be read",
    "too_big": f"the file is larger than {rpki.LARGEST_FILE // 1024 // 1024} MB",
    "not_json": f"the file is not JSON; {WRITTEN}",
    "no_roas": f"there is no list `roas` in the file; {WRITTEN}",
    "empty": "the file holds no payload that could be read",
}
SAID = {
    rpki.Authority.NAMED: "AS{asn} is named for it.",
    rpki.Authority.OTHERS: "Others are named for it, AS{asn} is not. That is no ground for refusal.",
    rpki.Authority.NOBODY: "Nobody is named for it. That is no ground for refusal.",
}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("rpki", help="import what the holders of address space have signed")
    acts = parser.add_subparsers(dest="act", required=True)
    take = acts.add_parser("import", help="put a newer export of rpki-client or Routinator in place of the one in use")
    take.add_argument("file", type=Path)
    take.set_defaults(run=import_file)
    show = acts.add_parser("show", help="say which networks are named for a prefix")
    show.add_argument("prefix")
    show.add_argument("--network", help="such as AS64496; else the one that the directory names")
    show.set_defaults(run=show_payloads)


def in_use(data: Path) -> Path:
    """Where the data folder keeps the imported export."""
    return data / "directory" / "rpki.sqlite3"


def _data() -> Path:
    return Path(os.environ.get("RAHDARI_DATA", ".data")).absolute()


def import_file(arguments: argparse.Namespace) -> int:
    try:
        report = rpki.import_export(arguments.file, in_use(_data()))
    except rpki.ExportError as error:
        print(f"{error.path}: {REASONS[error.reason]}. The export in use stays as it was.", file=sys.stderr)
        return 1
    made = f"made {report.built_at:%Y-%m-%d %H:%M} UTC" if report.built_at else "of unknown age: it is no evidence"
    print(f"Payloads taken: {report.accepted}, left out: {report.rejected}; {made}.")
    return 0


def show_payloads(arguments: argparse.Namespace) -> int:
    try:
        block = parse_block(arguments.prefix)
    except AddressError as error:
        hint = f" Did you mean {error.suggestion}?" if error.suggestion else ""
        print(f"{arguments.prefix!r} is not an address or prefix.{hint}", file=sys.stderr)
        return 1
    payloads = rpki.Payloads(in_use(_data()))
    if not payloads.is_there:
        print("No export was imported yet. Run: rahdari rpki import FILE", file=sys.stderr)
        return 1
    covering = payloads.covering(block)
    for payload in covering:
        print(f"{payload.prefix} down to /{payload.most}: AS{payload.asn} ({payload.anchor or 'no anchor named'})")
    asn = _asn(arguments.network, block)
    if asn is None:
        print("Name a network with --network AS64496: the directory knows none that announces it.", file=sys.stderr)
        return 1
    print(SAID[rpki.authority(block, asn, covering)].format(asn=asn))
    print(f"As a route it is {rpki.validity(block, asn, covering).replace('_', ' ')} (RFC 6811).")
    return 0


def _asn(given: str | None, block: Block) -> int | None:
    if given is None:
        from .commands import in_use as networks

        directory.configure(networks(_data()))
        origin = directory.current().origin(block)
        return origin.asn if origin else None
    text = given.upper().removeprefix("AS")
    return int(text) if text.isascii() and text.isdecimal() and int(text) <= rpki.LARGEST_ASN else None
