"""Sealing, and taking one number out. Through `Box` rooms hand over what they are about to erase."""

import base64
import datetime as dt
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.db import transaction
from django.db.models import Model

from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.vault.fields import BlindIndexField

from . import queries, sealing
from .models import Sealed


class NothingSealed(RahdariError):
    """Nothing is sealed under this number. `.about`"""

    says = "{about}"
    about: str


class Box:
    """What goes, as it was. One that is not `open` takes nothing in: what goes is erased."""

    def __init__(self, kind: str, *, now: dt.datetime) -> None:
        self.kind, self.now = kind, now
        self.open = queries.disposal(kind) is queries.Disposal.SEAL
        self._rows: list[dict[str, Any]] = []
        self._papers: list[dict[str, Any]] = []

    def take(self, rows: Iterable[Model]) -> None:
        """Before they are changed."""
        if self.open:
            self._rows += map(_picture, rows)

    def take_fields(self, row: Model, names: Iterable[str]) -> None:
        """These columns of a row alone: the rest stays where it is."""
        if self.open:
            told = _picture(row)
            self._rows.append({"table": told["table"], "id": told["id"], **{name: told[name] for name in names}})

    def take_paper(self, row: Model, content: Callable[[], bytes]) -> None:
        """With the bytes of its file: each is a part of its own."""
        if self.open:
            self._papers.append({**_picture(row), "content": base64.b64encode(content()).decode()})

    def seal(self, *, about: str) -> int:
        """In the transaction in which it is erased; returns the parts."""
        parts = [*([self._rows] if self._rows else []), *([paper] for paper in self._papers)]
        if not self.open or not parts:
            return 0
        key = queries.key()
        if key is None:
            raise sealing.NotASealKey(queries.key_path(), "public")
        for part in parts:
            written = json.dumps({"sealed_at": self.now.isoformat(), "rows": part}, ensure_ascii=False).encode()
            Sealed.objects.create(
                about=about,
                kind=self.kind,
                sealed_at=self.now,
                key=sealing.fingerprint(key),
                content=sealing.seal(key, written, about=about, kind=self.kind),
            )
        return len(parts)


def _picture(row: Model) -> dict[str, Any]:
    """Every column but keyed hashes, which say nothing without a key that stays here."""
    fields = [
        field.attname
        for field in row._meta.concrete_fields
        if not isinstance(field, BlindIndexField) and not field.attname.endswith("_index")
    ]
    return {"table": row._meta.db_table, **{name: _plain(getattr(row, name)) for name in fields}}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | bool | list | dict) else str(value)


def install_key(*, key: X25519PublicKey, now: dt.datetime) -> str:
    """From now on this one is sealed for; what was sealed for another stays with that. The caller has rehearsed it."""
    path = queries.key_path()
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    sealing.write(draft, sealing.public_pem(key), mode=0o600)
    os.replace(draft, path)
    name = sealing.fingerprint(key)
    journal.record(
        act="archive.installed_key", actor="system:command", subject="archive:key", now=now, detail={"key": name}
    )
    return name


@transaction.atomic
def take_out(*, about: str, subject: str, ground: str, path: Path, now: dt.datetime) -> int:
    """Write what is sealed under one number, to be opened on the other machine; returns the parts. The holder sees it
    as a look at the file. Raises NothingSealed, KeyFileExists."""
    found = list(queries.sealed_of(about))
    if not found:
        raise NothingSealed(about)
    parts = [
        {"kind": row.kind, "key": row.key, "sealed_at": row.sealed_at.isoformat(), "content": bytes(row.content)}
        for row in found
    ]
    journal.record(
        act="archive.read_sealed", actor="system:command", subject=subject, now=now, reason="sealed", ground=ground
    )
    sealing.write(path, sealing.sealed_file(about, parts), mode=0o600)
    return len(parts)
