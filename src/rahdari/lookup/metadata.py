"""What an operator's metadata say: which editions are the heads, and which files lead to them.

The files are the publisher's own, read where it wrote them. What one file says of the next (version, length, hash) is
held against it, so that a damaged or half-copied folder is noticed; signatures are for agents to verify, who got the
files from somewhere else.
"""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from rahdari.feed import FeedFile, Head, Malformed, Stamp, live_files
from rahdari.feed.entry import is_time, parse_time

if TYPE_CHECKING:
    from tuf.api.metadata import Targets

# What python-tuf reads at most of each.
TIMESTAMP_BYTES, SNAPSHOT_BYTES, ROLE_BYTES = 16_384, 2_000_000, 5_000_000


@dataclass(frozen=True)
class Stamped:
    """A timestamp: when it was signed, until when it vouches, the heads, and the snapshot it names."""

    version: int
    stamp: Stamp
    fresh_until: dt.datetime
    snapshot: dict[str, Any]


@dataclass(frozen=True)
class Described:
    """The metadata of one role: the edition at its head, and the files."""

    head: Head
    files: tuple[FeedFile, ...]


def read_timestamp(metadata: Path) -> Stamped:
    """Raises OSError, Malformed, UnsupportedFormat."""
    signed = _signed(_read(metadata / "timestamp.json", TIMESTAMP_BYTES), "timestamp")
    until = signed.get("expires")
    if not is_time(until):
        raise Malformed("the timestamp does not say until when")
    return Stamped(
        version=_version(signed),
        stamp=Stamp.from_json(signed.get("feed")),
        fresh_until=parse_time(str(until)),
        snapshot=_meta(signed, "snapshot.json"),
    )


def read_role(metadata: Path, stamped: Stamped, role: str) -> Described:
    """What the timestamp leads to, for one role. Raises OSError, Malformed, UnsupportedFormat."""
    content = _named(metadata, "snapshot", stamped.snapshot, SNAPSHOT_BYTES)
    meta = _meta(_signed(content, "snapshot"), f"{role}.json")
    signed = _signed(_named(metadata, role, meta, ROLE_BYTES), "targets")
    targets = signed.get("targets")
    if not isinstance(targets, dict) or not all(_is_target(target) for target in targets.values()):
        raise Malformed(f"role {role} has no targets")
    described = SimpleNamespace(
        targets={
            path: SimpleNamespace(unrecognized_fields=target, hashes=target["hashes"], length=target["length"])
            for path, target in targets.items()
        }
    )
    # The shape is python-tuf's, whose signatures nobody needs here.
    return Described(Head.from_json(signed.get("head")), tuple(live_files(cast("Targets", described), role=role)))


def _named(metadata: Path, role: str, meta: dict[str, Any], most: int) -> bytes:
    content = _read(metadata / f"{_version(meta)}.{role}.json", most)
    if meta.get("length", len(content)) != len(content):
        raise Malformed(f"the metadata of {role} have another length than promised")
    hashes = meta.get("hashes")
    promised = hashes.get("sha256") if isinstance(hashes, dict) else None
    if promised is not None and promised != hashlib.sha256(content).hexdigest():
        raise Malformed(f"the metadata of {role} have another SHA-256 than promised")
    if _version(_signed(content, "snapshot" if role == "snapshot" else "targets")) != _version(meta):
        raise Malformed(f"the metadata of {role} have another version than promised")
    return content


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Malformed(f"{path.name} has more than {most} bytes")
    return content


def _signed(content: bytes, kind: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise Malformed(f"the {kind} metadata are no JSON") from None
    signed = value.get("signed") if isinstance(value, dict) else None
    if not isinstance(signed, dict) or signed.get("_type") != kind:
        raise Malformed(f"these are no {kind} metadata")
    return signed


def _meta(signed: dict[str, Any], name: str) -> dict[str, Any]:
    meta = signed.get("meta")
    found = meta.get(name) if isinstance(meta, dict) else None
    if not isinstance(found, dict):
        raise Malformed(f"the metadata do not name {name}")
    return found


def _version(value: dict[str, Any]) -> int:
    version = value.get("version")
    if type(version) is not int or version < 1:
        raise Malformed("the metadata lack a version")
    return version


def _is_target(target: object) -> bool:
    return isinstance(target, dict) and isinstance(target.get("hashes"), dict) and type(target.get("length")) is int
