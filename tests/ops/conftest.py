"""What several modules of this folder try things out on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.ops import datafolder, postgres
from tests.ops.installed import Installation


@pytest.fixture(scope="package")
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="rahdari-doctor-") as folder:
        data = datafolder.make(Path(folder) / "data", datafolder.DEMO)
        server = postgres.Server(data, throwaway=True)
        server.start()
        try:
            made = Installation(data, server)
            prepared = made.run("prepare")
            assert prepared.returncode == 0, prepared.stderr
            yield made
        finally:
            server.stop()
