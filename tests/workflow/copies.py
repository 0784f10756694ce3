"""Many of what acts made once: rows, and all rows that hang on them, copied under keys of their own."""

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import JSONField, Model, UUIDField

# Unique together with the row that they belong to, or by no constraint, and told apart all the same.
TOLD_APART = frozenset({"send_token"})


def copy(rows: Iterable[Model], count: int, change: Callable[[Model, int], None] = lambda row, number: None) -> None:
    """So many copies of these rows, given in the order in which they refer to each other. Where one names another, by
    its key or in a text (`application:<key>`), the copy names the copy."""
    originals = list(rows)
    copies: list[list[Model]] = [[] for _ in originals]
    for number in range(count):
        keys = {str(row.pk): str(uuid.uuid4()) for row in originals if isinstance(row._meta.pk, UUIDField)}
        for row, made in zip(originals, copies, strict=True):
            values = {field.attname: _copied(field, row, keys) for field in row._meta.concrete_fields}
            if not isinstance(row._meta.pk, UUIDField):
                del values[row._meta.pk.attname]  # type: ignore[union-attr]
            made.append(type(row)(**values))
            change(made[-1], number)
    for made in copies:
        type(made[0])._default_manager.bulk_create(made, batch_size=500)


def _copied(field: Any, row: Model, keys: dict[str, str]) -> Any:
    value = getattr(row, field.attname)
    if field.attname in TOLD_APART:
        return uuid.uuid4()
    if isinstance(value, uuid.UUID):
        return uuid.UUID(keys.get(str(value), str(value)))
    if isinstance(field, JSONField) or isinstance(value, list):
        return json.loads(_replaced(json.dumps(value, cls=DjangoJSONEncoder), keys))
    if not isinstance(value, str):
        return value
    if field.unique and not field.is_relation:
        named = _replaced(value, keys)
        return named if named != value else uuid.uuid4().hex[: field.max_length or 32]
    return _replaced(value, keys)


def _replaced(text: str, keys: dict[str, str]) -> str:
    for old, new in keys.items():
        text = text.replace(old, new)
    return text
