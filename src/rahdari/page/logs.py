"""What a line of the log leaves out.

Two secrets stand in addresses of ours, and Django logs the address of every answer that is an error: the link that
proves control of an address, and the one on a certificate. PostgreSQL repeats in its errors the row that it refused,
which may hold somebody's email address or name.
"""

import logging
import re

_IN_ADDRESSES = re.compile(r"(/prove/(?:A-[^/\s]+/)?|/c/[^/\s]+/)[^/\s?'\"]+")
_ROWS = re.compile(r"^DETAIL:.*?(?=\n\n|\n(?:HINT|CONTEXT|LINE)|\Z)", re.DOTALL | re.MULTILINE)


class Formatter(logging.Formatter):
    """A log line, with its traceback, without what it must not tell."""

    def format(self, record: logging.LogRecord) -> str:
        line = _IN_ADDRESSES.sub(r"\1...", super().format(record))
        return _ROWS.sub("DETAIL: not logged, it may name somebody", line)
