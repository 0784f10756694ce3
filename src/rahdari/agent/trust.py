"""Walking the signed metadata, from the pinned root to the list of the feed's files.

python-tuf does the walk: each root signed by the one before it, thresholds, versions that never go back, terms that are
kept. Here it gets a bounded way to fetch, a folder to remember in, and the one root to begin with. That folder may be
lost: the position in the state holds its own floor (see `sync`).
"""

import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

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

from rahdari.proof import FeedFault, FeedFile, Head, UnsupportedFormat, live_files
from rahdari.proof.entry import is_time, parse_time
from rahdari.proof.repository import METADATA, PATHS, ROLE, TARGETS, head_of

from .configuration import Configuration
from .disk import told
from .faults import AgentFault, Exit
from .transport import Server, UnexpectedAnswer

# Up to this, a download is held in memory; above, in a file of the state folder.
IN_MEMORY = 8 * 1024 * 1024
ROOT_BYTES = 512_000


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
        super().__init__(
            f"What the server sent is not signed as it must be: {why}. Nothing of it was accepted.",
            "Check that `root` is this feed's root; if it is, tell the authority at once: "
            "its server may be in other hands.",
        )


class Expired(AgentFault):
    exit = Exit.ALARM

    def __init__(self, why: str, clock_hint: str) -> None:
        super().__init__(
            f"The feed's signatures have run out ({why}). Nothing new is accepted; the last edition stays enforced.",
            clock_hint or "The publisher has stopped or someone holds back its editions: tell the authority.",
        )


class UpgradeNeeded(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The feed has the format {found}, which this agent does not know. What was verified last stays enforced.",
            "Upgrade rahdari on this machine: pip install --upgrade rahdari.",
        )


@dataclass(frozen=True)
class Signed:
    """What the signed metadata says at this moment."""

    head: Head
    files: list[FeedFile]
    timestamp_version: int
    signed_at: dt.datetime
    fresh_until: dt.datetime


class Fetcher(FetcherInterface):
    """python-tuf's way to the server. `in_hand` holds what has come by push: verified like anything else."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self._folder = server, folder
        self.in_hand: dict[str, bytes] = {}

    def _fetch(self, url: str) -> Iterator[bytes]:
        raise NotImplementedError  # Everything goes through `download_file`, which knows the bound.

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(self._folder)) as file:
            if (held := self.in_hand.pop(url, None)) is not None:
                file.write(held[: max_length + 1])
            else:
                try:
                    for piece in self._server.get(url, most=max_length):
                        file.write(piece)
                except UnexpectedAnswer as error:
                    # The walk over roots ends at the first that is not there.
                    raise DownloadHTTPError(error.what, error.status) from error
            file.seek(0)
            yield file


class Walker:
    """The walk, with its memory in `folder`."""

    def __init__(self, configuration: Configuration, server: Server) -> None:
        self._root = pinned_root(configuration.root, configuration.root_sha256)
        # Another root, another memory: nothing of an old one is held against a new one.
        self._memory = configuration.state / "metadata" / configuration.root_sha256[:16]
        self._base = f"{configuration.server}/feed"
        self._server = server
        self._fetcher = Fetcher(server, configuration.state)
        self._updater: Updater | None = None

    def walk(self, *, timestamp: bytes | None = None) -> Signed:
        """Raises AgentFault: Untrusted, Expired, UpgradeNeeded, WrongRoot, and what `transport` raises."""
        metadata = f"{self._base}/{METADATA}"
        self._fetcher.in_hand = {f"{metadata}/timestamp.json": timestamp} if timestamp else {}
        with told(self._memory), self._explained():
            self._memory.mkdir(parents=True, exist_ok=True)
            # One walk for each updater (TUF 5.3); connections and files are kept.
            self._updater = Updater(
                str(self._memory),
                metadata,
                target_base_url=f"{self._base}/{TARGETS}",
                fetcher=self._fetcher,
                bootstrap=self._root,
            )
            self._updater.refresh()
            # Asking for any path of the role loads and verifies the role.
            self._updater.get_targetinfo(PATHS.replace("*", "-"))
            return self._read()

    @contextmanager
    def fetch(self, file: FeedFile) -> Iterator[BinaryIO]:
        """A snapshot or delta, once length and hash are as signed. Raises Untrusted and what `transport` raises."""
        with tempfile.TemporaryDirectory(dir=self._memory, prefix="edition-") as folder:
            path = Path(folder) / "body"
            with told(self._memory), self._explained():
                if self._updater is None:
                    raise Untrusted("nothing was walked yet")
                target = self._updater.get_targetinfo(file.path)
                if target is None:
                    raise Untrusted(f"{file.path} is not among the signed files")
                try:
                    self._updater.download_target(target, str(path))
                except LengthOrHashMismatchError:
                    # Once more: a proxy on the way may have cut it short or kept an old one.
                    self._updater.download_target(target, str(path))
            with path.open("rb") as body:
                yield body

    def _read(self) -> Signed:
        """From the folder: what stands there has just been verified."""
        signed = {
            name: Metadata.from_file(str(self._memory / f"{name}.json")).signed
            for name in ("root", "timestamp", "snapshot", "targets", ROLE)
        }
        feed, stamp = cast("Targets", signed[ROLE]), signed["timestamp"]
        said = stamp.unrecognized_fields.get("feed")
        head = head_of(feed)
        signed_at = said.get("signed_at") if isinstance(said, dict) else None
        return Signed(
            head=head,
            files=live_files(feed),
            timestamp_version=stamp.version,
            signed_at=parse_time(str(signed_at) if is_time(signed_at) else head.published_at),
            fresh_until=min(part.expires for part in signed.values()),
        )

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
    """Downloads that a killed agent left behind."""
    for folder in configuration.state.glob("metadata/*/edition-*"):
        with suppress(OSError):
            for path in folder.iterdir():
                os.unlink(path)
            folder.rmdir()
