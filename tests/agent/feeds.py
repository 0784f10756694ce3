"""A feed as a publisher signs it, a server that can misbehave, and an agent that follows them.

The publisher here signs whatever it is told to, also what an honest one never would.
"""

import datetime as dt
import hashlib
import http.server
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
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

from rahdari.agent.configuration import Configuration, FileTarget, Target
from rahdari.agent.folder import create, open_state
from rahdari.agent.syncing import Agent, Outcome
from rahdari.proof import FeedEntry, FeedFile, Head, Header, Kind, Op, Operation, SetDigest, encode_edition
from rahdari.proof.entry import time_text
from rahdari.proof.repository import PATHS, ROLE, delta_path, snapshot_path

TOKEN = "sample-token"
DAY = dt.timedelta(days=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


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
class Publisher:
    """Writes metadata and targets into `folder`, as `publish` lays them out."""

    folder: Path
    lifetime: dt.timedelta = dt.timedelta(hours=1)
    session: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = -1
    entries: dict[str, FeedEntry] = field(default_factory=dict)
    files: list[FeedFile] = field(default_factory=list)
    offline: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    online: CryptoSigner = field(default_factory=CryptoSigner.generate_ed25519)
    versions: dict[str, int] = field(default_factory=lambda: {"timestamp": 0, "snapshot": 0, ROLE: 0, "root": 0})

    def __post_init__(self) -> None:
        (self.folder / "metadata").mkdir(parents=True, exist_ok=True)
        self.write_root(offline=self.offline)
        self.write_targets()
        self.publish()

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
        role = DelegatedRole(ROLE, [self.online.public_key.keyid], 1, True, [PATHS])
        delegations = Delegations({self.online.public_key.keyid: self.online.public_key}, {ROLE: role})
        self.write("1.targets", Targets(version=1, expires=now() + 90 * DAY, delegations=delegations), [self.offline])

    def publish(
        self, *entries: FeedEntry, remove: Sequence[FeedEntry] = (), snapshot: bool = True, keep: int = 96
    ) -> None:
        """One more edition: these come in, those go out. An entry with an id that is there replaces it."""
        before = self.digest()
        operations = [Operation(Op.REMOVE, self.entries.pop(entry.id)) for entry in remove]
        for entry in entries:
            was = self.entries.get(entry.id)
            operations.append(Operation(Op.REPLACE, entry, was) if was else Operation(Op.ADD, entry))
            self.entries[entry.id] = entry
        self.sequence += 1
        if self.sequence > 0:
            start = self.sequence - 1
            header = Header(Kind.DELTA, self.session, start, self.sequence, before, self.digest(), len(operations))
            self.add_file(header, operations)
        if snapshot or self.sequence == 0:
            self.add_snapshot()
        self.files = self.files[-keep:]
        self.sign()

    def add_snapshot(self) -> None:
        header = Header.snapshot(
            session=self.session, sequence=self.sequence, digest=self.digest(), count=len(self.entries)
        )
        self.files = [file for file in self.files if file.kind is Kind.DELTA]
        self.add_file(header, [Operation(Op.ADD, entry) for entry in self.entries.values()])

    def add_file(self, header: Header, operations: Sequence[Operation], *, body: bytes | None = None) -> FeedFile:
        content = encode_edition(header, operations) if body is None else body
        random = secrets.token_hex(16)
        path = (
            snapshot_path(header.session, header.to_sequence, random)
            if header.from_sequence is None
            else delta_path(header.session, header.from_sequence, header.to_sequence, random)
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
        place = self.folder / "targets" / file.location
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.files.append(file)
        return file

    def digest(self) -> str:
        digest = SetDigest()
        for entry in self.entries.values():
            digest.add(entry.canonical)
        return digest.hexdigest()

    def head(self, **other: Any) -> dict[str, Any]:
        head = Head(self.session, self.sequence, self.digest(), len(self.entries), time_text(now())).as_json()
        return {**head, **other}

    def sign(self, *, head: dict[str, Any] | None = None, signer: CryptoSigner | None = None) -> None:
        """Sign role `feed`, snapshot and timestamp anew, for what is there."""
        by = signer or self.online
        targets = {
            file.path: TargetFile(
                file.length, {"sha256": file.sha256}, file.path, unrecognized_fields={"custom": file.custom()}
            )
            for file in self.files
        }
        self.versions[ROLE] += 1
        feed = Targets(
            version=self.versions[ROLE],
            expires=now() + 7 * DAY,
            targets=targets,
            unrecognized_fields={"head": self.head() if head is None else head},
        )
        self.write(f"{feed.version}.{ROLE}", feed, [by])
        self.versions["snapshot"] += 1
        meta = {"targets.json": MetaFile(1), f"{ROLE}.json": MetaFile(feed.version)}
        snapshot = Snapshot(version=self.versions["snapshot"], expires=now() + DAY, meta=meta)
        self.write(f"{snapshot.version}.snapshot", snapshot, [by])
        self.stamp(signer=by)

    def stamp(self, *, signer: CryptoSigner | None = None) -> bytes:
        """Sign the timestamp alone anew, as the publisher does every 5 minutes."""
        self.versions["timestamp"] += 1
        said = {"session": self.session, "sequence": self.sequence, "signed_at": time_text(now())}
        timestamp = Timestamp(
            version=self.versions["timestamp"],
            expires=now() + self.lifetime,
            snapshot_meta=MetaFile(self.versions["snapshot"]),
            unrecognized_fields={"feed": said},
        )
        return self.write("timestamp", timestamp, [signer or self.online])

    def write(self, name: str, signed: Any, signers: Sequence[CryptoSigner]) -> bytes:
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        content = metadata.to_bytes()
        path = self.folder / "metadata" / f"{name}.json"
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(content)
        beside.replace(path)
        return content


type Answer = tuple[int, bytes]


class Stand:
    """A server of one feed, which takes receipts. `spoil` changes answers: path and true answer in, answer out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.receipts: list[dict[str, Any]] = []
        self.receipt_status = 201
        self.token = TOKEN
        self.spoil: Callable[[str, Answer], Answer | Iterator[bytes]] = lambda path, answer: answer
        self.lag = dt.timedelta()
        stand = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 64 * 1024  # head and body in one packet

            def do_GET(self) -> None:
                stand.asked.append(self.path)
                answer = stand.spoil(self.path, stand.answer(self.path, self.headers.get("Authorization")))
                if isinstance(answer, tuple):
                    self.send(*answer)
                    return
                self.send_response_only(200)
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for piece in answer:
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    pass  # The agent has had enough, as it should.
                self.close_connection = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Authorization") != f"Bearer {stand.token}":
                    self.send(401, b"")
                    return
                if stand.receipt_status < 400:
                    stand.receipts.append(json.loads(body))
                self.send(stand.receipt_status, b"{}")

            def send(self, status: int, body: bytes) -> None:
                self.send_response_only(status)
                at = now() + stand.lag
                self.send_header("Date", at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
                self.send_header("Content-Length", str(len(body)))
                if 300 <= status < 400:
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True)
        self._thread.start()

    def answer(self, path: str, authorization: str | None) -> Answer:
        if authorization != f"Bearer {self.token}":
            return 401, b""
        file = self.folder / path.removeprefix("/feed/")
        return (200, file.read_bytes()) if file.is_file() else (404, b"")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def standing(folder: Path) -> Iterator[Stand]:
    stand = Stand(folder)
    try:
        yield stand
    finally:
        stand.close()


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
        **other,
    )
    create(configuration.state)
    return configuration


def sync(configuration: Configuration, *, at: dt.datetime | None = None, timestamp: bytes | None = None) -> Outcome:
    """What `rahdari agent sync` does."""
    with open_state(configuration.state) as state:
        agent = Agent(configuration, state)
        try:
            return agent.sync(now=at or now(), timestamp=timestamp)
        finally:
            agent.close()


def listed(configuration: Configuration) -> list[str]:
    """The prefixes that stand in the JSON file."""
    path = next(target.path for target in configuration.targets if isinstance(target, FileTarget))
    return [entry["prefix"] for entry in json.loads(path.read_bytes())["entries"]] if path.exists() else []


def names(outcome: Outcome) -> list[str]:
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
