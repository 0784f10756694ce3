"""What several tests begin with, built once: for fixtures of a module, as Django's `setUpTestData` is for a class.

    @pytest.fixture(scope="module", autouse=True)
    @known_networks()
    def built(shared: None) -> House: ...

    @pytest.fixture
    def house(built: House) -> House:
        return deepcopy(built)

`shared` is one transaction around all tests of the module; each takes back what it did. `autouse`, for a test must not
depend on whether another one before it has asked for what is there. A test may change an object that it is given: hand
out copies, or read it anew. A module whose tests have transactions of their own
(`transaction=True`) cannot share.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager

from rahdari.address import directory

KNOWN = directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))


@contextmanager
def known_networks() -> Iterator[None]:
    """203.0.113.0/24 has a known network, so that the rule may grant; 198.51.100.0/24 has none."""
    directory.configure(None, [KNOWN])
    try:
        yield
    finally:
        directory.configure(None)
