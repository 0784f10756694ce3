"""Errors that say what they are about: each is a dataclass, and its sentence is made of its fields.

They are not frozen: Python itself sets `__traceback__` and `__notes__` on an error on its way.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(eq_default=False)
class RahdariError(Exception):
    """`says` is the sentence for logs, with places for the fields (`{case}`, `{standing.status}`)."""

    says: ClassVar[str] = ""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        dataclass(eq=False, repr=False)(cls)

    def __str__(self) -> str:
        return self.says.format(**vars(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """So that one crosses from process to process, however it was made."""
        return type(self), tuple(getattr(self, each.name) for each in fields(self))  # type: ignore[arg-type]
