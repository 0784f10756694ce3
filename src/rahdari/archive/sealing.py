"""Keys and boxes of what is sealed: HPKE (RFC 9180) as the library `cryptography` has it, and files. No Django here:
the machine that opens has no data folder and no network.

    FILE            the private half, PEM (PKCS 8), under a passphrase; it never comes to the register
    FILE.pub        the public half, PEM
    DATA/keys/seal.pub    the public half in use

The suite is X25519, HKDF-SHA256 and AES-256-GCM: RFC 9180 fixes it, so that in ten years another program opens these
boxes too; the numbers of the hybrids with ML-KEM are still drafts.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
FORMAT = "rahdari sealed 1"
SHORTEST = 12


class Refused(Exception):
    """The base of what the commands tell as it is."""


class KeyFileExists(Refused):
    """Nothing is written over. `.path` is there already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already, and nothing is written over. Name another file.")
        self.path = path


class PassphraseTooShort(Refused):
    """The private half lies on a medium that can be lost."""

    def __init__(self) -> None:
        super().__init__(f"A passphrase has {SHORTEST} characters at least: six words of a list are one.")


class NotThisPassphrase(Refused):
    """The passphrase does not open the key. `.path` is its file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"This passphrase does not open {path}. Without it, what was sealed for this key is lost: try the copy of "
            "the key that another custodian has, with theirs."
        )
        self.path = path


class NotASealKey(Refused):
    """The file is no key of this kind. `.path`"""

    def __init__(self, path: Path, half: str) -> None:
        super().__init__(f"{path} is not the {half} half of a sealing key. `rahdari keys seal new FILE` makes one.")
        self.path = path


class NotASealedFile(Refused):
    """What is to be opened is no sealed file, or was damaged. `.path`"""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be opened: {why}")
        self.path = path


class OtherKey(Refused):
    """It was sealed for another key. `.wanted` is the fingerprint of that one."""

    def __init__(self, path: Path, wanted: str, given: str) -> None:
        super().__init__(f"{path} was sealed for the key {wanted}, and this is {given}. Bring the other one.")
        self.wanted = wanted


def fingerprint(key: X25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def make(path: Path, passphrase: str) -> str:
    """Write a new pair beside each other; return its fingerprint. Raises KeyFileExists, PassphraseTooShort."""
    if len(passphrase) < SHORTEST:
        raise PassphraseTooShort
    public = public_path(path)
    for each in (path, public):
        if each.exists():
            raise KeyFileExists(each)
    key = X25519PrivateKey.generate()
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    write(path, sealed, mode=0o600)
    write(public, public_pem(key.public_key()), mode=0o644)
    return fingerprint(key.public_key())


def public_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")


def public_pem(key: X25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write(path: Path, content: bytes, *, mode: int) -> None:
    """Whole or not at all, and never over something. Raises KeyFileExists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise KeyFileExists(path) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_public(path: Path) -> X25519PublicKey:
    """Raises NotASealKey, OSError."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, X25519PublicKey):
        raise NotASealKey(path, "public")
    return key


def read_private(path: Path, passphrase: str) -> X25519PrivateKey:
    """Raises NotASealKey, NotThisPassphrase, OSError."""
    content = path.read_bytes()
    if b"ENCRYPTED PRIVATE KEY" not in content:
        raise NotASealKey(path, "private")
    try:
        key = load_pem_private_key(content, passphrase.encode())
    except (ValueError, TypeError):
        raise NotThisPassphrase(path) from None
    if not isinstance(key, X25519PrivateKey):
        raise NotASealKey(path, "private")
    return key


def _info(about: str, kind: str) -> bytes:
    """What is authenticated with the content: a box cannot be passed off as that of another number."""
    return "\0".join((FORMAT, about, kind)).encode()


def seal(key: X25519PublicKey, content: bytes, *, about: str, kind: str) -> bytes:
    return SUITE.encrypt(content, key, info=_info(about, kind))


def sealed_file(about: str, parts: Sequence[Mapping[str, Any]]) -> bytes:
    """What goes to the other machine: parts with `kind`, `key`, `sealed_at` and `content`."""
    rows = [{**part, "content": base64.b64encode(part["content"]).decode()} for part in parts]
    return json.dumps({"format": FORMAT, "about": about, "parts": rows}, indent=1).encode()


def open_file(path: Path, key: X25519PrivateKey) -> list[tuple[str, bytes]]:
    """Each part of a sealed file, by its kind. Raises NotASealedFile, OtherKey."""
    try:
        found = json.loads(path.read_bytes())
        about, parts = found["about"], found["parts"]
        if found["format"] != FORMAT:
            raise ValueError
        boxes = [(part["kind"], part["key"], base64.b64decode(part["content"], validate=True)) for part in parts]
    except (ValueError, KeyError, TypeError):
        raise NotASealedFile(
            path, "it is no sealed file, or it was cut off. Take it from the register again."
        ) from None
    mine, opened = fingerprint(key.public_key()), []
    for kind, wanted, box in boxes:
        if wanted != mine:
            raise OtherKey(path, wanted, mine)
        try:
            opened.append((kind, SUITE.decrypt(box, key, info=_info(about, kind))))
        except (InvalidTag, ValueError):
            raise NotASealedFile(path, "it was damaged on its way. Take it from the register again.") from None
    return opened
