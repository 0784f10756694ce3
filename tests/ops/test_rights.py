"""The role of all that runs, where the tables belong to another: what PostgreSQL refuses it, and lets it do."""

from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from rahdari.ops import postgres, rights
from rahdari.ops.errors import DATABASE_AWAY
from tests.ops.installed import Installation
from tests.ops.test_doctor import about


@pytest.fixture
def application(installation: Installation) -> psycopg.Connection:  # type: ignore[misc]
    with psycopg.connect(installation.server.application_url) as connection:
        yield connection
        connection.rollback()


REFUSED = [
    "ALTER TABLE journal_journalentry DISABLE TRIGGER journal_only_grows",
    "ALTER TABLE journal_journalentry DISABLE TRIGGER USER",
    "DROP TRIGGER journal_only_grows ON journal_journalentry",
    "ALTER TABLE register_entry ADD COLUMN mine text",
    "DROP TABLE journal_journalentry",
    "TRUNCATE letters_letter CASCADE",
    "CREATE OR REPLACE FUNCTION journal_only_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "CREATE TABLE mine (one int)",
    "CREATE TEMPORARY TABLE register_coholder (one int)",
    "SET session_replication_role = 'replica'",
    "SET ROLE rahdari",
    "CREATE DATABASE mine",
    "DELETE FROM django_migrations",
    # By name, so that a table that falls out of the lists of the module is missed here.
    "UPDATE journal_journalentry SET actor = 'nobody'",
    "DELETE FROM journal_journalentry",
    "UPDATE register_change SET act = ''",
    "UPDATE apply_frozenpolicy SET text = ''",
    "DELETE FROM register_registration",
    "DELETE FROM decide_decision",
    "DELETE FROM decide_notice",
    "DELETE FROM fees_invoice",
    *(f"{act} {table}{rest}" for table in rights.ADDED_TO for act, rest in (("DELETE FROM", ""), ("TRUNCATE", ""))),
    *(f"DELETE FROM {table}" for table in rights.KEPT),
]


class TestApplication:
    @pytest.mark.parametrize("statement", dict.fromkeys(REFUSED))
    def test_is_refused(self, application: psycopg.Connection, statement: str) -> None:
        # By its rights, before any guard sees a row: the tables are empty here.
        application.autocommit = statement.startswith("CREATE DATABASE")
        with pytest.raises(errors.InsufficientPrivilege):
            application.execute(statement)  # type: ignore[call-overload]

    @pytest.mark.parametrize("table", rights.ADDED_TO)
    def test_only_adds_to_what_only_grows(self, application: psycopg.Connection, table: str) -> None:
        row = application.execute(
            "SELECT string_agg(DISTINCT privilege_type, ' ' ORDER BY privilege_type) "
            "FROM information_schema.table_privileges WHERE table_name = %s AND grantee = current_user",
            [table],
        ).fetchone()
        assert row == ("INSERT SELECT",)
        with pytest.raises(errors.InsufficientPrivilege):
            application.execute(sql.SQL("SELECT 1 FROM {} FOR UPDATE").format(sql.Identifier(table)))

    def test_has_what_it_needs_of_every_other_table(self, application: psycopg.Connection) -> None:
        missing = application.execute(
            "SELECT relname, wanted FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted "
            "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
            "AND NOT has_table_privilege(oid, wanted)"
        ).fetchall()
        expected = {(table, act) for table in rights.ADDED_TO for act in ("UPDATE", "DELETE")}
        expected |= {(table, "UPDATE") for table in rights.UNCHANGED}
        expected |= {(table, "DELETE") for table in rights.KEPT}
        expected |= {("django_migrations", act) for act in ("INSERT", "UPDATE", "DELETE")}
        assert set(missing) == expected

    def test_does_the_work_of_a_command(self, installation: Installation) -> None:
        """`people appoint` writes a person, a post and the journal, and queues a letter."""
        done = installation.run("people", "appoint", "officer@authority.example", "officer")
        assert done.returncode == 0, done.stderr
        with psycopg.connect(installation.server.url) as owner:
            assert owner.execute("SELECT count(*) > 0 FROM journal_journalentry").fetchone() == (True,)

    def test_imports_a_roster_and_replaces_it(self, installation: Installation, tmp_path: Path) -> None:
        """For which a table is made, and one goes: the owner's functions do that, and no other table."""
        file = tmp_path / "companies.csv"
        for rows in ("0000482,Sample One\n", "0000482,Sample One\n0000483,Sample Two\n"):
            file.write_text(f"number,name\n{rows}")
            done = installation.run("roster", "import", "companies", str(file))
            assert done.returncode == 0, done.stderr
        with psycopg.connect(installation.server.application_url) as application:
            assert application.execute("SELECT count(*) FROM checks_rosterrow").fetchone() == (2,)
            (in_use,) = application.execute("SELECT id FROM checks_roster WHERE in_use").fetchone() or ()
            with pytest.raises(errors.CheckViolation, match="in use"):
                application.execute("SELECT checks_end_import(%s)", [in_use])
        assert not about(installation.doctor(), "tables ", "WRONG")

    def test_is_told_in_a_line_what_it_lacks(self, installation: Installation, tmp_path: Path) -> None:
        file = tmp_path / "companies.csv"
        file.write_text("number,name\n0000482,Sample One\n")
        with psycopg.connect(installation.server.url, autocommit=True) as owner:
            owner.execute(f"REVOKE EXECUTE ON FUNCTION checks_begin_import FROM {postgres.APPLICATION}")
            try:
                done = installation.run("roster", "import", "companies", str(file))
                (said,) = about(installation.doctor(), "tables ", "WRONG")
            finally:
                owner.execute(f"GRANT EXECUTE ON FUNCTION checks_begin_import TO {postgres.APPLICATION}")
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "refuses this to the role of DATABASE_URL" in done.stderr and "rahdari prepare" in done.stderr
        assert f'GRANT EXECUTE ON FUNCTION checks_begin_import TO "{postgres.APPLICATION}";' in said


