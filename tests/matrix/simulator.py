"""A TUF repository of the feed whose every part can be set, signed and served as a test wants it.

Metadata are held as python-tuf's own objects. `write` puts them where the agent asks for them, signed by whatever keys
stand in `signers` at that moment, with versions and hashes as an honest publisher has them unless a test says
otherwise.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
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

from rahdari.feed import (
    EMPTY,
    ROLES,
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
)
from rahdari.feed.entry import time_text
from rahdari.feed.repository import delta_path, paths_of, snapshot_path

STATIC = "feed-static"
TOP = ("root", "targets", "snapshot", "timestamp")
DAY = dt.timedelta(days=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def a_key() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


@dataclass
class Simulator:
    """`folder` is served as /feed. Change what you like, then `write`."""

    folder: Path
    signers: dict[str, list[CryptoSigner]] = field(default_factory=dict)
    entries: list[FeedEntry] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=lambda: {role: secrets.token_hex(16) for role in ROLES})

    def __post_init__(self) -> None:
        self.signers = {role: [a_key()] for role in (*TOP, *ROLES)}
        until = now() + DAY
        self.root = Root(version=1, expires=until, consistent_snapshot=True)
        for role in TOP:
            self.trust(role)
        delegated = {role: DelegatedRole(role, [], 1, True, [paths_of(role)]) for role in ROLES}
        self.targets = Targets(version=1, expires=until, delegations=Delegations({}, delegated))
        for role in ROLES:
            self.trust(role)
        self.roles = {role: Targets(version=1, expires=until) for role in ROLES}
        for role in ROLES:
            self.offer(role, 0, self._file(role, None, 0, []))
        names = ("targets", *ROLES)
        self.snapshot = Snapshot(version=1, expires=until, meta={f"{name}.json": MetaFile(1) for name in names})
        self.timestamp = Timestamp(version=1, expires=until, snapshot_meta=MetaFile(1))
        self.write()

    # -- what is trusted ---------------------------------------------------------------------------------------------

    def trust(self, role: str, *, threshold: int = 1, keys: Iterable[CryptoSigner] | None = None) -> None:
        """Let the root, or `targets`, name these keys for the role (as a rule those that sign it)."""
        keys = list(self.signers[role] if keys is None else keys)
        holder: Root | Targets = self.root if role in TOP else self.targets
        named = self.root.roles[role] if role in TOP else self._delegated(role)
        for keyid in list(named.keyids):
            holder.revoke_key(keyid, role)
        for key in keys:
            holder.add_key(key.public_key, role)
        named.threshold = threshold

    def _delegated(self, role: str) -> DelegatedRole:
        assert self.targets.delegations is not None and self.targets.delegations.roles is not None
        return self.targets.delegations.roles[role]

    # -- what is offered ---------------------------------------------------------------------------------------------

    def offer(self, role: str, sequence: int, *files: FeedFile, digest: str = EMPTY, entries: int = 0) -> None:
        """Let the role lead to this edition by these files."""
        head = Head(self.sessions[role], sequence, digest, entries, time_text(now()))
        self.roles[role].unrecognized_fields["head"] = head.as_json()
        self.roles[role].targets = {file.path: target_of(file) for file in files}

    def add(self, entry: FeedEntry, role: str = STATIC) -> FeedFile:
        """One more edition of the role, with this entry; the next version of everything that leads to it."""
        head = Head.from_json(self.roles[role].unrecognized_fields["head"])
        file = self._file(role, head.sequence, head.sequence + 1, [Operation(Op.ADD, entry)])
        self.entries.append(entry)
        snapshot = self._file(role, None, head.sequence + 1, [Operation(Op.ADD, each) for each in self.entries])
        self.offer(role, head.sequence + 1, file, snapshot, digest=digest_of(self.entries), entries=len(self.entries))
        self.bump(role)
        return file

    def _file(self, role: str, start: int | None, end: int, operations: list[Operation]) -> FeedFile:
        session = self.sessions[role]
        after = [operation.entry for operation in operations]
        if start is None:
            header = Header.snapshot(session=session, sequence=end, digest=digest_of(after), count=len(after))
            path = snapshot_path(role, session, end, secrets.token_hex(16))
        else:
            before = digest_of(self.entries)
            header = Header(Kind.DELTA, session, start, end, before, digest_of([*self.entries, *after]), len(after))
            path = delta_path(role, session, start, end, secrets.token_hex(16))
        content = encode_edition(header, operations)
        sha256 = hashlib.sha256(content).hexdigest()
        file = FeedFile(path, header.kind, session, start, end, header.digest_after, sha256, len(content))
        place = self.folder / "targets" / file.location
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return file

    def bump(self, *names: str) -> None:
        """The next version of these and of what lists them."""
        for name in names:
            if name == "root":
                self.root.version += 1
                continue
            signed = self.targets if name == "targets" else self.roles[name]
            signed.version += 1
            self.snapshot.meta[f"{name}.json"].version = signed.version
        if set(names) - {"root"}:
            self.bump_snapshot()

    def bump_snapshot(self) -> None:
        self.snapshot.version += 1
        self.timestamp.snapshot_meta.version = self.snapshot.version
        self.timestamp.version += 1

    # -- what is served ----------------------------------------------------------------------------------------------

    def stamp(self) -> dict[str, Any]:
        heads = {
            role: StampHead(head["session"], head["sequence"], head["digest"])
            for role in ROLES
            for head in [self.roles[role].unrecognized_fields["head"]]
        }
        return Stamp(time_text(now()), heads).as_json()

    def write(self, *, but: Iterable[str] = ()) -> None:
        """Sign and put in place all of it `but` these."""
        self.timestamp.unrecognized_fields["feed"] = self.stamp()
        named: dict[str, tuple[str, Any]] = {
            "root": (f"{self.root.version}.root", self.root),
            "targets": (f"{self.targets.version}.targets", self.targets),
            **{role: (f"{signed.version}.{role}", signed) for role, signed in self.roles.items()},
            "snapshot": (f"{self.snapshot.version}.snapshot", self.snapshot),
            "timestamp": ("timestamp", self.timestamp),
        }
        for role, (name, signed) in named.items():
            if role not in but:
                self.put(name, self.bytes_of(signed, self.signers[role]))

    def bytes_of(self, signed: Any, signers: Iterable[CryptoSigner]) -> bytes:
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / "metadata" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    @property
    def root_file(self) -> Path:
        return self.folder / "metadata" / "1.root.json"


def target_of(file: FeedFile) -> TargetFile:
    return TargetFile(file.length, {"sha256": file.sha256}, file.path, {"custom": file.custom()})


def digest_of(entries: Iterable[FeedEntry]) -> str:
    digest = SetDigest()
    for entry in entries:
        digest.add(entry.canonical)
    return digest.hexdigest()
