"""The networks of the addresses that are reported here."""

import ipaddress
from collections.abc import Iterator

import pytest

from rahdari.address import directory


@pytest.fixture(autouse=True)
def networks() -> Iterator[None]:
    prefixes = ("203.0.113.0/24", "2001:db8::/32")
    directory.configure(
        None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network(prefix)) for prefix in prefixes]
    )
    yield
    directory.configure(None)
