"""Which network may originate a prefix, as the holders of address space have signed it in the RPKI.

What is imported is the export of a validator (rpki-client, Routinator): it has checked every signature, so nothing here
does. One payload says "this network may announce this prefix, down to that length" (RFC 9582). `validity` is route
origin validation (RFC 6811); `authority` asks the other way round, for a block inside what is announced: who was named
for the space around it, at whatever length.

Invariants: an export is taken whole or not at all, in one rename; one without a payload changes nothing; how old it is
stays with it. A payload is evidence for somebody, never a ground against: most address space has none.
"""

import datetime as dt
import ipaddress
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rahdari.errors import RahdariError

from .block import Block

LARGEST_FILE = 512 * 1024 * 1024
LARGEST_ASN = 2**32 - 1
# Older, it may name a network that has long given the space back.
STALE_AFTER = dt.timedelta(days=2)
_TABLES = """
CREATE TABLE payload (version INTEGER, length INTEGER, network BLOB, asn INTEGER, most INTEGER, anchor TEXT,
                      PRIMARY KEY (version, length, network, asn, most)) WITHOUT ROWID;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


class Validity(StrEnum):
    """RFC 6811 2: of a route, a prefix and the network that announces it."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_FOUND = "not_found"


class Authority(StrEnum):
    """Of a block and a network: named for space that holds the block; only others named; nobody named."""

    NAMED = "named"
    OTHERS = "others"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Payload:
    """A validated ROA payload. `most` is the longest prefix that may be announced of it; network 0 announces none."""

    prefix: Block
    most: int
    asn: int
    anchor: str = ""

    def as_data(self) -> dict[str, Any]:
        return {"prefix": str(self.prefix), "most": self.most, "asn": self.asn, "anchor": self.anchor}


class ExportError(RahdariError):
    """The file as a whole is no export. `.path`, `.reason` (missing, too_big, not_json, no_roas, empty)."""

    says = "{path}: {reason}"
    path: Path
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """How many payloads were taken, how many could not be read, and when the validator made the export."""

    accepted: int
    rejected: int
    built_at: dt.datetime | None


def validity(prefix: Block, asn: int, payloads: Iterable[Payload]) -> Validity:
    """RFC 6811 2, from the payloads that cover the prefix (others may be among them)."""
    covering = [payload for payload in payloads if _covers(payload.prefix, prefix)]
    if any(payload.asn == asn != 0 and prefix.prefixlen <= payload.most for payload in covering):
        return Validity.VALID
    return Validity.INVALID if covering else Validity.NOT_FOUND


def authority(block: Block, asn: int, payloads: Iterable[Payload]) -> Authority:
    """Whether the network was named for space that holds all of the block."""
    covering = [payload for payload in payloads if _covers(payload.prefix, block)]
    if any(payload.asn == asn != 0 for payload in covering):
        return Authority.NAMED
    return Authority.OTHERS if covering else Authority.NOBODY


def read_export(path: Path) -> tuple[list[Payload], ImportReport]:
    """The JSON of rpki-client and Routinator. Raises ExportError."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ExportError(path, "too_big")
        data = json.loads(path.read_bytes())
    except OSError:
        raise ExportError(path, "missing") from None
    except (ValueError, RecursionError):
        raise ExportError(path, "not_json") from None
    rows = data.get("roas") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise ExportError(path, "no_roas")
    payloads: list[Payload] = []
    for row in rows:
        try:
            payloads.append(_payload(row))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    if not payloads:
        raise ExportError(path, "empty")
    return payloads, ImportReport(len(payloads), len(rows) - len(payloads), _built_at(data.get("metadata")))


def import_export(path: Path, into: Path) -> ImportReport:
    """Put an export in place of the one in use. Raises ExportError; then nothing is changed."""
    payloads, report = read_export(path)
    into.parent.mkdir(parents=True, exist_ok=True)
    draft = into.with_name(f"{into.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft)) as store, store:
            store.executescript(_TABLES)
            store.executemany("INSERT OR IGNORE INTO payload VALUES (?, ?, ?, ?, ?, ?)", map(_row, payloads))
            built_at = report.built_at.isoformat() if report.built_at else ""
            store.executemany("INSERT INTO about VALUES (?, ?)", [("built_at", built_at)])
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(into)
    finally:
        draft.unlink(missing_ok=True)
    return report


@dataclass(frozen=True)
class Payloads:
    """The export in use. Each question reads the file anew: an import takes effect with the next."""

    path: Path

    @property
    def is_there(self) -> bool:
        return self.path.is_file()

    def built_at(self) -> dt.datetime | None:
        """When the validator made it; None when it did not say, or there is none."""
        if not self.is_there:
            return None
        with self._store() as store:
            [text] = store.execute("SELECT value FROM about WHERE name = 'built_at'").fetchone() or [""]
        return dt.datetime.fromisoformat(text) if text else None

    def is_stale(self, now: dt.datetime) -> bool:
        """Whether it is too old to be evidence, or does not say how old it is."""
        built_at = self.built_at()
        return built_at is None or now - built_at > STALE_AFTER

    def covering(self, block: Block) -> list[Payload]:
        """The payloads for space that holds all of the block, the widest first."""
        if not self.is_there:
            return []
        wider = [(length, block.supernet(new_prefix=length)) for length in range(block.prefixlen + 1)]
        found: list[Payload] = []
        with self._store() as store:
            for length, prefix in wider:
                rows = store.execute(
                    "SELECT asn, most, anchor FROM payload WHERE version = ? AND length = ? AND network = ? "
                    "ORDER BY asn, most",
                    [block.version, length, prefix.network_address.packed],
                )
                found += [Payload(prefix, most, asn, anchor) for asn, most, anchor in rows]
        return found

    @contextmanager
    def _store(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro&immutable=1", uri=True)) as store:
            yield store


def _covers(wide: Block, narrow: Block) -> bool:
    return wide.version == narrow.version and wide.supernet_of(narrow)  # type: ignore[arg-type]


def _payload(row: dict[str, Any]) -> Payload:
    prefix = ipaddress.ip_network(row["prefix"])
    given = row["asn"]
    asn = int(given.upper().removeprefix("AS")) if isinstance(given, str) else given
    most = row.get("maxLength", prefix.prefixlen)
    if type(asn) is not int or type(most) is not int:
        raise ValueError
    if not 0 <= asn <= LARGEST_ASN or not prefix.prefixlen <= most <= prefix.max_prefixlen:
        raise ValueError
    return Payload(prefix, most, asn, str(row.get("ta", ""))[:40])


def _row(payload: Payload) -> tuple[int, int, bytes, int, int, str]:
    prefix = payload.prefix
    return (
        prefix.version,
        prefix.prefixlen,
        prefix.network_address.packed,
        payload.asn,
        payload.most,
        payload.anchor,
    )


def _built_at(metadata: Any) -> dt.datetime | None:
    """rpki-client writes `buildtime`, Routinator `generatedTime`; both in ISO 8601, UTC."""
    if not isinstance(metadata, dict):
        return None
    for name in ("buildtime", "generatedTime"):
        try:
            at = dt.datetime.fromisoformat(str(metadata.get(name)))
        except ValueError:
            continue
        return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)
    return None
