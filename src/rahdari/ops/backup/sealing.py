"""What leaves the machine is packed and encrypted for a public key, in the format age (age-encryption.org/v1), whose
private half is on no machine of the register. `age --decrypt` and `tar` open it without us.
"""

import errno
import gzip
import hashlib
import io
import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyrage
from pyrage import x25519

from rahdari.ops.errors import Told

FAST = 1  # of gzip: zeros and text go, and the rest takes little time


class NoSuchKey(Told):
    """A public or private key that is none. `.why` says which."""

    def __init__(self, why: str, how: str = "Make a pair with: rahdari backup new-key FILE") -> None:
        super().__init__(f"{why}. {how}")
        self.why = why


class NoIdentity(NoSuchKey):
    def __init__(self, why: str) -> None:
        super().__init__(
            why,
            "Name the file that `rahdari backup new-key` wrote when the backups' key was made, or its second copy: no "
            "new key opens them.",
        )


class CannotOpen(Told):
    """A sealed object does not open. `.name` is which."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} does not open: {why}.")
        self.name = name


def recipients(text: str) -> list[x25519.Recipient]:
    """Public keys, divided by spaces or commas. Raises NoSuchKey."""
    try:
        found = [x25519.Recipient.from_str(each) for each in text.replace(",", " ").split()]
    except pyrage.RecipientError as error:
        raise NoSuchKey(f"RAHDARI_BACKUP_KEY is no public key of age, like age1…: {error}") from None
    if not found:
        raise NoSuchKey("RAHDARI_BACKUP_KEY names no public key to encrypt backups for")
    return found


def identity(path: Path) -> x25519.Identity:
    """The private key of a file, as `new_key` or age-keygen writes it. Raises NoIdentity."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
        return x25519.Identity.from_str(next(line for line in lines if line and not line.startswith("#")))
    except OSError as error:
        raise NoIdentity(f"The private key {path} cannot be read: {error.strerror}") from None
    except (StopIteration, UnicodeDecodeError, pyrage.IdentityError):
        raise NoIdentity(f"{path} holds no private key of age, like AGE-SECRET-KEY-1…") from None


def new_key(path: Path) -> str:
    """Write a private key into a new file of mode 0600; give its public half. Raises FileExistsError."""
    made = x25519.Identity.generate()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# public key: {made.to_public()}\n{made}\n")
        file.flush()
        os.fsync(file.fileno())
    return str(made.to_public())


def seal_folder(
    folder: Path, names: Iterable[str], to: Path, keys: list[x25519.Recipient], *, added: dict[str, bytes] | None = None
) -> int:
    """Pack files of `folder` by their names below it, and `added`, into one sealed file; how many bytes they are
    unpacked. One that went meanwhile is left out. Raises OSError for a full disk."""
    unpacked = 0

    def pack(out: BinaryIO) -> None:
        nonlocal unpacked
        with tarfile.open(fileobj=out, mode="w|gz", compresslevel=FAST) as tar:
            for name, content in (added or {}).items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o600
                tar.addfile(member, io.BytesIO(content))
            for name in names:
                try:
                    tar.add(folder / name, arcname=name, recursive=False)
                except FileNotFoundError:
                    continue
            unpacked = tar.offset

    with to.open("xb") as out, _piped(pack) as packed:
        pyrage.encrypt_io(packed, out, keys)
        out.flush()
        os.fsync(out.fileno())
    return unpacked


def open_folder(sealed: Iterator[bytes], name: str, into: Path, key: x25519.Identity) -> None:
    """Unpack what `seal_folder` packed. Nothing is written outside `into`. Raises CannotOpen, and OSError where a file
    cannot be written."""
    with _opened(sealed, name, key) as plain, tarfile.open(fileobj=plain, mode="r|gz") as tar:
        tar.extractall(into, filter="tar")


def seal_bytes(content: bytes, keys: list[x25519.Recipient]) -> bytes:
    return bytes(pyrage.encrypt(gzip.compress(content, FAST, mtime=0), keys))


def open_bytes(sealed: bytes, name: str, key: x25519.Identity) -> bytes:
    """Raises CannotOpen."""
    try:
        return gzip.decompress(pyrage.decrypt(sealed, [key]))
    except (pyrage.DecryptError, OSError, EOFError, ValueError) as error:
        raise CannotOpen(name, _why(error)) from None


def digest_of(path: Path) -> str:
    """SHA-256 in hex of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(sealed: Iterator[bytes], name: str, key: x25519.Identity) -> Iterator[BinaryIO]:
    def decrypt(out: BinaryIO) -> None:
        pyrage.decrypt_io(cast(BinaryIO, _Pieces(sealed)), out, [key])

    try:
        with _piped(decrypt) as plain:
            yield plain
            # What comes after the archive is looked at, too: the last piece says that nothing was cut off.
            shutil.copyfileobj(plain, _Nowhere())
    except (pyrage.DecryptError, tarfile.TarError, OSError, EOFError) as error:
        # What is damaged has no number of the system; a disk that is full has.
        if isinstance(error, OSError) and error.errno:
            raise
        raise CannotOpen(name, _why(error)) from None


@contextmanager
def _piped(write: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """What `write` writes, while it does. Its error is raised where the block ends."""
    failed: list[Exception] = []
    reading, writing = os.pipe()

    def run() -> None:
        try:
            with os.fdopen(writing, "wb") as out:
                write(out)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as source:
            yield source
    except (tarfile.TarError, OSError, EOFError):
        # Mostly the consequence of what went wrong on the other side, where it is not that nobody reads any more.
        thread.join()
        if failed and getattr(failed[0], "errno", None) != errno.EPIPE:
            raise failed[0] from None
        raise
    finally:
        thread.join()
    if failed:
        raise failed[0]


class _Pieces(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        wanted = len(self._rest) if size is None or size < 0 else size
        taken, self._rest = self._rest[:wanted], self._rest[wanted:]
        return bytes(taken)


class _Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        return len(cast(bytes, content))


def _why(error: Exception) -> str:
    if isinstance(error, pyrage.DecryptError) and "No matching keys" in str(error):
        return "it was encrypted for another key than this private one"
    return f"it is damaged ({error})"
