"""Documents as encrypted files: random names, two folder levels, written whole or not at all.

A name is 32 hex digits and is given by `store`; no other name is ever opened, so no path can be smuggled in.
"""

import os
import re
import secrets
from pathlib import Path

from django.conf import settings

from rahdari.errors import RahdariError

from . import cipher

_NAME = re.compile(r"[0-9a-f]{32}")


class FileMissing(RahdariError):
    """No document of that name is stored. `.name` is what was asked for."""

    says = "no stored document {name!r}"
    name: str


def folder() -> Path:
    return Path(settings.DATA) / "documents"


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise FileMissing(name)
    return folder() / name[:2] / name


def store(content: bytes, *, aad: str) -> str:
    """Encrypt and write `content`, bound to `aad` (what it belongs to); return the name it is kept under."""
    name = secrets.token_hex(16)
    path = _path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(cipher.seal("documents", content, where=aad))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return name


def read(name: str, *, aad: str) -> bytes:
    """The content stored under `name`. Raises FileMissing, or CannotDecrypt when it belongs to something else."""
    try:
        sealed = _path(name).read_bytes()
    except FileNotFoundError:
        raise FileMissing(name) from None
    return cipher.unseal("documents", sealed, where=aad)


def erase(name: str) -> None:
    """Remove the file; a name that is already gone is no error."""
    _path(name).unlink(missing_ok=True)
