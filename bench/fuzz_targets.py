"""What is fuzzed: for each reader of outside bytes some inputs that our own writers made, and what must hold.

A target returns when the input was taken or refused as it should be. Anything else it raises is a finding.
"""

import gzip
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rahdari import feed
from rahdari.address import AddressError, format_block, parse_block, plain_text
from rahdari.agent import configuration, events
from rahdari.agent.faults import AgentFault
from rahdari.feed import access, canonical, edition, repository

SESSION, ID, DIGEST = "5" * 32, "a" * 32, "d" * 64
AT = "2026-11-25T00:00:00Z"
ENTRY = {
    "id": ID, "prefix": "192.0.2.1/32", "protocol": "udp", "port": 51820, "not_before": AT,
    "not_after": "2027-11-25T00:00:00Z",
}  # fmt: skip
SMALL = edition.Limits(compressed=1 << 16, decompressed=1 << 18, entries=1000)


@dataclass(frozen=True)
class Target:
    seeds: Callable[[], list[bytes]]
    one: Callable[[bytes], None]
    modules: tuple[str, ...]


# -- entry -------------------------------------------------------------------------------------------------------


def _entries() -> list[bytes]:
    changed: list[dict[str, Any]] = [
        {}, {"prefix": "2001:db8::/48", "protocol": "any", "port": None}, {"prefix": "198.51.100.0/28"},
        {"protocol": "gre", "port": None}, {"later": {"more": [1, "two", None]}},
    ]  # fmt: skip
    return [feed.FeedEntry.from_json({**ENTRY, **change}).canonical for change in changed]


def entry(data: bytes) -> None:
    try:
        found = feed.FeedEntry.from_json(canonical.decode(data))
    except feed.FeedFault:
        return
    assert found.canonical == data
    assert str(found.network) == found.prefix
    assert feed.FeedEntry.from_json(found.as_json()) == found


# -- edition -----------------------------------------------------------------------------------------------------


def _editions() -> list[bytes]:
    entries = [feed.FeedEntry.from_json(canonical.decode(text)) for text in _entries()[:2]]
    entries[1] = feed.FeedEntry.from_json({**entries[1].as_json(), "id": "b" * 32})
    moved = feed.FeedEntry.from_json({**ENTRY, "prefix": "192.0.2.9/32"})
    digest = feed.SetDigest()
    for each in entries:
        digest.add(each.canonical)
    snapshot = edition.Header.snapshot(session=SESSION, sequence=7, digest=digest.hexdigest(), count=2)
    before = digest.hexdigest()
    digest.remove(entries[0].canonical)
    digest.add(moved.canonical)
    digest.remove(entries[1].canonical)
    delta = edition.Header(feed.Kind.DELTA, SESSION, 7, 8, before, digest.hexdigest(), 2)
    return [
        gzip.decompress(edition.encode_edition(snapshot, [edition.Operation(feed.Op.ADD, each) for each in entries])),
        gzip.decompress(
            edition.encode_edition(
                delta,
                [
                    edition.Operation(feed.Op.REPLACE, moved, entries[0]),
                    edition.Operation(feed.Op.REMOVE, entries[1]),
                ],
            )
        ),
    ]


def edition_lines(data: bytes) -> None:
    """The lines, compressed here: a changed byte in a compressed file would only fail its checksum."""
    _read_edition(gzip.compress(data, 1, mtime=0), lines=data)


def edition_file(data: bytes) -> None:
    _read_edition(data, lines=None)


def _read_edition(file: bytes, *, lines: bytes | None) -> None:
    try:
        reader = edition.EditionReader(io.BytesIO(file), SMALL)
        operations = list(reader)
    except feed.FeedFault:
        return
    assert len(operations) == reader.header.count
    if lines is not None:
        assert [each.line for each in operations if not each.entry.extra] or lines.count(b"\n") >= 1
    again = edition.EditionReader(io.BytesIO(edition.encode_edition(reader.header, operations)), SMALL)
    assert again.header == reader.header
    assert list(again) == operations


# -- what agents say, and what they are let in by ----------------------------------------------------------------


def _receipts() -> list[bytes]:
    targets = (feed.AppliedTarget("rahdari", "nftables", 5, True), feed.AppliedTarget("list", "json", 0, False))
    receipt = feed.Receipt(SESSION, 7, DIGEST, AT, targets)
    return [feed.SignedReceipt.sign(receipt, Ed25519PrivateKey.from_private_bytes(bytes(32))).body]


def receipt(data: bytes) -> None:
    try:
        found = feed.SignedReceipt.from_json(json.loads(data))
        found.verify()
    except (feed.FeedFault, ValueError, RecursionError):
        return
    assert feed.SignedReceipt.from_json(json.loads(found.body)) == found
    assert len(found.receipt.sha256) == 64


def _accesses() -> list[bytes]:
    token = access.Credential(access.CredentialKind.TOKEN, DIGEST)
    certificate = access.Credential(access.CredentialKind.CERTIFICATE, "c" * 64, AT)
    return [
        access.encode_access([access.Access("sample-edge", SESSION, (token, certificate), (SESSION,))]),
        access.encode_access([]),
    ]


def access_file(data: bytes) -> None:
    try:
        found = access.parse_access(data)
    except feed.FeedFault:
        return
    assert access.parse_access(access.encode_access(found)) == found


def _statements() -> list[bytes]:
    return [feed.BulkStatement("feed-static", SESSION, 3, 9, 400, AT).body]


def bulk(data: bytes) -> None:
    try:
        found = feed.BulkStatement.decode(data)
    except feed.FeedFault:
        return
    assert feed.BulkStatement.decode(found.body) == found


