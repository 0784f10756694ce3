"""Where backups are kept: a folder, or a bucket of a store that speaks S3. Through obstore.

    register.json                   whose backups these are
    backups/ID/backup.json          written last: what has one is whole, and was read back byte by byte
    backups/ID/*.tar.gz.age         what it consists of
    wal/*/SEGMENT-DIGEST.gz.age     the log of PostgreSQL, file by file; DIGEST is of the plain file
    lines/TIMELINE.json             from which lines of the log it comes, and where it left them
    damaged/ID.json                 that it was found damaged, and what of it
    proved/ID.json                  that it was restored, when, and what was compared

An S3 store is reached with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL and what else obstore reads of
AWS_* in the environment; an account of the cloud's metadata address is asked for only where AWS_METADATA_ENDPOINT
names it.
"""

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from rahdari.ops.errors import Told

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

WHOSE = "register.json"
PIECE_BYTES = 8 * 1024 * 1024
# A backup takes long: a store that is away for a minute is waited for.
RETRIES = 10
RETRYING = dt.timedelta(minutes=3)


# With none of these the client asks the metadata address of clouds for an account.
ACCOUNT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
OTHER_ACCOUNTS = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
    "AWS_SKIP_SIGNATURE",
)


class TargetAway(Told):
    """The place of the backups does not answer, is full, or may not be entered. `.why` is what was said."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(
            f"{target} cannot be used for backups: {why}. See that it can be reached, has room and lets us in; "
            "then call this again. What was finished before stays."
        )
        self.why = why


class NoAccount(TargetAway):
    """The store is to be asked without an account. `.lacking` are the settings that would name one."""

    def __init__(self, target: str, lacking: list[str]) -> None:
        super().__init__(target, f"its account is not set: {', '.join(lacking)}")
        self.lacking = lacking


class NoFolder(TargetAway):
    """There is no such folder, and none is to be made."""

    def __init__(self, target: str) -> None:
        super().__init__(target, "there is no such folder; correct its name, or mount its disk")


class Damaged(Told):
    """A description in the place does not say what it should. `.key` is which."""

    def __init__(self, target: str, key: str) -> None:
        super().__init__(
            f"{target}/{key} cannot be read: it is damaged or cut off. Bring it back from where the place of the "
            "backups is itself kept, or erase it."
        )
        self.key = key


class Target:
    """One place for the backups of one register. Each act raises TargetAway where the place does not do it."""

    def __init__(self, address: str, *, retries: int = RETRIES, make: bool = True) -> None:
        """`address` is the path of a folder, which is made if `make` says so, or s3://BUCKET/PREFIX. `folder` is empty
        for a store, of which each thing is asked so many times more when it fails. Raises TargetAway, NoFolder."""
        self.address = address
        self.folder: Path | None = None
        parts = urlsplit(address)
        with self._told():
            if parts.scheme == "s3":
                lacking = [name for name in ACCOUNT if not os.environ.get(name)]
                if lacking and not any(os.environ.get(name) for name in OTHER_ACCOUNTS):
                    raise NoAccount(address, lacking)
                plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
                options: ClientConfig = {"allow_http": True} if plain else {}
                prefix = parts.path.strip("/")
                retry: RetryConfig = {"max_retries": retries, "retry_timeout": RETRYING}
                self._store: ObjectStore = S3Store(
                    parts.netloc, prefix=prefix or None, client_options=options, retry_config=retry
                )
            elif parts.scheme:
                raise OSError("it is neither a folder nor s3://BUCKET/PREFIX")
            else:
                self.folder = Path(address).resolve()
                if make:
                    self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                elif not self.folder.is_dir():
                    raise NoFolder(address)
                self._store = LocalStore(self.folder)

    def put(self, key: str, content: Path | bytes) -> None:
        """Whole or not at all, and on the disk when this returns."""
        with self._told():
            obstore.put(self._store, key, content, chunk_size=PIECE_BYTES)
            if self.folder is not None:
                _flush(self.folder / key)

    def read(self, key: str) -> bytes | None:
        """A small object, None when it is not there."""
        with self._told():
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError:
                return None

    def pieces(self, key: str) -> Iterator[bytes]:
        """A large object, piece by piece. Raises FileNotFoundError."""
        with self._told(missing=True):
            for piece in obstore.get(self._store, key).stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    def keys(self, prefix: str) -> list[tuple[str, int]]:
        """(key, size in bytes) of all below a prefix that ends with `/`, in order."""
        with self._told():
            found = [(each["path"], each["size"]) for piece in obstore.list(self._store, prefix) for each in piece]
            return sorted(found)

    def erase(self, keys: list[str]) -> None:
        with self._told():
            for key in keys:
                if self.folder is not None:
                    (self.folder / key).unlink(missing_ok=True)
                else:
                    obstore.delete(self._store, key)

    def digest(self, key: str) -> str:
        """SHA-256 in hex of what is there, read back. Raises FileNotFoundError."""
        digest = hashlib.sha256()
        for piece in self.pieces(key):
            digest.update(piece)
        return digest.hexdigest()

    def read_data(self, key: str, *needed: str) -> dict[str, Any] | None:
        """What a description says, None when it is not there. Raises Damaged, also where it lacks what is `needed`."""
        content = self.read(key)
        if content is None:
            return None
        try:
            found = json.loads(content)
        except ValueError:
            raise Damaged(self.address, key) from None
        if not isinstance(found, dict) or not found.keys() >= set(needed):
            raise Damaged(self.address, key)
        return found

    def put_data(self, key: str, data: dict[str, Any]) -> bytes:
        """What was put."""
        content = json.dumps(data, indent=1, sort_keys=True).encode() + b"\n"
        self.put(key, content)
        return content

    @contextmanager
    def _told(self, *, missing: bool = False) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            if missing:
                raise
            raise TargetAway(self.address, "what was asked for is not there") from None
        except (OSError, BaseError) as error:
            raise TargetAway(self.address, str(error).strip().split("\n", 1)[0].rstrip(" :.")) from None


def _flush(path: Path) -> None:
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
