from collections.abc import Iterator

import pytest

from tests.builders.shared import known_networks


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    with known_networks():
        yield
