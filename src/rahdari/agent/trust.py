"""Walking the signed metadata, from the pinned root to the list of the feed's files.

python-tuf does the walk: each root signed by the one before it, thresholds, versions that never go back, terms that are
kept. Here it gets a bounded way to fetch, a folder to remember in, and the one root to begin with. That folder may be
lost: the position in the state holds its own floor (see `sync`). Between two walks, an edition that was pushed is taken
from where the last one ended (`onward`).
"""

import datetime as dt
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Root, Targets
from tuf.ngclient import FetcherInterface, Updater

from rahdari.feed import ROLES, BulkStatement, FeedFault, FeedFile, Head, UnsupportedFormat, live_files
from rahdari.feed.bulk import LONGEST as LONGEST_STATEMENT
from rahdari.feed.repository import METADATA, TARGETS, head_of, is_bulk_path, location_of, paths_of, stamp_of

from .configuration import Configuration
from .disk import disk_faults
from .faults import AgentFault, Exit
from .next_metadata import Ground, NotOnward, onward
from .removal_hold import Statement
from .transport import Answered, Server, UnexpectedAnswer

# Up to this, a download is held in memory; above, in a file of the state folder.
IN_MEMORY = 8 * 1024 * 1024
ROOT_BYTES = 512_000
# A newer root is looked for once in this time, however many editions are pushed.
ROOT_SECONDS = 60.0


class WrongRoot(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The root of trust cannot be used: {why}.",
            "Get root.json and its SHA-256 from the authority by two separate ways and run `rahdari agent init` again.",
        )


class Untrusted(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"What the server sent is not signed as it must be: {why}. Nothing of it was accepted.",
            "Check that `root` is this feed's root; if it is, tell the authority at once: "
            "its server may be in other hands.",
        )


class Expired(AgentFault):
    exit = Exit.ALARM

    def __init__(self, why: str, clock_hint: str) -> None:
        self.why = why
        super().__init__(
            f"The feed's signatures have run out ({why}). Nothing new is accepted; the last edition stays enforced.",
            f"This machine's clock is {clock_hint}: set it, by NTP for example."
            if clock_hint
            else "The publisher has stopped or someone holds back its editions: tell the authority.",
        )


class UpgradeNeeded(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The feed has the format {found}, which this agent does not know. What was verified last stays enforced.",
            "Upgrade rahdari on this machine to the release that the authority names.",
        )


@dataclass(frozen=True)
class Listing:
    """What is signed of one role: the edition its files lead to, and until when all of that is vouched for."""

    role: str
    head: Head
    files: list[FeedFile]
    fresh_until: dt.datetime


@dataclass(frozen=True)
class Signed:
    """What the signed metadata says at this moment: of each role, and the paths of bulk statements."""

    listings: dict[str, Listing]
    statements: tuple[str, ...]
    timestamp_version: int
    signed_at: dt.datetime
    # The digest of the terms of the feed, or empty.
    terms: str = ""


