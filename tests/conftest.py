"""What every test stands on: one PostgreSQL, compiled catalogues, and a data folder of its own.

Without DATABASE_URL one embedded PostgreSQL is started for the whole run, by the process that was called; the workers
of `pytest -n` inherit its address, and pytest-django makes a database for each of them, as a copy of one.
"""

import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from pytest_django.plugin import blocking_manager_key
from xdist.scheduler import LoadFileScheduling

import hatch_build
from rahdari.apply import screening
from rahdari.db import queues
from rahdari.db.postgres.compiler import SQLCompiler
from rahdari.ops.postgres import NoEmbeddedPostgres
from rahdari.people.models import Role, User
from rahdari.publish import actions as publishing
from rahdari.publish import watching
from rahdari.settings.base import database
from rahdari.vault import keys
from tests import clock, costs, lanes, tables
from tests.builders import addresses
from tests.builders.cases import an_officer
from tests.needs import everything_is_needed

ROOT = Path(__file__).resolve().parent.parent
RUNNING = ExitStack()
TEMPLATE = "test_rahdari_template"
# Set where the database is one of these tests' own, for the workers.
EMBEDDED = "RAHDARI_TEST_EMBEDDED"
# How often, in each process, a text that is kept is compared with one made anew, where everything is asked for.
COMPARED = 5

# Properties are tried on fewer examples where not everything is asked for, unless a test says how many it needs: on the
# same ones in each run, so that what fails comes from the change and fails again. `search` looks for new ones
# (CONTRIBUTING.md). How long an example takes, or is drawn, is asserted nowhere: the machine may be busy.
UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("whole", derandomize=True, **UNHURRIED)
hypothesis.settings.register_profile("short", max_examples=10, derandomize=True, **UNHURRIED)
hypothesis.settings.register_profile("search", max_examples=1000, print_blob=True, **UNHURRIED)
hypothesis.settings.load_profile("whole" if everything_is_needed() else "short")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(clock.Clock(), "clock")
    # Programs that a test starts get the data folder of the process that starts them.
    os.environ["RAHDARI_DATA"] = str(settings.DATA)
    keys.make_missing(settings.DATA / "keys")
    if everything_is_needed():
        from tests import engines

        config.pluginmanager.register(engines.Comparison(), "engines")
    from tests import prepared, questions

    config.pluginmanager.register(questions.Kept(compared=COMPARED if everything_is_needed() else 0), "questions")
    config.pluginmanager.register(costs.Costs(config), "costs")
    if EMBEDDED in os.environ:
        prepared.keep()
    if hasattr(config, "workerinput"):
        take_tables_from_template(config)
        return
    hatch_build.compile_catalogues(ROOT)
    if config.option.collectonly:
        return
    if os.environ.get("DATABASE_URL"):
        # A cluster that goes on when we are done. A run without workers has made no template.
        if config.option.numprocesses:
            RUNNING.callback(drop_template, config)
        return
    try:
        url = RUNNING.enter_context(tables.server_with_tables(partial(make_template, config)))
    except NoEmbeddedPostgres as error:
        raise pytest.UsageError(str(error)) from None
    os.environ |= {"DATABASE_URL": url, EMBEDDED: "1"}
    prepared.keep()
    # Settings were read, and connections made ready, before this file was: both hold this very dictionary.
    settings.DATABASES["default"].update(database(url))
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


def make_template(config: pytest.Config, url: str) -> None:
    settings.DATABASES["default"].update(database(url))
    options = connection.settings_dict["TEST"]
    own, options["NAME"] = connection.settings_dict["NAME"], TEMPLATE
    with config.stash[blocking_manager_key].unblock():
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        connection.close()
    connection.settings_dict["NAME"], options["NAME"] = own, None


def take_tables_from_template(config: pytest.Config) -> None:
    """The tables are made once, by the first worker while it and the others start, and copied by all of them."""
    options = connection.settings_dict["TEST"]
    first = config.workerinput["workerid"] == "gw0" and not config.option.collectonly  # type: ignore[attr-defined]
    if first and EMBEDDED not in os.environ:
        make_template(config, os.environ["DATABASE_URL"])
    options["TEMPLATE"] = TEMPLATE


def drop_template(config: pytest.Config) -> None:
    with config.stash[blocking_manager_key].unblock(), connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")


# Both try things out on one installation.
WITH = {"tests/ops/test_rights.py": "tests/ops/test_doctor.py"}


def together(file: str) -> str:
    """What runs in one process: the tests of one file, for what they share is made once; so do the journeys, which
    share a running demonstration."""
    folder, _, name = file.rpartition("/")
    return folder if folder == "tests/journeys" and name != "test_kill.py" else WITH.get(file, file)


def longest_first() -> Callable[[pytest.Item], float]:
    """Those that take longest begin first, so that of several processes none is left alone with them at the end."""
    seconds: Counter[str] = Counter()
    for name, cost in costs.listed().items():
        seconds[together(f"tests/{name}")] += cost.all
    seconds["tests/journeys"] += sum(seconds.values())
    return lambda item: -seconds[together(item.nodeid.partition("::")[0])]


