"""The keys of this installation: four named files, outside the database, readable by their owner only.

Invariants: a key file holds one key a line, `<id> <64 hex digits>`; the first encrypts, all decrypt; the file's mode
is 0600; a missing file is never made on use, only by `make_missing` (`rahdari up` calls it), so that a lost key is
an error to be seen and not a new key that cannot read the old values.
"""

import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from rahdari.errors import RahdariError

NAMES = ("fields", "index", "documents", "links")
WHAT_LOSING_MEANS = {
    "fields": "personal fields (names, card numbers, telephone numbers, letters) cannot be read any more",
    "index": "duplicates and rosters are not found until the rosters are imported again, and everybody signs in again",
    "documents": "uploaded documents cannot be read any more",
    "links": "every link and certificate code that was given out stops working",
}


class KeyMissing(RahdariError):
    """A key file is not there or cannot be used. `.name` is the key, `.path` its file, `.why` what is wrong."""

    says = "key {name!r} at {path}: {why}"
    name: str
    path: Path
    why: str


@dataclass(frozen=True)
class Key:
    id: str
    secret: bytes

    @property
    def print(self) -> str:
        """By which it is told from another, and from which nothing of it can be learned."""
        return hashlib.sha256(b"rahdari key\0" + self.id.encode() + self.secret).hexdigest()[:12]


@dataclass(frozen=True)
class Keyring:
    """All keys by name; the first of each is the one in use."""

    keys: dict[str, tuple[Key, ...]]

    def current(self, name: str) -> Key:
        return self.keys[name][0]

    def find(self, name: str, key_id: str) -> Key | None:
        return next((key for key in self.keys[name] if key.id == key_id), None)


def path_of(name: str, folder: Path) -> Path:
    return folder / f"{name}.key"


def make_missing(folder: Path) -> list[str]:
    """Make the keys that are not there yet; return their names. Existing files are never touched."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in NAMES:
        path = path_of(name, folder)
        if path.exists():
            continue
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{secrets.token_hex(4)} {secrets.token_hex(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        made.append(name)
    if made:
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    return made


def read(name: str, folder: Path) -> tuple[Key, ...]:
    """Read one key file. Raises KeyMissing with what is wrong with it."""
    path = path_of(name, folder)
    try:
        lines = path.read_text().split("\n")
    except FileNotFoundError:
        raise KeyMissing(name, path, "the file is not there") from None
    except OSError as error:
        raise KeyMissing(name, path, error.strerror or "cannot be read") from None
    keys = []
    for line in filter(None, lines):
        key_id, _, digits = line.partition(" ")
        try:
            secret = bytes.fromhex(digits)
        except ValueError:
            secret = b""
        if len(secret) != 32 or not key_id.isalnum():
            raise KeyMissing(name, path, "the file is damaged (a line is not an id and 64 hex digits)")
        keys.append(Key(key_id, secret))
    if not keys:
        raise KeyMissing(name, path, "the file is empty")
    return tuple(keys)


def problems(folder: Path) -> list[str]:
    """What `rahdari doctor` has to say about the keys in a folder; empty when all is well."""
    found = []
    for name in NAMES:
        try:
            read(name, folder)
        except KeyMissing as error:
            found.append(
                f"Key {name}: {error.why} ({error.path}). Restore it from your backup; without it "
                f"{WHAT_LOSING_MEANS[name]}."
            )
            continue
        mode = stat.S_IMODE(path_of(name, folder).stat().st_mode)
        if mode & 0o077:
            path = path_of(name, folder)
            found.append(f"Key {name}: others may read {path} (mode {mode:04o}). Run: chmod 600 {path}")
    return found


@cache
def _loaded(folder: Path) -> Keyring:
    return Keyring({name: read(name, folder) for name in NAMES})


def keyring() -> Keyring:
    """The keys of this process, read once from `settings.DATA / "keys"`. Raises KeyMissing."""
    return _loaded(Path(settings.DATA) / "keys")


def forget() -> None:
    """Read the files again at the next use (after a rotation)."""
    _loaded.cache_clear()
