"""Safeguard: who reads changes nothing. Every page and operation is asked for by GET, and what it writes is held to a
short list: a prefetch, a link preview or a reload acts in nobody's name. A link that proves an address by being opened
with curl is what it is (tests/control/test_link_page.py)."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from rahdari.api import interface
from rahdari.journal import registry
from tests.access.test_walk import OPENED_BY, World, world
from tests.api.conftest import known_networks
from tests.api.test_contract import one_connection, without_rates
from tests.api.test_others import places, whose
from tests.builders.api_world import the_world
from tests.builders.programs import Program
from tests.needs import a_third

__all__ = ["known_networks", "one_connection", "without_rates", "world"]
pytestmark = pytest.mark.django_db

WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|NOTIFY|LISTEN)\s+(?:ONLY\s+)?"?(\w+)', re.IGNORECASE)
# Which table a reader may write, and why.
OF_READERS = {
    "django_session": "that a session goes on, and messages that were shown",
    "web_allowance": "how often somebody asked: limits count reads too",
    "api_accesstoken": "when a token was used last",
    "letters_letter": "that its reader has opened a letter",
    "maintenance_calendarfeed": "how often a calendar was read: its holder sees whether somebody else has the link",
}


def written_by(sql: str, params: Any) -> str | None:
    """What a statement writes that no reader may: a table, an act of the journal, or who is notified."""
    found = WRITE.match(sql)
    if found is None:
        return "pg_notify" if "pg_notify" in sql else None
    table = found.group(1)
    if table in OF_READERS:
        return None
    if table == "journal_journalentry":
        act = next((each for each in params or () if isinstance(each, str) and re.fullmatch(r"\w+\.\w+", each)), "?")
        # Who looked is on record: a row about the look itself.
        return None if act in registry.reads() else f"{table} {act}"
    return table


@contextmanager
def noting() -> Iterator[set[str]]:
    found: set[str] = set()

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        what = written_by(sql, params[0] if many and params else params)
        if what is not None:
            found.add(what)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def test_no_page(world: World) -> None:
    wrote: dict[str, set[str]] = {}
    for visitor, names in OPENED_BY.items():
        browser = world.client(visitor)
        for turn, name in enumerate(sorted(names)):
            for place in a_third(world.places(name), turn=turn):
                with noting() as found:
                    browser.get(place)
                if found:
                    wrote.setdefault(f"{name} {visitor}", set()).update(found)
    assert wrote == {}


@pytest.mark.usefixtures("without_rates", "known_networks")
def test_no_operation() -> None:
    world = the_world()
    program, known = Program(world.person), whose()
    wrote: dict[str, set[str]] = {}
    for each in interface.API.operations():
        if each.method == "GET":
            for place in places(each, world, known) if "{" in each.path else [f"/api/v1{each.path}"]:
                with noting() as found:
                    program.client.get(place)
                if found:
                    wrote.setdefault(each.id, set()).update(found)
    assert wrote == {}


@pytest.mark.parametrize(
    ("sql", "params", "said"),
    [
        ('INSERT INTO "control_challenge" ("id") VALUES (%s)', ("1",), "control_challenge"),
        ('UPDATE "apply_endpoint" SET "block" = %s', ("1",), "apply_endpoint"),
        ('DELETE FROM "apply_endpoint"', (), "apply_endpoint"),
        ("NOTIFY rahdari_workflow", None, "rahdari_workflow"),
        (
            'INSERT INTO "journal_journalentry" ("act") VALUES (%s)',
            ("control.shared_proof",),
            "journal_journalentry control.shared_proof",
        ),
        ('INSERT INTO "journal_journalentry" ("act") VALUES (%s)', ("decide.read_case",), None),
        ('UPDATE "django_session" SET "expire_date" = %s', ("1",), None),
        ('SELECT "id" FROM "control_challenge" FOR UPDATE', None, None),
    ],
)
def test_a_planted_write_is_seen(sql: str, params: Any, said: str | None) -> None:
    assert written_by(sql, params) == said
