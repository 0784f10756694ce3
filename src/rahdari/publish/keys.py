"""The feed's keys as files. Ed25519, PEM (PKCS 8).

    OFFLINE/root-1.pem .. root-3.pem           two of three sign the root: who is trusted for what
    OFFLINE/targets-1.pem .. targets-3.pem     two of three sign the delegation to the publisher
    DATA/keys/feed/feed.pem snapshot.pem timestamp.pem     online, for the publisher alone, mode 0600
    DATA/keys/feed/1.root.json 1.targets.json              what the ceremony signed

The offline folder is the register's to choose and to carry away; `docs/feed-keys.md` is the ceremony.
Invariants: nothing here writes over a key; a key set appears whole or not at all.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, Key, Metadata, Role, Root, Targets

from rahdari.proof.repository import PATHS, ROLE

from . import folder, rules

OFFLINE_KEYS = 3
OFFLINE_THRESHOLD = 2
ONLINE = (ROLE, "snapshot", "timestamp")


class KeysExist(Exception):
    """There are keys already, and none is written over. `.path` is where."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there are keys already in {path}")
        self.path = path


class KeyUnusable(Exception):
    """A key that is needed cannot be used. `.path` is its file, `.why` what is wrong with it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path, self.why = path, why


@dataclass(frozen=True)
class KeySet:
    """What a ceremony made. `root_sha256` is what operators compare before they trust the root."""

    online: Path
    offline: Path
    root: Path
    root_sha256: str


@dataclass(frozen=True)
class Signers:
    feed: CryptoSigner
    snapshot: CryptoSigner
    timestamp: CryptoSigner


def online_folder(data: Path) -> Path:
    return data / "keys" / "feed"


def make(*, data: Path, offline: Path, passphrase: bytes | None, now: dt.datetime) -> KeySet:
    """Make a whole key set. Raises KeysExist."""
    online = online_folder(data)
    if online.exists():
        raise KeysExist(online)
    if offline.exists() and any(offline.iterdir()):
        raise KeysExist(offline)
    roots = [CryptoSigner.generate_ed25519() for _ in range(OFFLINE_KEYS)]
    targets = [CryptoSigner.generate_ed25519() for _ in range(OFFLINE_KEYS)]
    held = {role: CryptoSigner.generate_ed25519() for role in ONLINE}
    root_bytes = _signed_root(roots, targets, held, now).to_bytes()
    targets_bytes = _signed_targets(targets, held[ROLE], now).to_bytes()

    # Both folders are filled under another name first. What was begun and not ended is never taken for a key set: the
    # online folder is the last to get its name, and without it nothing was ever published.
    new_offline = _fresh(offline)
    for name, signers in (("root", roots), ("targets", targets)):
        for number, signer in enumerate(signers, start=1):
            folder.write_whole(new_offline / f"{name}-{number}.pem", _pem(signer, passphrase), mode=0o600)
    new_online = _fresh(online)
    for role, signer in held.items():
        folder.write_whole(new_online / f"{role}.pem", _pem(signer, None), mode=0o600)
    for place in (new_offline, new_online):
        folder.write_whole(place / "1.root.json", root_bytes)
        folder.write_whole(place / "1.targets.json", targets_bytes)
    for new, final in ((new_offline, offline), (new_online, online)):
        if final.exists():
            final.rmdir()  # empty, or it would have been refused
        new.rename(final)
        folder.flush_folder(final.parent)
    return KeySet(online, offline, online / "1.root.json", hashlib.sha256(root_bytes).hexdigest())


def load_signers(data: Path, root: Root, targets: Targets) -> Signers:
    """The publisher's keys, each one held against what root and targets say of it. Raises KeyUnusable."""
    delegated = targets.delegations.roles if targets.delegations else None
    trusted = {
        ROLE: delegated[ROLE].keyids if delegated and ROLE in delegated else [],
        "snapshot": root.roles["snapshot"].keyids,
        "timestamp": root.roles["timestamp"].keyids,
    }
    signers = {}
    for role in ONLINE:
        path = online_folder(data) / f"{role}.pem"
        signer = load_key(path, None)
        if signer.public_key.keyid not in trusted[role]:
            raise KeyUnusable(path, f"the signed metadata do not trust this key for {role}")
        signers[role] = signer
    return Signers(signers[ROLE], signers["snapshot"], signers["timestamp"])


