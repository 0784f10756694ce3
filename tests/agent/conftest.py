from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration
from tests.agent.feeds import Publisher, Stand, a_configuration, standing


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "feed")


@pytest.fixture
def stand(publisher: Publisher) -> Iterator[Stand]:
    with standing(publisher.folder) as stand:
        yield stand


@pytest.fixture
def configuration(tmp_path: Path, publisher: Publisher, stand: Stand) -> Configuration:
    return a_configuration(tmp_path / "operator", stand.url, publisher.root_file)
