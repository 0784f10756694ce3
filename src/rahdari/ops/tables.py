"""Whether the tables are those of this release, or of an earlier one from which it can go on.

Told by the migrations that are applied, which the database notes, and not by a version. No Django: a process looks
before it loads anything.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rahdari import optional
from rahdari.ops.errors import Told

if TYPE_CHECKING:
    import psycopg

type Steps = set[tuple[str, str]]

ROOMS = Path(__file__).parents[1]
_STEP = re.compile(r"""\(\s*["'](\w+)["'],\s*["'](\w+)["']\s*\)""")
_REPLACES = re.compile(r"^    replaces = \[(.*?)\]", re.DOTALL | re.MULTILINE)
# Apps of others, whose releases are not ours.
OF_OTHERS = frozenset({"account", "auth", "contenttypes", "mfa", "sessions"})
# So many are named.
NAMED = 3


class NewerTables(Told):
    """A later release brought the tables up to date. `.unknown` are its steps."""

    def __init__(self, unknown: Steps) -> None:
        super().__init__(
            f"A later release has brought the tables up to date: this one does not know {_names(unknown)}. Nothing was "
            "started or changed. Install the later release again. The way back to this one is a backup from before "
            'the upgrade; docs/install.md, "Upgrade".'
        )
        self.unknown = unknown


class OtherTables(Told):
    """The tables are of a release from which this one cannot go on. `.unknown` are steps of theirs, `.missing` ours."""

    def __init__(self, unknown: Steps, missing: Steps, why: str = "") -> None:
        what = why or f"they lack {_names(missing)}, and have {_names(unknown)}, which this release does not know"
        super().__init__(
            f"This release cannot bring these tables up to date: {what}. Nothing was started or changed. Install the "
            'release again that ran before, which goes on where it was; docs/install.md, "Upgrade", says from which '
            "tables this one can go on."
        )
        self.unknown, self.missing = unknown, missing


def known() -> Steps:
    """The steps of this release, also of rooms that are left out: a room and the name of a migration."""
    return {(path.parents[1].name, path.stem) for path in ROOMS.glob("*/migrations/[0-9]*.py")}


def replaced() -> Steps:
    """The steps in whose place one of this release stands."""
    texts = (path.read_text() for path in ROOMS.glob("*/migrations/[0-9]*.py"))
    lists = (each for text in texts for each in _REPLACES.findall(text))
    return {(room, name) for each in lists for room, name in _STEP.findall(each)}


def judge(connection: "psycopg.Connection[Any]") -> None:
    """Raises NewerTables, OtherTables. An empty database is one that this release begins."""
    there = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
    if not there or there[0] is None:
        return
    applied = {(str(app), str(name)) for app, name in connection.execute("SELECT app, name FROM django_migrations")}
    unknown = {step for step in applied - known() if step[0] not in OF_OTHERS}
    if not unknown or not (unknown := unknown - replaced()):
        return
    missing = {step for step in known() - applied if step[0] not in optional.left_out()}
    raise OtherTables(unknown, missing) if missing else NewerTables(unknown)


def check() -> None:
    """At the start of a process. Raises what `judge` raises. Without a database nothing is known, and the process
    begins: it outlives a database that is away."""
    import psycopg

    url = os.environ.get("DATABASE_URL")
    if not url:
        return
    try:
        with psycopg.connect(url, connect_timeout=5, target_session_attrs="read-write") as connection:
            judge(connection)
    except psycopg.Error:
        return


def _names(steps: Steps) -> str:
    """By room, the last of each, which says how far it is."""
    last = dict(sorted(steps))
    named = ", ".join(f"{room} {name}" for room, name in list(last.items())[:NAMED])
    return named + (f" and others in {len(last) - NAMED} rooms" if len(last) > NAMED else "")
