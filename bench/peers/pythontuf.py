"""Plain python-tuf: a list in 100 targets, signed anew for each change, polled each second by python-tuf's client."""

import datetime as dt
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer
from tuf.ngclient import Updater

from bench import place

from . import Peer, Sent, host, nginx

BINS = 100
POLL_SECONDS = 1.0


class Publisher:
    """Root by 2 of 3 keys, consistent snapshots, each file synced before it is renamed."""

    def __init__(self, folder: Path, entries: int) -> None:
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        self.metadata.mkdir(parents=True)
        self.targets.mkdir()
        self._signers = {name: CryptoSigner.generate_ed25519() for name in ("targets", "snapshot", "timestamp")}
        roots = [CryptoSigner.generate_ed25519() for _ in range(3)]
        expires = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=1)
        root = Root(expires=expires, consistent_snapshot=True)
        for signer in roots:
            root.add_key(signer.public_key, "root")
        root.roles["root"].threshold = 2
        for name, signer in self._signers.items():
            root.add_key(signer.public_key, name)
        signed = Metadata(root)
        for signer in roots[:2]:
            signed.sign(signer, append=True)
        self.root = signed.to_bytes(JSONSerializer(compact=True))
        _place(self.metadata / "1.root.json", self.root)
        self._list = Metadata(Targets(expires=expires))
        self._snapshot = Metadata(Snapshot(expires=expires))
        self._timestamp = Metadata(Timestamp(expires=expires))
        self._bins: list[list[str]] = [[] for _ in range(BINS)]
        for number in range(entries):
            self._bins[number % BINS].append(_line(number))
        for at in range(BINS):
            self._write_bin(at)
        self._sign()

    def add(self, number: int) -> None:
        self._bins[number % BINS].append(_line(number))
        self._write_bin(number % BINS)
        self._list.signed.version += 1
        self._snapshot.signed.version += 1
        self._timestamp.signed.version += 1
        self._sign()

    def _write_bin(self, at: int) -> None:
        name = f"bin-{at}.jsonl"
        content = "".join(self._bins[at]).encode()
        target = TargetFile.from_data(name, content)
        _place(self.targets / f"{target.hashes['sha256']}.{name}", content)
        self._list.signed.targets[name] = target

    def _sign(self) -> None:
        version = self._list.signed.version
        self._snapshot.signed.meta["targets.json"].version = version
        self._timestamp.signed.snapshot_meta.version = version
        for name, role, file in (
            ("targets", self._list, f"{version}.targets.json"),
            ("snapshot", self._snapshot, f"{version}.snapshot.json"),
            ("timestamp", self._timestamp, "timestamp.json"),
        ):
            role.sign(self._signers[name])
            _place(self.metadata / file, role.to_bytes(JSONSerializer(compact=True)))


class Poller(threading.Thread):
    """Looks each second, from a random phase; an entry has come when its target is verified."""

    def __init__(self, folder: Path, url: str, root: bytes) -> None:
        super().__init__(daemon=True)
        self._folder, self.url, self._root = folder, url, root
        (folder / "client").mkdir()
        (folder / "fetched").mkdir()
        self._held: dict[str, str] = {}
        self._lines: dict[str, set[str]] = {}
        self.came: dict[str, int] = {}
        self.looks = 0
        self.ended = threading.Event()
        self.fault: Exception | None = None

    def run(self) -> None:
        try:
            while not self.ended.wait(POLL_SECONDS):
                self.look()
        except Exception as error:  # told to the thread that waits
            self.fault = error

    def look(self) -> None:
        self.looks += 1
        updater = Updater(
            str(self._folder / "client"), f"{self.url}/metadata", str(self._folder / "fetched"),
            f"{self.url}/targets", bootstrap=self._root,
        )  # fmt: skip
        updater.refresh()
        for at in range(BINS):
            info = updater.get_targetinfo(f"bin-{at}.jsonl")
            if info is None or self._held.get(info.path) == info.hashes["sha256"]:
                continue
            path = updater.download_target(info)
            now = time.time_ns()
            lines = set(Path(path).read_text().splitlines())
            for line in lines - self._lines.get(info.path, set()):
                self.came[json.loads(line)["prefix"]] = now
            self._lines[info.path] = lines
            self._held[info.path] = info.hashes["sha256"]


class PythonTuf:
    name = "python-tuf, polled at 1 s"
    unfair = (
        "The latency is the poll interval, not TUF; there is no delta: a changed target of a hundredth of the list is "
        "fetched whole; one client over plain HTTP, applied means verified and in memory."
    )

    def __init__(self, publisher: Publisher, poller: Poller, entries: int) -> None:
        self._publisher, self._poller, self._entries = publisher, poller, entries
        self.setting = f"{entries} entries in {BINS} targets, poll each {POLL_SECONDS:.0f} s"
        self.versions = {name: metadata.version(name) for name in ("tuf", "securesystemslib")}

    def change(self, number: int) -> Sent:
        began = time.time_ns()
        self._publisher.add(self._entries + number)
        return Sent(began, time.time_ns())

    def arrived(self, number: int) -> int:
        wanted = f"{host(self._entries + number)}/32"
        until = time.monotonic() + 60
        while wanted not in self._poller.came:
            if self._poller.fault or time.monotonic() > until:
                raise RuntimeError("the entry did not arrive") from self._poller.fault
            time.sleep(0.002)
        return self._poller.came[wanted]

    def from_nothing(self, folder: Path) -> float:
        """Seconds of a client that has only the root."""
        folder.mkdir()
        poller = Poller(folder, self._poller.url, self._publisher.root)
        began = time.monotonic()
        poller.look()
        return time.monotonic() - began

    def facts(self) -> dict[str, Any]:
        return {"polls": self._poller.looks}


@contextmanager
def starting(folder: Path, entries: int, quick: bool) -> Iterator[Peer]:
    publisher = Publisher(folder / "served", entries)
    listen = f"127.0.0.1:{place.free_port()}"
    with nginx.serving(folder / "nginx", folder / "served", listen=listen, quick=quick) as url:
        poller = Poller(folder, url, publisher.root)
        poller.look()
        poller.start()
        try:
            yield PythonTuf(publisher, poller, entries)
        finally:
            poller.ended.set()
            poller.join(10)


def _line(number: int) -> str:
    entry = {"id": f"{number:032x}", "not_after": "2027-11-25T00:00:00Z", "not_before": "2026-11-25T00:00:00Z"}
    return json.dumps({**entry, "port": 51820, "prefix": f"{host(number)}/32", "protocol": "udp"}) + "\n"


def _place(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
