"""The TUF metadata in `DATA/feed`: what is signed offline, the roles of the streams, and each operator's repository.

    metadata/N.root.json N.targets.json                       signed offline: the master copies
    streams/FOLDER/N.feed-*.json                              of a stream; linked into the repositories that lead there
    repositories/NAME/metadata/...                            whole: root, targets, three roles, snapshot, timestamp
    targets/...                                               the files that all of them name

Invariants: files that carry a version in their name are never changed; metadata are written in the order role,
snapshot, timestamp, so that whatever timestamp is there, all that it leads to is there too; a version goes up only.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import SPECIFICATION_VERSION, Metadata, Root, Targets
from tuf.api.serialization import DeserializationError

from rahdari.errors import RahdariError
from rahdari.feed import BulkStatement, FeedFile, Head
from rahdari.feed.faults import FeedFault
from rahdari.feed.repository import METADATA, ROLES, TARGETS, Stamp, is_bulk_path, location_of

from . import folder, keys, rules
from .folder import Checkpoint, no_checkpoint
from .offline import BulkTarget

STREAMS = "streams"
REPOSITORIES = "repositories"
_SPECIFICATION = ".".join(SPECIFICATION_VERSION)


class FeedUnusable(RahdariError):
    """What lies in the feed's folder cannot be read or trusted. `.path`, `.why`."""

    says = "{path}: {why}"
    path: Path
    why: str


class NoKeys(RahdariError):
    """No keys were made for this feed yet. `.path` is where they belong."""

    says = "no keys in {path}"
    path: Path


@dataclass(frozen=True)
class Trusted:
    """What is signed offline, held against itself, and the keys of the publisher that it trusts."""

    root: Metadata[Root]
    targets: Metadata[Targets]
    signers: Mapping[str, CryptoSigner]


@dataclass(frozen=True)
class Named:
    """A file of metadata as the one above it names it."""

    version: int
    sha256: str
    length: int

    def as_json(self) -> dict[str, Any]:
        return {"version": self.version, "length": self.length, "hashes": {"sha256": self.sha256}}

    @classmethod
    def of(cls, version: int, data: bytes) -> "Named":
        return cls(version, hashlib.sha256(data).hexdigest(), len(data))


@dataclass(frozen=True)
class Published:
    """What a repository's timestamp leads to."""

    stamp: Stamp
    roles: Mapping[str, Named]
    snapshot: Named
    timestamp_version: int
    targets_version: int
    snapshot_expires: dt.datetime
    timestamp_expires: dt.datetime

    @property
    def signed_at(self) -> dt.datetime:
        return self.stamp.signed


# What was verified or read last, by file, as long as the file is the same one: nothing is verified twice.
_trusted: dict[Path, tuple[object, Trusted]] = {}
_published: dict[Path, tuple[object, Published]] = {}


@dataclass(frozen=True)
class Repository:
    """The folder `DATA/feed`: what all operators' repositories share."""

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

    def stream(self, name: str) -> Path:
        return self.path / STREAMS / name

    def check_reached(self, sessions: Iterable[tuple[str, str]]) -> None:
        """Of these roles and sessions. Raises FeedUnusable for a folder that is there and may not be entered."""
        for role, session in sessions:
            place = self.targets / role / session
            try:
                os.stat(f"{place}/.")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise FeedUnusable(place, str(error.strerror)) from None

    def of(self, name: str) -> "OperatorRepository":
        return OperatorRepository(self, name)

    def all(self) -> list["OperatorRepository"]:
        """Those that have a folder."""
        found = (self.path / REPOSITORIES).glob("*/" + METADATA)
        return [self.of(path.parent.name) for path in sorted(found)]

    # -- what is signed offline

    def ensure(self) -> None:
        """Bring what the ceremony signed into the folder. Raises NoKeys."""
        source = keys.online_folder(self.data)
        if not source.is_dir():
            raise NoKeys(source)
        for name in ("1.targets.json", "1.root.json"):
            if not (self.metadata / name).exists():
                folder.write_whole(self.metadata / name, read(source / name))

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

    def trusted(self) -> Trusted:
        """Raises FeedUnusable, KeyUnusable. Verified again when one of the files is another."""
        names = sorted(path.name for path in self.metadata.iterdir() if not path.name.startswith("."))
        seen = (names, [_mark(path) for path in sorted(keys.online_folder(self.data).glob("*.pem"))])
        known = _trusted.get(self.path)
        if known is None or known[0] != seen:
            root = self.root()
            targets = self.offline_targets(root.signed)
            known = (seen, Trusted(root, targets, keys.load_signers(self.data, root.signed, targets.signed)))
            _trusted[self.path] = known
        return known[1]

    def statements(self, targets: Targets) -> list[BulkTarget]:
        """The bulk statements that the delegation names. Raises FeedUnusable."""
        found = []
        for path, target in targets.targets.items():
            if is_bulk_path(path):
                place = self.targets / location_of(path, target.hashes["sha256"])
                try:
                    found.append(BulkTarget(path, BulkStatement.decode(read(place))))
                except FeedFault as error:
                    raise FeedUnusable(place, str(error)) from None
        return found

    def _hold(self, role: str, version: int, metadata: Metadata[Any], by: Root | Targets) -> None:
        try:
            by.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except RepositoryError as error:
            raise FeedUnusable(
                self.metadata / f"{version}.{role}.json", f"its signatures are not enough: {error}"
            ) from None

    def _load(self, role: str, version: int) -> Metadata[Any]:
        path = self.metadata / f"{version}.{role}.json"
        try:
            return Metadata.from_bytes(read(path))
        except DeserializationError:
            raise FeedUnusable(path, "it is no TUF metadata") from None

    def add_root(self, data: bytes) -> int:
        """Put the next root in place, once both it and the present one say that it may be. Raises FeedUnusable."""
        new: Metadata[Root] = Metadata.from_bytes(data)
        version = new.signed.version
        self._hold("root", version, new, self.root().signed)
        self._hold("root", version, new, new.signed)
        self._add(f"{version}.root.json", data)
        return version

    def add_targets(self, data: bytes) -> int:
        """Put the next delegation in place; it counts from the next signature of the snapshot. Raises FeedUnusable."""
        new: Metadata[Targets] = Metadata.from_bytes(data)
        version = new.signed.version
        self._hold("targets", version, new, self.root().signed)
        self._add(f"{version}.targets.json", data)
        return version

    def _add(self, name: str, data: bytes) -> None:
        folder.write_whole(self.metadata / name, data)
        for each in self.all():
            folder.link(self.metadata / name, each.metadata / name)

    # -- the role of a stream

    def role(
        self, *, role: str, version: int, head: Head, files: Iterable[FeedFile], now: dt.datetime
    ) -> tuple[bytes, dt.datetime]:
        """Sign what a stream's files are and where they lead; return it, and when it expires."""
        expires = _until(now, rules.FEED_LASTS)
        signed = _signed("targets", version, expires)
        signed |= {
            "targets": {
                file.path: {"custom": file.custom(), "hashes": {"sha256": file.sha256}, "length": file.length}
                for file in files
            },
            "head": head.as_json(),
        }
        return sealed(signed, self.trusted().signers[role]), expires


