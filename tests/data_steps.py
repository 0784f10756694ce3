"""The steps of a migration that change rows, on rows: most tests migrate empty tables alone."""

from collections.abc import Callable

from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader


def migrated_again(room: str, name: str, as_before: Callable[[Apps], None] | None = None) -> None:
    """Take back what a migration did to the tables, as far as it can be, have `as_before` make the rows what they were,
    and migrate. Within the transaction of the test, on rows that our own acts made; `as_before` is given the models of
    before."""
    migration = MigrationLoader(connection).get_migration(room, name)
    states = [MigrationLoader(connection).project_state((room, name), at_end=False)]
    for operation in migration.operations:
        states.append(states[-1].clone())
        operation.state_forwards(room, states[-1])
    with connection.schema_editor(atomic=False) as editor:
        # What the transaction itself wrote is checked as it is changed: a table with checks to come is not altered.
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for at, operation in reversed(list(enumerate(migration.operations))):
            if operation.reversible:
                operation.database_backwards(room, editor, states[at + 1], states[at])
        if as_before is not None:
            as_before(states[0].apps)
        migration.apply(states[0], editor)
