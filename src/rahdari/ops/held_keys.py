"""Whether the keys in the data folder are those with which the database was written.

`rahdari prepare` notes in the journal a print of each key that is held, as soon as there is another. A key that was
noted and is held no more was lost, or belongs to another database or an older day. Keys are only added, so that newer
ones go with an older database. No Django: a process looks before it loads anything.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rahdari.ops.errors import Told
from rahdari.vault import keys

if TYPE_CHECKING:
    import psycopg

type Prints = dict[str, list[str]]

SUBJECT = "register:keys"
NOTED = "SELECT detail::text FROM journal_journalentry WHERE subject = %s ORDER BY id DESC LIMIT 1"


class KeysLost(Told):
    """The database holds what these keys encrypted, and they are not held. `.names` says which."""

    def __init__(self, names: list[str], folder: Path) -> None:
        meanings = "\n".join(f"  {name}.key: without it {keys.WHAT_LOSING_MEANS[name]}." for name in names)
        super().__init__(
            f"Keys are missing from {folder}, or are not those with which this database was written:\n{meanings}\n"
            "Keys and database belong together: restore those keys from your backup (docs/restore.md). Only if there "
            "are none: `rahdari prepare --new-keys` goes on with others, and what the old ones protected stays lost."
        )
        self.names = names


def noted(connection: "psycopg.Connection[Any]") -> Prints:
    """What was held when it was last noted; empty before the first time."""
    known = connection.execute("SELECT to_regclass('journal_journalentry')").fetchone()
    row = connection.execute(NOTED, [SUBJECT]).fetchone() if known and known[0] else None
    return dict(json.loads(row[0])) if row else {}


def held(folder: Path) -> Prints:
    found: Prints = {}
    for name in keys.NAMES:
        try:
            found[name] = [key.print for key in keys.read(name, folder)]
        except keys.KeyMissing:
            found[name] = []
    return found


def lost(before: Prints, folder: Path) -> list[str]:
    """The keys of which something is held no more."""
    now = held(folder)
    return [name for name in keys.NAMES if not set(before.get(name, [])) <= set(now[name])]


def check() -> None:
    """At the start of a process that uses them. Raises KeysLost. Without a database nothing is known, and the process
    begins: it outlives a database that is away."""
    import psycopg

    folder, url = Path(os.environ["RAHDARI_DATA"]) / "keys", os.environ.get("DATABASE_URL")
    if not url:
        return
    try:
        with psycopg.connect(url, connect_timeout=5, target_session_attrs="read-write") as connection:
            names = lost(noted(connection), folder)
    except psycopg.Error:
        return
    if names:
        raise KeysLost(names, folder)
