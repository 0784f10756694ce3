"""Encrypting a column that stood in clear, and writing indexes anew: what goes through all rows of a table."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db import migrations
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.operations.base import Operation

from .fields import BlindIndexField, EncryptedTextField

ROWS_AT_ONCE = 1000


def seal_columns(
    model: str, *columns: str, indexes: Sequence[tuple[str, BlindIndexField]] = (), bound_to: str = "pk"
) -> list[Operation]:
    """The operations by which these columns of text become `EncryptedTextField`s, with indexes of them beside.

    It reads and writes each row once. It is undone in an empty table only: what was sealed stays sealed.
    """
    clear = {name: f"{name}_in_clear" for name in columns}

    def fill(apps: Apps, schema_editor: Any) -> None:
        rows = apps.get_model(schema_editor.app_label, model)
        written = [*columns, *(name for name, _ in indexes)]
        for row in rows._default_manager.iterator(chunk_size=ROWS_AT_ONCE):
            for name, before in clear.items():
                setattr(row, name, getattr(row, before))
            row.save(update_fields=written)

    def empty(apps: Apps, schema_editor: Any) -> None:
        if apps.get_model(schema_editor.app_label, model)._default_manager.exists():
            raise IrreversibleError(f"{model}: what was encrypted stays encrypted.")

    return [
        *(migrations.RenameField(model, name, before) for name, before in clear.items()),
        *(migrations.AddField(model, name, EncryptedTextField(bound_to=bound_to)) for name in columns),
        *(migrations.AddField(model, name, field) for name, field in indexes),
        _Filling(fill, empty),
        *(migrations.RemoveField(model, before) for before in clear.values()),
    ]


def write_indexes() -> int:
    """Write every `BlindIndexField` with the key in use now, after another was lost; return how many rows."""
    count = 0
    for model in installed.get_models():
        indexes = [field for field in model._meta.local_fields if isinstance(field, BlindIndexField)]
        for row in model._default_manager.iterator(chunk_size=ROWS_AT_ONCE) if indexes else ():
            for field in indexes:
                getattr(row, field.of)  # decrypted, so that it is hashed
            row.save(update_fields=[field.name for field in indexes])
            count += 1
    return count


class _Filling(migrations.RunPython):
    """Told the room that it works for: a migration does not know its own."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.app_label = app_label
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.app_label = app_label
        super().database_backwards(app_label, schema_editor, from_state, to_state)
