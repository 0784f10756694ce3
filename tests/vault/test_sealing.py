"""Columns that stood in clear are encrypted by a migration, and found again by their index."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rahdari.people import actions, queries
from rahdari.people.models import Organisation, User
from rahdari.vault import keys, sealing

from ..people.people import NOW, a_person

LATEST = [("people", "0010_bound_second_factors"), ("apply", "0017_sealed_companies")]
BEFORE = [("people", "0008_mandates"), ("apply", "0016_remote_workers")]


def migrate(targets: list[tuple[str, str]]) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)


@pytest.fixture
def an_older_database(transactional_db: None) -> Iterator[None]:
    """The schema as it was, for the time of a test; all later migrations come back behind it."""
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    migrate(BEFORE)
    try:
        yield
    finally:
        migrate(leaves)


class TestMigration:
    def test_loses_nothing_and_leaves_nothing_in_clear(self, an_older_database: None) -> None:
        person, company = uuid.uuid4(), uuid.uuid4()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO people_user (id, password, email, name, language, holder_ref, is_active, created_at)"
                " VALUES (%s, '!', 'someone@sample.example', '', 'en', %s, true, now())",
                [person, uuid.uuid4()],
            )
            cursor.execute(
                "INSERT INTO people_organisation (id, name, company_number, ntn, holder_ref, created_at)"
                " VALUES (%s, 'Sample Works (Pvt) Ltd', '0000482', '', %s, now())",
                [company, uuid.uuid4()],
            )
        migrate(LATEST)
        assert queries.person_by_email("Someone@sample.example") == User.objects.get(pk=person)
        found = Organisation.objects.get(company_number="0000482", name="SAMPLE works (pvt) ltd")
        assert (found.pk, found.name) == (company, "Sample Works (Pvt) Ltd")
        with connection.cursor() as cursor:
            cursor.execute("SELECT o::text || u::text FROM people_organisation o, people_user u")
            (kept,) = cursor.fetchone()
        for planted in ("someone", "Sample Works", "0000482"):
            assert planted not in kept and planted.encode().hex() not in kept


@pytest.mark.django_db
class TestIndex:
    @pytest.fixture(autouse=True)
    def keys_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        monkeypatch.setattr(settings, "DATA", tmp_path)
        keys.make_missing(tmp_path / "keys")
        yield tmp_path / "keys"
        keys.forget()

    def test_is_found_by_each_key_that_is_held(self, keys_of_its_own: Path) -> None:
        person = a_person()
        path = keys.path_of("index", keys_of_its_own)
        path.write_text(f"{'b' * 8} {'2' * 64}\n{path.read_text()}")
        keys.forget()
        assert queries.person_by_email(person.email) == person
        assert actions.register_person(email=person.email, now=NOW) == person

    def test_is_written_anew_with_a_new_key(self, keys_of_its_own: Path) -> None:
        person = a_person()
        keys.path_of("index", keys_of_its_own).unlink()
        keys.make_missing(keys_of_its_own)
        keys.forget()
        assert queries.person_by_email(person.email) is None
        sealing.write_indexes()
        assert queries.person_by_email(person.email) == person

    @pytest.mark.parametrize("lookup", [{"name": "Sample"}, {"email__icontains": "a"}, {"email": None}])
    def test_nothing_else_can_be_asked(self, lookup: dict[str, str]) -> None:
        with pytest.raises(FieldError):
            User.objects.filter(**lookup).exists()
