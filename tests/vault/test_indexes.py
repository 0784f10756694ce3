"""Encrypted columns are found by their index."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import FieldError

from rahdari.people import actions, queries
from rahdari.people.models import User
from rahdari.vault import fields, keys
from tests.builders.people import NOW, a_person


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
        fields.write_indexes()
        assert queries.person_by_email(person.email) == person

    @pytest.mark.parametrize("lookup", [{"name": "Sample"}, {"email__icontains": "a"}, {"email": None}])
    def test_nothing_else_can_be_asked(self, lookup: dict[str, str]) -> None:
        with pytest.raises(FieldError):
            User.objects.filter(**lookup).exists()
