"""The part of the doctor that looks at letters: what waits, what was given up, and who fails."""

import datetime as dt
from collections.abc import Iterator, Mapping

from rahdari.ops.checks import NOTE, OK, WRONG, Finding

# So far back letters that were given up are counted.
RECENT = dt.timedelta(days=7)
# A letter that was to go out so long ago waits for a worker that does not run, or for a server that is away.
LONGEST_WAIT = dt.timedelta(minutes=30)


def check_letters() -> Iterator[Finding]:
    """A mistyped address is given up too, so some are nothing to mend; many are."""
    from django.utils import timezone

    from rahdari.delivery import provider_health
    from rahdari.letters import queries as letters

    now = timezone.now()
    given_up = letters.failed_since(since=now - RECENT)
    if given_up:
        why = "The worker's log says what the mail server answered."
        yield Finding(NOTE, "letters", f"{given_up} were given up in the last {RECENT.days} days. {why}")
    else:
        yield Finding(OK, "letters", f"none was given up in the last {RECENT.days} days")
    for channel, since in letters.oldest_waiting(now=now).items():
        if since is not None and now - since > LONGEST_WAIT:
            minutes = int((now - since).total_seconds() // 60)
            yield Finding(
                WRONG,
                "letters",
                f"one by {channel} has waited for {minutes} minutes. Start the worker; look at its log.",
            )
    yield from carriers_that_fail("mail", {provider_health.MAIL: "the mail server"}, "See RAHDARI_SMTP_*.")


def carriers_that_fail(about: str, named: Mapping[str, str], how: str) -> Iterator[Finding]:
    """What these who carry letters did last."""
    from rahdari.delivery import provider_health

    for carrier in provider_health.all_of_them():
        if carrier.name not in named or not carrier.failures or carrier.last_failed_at is None:
            continue
        when = f"{carrier.last_failed_at:%Y-%m-%d %H:%M} UTC"
        said = f"{named[carrier.name]} failed {carrier.failures} times in a row, last at {when}: {carrier.last_error}."
        yield Finding(WRONG if carrier.rests_until is not None else NOTE, about, f"{said} {how}")
