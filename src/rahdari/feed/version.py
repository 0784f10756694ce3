"""The version of the format, `major.minor`.

A minor version adds optional fields only: a reader of any 1.x reads every other 1.x and ignores the fields that it does
not know (those of an entry it keeps, see `entry`). What a reader must understand in order to act rightly comes with a
new major version, and a reader refuses every major version but its own.
"""

import re

from .faults import Malformed, UnsupportedFormat

FORMAT = "1.0"
MAJOR = 1
_FORM = re.compile(r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})", re.ASCII)


def check_format(found: object) -> None:
    """Raises Malformed, UnsupportedFormat."""
    if not isinstance(found, str):
        raise Malformed("`format` is missing")
    form = _FORM.fullmatch(found)
    if form is None:
        raise Malformed("`format` is not major.minor")
    if int(form[1]) != MAJOR:
        raise UnsupportedFormat(found)
