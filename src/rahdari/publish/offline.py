"""What the offline keys sign: the root, and the delegations (role `targets`). Versions, drafts, signatures.

A **draft** is a file that goes from the publisher to the custodians, one after the other, and back: the root and the
delegation that are in force, what is to follow them, and the bulk statements that this names. Each custodian adds
signatures; none has to meet another, and none needs a database (no Django here).

Invariants: a draft is accepted only when it follows what is in force now, by one version; a root is signed by a
threshold of the old root's keys and one of its own; when the keys of `targets` change, the delegation that comes with
the new root is signed by both, so that agents accept it before they have seen the new root and after.
"""

import base64
import copy
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Delegations, Key, Metadata, Role, Root, TargetFile, Targets
from tuf.api.serialization import DeserializationError

from rahdari.errors import RahdariError
from rahdari.feed import BulkStatement, FeedFault
from rahdari.feed.repository import BULK, ROLES

from . import rules
from .keys import OFFLINE_ROLES, Made

DRAFT_FORMAT = "1.0"
LARGEST_DRAFT = 4 * 1024 * 1024
# An agent that slept longer than the newest of these asks its operator before it lets go of what it holds back.
KEPT_STATEMENTS = 20


class DraftUnusable(RahdariError):
    """This is no draft, or not one for this feed at this moment. `.why` says what is wrong with it."""

    says = "{why}"
    why: str


