from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration
from tests.agent.feeds import Stand, a_configuration, standing

from .simulator import Simulator


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def feed(tmp_path: Path) -> Simulator:
    return Simulator(tmp_path / "feed")


@pytest.fixture
def stand(feed: Simulator) -> Iterator[Stand]:
    with standing(feed.folder) as stand:
        yield stand


@pytest.fixture
def configuration(tmp_path: Path, feed: Simulator, stand: Stand) -> Configuration:
    return a_configuration(tmp_path / "operator", stand.url, feed.root_file)
