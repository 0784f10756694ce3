"""What granian's worker processes load: `served:web`, `served:push` and `served:lookup`.

A worker ends with the granian process that started it, even when that one is killed: otherwise it would keep the port.
"""

from importlib import import_module
from typing import Any

from rahdari.up.ordinary import end_with_parent

HOLDING = {"web": "rahdari.wsgi", "push": "rahdari.push.app", "lookup": "rahdari.lookup.running"}


def __getattr__(name: str) -> Any:
    if name not in HOLDING:
        raise AttributeError(name)
    end_with_parent()
    return import_module(HOLDING[name]).application
