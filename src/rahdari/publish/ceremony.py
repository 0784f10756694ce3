"""The acts with keys: the ceremony, renewals, rotations, the emergency, and what came back from the custodians.

What agents meet in the middle of any of them is whole, in this order: bulk statements, the delegation, everything
signed anew by keys that are trusted before and after, the root last. `docs/feed-keys.md` is the runbook; each command
of it is run by a test.
"""

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from tuf.api.metadata import Key, Metadata, Root, Targets

from rahdari.feed.repository import location_of
from rahdari.journal import actions as journal

from . import editions, folder, keys, offline
from .envelope import Repository
from .keys import KeySet
from .offline import BulkTarget, Draft, DraftUnusable


class RoleUnknown(Exception):
    """No role whose keys can be changed this way. `.role`, `.roles`: those that there are."""

    def __init__(self, role: str, roles: Sequence[str]) -> None:
        super().__init__(role)
        self.role, self.roles = role, tuple(roles)


@dataclass(frozen=True)
class Trusted:
    """The keys of an online role, by their ids: which one signs, and which others are trusted."""

    role: str
    signing: str
    others: tuple[str, ...]


def _repository() -> Repository:
    return Repository(Path(settings.DATA))


# -- the ceremony --------------------------------------------------------------------------------------------------


def make_feed_keys(
    *,
    offline: Path,
    passphrase: bytes | None = None,
    standby_passphrase: bytes | None = None,
    number: int = keys.OFFLINE_KEYS,
    threshold: int = keys.OFFLINE_THRESHOLD,
    now: dt.datetime,
) -> KeySet:
    """Make the key set of a new feed; offline and standby keys go to the folder `offline`.

    Raises KeysExist, ThresholdUnusable.
    """
    made = keys.make(
        data=Path(settings.DATA),
        offline=offline,
        passphrase=passphrase,
        standby_passphrase=standby_passphrase,
        statements=lambda made: _first(made, now),
        number=number,
        threshold=threshold,
    )
    repository = _repository()
    with folder.only_writer(repository.path):
        repository.ensure()
    journal.record(
        act="publish.keys_made",
        actor="system:feed-keys",
        subject="feed:root",
        now=now,
        detail={"root_sha256": made.root_sha256, "keys": number, "threshold": threshold},
    )
    return made


def _first(made: keys.Made, now: dt.datetime) -> tuple[bytes, bytes]:
    return offline.first(made, now=now)


# -- the emergency -------------------------------------------------------------------------------------------------


def replace_key(
    *, role: str, standby: Path, passphrase: bytes | None, now: dt.datetime, actor: str = "system:feed-replace-key"
) -> Trusted:
    """Let the standby key of an online role sign from now on, and sign everything anew with it. Needs no offline key.

    The other key stays trusted until the next root or delegation leaves it out (`draft_rotation`).
    Raises RoleUnknown, KeyUnusable, FeedUnusable, NoKeys.
    """
    repository = _repository()
    with folder.only_writer(repository.path):
        repository.ensure()
        before = _trusted(repository, role)
        keys.switch(data=repository.data, role=role, standby=standby, passphrase=passphrase, trusted=before)
        editions.renew_signatures(repository=repository, now=now)
    after = trusted_keys(role)
    journal.record(
        act="publish.key_replaced", actor=actor, subject=f"feed:{role}", now=now, detail={"signing": after.signing}
    )
    return after


def trusted_keys(role: str) -> Trusted:
    """Raises RoleUnknown, KeyUnusable, FeedUnusable."""
    repository = _repository()
    listed = _trusted(repository, role)
    signing = keys.load_signer(repository.data, role, listed).public_key.keyid
    return Trusted(role, signing, tuple(keyid for keyid in listed if keyid != signing))


def _trusted(repository: Repository, role: str) -> list[str]:
    if role not in keys.ONLINE:
        raise RoleUnknown(role, keys.ONLINE)
    root = repository.root().signed
    return keys.trusted_for(role, root, repository.offline_targets(root).signed)


def custodians_of(role: str) -> tuple[list[Key], int]:
    """The public keys of `root` or `targets`, in the order of their numbers, and how many must sign.
    Raises RoleUnknown for a role that is not kept offline.
    """
    if role not in keys.OFFLINE_ROLES:
        raise RoleUnknown(role, keys.OFFLINE_ROLES)
    root = _repository().root().signed
    listed = root.roles[role]
    return [root.keys[keyid] for keyid in listed.keyids], listed.threshold


