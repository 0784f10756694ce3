"""Encrypted model fields.

The row's primary key is part of what is authenticated, so it must exist before the row is saved: give the model a
client-side UUID key. Values are decrypted when the attribute is read, not when the row is loaded; a list that does not
show a name does not decrypt it. Lookups by value are refused, unless the model has a `BlindIndexField` of the field:
then `=` and `in` ask that column.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import In

from . import cipher, index

if TYPE_CHECKING:  # Django's classes take type arguments in the stubs only
    TextField = models.Field[str, str]
    CharField = models.CharField[str, str]
else:
    TextField = models.Field
    CharField = models.CharField

ROWS_AT_ONCE = 1000


class Sealed(bytes):
    """Bytes as they came from the database, not decrypted yet."""


class _Unsealing:
    """Descriptor: decrypts at first reading, and remembers."""

    def __init__(self, field: "EncryptedTextField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        value = instance.__dict__[self.field.attname]
        if isinstance(value, Sealed):
            value = cipher.unseal("fields", bytes(value), where=self.field.where(instance)).decode()
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(TextField):
    """Text encrypted with AES-256-GCM; the empty text is stored as empty bytes."""

    description = "encrypted text"

    def __init__(self, *args: Any, bound_to: str = "pk", **kwargs: Any) -> None:
        """`bound_to` is the attribute of the row, set before it is saved, that is authenticated with the value."""
        self.bound_to = bound_to
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        kwargs["null"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("null", None)
        if self.bound_to != "pk":
            kwargs["bound_to"] = self.bound_to
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Unsealing(self))

    def where(self, instance: models.Model) -> str:
        return f"{instance._meta.label}.{self.attname}:{getattr(instance, self.bound_to)}"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        content = bytes(value or b"")
        return Sealed(content) if content else ""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname, "")
        if isinstance(value, Sealed):
            return bytes(value)
        if not value:
            return b""
        if getattr(model_instance, self.bound_to) is None:
            raise FieldError(f"{self.where(model_instance)}: an encrypted field needs a key before it is saved.")
        return cipher.seal("fields", str(value).encode(), where=self.where(model_instance))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str) and value:
            raise FieldError("An encrypted field is written by saving its model, never by update() or bulk_update().")
        return connection.Database.Binary(value or b"")

    @property
    def index(self) -> "BlindIndexField | None":
        """The column by which equal values of this field are found."""
        found = (one for one in self.model._meta.local_fields if isinstance(one, BlindIndexField))
        return next((one for one in found if one.of == self.name), None)

    def get_lookup(self, lookup_name: str) -> Any:
        if self.index is not None and lookup_name in _BY_INDEX:
            return _BY_INDEX[lookup_name]
        raise FieldError("An encrypted field cannot be searched, but for = and `in` where it has a BlindIndexField.")


class BlindIndexField(CharField):
    """The keyed hash of an encrypted field of the same model: 64 hex digits, empty for the empty text.

    It is written with every `save()` of a value that was set; whoever names `update_fields` names both fields. With
    `folded`, capitals and small letters are alike.
    """

    description = "keyed hash of an encrypted field"

    def __init__(self, *args: Any, of: str, purpose: str, folded: bool = False, **kwargs: Any) -> None:
        self.of, self.purpose, self.folded = of, purpose, folded
        kwargs |= {"max_length": 64, "blank": True, "default": "", "editable": False}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs |= {"of": self.of, "purpose": self.purpose} | ({"folded": True} if self.folded else {})
        for fixed in ("max_length", "blank", "default", "editable"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def of_value(self, value: str) -> str:
        """What the column holds for this value."""
        if not value:
            return ""
        return index.blind(self.purpose, self._same(value))

    def held_for(self, value: str) -> list[str]:
        """What the column may hold for this value: by the key in use, and by each before it that is still held."""
        return index.blind_by_all(self.purpose, self._same(value)) if value else [""]

    def _same(self, value: str) -> str:
        return value.casefold() if self.folded else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.of, "")
        if not isinstance(value, Sealed):
            setattr(model_instance, self.attname, self.of_value(str(value)))
        return getattr(model_instance, self.attname)


class _InByIndex(In):
    def __init__(self, lhs: Any, rhs: Any) -> None:
        column = lhs.target.index
        values = list(rhs) if isinstance(rhs, Iterable) and not isinstance(rhs, str) else [rhs]
        if not all(isinstance(value, str) for value in values):
            raise FieldError("An encrypted field is compared with texts alone.")
        super().__init__(column.get_col(lhs.alias), [held for value in values for held in column.held_for(value)])


_BY_INDEX = {"exact": _InByIndex, "in": _InByIndex}


def write_indexes() -> int:
    """Write every `BlindIndexField` with the key in use now, after another was lost; return how many rows."""
    count = 0
    for model in apps.get_models():
        indexes = [field for field in model._meta.local_fields if isinstance(field, BlindIndexField)]
        for row in model._default_manager.iterator(chunk_size=ROWS_AT_ONCE) if indexes else ():
            for field in indexes:
                getattr(row, field.of)  # decrypted, so that it is hashed
            row.save(update_fields=[field.name for field in indexes])
            count += 1
    return count
