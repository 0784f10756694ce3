"""How the feed lies in an operator's TUF repository: names, places, and what the signed metadata says of each file.

    metadata/timestamp.json  N.snapshot.json  N.feed-static.json  N.feed-dynamic.json  N.feed-canary.json
    metadata/N.targets.json  N.root.json
    targets/<role>/<session>/<sha256>.snap-<sequence>-<random>.jsonl.gz
    targets/<role>/<session>/<sha256>.delta-<from>-<to>-<random>.jsonl.gz
    targets/bulk/<sha256>.<random>.json

The target's path, as metadata gives it, is the same without `<sha256>.` (consistent snapshots, TUF 6.2). Each kind of
entry has a role of its own, delegated by `targets` for `<role>/*/*`; `bulk/*` stays with `targets` itself, whose keys
are offline. The signed part of a feed role carries `head`: the edition that its files lead to; that of the timestamp
carries `feed`: the heads of all three, and the digest of the terms. Files are never changed; 16 random bytes in each
name keep it from being guessed before it is published.
"""

import datetime as dt
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .edition import DIGEST, SESSION, Kind
from .entry import is_time, parse_time
from .faults import Malformed
from .version import FORMAT, check_format

if TYPE_CHECKING:
    from tuf.api.metadata import Targets, Timestamp

KINDS = ("static", "dynamic", "canary")
ROLES = tuple(f"feed-{kind}" for kind in KINDS)
METADATA = "metadata"
TARGETS = "targets"
BULK = "bulk"
_KNOWN_KINDS = tuple(Kind)
_BULK_PATH = re.compile(r"bulk/[0-9a-f]{32}\.json", re.ASCII)
_PATH = re.compile(
    r"(?P<role>feed-(?:static|dynamic|canary))/(?P<session>[0-9a-f]{32})/"
    r"(?:snap-(?P<at>0|[1-9][0-9]{0,15})|delta-(?P<start>0|[1-9][0-9]{0,15})-(?P<end>[1-9][0-9]{0,15}))"
    r"-[0-9a-f]{32}\.jsonl\.gz",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One snapshot or delta, as the signed metadata has it. A snapshot has no `from_sequence`."""

    path: str
    kind: Kind
    session: str
    from_sequence: int | None
    to_sequence: int
    digest_after: str
    sha256: str
    length: int

    def __post_init__(self) -> None:
        form = _PATH.fullmatch(self.path)
        named = form and (form["session"], form["start"] and int(form["start"]), int(form["end"] or form["at"]))
        if named != (self.session, self.from_sequence, self.to_sequence):
            raise Malformed(f"the name {self.path[:120]!r} does not fit what is said of the file")
        if (self.kind is Kind.SNAPSHOT) != (self.from_sequence is None):
            raise Malformed("a snapshot has no `from`, a delta has one")
        if self.from_sequence is not None and self.from_sequence >= self.to_sequence:
            raise Malformed("a delta leads from an edition to a later one")
        if not DIGEST.fullmatch(self.digest_after) or not DIGEST.fullmatch(self.sha256) or self.length <= 0:
            raise Malformed("a digest or the length of a file is not acceptable")

    @property
    def role(self) -> str:
        return self.path.partition("/")[0]

    @property
    def location(self) -> str:
        """Where it lies below `targets/`."""
        return location_of(self.path, self.sha256)

    def custom(self) -> dict[str, Any]:
        """What the metadata's `custom` field says of it."""
        start = {} if self.from_sequence is None else {"from": self.from_sequence}
        return {
            "kind": str(self.kind),
            "session": self.session,
            **start,
            "to": self.to_sequence,
            "digest_after": self.digest_after,
        }


@dataclass(frozen=True, slots=True)
class Head:
    """The edition that the signed files lead to. `published_at` is when it was signed first."""

    session: str
    sequence: int
    digest: str
    entries: int
    published_at: str
    format: str = FORMAT

    def __post_init__(self) -> None:
        check_format(self.format)
        if not SESSION.fullmatch(self.session) or not DIGEST.fullmatch(self.digest):
            raise Malformed("`session` or `digest` of the head is not acceptable")
        if self.sequence < 0 or self.entries < 0 or not is_time(self.published_at):
            raise Malformed("`sequence`, `entries` or `published_at` of the head is not acceptable")

    @classmethod
    def from_json(cls, value: object) -> "Head":
        if not isinstance(value, dict):
            raise Malformed("there is no `head`")
        check_format(value.get("format"))
        if not all(isinstance(value.get(name), str) for name in ("session", "digest", "published_at")):
            raise Malformed("a text of the head is missing")
        if not all(type(value.get(name)) is int for name in ("sequence", "entries")):
            raise Malformed("a number of the head is missing")
        names = ("session", "sequence", "digest", "entries", "published_at", "format")
        return cls(**{name: value[name] for name in names})

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "session": self.session,
            "sequence": self.sequence,
            "digest": self.digest,
            "entries": self.entries,
            "published_at": self.published_at,
        }


