"""The feed's keys as files. Ed25519, PEM (PKCS 8). No Django here: a custodian's machine has no database.

    OFFLINE/root-1.pem .. root-N.pem           a threshold of them signs the root: who is trusted for what
    OFFLINE/targets-1.pem .. targets-N.pem     a threshold of them signs the delegations to the publisher
    OFFLINE/standby/ROLE.pem                   one for each online role, already trusted: takes over at once
    DATA/keys/feed/ROLE.pem                    online, for the publisher alone, mode 0600
    DATA/keys/feed/ROLE.next.pem               about to follow ROLE.pem; used as soon as it alone is trusted
    DATA/keys/feed/retired/ROLE-KEYID.pem      signed once, and does not sign any more
    DATA/keys/feed/1.root.json 1.targets.json  what the ceremony signed

The offline folder is the register's to choose and to carry away; `docs/feed-keys.md` is the ceremony.
Invariants: nothing here writes over a key; a key set appears whole or not at all; at every moment of a change of keys
there is one that the publisher finds and that the signed metadata trust.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Key, Root, Targets

from rahdari.errors import RahdariError
from rahdari.feed.repository import ROLES

from . import folder

OFFLINE_ROLES = ("root", "targets")
OFFLINE_KEYS = 3
OFFLINE_THRESHOLD = 2
MOST_OFFLINE_KEYS = 9
# Roles whose keys lie at the publisher: the root lists those of the last two, the delegation those of the feed roles.
ONLINE = (*ROLES, "snapshot", "timestamp")
STANDBY = "standby"
NEXT = ".next"
RETIRED = "retired"


class KeysExist(RahdariError):
    """There are keys already, and none is written over. `.path` is where."""

    says = "there are keys already in {path}"
    path: Path


class KeyUnusable(RahdariError):
    """A key that is needed cannot be used. `.path` is its file, `.why` what is wrong with it."""

    says = "{path}: {why}"
    path: Path
    why: str


class ThresholdUnusable(RahdariError):
    """So many of so many keys cannot be: `.threshold` of `.keys`."""

    says = "{threshold} of {keys}"
    threshold: int
    keys: int


@dataclass(frozen=True)
class KeySet:
    """What a ceremony made. `root_sha256` is what operators compare before they trust the root."""

    online: Path
    offline: Path
    root: Path
    root_sha256: str
    keys: int
    threshold: int


@dataclass(frozen=True)
class Made:
    """The keys of a new key set, in memory."""

    root: Sequence[CryptoSigner]
    targets: Sequence[CryptoSigner]
    online: Mapping[str, CryptoSigner]
    standby: Mapping[str, CryptoSigner]
    threshold: int


def online_folder(data: Path) -> Path:
    return data / "keys" / "feed"


def check_threshold(*, threshold: int, number: int) -> None:
    """Two at least, so that one stolen medium is not the register; one may be lost. Raises ThresholdUnusable."""
    if not 2 <= threshold < number <= MOST_OFFLINE_KEYS:
        raise ThresholdUnusable(threshold, number)


def generate() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


def make(
    *,
    data: Path,
    offline: Path,
    passphrase: bytes | None,
    statements: Callable[[Made], tuple[bytes, bytes]],
    number: int = OFFLINE_KEYS,
    threshold: int = OFFLINE_THRESHOLD,
    standby_passphrase: bytes | None = None,
) -> KeySet:
    """Make a whole key set; `statements` makes the root and the delegation. Raises KeysExist, ThresholdUnusable."""
    check_threshold(threshold=threshold, number=number)
    online = online_folder(data)
    if online.exists():
        raise KeysExist(online)
    if offline.exists() and any(offline.iterdir()):
        raise KeysExist(offline)
    made = Made(
        root=[generate() for _ in range(number)],
        targets=[generate() for _ in range(number)],
        online={role: generate() for role in ONLINE},
        standby={role: generate() for role in ONLINE},
        threshold=threshold,
    )
    root_bytes, targets_bytes = statements(made)

    # Both folders are filled under another name first. What was begun and not ended is never taken for a key set: the
    # online folder is the last to get its name, and without it nothing was ever published.
    new_offline = _fresh(offline)
    for name, signers in (("root", made.root), ("targets", made.targets)):
        for number, signer in enumerate(signers, start=1):
            write_key(new_offline / f"{name}-{number}.pem", signer, passphrase)
    folder.make_folder(new_offline / STANDBY, mode=0o700)
    for role, signer in made.standby.items():
        write_key(new_offline / STANDBY / f"{role}.pem", signer, standby_passphrase or passphrase)
    new_online = _fresh(online)
    for role, signer in made.online.items():
        write_key(new_online / f"{role}.pem", signer, None)
    for place in (new_offline, new_online):
        folder.write_whole(place / "1.root.json", root_bytes)
        folder.write_whole(place / "1.targets.json", targets_bytes)
    for new, final in ((new_offline, offline), (new_online, online)):
        if final.exists():
            final.rmdir()  # empty, or it would have been refused
        new.rename(final)
        folder.flush_folder(final.parent)
    return KeySet(
        online,
        offline,
        online / "1.root.json",
        hashlib.sha256(root_bytes).hexdigest(),
        keys=number,
        threshold=threshold,
    )


# -- the publisher's -----------------------------------------------------------------------------------------------


def trusted_for(role: str, root: Root, targets: Targets) -> list[str]:
    """The ids of the keys that the signed metadata trust for an online role."""
    if role in root.roles:
        return list(root.roles[role].keyids)
    delegated = targets.delegations.roles if targets.delegations else None
    return list(delegated[role].keyids) if delegated and role in delegated else []


def load_signers(data: Path, root: Root, targets: Targets) -> dict[str, CryptoSigner]:
    """The publisher's keys by role, each one held against what root and targets say of it. Raises KeyUnusable."""
    return {role: load_signer(data, role, trusted_for(role, root, targets)) for role in ONLINE}


