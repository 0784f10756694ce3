"""What most tests of the API begin with."""

from collections.abc import Iterator

import pytest

from tests.builders import shared
from tests.builders.programs import Program


@pytest.fixture
def known_networks() -> Iterator[None]:
    """The sample operators' networks are in the directory."""
    with shared.known_networks():
        yield


@pytest.fixture
def program() -> Program:
    return Program()
