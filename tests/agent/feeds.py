"""A feed as a publisher signs it, and an agent that follows it from a server (`stands`).

The publisher here signs whatever it is told to, also what an honest one never would.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from rahdari.agent.configuration import Configuration, FileTarget, Target
from rahdari.agent.folder import create, open_state
from rahdari.agent.syncing import Agent, SyncOutcome
from rahdari.feed import (
    ROLES,
    TERMS,
    BulkStatement,
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
    encode_edition,
    kind_of,
    role_of,
)
from rahdari.feed.entry import time_text
from rahdari.feed.repository import bulk_path, delta_path, location_of, paths_of, snapshot_path

from .stands import TOKEN, now
from .stands import Answer as Answer
from .stands import Stand as Stand
from .stands import standing as standing

DAY = dt.timedelta(days=1)


def an_entry(
    prefix: str,
    protocol: str = "any",
    port: int | None = None,
    *,
    not_before: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
    id: str = "",
    **extra: Any,
) -> FeedEntry:
    return FeedEntry(
        id=id or secrets.token_hex(16),
        prefix=prefix,
        protocol=protocol,
        port=port,
        not_before=time_text(not_before or now() - DAY),
        not_after=time_text(not_after or now() + 365 * DAY),
        extra=extra,
    )


@dataclass
class Stream:
    """What stands in one role: its session, its editions, its files."""

    role: str
    session: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = -1
    entries: dict[str, FeedEntry] = field(default_factory=dict)
    files: list[FeedFile] = field(default_factory=list)

    def digest(self) -> str:
        digest = SetDigest()
        for entry in self.entries.values():
            digest.add(entry.canonical)
        return digest.hexdigest()

    def head(self, **other: Any) -> dict[str, Any]:
        head = Head(self.session, self.sequence, self.digest(), len(self.entries), time_text(now())).as_json()
        return {**head, **other}


@dataclass
class Publisher:
    """Writes metadata and targets of one operator's repository into `folder`, as `publish` lays them out.

    It speaks of static entries where no `kind` is named; `streams` has all three.
    """

    folder: Path
    lifetime: dt.timedelta = dt.timedelta(hours=1)
    offline: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    online: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    versions: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("root", "targets", "snapshot", "timestamp", *ROLES), 0)
    )
    streams: dict[str, Stream] = field(default_factory=lambda: {role: Stream(role) for role in ROLES})
    statements: dict[str, TargetFile] = field(default_factory=dict)
    # The digest of the terms of the feed; a publisher of an older release names none.
    terms: str = TERMS
    # Where the files lie that the metadata speak of; beside them if nothing is said.
    shelf: Path | None = None

    def __post_init__(self) -> None:
        (self.folder / "metadata").mkdir(parents=True, exist_ok=True)
        self.write_root(offline=self.offline)
        self.write_targets()
        for stream in self.streams.values():
            stream.sequence = 0
            self.add_snapshot(kind=kind_of(stream.role))
        self.sign()

    @property
    def static(self) -> Stream:
        return self.streams[role_of("static")]

    @property
    def session(self) -> str:
        return self.static.session

    @session.setter
    def session(self, session: str) -> None:
        self.static.session = session

    @property
    def sequence(self) -> int:
        return self.static.sequence

    @sequence.setter
    def sequence(self, sequence: int) -> None:
        self.static.sequence = sequence

    @property
    def entries(self) -> dict[str, FeedEntry]:
        return self.static.entries

    @property
    def files(self) -> list[FeedFile]:
        return self.static.files

    @files.setter
    def files(self, files: list[FeedFile]) -> None:
        self.static.files = files

    def digest(self, kind: str = "static") -> str:
        return self.streams[role_of(kind)].digest()

    def head(self, kind: str = "static", **other: Any) -> dict[str, Any]:
        return self.streams[role_of(kind)].head(**other)

    @property
    def root_file(self) -> Path:
        return self.folder / "metadata" / "1.root.json"

    def write_root(self, *, offline: CryptoSigner, signers: Sequence[CryptoSigner] = ()) -> None:
        """The next root; signed by the keys of the one before it too, if they are given."""
        self.versions["root"] += 1
        root = Root(version=self.versions["root"], expires=now() + 365 * DAY, consistent_snapshot=True)
        for role, signer in {
            "root": offline,
            "targets": offline,
            "snapshot": self.online,
            "timestamp": self.online,
        }.items():
            root.add_key(signer.public_key, role)
        self.offline = offline
        self.write(f"{root.version}.root", root, [offline, *signers])

    def write_targets(self) -> None:
        """The next list of delegations and of bulk statements, signed offline."""
        self.versions["targets"] += 1
        key = self.online.public_key
        roles = {role: DelegatedRole(role, [key.keyid], 1, True, [paths_of(role)]) for role in ROLES}
        targets = Targets(
            version=self.versions["targets"],
            expires=now() + 90 * DAY,
            targets=dict(self.statements),
            delegations=Delegations({key.keyid: key}, roles),
        )
        self.write(f"{targets.version}.targets", targets, [self.offline])

    def state(self, statement: BulkStatement, *, body: bytes | None = None) -> None:
        """Sign a bulk statement offline; `sign` makes it known."""
        content = statement.body if body is None else body
        path = bulk_path(secrets.token_hex(16))
        sha256 = hashlib.sha256(content).hexdigest()
        place = (self.shelf or self.folder / "targets") / location_of(path, sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.statements[path] = TargetFile(len(content), {"sha256": sha256}, path)
        self.write_targets()

    def publish(
        self,
        *entries: FeedEntry,
        remove: Sequence[FeedEntry] = (),
        snapshot: bool = True,
        keep: int = 96,
        kind: str = "static",
    ) -> None:
        """One more edition: these come in, those go out. An entry with an id that is there replaces it."""
        stream = self.streams[role_of(kind)]
        before = stream.digest()
        operations = [Operation(Op.REMOVE, stream.entries.pop(entry.id)) for entry in remove]
        for entry in entries:
            was = stream.entries.get(entry.id)
            operations.append(Operation(Op.REPLACE, entry, was) if was else Operation(Op.ADD, entry))
            stream.entries[entry.id] = entry
        stream.sequence += 1
        header = Header(
            Kind.DELTA,
            stream.session,
            stream.sequence - 1,
            stream.sequence,
            before,
            stream.digest(),
            len(operations),
        )
        self.add_file(header, operations, kind=kind)
        if snapshot:
            self.add_snapshot(kind=kind)
        stream.files = stream.files[-keep:]
        self.sign()

    def add_snapshot(self, *, kind: str = "static") -> None:
        stream = self.streams[role_of(kind)]
        header = Header.snapshot(
            session=stream.session, sequence=stream.sequence, digest=stream.digest(), count=len(stream.entries)
        )
        stream.files = [file for file in stream.files if file.kind is Kind.DELTA]
        self.add_file(header, [Operation(Op.ADD, entry) for entry in stream.entries.values()], kind=kind)

    def add_file(
        self, header: Header, operations: Sequence[Operation], *, body: bytes | None = None, kind: str = "static"
    ) -> FeedFile:
        content = encode_edition(header, operations) if body is None else body
        role, random = role_of(kind), secrets.token_hex(16)
        path = (
            snapshot_path(role, header.session, header.to_sequence, random)
            if header.from_sequence is None
            else delta_path(role, header.session, header.from_sequence, header.to_sequence, random)
        )
        file = FeedFile(
            path,
            header.kind,
            header.session,
            header.from_sequence,
            header.to_sequence,
            header.digest_after,
            hashlib.sha256(content).hexdigest(),
            len(content),
        )
        place = (self.shelf or self.folder / "targets") / file.location
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.streams[role].files.append(file)
        return file

    def sign(
        self, *, head: dict[str, Any] | None = None, signer: CryptoSigner | None = None, kind: str | None = None
    ) -> None:
        """Sign the feed's roles (or one of them), snapshot and timestamp anew, for what is there.

        `head` stands in place of that of static entries.
        """
        by = signer or self.online
        for role, stream in self.streams.items():
            if kind is not None and role != role_of(kind):
                continue
            targets = {
                file.path: TargetFile(
                    file.length, {"sha256": file.sha256}, file.path, unrecognized_fields={"custom": file.custom()}
                )
                for file in stream.files
            }
            self.versions[role] += 1
            feed = Targets(
                version=self.versions[role],
                expires=now() + 7 * DAY,
                targets=targets,
                unrecognized_fields={"head": head if head is not None and stream is self.static else stream.head()},
            )
            self.write(f"{feed.version}.{role}", feed, [by])
        self.versions["snapshot"] += 1
        meta = {f"{role}.json": MetaFile(self.versions[role]) for role in ("targets", *ROLES)}
        snapshot = Snapshot(version=self.versions["snapshot"], expires=now() + DAY, meta=meta)
        self.write(f"{snapshot.version}.snapshot", snapshot, [by])
        self.stamp(signer=by)

    def stamp(self, *, signer: CryptoSigner | None = None) -> bytes:
        """Sign the timestamp alone anew, as the publisher does every 5 minutes."""
        self.versions["timestamp"] += 1
        heads = {
            role: StampHead(stream.session, stream.sequence, stream.digest()) for role, stream in self.streams.items()
        }
        timestamp = Timestamp(
            version=self.versions["timestamp"],
            expires=now() + self.lifetime,
            snapshot_meta=MetaFile(self.versions["snapshot"]),
            unrecognized_fields={"feed": Stamp(time_text(now()), heads, self.terms).as_json()},
        )
        return self.write("timestamp", timestamp, [signer or self.online])

    def write(self, name: str, signed: Any, signers: Sequence[CryptoSigner]) -> bytes:
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        # In the form that the real publisher writes, which is also the one that is signed.
        content = metadata.to_bytes(JSONSerializer(compact=True))
        path = self.folder / "metadata" / f"{name}.json"
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(content)
        beside.replace(path)
        return content


def a_configuration(
    folder: Path,
    url: str,
    root: Path,
    *,
    targets: tuple[Target, ...] | None = None,
    receipts_to: str = "",
    **other: Any,
) -> Configuration:
    """An operator's machine in a folder, with a JSON file to apply to."""
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    configuration = Configuration(
        server=url,
        receipt_url=f"{receipts_to or url}/feed/receipt",
        token_file=token,
        root=root,
        root_sha256=hashlib.sha256(root.read_bytes()).hexdigest(),
        state=folder / "state",
        targets=targets or (FileTarget("json", "entries.json", folder / "entries.json"),),
        **{"terms": TERMS, **other},
    )
    create(configuration.state)
    return configuration


