"""A data folder for each test, and a feed with keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rahdari.publish import ceremony
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator
from tests.builders.publishing import NOW, Follower, an_operator, served


@pytest.fixture
def data(tmp_path: Path, settings: Any) -> Path:
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    return settings.DATA


@pytest.fixture
def feed(data: Path, db: None) -> Repository:
    """A feed whose keys were made, with nothing published."""
    ceremony.make_feed_keys(offline=data / "keys" / "feed-offline", now=NOW)
    return Repository(data)


@pytest.fixture
def operator(feed: Repository) -> Operator:
    """A network that is to get the entries that these tests enter."""
    return an_operator()


@pytest.fixture
def follower(
    feed: Repository, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Follower]:
    """That operator's side, over HTTP, with the root pinned."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served(feed.path) as url:
        yield Follower(url, operator, tmp_path / "operator", (feed.metadata / "1.root.json").read_bytes())
