"""What most tests of the API begin with."""

from collections.abc import Iterator

import pytest

from rahdari.address import directory
from tests.builders.api_world import KNOWN
from tests.builders.programs import Program


@pytest.fixture
def known_networks() -> Iterator[None]:
    """The sample operators' networks are in the directory."""
    directory.configure(None, KNOWN)
    yield
    directory.configure(None)


@pytest.fixture
def program() -> Program:
    return Program()