def load_signer(data: Path, role: str, trusted: Sequence[str]) -> CryptoSigner:
    """The key of a role; in the middle of a change of keys, the one of the two that is trusted. Raises KeyUnusable."""
    path = online_folder(data) / f"{role}.pem"
    following = path.with_name(f"{role}{NEXT}.pem")
    wrong: KeyUnusable | None = None
    for candidate in (path, following):
        if candidate is following and not following.exists():
            continue
        try:
            signer = load_key(candidate, None)
        except KeyUnusable as error:
            wrong = wrong or error
            continue
        if signer.public_key.keyid in trusted:
            return signer
        wrong = wrong or KeyUnusable(candidate, f"the signed metadata do not trust this key for {role}")
    raise wrong or KeyUnusable(path, "there is none")


def finish_rotation(data: Path, role: str, trusted: Sequence[str]) -> None:
    """End a change of keys: the next key becomes the key, once the signed metadata trust it.

    In whatever moment this is killed, `load_signer` finds a key that is trusted.
    """
    path = online_folder(data) / f"{role}.pem"
    following = path.with_name(f"{role}{NEXT}.pem")
    if not following.exists() or load_key(following, None).public_key.keyid not in trusted:
        return
    retire(path, role)
    following.rename(path)
    folder.flush_folder(path.parent)


def retire(path: Path, role: str) -> None:
    """Put a key aside, where the publisher does not look. One that cannot be read goes as well."""
    if not path.exists():
        return
    try:
        name = load_key(path, None).public_key.keyid[:16]
    except KeyUnusable:
        name = "unreadable"
    aside = folder.make_folder(path.parent / RETIRED, mode=0o700) / f"{role}-{name}.pem"
    number = 1
    while aside.exists():
        number += 1
        aside = aside.with_name(f"{role}-{name}-{number}.pem")
    path.rename(aside)
    folder.flush_folder(aside.parent)
    folder.flush_folder(path.parent)


def switch(*, data: Path, role: str, standby: Path, passphrase: bytes | None, trusted: Sequence[str]) -> str:
    """Let the standby key of a role sign from now on, and put the other aside; return the new key's id.

    The standby's file goes from its folder: it is no standby any more. Raises KeyUnusable.
    """
    source = standby / f"{role}.pem"
    signer = load_key(source, passphrase)
    if signer.public_key.keyid not in trusted:
        raise KeyUnusable(source, f"the signed metadata do not trust this key for {role}")
    path = online_folder(data) / f"{role}.pem"
    following = path.with_name(f"{role}{NEXT}.pem")
    if not _is(path, signer):
        if following.exists() and not _is(following, signer):
            retire(following, role)
        if not following.exists():
            write_key(following, signer, None)
        finish_rotation(data, role, trusted)
    # Only now: until the publisher has it, this was the one copy.
    source.unlink()
    folder.flush_folder(source.parent)
    return str(signer.public_key.keyid)


def _is(path: Path, signer: CryptoSigner) -> bool:
    try:
        return bool(load_key(path, None).public_key.keyid == signer.public_key.keyid)
    except KeyUnusable:
        return False


def next_key(path: Path, passphrase: bytes | None) -> CryptoSigner:
    """The key in this file, or a new one put there: asked again after a kill, it is the same. Raises KeyUnusable."""
    if path.exists():
        return load_key(path, passphrase)
    signer = generate()
    folder.make_folder(path.parent, mode=0o700)
    write_key(path, signer, passphrase)
    return signer


# -- files ---------------------------------------------------------------------------------------------------------


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
    """The offline keys of a role that are in a folder. Raises KeyUnusable: none, or a broken one."""
    paths = sorted(offline.glob(f"{name}-*.pem"))
    if not paths:
        raise KeyUnusable(offline, f"there is no key {name}-1.pem, {name}-2.pem, ... in it")
    return [load_key(path, passphrase) for path in paths]


def write_key(path: Path, signer: CryptoSigner, passphrase: bytes | None) -> None:
    """Raises KeysExist."""
    if path.exists():
        raise KeysExist(path)
    folder.write_whole(path, _pem(signer, passphrase), mode=0o600)


def write_public(path: Path, signer: CryptoSigner) -> None:
    """The public half of a key, as PEM. Raises KeysExist."""
    if path.exists():
        raise KeysExist(path)
    public = signer._private_key.public_key()  # as in `_pem`
    folder.write_whole(path, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def load_public(path: Path) -> Key:
    """Raises KeyUnusable."""
    try:
        public = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise KeyUnusable(path, error.strerror or str(error)) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(path, "it is no public key") from None
    if not isinstance(public, Ed25519PublicKey):
        raise KeyUnusable(path, "it is no Ed25519 key")
    return SSlibKey.from_crypto(public)


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
