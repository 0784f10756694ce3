"""`rahdari prepare`: keys, tables and the files of the pages, made ready before anything serves.

Invariants: it can be run again at any time and then does little; a key that is lost is never replaced in silence, for a
new key would hide that what the old one encrypted cannot be read any more.
"""

import hashlib
import logging
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from rahdari import __version__, optional, policy
from rahdari.journal import actions as journal
from rahdari.ops import held_keys, rights, tables
from rahdari.ops.errors import Told
from rahdari.ops.held_keys import KeysLost
from rahdari.vault import keys
from rahdari.vault.fields import write_indexes

log = logging.getLogger("rahdari.prepare")


class DatabaseEmpty(Told):
    """The data folder is of a register that has published, and the database has no tables. `.folder`"""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The database is empty, and {folder} holds keys and a feed that were in use: they belong to another "
            "database. No table was made. Correct DATABASE_URL, or restore the database (docs/restore.md). A new "
            "register begins in a data folder of its own."
        )
        self.folder = folder


class RulesNotTaken(Told):
    """This release does not take the policy in force, and there is no earlier good one. `.path` is the file."""

    def __init__(self, path: Path, error: policy.PolicyError) -> None:
        first = error.problems[0]
        super().__init__(
            f"{path} may not be in force, line {first.line}: {first.message} Nothing was started, rather than say on "
            f"the pages what nobody answers for. See all of it with: rahdari policy check {path} Mend a copy of the "
            "file, and run: rahdari policy use COPY"
        )
        self.path = path


class LeftOutHoldsRows(Told):
    """A room that is left out was in use here. `.room`, and `.table`, which holds rows."""

    def __init__(self, room: str, table: str) -> None:
        super().__init__(
            f"RAHDARI_WITHOUT leaves `{room}` out ({optional.ROOMS[room]}), and the table {table} holds rows, which "
            f"nothing would show or erase any more. Nothing was changed. Take `{room}` out of RAHDARI_WITHOUT."
        )
        self.room, self.table = room, table


class TablesOfAnother(Told):
    """The role that came may not do this with the tables. `.role`, and `.owner`, whose they are."""

    def __init__(self, refusal: str, role: str, owner: str) -> None:
        super().__init__(
            f"PostgreSQL refuses it: {refusal}. The tables belong to the role {owner}, and `rahdari prepare` came as "
            f"{role}. Set RAHDARI_OWNER_DATABASE_URL to an address with the role {owner}. Where they came from a dump, "
            f"restore it again into an empty database, with: pg_restore --role={role} --no-owner"
        )
        self.role, self.owner = role, owner


def prepare(*, new_keys: bool = False) -> None:
    """Raises what its steps raise, and TablesOfAnother in the place of PostgreSQL's refusal."""
    try:
        _prepare(new_keys=new_keys)
    except (ProgrammingError, InsufficientPrivilege) as error:
        refused = error if isinstance(error, InsufficientPrivilege) else error.__cause__
        if not isinstance(refused, InsufficientPrivilege):
            raise
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, tableowner FROM pg_tables WHERE tablename = 'django_migrations'")
            role, owner = cursor.fetchone() or ("", "")
        if role == owner:
            raise
        raise TablesOfAnother(str(refused).partition("\n")[0], role, owner) from None


def _prepare(*, new_keys: bool) -> None:
    judge_rules()
    judge_tables()
    judge_left_out()
    judge_database()
    anew = make_keys(new_keys=new_keys)
    migrate()
    note_keys()
    if shared_with := os.environ.get("RAHDARI_SHARED_WITH"):
        rights.grant(rights.role_of(shared_with))
    # What cannot be read any more has no index either.
    if "index" in anew and "fields" not in anew and holds_people():
        log.info("Wrote the index of %s rows with the new key: addresses of email are found again.", write_indexes())
    collect_files()


def judge_rules() -> None:
    """Raises RulesNotTaken."""
    try:
        policy.current(settings.POLICY_FILE)
    except policy.PolicyError as error:
        raise RulesNotTaken(settings.POLICY_FILE, error) from error


def judge_tables() -> None:
    """Raises NewerTables, OtherTables."""
    connection.ensure_connection()
    tables.judge(connection.connection)
    try:
        MigrationLoader(connection).check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        raise tables.OtherTables(set(), set(), str(error).rstrip(".")) from error


def judge_left_out() -> None:
    """Raises LeftOutHoldsRows."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        for room in optional.left_out():
            for table in (name for name in names if name.startswith(f"{room}_")):
                cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
                if cursor.fetchone()[0]:
                    raise LeftOutHoldsRows(room, table)


def judge_database() -> None:
    """Raises DatabaseEmpty."""
    data = Path(settings.DATA)
    with connection.cursor() as cursor:
        is_empty = not connection.introspection.table_names(cursor)
    if is_empty and any(data.glob("feed/metadata/*.json")):
        raise DatabaseEmpty(data)


def make_keys(*, new_keys: bool) -> list[str]:
    """Make the keys that are missing; return the names of these and of those that are lost. Raises KeysLost."""
    folder = Path(settings.DATA) / "keys"
    lost = held_keys.lost(noted_keys(), folder)
    if holds_people():
        lost += [name for name in keys.NAMES if name not in lost and not keys.path_of(name, folder).exists()]
    if lost and not new_keys:
        raise KeysLost(lost, folder)
    made = keys.make_missing(folder)
    if made:
        log.info(
            "Made the keys %s in %s. Keep a copy of that folder elsewhere; docs/secrets.md says why.", made, folder
        )
    return [*made, *(name for name in lost if name not in made)]


def noted_keys() -> held_keys.Prints:
    connection.ensure_connection()
    return held_keys.noted(connection.connection)


def note_keys() -> None:
    """Also those that somebody has added since, and that those which are lost are no longer asked for."""
    held = held_keys.held(Path(settings.DATA) / "keys")
    if held != noted_keys():
        journal.record(
            act="people.noted_keys",
            actor="system:prepare",
            subject=held_keys.SUBJECT,
            now=timezone.now(),
            detail=held,
        )


def holds_people() -> bool:
    with connection.cursor() as cursor:
        if "people_user" not in connection.introspection.table_names(cursor):
            return False
        cursor.execute("SELECT EXISTS (SELECT 1 FROM people_user)")
        return bool(cursor.fetchone()[0])


def migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        log.info("Bringing the database up to date (%s steps).", len(plan))
        call_command("migrate", interactive=False, verbosity=0)


def collect_files() -> None:
    """Collect the files of the pages, unless those of this release have been collected already."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    wanted = files_digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    log.info("Collecting the files of the pages.")
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)


def files_digest() -> str:
    """What changes when a file of the pages does: its name, size and time, and the versions of ours and of Django."""
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256(f"{__version__} {django.__version__}".encode())
    for finder in get_finders():
        for name, storage in finder.list(None):
            digest.update(f"{name} {storage.size(name)} {storage.get_modified_time(name).timestamp()}\n".encode())
    return digest.hexdigest()
