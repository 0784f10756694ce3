"""What the role of all that runs may do in the database, where the tables belong to another role.

`rahdari prepare` brings the tables up to date as their owner, and grants. Then no statement of a process that runs can
take a guard off a table, empty one, or change its form. With one role for both nothing is granted, and all works too.
"""

import psycopg
from django.db import connection
from psycopg import sql

from rahdari import optional
from rahdari.ops.errors import Told

# Only added to: neither a guard nor a right lets a row be changed.
ADDED_TO = (
    "journal_journalentry",
    "archive_sealed",
    "apply_frozenpolicy",
    "publish_receipt",
    "fees_refund",
    "figures_publication",
    "figures_overdue",
)
# Never changed; a guard lets a row go once whose it was is forgotten.
UNCHANGED = ("register_change",)
# Rows that end, are answered or go on, and are never deleted. An entry goes once whose it was is forgotten, by a guard.
KEPT = (
    "register_registration",
    "decide_case",
    "decide_decision",
    "decide_casequestion",
    "decide_notice",
    "decide_recusal",
    "decide_reviewer",
    "decide_revocation",
    "demand_demand",
    "sampling_secondlook",
    "calendar_calendarcorrection",
    "publish_edition",
    "publish_session",
    "fees_invoice",
    "urgent_urgententry",
)
# All that it may do with a table, but for these.
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
TAKEN: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (ADDED_TO, ("UPDATE", "DELETE")),
    (UNCHANGED, ("UPDATE",)),
    (KEPT, ("DELETE",)),
    (("django_migrations",), ("INSERT", "UPDATE", "DELETE")),
)
# Functions that run in the owner's name, for what needs more than rows: a roster's import makes a table.
CALLED = ("checks_begin_import", "checks_use_import", "checks_end_import")


class CannotGrant(Told):
    """The owner cannot give the role of DATABASE_URL its rights. `.why` is what was said."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The role of DATABASE_URL cannot be given its rights: {why}. RAHDARI_OWNER_DATABASE_URL names the owner "
            "of the database and of its tables, DATABASE_URL another role of the same server; docs/install.md."
        )
        self.why = why


def role_of(url: str) -> str:
    """As whom the server lets in whoever comes with this address. Raises psycopg.OperationalError."""
    with psycopg.connect(url, connect_timeout=5, target_session_attrs="read-write") as asked:
        row = asked.execute("SELECT current_user").fetchone()
    assert row is not None  # noqa: S101
    return str(row[0])


def grant(role: str) -> None:
    """Let the role use every table, and no more: as the owner, in one transaction. Raises CannotGrant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        owner, database = cursor.fetchone()
    if role == owner:
        raise CannotGrant(f"both are the role {role}")
    name, public = sql.Identifier(role), sql.SQL("ALL TABLES IN SCHEMA public")
    statements = [
        # A table of one's own by the name of ours would be looked at first, also by guards.
        sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("GRANT {} ON {} TO {}").format(words(RIGHTS), public, name),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(", ").join(map(sql.Identifier, CALLED)), name),
        *(sql.SQL("REVOKE {} ON {} FROM {}").format(words(taken), tables(of), name) for of, taken in TAKEN),
    ]
    try:
        with connection.connection.transaction():
            for statement in statements:
                connection.connection.execute(statement)
    except psycopg.Error as error:
        raise CannotGrant(str(error).strip().split("\n", 1)[0]) from None


def words(rights: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.SQL, rights))


HAS = """
SELECT relname, array_agg(asked) FILTER (WHERE has_table_privilege(pg_class.oid, asked))
FROM pg_class, unnest(%s::text[]) AS asked
-- Of a part of a table nobody asks: what is read and written is the whole.
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace GROUP BY relname
UNION ALL
SELECT relname, array_agg(asked) FILTER (WHERE has_sequence_privilege(pg_class.oid, asked))
FROM pg_class, unnest('{USAGE}'::text[]) AS asked
WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace GROUP BY relname
UNION ALL
SELECT proname, array_agg(asked) FILTER (WHERE has_function_privilege(pg_proc.oid, asked))
FROM pg_proc, unnest('{EXECUTE}'::text[]) AS asked
WHERE proname = ANY(%s) AND pronamespace = 'public'::regnamespace GROUP BY proname
ORDER BY relname
"""


def differing(*, is_owner: bool) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What the role that asks lacks, and what it has beyond `grant`, by table, sequence or function."""
    # An owner has all.
    taken = {name: set(what) for of, what in TAKEN for name in of} if not is_owner else {}
    with connection.cursor() as cursor:
        cursor.execute(HAS, [list(RIGHTS), list(CALLED)])
        found = {name: set(has or ()) for name, has in cursor.fetchall()}
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace")
        sequences = {name for (name,) in cursor.fetchall()}
    other = {name: {"USAGE"} for name in sequences} | {name: {"EXECUTE"} for name in CALLED}
    wanted = {name: other.get(name, set(RIGHTS) - taken.get(name, set())) for name in found}
    lacks = {name: wanted[name] - has for name, has in found.items() if wanted[name] - has}
    beyond = {name: has - wanted[name] for name, has in found.items() if has - wanted[name]}
    return lacks, beyond


def tables(names: tuple[str, ...]) -> sql.Composed:
    """Those that this installation has: rooms may be left out."""
    without = tuple(f"{room}_" for room in optional.left_out())
    return sql.SQL(", ").join(sql.Identifier(name) for name in names if not name.startswith(without))
