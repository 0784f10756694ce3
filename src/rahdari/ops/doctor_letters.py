"""The part of the doctor that looks at letters and SMS: what waits, what was given up, and who fails."""

import datetime as dt
from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding

# So far back letters that were given up are counted.
RECENT = dt.timedelta(days=7)
# A letter that was to go out so long ago waits for a worker that does not run, or for a server that is away.
LONGEST_WAIT = dt.timedelta(minutes=30)


def check_letters() -> Iterator[Finding]:
    """A mistyped address is given up too, so some are nothing to mend; many are."""
    from django.utils import timezone

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
    yield from check_carriers(now)


def check_carriers(now: dt.datetime) -> Iterator[Finding]:
    """The mail server and the providers of SMS: what they did last, and whether their file can be used."""
    from rahdari.letters import messages
    from rahdari.letters import queries as letters
    from rahdari.letters.providers import configuration

    names = {"mail"}
    try:
        names |= {provider.name for provider in letters.providers(told=messages.on_report)}
    except configuration.ConfigurationError as error:
        yield Finding(WRONG, "SMS", error.problem)
    for carrier in letters.carriers():
        if carrier.name not in names or not carrier.failures or carrier.last_failed_at is None:
            continue
        who = "the mail server" if carrier.name == "mail" else f"the provider {carrier.name}"
        about = "mail" if carrier.name == "mail" else "SMS"
        state = WRONG if carrier.rests_until is not None else NOTE
        when = f"{carrier.last_failed_at:%Y-%m-%d %H:%M} UTC"
        how = (
            "See docs/letters.md; `rahdari letters try NUMBER` tries them." if about == "SMS" else "See RAHDARI_SMTP_*."
        )
        yield Finding(
            state, about, f"{who} failed {carrier.failures} times in a row, last at {when}: {carrier.last_error}. {how}"
        )