class OneProcessForAFile(LoadFileScheduling):
    """(`--dist loadgroup` would read marks, but knows of none under pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return together(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    # In the order in which they were collected, not by how many tests a file has.
    config.option.loadscopereorder = False
    return OneProcessForAFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """What is collected stays: there is nothing to look for among it meanwhile."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the collector need not look through them each time."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    lanes.mark(items)
    items.sort(key=longest_first())
    for item in items:
        if "django_db_setup" in getattr(item, "fixturenames", ()) or item.get_closest_marker("django_db"):
            item.add_marker("database")


# Tests with transactions of their own end with emptying what they filled, a few tables of a hundred and fifty. The
# journal and its like refuse that, by triggers: there, and nowhere else, these are set aside.
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
# Made with the tables.
OF_THE_CODE = {"django_migrations", "django_content_type", "auth_permission"}


def _empty_what_was_filled(_self: TransactionTestCase) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = {name for (name,) in cursor.fetchall()} - OF_THE_CODE
        cursor.execute(" UNION ALL ".join(f"SELECT '{each}' WHERE EXISTS (SELECT FROM {each})" for each in tables))
        filled = [name for (name,) in cursor.fetchall()]
        for act in (
            *(f"ALTER TABLE {each} DISABLE TRIGGER USER" for each in filled),
            *(f"DELETE FROM {each}" for each in filled),
            "SET CONSTRAINTS ALL IMMEDIATE",
            *(f"ALTER TABLE {each} ENABLE TRIGGER USER" for each in filled),
        ):
            cursor.execute(act)


TransactionTestCase._fixture_teardown = _empty_what_was_filled  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def shared(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What is made under this is there for each test of the module (tests/builders/shared.py)."""
    keys.make_missing(settings.DATA / "keys")
    with django_db_blocker.unblock(), transaction.atomic():
        # As around each test: an act that has to be the outermost transaction is, here.
        connection.atomic_blocks[-1]._from_testcase = True
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def process_of_a_test() -> Iterator[None]:
    """As one that was just started: it remembers no row of an earlier test. `cli.main` takes the environment of a data
    folder for its process, which is that of all tests of this worker."""
    queues._positions.clear()
    queues._troubled = set()
    watching._last.clear()
    watching._looked_at.clear()
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session", autouse=True)
def documents_are_judged_in_this_process() -> Iterator[None]:
    """By the same judge, without starting Python for each of hundreds; tests/apply/test_screening.py has the process,
    and so have the journeys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screening, "in_a_process", screening.screen)
        yield
    # Who was started for those stands ready as long as this process lives.
    screening._judges.close()


@pytest.fixture(scope="session", autouse=True)
def kept_texts_of_queries_are_compared() -> Iterator[None]:
    """The first of each shape with what Django makes, as in production, and more where everything is asked for. A
    difference is an error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLCompiler, "strict", True)
        patch.setattr(SQLCompiler, "compared", COMPARED if everything_is_needed() else 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def publishing_takes_no_time() -> Iterator[None]:
    """What is published while a snapshot is written says so many seconds later when. Here it says what the test said,
    also where the machine has little time for it; tests/publish/test_editions.py has another clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "time", SimpleNamespace(monotonic=lambda: 0.0))
        yield


@pytest.fixture(scope="module", autouse=True)
def data_folder_of_a_module() -> Iterator[None]:
    """The next file in this worker finds the keys of before, and no feed that was published from rows that are gone."""
    yield
    for name in ("feed", "feed-access", "documents"):
        shutil.rmtree(settings.DATA / name, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def addresses_of_a_module() -> Iterator[None]:
    with addresses.given_back():
        yield


@pytest.fixture(autouse=True)
def addresses_of_a_test(addresses_of_a_module: None) -> Iterator[None]:
    """Which addresses a test gets depends on no other test."""
    with addresses.given_back():
        yield


# Whoever works at the desk.
@pytest.fixture
def officer(db: None) -> User:
    return an_officer("Officer A")


@pytest.fixture
def second(db: None) -> User:
    return an_officer("Officer B")


@pytest.fixture
def director(db: None) -> User:
    return an_officer("Director C", rank="director", role=Role.SUPERVISOR)


@pytest.fixture
def one_person(db: None, settings: Any, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Makes accounts those of one person (`cut_off.with_one_number`)."""
    # A room that can be left out.
    from tests.builders import cut_off

    settings.SMS_FOLDER = tmp_path / "sms"
    yield cut_off.with_one_number
    cut_off.another_hour()


@pytest.fixture
def uninvolved(db: None) -> User:
    """A supervisor who has no part in any case."""
    return an_officer("Supervisor D", role=Role.SUPERVISOR)


def pytest_unconfigure(config: pytest.Config) -> None:
    RUNNING.close()
    # Workers of `pytest -n` leave without the farewell that the settings count on.
    shutil.rmtree(settings.DATA, ignore_errors=True)
