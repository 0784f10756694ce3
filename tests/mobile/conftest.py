from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from rahdari.vault import keys
from tests.builders import mobile_lines as sample


@pytest.fixture
def operators(db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    """Two mobile operators, and SMS that go into a folder."""
    keys.make_missing(Path(django_settings.DATA) / "keys")
    settings.SMS_FOLDER = tmp_path / "sms"
    sample.mobile_operators()
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_allowance")
