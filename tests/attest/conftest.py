from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from rahdari.vault import keys
from tests.builders.attestations import a_secretary


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(a_secretary())
    return client
