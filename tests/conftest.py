"""What every test stands on: one PostgreSQL, compiled catalogues, and a data folder of its own.

Without DATABASE_URL one embedded PostgreSQL is started for the whole run, by the process that was called; the workers
of `pytest -n` inherit its address, and pytest-django makes a database for each of them.
"""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

import hatch_build
from rahdari.settings.base import database
from rahdari.up.postgres import NoEmbeddedPostgres, throwaway_postgres
from rahdari.vault import keys

ROOT = Path(__file__).resolve().parent.parent
RUNNING = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    # Programs that a test starts get the data folder of the process that starts them.
    os.environ["RAHDARI_DATA"] = str(settings.DATA)
    keys.make_missing(settings.DATA / "keys")
    if hasattr(config, "workerinput"):
        return
    hatch_build.compile_catalogues(ROOT)
    if os.environ.get("DATABASE_URL") or config.option.collectonly:
        return
    try:
        url = RUNNING.enter_context(throwaway_postgres())
    except NoEmbeddedPostgres as error:
        raise pytest.UsageError(str(error)) from None
    os.environ["DATABASE_URL"] = url
    # Settings were read, and connections made ready, before this file was: both hold this very dictionary.
    settings.DATABASES["default"].update(database(url))


# The journal and its like refuse to be emptied, by triggers on TRUNCATE. Tests with transactions of their own end with
# just that, so there, and nowhere else, the triggers are set aside.
GUARDED = (
    "SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger WHERE tgtype & 32 <> 0 AND NOT tgisinternal"
)
_empty = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def _empty_guarded_tables(self: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        cursor.execute(GUARDED)
        guards = cursor.fetchall()
        for table, trigger in guards:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    try:
        _empty(self)
    finally:
        with connection.cursor() as cursor:
            for table, trigger in guards:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


TransactionTestCase._fixture_teardown = _empty_guarded_tables  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    RUNNING.close()
    # Workers of `pytest -n` leave without the farewell that the settings count on.
    shutil.rmtree(settings.DATA, ignore_errors=True)
