"""A data folder for each test, and a feed with keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rahdari.publish import actions
from rahdari.publish.envelope import Repository

from .world import NOW, Follower, served


@pytest.fixture
def data(tmp_path: Path, settings: Any) -> Path:
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    return settings.DATA


@pytest.fixture
def feed(data: Path, db: None) -> Repository:
    """A feed whose keys were made, with nothing published."""
    actions.make_feed_keys(offline=data / "keys" / "feed-offline", now=NOW)
    return Repository(data)


@pytest.fixture
def follower(feed: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follower]:
    """An operator's side, over HTTP, with the root pinned."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served(feed.path) as url:
        yield Follower(url, tmp_path / "operator", (feed.metadata / "1.root.json").read_bytes())
