"""A data folder as the publisher leaves it, made with the writers of `proof`; and a caller who speaks WSGI.

Nobody here looks at signatures, so there are none.
"""

import datetime as dt
import hashlib
import io
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rahdari.feed import (
    ROLES,
    Access,
    Credential,
    CredentialKind,
    FeedEntry,
    FeedFile,
    Head,
    Header,
    Kind,
    Op,
    Operation,
    SetDigest,
    Stamp,
    StampHead,
    certificate_digest,
    encode_edition,
    token_digest,
)
from rahdari.feed.access import FILE_NAME, encode_access
from rahdari.feed.entry import time_text
from rahdari.feed.repository import delta_path, snapshot_path
from rahdari.lookup.app import Lookup

TOKEN = "sample-token-of-operator-one"
OTHER_TOKEN = "sample-token-of-operator-two"
NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
STATIC, DYNAMIC, CANARY = ROLES


def an_entry(
    prefix: str,
    protocol: str = "any",
    port: int | None = None,
    *,
    not_before: dt.datetime = NOW - DAY,
    not_after: dt.datetime = NOW + 30 * DAY,
    id: str = "",
    **extra: Any,
) -> FeedEntry:
    return FeedEntry(
        id or secrets.token_hex(16), prefix, protocol, port, time_text(not_before), time_text(not_after), extra
    )


