from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from rahdari.vault import keys
from tests.builders.shared import known_networks


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    """One sample operator: 203.0.113.0/24 has a known network, 198.51.100.0/24 has none."""
    with known_networks():
        yield
