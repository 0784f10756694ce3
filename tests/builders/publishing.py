"""A register and a feed to test with, made by their own acts."""

import datetime as dt
import functools
import gzip
import ipaddress
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Targets, Timestamp
from tuf.ngclient import Updater
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

from rahdari.address import parse_parts
from rahdari.feed import (
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
from rahdari.feed.repository import ROLES, head_of, stamp_of
from rahdari.publish import actions
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry
from tests import clock

# In the present of the tests, since commands ask whether metadata have expired; two hours before they begin, and not
# read from a clock, since which one that is depends on who imports this first.
NOW = clock.begins() - dt.timedelta(hours=2)
YEAR = dt.timedelta(days=365)


def entered(
    *prefixes: str,
    now: dt.datetime = NOW,
    until: dt.datetime | None = None,
    holder: uuid.UUID | None = None,
    asn: int | None = 64500,
    kind: str = "static",
) -> Registration:
    return register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder or uuid.uuid4(),
        category="vpn_freelancer",
        endpoints=[
            NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(prefix), "udp", 51820, asn) for prefix in prefixes
        ],
        valid_from=now,
        valid_until=until or now + YEAR,
        actor="rule:1",
        now=now,
        kind=kind,
    )


def moved(registration: Registration, prefix: str, *, now: dt.datetime = NOW, asn: int | None = 64500) -> None:
    """Its first entry gets another address."""
    entry = registration.entries.order_by("valid_from", "id")[0]
    register.amend_entry(
        entry=entry,
        block=ipaddress.ip_network(prefix),
        parts=parse_parts("tcp 443"),
        asn=asn,
        actor="officer:1",
        now=now,
    )


def struck_out(registration: Registration, *, now: dt.datetime = NOW) -> None:
    register.strike_out(registration=registration, code="S1", actor="officer:1", now=now)


def address(number: int) -> str:
    """A host of its own for each number below 65,536, in 10.0.0.0/8: the register does not mind what kind it is."""
    return f"10.0.{number // 256}.{number % 256}/32"


def an_operator(
    slug: str = "sample-fibre",
    *,
    asns: Sequence[int] = (64500,),
    gateway: bool = False,
    name: str = "",
    name_ur: str = "",
) -> Operator:
    name = name or slug.replace("-", " ").title()
    actions.create_operator(slug=slug, name=name, name_ur=name_ur, asns=list(asns), gateway=gateway, now=NOW)
    return Operator.objects.get(slug=slug)


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
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def verified_in_its_time() -> Iterator[None]:
    """python-tuf asks the machine's clock what has expired; here it is `NOW`, which may be hours ago."""
    with pytest.MonkeyPatch.context() as patch:
        ours = property(lambda self: NOW, lambda self, at: None)
        patch.setattr(TrustedMetadataSet, "reference_time", ours, raising=False)
        yield