class SignaturesMissing(Exception):
    """A draft does not have all its signatures. `.missing` says how many by whose keys, in words."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__("; ".join(missing))
        self.missing = list(missing)


class NoSuchRole(RahdariError):
    """`.role` has no keys of the kind that is asked for."""

    says = "{role}"
    role: str


# -- the first statements ------------------------------------------------------------------------------------------


def first(made: Made, *, now: dt.datetime) -> tuple[bytes, bytes]:
    """Root and delegation of a new key set, signed."""
    root = Root(version=1, expires=_seconds(now + rules.ROOT_LASTS), consistent_snapshot=True)
    for role, signers, threshold in (
        ("root", made.root, made.threshold),
        ("targets", made.targets, made.threshold),
        ("snapshot", [made.online["snapshot"], made.standby["snapshot"]], 1),
        ("timestamp", [made.online["timestamp"], made.standby["timestamp"]], 1),
    ):
        root.roles[role] = Role([], threshold)
        for signer in signers:
            root.add_key(signer.public_key, role)
    roles: dict[str, DelegatedRole] = {}
    keys: dict[str, Key] = {}
    for role in ROLES:
        listed = [made.online[role].public_key, made.standby[role].public_key]
        keys.update({key.keyid: key for key in listed})
        roles[role] = DelegatedRole(role, [key.keyid for key in listed], 1, terminating=True, paths=[f"{role}/*/*"])
    targets = Targets(version=1, expires=_seconds(now + rules.TARGETS_LAST), delegations=Delegations(keys, roles))
    return _signed(root, made.root), _signed(targets, made.targets)


def _signed(signed: Root | Targets, signers: Sequence[CryptoSigner]) -> bytes:
    metadata: Metadata[Any] = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


# -- what is to follow ---------------------------------------------------------------------------------------------


def renewed[T: (Root, Targets)](current: T, *, now: dt.datetime) -> T:
    """The next version, with a later end."""
    following = copy.deepcopy(current)
    following.version += 1
    lasts = rules.ROOT_LASTS if isinstance(current, Root) else rules.TARGETS_LAST
    following.expires = _seconds(now + lasts)
    return following


def with_keys(signed: Root | Targets, role: str, keys: Sequence[Key], threshold: int | None = None) -> None:
    """Let these keys, and no others, sign for a role. Raises NoSuchRole."""
    if isinstance(signed, Root):
        if role not in signed.roles:
            raise NoSuchRole(role)
        for keyid in list(signed.roles[role].keyids):
            signed.revoke_key(keyid, role)
        for key in keys:
            signed.add_key(key, role)
        if threshold is not None:
            signed.roles[role].threshold = threshold
        return
    delegated = signed.delegations.roles if signed.delegations else None
    if not delegated or role not in delegated:
        raise NoSuchRole(role)
    for keyid in list(delegated[role].keyids):
        signed.revoke_key(keyid, role)
    for key in keys:
        signed.add_key(key, role)


def key_of(root: Root, targets: Targets, keyid: str) -> Key:
    """A key that root or delegation knows."""
    known = dict(root.keys)
    if targets.delegations:
        known.update(targets.delegations.keys)
    return known[keyid]


def name_statements(targets: Targets, statements: Sequence["BulkTarget"]) -> None:
    """Name these statements among the targets, and no others: the newest ones, as many as agents can need."""
    for path in [path for path in targets.targets if path.startswith(f"{BULK}/")]:
        del targets.targets[path]
    for each in sorted(statements, key=lambda each: each.statement.stated_at)[-KEPT_STATEMENTS:]:
        body = each.statement.body
        targets.targets[each.path] = TargetFile(len(body), {"sha256": hashlib.sha256(body).hexdigest()}, each.path)


@dataclass(frozen=True)
class BulkTarget:
    """A bulk statement with the name it has among the targets."""

    path: str
    statement: BulkStatement


# -- drafts --------------------------------------------------------------------------------------------------------


@dataclass
class Draft:
    """`root` or `targets` are None when they stay as they are."""

    current_root: Metadata[Root]
    current_targets: Metadata[Targets]
    root: Metadata[Root] | None = None
    targets: Metadata[Targets] | None = None
    statements: list[BulkTarget] = field(default_factory=list)

    @property
    def documents(self) -> dict[str, Metadata[Any]]:
        return {name: each for name, each in (("root", self.root), ("targets", self.targets)) if each is not None}

    @property
    def fingerprint(self) -> str:
        """What is to be signed, in 64 letters: custodians compare it by another way."""
        hasher = hashlib.sha256()
        for each in self.documents.values():
            hasher.update(each.signed_bytes)
        return hasher.hexdigest()

    def signing(self, name: str) -> list[tuple[str, Root]]:
        """Whose thresholds a document needs, with words for it: of the present root, and of the new one if it differs.

        The new root must be signed by itself too; and the delegation that comes with it holds under both.
        """
        needed = [("of the present root", self.current_root.signed)]
        if self.root is not None and _differs(self.current_root.signed, self.root.signed, name):
            needed.append(("of the new root", self.root.signed))
        return needed

    def sign(self, signers: Sequence[CryptoSigner]) -> dict[str, int]:
        """Add the signatures of these keys wherever they count; return how many by document. One counts once."""
        added = {}
        for name, document in self.documents.items():
            wanted = {keyid for _, root in self.signing(name) for keyid in root.roles[name].keyids}
            added[name] = 0
            for signer in signers:
                if signer.public_key.keyid in wanted - set(document.signatures):
                    document.sign(signer, append=True)
                    added[name] += 1
        return added

    def missing(self) -> list[str]:
        """What is still to be signed, in words."""
        told = []
        for name, document in self.documents.items():
            for whose, root in self.signing(name):
                result = root.get_verification_result(name, document.signed_bytes, document.signatures)
                if result.missing > 0:
                    told.append(f"{name}: {result.missing} more by {name} keys {whose}")
        return told

    def check(self) -> None:
        """Raises DraftUnusable: something in it does not fit together; not whether it is signed."""
        present = {"root": self.current_root.signed, "targets": self.current_targets.signed}
        if not self.documents:
            raise DraftUnusable("nothing is to be signed in it")
        for name, document in self.documents.items():
            if document.signed.type != name:
                raise DraftUnusable(f"what it has as {name} is a {document.signed.type}")
            if document.signed.version != present[name].version + 1:
                raise DraftUnusable(f"its {name} does not follow the version that it says is in force")
        changed = self.root is not None and _differs(self.current_root.signed, self.root.signed, "targets")
        if changed and self.targets is None:
            raise DraftUnusable("the keys of targets change, and the delegation that they must sign is not in it")
        named = self.targets.signed.targets if self.targets else {}
        for each in self.statements:
            body = each.statement.body
            target = named.get(each.path)
            if target is None or target.hashes.get("sha256") != hashlib.sha256(body).hexdigest():
                raise DraftUnusable(f"the bulk statement {each.path} is not the one that is to be signed")

    def require_signatures(self) -> None:
        """Raises SignaturesMissing."""
        if missing := self.missing():
            raise SignaturesMissing(missing)

    # -- as a file

    @property
    def body(self) -> bytes:
        value: dict[str, Any] = {
            "format": DRAFT_FORMAT,
            "what": "rahdari draft: sign it with `rahdari feed sign`",
            "current_root": _text(self.current_root),
            "current_targets": _text(self.current_targets),
            **{name: _text(each) for name, each in self.documents.items()},
            "statements": [{"path": each.path, **each.statement.as_json()} for each in self.statements],
        }
        return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises DraftUnusable."""
        try:
            if len(data) > LARGEST_DRAFT:
                raise DraftUnusable("it is too large")
            value = json.loads(data)
            if value.get("format") != DRAFT_FORMAT:
                raise DraftUnusable(f"its format is not {DRAFT_FORMAT}")
            if not isinstance(value["statements"], list):
                raise DraftUnusable("its bulk statements are no list")
            draft = cls(
                current_root=_metadata(value["current_root"]),
                current_targets=_metadata(value["current_targets"]),
                root=_metadata(value["root"]) if "root" in value else None,
                targets=_metadata(value["targets"]) if "targets" in value else None,
                statements=[_statement(each) for each in value["statements"]],
            )
            draft.check()
            return draft
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            FeedFault,
            DeserializationError,
        ) as error:
            raise DraftUnusable(f"it is no draft ({type(error).__name__})") from None


