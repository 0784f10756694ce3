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
    """One sample operator: 203.0.113.0/24 has a known network, 198.51.100.0/24 has none."""
    with known_networks():
        yield


@pytest.fixture
def officer(db: None) -> User:
    return an_officer("Officer A")


@pytest.fixture
def second(db: None) -> User:
    return an_officer("Officer B")


@pytest.fixture
def director(db: None) -> User:
    return an_officer("Director C", rank="director", role=Role.SUPERVISOR)
