"""The rules that ship, without what one optional room does."""

import datetime as dt
import json
import tomllib
from typing import Any

from rahdari.policy import BUNDLED

FREE = {"rule": "free", "text": {"en": "No fee", "ur": "کوئی فیس نہیں"}}


def without(room: str) -> str:
    rules = tomllib.loads(BUNDLED.read_text())
    {
        "remote": lambda: rules.pop("remote_staff"),
    }[room]()
    return "\n".join(f"{json.dumps(key)} = {_as_toml(value)}" for key, value in rules.items())


def _as_toml(value: Any) -> str:
    """All in one line: what JSON writes of texts, numbers and truth values is TOML too."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_as_toml(item)}' for key, item in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_as_toml, value))}]"
    return value.isoformat() if isinstance(value, dt.date) else json.dumps(value, ensure_ascii=False)
