"""What granian's worker processes load: `served:web` and `served:push`.

A worker ends with the granian process that started it, even when that one is killed: otherwise it would keep the port.
"""

from typing import Any

from rahdari.up.ordinary import end_with_parent


def __getattr__(name: str) -> Any:
    if name == "web":
        from rahdari import wsgi as module
    elif name == "push":
        from rahdari.push import app as module
    else:
        raise AttributeError(name)
    end_with_parent()
    return module.application