# -- signed metadata ---------------------------------------------------------------------------------------------


class _Signed:
    """As python-tuf gives it: what it does not know itself stands in `unrecognized_fields`."""

    def __init__(self, value: dict[str, Any]) -> None:
        targets = value.get("targets")
        self.unrecognized_fields = {name: value[name] for name in value if name != "targets"}
        self.targets = {str(path): _File(said) for path, said in (targets if isinstance(targets, dict) else {}).items()}


class _File:
    def __init__(self, said: Any) -> None:
        said = said if isinstance(said, dict) else {}
        length, hashes = said.get("length"), said.get("hashes")
        # python-tuf has looked at these two.
        self.length = length if type(length) is int and length >= 0 else 1
        self.hashes = hashes if isinstance(hashes, dict) and hashes else {"sha256": DIGEST}
        self.unrecognized_fields = {"custom": said["custom"]} if "custom" in said else {}


def _roles() -> list[bytes]:
    files = [
        repository.FeedFile(
            repository.snapshot_path("feed-static", SESSION, 7, ID), feed.Kind.SNAPSHOT, SESSION, None, 7, DIGEST,
            DIGEST, 100,
        ),
        repository.FeedFile(
            repository.delta_path("feed-static", SESSION, 6, 7, ID), feed.Kind.DELTA, SESSION, 6, 7, DIGEST, DIGEST, 9
        ),
    ]  # fmt: skip
    targets = {
        file.path: {"length": file.length, "hashes": {"sha256": file.sha256}, "custom": file.custom()} for file in files
    }
    head = feed.Head(SESSION, 7, DIGEST, 2, AT)
    stamp = feed.Stamp(AT, {"feed-static": feed.StampHead(SESSION, 7, DIGEST)})
    return [
        json.dumps({"head": head.as_json(), "targets": targets}).encode(),
        json.dumps({"feed": stamp.as_json()}).encode(),
    ]


def metadata(data: bytes) -> None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(value, dict):
        return
    signed: Any = _Signed(value)
    listed = (partial(repository.live_files, role=role) for role in repository.ROLES)
    reads: list[Callable[[Any], object]] = [repository.head_of, repository.stamp_of, *listed]
    for read in reads:
        try:
            found = read(signed)
        except feed.FeedFault:
            continue
        if isinstance(found, feed.Head):
            assert feed.Head.from_json(found.as_json()) == found
        elif isinstance(found, feed.Stamp):
            assert feed.Stamp.from_json(found.as_json()) == found


# -- the agent ---------------------------------------------------------------------------------------------------


def _streams() -> list[bytes]:
    data = json.dumps({"timestamp": "c2FtcGxl", "spread_ms": 200})
    return [
        f"id: 7\nevent: edition\ndata: {data}\n\n: heartbeat\n\nretry: 3\ndata: two\ndata: lines\n\n".encode(),
        json.dumps({"id": "7", "timestamp": "c2FtcGxl", "spread_ms": 0}).encode(),
    ]


def stream(data: bytes) -> None:
    for event in [*events.events_of(data.split(b"\n")), events.event_of(data)]:
        news = events.news_of(event)
        assert news.timestamp is None or len(news.timestamp) <= events.MOST_DATA
        assert 0 <= news.spread <= events.LONGEST_SPREAD_MS / 1000


CONFIGURATION = """
server = "https://feed.example"
token_file = "token"
root = "root.json"
root_sha256 = "{digest}"
poll_seconds = 60
[[target]]
kind = "nftables"
table = "inet rahdari"
[[target]]
kind = "json"
path = "entries.json"
"""
_folder = tempfile.TemporaryDirectory(prefix="rahdari-bench-fuzz-")


def _configurations() -> list[bytes]:
    return [CONFIGURATION.format(digest=DIGEST).encode()]


def agent_configuration(data: bytes) -> None:
    path = Path(_folder.name) / "agent.toml"
    path.write_bytes(data)
    try:
        found = configuration.load(path)
    except AgentFault:
        return
    assert found.targets
    assert found.server.startswith(("http://", "https://"))


# -- addresses that people type ----------------------------------------------------------------------------------


def _addresses() -> list[bytes]:
    texts = [
        "192.0.2.1", " 198.51.100.0/28 ", "2001:db8::1/64", "۱۹۲.۰.۲.۱", "١٩٢.٠.٢.١/٣٢", "::ffff:192.0.2.1",
        "fe80::1%eth0",
    ]  # fmt: skip
    return [text.encode() for text in texts]


def address(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    plain_text(text)
    try:
        block = parse_block(text)
    except AddressError:
        return
    assert parse_block(format_block(block)) == block


TARGETS: dict[str, Target] = {
    "entry": Target(_entries, entry, ("rahdari.feed",)),
    "edition": Target(_editions, edition_lines, ("rahdari.feed",)),
    "edition-file": Target(
        lambda: [gzip.compress(text, 1, mtime=0) for text in _editions()], edition_file, ("rahdari.feed",)
    ),
    "receipt": Target(_receipts, receipt, ("rahdari.feed",)),
    "access": Target(_accesses, access_file, ("rahdari.feed",)),
    "bulk": Target(_statements, bulk, ("rahdari.feed",)),
    "metadata": Target(_roles, metadata, ("rahdari.feed",)),
    "stream": Target(_streams, stream, ("rahdari.agent.events",)),
    "agent-configuration": Target(_configurations, agent_configuration, ("rahdari.agent.configuration",)),
    "address": Target(_addresses, address, ("rahdari.address",)),
}
