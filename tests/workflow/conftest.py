import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from rahdari.address import directory
from rahdari.vault import keys


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    """203.0.113.0/24 has a known network, so that the rule may grant."""
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)
