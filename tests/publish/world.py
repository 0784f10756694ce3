"""A register and a feed to test with, made by their own acts."""

import datetime as dt
import functools
import gzip
import ipaddress
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import Updater

from rahdari.proof import (
    DELTA_LIMITS,
    SNAPSHOT_LIMITS,
    EditionReader,
    FeedEntry,
    FeedFile,
    Head,
    Kind,
    Op,
    Operation,
    SetDigest,
    follow,
    live_files,
)
from rahdari.proof.repository import head_of
from rahdari.publish import actions
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry

# TUF clients ask the machine's clock whether metadata have expired, so these tests live in the present.
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
YEAR = dt.timedelta(days=365)


def entered(
    *prefixes: str, now: dt.datetime = NOW, until: dt.datetime | None = None, holder: uuid.UUID | None = None
) -> Registration:
    return register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder or uuid.uuid4(),
        category="vpn_freelancer",
        endpoints=[
            NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(prefix), "udp", 51820, 64500)
            for prefix in prefixes
        ],
        valid_from=now,
        valid_until=until or now + YEAR,
        actor="rule:1",
        now=now,
    )


def moved(registration: Registration, prefix: str, *, now: dt.datetime = NOW) -> None:
    """Its first entry gets another address."""
    entry = registration.entries.order_by("valid_from", "id")[0]
    register.amend_entry(
        entry=entry,
        block=ipaddress.ip_network(prefix),
        protocol="tcp",
        port=443,
        asn=64500,
        actor="officer:1",
        now=now,
    )


def struck_out(registration: Registration, *, now: dt.datetime = NOW) -> None:
    register.strike_out(registration=registration, code="S1", actor="officer:1", now=now)


def address(number: int) -> str:
    """A host of its own for each number below 65,536, in 10.0.0.0/8: the register does not mind what kind it is."""
    return f"10.0.{number // 256}.{number % 256}/32"


def publish(now: dt.datetime = NOW) -> int:
    return actions.publish_editions(now=now)


def plain_bytes(folder: Path) -> bytes:
    """All that anyone who reads the feed can see, decompressed."""
    seen = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            seen += [str(path.relative_to(folder)).encode(), gzip.decompress(data) if path.suffix == ".gz" else data]
    return b"\n".join(seen)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP, as any static file server has it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Follower:
    """A verifier of ten lines: python-tuf's client as it comes, and `proof`."""

    def __init__(self, url: str, folder: Path, root: bytes) -> None:
        self.url, self.folder, self.root = url, folder, root
        self.digest = SetDigest()
        self.entries: dict[str, FeedEntry] = {}
        self.sequence = -1
        self.read: list[FeedFile] = []

    def look(self) -> tuple[Updater, Head, list[FeedFile]]:
        for name in ("metadata", "targets"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        updater = Updater(
            metadata_dir=str(self.folder / "metadata"),
            metadata_base_url=f"{self.url}/metadata/",
            target_dir=str(self.folder / "targets"),
            target_base_url=f"{self.url}/targets/",
            bootstrap=self.root,
        )
        updater.refresh()
        assert updater.get_targetinfo("feed/0/0") is None
        signed: Targets = Metadata[Targets].from_file(str(self.folder / "metadata" / "feed.json")).signed
        return updater, head_of(signed), live_files(signed)

    def sync(self) -> Head:
        updater, head, files = self.look()
        deltas = {file.from_sequence: file for file in files if file.kind is Kind.DELTA}
        if self.sequence != head.sequence and self.sequence not in deltas:
            newest = max((file for file in files if file.kind is Kind.SNAPSHOT), key=lambda file: file.to_sequence)
            self.digest, self.entries = SetDigest(), {}
            self._apply(updater, newest)
        while self.sequence != head.sequence:
            self._apply(updater, deltas[self.sequence])
        assert self.digest.hexdigest() == head.digest
        assert len(self.entries) == head.entries
        return head

    def _apply(self, updater: Updater, file: FeedFile) -> None:
        info = updater.get_targetinfo(file.path)
        assert info is not None
        path = updater.download_target(info)
        with Path(path).open("rb") as stream:
            limits = SNAPSHOT_LIMITS if file.kind is Kind.SNAPSHOT else DELTA_LIMITS
            apply(list(follow(EditionReader(stream, limits), self.digest)), self.entries)
        self.sequence = file.to_sequence
        self.read.append(file)


def apply(operations: list[Operation], entries: dict[str, FeedEntry]) -> None:
    for operation in operations:
        before = entries.pop(operation.entry.id, None)
        if operation.op is Op.ADD:
            assert before is None
        else:
            assert before == (operation.was or operation.entry)
        if operation.op is not Op.REMOVE:
            entries[operation.entry.id] = operation.entry
