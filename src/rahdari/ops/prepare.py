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
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from rahdari import __version__, optional, policy
from rahdari.ops import rights
from rahdari.ops.errors import Told
from rahdari.vault import keys
from rahdari.vault.fields import write_indexes

log = logging.getLogger("rahdari.prepare")


class KeysLost(Told):
    """The database holds what these keys encrypted, and they are gone. `.names` says which."""

    def __init__(self, names: list[str], folder: Path) -> None:
        meanings = "\n".join(f"  {name}.key: without it {keys.WHAT_LOSING_MEANS[name]}." for name in names)
        super().__init__(
            f"Keys are missing from {folder}, and the database holds data that was written with them:\n{meanings}\n"
            "Restore them from your backup. Only if there is none: `rahdari prepare --new-keys` makes new ones, "
            "and what the old ones protected stays lost."
        )
        self.names = names


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


def prepare(*, new_keys: bool = False) -> None:
    judge_rules()
    judge_left_out()
    made = make_keys(new_keys=new_keys)
    migrate()
    if shared_with := os.environ.get("RAHDARI_SHARED_WITH"):
        rights.grant(rights.role_of(shared_with))
    if "index" in made and holds_people():
        log.info("Wrote the index of %s rows with the new key: addresses of email are found again.", write_indexes())
    collect_files()


def judge_rules() -> None:
    """Raises RulesNotTaken."""
    try:
        policy.current(settings.POLICY_FILE)
    except policy.PolicyError as error:
        raise RulesNotTaken(settings.POLICY_FILE, error) from error


def judge_left_out() -> None:
    """Raises LeftOutHoldsRows."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        for room in optional.left_out():
            for table in (name for name in names if name.startswith(f"{room}_")):
                cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
                if cursor.fetchone()[0]:
                    raise LeftOutHoldsRows(room, table)


def make_keys(*, new_keys: bool) -> list[str]:
    """Make the keys that are missing; return their names. Raises KeysLost."""
    folder = Path(settings.DATA) / "keys"
    missing = [name for name in keys.NAMES if not keys.path_of(name, folder).exists()]
    if missing and not new_keys and holds_people():
        raise KeysLost(missing, folder)
    made = keys.make_missing(folder)
    if made:
        log.info(
            "Made the keys %s in %s. Keep a copy of that folder elsewhere; docs/secrets.md says why.", made, folder
        )
    return made


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
