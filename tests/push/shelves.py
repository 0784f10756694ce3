"""Editions of unsigned metadata in a data folder, for what only follows the names in them."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rahdari.feed.repository import location_of
from tests.push.feeds import SESSION, metadata_of, put


@dataclass
class Shelf:
    """One operator's repository. `stock` puts one more edition in place, as the publisher does: timestamp last."""

    data: Path
    slug: str = "sample-one"
    session: str = SESSION
    version: int = 0
    targets: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        put(self.data / "feed" / "metadata" / "1.root.json", b"{}")
        self.write("1.root.json", {"version": 1})
        self.write("1.targets.json", {"targets": {}})

    @property
    def metadata(self) -> Path:
        return metadata_of(self.data, self.slug)

    def write(self, name: str, signed: dict[str, Any]) -> None:
        put(self.metadata / name, json.dumps({"signatures": [], "signed": signed}).encode())

    def add(self, content: bytes, *, name: str = "") -> str:
        """A target of this content; where it lies below the feed."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = f"feed-static/{self.session}/{name or f'snap-{self.version + 1}-{secrets.token_hex(16)}.jsonl.gz'}"
        self.targets[path] = {"length": len(content), "hashes": {"sha256": sha256}}
        location = f"targets/{location_of(path, sha256)}"
        put(self.data / "feed" / location, content)
        return location

    def stock(self, *contents: bytes) -> list[str]:
        added = [self.add(content) for content in contents]
        self.version += 1
        self.write(f"{self.version}.feed-static.json", {"targets": self.targets})
        meta = {"feed-static.json": {"version": self.version}, "targets.json": {"version": 1}}
        self.write(f"{self.version}.snapshot.json", {"meta": meta})
        signed = {"version": self.version, "meta": {"snapshot.json": {"version": self.version}}}
        self.write("timestamp.json", signed)
        return added
