"""The operator directory: which network announces an address.

Invariants: the narrowest prefix that holds the whole block answers; a directory is never half loaded; an import
replaces the file in one rename, after every row was read. The directory is a hint and never a ground for refusal.
"""

import csv
import hashlib
import io
import ipaddress
import logging
import os
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

from rahdari.errors import RahdariError

from .block import Address, AddressError, Block, format_block, parse_block
from .special import special_use

BUNDLED = Path(__file__).parent / "data" / "pk-networks.csv"
COLUMNS = ("asn", "organisation", "prefix")
LARGEST_FILE = 64 * 1024 * 1024
LONGEST_NAME = 200
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """A network and the prefix that it announces."""

    asn: int
    organisation: str
    prefix: Block


class RowFault(StrEnum):
    COLUMNS = "columns"
    ASN = "asn"
    ORGANISATION = "organisation"
    PREFIX = "prefix"
    SPECIAL_USE = "special_use"
    REPEATED = "repeated"


@dataclass(frozen=True)
class ImportReport:
    """How many rows were taken, and each row that was not: its line and why."""

    accepted: int
    rejected: list[tuple[int, RowFault]] = field(default_factory=list)


class DirectoryError(RahdariError):
    """The file as a whole cannot be a directory. `.path`, `.reason` (missing, too_big, not_text, header, empty)."""

    says = "{path}: {reason}"
    path: Path
    reason: str


class Directory:
    """Longest match in a dictionary per prefix length. A prefix may have several origins; the one given last leads."""

    def __init__(self, origins: Iterable[Origin] = ()) -> None:
        self._tables: dict[int, dict[int, dict[int, tuple[Origin, ...]]]] = {4: {}, 6: {}}
        self._names: dict[int, str] = {}
        for origin in origins:
            table = self._tables[origin.prefix.version].setdefault(origin.prefix.prefixlen, {})
            number = int(origin.prefix.network_address)
            others = tuple(each for each in table.get(number, ()) if each.asn != origin.asn)
            table[number] = (*others, origin)
            self._names[origin.asn] = origin.organisation
        self._lengths = {version: sorted(tables, reverse=True) for version, tables in self._tables.items()}
        self._ranges = {version: self._merged(version) for version in (4, 6)}

    @classmethod
    def bundled(cls) -> Self:
        return cls.load(BUNDLED)

    @classmethod
    def load(cls, path: Path, *, extra: Sequence[Origin] = ()) -> Self:
        """Read a file; bad rows are left out (an import has named them). Raises DirectoryError."""
        origins, _ = read_csv(path)
        return cls([*origins, *extra])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Origin]:
        for version in (4, 6):
            for length in sorted(self._tables[version]):
                for origins in self._tables[version][length].values():
                    yield from origins

    def origin(self, block: Block | Address) -> Origin | None:
        """The network that announces the whole block, by the narrowest prefix that holds it."""
        holding = self._holding(_as_block(block))
        return holding[-1] if holding else None

    def asns(self, block: Block) -> tuple[int, ...]:
        """Every network that announces some of the block: of the narrowest prefix that holds all of it, and of the
        prefixes within it."""
        found = {origin.asn for origin in self._holding(block)}
        first, last = int(block.network_address), int(block.broadcast_address)
        for length in self._lengths[block.version]:
            if length > block.prefixlen:
                for number, origins in self._tables[block.version][length].items():
                    if first <= number <= last:
                        found.update(origin.asn for origin in origins)
        return tuple(sorted(found))

    def _holding(self, block: Block) -> tuple[Origin, ...]:
        number = int(block.network_address)
        tables = self._tables[block.version]
        for length in self._lengths[block.version]:
            if length <= block.prefixlen:
                shift = block.max_prefixlen - length
                found = tables[length].get(number >> shift << shift)
                if found is not None:
                    return found
        return ()

    def is_registered_in_country(self, block: Block | Address) -> bool:
        """Whether every address of the block is in some listed prefix (several narrow ones together count)."""
        block = _as_block(block)
        starts, ends = self._ranges[block.version]
        first = int(block.network_address)
        place = bisect_right(starts, first) - 1
        return place >= 0 and ends[place] >= first + block.num_addresses - 1

    @cached_property
    def fingerprint(self) -> str:
        """The same for every directory that says the same of which network announces what."""
        rows = sorted(f"{origin.asn} {origin.prefix}" for origin in self)
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()

    def organisation(self, asn: int) -> str | None:
        return self._names.get(asn)

    def _merged(self, version: int) -> tuple[list[int], list[int]]:
        starts: list[int] = []
        ends: list[int] = []
        spans = sorted(
            (start, start + (1 << ((32 if version == 4 else 128) - length)) - 1)
            for length, table in self._tables[version].items()
            for start in table
        )
        for start, end in spans:
            if ends and start <= ends[-1] + 1:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        return starts, ends