class TestDoctor:
    def test_says_who_owns_the_tables(self, installation: Installation) -> None:
        (said,) = about(installation.doctor(), "tables       the role", "ok")
        assert f"the role {postgres.APPLICATION} uses them" in said
        (said,) = about(installation.doctor(DATABASE_URL=installation.server.url), "tables       the role", "note")
        assert f"the role {postgres.OWNER} of DATABASE_URL owns them" in said and "docs/install.md" in said


class TestPrepare:
    def test_goes_on_with_one_role(self, installation: Installation) -> None:
        done = installation.run("prepare", DATABASE_URL=installation.server.url)
        assert done.returncode == 0, done.stderr

    def test_takes_the_owner_from_the_settings(self, installation: Installation) -> None:
        server = installation.server
        with psycopg.connect(server.url) as owner:
            owner.execute("REVOKE ALL ON journal_journalentry FROM rahdari_app")
        given = {"DATABASE_URL": server.application_url, "RAHDARI_OWNER_DATABASE_URL": server.url}
        done = installation.run("prepare", **given)
        assert done.returncode == 0, done.stderr
        with psycopg.connect(server.application_url) as application:
            application.execute("SELECT count(*) FROM journal_journalentry")

    def test_says_whose_the_tables_are(self, installation: Installation) -> None:
        """As where a dump was restored under another role than the one that comes."""
        server = installation.server
        with psycopg.connect(server.url) as owner:
            owner.execute("REVOKE ALL ON journal_journalentry FROM rahdari_app")
        done = installation.run("prepare", DATABASE_URL=server.application_url)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "permission denied for table journal_journalentry. The tables belong to the role rahdari" in done.stderr
        assert "came as rahdari_app" in done.stderr
        given = {"DATABASE_URL": server.application_url, "RAHDARI_OWNER_DATABASE_URL": server.url}
        assert installation.run("prepare", **given).returncode == 0

    def test_says_when_both_are_one_or_the_other_is_not_let_in(self, installation: Installation) -> None:
        url = installation.server.url
        done = installation.run("prepare", DATABASE_URL=url, RAHDARI_OWNER_DATABASE_URL=url)
        assert done.returncode == 1
        assert "both are the role rahdari" in done.stderr and "RAHDARI_OWNER_DATABASE_URL" in done.stderr
        wrong = installation.server.application_url.replace("rahdari_app:", "rahdari_app:x")
        done = installation.run("prepare", DATABASE_URL=wrong, RAHDARI_OWNER_DATABASE_URL=url)
        assert done.returncode == DATABASE_AWAY
        assert "password authentication failed" in done.stderr
