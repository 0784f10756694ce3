"""What SMS adds to the processes and to the doctor: who carries it, and what became of it."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from rahdari.ops.checks import WRONG, Finding
from rahdari.ops.doctor_letters import carriers_that_fail


def check_rows() -> Iterator[Finding]:
    """What the providers did last, and whether their file can be used."""
    from rahdari.sms import actions, queries
    from rahdari.sms.providers import configuration

    try:
        named = {each.name: f"the provider {each.name}" for each in queries.providers(told=actions.on_report)}
    except configuration.ConfigurationError as error:
        yield Finding(WRONG, "SMS", error.problem)
        return
    yield from carriers_that_fail("SMS", named, "See docs/letters.md; `rahdari sms try NUMBER` tries them.")


def sow_number(user: Any, number: str, at: dt.datetime) -> None:
    """A sample person's mobile number, as if they had confirmed it then: nobody waits for a code that was sent long
    ago."""
    from rahdari.sms import codes
    from rahdari.sms.models import ContactNumber

    facts = {"number": number, "index": codes.index_of(number), "confirmed_at": at}
    ContactNumber.objects.get_or_create(person=user.pk, defaults=facts)


def stop() -> None:
    from rahdari.sms import actions

    actions.stop_listening()


def loop() -> tuple[str, Any, Callable[[dt.datetime], None], float]:
    """Beside the workflow: it waits for servers of strangers."""
    from rahdari.db.gate import Batch, Jobs
    from rahdari.db.wake import Channel
    from rahdari.sms import actions, queries

    send = Jobs("sms", Batch(lambda now: queries.to_send(now=now), actions.send_due))

    def send_and_listen(now: dt.datetime) -> None:
        send(now)
        actions.listen(now=now)

    return "sms", Channel.SMS, send_and_listen, 0.0