def read_csv(path: Path) -> tuple[list[Origin], list[tuple[int, RowFault]]]:
    """Every good row as an Origin, every bad one with its line. Raises DirectoryError for a file that is none."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise DirectoryError(path, "too_big")
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        raise DirectoryError(path, "missing") from None
    except UnicodeDecodeError:
        raise DirectoryError(path, "not_text") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = tuple(cell.strip().lower() for cell in next(reader, []))
        if header != COLUMNS:
            raise DirectoryError(path, "header")
        origins: list[Origin] = []
        rejected: list[tuple[int, RowFault]] = []
        seen: set[tuple[Block, int]] = set()
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            origin = _read_row(row)
            if isinstance(origin, RowFault):
                rejected.append((reader.line_num, origin))
            elif (origin.prefix, origin.asn) in seen:
                rejected.append((reader.line_num, RowFault.REPEATED))
            else:
                seen.add((origin.prefix, origin.asn))
                origins.append(origin)
    except csv.Error:
        raise DirectoryError(path, "not_text") from None
    return origins, rejected


def import_csv(source: Path, target: Path) -> ImportReport:
    """Read `source`, write its good rows to `target` in one rename. Raises DirectoryError; the old file then stays."""
    origins, rejected = read_csv(source)
    if not origins:
        raise DirectoryError(source, "empty")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".new")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([origin.asn, origin.organisation, str(origin.prefix)] for origin in origins)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    return ImportReport(accepted=len(origins), rejected=rejected)


def _read_row(row: list[str]) -> Origin | RowFault:
    if len(row) != len(COLUMNS):
        return RowFault.COLUMNS
    asn, organisation, prefix = (cell.strip() for cell in row)
    if not (asn.isascii() and asn.isdigit() and len(asn) <= 10 and 0 < int(asn) < 2**32):
        return RowFault.ASN
    if not organisation or len(organisation) > LONGEST_NAME or not organisation.isprintable():
        return RowFault.ORGANISATION
    try:
        block = parse_block(prefix)
    except AddressError:
        return RowFault.PREFIX
    if special_use(block) is not None:
        return RowFault.SPECIAL_USE
    return Origin(int(asn), organisation, block)


def _as_block(value: Block | Address) -> Block:
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return ipaddress.ip_network(value)
    return value


class _Current:
    """The directory in use by this process: the imported file when there is one, else the bundled one."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.extra: tuple[Origin, ...] = ()
        self.stamp: tuple[int, int, int] | None = None
        self.directory: Directory | None = None
        self.lock = threading.Lock()

    def get(self) -> Directory:
        stamp = self._stamp()
        with self.lock:
            if self.directory is None or stamp != self.stamp:
                self.stamp = stamp
                self.directory = self._load(stamp)
            return self.directory

    def _stamp(self) -> tuple[int, int, int] | None:
        if self.path is None:
            return None
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _load(self, stamp: tuple[int, int, int] | None) -> Directory:
        if stamp is not None and self.path is not None:
            try:
                return Directory.load(self.path, extra=self.extra)
            except DirectoryError as error:
                logger.error("Directory %s cannot be used (%s); the one before stays.", error.path, error.reason)
                if self.directory is not None:
                    return self.directory
        return _bundled(self.extra)


@lru_cache(maxsize=4)
def _bundled(extra: tuple[Origin, ...]) -> Directory:
    """It comes with the release and stays as it is while we run: read once."""
    return Directory.load(BUNDLED, extra=extra)


_current = _Current()


def configure(path: Path | None, extra: Sequence[Origin] = ()) -> None:
    """Say where the imported file is, and which origins to add to any (the demonstration's sample operators)."""
    with _current.lock:
        _current.path = path
        _current.extra = tuple(extra)
        _current.stamp = None
        _current.directory = None


def current() -> Directory:
    """The directory in use; loaded once, and again when the imported file changes."""
    return _current.get()


def describe(origin: Origin) -> str:
    """`AS64496 Sample Network (203.0.113.0/24)`, for logs and evidence."""
    return f"AS{origin.asn} {origin.organisation} ({format_block(origin.prefix)})"
