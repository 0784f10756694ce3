"""Encrypted model fields.

The row's primary key is part of what is authenticated, so it must exist before the row is saved: give the model a
client-side UUID key. Values are decrypted when the attribute is read, not when the row is loaded; a list that does not
show a name does not decrypt it. Lookups by value are refused: use `vault.index.blind` in a column of its own.
"""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models

from . import cipher

if TYPE_CHECKING:  # Django's classes take type arguments in the stubs only
    TextField = models.Field[str, str]
else:
    TextField = models.Field


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        kwargs["null"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("null", None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Unsealing(self))

    def where(self, instance: models.Model) -> str:
        return f"{instance._meta.label}.{self.attname}:{instance.pk}"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        content = bytes(value or b"")
        return Sealed(content) if content else ""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname, "")
        if isinstance(value, Sealed):
            return bytes(value)
        if not value:
            return b""
        if model_instance.pk is None:
            raise FieldError(f"{self.where(model_instance)}: an encrypted field needs a key before it is saved.")
        return cipher.seal("fields", str(value).encode(), where=self.where(model_instance))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str) and value:
            raise FieldError("An encrypted field is written by saving its model, never by update() or bulk_update().")
        return connection.Database.Binary(value or b"")

    def get_lookup(self, lookup_name: str) -> Any:
        raise FieldError("An encrypted field cannot be searched; use vault.index.blind in a column of its own.")
