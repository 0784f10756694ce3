"""The vault: keys outside the database, values that cannot be moved, links that are never stored."""

import stat
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from rahdari.vault import cipher, files, index, keys, links


@pytest.fixture(autouse=True)
def the_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


class TestMakeMissing:
    def test_makes_each_key_once_readable_by_its_owner_only(self, tmp_path: Path) -> None:
        assert keys.make_missing(tmp_path / "keys") == list(keys.NAMES)
        before = {name: keys.path_of(name, tmp_path / "keys").read_text() for name in keys.NAMES}
        assert keys.make_missing(tmp_path / "keys") == []
        assert {name: keys.path_of(name, tmp_path / "keys").read_text() for name in keys.NAMES} == before
        for name in keys.NAMES:
            assert stat.S_IMODE(keys.path_of(name, tmp_path / "keys").stat().st_mode) == 0o600
        assert keys.problems(tmp_path / "keys") == []

    def test_a_draft_left_by_a_crash_does_not_stand_in_the_way(self, tmp_path: Path) -> None:
        keys.make_missing(tmp_path)
        keys.path_of("fields", tmp_path).rename(tmp_path / "fields.new")
        assert keys.make_missing(tmp_path) == ["fields"]


class TestProblems:
    def test_says_what_losing_a_key_means_and_how_to_close_an_open_one(self, tmp_path: Path) -> None:
        keys.make_missing(tmp_path)
        keys.path_of("documents", tmp_path).unlink()
        keys.path_of("index", tmp_path).chmod(0o644)
        keys.path_of("links", tmp_path).write_text("abcd1234 tooshort\n")
        found = "\n".join(keys.problems(tmp_path))
        assert "uploaded documents cannot be read any more" in found
        assert f"chmod 600 {tmp_path / 'index.key'}" in found
        assert "the file is damaged" in found
        assert "Key fields" not in found


class TestCipher:
    @given(st.binary(max_size=300), st.text(max_size=40))
    def test_what_is_sealed_comes_back_at_the_same_place_only(self, content: bytes, where: str) -> None:
        sealed = cipher.seal("fields", content, where=where)
        assert cipher.unseal("fields", sealed, where=where) == content
        assert len(content) < 8 or content not in sealed
        with pytest.raises(cipher.CannotDecrypt):
            cipher.unseal("fields", sealed, where=where + "x")
        with pytest.raises(cipher.CannotDecrypt):
            cipher.unseal("documents", sealed, where=where)

    @given(st.binary(max_size=60))
    def test_damaged_bytes_raise_and_never_come_through(self, rubbish: bytes) -> None:
        with pytest.raises(cipher.CannotDecrypt):
            cipher.unseal("fields", rubbish, where="anywhere")

    def test_a_rotated_key_still_reads_what_the_old_one_wrote(self) -> None:
        folder = Path(settings.DATA) / "keys"
        old = keys.path_of("fields", folder).read_text()
        sealed = cipher.seal("fields", b"before", where="here")
        try:
            keys.path_of("fields", folder).write_text("feedbeef " + "ab" * 32 + "\n" + old)
            keys.forget()
            assert cipher.unseal("fields", sealed, where="here") == b"before"
            assert cipher.seal("fields", b"after", where="here").startswith(b"feedbeef")
        finally:
            keys.path_of("fields", folder).write_text(old)
            keys.forget()


class TestIndexAndLinks:
    @given(st.text(max_size=30), st.text(max_size=30))
    def test_equal_values_are_found_and_purposes_kept_apart(self, one: str, other: str) -> None:
        assert (index.blind("cnic", one) == index.blind("cnic", other)) == (one == other)
        assert index.blind("cnic", one) != index.blind("ntn", one)

    @given(st.text(max_size=30))
    def test_a_link_matches_its_own_value_only(self, value: str) -> None:
        token = links.token("certificate", value)
        assert len(token) == links.LENGTH
        assert links.matches("certificate", value, token)
        assert not links.matches("certificate", value + "x", token)
        assert not links.matches("proof", value, token)
        assert not links.matches("certificate", value, "")


class TestFiles:
    def test_a_document_is_stored_unreadable_and_bound_to_what_it_belongs_to(self) -> None:
        name = files.store(b"letter of Sample Freelancer 31", aad="document:1")
        path = files.folder() / name[:2] / name
        assert b"Sample" not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert files.read(name, aad="document:1") == b"letter of Sample Freelancer 31"
        with pytest.raises(cipher.CannotDecrypt):
            files.read(name, aad="document:2")
        files.erase(name)
        files.erase(name)
        with pytest.raises(files.FileMissing):
            files.read(name, aad="document:1")

    @pytest.mark.parametrize("name", ["../keys/fields.key", "", "A" * 32, "0" * 31, "/etc/passwd"])
    def test_only_names_that_were_given_out_are_ever_opened(self, name: str) -> None:
        with pytest.raises(files.FileMissing):
            files.read(name, aad="x")
