from pathlib import Path

import pytest
from django.conf import settings

from rahdari.vault import keys


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")