class Fetcher(FetcherInterface):
    """python-tuf's way to the server. `in_hand` holds what has come by push: verified like anything else."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self._folder = server, folder
        self.in_hand: dict[str, bytes] = {}
        # Whether the newest root was looked for a moment ago, and need not be again.
        self.roots_known = False
        # The timestamp that was verified last, and the one that was fetched after it.
        self._verified: Answered | None = None
        self._fetched: Answered | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        raise NotImplementedError  # Everything goes through `download_file`, which knows the bound.

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        if self.roots_known and url.endswith(".root.json"):
            raise DownloadHTTPError("not looked for", HTTPStatus.NOT_FOUND)
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(self._folder)) as file:
            if (held := self.in_hand.pop(url, None)) is not None:
                file.write(held[: max_length + 1])
            else:
                try:
                    for piece in self._pieces(url, max_length):
                        file.write(piece)
                except UnexpectedAnswer as error:
                    # The walk over roots ends at the first that is not there.
                    raise DownloadHTTPError(error.what, error.status) from error
            file.seek(0)
            yield file

    def _pieces(self, url: str, most: int) -> Iterator[bytes]:
        if not url.endswith("/timestamp.json"):
            yield from self._server.get(url, most=most)
            return
        # The one name that is written anew: while it is what was verified last, it is not sent again.
        known = self._verified
        answered = self._server.get_changed(url, most=most, tag=known.tag if known else "")
        self._fetched = answered or known
        if self._fetched is not None:
            yield self._fetched.body

    def keep_tag(self) -> None:
        """What was fetched has been verified. Before that its tag is not used: it may have been cut short."""
        self._verified, self._fetched = self._fetched or self._verified, None


class Walker:
    """The walk, with its memory in `folder`."""

    def __init__(self, configuration: Configuration, server: Server) -> None:
        self._root = pinned_root(configuration.root, configuration.root_sha256)
        # Another root, another memory: nothing of an old one is held against a new one.
        self._state = configuration.state
        self._memory = configuration.state / "metadata" / configuration.root_sha256[:16]
        self._base = f"{configuration.server}/feed"
        self._server = server
        self._fetcher = Fetcher(server, configuration.state)
        self._updater: Updater | None = None
        self._parsed: dict[str, tuple[tuple[int, ...], Metadata[Any]]] = {}
        # By role, with what it was verified under; and what was read of it.
        self._roles: dict[str, tuple[tuple[int, ...], Targets]] = {}
        self._listed: dict[str, tuple[Targets, Listing]] = {}
        self._statements: dict[str, BulkStatement | None] = {}
        self._walked_at = float("-inf")
        self._ground: Ground | None = None

    def walk(self, *, timestamp: bytes | None = None, beside: Mapping[str, bytes] | None = None) -> Signed:
        """Raises AgentFault: Untrusted, Expired, UpgradeNeeded, WrongRoot, and what `transport` raises.

        With a timestamp that came by push, only what it leads to anew is fetched, and of that only what did not come
        `beside` it (by its place, `metadata/...` or `targets/...`). Whether there is a newer root is asked each minute,
        and when the walk fails without it.
        """
        came = dict(beside or {}) if timestamp is not None else {}
        if timestamp is not None and time.monotonic() - self._walked_at < ROOT_SECONDS:
            with suppress(NotOnward):
                return self._onward(timestamp, came)
            with suppress(Untrusted, Expired):
                return self._walk(timestamp, came, roots_known=True)
        self._server.ask_anew()
        while True:
            try:
                return self._walk(timestamp, came, roots_known=False)
            except (Untrusted, Expired) as fault:
                # Of a mirror that is old or lies, while the server is away: the next one may do.
                if timestamp is not None or not self._server.refuse(fault):
                    raise

    def _onward(self, timestamp: bytes, came: Mapping[str, bytes]) -> Signed:
        """Raises NotOnward, and what `transport` raises."""
        if self._ground is None:
            raise NotOnward("nothing was walked yet")
        self._hold(came)
        ground = onward(self._ground, timestamp, self._fetch_metadata, dt.datetime.now(dt.UTC))
        try:
            signed = self._said(ground)
        except FeedFault as error:
            raise NotOnward(str(error)) from error
        self._ground = ground
        return signed

    def _fetch_metadata(self, name: str, most: int) -> bytes:
        url = f"{self._base}/{METADATA}/{name}"
        held = self._fetcher.in_hand.get(url)
        if held is not None and len(held) <= most:
            return self._fetcher.in_hand.pop(url)
        try:
            return self._fetcher.download_bytes(url, most)
        except DownloadHTTPError as error:
            raise NotOnward(name) from error

    def _hold(self, came: Mapping[str, bytes]) -> None:
        self._fetcher.in_hand = {f"{self._base}/{name}": body for name, body in came.items()}

    def _walk(self, timestamp: bytes | None, came: Mapping[str, bytes], *, roots_known: bool) -> Signed:
        metadata = f"{self._base}/{METADATA}"
        self._hold({**came, f"{METADATA}/timestamp.json": timestamp} if timestamp else came)
        self._fetcher.roots_known = roots_known
        with disk_faults(self._state), self._explained():
            self._memory.mkdir(parents=True, exist_ok=True)
            # One walk for each updater (TUF 5.3); connections and files are kept.
            self._updater = updater = Updater(
                str(self._memory),
                metadata,
                target_base_url=f"{self._base}/{TARGETS}",
                fetcher=self._fetcher,
                bootstrap=self._root,
            )
            updater.refresh()
            ground = self._read(updater)
            if self._ground is not None and ground.timestamp.version < self._ground.timestamp.version:
                # What came by push since the last walk stands in no file.
                raise Untrusted("an older timestamp than the one verified here is offered as the newest")
            signed = self._said(ground)
        self._ground = ground
        self._fetcher.keep_tag()
        if not roots_known:
            self._walked_at = time.monotonic()
        return signed

    @contextmanager
    def fetch(self, file: FeedFile) -> Iterator[BinaryIO]:
        """A snapshot or delta, once length and hash are as signed. Raises Untrusted and what `transport` raises."""
        with self._target(f"{self._base}/{TARGETS}/{file.location}", file.length, file.sha256) as body:
            yield body

    def statements(self, signed: Signed) -> list[Statement]:
        """What was signed offline, fetched once. One that cannot be read is no statement. Raises as `fetch` does."""
        for path in signed.statements:
            if path not in self._statements:
                try:
                    self._statements[path] = BulkStatement.decode(self._statement(path))
                except FeedFault:
                    self._statements[path] = None
        found = [(path, self._statements[path]) for path in signed.statements]
        return [Statement(path, said) for path, said in found if said is not None]

    def _pieces(self, url: str, most: int) -> Iterator[bytes]:
        if (held := self._fetcher.in_hand.pop(url, None)) is not None:
            yield held[: most + 1]
        else:
            yield from self._server.get(url, most=most)

    def _statement(self, path: str) -> bytes:
        if self._updater is None:
            raise Untrusted("nothing was walked yet")
        with disk_faults(self._state), self._explained():
            target = self._updater.get_targetinfo(path)
        if target is None or target.length > LONGEST_STATEMENT or "sha256" not in target.hashes:
            raise Untrusted(f"{path} is not among the signed files")
        url = f"{self._base}/{TARGETS}/{location_of(path, target.hashes['sha256'])}"
        with self._target(url, target.length, target.hashes["sha256"]) as body:
            return body.read()

    @contextmanager
    def _target(self, url: str, length: int, sha256: str) -> Iterator[BinaryIO]:
        folder = str(self._memory)
        with disk_faults(self._state), tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=folder) as body:
            # Twice at least, and from each mirror: one on the way may have cut it short or kept an old one.
            for left in range(max(len(self._server.mirrors.all), 1), -1, -1):
                hasher, received = hashlib.sha256(), 0
                body.seek(0)
                body.truncate()
                for piece in self._pieces(url, length):
                    hasher.update(piece)
                    received += len(piece)
                    body.write(piece)
                if (received, hasher.hexdigest()) == (length, sha256):
                    break
                if not left:
                    raise Untrusted(f"a file has not the length or hash that was signed ({url.rpartition('/')[2]})")
            body.seek(0)
            yield cast("BinaryIO", body)

    def _read(self, updater: Updater) -> Ground:
        """From the folder: what stands there has just been verified, or had been when this process read it."""
        names = ("root", "targets", "timestamp", "snapshot")
        root, targets, stamp, snapshot = (self._signed(name) for name in names)
        now = dt.datetime.now(dt.UTC)
        roles: dict[str, Targets] = {}
        for role in ROLES:
            version = getattr(snapshot, "meta", {}).get(f"{role}.json")
            key = (root.version, targets.version, version.version if version else 0)
            kept, feed = self._roles.get(role, ((), None))
            if kept != key or feed is None or feed.expires <= now:
                if kept[2:] and kept[2:] != key[2:]:
                    # python-tuf would verify the old one once more before it fetches the one that it wants.
                    (self._memory / f"{role}.json").unlink(missing_ok=True)
                # Asking for any path of the role loads and verifies the role.
                updater.get_targetinfo(paths_of(role).replace("*", "-"))
                feed = cast("Targets", self._signed(role))
                self._roles[role] = (key, feed)
            roles[role] = feed
        return Ground(root, targets, stamp, snapshot, roles)

    def _said(self, ground: Ground) -> Signed:
        """What verified metadata say. Raises FeedFault."""
        common = min(part.expires for part in (ground.root, ground.timestamp, ground.snapshot, ground.targets))
        stamp = stamp_of(ground.timestamp)
        return Signed(
            listings={role: self._listing(role, feed, common) for role, feed in ground.roles.items()},
            statements=tuple(sorted(path for path in ground.targets.targets if is_bulk_path(path))),
            timestamp_version=ground.timestamp.version,
            signed_at=stamp.signed,
            terms=stamp.terms,
        )

    def _listing(self, role: str, feed: Targets, common: dt.datetime) -> Listing:
        kept, listing = self._listed.get(role, (None, None))
        if kept is not feed or listing is None:
            listing = Listing(role, head_of(feed), live_files(feed, role=role), feed.expires)
            self._listed[role] = (feed, listing)
        return replace(listing, fresh_until=min(common, listing.fresh_until))

    def _signed(self, name: str) -> Any:
        """Read again only when the file is another one: it is put in place by renaming."""
        path = self._memory / f"{name}.json"
        found = path.stat()
        key = (found.st_ino, found.st_mtime_ns, found.st_size)
        kept = self._parsed.get(name)
        if kept is None or kept[0] != key:
            kept = self._parsed[name] = (key, Metadata.from_file(str(path)))
        return kept[1].signed

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnsupportedFormat as error:
            raise UpgradeNeeded(error.found) from error
        except FeedFault as error:
            raise Untrusted(str(error)) from error
        except ExpiredMetadataError as error:
            raise Expired(str(error).rstrip("."), self._server.clock_hint()) from error
        except LengthOrHashMismatchError as error:
            raise Untrusted(f"a file has not the length or hash that was signed ({error})") from error
        except UnsignedMetadataError as error:
            raise Untrusted(f"the keys are not those of the pinned root ({error})") from error
        except RepositoryError as error:
            raise Untrusted(str(error)) from error
        except DownloadHTTPError as error:
            if isinstance(error.__cause__, AgentFault):
                raise error.__cause__ from None
            raise
        except (DownloadError, ValueError, KeyError, TypeError, RecursionError) as error:
            # Metadata is read by python-tuf before it is verified; whatever it stumbles over is not ours.
            raise Untrusted(f"{type(error).__name__}: {error}"[:200]) from error


def pinned_root(path: Path, sha256: str) -> bytes:
    """The root in this file, if it is the one that was pinned. Raises WrongRoot."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WrongRoot(f"{path} cannot be read ({error.strerror})") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WrongRoot(f"{path} has the SHA-256 {found}, and {sha256} is the one that was pinned")
    check_root(content)
    return content


def check_root(content: bytes) -> Metadata[Root]:
    """A root that is signed by its own keys. Raises WrongRoot."""
    if len(content) > ROOT_BYTES:
        raise WrongRoot(f"it is longer than {ROOT_BYTES} bytes")
    try:
        root = Metadata[Root].from_bytes(content)
        if not isinstance(root.signed, Root):
            raise WrongRoot(f"it is no root but {root.signed.type!r}")
        root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
    except WrongRoot:
        raise
    # A file from outside may trip python-tuf's reader in any way.
    except Exception as error:
        raise WrongRoot(f"it is not signed by its own keys ({type(error).__name__})") from error
    return root


def remove_leftovers(configuration: Configuration) -> None:
    """What a killed agent left behind: files that python-tuf had not moved to their place yet."""
    for path in configuration.state.glob("metadata/*/tmp*"):
        with suppress(OSError):
            os.unlink(path)
