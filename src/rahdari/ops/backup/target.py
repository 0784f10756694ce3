"""Where backups are kept: a folder, or a bucket of a store that speaks S3. Through obstore.

    register.json                   whose backups these are
    backups/ID/backup.json          written last: what has one is whole, and was read back byte by byte
    backups/ID/*.tar.gz.age         what it consists of
    wal/*/SEGMENT-DIGEST.gz.age     the log of PostgreSQL, file by file; DIGEST is of the plain file
    proved/ID.json                  that it was restored, when, and what was compared

An S3 store is reached with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL and what else obstore reads of
AWS_* in the environment.
"""

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
    from obstore.store import ClientConfig, ObjectStore

PIECE_BYTES = 8 * 1024 * 1024


class TargetAway(Told):
    """The place of the backups does not answer, is full, or may not be entered. `.why` is what was said."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(
            f"{target} cannot be used for backups: {why}. See that it can be reached, has room and lets us in; "
            "then call this again. What was finished before stays."
        )
        self.why = why


class Target:
    """One place for the backups of one register. Each act raises TargetAway where the place does not do it."""

    def __init__(self, address: str) -> None:
        """`address` is the path of a folder, which is made, or s3://BUCKET/PREFIX. `folder` is empty for a store."""
        self.address = address
        self.folder: Path | None = None
        parts = urlsplit(address)
        with self._told():
            if parts.scheme == "s3":
                plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
                options: ClientConfig = {"allow_http": True} if plain else {}
                prefix = parts.path.strip("/")
                self._store: ObjectStore = S3Store(parts.netloc, prefix=prefix or None, client_options=options)
            elif parts.scheme:
                raise OSError("it is neither a folder nor s3://BUCKET/PREFIX")
            else:
                self.folder = Path(address).resolve()
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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

    def read_data(self, key: str) -> dict[str, Any] | None:
        content = self.read(key)
        return None if content is None else json.loads(content)

    def put_data(self, key: str, data: dict[str, Any]) -> None:
        self.put(key, json.dumps(data, indent=1, sort_keys=True).encode() + b"\n")

    @contextmanager
    def _told(self, *, missing: bool = False) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            if missing:
                raise
            raise TargetAway(self.address, "what was asked for is not there") from None
        except (OSError, BaseError) as error:
            raise TargetAway(self.address, str(error).strip().split("\n", 1)[0]) from None


def _flush(path: Path) -> None:
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
