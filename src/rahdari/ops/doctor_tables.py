"""The part of the doctor that looks at what holds the tables together, and at the rules of what stands in them."""

from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding


def check_constraints(*, has_gist: bool) -> Iterator[Finding]:
    """Whether what holds the tables together is there: dropping an extension takes it along, and nobody is told."""
    from django.apps import apps
    from django.db import connection

    way = "" if has_gist else "CREATE EXTENSION btree_gist; "
    if not has_gist:
        yield Finding(
            WRONG,
            "tables",
            "the extension btree_gist was dropped, and what needs it with it. Run in psql: " + way.strip(),
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind IN ('i', 'I')"
        )
        there = {name for (name,) in cursor.fetchall()}
    with connection.schema_editor(collect_sql=True) as editor:
        for model in apps.get_models():
            for constraint in model._meta.constraints:
                if constraint.name not in there:
                    mend = f"{way}{constraint.create_sql(model, editor)};"
                    yield Finding(
                        WRONG,
                        "tables",
                        f"{constraint.name} is gone from {model._meta.db_table}, so rows may contradict each other. "
                        f"Stop the processes, and run in psql: {mend} If it is refused, restore the database: "
                        "docs/restore.md.",
                    )


def check_owner() -> Iterator[Finding]:
    """Whether the role of all that runs owns the tables, and so could take their guards off."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, pg_has_role(relowner, 'USAGE') FROM pg_class"
            " WHERE oid = 'journal_journalentry'::regclass"
        )
        role, owns = cursor.fetchone()
    if owns:
        yield Finding(
            NOTE,
            "tables",
            f"the role {role} of DATABASE_URL owns them: whoever takes over a process can take their guards off, and "
            "rewrite the journal. Give them an owner of their own; docs/install.md.",
        )
    else:
        yield Finding(OK, "tables", f"the role {role} uses them and does not own them: their guards stay on")
    yield from check_rights(role, is_owner=owns)


def check_rights(role: str, *, is_owner: bool) -> Iterator[Finding]:
    """Whether the role of all that runs may do what the processes do, and no more."""
    from rahdari.ops import rights

    lacks, beyond = rights.differing(is_owner=is_owner)
    for name, what in lacks.items():
        said = ", ".join(sorted(what))
        kind = "SEQUENCE " if what == {"USAGE"} else "FUNCTION " if what == {"EXECUTE"} else ""
        yield Finding(
            WRONG,
            "tables",
            f"the role {role} may not {said} on {name}, so acts fail. Run in psql, as the owner of the tables: "
            f'GRANT {said} ON {kind}{name} TO "{role}";',
        )
    for name, what in beyond.items():
        said = ", ".join(sorted(what))
        yield Finding(
            WRONG,
            "tables",
            f"the role {role} may {said} on {name}, which nobody is to. Run in psql, as the owner of the tables: "
            f'REVOKE {said} ON {name} FROM "{role}";',
        )
