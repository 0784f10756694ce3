from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from rahdari.people.models import Role, User
from rahdari.policy import loading
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
def third(db: None) -> User:
    return an_officer("Officer C")


@pytest.fixture
def supervisor(db: None) -> User:
    return an_officer("Director D", rank="director", role=Role.SUPERVISOR)


type Drawing = Callable[..., None]


@pytest.fixture
def drawing_one_in(settings: object, tmp_path: Path) -> Drawing:
    """Puts rules in force that draw one of so many; of each officer at least so many in a month."""

    def put(by_rule: int = 1, by_officers: int = 1, least: int = 0) -> None:
        text = loading.BUNDLED.read_text(encoding="utf-8")
        for key, number in (
            ("one_by_rule_in", by_rule),
            ("one_by_officers_in", by_officers),
            ("least_of_each_officer", least),
        ):
            before, _key, rest = text.partition(f"{key} = ")
            text = f"{before}{key} = {number}\n{rest.partition('\n')[2]}"
        file = tmp_path / f"{by_rule}-{by_officers}-{least}.toml"
        file.write_text(text, encoding="utf-8")
        settings.POLICY_FILE = file  # type: ignore[attr-defined]

    return put
