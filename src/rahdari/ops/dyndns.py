"""The part of the doctor that looks at addresses that change by themselves: how many are reported, how many not."""

from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding

# One router that is switched off is its holder's; when most fall silent it is more likely ours.
MANY = 5


def check_rows() -> Iterator[Finding]:
    from django.utils import timezone

    from rahdari.dyndns import queries as dyndns_queries

    found = dyndns_queries.counts(now=timezone.now())
    if not found.all:
        return
    said = f"{found.reporting} of {found.all} are reported"
    if not found.silent and not found.off:
        yield Finding(OK, "changing addresses", said)
        return
    quiet = found.silent + found.off
    said += f", {found.silent} fell silent, {found.off} are off the list until they report again"
    if found.all >= MANY and quiet > found.reporting:
        since = f"{found.last_report:%Y-%m-%d %H:%M} UTC" if found.last_report is not None else "never"
        yield Finding(
            WRONG,
            "changing addresses",
            f"{said}. The last report came: {since}. When most fall silent at once, look whether /nic/update is "
            "reached from outside: docs/dynamic.md.",
        )
    else:
        yield Finding(NOTE, "changing addresses", f"{said}. Each holder was told.")
