"""The part of the doctor that looks at the queues of the workflow: what fails, how often, and since when."""

from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding

# Named one by one; of the rest it is said how many they are.
NAMED = 10
# An item that failed a few times may have met another one's act; one that failed so often is stuck.
OFTEN = 5


def check_queues() -> Iterator[Finding]:
    from rahdari.db import queues

    found = list(queues.failing()[: NAMED + 1])
    for each in found[:NAMED]:
        times = "once" if each.attempts == 1 else f"{each.attempts} times"
        yield Finding(
            WRONG if each.attempts >= OFTEN else NOTE,
            "queues",
            f"{each.queue} could not move on {each.item}: {each.error}, {times} since {each.since:%Y-%m-%d %H:%M} UTC. "
            "It is tried again by itself; the worker's log says where it failed.",
        )
    if len(found) > NAMED:
        yield Finding(NOTE, "queues", f"{queues.failing().count() - NAMED} more items fail")
    if not found:
        yield Finding(OK, "queues", "nothing fails")