def _statement(value: dict[str, Any]) -> BulkTarget:
    path = value.pop("path")
    if not isinstance(path, str):
        raise DraftUnusable("a bulk statement in it has no name")
    body = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return BulkTarget(path, BulkStatement.decode(body))


def _text(metadata: Metadata[Any]) -> str:
    # As it is, byte for byte: signatures are over these bytes.
    return base64.b64encode(metadata.to_bytes()).decode()


def _metadata(text: str) -> Metadata[Any]:
    return Metadata.from_bytes(base64.b64decode(text, validate=True))


def _differs(present: Root, following: Root, name: str) -> bool:
    old, new = present.roles[name], following.roles[name]
    return (set(old.keyids), old.threshold) != (set(new.keyids), new.threshold)


# -- in words ------------------------------------------------------------------------------------------------------


def describe_draft(draft: Draft) -> list[str]:
    """What a draft says, for whoever is to sign it: line by line, from the signed bytes themselves."""
    lines = []
    if draft.root is not None:
        lines += _told_version("root", draft.root.signed)
        for role in (*OFFLINE_ROLES, "snapshot", "timestamp"):
            lines += _told_keys(role, draft.current_root.signed.roles[role], draft.root.signed.roles[role])
    if draft.targets is not None:
        lines += _told_version("targets", draft.targets.signed)
        before, after = _delegated(draft.current_targets.signed), _delegated(draft.targets.signed)
        for role in sorted(before.keys() | after.keys()):
            if role not in before or role not in after:
                lines.append(f"  {role}: a delegation that {'goes' if role in before else 'is new'}")
                continue
            lines += _told_keys(role, before[role], after[role])
            if (before[role].paths, before[role].terminating) != (after[role].paths, after[role].terminating):
                lines.append(f"  {role}: other paths, {', '.join(after[role].paths or [])}")
        was, will = set(draft.current_targets.signed.targets), set(draft.targets.signed.targets)
        for path in sorted(was - will):
            lines.append(f"  {path} is named no more")
        spoken = {each.path: each.statement for each in draft.statements}
        for path in sorted(will - was):
            said = spoken.get(path)
            lines.append(f"  {path} is new: {_told_statement(said)}" if said else f"  {path} is new, AND NOT EXPLAINED")
    return lines


def _delegated(targets: Targets) -> dict[str, DelegatedRole]:
    return dict(targets.delegations.roles or {}) if targets.delegations else {}


def _told_version(name: str, signed: Root | Targets) -> list[str]:
    return [f"{name}, version {signed.version}, until {signed.expires:%Y-%m-%d %H:%M} UTC"]


def _told_keys(role: str, before: Role, after: Role) -> list[str]:
    lines = []
    if before.threshold != after.threshold or len(before.keyids) != len(after.keyids):
        lines.append(f"  {role}: {after.threshold} of {len(after.keyids)} keys sign")
    lines += [f"  {role}: key {keyid[:16]} goes" for keyid in before.keyids if keyid not in after.keyids]
    lines += [f"  {role}: key {keyid[:16]} is new" for keyid in after.keyids if keyid not in before.keyids]
    return lines


def _told_statement(said: BulkStatement) -> str:
    return (
        f"in {said.role}, session {said.session[:8]}, up to {said.removals} entries may go "
        f"between editions {said.from_sequence} and {said.to_sequence}"
    )


# -- taking it up --------------------------------------------------------------------------------------------------


def hold_against(draft: Draft, *, root: Metadata[Root], targets: Metadata[Targets]) -> None:
    """Whether a draft follows what is in force here. Raises DraftUnusable, SignaturesMissing."""
    for name, present, said in (("root", root, draft.current_root), ("targets", targets, draft.current_targets)):
        if present.signed_bytes != said.signed_bytes:
            raise DraftUnusable(
                f"it was made for version {said.signed.version} of {name}, and version {present.signed.version} is "
                "in force: make a new draft"
            )
    draft.check()
    draft.require_signatures()
    try:
        if draft.root is not None:
            root.signed.verify_delegate("root", draft.root.signed_bytes, draft.root.signatures)
            draft.root.signed.verify_delegate("root", draft.root.signed_bytes, draft.root.signatures)
        if draft.targets is not None:
            for by in filter(None, (root, draft.root)):
                by.signed.verify_delegate("targets", draft.targets.signed_bytes, draft.targets.signatures)
    except RepositoryError as error:
        raise DraftUnusable(f"its signatures are not enough: {error}") from None


def _seconds(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(microsecond=0)