def load_key(path: Path, passphrase: bytes | None) -> CryptoSigner:
    """Raises KeyUnusable."""
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as error:
        raise KeyUnusable(path, error.strerror or str(error)) from None
    except TypeError:
        raise KeyUnusable(path, "it needs a passphrase" if passphrase is None else "it has no passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(path, "it is no key, or the passphrase is another") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(path, "it is no Ed25519 key")
    return CryptoSigner(key)


def load_offline(offline: Path, name: str, passphrase: bytes | None) -> list[CryptoSigner]:
    """The offline keys of a role that are at hand: those of two custodians are enough. Raises KeyUnusable."""
    paths = sorted(offline.glob(f"{name}-*.pem"))
    if len(paths) < OFFLINE_THRESHOLD:
        raise KeyUnusable(
            offline, f"{OFFLINE_THRESHOLD} of the keys {name}-1.pem to {name}-{OFFLINE_KEYS}.pem are needed"
        )
    return [load_key(path, passphrase) for path in paths]


def renewed_targets(current: Targets, signers: Sequence[CryptoSigner], now: dt.datetime) -> bytes:
    """The delegation once more, with a later end."""
    return _renewed(current, signers, now + rules.TARGETS_LAST)


def renewed_root(current: Root, signers: Sequence[CryptoSigner], now: dt.datetime) -> bytes:
    """The root once more, with a later end."""
    return _renewed(current, signers, now + rules.ROOT_LASTS)


def _renewed(current: Root | Targets, signers: Sequence[CryptoSigner], expires: dt.datetime) -> bytes:
    signed = type(current).from_dict(current.to_dict())
    signed.version += 1
    signed.expires = _seconds(expires)
    metadata: Metadata[Any] = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _signed_root(
    roots: list[CryptoSigner], targets: list[CryptoSigner], held: dict[str, CryptoSigner], now: dt.datetime
) -> Metadata[Root]:
    root = Root(version=1, expires=_seconds(now + rules.ROOT_LASTS), consistent_snapshot=True)
    for role, signers, threshold in (
        ("root", roots, OFFLINE_THRESHOLD),
        ("targets", targets, OFFLINE_THRESHOLD),
        ("snapshot", [held["snapshot"]], 1),
        ("timestamp", [held["timestamp"]], 1),
    ):
        root.roles[role] = Role([], threshold)
        for signer in signers:
            root.add_key(signer.public_key, role)
    metadata = Metadata(root)
    for signer in roots:
        metadata.sign(signer, append=True)
    return metadata


def _signed_targets(signers: list[CryptoSigner], feed: CryptoSigner, now: dt.datetime) -> Metadata[Targets]:
    keys: dict[str, Key] = {feed.public_key.keyid: feed.public_key}
    role = DelegatedRole(ROLE, [feed.public_key.keyid], 1, terminating=True, paths=[PATHS])
    targets = Targets(
        version=1, expires=_seconds(now + rules.TARGETS_LAST), delegations=Delegations(keys, {ROLE: role})
    )
    metadata = Metadata(targets)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata


def _seconds(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(microsecond=0)


def _pem(signer: CryptoSigner, passphrase: bytes | None) -> bytes:
    key = signer._private_key  # securesystemslib writes keys unencrypted only
    how: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def _fresh(final: Path) -> Path:
    """An empty folder beside `final`, for its owner only; one that was left unfinished is put aside, never removed."""
    new = final.with_name(f".{final.name}.unfinished")
    if new.exists():
        number = 1
        while (aside := new.with_name(f"{new.name}-{number}")).exists():
            number += 1
        new.rename(aside)
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new.mkdir(mode=0o700)
    os.chmod(new, 0o700)
    return new
