"""Tables of a later release, and of one from which this one cannot go on."""

import psycopg
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from rahdari.ops import prepare, tables
from tests.ops.installed import Installation


def test_the_steps_of_this_release_are_those_that_django_finds() -> None:
    """Without Django, and so also in the rooms that are left out."""
    found = MigrationLoader(None).disk_migrations.keys()
    assert {step for step in found if step[0] not in tables.OF_OTHERS} == tables.known()
    assert {room for room, _name in found - tables.known()} == tables.OF_OTHERS


@pytest.mark.django_db
class TestJudged:
    def note(self, room: str, name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())", [room, name])

    def forget(self, room: str, name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE (app, name) = (%s, %s)", [room, name])

    def test_those_of_this_release_and_an_earlier_one_do(self) -> None:
        prepare.judge_tables()
        last = max(name for room, name in tables.known() if room == "letters")
        self.forget("letters", last)
        prepare.judge_tables()
        # Of Django's own, whose release may be another.
        self.note("auth", "0099_of_tomorrow")
        prepare.judge_tables()

    @pytest.mark.parametrize("room", ["letters", "of_tomorrow"])
    def test_those_of_a_later_release_do_not(self, room: str) -> None:
        self.note(room, "0099_of_tomorrow")
        with pytest.raises(tables.NewerTables, match=f"does not know {room} 0099_of_tomorrow") as refused:
            prepare.judge_tables()
        assert refused.value.unknown == {(room, "0099_of_tomorrow")}

    def test_those_whose_steps_were_put_together_since_do_not(self) -> None:
        """As from a release before the steps of this one were written anew."""
        self.forget("register", "0002_guards")
        self.note("register", "0007_of_before")
        with pytest.raises(tables.OtherTables, match="lack register 0002_guards, and have register 0007_of_before"):
            prepare.judge_tables()
        # Also where nothing of them is unknown.
        self.forget("register", "0007_of_before")
        with pytest.raises(tables.OtherTables, match=r"is applied before its dependency register\.0002_guards"):
            prepare.judge_tables()

    def test_those_in_whose_place_another_step_stands_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.note("register", "0007_of_before")
        monkeypatch.setattr(tables, "replaced", lambda: {("register", "0007_of_before")})
        tables.judge(connection.connection)


def test_nothing_starts_on_those_of_a_later_release(installation: Installation) -> None:
    with psycopg.connect(installation.server.url) as owner:
        owner.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('letters', '0099_later', now())")
    try:
        for words in (["prepare"], ["web", "--port", "1"], ["worker"], ["publisher"], ["watch", "run"]):
            done = installation.run(*words)
            assert (done.returncode, done.stdout) == (1, ""), words
            assert "this one does not know letters 0099_later. Nothing was started or changed" in done.stderr, words
            assert "Traceback" not in done.stderr
        assert any("A later release has brought the tables up to date" in line for line in installation.doctor())
    finally:
        with psycopg.connect(installation.server.url) as owner:
            owner.execute("DELETE FROM django_migrations WHERE name = '0099_later'")
