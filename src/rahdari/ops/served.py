"""What granian's worker processes load: `served:web`, `served:push` and `served:lookup`.

A worker ends with the granian process that started it, even when that one is killed: otherwise it would keep the port.
"""

import multiprocessing
import os
from importlib import import_module
from typing import Any

from rahdari.ops.drop_root import end_with_parent

HOLDING = {"web": "rahdari.wsgi", "push": "rahdari.push.app", "lookup": "rahdari.lookup.running"}


def __getattr__(name: str) -> Any:
    if name not in HOLDING:
        raise AttributeError(name)
    starter = multiprocessing.parent_process()
    if starter is not None and starter.pid is not None:
        end_with_parent(starter.pid)
    application = import_module(HOLDING[name]).application
    return with_places(application) if name == "web" else application


def with_places(application: Any) -> Any:
    from django.conf import settings

    from rahdari.ops.thread_pools import Places
    from rahdari.web import visitor

    def household(environ: dict[str, Any]) -> str:
        found = visitor.from_chain(
            environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES
        )
        return visitor.household_of(found)

    return Places(
        application,
        threads=int(os.environ.get("RAHDARI_WEB_THREADS", "4")),
        largest=settings.LARGEST_REQUEST,
        cookie=settings.SESSION_COOKIE_NAME,
        household=household,
    )
