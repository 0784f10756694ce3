from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from rahdari.people.models import Role, User
from rahdari.vault import keys
from tests.builders.cases import an_officer
from tests.builders.shared import known_networks


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    with known_networks():
        yield


@pytest.fixture
def supervisor(db: None) -> User:
    return an_officer("Supervisor S", role=Role.SUPERVISOR)
