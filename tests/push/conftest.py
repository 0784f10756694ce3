from pathlib import Path

import pytest

from tests.push.feeds import SNAPSHOT, allow, announce, metadata_of, put


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One operator, at its first edition."""
    announce(tmp_path, 1)
    put(metadata_of(tmp_path) / "1.root.json", b'{"signed": 1}')
    put(tmp_path / "feed" / SNAPSHOT, b"0123456789abc")
    allow(tmp_path)
    return tmp_path