# -- drafts --------------------------------------------------------------------------------------------------------


def draft_renewal(*, roles: Sequence[str], now: dt.datetime) -> Draft:
    """Root or targets once more, for a new term. Raises NoKeys, FeedUnusable."""
    draft = _draft()
    if "root" in roles:
        draft.root = _following(draft.current_root, now)
    if "targets" in roles:
        draft.targets = _following(draft.current_targets, now)
    return draft


def draft_rotation(
    *,
    online: Sequence[str] = (),
    custodians: Mapping[str, Sequence[Key]] | None = None,
    thresholds: Mapping[str, int] | None = None,
    standby: Path | None = None,
    passphrase: bytes | None = None,
    fresh: bool = False,
    now: dt.datetime,
) -> Draft:
    """What the custodians are to sign so that other keys are trusted.

    `online`: roles whose standby signs from this moment on (if it did not already), with a new standby beside it and
    nothing else; with `fresh`, both are new, and neither of the old two signs once the draft is taken up.
    `custodians`: the public keys that follow for `root` or `targets`.
    Raises RoleUnknown, ThresholdUnusable, KeyUnusable, FeedUnusable, NoKeys.
    """
    custodians, thresholds = custodians or {}, thresholds or {}
    for role in online:
        if role not in keys.ONLINE:
            raise RoleUnknown(role, keys.ONLINE)
    for role, listed in custodians.items():
        if role not in keys.OFFLINE_ROLES:
            raise RoleUnknown(role, keys.OFFLINE_ROLES)
        keys.check_threshold(
            threshold=thresholds.get(role, keys.OFFLINE_THRESHOLD), number=len({each.keyid for each in listed})
        )
    # 1) the standbys take over: trusted before and after, so that no agent is ever between two keys
    if standby is not None and not fresh:
        for role in online:
            if (standby / f"{role}.pem").exists() and _is_trusted(role, standby / f"{role}.pem", passphrase):
                replace_key(role=role, standby=standby, passphrase=passphrase, now=now, actor="system:feed-rotate")
    # 2) the documents
    draft = _draft()
    root, targets = draft.current_root.signed, draft.current_targets.signed
    in_root = [role for role in online if role in root.roles]
    if in_root or custodians:
        draft.root = _following(draft.current_root, now)
    # A delegation is signed by the keys of targets: when those change, it must be signed by the new ones.
    if set(online) - set(in_root) or "targets" in custodians:
        draft.targets = _following(draft.current_targets, now)
    for role in online:
        document = draft.documents["root" if role in in_root else "targets"]
        listed = _listed(role, root, targets, standby=standby, passphrase=passphrase, fresh=fresh)
        offline.with_keys(document.signed, role, listed)
    for role, following in custodians.items():
        threshold = thresholds.get(role, keys.OFFLINE_THRESHOLD)
        offline.with_keys(draft.documents["root"].signed, role, following, threshold)
    return draft


def _is_trusted(role: str, path: Path, passphrase: bytes | None) -> bool:
    return keys.load_key(path, passphrase).public_key.keyid in _trusted(_repository(), role)


def _listed(
    role: str, root: Root, targets: Targets, *, standby: Path | None, passphrase: bytes | None, fresh: bool
) -> list[Key]:
    """The keys that an online role is to have: the one that signs, and a standby."""
    data = Path(settings.DATA)
    trusted = keys.trusted_for(role, root, targets)
    if fresh:
        signing: Key = keys.next_key(keys.online_folder(data) / f"{role}{keys.NEXT}.pem", None).public_key
    else:
        signing = keys.load_signer(data, role, trusted).public_key
    if standby is None:
        # Whoever does not bring the folder of the standbys keeps those that are listed.
        return [signing, *(offline.key_of(root, targets, keyid) for keyid in trusted if keyid != signing.keyid)]
    if fresh and (standby / f"{role}.pem").exists() and _is_trusted(role, standby / f"{role}.pem", passphrase):
        keys.retire(standby / f"{role}.pem", role)
    return [signing, keys.next_key(standby / f"{role}.pem", passphrase).public_key]