def sync(configuration: Configuration, *, at: dt.datetime | None = None, timestamp: bytes | None = None) -> SyncOutcome:
    """What `rahdari agent sync` does."""
    with open_state(configuration.state) as state:
        agent = Agent(configuration, state)
        try:
            return agent.sync(now=at or now(), timestamp=timestamp)
        finally:
            agent.close()


@contextmanager
def running(configuration: Configuration) -> Iterator[Agent]:
    """An agent that goes on living between two syncs, as `rahdari agent run` does."""
    with open_state(configuration.state) as state:
        agent = Agent(configuration, state)
        try:
            yield agent
        finally:
            agent.close()


def listed(configuration: Configuration) -> list[str]:
    """The prefixes that stand in the JSON file."""
    path = next(target.path for target in configuration.targets if isinstance(target, FileTarget))
    return [entry["prefix"] for entry in json.loads(path.read_bytes())["entries"]] if path.exists() else []


def names(outcome: SyncOutcome) -> list[str]:
    return [fault.name for fault in outcome.faults]


def written(configuration: Configuration) -> Path:
    """The configuration as a file, for programs."""
    lines = [
        f'server = "{configuration.server}"',
        f'receipt_url = "{configuration.receipt_url}"',
        f'token_file = "{configuration.token_file}"',
        f'root = "{configuration.root}"',
        f'root_sha256 = "{configuration.root_sha256}"',
        f'state = "{configuration.state}"',
        f'terms = "{configuration.terms}"',
    ]
    for target in configuration.targets:
        lines += ["[[target]]", f'kind = "{target.kind}"', f'name = "{target.name}"']
        if isinstance(target, FileTarget):
            lines.append(f'path = "{target.path}"')
        else:
            lines += [f'table = "{target.table}"', f'netns = "{target.netns}"', f'nft = "{target.nft}"']
    path = configuration.token_file.with_name("agent.toml")
    path.write_text("\n".join(lines) + "\n")
    return path
