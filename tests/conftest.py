"""What every test stands on: one PostgreSQL, compiled catalogues, and a data folder of its own.

Without DATABASE_URL one embedded PostgreSQL is started for the whole run, by the process that was called; the workers
of `pytest -n` inherit its address, and pytest-django makes a database for each of them.
"""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

import hatch_build
from rahdari.settings.base import database
from rahdari.up.postgres import NoEmbeddedPostgres, throwaway_postgres

ROOT = Path(__file__).resolve().parent.parent
RUNNING = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    # Programs that a test starts get the data folder of the process that starts them.
    os.environ["RAHDARI_DATA"] = str(settings.DATA)
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
    # The settings were read before this file was.
    settings.DATABASES["default"] = database(url)


def pytest_unconfigure(config: pytest.Config) -> None:
    RUNNING.close()
