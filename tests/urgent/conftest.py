from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from rahdari.vault import keys
from tests.builders import cut_off
from tests.builders.shared import known_networks


@pytest.fixture(autouse=True)
def sms(db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    """203.0.113.0/24 has a known network; SMS go into a folder."""
    keys.make_missing(Path(django_settings.DATA) / "keys")
    settings.SMS_FOLDER = tmp_path / "sms"
    with known_networks():
        yield
    cut_off.another_hour()
