from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from rahdari.publish import actions as publish
from rahdari.publish import ceremony
from rahdari.vault import keys
from tests.builders.shared import known_networks


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    """203.0.113.0/24 has a known network, so that the rule may grant."""
    with known_networks():
        yield


@pytest.fixture
def feed(tmp_path: Path, settings: Any) -> Path:
    """A feed that an operator of everything follows: nothing is forgotten that it is still to be told."""
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    keys.make_missing(settings.DATA / "keys")
    publish.create_operator(slug="sample-edge", name="Sample Edge", asns=[], gateway=True, now=timezone.now())
    ceremony.make_feed_keys(offline=tmp_path / "offline", now=timezone.now())
    return tmp_path
