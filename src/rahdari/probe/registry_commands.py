"""`rahdari registry import FILE...` says whom to ask who holds a block; `registry show PREFIX` asks."""

import argparse
import os
import sys
from pathlib import Path

from rahdari.address import AddressError, parse_block

from . import registry
from .registry import Found

SAID = {
    Found.NO_RECORD: "It has no record of this block.",
    Found.NOT_COVERED: "Its record does not hold the whole block.",
    Found.NO_REGISTRY: "No registry is listed for this block. Import IANA's files: rahdari registry import FILE",
    Found.UNREACHABLE: "It could not be reached. Proofs by its record wait until it can.",
    Found.BUSY: "It is busy, or limits how often we may ask. Try again later.",
    Found.MALFORMED: "What it answered cannot be read.",
}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("registry", help="who holds a block, as the regional registries publish it")
    acts = parser.add_subparsers(dest="act", required=True)
    take = acts.add_parser("import", help="use the files that IANA publishes for RDAP (ipv4.json, ipv6.json)")
    take.add_argument("files", type=Path, nargs="+")
    take.set_defaults(run=import_files)
    show = acts.add_parser("show", help="ask who holds a prefix")
    show.add_argument("prefix")
    show.set_defaults(run=show_record)


def in_use(data: Path) -> tuple[Path, ...]:
    """The files in use: the imported ones, else the one that comes along."""
    folder = data / "directory" / "registries"
    return tuple(sorted(folder.glob("*.json"))) or (registry.BUNDLED,)


def _data() -> Path:
    return Path(os.environ.get("RAHDARI_DATA", ".data")).absolute()


def import_files(arguments: argparse.Namespace) -> int:
    try:
        found = registry.read_registries(*arguments.files)
    except registry.RegistriesUnusable as error:
        print(f"{error}. Those in use stay as they were.", file=sys.stderr)
        return 1
    folder = _data() / "directory" / "registries"
    folder.mkdir(parents=True, exist_ok=True)
    drafts = [(folder / f"{number}.json", path.read_bytes()) for number, path in enumerate(arguments.files)]
    for target, content in drafts:
        draft = target.with_name(target.name + ".new")
        draft.write_bytes(content)
        draft.replace(target)
    for old in set(folder.glob("*.json")) - {target for target, _content in drafts}:
        old.unlink()
    print(f"Registries in use: {', '.join(sorted(found.hosts))}.")
    return 0


def show_record(arguments: argparse.Namespace) -> int:
    try:
        block = parse_block(arguments.prefix)
    except AddressError:
        print(f"{arguments.prefix!r} is not an address or prefix.", file=sys.stderr)
        return 1
    try:
        answer = registry.RdapRegistry(registry.read_registries(*in_use(_data()))).ask(block)
    except registry.RegistriesUnusable as error:
        print(f"{error}. Import IANA's files: rahdari registry import FILE", file=sys.stderr)
        return 1
    if answer.found is not Found.RECORD:
        print(f"{answer.source or 'Nobody was asked'}: {SAID[answer.found]}", file=sys.stderr)
        return 1
    print(f"{answer.source}: {answer.handle or 'no handle'}, {answer.first} to {answer.last}")
    for line in answer.lines:
        print(f"  remark: {line}")
    for contact in answer.contacts:
        print(f"  {contact.role}: {contact.address}")
    return 0