@dataclass(frozen=True, slots=True)
class StampHead:
    """What the timestamp says of a role: enough to see whether there is anything new."""

    session: str
    sequence: int
    digest: str

    def __post_init__(self) -> None:
        if not isinstance(self.session, str) or not SESSION.fullmatch(self.session):
            raise Malformed("`session` of the timestamp is not acceptable")
        if not isinstance(self.digest, str) or not DIGEST.fullmatch(self.digest):
            raise Malformed("`digest` of the timestamp is not acceptable")
        if type(self.sequence) is not int or self.sequence < 0:
            raise Malformed("`sequence` of the timestamp is not acceptable")


@dataclass(frozen=True, slots=True)
class Stamp:
    """When the timestamp was signed, and the heads it leads to, by role. A role not known is left out.

    `terms` is the digest of the terms of the feed; empty where the publisher, an older release, names none.
    """

    signed_at: str
    heads: Mapping[str, StampHead]
    terms: str = ""

    def __post_init__(self) -> None:
        if not is_time(self.signed_at):
            raise Malformed("`signed_at` of the timestamp is not acceptable")

    @classmethod
    def from_json(cls, value: object) -> "Stamp":
        if not isinstance(value, dict) or not isinstance(value.get("heads"), dict):
            raise Malformed("the timestamp says nothing of the feed")
        heads = {role: value["heads"][role] for role in ROLES if role in value["heads"]}
        if not all(isinstance(head, dict) for head in heads.values()):
            raise Malformed("a head of the timestamp is no object")
        return cls(
            value.get("signed_at", ""),
            {
                role: StampHead(head.get("session", ""), head.get("sequence", -1), head.get("digest", ""))
                for role, head in heads.items()
            },
            terms if isinstance(terms := value.get("terms"), str) and DIGEST.fullmatch(terms) else "",
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "signed_at": self.signed_at,
            "heads": {
                role: {"session": head.session, "sequence": head.sequence, "digest": head.digest}
                for role, head in self.heads.items()
            },
            **({"terms": self.terms} if self.terms else {}),
        }

    @property
    def signed(self) -> dt.datetime:
        return parse_time(self.signed_at)


def role_of(kind: str) -> str:
    """The role in which entries of this kind stand. Raises Malformed."""
    if kind not in KINDS:
        raise Malformed(f"there is no kind {kind[:20]!r} of entries")
    return f"feed-{kind}"


def kind_of(role: str) -> str:
    """Raises Malformed."""
    if role not in ROLES:
        raise Malformed(f"there is no role {role[:20]!r}")
    return role.removeprefix("feed-")


def paths_of(role: str) -> str:
    """The pattern of the target paths that `targets` delegates to this role."""
    return f"{role}/*/*"


def snapshot_path(role: str, session: str, sequence: int, random: str) -> str:
    return f"{role}/{session}/snap-{sequence}-{random}.jsonl.gz"


def delta_path(role: str, session: str, start: int, end: int, random: str) -> str:
    return f"{role}/{session}/delta-{start}-{end}-{random}.jsonl.gz"


def bulk_path(random: str) -> str:
    return f"{BULK}/{random}.json"


def is_bulk_path(path: str) -> bool:
    return _BULK_PATH.fullmatch(path) is not None


def location_of(path: str, sha256: str) -> str:
    """Where a target lies below `targets/` (consistent snapshots)."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{sha256}.{name}"


def head_of(signed: "Targets") -> Head:
    """The head in the signed part of a feed role. Raises Malformed, UnsupportedFormat."""
    return Head.from_json(signed.unrecognized_fields.get("head"))


def stamp_of(signed: "Timestamp") -> Stamp:
    """What the signed part of the timestamp says of the feed. Raises Malformed."""
    return Stamp.from_json(signed.unrecognized_fields.get("feed"))


def live_files(signed: "Targets", *, role: str) -> list[FeedFile]:
    """The files in the signed part of a feed role: deltas by where they begin, then snapshots. Raises Malformed.

    Files of a kind that is not known, as a later minor version may have, are left out. A file of another role is
    refused: whoever holds one role's key speaks of that role's entries alone.
    """
    files = list(_files(signed))
    strange = next((file for file in files if file.role != role), None)
    if strange is not None:
        raise Malformed(f"{role} lists a file of {strange.role}")
    return sorted(files, key=lambda file: (file.from_sequence is None, file.from_sequence or 0, file.path))


def _files(signed: "Targets") -> Iterator[FeedFile]:
    for path, target in signed.targets.items():
        custom = target.unrecognized_fields.get("custom")
        if not isinstance(custom, dict):
            raise Malformed(f"nothing is said of {path[:120]!r}")
        if custom.get("kind") not in _KNOWN_KINDS:
            continue
        texts = (custom.get("session"), custom.get("digest_after"), target.hashes.get("sha256"))
        numbers = (custom.get("to"), custom.get("from", 0))
        if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
            raise Malformed(f"something is missing of what is said of {path[:120]!r}")
        yield _feed_file(
            path,
            custom["kind"],
            custom["session"],
            custom.get("from"),
            custom["to"],
            custom["digest_after"],
            target.hashes["sha256"],
            target.length,
        )


# From one edition to the next nearly all files are the same.
@functools.lru_cache(maxsize=1024)
def _feed_file(
    path: str,
    kind: str,
    session: str,
    from_sequence: int | None,
    to_sequence: int,
    digest_after: str,
    sha256: str,
    length: int,
) -> FeedFile:
    return FeedFile(path, Kind(kind), session, from_sequence, to_sequence, digest_after, sha256, length)