class Follower:
    """An operator's verifier in a few lines: python-tuf's client as it comes, and `proof`. One role at a time."""

    def __init__(self, url: str, operator: Operator, folder: Path, root: bytes, role: str = ROLES[0]) -> None:
        self.url, self.operator, self.folder, self.root, self.role = url, operator, folder, root, role
        self.digest = SetDigest()
        self.entries: dict[str, FeedEntry] = {}
        self.session, self.sequence = "", -1
        self.read: list[FeedFile] = []

    def another(self, name: str, *, operator: Operator | None = None, role: str | None = None) -> "Follower":
        place = self.folder.with_name(f"{self.folder.name}-{name}")
        return Follower(self.url, operator or self.operator, place, self.root, role or self.role)

    def look(self) -> tuple[Updater, Head, list[FeedFile]]:
        with verified_in_its_time():
            return self._look()

    def _look(self) -> tuple[Updater, Head, list[FeedFile]]:
        for name in ("metadata", "targets"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        repository = f"{self.url}/repositories/{self.operator.repository}"
        updater = Updater(
            metadata_dir=str(self.folder / "metadata"),
            metadata_base_url=f"{repository}/metadata/",
            target_dir=str(self.folder / "targets"),
            target_base_url=f"{self.url}/targets/",
            bootstrap=self.root,
        )
        updater.refresh()
        for role in ROLES:
            assert updater.get_targetinfo(f"{role}/0/0") is None
        signed: Targets = Metadata[Targets].from_file(str(self.folder / "metadata" / f"{self.role}.json")).signed
        timestamp = Metadata[Timestamp].from_file(str(self.folder / "metadata" / "timestamp.json")).signed
        head = head_of(signed)
        said = stamp_of(timestamp).heads[self.role]
        assert (said.session, said.sequence, said.digest) == (head.session, head.sequence, head.digest)
        return updater, head, live_files(signed, role=self.role)

    def sync(self) -> Head:
        updater, head, files = self.look()
        if head.session != self.session:
            assert head.sequence > self.sequence, "a session is not left for a lower sequence"
            self.start_again(updater, head, files)
        while self.sequence != head.sequence:
            deltas = [
                file
                for file in files
                if file.from_sequence is not None and file.from_sequence <= self.sequence < file.to_sequence
            ]
            if not deltas:
                self.start_again(updater, head, files)
                continue
            self._apply(updater, max(deltas, key=lambda file: (file.to_sequence, file.from_sequence)))
        assert self.digest.hexdigest() == head.digest
        assert len(self.entries) == head.entries
        return head

    def start_again(self, updater: Updater, head: Head, files: list[FeedFile]) -> None:
        newest = max((file for file in files if file.kind is Kind.SNAPSHOT), key=lambda file: file.to_sequence)
        self.digest, self.entries, self.session = SetDigest(), {}, head.session
        self.sequence = -1
        self._apply(updater, newest)

    def _apply(self, updater: Updater, file: FeedFile) -> None:
        info = updater.get_targetinfo(file.path)
        assert info is not None
        path = updater.download_target(info)
        with Path(path).open("rb") as stream:
            limits = SNAPSHOT_LIMITS if file.kind is Kind.SNAPSHOT else DELTA_LIMITS
            reader = EditionReader(stream, limits)
            if file.from_sequence is not None and file.from_sequence < self.sequence:
                cover(list(reader), self.entries)
                self.digest = digest_of(self.entries.values())
                assert self.digest.hexdigest() == file.digest_after
            else:
                apply(list(follow(reader, self.digest)), self.entries)
        self.sequence = file.to_sequence
        self.read.append(file)

    @property
    def prefixes(self) -> set[str]:
        return {entry.prefix for entry in self.entries.values()}


def digest_of(entries: Iterable[FeedEntry]) -> SetDigest:
    digest = SetDigest()
    for entry in entries:
        digest.add(entry.canonical)
    return digest


def live_files_of(feed: Repository, operator: Operator, role: str = ROLES[0]) -> list[FeedFile]:
    """What an operator's metadata name now."""
    repository = feed.of(operator.repository)
    published = repository.published()
    assert published is not None
    path = repository.metadata / f"{published.roles[role].version}.{role}.json"
    return live_files(Metadata[Targets].from_file(str(path)).signed, role=role)


def cover(operations: list[Operation], entries: dict[str, FeedEntry]) -> None:
    """A delta taken from the middle: how these entries stand at its end."""
    for operation in operations:
        entries.pop(operation.entry.id, None)
        if operation.op is not Op.REMOVE:
            entries[operation.entry.id] = operation.entry


def apply(operations: list[Operation], entries: dict[str, FeedEntry]) -> None:
    for operation in operations:
        before = entries.pop(operation.entry.id, None)
        if operation.op is Op.ADD:
            assert before is None
        else:
            assert before == (operation.was or operation.entry)
        if operation.op is not Op.REMOVE:
            entries[operation.entry.id] = operation.entry
