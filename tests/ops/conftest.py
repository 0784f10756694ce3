"""What several modules of this folder try things out on."""

from collections.abc import Iterator

import pytest

from tests.ops.installed import Installation, an_installation


@pytest.fixture(scope="package")
def installation() -> Iterator[Installation]:
    with an_installation() as made:
        yield made