def draft_bulk(*, statements: Sequence[BulkTarget], sessions: Container[str], now: dt.datetime) -> Draft:
    """Bulk statements among the targets, beside those that were signed for sessions that are still open.

    Raises NoKeys, FeedUnusable.
    """
    draft = _draft()
    repository = _repository()
    draft.targets = _following(draft.current_targets, now)
    known = [each for each in repository.statements(draft.current_targets.signed) if each.statement.session in sessions]
    offline.name_statements(draft.targets.signed, [*known, *statements])
    draft.statements = list(statements)
    return draft


def _draft() -> Draft:
    repository = _repository()
    with folder.only_writer(repository.path):
        repository.ensure()
    root = repository.root()
    return Draft(root, repository.offline_targets(root.signed))


def _following[T: (Root, Targets)](current: Metadata[T], now: dt.datetime) -> Metadata[T]:
    return Metadata(offline.renewed(current.signed, now=now))


# -- what came back ------------------------------------------------------------------------------------------------


def take_up(*, draft: Draft, now: dt.datetime, actor: str = "system:feed-import") -> dict[str, int]:
    """Put in force what the custodians have signed; return the versions by document.

    A kill in between leaves what agents can read; called again, it goes on. Raises DraftUnusable, SignaturesMissing,
    NoKeys, FeedUnusable, KeyUnusable.
    """
    repository = _repository()
    with folder.only_writer(repository.path):
        repository.ensure()
        root = repository.root()
        targets = repository.offline_targets(root.signed)
        half_done = draft.root is not None and _is_in_force(draft.targets, targets)
        if half_done:
            # Killed after the delegation: the root is still to come.
            targets = draft.current_targets
        offline.hold_against(draft, root=root, targets=targets)
        if draft.root is not None:
            _check_own_keys(repository, draft)
        for each in draft.statements:
            body = each.statement.body
            target = draft.targets.signed.targets[each.path] if draft.targets else None
            if target is not None:
                folder.write_whole(repository.targets / location_of(each.path, target.hashes["sha256"]), body)
        if draft.targets is not None and not half_done:
            repository.add_targets(draft.targets.to_bytes())
            editions.renew_signatures(repository=repository, now=now)
        if draft.root is not None:
            repository.add_root(draft.root.to_bytes())
            editions.renew_signatures(repository=repository, now=now)
        in_force = repository.root().signed
        delegation = repository.offline_targets(in_force).signed
        for role in keys.ONLINE:
            keys.finish_rotation(repository.data, role, keys.trusted_for(role, in_force, delegation))
    made = {name: each.signed.version for name, each in draft.documents.items()}
    for name, version in made.items():
        journal.record(
            act="publish.offline_role_signed",
            actor=actor,
            subject=f"feed:{name}",
            now=now,
            detail={"version": version, "draft_sha256": draft.fingerprint},
        )
    return made


def _is_in_force(said: Metadata[Targets] | None, present: Metadata[Targets]) -> bool:
    return said is not None and said.signed_bytes == present.signed_bytes


def _check_own_keys(repository: Repository, draft: Draft) -> None:
    """A draft that leaves the publisher without a key it holds would stop the feed. Raises DraftUnusable."""
    root = (draft.root or draft.current_root).signed
    targets = (draft.targets or draft.current_targets).signed
    for role in keys.ONLINE:
        try:
            keys.load_signer(repository.data, role, keys.trusted_for(role, root, targets))
        except keys.KeyUnusable as error:
            raise DraftUnusable(f"the publisher would have no key for {role} any more ({error.why})") from None


def renew_offline(*, offline: Path, passphrase: bytes | None, roles: Sequence[str], now: dt.datetime) -> dict[str, int]:
    """Sign root or targets once more, with offline keys that are all in one folder; return the versions made.

    Raises KeyUnusable, SignaturesMissing (the keys given are not enough, or not those that are trusted).
    """
    draft = draft_renewal(roles=roles, now=now)
    sign_here(draft=draft, folders=[offline], passphrase=passphrase)
    return take_up(draft=draft, now=now, actor="system:feed-renew")


def sign_here(*, draft: Draft, folders: Sequence[Path], passphrase: bytes | None) -> None:
    """Add the signatures of the offline keys in these folders. Raises KeyUnusable."""
    for name in draft.documents:
        found = [place for place in folders if any(place.glob(f"{name}-*.pem"))]
        if not found:
            raise keys.KeyUnusable(folders[0], f"there is no key {name}-1.pem, {name}-2.pem, ... in it")
        for place in found:
            draft.sign(keys.load_offline(place, name, passphrase))
