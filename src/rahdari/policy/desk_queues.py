"""Queues of the desk: a name, and conditions over what is kept of each open case anyway (`decide.queue_columns`).

A queue says what work waits, never whose: a condition that sorts by a person is refused, as is one that names nothing
or that no case can meet.
"""

from collections.abc import Collection
from dataclasses import dataclass

from .clock import Allowance
from .reading import Faults, Section
from .shapes import Policy, Text

# Whose turn it is; by itself a queue has what waits for an officer or for a second one.
TURNS = ("us", "officer", "second", "applicant")
# What became of a case before, and is kept on it.
HAS = ("answered", "provisional", "appealed", "returned")
MOST = 8
# What tells who somebody is, where they are, or with whom they belong together.
_OF_A_PERSON = frozenset(
    """name names holder applicant person email mobile contact card_number cnic ntn company company_number organisation
    association association_number address block network asn operator q search words""".split()
)


@dataclass(frozen=True, slots=True)
class DeskQueue:
    """All of the conditions that are given hold; of a list, one of its entries."""

    key: str
    title: Text
    turn: str = "us"
    services: tuple[str, ...] = ()
    # Kinds of check of which one that a grant needs has failed, or one waits.
    failed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    # Whether each check has passed.
    passed: bool = False
    has: tuple[str, ...] = ()
    addresses_from: int = 0
    addresses_to: int = 0
    # No more time is left than this; those that are late among them.
    due_within: Allowance | None = None
    # Nobody has taken it.
    free: bool = False


def queues_from(root: Section) -> tuple[DeskQueue, ...]:
    return tuple(_queue(row) for row in root.rows("queues"))


def _queue(row: Section) -> DeskQueue:
    for key in sorted(_OF_A_PERSON & row.data.keys()):
        row.fault(
            "A queue goes by what is to be done, never by who somebody is, where they are, or with whom they belong "
            "together: it would follow a person. Take it out.",
            key,
        )
        row.string(key, "")
    queue = DeskQueue(
        key=row.string("key", filled=True),
        title=row.both("title"),
        turn=row.choice("turn", TURNS, "us"),
        services=row.words("services", ()),
        failed=row.words("failed", ()),
        waiting=row.words("waiting", ()),
        passed=row.yes("passed", False),
        has=row.words("has", ()),
        addresses_from=row.whole("addresses_from", 0),
        addresses_to=row.whole("addresses_to", 0),
        due_within=row.allowance("due_within") if row.has("due_within") else None,
        free=row.yes("free", False),
    )
    if row.data.keys() <= {"key", "title", *_OF_A_PERSON}:
        row.fault("This queue has no condition: the queue has all that is open anyway.")
    row.done()
    return queue


def judge_queues(faults: Faults, policy: Policy) -> None:
    """Fault each condition that names nothing in this policy, or that no case can meet under it."""
    if len(policy.queues) > MOST:
        faults.add(("queues",), f"{MOST} queues at most: each is a button on one page.")
    seen: set[str] = set()
    for at, queue in enumerate(policy.queues):
        for key, said in (*_names_nothing(queue, policy), *_is_never_true(queue, policy)):
            faults.add(("queues", str(at), key), said)
        if queue.key in seen:
            faults.add(("queues", str(at), "key"), f"There are two queues {queue.key!r}.")
        seen.add(queue.key)


def _made(queue: DeskQueue, policy: Policy, *, required: bool) -> Collection[str]:
    """The kinds of check that are made of what is in the queue's services."""
    services = [policy.services[key] for key in queue.services if key in policy.services]
    return {
        check.kind
        for service in services or policy.services.values()
        for check in service.checks
        if check.required or not required
    }


def _names_nothing(queue: DeskQueue, policy: Policy) -> list[tuple[str, str]]:
    found = [("services", f"There is no service {key!r}.") for key in queue.services if key not in policy.services]
    found += [("has", f"{key!r} is not one of: {', '.join(HAS)}.") for key in queue.has if key not in HAS]
    for name, kinds, required in (("failed", queue.failed, True), ("waiting", queue.waiting, False)):
        made = _made(queue, policy, required=required)
        found += [
            (name, f"No service of this queue has a check {kind!r}{' that a grant needs' if required else ''}.")
            for kind in kinds
            if kind not in made
        ]
    return found


def _is_never_true(queue: DeskQueue, policy: Policy) -> list[tuple[str, str]]:
    never, most = "No case can meet this: ", policy.limits.endpoints_per_application
    found = []
    if queue.passed and (queue.failed or queue.waiting):
        found.append(("passed", f"{never}where all checks have passed, none failed and none waits."))
    if queue.addresses_from > most:
        found.append(("addresses_from", f"{never}an application has {most} addresses at most."))
    if queue.addresses_to and queue.addresses_to < max(1, queue.addresses_from):
        found.append(("addresses_to", f"{never}it ends before addresses_from."))
    if queue.turn == "applicant" and queue.due_within is not None:
        found.append(("due_within", f"{never}while the applicant has the word our clock stands still."))
    if queue.turn in {"applicant", "second"} and queue.free:
        found.append(("free", f"{never}what was asked or proposed has an officer."))
    if "provisional" in queue.has and policy.provisional is None:
        found.append(("has", f"{never}these rules have no provisional registration."))
    return found
