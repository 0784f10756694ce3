"""Whether a page is only read now: then what was known of its reader stays true until it is answered."""

from contextvars import ContextVar

ONLY: ContextVar[bool] = ContextVar("only_read", default=False)
