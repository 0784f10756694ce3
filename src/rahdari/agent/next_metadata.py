"""From metadata that a whole walk has verified to those of the next edition, when only that is new.

A whole walk, which python-tuf does, reads all metadata from the disk, verifies them again and writes down what is new:
right for a start and for each minute, and most of what an edition costs. Here what was verified is held in memory, and
what an edition brings is held against it by the same rules (TUF specification 1.0.33, 5.4 to 5.6): one signature each
for the timestamp, the snapshot and the roles that changed, versions that never go back, lengths and hashes, terms.

This way decides nothing alone: whatever it does not take just as it is - a newer root, other keys, an older version, a
form that is not ours - is left to a whole walk.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import MetaFile, Root, Signature, Snapshot, Targets, Timestamp

from rahdari.feed import ROLES

# As python-tuf bounds them, where the metadata do not say a length.
MOST_SNAPSHOT = 2_000_000
MOST_ROLE = 5_000_000
_SIGNED = b'],"signed":'

type Fetch = Callable[[str, int], bytes]


class NotOnward(Exception):
    """A whole walk has to look at it."""


@dataclass(frozen=True)
class Ground:
    """What was verified last."""

    root: Root
    targets: Targets
    timestamp: Timestamp
    snapshot: Snapshot
    roles: Mapping[str, Targets]

    def is_in_term(self, now: dt.datetime) -> bool:
        parts = (self.root, self.targets, self.timestamp, self.snapshot, *self.roles.values())
        return all(now < part.expires for part in parts)


def onward(ground: Ground, timestamp: bytes, fetch: Fetch, now: dt.datetime) -> Ground:
    """The ground that this timestamp leads to. `fetch` gives metadata by name, of so many bytes at most.

    Raises NotOnward, and what `fetch` raises when the server is not reached.
    """
    try:
        after = _onward(ground, timestamp, fetch)
    except (RepositoryError, DownloadError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotOnward(str(error)) from error
    if not after.is_in_term(now):
        raise NotOnward("a term has ended")
    return after


def _onward(ground: Ground, timestamp: bytes, fetch: Fetch) -> Ground:
    if not ground.root.consistent_snapshot:
        raise NotOnward("metadata have other names")
    # 1) the timestamp is newer (5.4)
    stamp = Timestamp.from_dict(_verified(timestamp, ground.root, Timestamp.type))
    if stamp.version <= ground.timestamp.version:
        raise NotOnward("the timestamp is no newer one")
    if stamp.snapshot_meta.version < ground.timestamp.snapshot_meta.version:
        raise NotOnward("the snapshot would go back")
    after = replace(ground, timestamp=stamp)
    if stamp.snapshot_meta == ground.timestamp.snapshot_meta:
        return after
    # 2) the snapshot it names, in which nothing goes back or is gone (5.5)
    body = _fetched(fetch, "snapshot", stamp.snapshot_meta, MOST_SNAPSHOT)
    snapshot = Snapshot.from_dict(_verified(body, ground.root, Snapshot.type))
    if snapshot.version != stamp.snapshot_meta.version:
        raise NotOnward("another version of the snapshot")
    for name, before in ground.snapshot.meta.items():
        if snapshot.meta[name].version < before.version:
            raise NotOnward(f"{name} would go back")
    if snapshot.meta["targets.json"] != ground.snapshot.meta["targets.json"]:
        raise NotOnward("the targets role is a new one")
    # 3) the roles that changed (5.6)
    roles = dict(ground.roles)
    for role in ROLES:
        meta = snapshot.meta[f"{role}.json"]
        if meta == ground.snapshot.meta[f"{role}.json"]:
            continue
        body = _fetched(fetch, role, meta, MOST_ROLE)
        roles[role] = Targets.from_dict(_verified(body, ground.targets, role))
        if roles[role].version != meta.version:
            raise NotOnward(f"another version of {role}")
    return replace(after, snapshot=snapshot, roles=roles)


def _fetched(fetch: Fetch, role: str, meta: MetaFile, most: int) -> bytes:
    body = fetch(f"{meta.version}.{role}.json", meta.length or most)
    meta.verify_length_and_hashes(body)
    return body


def _verified(body: bytes, delegator: Root | Targets, role: str) -> dict[str, Any]:
    """The signed part of metadata, once its very bytes bear the signatures that the delegator asks for.

    It is signed in canonical form, and the publisher writes it in that form: nothing has to be written anew to verify
    it. In any other form no signature fits, and a whole walk takes it. Raises RepositoryError, ValueError, KeyError.
    """
    head, found, signed = body.rpartition(_SIGNED) if body.count(_SIGNED) == 1 else (b"", b"", b"")
    if not found or not signed.endswith(b"}"):
        raise NotOnward("not in the form that the publisher writes")
    signed = signed[:-1]
    signatures: dict[str, Signature] = {}
    for given in json.loads(head + b"]}")["signatures"]:
        signature = Signature.from_dict(given)
        if signature.keyid in signatures:
            raise NotOnward("two signatures by one key")
        signatures[signature.keyid] = signature
    delegator.verify_delegate(role, signed, signatures)
    said: dict[str, Any] = json.loads(signed)
    return said