@dataclass(frozen=True)
class OperatorRepository:
    """One operator's repository, below the folder of all."""

    shared: Repository
    name: str

    @property
    def path(self) -> Path:
        return self.shared.path / REPOSITORIES / self.name

    @property
    def metadata(self) -> Path:
        return self.path / METADATA

    def published(self) -> Published | None:
        """What its timestamp leads to; None while there is none. Raises FeedUnusable when it leads nowhere."""
        path = self.metadata / "timestamp.json"
        try:
            mark = _mark(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FeedUnusable(path, str(error.strerror)) from None
        known = _published.get(path)
        if known is None or known[0] != mark:
            known = (mark, self._read())
            _published[path] = known
        return known[1]

    def _read(self) -> Published:
        timestamp = _signed_part(self.metadata / "timestamp.json")
        try:
            meta = timestamp["meta"]["snapshot.json"]
            snapshot = _signed_part(self.metadata / f"{meta['version']}.snapshot.json")
            return Published(
                stamp=Stamp.from_json(timestamp["feed"]),
                roles={role: _named(snapshot["meta"][f"{role}.json"]) for role in ROLES},
                snapshot=_named(meta),
                timestamp_version=timestamp["version"],
                targets_version=snapshot["meta"]["targets.json"]["version"],
                snapshot_expires=dt.datetime.fromisoformat(snapshot["expires"]),
                timestamp_expires=dt.datetime.fromisoformat(timestamp["expires"]),
            )
        except (KeyError, TypeError, ValueError, FeedFault) as error:
            raise FeedUnusable(self.metadata / "timestamp.json", f"it is no timestamp of a feed: {error}") from None

    def check(self, published: Published) -> None:
        """Raises FeedUnusable unless all that its timestamp leads to is there and whole."""
        names = [(f"{published.snapshot.version}.snapshot.json", published.snapshot)]
        names += [(f"{named.version}.{role}.json", named) for role, named in published.roles.items()]
        for name, named in names:
            if not folder.holds(self.metadata / name, sha256=named.sha256, length=named.length):
                raise FeedUnusable(self.metadata / name, "it is not the file that is named")
        for role, version in (("root", 1), ("targets", published.targets_version)):
            if not (self.metadata / f"{version}.{role}.json").exists():
                raise FeedUnusable(self.metadata / f"{version}.{role}.json", "it is not there")

    def is_used(self, version: int) -> bool:
        """Whether there is a snapshot of this version. A timestamp has no version in its name, and is replaced."""
        return (self.metadata / f"{version}.snapshot.json").exists()

    def link_shared(self) -> None:
        """All that is signed offline."""
        folder.make_folder(self.metadata)
        for role in ("targets", "root"):
            version = self.shared.newest(role)
            while version and not (self.metadata / f"{version}.{role}.json").exists():
                folder.link(self.shared.metadata / f"{version}.{role}.json", self.metadata / f"{version}.{role}.json")
                version -= 1

    def write(
        self,
        *,
        roles: Mapping[str, tuple[Path, Named]],
        snapshot: tuple[int, bytes] | None,
        timestamp: bytes,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        """Put new metadata in place, the timestamp last: from then on that is what is published."""
        if snapshot is not None:
            self.link_shared()
            for role, (source, named) in roles.items():
                folder.link(source / f"{named.version}.{role}.json", self.metadata / f"{named.version}.{role}.json")
            version, data = snapshot
            name = f"{version}.snapshot.json"
            folder.write_whole(
                self.metadata / name,
                data,
                checkpoint=lambda at: checkpoint(at.replace(name, "snapshot.json")),
                flush=False,  # the file system keeps the order of names in one folder, and the timestamp flushes both
            )
        folder.write_whole(self.metadata / "timestamp.json", timestamp, checkpoint=checkpoint)
        _published.pop(self.metadata / "timestamp.json", None)

    def erase_old(self, *, kept: dt.timedelta) -> None:
        """Erase versions of the online roles whose successor has been there for longer than `kept`."""
        try:
            now = (self.metadata / "timestamp.json").stat().st_mtime  # by the clock that the files have
        except FileNotFoundError:
            return
        named = self.published()
        if named is None:
            return
        erase_old_versions(self.metadata, "snapshot", now - kept.total_seconds(), below=named.snapshot.version)
        # What the oldest snapshot names that may still be asked for is kept, and everything after it.
        left = sorted(int(path.name.split(".")[0]) for path in self.metadata.glob("*.snapshot.json"))
        oldest = _signed_part(self.metadata / f"{left[0]}.snapshot.json")["meta"]
        for role in ROLES:
            for path in self.metadata.glob(f"*.{role}.json"):
                if int(path.name.split(".")[0]) < oldest[f"{role}.json"]["version"]:
                    path.unlink(missing_ok=True)

    def erase(self) -> None:
        """The whole folder of an operator that follows no more."""
        shutil.rmtree(self.path, ignore_errors=True)
        _published.pop(self.metadata / "timestamp.json", None)


def erase_old_versions(place: Path, role: str, before: float, *, below: int) -> None:
    """Erase versions of a role lower than `below` whose successor came before this moment."""
    found = [path for path in place.glob(f"*.{role}.json") if path.name.split(".")[0].isdecimal()]
    found.sort(key=lambda path: int(path.name.split(".")[0]))
    for path, successor in pairwise(found):
        if int(path.name.split(".")[0]) < below and successor.stat().st_mtime < before:
            path.unlink(missing_ok=True)


# -- signing -------------------------------------------------------------------------------------------------------


def snapshot_signed(
    *, version: int, targets_version: int, roles: Mapping[str, Named], now: dt.datetime
) -> dict[str, Any]:
    """The signed part of snapshot metadata (TUF, 4.4), valid for `rules.SNAPSHOT_LASTS`."""
    meta: dict[str, Any] = {f"{role}.json": named.as_json() for role, named in roles.items()}
    meta["targets.json"] = {"version": targets_version}
    return _signed("snapshot", version, _until(now, rules.SNAPSHOT_LASTS)) | {"meta": meta}


def timestamp_signed(*, version: int, snapshot: Named, stamp: Stamp, now: dt.datetime) -> dict[str, Any]:
    return _signed("timestamp", version, _until(now, rules.TIMESTAMP_LASTS)) | {
        "meta": {"snapshot.json": snapshot.as_json()},
        "feed": stamp.as_json(),
    }


def sealed(signed: dict[str, Any], signer: CryptoSigner) -> bytes:
    """A file of metadata. For texts without control characters, as all of ours are, the canonical form of TUF's
    specification is that of sorted JSON without spaces; that a second implementation reads it is tested."""
    signature = signer.sign(_canonical(signed))
    return _canonical({"signatures": [{"keyid": signature.keyid, "sig": signature.signature}], "signed": signed})


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _signed(kind: str, version: int, expires: dt.datetime) -> dict[str, Any]:
    return {
        "_type": kind,
        "spec_version": _SPECIFICATION,
        "version": version,
        "expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _until(now: dt.datetime, lasts: dt.timedelta) -> dt.datetime:
    return (now + lasts).astimezone(dt.UTC).replace(microsecond=0)


# -- reading -------------------------------------------------------------------------------------------------------


def read(path: Path) -> bytes:
    """Raises FeedUnusable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FeedUnusable(path, error.strerror or str(error)) from None


def _signed_part(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read(path))["signed"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FeedUnusable(path, "it is no TUF metadata") from None
    if not isinstance(value, dict):
        raise FeedUnusable(path, "it is no TUF metadata")
    return value


def _named(value: dict[str, Any]) -> Named:
    return Named(value["version"], value["hashes"]["sha256"], value["length"])


def _mark(path: Path) -> tuple[object, ...]:
    """Changes whenever the file does: it is always replaced by another."""
    status = path.stat()
    return str(path), status.st_ino, status.st_mtime_ns, status.st_size
