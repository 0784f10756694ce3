"""Keeps, from test to test, what is prepared on the server, and its plans.

A test ends with a rollback, and with each rollback psycopg forgets what it prepared, in case a table that a statement
reads went with it: PostgreSQL would plan anew for each test what it planned for the one before, which is half of its
work here. With a PostgreSQL that was there before the tests (DATABASE_URL), all is as in production.
"""

import re

from psycopg._preparing import PrepareManager

from rahdari.db.postgres import base

# Other tables than before, or none: then it is forgotten here, too.
OTHER_TABLES = re.compile(rb"(DROP|ALTER|DISCARD ALL|DEALLOCATE ALL)\b")
# Of all tests of one process, not of one page or one round.
AT_MOST = 6000
forget = PrepareManager.clear


def keep() -> None:
    PrepareManager.clear = lambda _self: False  # type: ignore[method-assign]
    PrepareManager._should_discard = (  # type: ignore[method-assign]
        lambda self, _prepare, results: (
            any(OTHER_TABLES.match(r.command_status or b"") for r in results) and forget(self)
        )
    )
    base.PREPARED = AT_MOST
    # A plan for any values at once: PostgreSQL tries five for the values that are given first.
    base.UNCOMPILED += " -c plan_cache_mode=force_generic_plan"