def put(path: Path, content: bytes) -> None:
    """In one step, as the publisher does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def repository_of(slug: str) -> str:
    """The operator's folder; the publisher's are random."""
    return hashlib.sha256(slug.encode()).hexdigest()[:32]


def token(text: str = TOKEN, *, ends_at: dt.datetime | None = None) -> Credential:
    return Credential(CredentialKind.TOKEN, token_digest(text), time_text(ends_at) if ends_at else None)


def certificate(der: bytes) -> Credential:
    return Credential(CredentialKind.CERTIFICATE, certificate_digest(der))


@dataclass
class Stream:
    """One session of one role, and the files of its editions."""

    feed: Path
    role: str
    session: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = -1
    entries: dict[str, FeedEntry] = field(default_factory=dict)
    digest: SetDigest = field(default_factory=SetDigest)
    files: list[FeedFile] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)
    told: list[tuple[int, Operation]] = field(default_factory=list)

    def begin(self, entries: Iterable[FeedEntry] = (), *, sequence: int = 0) -> "Stream":
        """With a snapshot."""
        for entry in entries:
            self._apply(Operation(Op.ADD, entry))
        self.sequence = sequence
        self.digests[sequence] = self.digest.hexdigest()
        self.snapshot()
        return self

    def snapshot(self) -> FeedFile:
        header = Header.snapshot(
            session=self.session, sequence=self.sequence, digest=self.digest.hexdigest(), count=len(self.entries)
        )
        operations = [Operation(Op.ADD, entry) for entry in self.entries.values()]
        name = snapshot_path(self.role, self.session, self.sequence, secrets.token_hex(16))
        return self._file(name, header, operations)

    def edition(self, *operations: Operation) -> FeedFile:
        """The next one, by a delta."""
        before = self.digest.hexdigest()
        for operation in operations:
            self._apply(operation)
        self.sequence += 1
        self.told += [(self.sequence, operation) for operation in operations]
        self.digests[self.sequence] = self.digest.hexdigest()
        return self._delta(self.sequence - 1, before, operations)

    def merged(self, start: int, before: Mapping[str, FeedEntry]) -> FeedFile:
        """A delta from an earlier edition, whose entries are given, to this one: as the publisher merges them, with
        those that changed and changed back, and those that came and went."""
        touched = {operation.entry.id: operation.entry for at, operation in self.told if at > start}
        operations = []
        for id, between in sorted(touched.items()):
            was, stands = before.get(id), self.entries.get(id)
            if stands is not None:
                operations.append(Operation(Op.ADD, stands) if was is None else Operation(Op.REPLACE, stands, was))
            elif was is not None:
                operations.append(Operation(Op.REMOVE, was))
            else:
                operations += [Operation(Op.ADD, between), Operation(Op.REMOVE, between)]
        return self._delta(start, self.digests[start], operations)

    def add(self, *entries: FeedEntry) -> FeedFile:
        return self.edition(*(Operation(Op.ADD, entry) for entry in entries))

    def remove(self, *entries: FeedEntry) -> FeedFile:
        return self.edition(*(Operation(Op.REMOVE, entry) for entry in entries))

    def replace(self, was: FeedEntry, entry: FeedEntry) -> FeedFile:
        return self.edition(Operation(Op.REPLACE, entry, was))

    @property
    def head(self) -> Head:
        digest = self.digest.hexdigest()
        return Head(self.session, self.sequence, digest, len(self.entries), time_text(NOW))

    def _apply(self, operation: Operation) -> None:
        operation.apply_to(self.digest)
        if operation.op is Op.REMOVE:
            del self.entries[operation.entry.id]
        else:
            self.entries[operation.entry.id] = operation.entry

    def _delta(self, start: int, before: str, operations: Sequence[Operation]) -> FeedFile:
        digest, count = self.digest.hexdigest(), len(operations)
        header = Header(Kind.DELTA, self.session, start, self.sequence, before, digest, count)
        name = delta_path(self.role, self.session, start, self.sequence, secrets.token_hex(16))
        return self._file(name, header, operations)

    def _file(self, name: str, header: Header, operations: Sequence[Operation]) -> FeedFile:
        content = encode_edition(header, operations)
        file = FeedFile(
            path=name,
            kind=header.kind,
            session=self.session,
            from_sequence=header.from_sequence,
            to_sequence=header.to_sequence,
            digest_after=header.digest_after,
            sha256=hashlib.sha256(content).hexdigest(),
            length=len(content),
        )
        put(self.feed / "targets" / file.location, content)
        self.files.append(file)
        return file


@dataclass
class Feed:
    """A data folder. Streams are put in by hand; `publish` writes what the operators see."""

    data: Path
    operators: dict[str, tuple[list[Credential], list[Stream]]] = field(default_factory=dict)
    version: int = 0

    @property
    def feed(self) -> Path:
        return self.data / "feed"

    def stream(self, role: str = STATIC, entries: Iterable[FeedEntry] = (), *, sequence: int = 0) -> Stream:
        return Stream(self.feed, role).begin(entries, sequence=sequence)

    def streams(self, entries: Iterable[FeedEntry] = ()) -> list[Stream]:
        """All three, with these entries in the static one."""
        return [self.stream(STATIC, entries), self.stream(DYNAMIC), self.stream(CANARY)]

    def let_in(self, slug: str, streams: list[Stream], *credentials: Credential) -> None:
        self.operators[slug] = (list(credentials) or [token()], streams)

    def publish(self, *, now: dt.datetime = NOW, lasts: dt.timedelta = HOUR, granted: bool = True) -> None:
        """Metadata, in the publisher's order; the timestamp last. Then who may read."""
        self.version += 1
        if granted:
            self.write_access()
        for slug, (_, streams) in self.operators.items():
            self.describe(slug, streams, now=now, lasts=lasts)

    def write_access(self) -> None:
        accesses = [
            Access(slug, repository_of(slug), tuple(credentials), tuple(stream.session for stream in streams))
            for slug, (credentials, streams) in self.operators.items()
        ]
        put(self.data / FILE_NAME, encode_access(accesses))

    def metadata(self, slug: str) -> Path:
        return self.feed / "repositories" / repository_of(slug) / "metadata"

    def describe(self, slug: str, streams: Sequence[Stream], *, now: dt.datetime, lasts: dt.timedelta) -> None:
        folder, version = self.metadata(slug), self.version
        expires = time_text(now + lasts)
        meta = {}
        for stream in streams:
            targets = {
                file.path: {"length": file.length, "hashes": {"sha256": file.sha256}, "custom": file.custom()}
                for file in stream.files
            }
            signed = {"_type": "targets", "version": version, "expires": expires, "head": stream.head.as_json()}
            content = written(signed | {"targets": targets})
            put(folder / f"{version}.{stream.role}.json", content)
            meta[f"{stream.role}.json"] = described(content, version)
        snapshot = written({"_type": "snapshot", "version": version, "expires": expires, "meta": meta})
        put(folder / f"{version}.snapshot.json", snapshot)
        heads = {
            stream.role: StampHead(stream.session, stream.sequence, stream.digest.hexdigest()) for stream in streams
        }
        timestamp = {"_type": "timestamp", "version": version, "expires": expires}
        timestamp["meta"] = {"snapshot.json": described(snapshot, version)}
        timestamp["feed"] = Stamp(time_text(now), heads).as_json()
        put(folder / "timestamp.json", written(timestamp))


def written(signed: Mapping[str, Any]) -> bytes:
    return json.dumps({"signatures": [], "signed": signed}).encode()


def described(content: bytes, version: int) -> dict[str, Any]:
    return {"version": version, "length": len(content), "hashes": {"sha256": hashlib.sha256(content).hexdigest()}}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        return dict(self.json())


def ask(lookup: Lookup, path: str, *, token: str | None = TOKEN, method: str = "GET", **more: Any) -> Answer:
    """`more`: body, kind (of the body), and headers as HTTP_NAME."""
    path, _, query = path.partition("?")
    body = more.pop("body", b"")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
    }
    if body:
        environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": more.pop("kind", "text/plain")}
    if token is not None:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    answered: list[tuple[str, list[tuple[str, str]]]] = []
    content = lookup(environ | more, lambda status, headers: answered.append((status, headers)))
    [(status, headers)] = answered
    assert len(dict(headers)) == len(headers)
    return Answer(int(status.split()[0]), dict(headers), b"".join(content))


def opened(feed: Feed, *, now: dt.datetime = NOW, **more: Any) -> Lookup:
    """What has looked once at what there is; its clock stands."""
    lookup = Lookup(feed.data, clock=lambda: now.timestamp(), **more)
    lookup.follower.look()
    return lookup
