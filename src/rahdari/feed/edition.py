"""Deltas and snapshots: gzip-compressed lines of canonical JSON, a header and then one operation a line.

    {"count":1,"digest_after":"..","digest_before":"..","format":"1.0","from":6,"kind":"delta","session":"..","to":7}
    {"entry":{..},"op":"add"}
    {"entry":{..},"op":"replace","was":{..}}
    {"entry":{..},"op":"remove"}

A delta leads from edition `from` to edition `to`; its operations are applied in their order, and one entry may occur
several times. A snapshot holds the whole set at edition `to` as `add` lines; its `from` is null and its
`digest_before` that of the empty set. `entry` of a `remove` and `was` of a `replace` are the entry as it stood.

Fields that are not known are ignored in header and operation (see `version`). Readers read no further than their
`Limits`, and hold nothing but the present line.
"""

import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any, BinaryIO

from .canonical import check, encode, encode_checked, parse
from .digest import EMPTY, SetDigest
from .entry import FeedEntry, InvalidEntry
from .faults import CountMismatch, DigestMismatch, Malformed, NotCanonical, TooLarge, Truncated
from .plain import LINE_BEGIN, LINE_END, EntryRow, Row, plain_rows
from .version import FORMAT, check_format

SESSION = re.compile(r"[0-9a-f]{32}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CHUNK = 64 * 1024
_GZIP = 31  # zlib's number for its largest window in a gzip frame; the frame then holds no name and no time
_RATIO_COUNTS_FROM = 1024 * 1024
# No line that `plain` takes is longer.
LONGEST_PLAIN = 512


class Kind(StrEnum):
    DELTA = "delta"
    SNAPSHOT = "snapshot"


class Op(StrEnum):
    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Header:
    kind: Kind
    session: str
    from_sequence: int | None
    to_sequence: int
    digest_before: str
    digest_after: str
    count: int
    format: str = FORMAT

    def __post_init__(self) -> None:
        check_format(self.format)
        if not SESSION.fullmatch(self.session):
            raise Malformed("`session` is not 32 hex digits")
        for digest in (self.digest_before, self.digest_after):
            if not DIGEST.fullmatch(digest):
                raise Malformed("a digest is not 64 hex digits")
        if min(self.to_sequence, self.count, self.from_sequence or 0) < 0:
            raise Malformed("a number is below zero")
        if self.kind is Kind.SNAPSHOT:
            if self.from_sequence is not None or self.digest_before != EMPTY:
                raise Malformed("a snapshot begins with the empty set, and `from` is null")
        elif self.from_sequence is None or self.from_sequence >= self.to_sequence:
            raise Malformed("a delta leads from an edition to a later one")

    @classmethod
    def snapshot(cls, *, session: str, sequence: int, digest: str, count: int) -> "Header":
        return cls(Kind.SNAPSHOT, session, None, sequence, EMPTY, digest, count)

    @classmethod
    def from_json(cls, value: object) -> "Header":
        if not isinstance(value, dict):
            raise Malformed("the header is no object", 1)
        check_format(value.get("format"))
        texts = [value.get(name) for name in ("session", "digest_before", "digest_after", "kind")]
        numbers = [value.get(name) for name in ("to", "count")]
        start = value.get("from")
        if not all(isinstance(text, str) for text in texts) or texts[3] not in list(Kind):
            raise Malformed("`session`, `kind` or a digest of the header is missing", 1)
        if not all(type(number) is int for number in [*numbers, 0 if start is None else start]):
            raise Malformed("`from`, `to` or `count` of the header is no number", 1)
        return cls(
            kind=Kind(value["kind"]),
            session=value["session"],
            from_sequence=start,
            to_sequence=value["to"],
            digest_before=value["digest_before"],
            digest_after=value["digest_after"],
            count=value["count"],
            format=value["format"],
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "kind": str(self.kind),
            "session": self.session,
            "from": self.from_sequence,
            "to": self.to_sequence,
            "digest_before": self.digest_before,
            "digest_after": self.digest_after,
            "count": self.count,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """`entry` is what is put in or, for `remove`, what is taken out; `was` is what a `replace` takes out."""

    op: Op
    entry: FeedEntry
    was: FeedEntry | None = None

    def __post_init__(self) -> None:
        if (self.op is Op.REPLACE) != (self.was is not None):
            raise Malformed("`was` belongs to `replace`, and to nothing else")
        if self.was is not None and self.was.id != self.entry.id:
            raise Malformed("`replace` keeps the entry's id")

    @property
    def line(self) -> bytes:
        """The canonical line, without its end."""
        return _line(self.op, self.entry.canonical, self.was.canonical if self.was else None)

    def apply_to(self, digest: SetDigest) -> None:
        _apply(digest, self.op, self.entry.canonical, self.was.canonical if self.was else None)


def _line(op: Op, entry: bytes, was: bytes | None) -> bytes:
    head = b'{"entry":' + entry + b',"op":"' + op.encode() + b'"'
    return head + (b',"was":' + was + b"}" if was is not None else b"}")


def _apply(digest: SetDigest, op: Op, entry: bytes, was: bytes | None) -> None:
    if was is not None:
        digest.remove(was)
    if op is Op.REMOVE:
        digest.remove(entry)
    else:
        digest.add(entry)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader reads at most. `ratio` (bytes out for each byte in) counts once a megabyte has come out."""

    compressed: int
    decompressed: int
    entries: int
    line: int = 8 * 1024
    ratio: int = 64


DELTA_LIMITS = Limits(compressed=32 * 2**20, decompressed=256 * 2**20, entries=1_000_000)
# 5.5 million entries, each IPv4 address of the country, are 1.2 GB of lines.
SNAPSHOT_LIMITS = Limits(compressed=2**30, decompressed=4 * 2**30, entries=12_000_000)


def write_edition(file: BinaryIO, header: Header, operations: Iterable[Operation]) -> tuple[str, int]:
    """Write an edition, line by line; return the SHA-256 (hex) and the length of the file.

    The same header and operations give the same bytes. Raises CountMismatch when the header's count is wrong.
    """
    squeezer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    hasher, length, found = hashlib.sha256(), 0, 0

    def put(data: bytes) -> None:
        nonlocal length
        if data:
            file.write(data)
            hasher.update(data)
            length += len(data)

    put(squeezer.compress(encode(header.as_json()) + b"\n"))
    for operation in operations:
        found += 1
        put(squeezer.compress(operation.line + b"\n"))
    put(squeezer.flush())
    if found != header.count:
        raise CountMismatch(header.count, found)
    return hasher.hexdigest(), length


def encode_edition(header: Header, operations: Iterable[Operation]) -> bytes:
    """An edition in memory: for deltas."""
    file = io.BytesIO()
    write_edition(file, header, operations)
    return file.getvalue()


@dataclass(slots=True)
class EditionReader:
    """Reads the header at once, then gives the operations one by one. Raises subclasses of FeedFault.

    The whole file has been read, and has held what its header promises, only when the iteration has come to its end:
    keep what comes out in a transaction until then.
    """

    file: BinaryIO
    limits: Limits
    header: Header = field(init=False)
    _blocks: Iterator[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._blocks = blocks_of(self.file, self.limits)
        first = next(_lines(self._first_block(), self.limits), None)
        if first is None:
            raise Malformed("the file is empty")
        self.header = Header.from_json(_checked(first, 1))
        if self.header.count > self.limits.entries:
            raise TooLarge("entries", self.limits.entries)

    def _first_block(self) -> Iterator[bytes]:
        """The line of the header alone; what came with it is put back."""
        block = next(self._blocks, None)
        if block is None:
            return
        first, end, rest = block.partition(b"\n")
        self._blocks = chain((rest,), self._blocks) if rest else self._blocks
        yield first + end

    def __iter__(self) -> Iterator[Operation]:
        return (operation for operation, _, _ in self.with_bytes())

    def rows(self) -> Iterator[tuple[list[Row], bytes | None]]:
        """The entries of a snapshot, many at once. Accepts and refuses what `with_bytes` does.

        And the lines they were in, for `entries_in`; None where an entry stands otherwise in its line than nearly all.
        """
        if self.header.kind is not Kind.SNAPSHOT:
            raise Malformed("a delta is read operation by operation")
        found = 0
        for block in self._blocks:
            rows = plain_rows(block) if self.limits.line >= LONGEST_PLAIN else None
            if rows is not None and found + len(rows) <= self.header.count:
                found += len(rows)
                yield rows, block
                continue
            slowly, plain = list[Row](), True
            for line in _lines(iter((block,)), self.limits):
                found += 1
                _, entry, _ = parts = self._taken(line, found)
                slowly.append(EntryRow.of(parts[0].entry))
                plain = plain and line == LINE_BEGIN + entry + LINE_END
            yield slowly, block if plain else None
        if found != self.header.count:
            raise CountMismatch(self.header.count, found)

    def _taken(self, line: bytes, found: int) -> tuple[Operation, bytes, bytes | None]:
        """The operation of the line after so many others. Line 1 of the file is the header."""
        if found > self.header.count:
            raise CountMismatch(self.header.count, found)
        parts = _operation(line, found + 1)
        if self.header.kind is Kind.SNAPSHOT and parts[0].op is not Op.ADD:
            raise Malformed("a snapshot has `add` lines only", found + 1)
        return parts

    def with_bytes(self) -> Iterator[tuple[Operation, bytes, bytes | None]]:
        """Each operation with the canonical bytes of its `entry` and its `was`, which reading has made already."""
        found = 0
        for found, line in enumerate(_lines(self._blocks, self.limits), start=1):
            yield self._taken(line, found)
        if found != self.header.count:
            raise CountMismatch(self.header.count, found)


def follow(reader: EditionReader, digest: SetDigest) -> Iterator[Operation]:
    """The operations of a file, with `digest` kept up. Raises DigestMismatch before the first, or after the last.

    Nothing may be made permanent before the iteration has come to its end.
    """
    if digest.hexdigest() != reader.header.digest_before:
        raise DigestMismatch("before", reader.header.digest_before, digest.hexdigest())
    for operation, entry, was in reader.with_bytes():
        _apply(digest, operation.op, entry, was)
        yield operation
    if digest.hexdigest() != reader.header.digest_after:
        raise DigestMismatch("after", reader.header.digest_after, digest.hexdigest())


def _checked(line: bytes, number: int) -> Any:
    try:
        value = parse(line)
        check(value)
        if encode_checked(value) != line:
            raise NotCanonical("not in the canonical form")
    except NotCanonical as error:
        raise Malformed(error.why, number) from None
    return value


def _operation(line: bytes, number: int) -> tuple[Operation, bytes, bytes | None]:
    try:
        value = parse(line)
        if not isinstance(value, dict) or "entry" not in value or value.get("op") not in list(Op):
            raise Malformed("no operation", number)
        was = FeedEntry.from_json(value["was"]) if "was" in value else None
        operation = Operation(Op(value["op"]), FeedEntry.from_json(value["entry"]), was)
        entry = operation.entry.canonical
        was_bytes = was.canonical if was is not None else None
    except NotCanonical as error:
        raise Malformed(error.why, number) from None
    except InvalidEntry as error:
        raise Malformed(str(error), number) from error
    except Malformed as error:
        raise Malformed(error.why, number) from None
    # The line must be what we would have written; only a line with fields of a later version is looked at twice.
    if _line(operation.op, entry, was_bytes) != line:
        if set(value) <= {"entry", "op", "was"}:
            raise Malformed("not in the canonical form", number)
        _checked(line, number)
    return operation, entry, was_bytes


def _lines(blocks: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """Without their ends."""
    for block in blocks:
        for line in block[:-1].split(b"\n"):
            if len(line) > limits.line:
                raise TooLarge("line", limits.line)
            yield line


def blocks_of(file: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """The content of a gzip file of one member, in pieces that end with the end of a line.
    Raises Truncated, TooLarge, Malformed.
    """
    opener = zlib.decompressobj(_GZIP)
    taken = given = number = 0
    rest = b""
    while not opener.eof:
        raw = opener.unconsumed_tail or file.read(_CHUNK)
        if not raw:
            raise Truncated(number)
        if not opener.unconsumed_tail:
            taken += len(raw)
            if taken > limits.compressed:
                raise TooLarge("compressed", limits.compressed)
        try:
            out = opener.decompress(raw, _CHUNK)
        except zlib.error:
            raise Malformed("damaged: it cannot be decompressed", number) from None
        given += len(out)
        if given > limits.decompressed:
            raise TooLarge("decompressed", limits.decompressed)
        if given > _RATIO_COUNTS_FROM and given > taken * limits.ratio:
            raise TooLarge("ratio", limits.ratio)
        whole, end, after = out.rpartition(b"\n")
        if end:
            block = rest + whole + end
            number += block.count(b"\n")
            rest = after
            yield block
        else:
            rest += after
        if len(rest) > limits.line:
            raise TooLarge("line", limits.line)
    if opener.unused_data or file.read(1):
        raise Malformed("something follows the end of the file", number)
    if rest:
        raise Malformed("the last line has no end", number + 1)
