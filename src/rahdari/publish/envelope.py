"""The TUF metadata in the feed's folder: reading what is published, signing what comes next.

Invariants: files that carry a version in their name are never changed; metadata are written in the order feed role,
snapshot, timestamp, so that whatever timestamp is there, all that it leads to is there too; a version goes up only.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from rahdari.proof import FeedFile, Head
from rahdari.proof.entry import parse_time, time_text
from rahdari.proof.repository import METADATA, ROLE, TARGETS, head_of

from . import folder, keys, rules
from .folder import Checkpoint, no_checkpoint

ROLES = (ROLE, "snapshot", "timestamp")


class FeedUnusable(Exception):
    """What lies in the feed's folder cannot be read or trusted. `.path`, `.why`."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path, self.why = path, why


class NoKeys(Exception):
    """No keys were made for this feed yet. `.path` is where they belong."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no keys in {path}")
        self.path = path


@dataclass(frozen=True)
class Published:
    """What the timestamp in the folder leads to."""

    head: Head
    targets: dict[str, TargetFile]
    versions: dict[str, int]
    expires: dict[str, dt.datetime]
    signed_at: dt.datetime
    offline_targets_version: int


@dataclass(frozen=True)
class Versions:
    feed: int
    snapshot: int
    timestamp: int


@dataclass(frozen=True)
class Repository:
    """The folder `DATA/feed`."""

    data: Path

    @property
    def path(self) -> Path:
        return self.data / "feed"

    @property
    def metadata(self) -> Path:
        return self.path / METADATA

    @property
    def targets(self) -> Path:
        return self.path / TARGETS

    def place_of(self, file: FeedFile) -> Path:
        return self.targets / file.location

    def ensure(self) -> None:
        """Bring what the ceremony signed into the folder. Raises NoKeys."""
        source = keys.online_folder(self.data)
        if not source.is_dir():
            raise NoKeys(source)
        for name in ("1.targets.json", "1.root.json"):
            if not (self.metadata / name).exists():
                folder.write_whole(self.metadata / name, _read(source / name))

    def newest(self, role: str) -> int:
        """The highest version of an offline role. They are numbered without gaps."""
        version = 1
        while (self.metadata / f"{version + 1}.{role}.json").exists():
            version += 1
        return version

    def root(self) -> Metadata[Root]:
        return self._load("root", self.newest("root"))

    def offline_targets(self, root: Root | None = None) -> Metadata[Targets]:
        """The delegation, held against the root. Raises FeedUnusable."""
        version = self.newest("targets")
        targets: Metadata[Targets] = self._load("targets", version)
        self._hold("targets", version, targets, root or self.root().signed)
        return targets

    def _hold(self, role: str, version: int, metadata: Metadata[Any], by: Root | Targets) -> None:
        try:
            by.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except RepositoryError as error:
            raise FeedUnusable(
                self.metadata / f"{version}.{role}.json", f"its signatures are not enough: {error}"
            ) from None

    def _load(self, role: str, version: int | None = None) -> Metadata[Any]:
        path = self.metadata / (f"{version}.{role}.json" if version else f"{role}.json")
        try:
            return Metadata.from_bytes(_read(path))
        except DeserializationError:
            raise FeedUnusable(path, "it is no TUF metadata") from None

    def timestamp(self) -> Metadata[Timestamp] | None:
        """None while nothing was published."""
        return self._load("timestamp") if (self.metadata / "timestamp.json").exists() else None

    def published(self) -> Published | None:
        """What is published now, from the timestamp down. Raises FeedUnusable when a part of it is missing."""
        timestamp = self.timestamp()
        if timestamp is None:
            return None
        snapshot: Metadata[Snapshot] = self._load("snapshot", timestamp.signed.snapshot_meta.version)
        feed: Metadata[Targets] = self._load(ROLE, snapshot.signed.meta[f"{ROLE}.json"].version)
        return Published(
            head=head_of(feed.signed),
            targets=feed.signed.targets,
            versions={
                ROLE: feed.signed.version,
                "snapshot": snapshot.signed.version,
                "timestamp": timestamp.signed.version,
            },
            expires={
                ROLE: feed.signed.expires,
                "snapshot": snapshot.signed.expires,
                "timestamp": timestamp.signed.expires,
            },
            signed_at=parse_time(timestamp.signed.unrecognized_fields["feed"]["signed_at"]),
            offline_targets_version=snapshot.signed.meta["targets.json"].version,
        )

    def versions(self) -> dict[str, int]:
        """The versions of the online roles that are published; empty while nothing is."""
        timestamp = self.timestamp()
        if timestamp is None:
            return {}
        snapshot: Metadata[Snapshot] = self._load("snapshot", timestamp.signed.snapshot_meta.version)
        return {
            ROLE: snapshot.signed.meta[f"{ROLE}.json"].version,
            "snapshot": snapshot.signed.version,
            "timestamp": timestamp.signed.version,
        }

    def is_used(self, role: str, version: int) -> bool:
        """Whether there is a file of this version. A timestamp has no version in its name, and is replaced."""
        return (self.metadata / f"{version}.{role}.json").exists()

    def add_root(self, data: bytes) -> int:
        """Put the next root in place, once both it and the present one say that it may be. Raises FeedUnusable."""
        new: Metadata[Root] = Metadata.from_bytes(data)
        version = new.signed.version
        self._hold("root", version, new, self.root().signed)
        self._hold("root", version, new, new.signed)
        folder.write_whole(self.metadata / f"{version}.root.json", data)
        return version

    def add_targets(self, data: bytes) -> int:
        """Put the next delegation in place; it counts from the next signature of the snapshot. Raises FeedUnusable."""
        new: Metadata[Targets] = Metadata.from_bytes(data)
        version = new.signed.version
        self._hold("targets", version, new, self.root().signed)
        folder.write_whole(self.metadata / f"{version}.targets.json", data)
        return version

    def erase_old_metadata(self, *, kept: dt.timedelta) -> None:
        """Erase versions of the online roles whose successor has been there for longer than `kept`."""
        now = (self.metadata / "timestamp.json").stat().st_mtime  # by the clock that the files have
        for role in (ROLE, "snapshot"):
            found = [path for path in self.metadata.glob(f"*.{role}.json") if path.name.split(".")[0].isdecimal()]
            found.sort(key=lambda path: int(path.name.split(".")[0]))
            for path, successor in pairwise(found):
                if now - successor.stat().st_mtime > kept.total_seconds():
                    path.unlink(missing_ok=True)

    def sign(
        self,
        *,
        head: Head,
        targets: dict[str, TargetFile],
        versions: Versions,
        now: dt.datetime,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        """Sign and write all three online roles, the timestamp last. From then on it is published."""
        root = self.root().signed
        offline = self.offline_targets(root)
        signers = keys.load_signers(self.data, root, offline.signed)
        feed = Targets(
            version=versions.feed,
            expires=_until(now, rules.FEED_LASTS),
            targets=targets,
            unrecognized_fields={"head": head.as_json()},
        )
        feed_bytes = self._write(ROLE, feed, signers.feed, checkpoint)
        meta = {
            "targets.json": MetaFile(offline.signed.version),
            f"{ROLE}.json": _meta(versions.feed, feed_bytes),
        }
        snapshot = Snapshot(version=versions.snapshot, expires=_until(now, rules.SNAPSHOT_LASTS), meta=meta)
        snapshot_bytes = self._write("snapshot", snapshot, signers.snapshot, checkpoint)
        self._sign_timestamp(
            head, _meta(versions.snapshot, snapshot_bytes), versions.timestamp, signers.timestamp, now, checkpoint
        )

    def sign_timestamp(
        self, *, head: Head, version: int, now: dt.datetime, checkpoint: Checkpoint = no_checkpoint
    ) -> None:
        """Say once more, with a new time, what was said last."""
        timestamp: Metadata[Timestamp] = self._load("timestamp")
        root = self.root().signed
        signers = keys.load_signers(self.data, root, self.offline_targets(root).signed)
        self._sign_timestamp(head, timestamp.signed.snapshot_meta, version, signers.timestamp, now, checkpoint)

    def _sign_timestamp(
        self,
        head: Head,
        snapshot_meta: MetaFile,
        version: int,
        signer: CryptoSigner,
        now: dt.datetime,
        checkpoint: Checkpoint,
    ) -> None:
        said = {
            "session": head.session,
            "sequence": head.sequence,
            "digest": head.digest,
            "signed_at": time_text(now),
        }
        timestamp = Timestamp(
            version=version,
            expires=_until(now, rules.TIMESTAMP_LASTS),
            snapshot_meta=snapshot_meta,
            unrecognized_fields={"feed": said},
        )
        self._write("timestamp", timestamp, signer, checkpoint)

    def _write(
        self, role: str, signed: Targets | Snapshot | Timestamp, signer: CryptoSigner, checkpoint: Checkpoint
    ) -> bytes:
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(signer)
        data = metadata.to_bytes()
        name = "timestamp.json" if role == "timestamp" else f"{signed.version}.{role}.json"
        folder.write_whole(
            self.metadata / name, data, checkpoint=lambda at: checkpoint(at.replace(name, f"{role}.json"))
        )
        return data


def targets_of(files: Iterable[FeedFile]) -> dict[str, TargetFile]:
    return {
        file.path: TargetFile(file.length, {"sha256": file.sha256}, file.path, {"custom": file.custom()})
        for file in files
    }


def _meta(version: int, data: bytes) -> MetaFile:
    return MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})


def _until(now: dt.datetime, lasts: dt.timedelta) -> dt.datetime:
    return (now + lasts).astimezone(dt.UTC).replace(microsecond=0)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FeedUnusable(path, error.strerror or str(error)) from None
