"""What every test stands on: one PostgreSQL, compiled catalogues, and a data folder of its own.

Without DATABASE_URL one embedded PostgreSQL is started for the whole run, by the process that was called; the workers
of `pytest -n` inherit its address, and pytest-django makes a database for each of them.
"""

import gc
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

import hatch_build
from rahdari.settings.base import database
from rahdari.up.postgres import NoEmbeddedPostgres, throwaway_postgres
from rahdari.vault import keys
from tests.needs import everything_is_needed

ROOT = Path(__file__).resolve().parent.parent
RUNNING = ExitStack()

# Properties are tried on fewer examples where not everything is asked for, unless a test says how many it needs. How
# long an example takes is asserted nowhere: the machine may be busy.
hypothesis.settings.register_profile("whole", deadline=None)
hypothesis.settings.register_profile("short", max_examples=40, deadline=None)
hypothesis.settings.load_profile("whole" if everything_is_needed() else "short")


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


# Those that take longest begin first, so that of several processes none is left alone with them at the end.
LONGEST = (
    "tests/journeys/",
    "tests/up/test_start.py",
    "tests/agent/test_killed.py",
    "tests/up/test_loops.py",
    "tests/portal/test_public_pages_in_browser.py",
    "tests/apply/test_in_browser.py",
    "tests/access/test_visitors.py",
    "tests/api/test_others.py",
    "tests/api/test_contract.py",
    "tests/up/test_doctor.py",
    "tests/publish/test_crash.py",
)


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the collector need not look through them each time."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    for item in items:
        if "django_db_setup" in getattr(item, "fixturenames", ()) or item.get_closest_marker("django_db"):
            item.add_marker("database")


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
