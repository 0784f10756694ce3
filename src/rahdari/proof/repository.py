"""How the feed lies in its TUF repository: names, places, and what the signed metadata says of each file.

    metadata/timestamp.json  N.snapshot.json  N.feed.json  N.targets.json  N.root.json
    targets/feed/<session>/<sha256>.snap-<sequence>-<random>.jsonl.gz
    targets/feed/<session>/<sha256>.delta-<from>-<to>-<random>.jsonl.gz

The target's path, as metadata gives it, is the same without `<sha256>.` (consistent snapshots, TUF 6.2). Role `feed` is
delegated by `targets` for `feed/*/*`. Its signed part carries `head`: the edition that its files lead to. Files are
never changed; 16 random bytes in each name keep it from being guessed before it is published.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .edition import DIGEST, SESSION, Kind
from .entry import is_time
from .faults import Malformed
from .version import FORMAT, check_format

if TYPE_CHECKING:
    from tuf.api.metadata import Targets

ROLE = "feed"
PATHS = "feed/*/*"
METADATA = "metadata"
TARGETS = "targets"
_PATH = re.compile(
    r"feed/(?P<session>[0-9a-f]{32})/"
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
    def location(self) -> str:
        """Where it lies below `targets/`."""
        folder, _, name = self.path.rpartition("/")
        return f"{folder}/{self.sha256}.{name}"

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


def snapshot_path(session: str, sequence: int, random: str) -> str:
    return f"feed/{session}/snap-{sequence}-{random}.jsonl.gz"


def delta_path(session: str, start: int, end: int, random: str) -> str:
    return f"feed/{session}/delta-{start}-{end}-{random}.jsonl.gz"


def head_of(signed: "Targets") -> Head:
    """The head in the signed part of role `feed`. Raises Malformed, UnsupportedFormat."""
    return Head.from_json(signed.unrecognized_fields.get("head"))


def live_files(signed: "Targets") -> list[FeedFile]:
    """The files in the signed part of role `feed`: deltas by where they begin, then snapshots. Raises Malformed.

    Files of a kind that is not known, as a later minor version may have, are left out.
    """
    return sorted(_files(signed), key=lambda file: (file.from_sequence is None, file.from_sequence or 0, file.path))


def _files(signed: "Targets") -> Iterator[FeedFile]:
    for path, target in signed.targets.items():
        custom = target.unrecognized_fields.get("custom")
        if not isinstance(custom, dict):
            raise Malformed(f"nothing is said of {path[:120]!r}")
        if custom.get("kind") not in list(Kind):
            continue
        texts = (custom.get("session"), custom.get("digest_after"), target.hashes.get("sha256"))
        numbers = (custom.get("to"), custom.get("from", 0))
        if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
            raise Malformed(f"something is missing of what is said of {path[:120]!r}")
        yield FeedFile(
            path=path,
            kind=Kind(custom["kind"]),
            session=custom["session"],
            from_sequence=custom.get("from"),
            to_sequence=custom["to"],
            digest_after=custom["digest_after"],
            sha256=target.hashes["sha256"],
            length=target.length,
        )
