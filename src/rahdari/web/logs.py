"""What a line of the log leaves out.

Secrets stand in addresses of ours, and Django logs the address of every answer that is an error: `SECRETS` says where.
A test holds it, and the map of the same in deploy/nginx/rahdari.conf, against every address of the web process.
PostgreSQL repeats in its errors the row that it refused, which may hold somebody's email address or name.
"""

import logging
import re

# What stands before a secret: the link that proves an address (for one, and for all of an application), the one on a
# certificate, and those in letters. `*` is one part of the path.
SECRETS = (
    "/prove/",
    "/prove/A-*/",
    "/c/*/",
    "/complaints/*/confirm/",
    "/complaints/*/files/",
    "/complaints/*/",
    "/consultations/*/hidden/*/",
    "/consultations/*/say/*/",
    "/consultations/bodies/*/",
    "/invited/*/*/",
    "/line/",
    "/number/*/",
    "/planned-work/feed/*/",
    "/still-right/*/",
    "/vouch/",
    "/account/invitations/*/",
    "/letters/no-reminders/*/",
)


def _pattern(given: str) -> str:
    return re.escape(given).replace(r"\*", r"[^/\s]+")


# The longest first: of two that fit, the one that leaves more to see.
_IN_ADDRESSES = re.compile(f"({'|'.join(map(_pattern, sorted(SECRETS, key=len, reverse=True)))})[^/\\s?'\"]+")
_ROWS = re.compile(r"^DETAIL:.*?(?=\n\n|\n(?:HINT|CONTEXT|LINE)|\Z)", re.DOTALL | re.MULTILINE)


class Formatter(logging.Formatter):
    """A log line, with its traceback, without what it must not tell."""

    def format(self, record: logging.LogRecord) -> str:
        line = _IN_ADDRESSES.sub(r"\1...", super().format(record))
        return _ROWS.sub("DETAIL: not logged, it may name somebody", line)
