"""Advisory locks of PostgreSQL: which there are, and how one is held.

Each has a name of its own here, so no two of them meet; within one, those meet that act on the same `key`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum, unique
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.transaction import TransactionManagementError

KEY = "hashtextextended(%s, 0)"


@unique
class Lock(StrEnum):
    """What is done by one at a time; in brackets what the key is."""

    FILES_OF_ADDRESSES = "apply: files of addresses"  # the applicant
    PERSONS_TOKENS = "api: tokens and webhooks"  # their owner
    ATTEMPT = "api: an attempt under an Idempotency-Key"  # its owner and the key
    ATTESTATIONS = "attest: an association's attestations"  # the association
    DISPUTE = "attest: disputes of an attestation"  # its number
    OPERATORS_TOKENS = "confirm: tokens"  # the operator
    OPERATORS_WORD = "mobile: an operator's word for a line"  # its keyed hash
    PUBLISHER = "publish: the publisher at work"
    WORKER = "worker: a loop at work"  # its name
    STREAMS = "publish: what streams list"
    REGISTER = "register: a name"  # an origin, a block, a shared address
    SHARE = "share: requests for a block"  # the holder and the block
    CONTACT = "control: codes to a registry's contact"  # its keyed hash
    ROSTERS = "checks: import of rosters"
    URGENT = "urgent: a holder's"  # the holder
    DESK_ENTRIES = "apply: entries at the desk"  # the officer
    NUMBER = "decide: a company's number"  # its keyed hash; held by a function of the database
    CLIENT = "vouch: questions"  # who asks, or whom
    INVITER = "invite: campaigns of a body"  # the body
    INCIDENTS = "incident: reports"
    LETTERS_OF_WORK = "maintenance: letters of a day"  # the holder
    PROVIDERS = "licensees: import of a list"

    def text(self, key: str = "") -> str:
        """What the database hashes to the lock's number."""
        return f"{self.value} {key}"


def hold(lock: Lock, key: str = "") -> None:
    """Wait until no other transaction holds it; it is held until the end of this one.

    Raises TransactionManagementError outside a transaction, where it would be let go at once.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"The lock {lock.name} is held by a transaction, and there is none.")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({KEY})", [lock.text(key)])


@contextmanager
def held(lock: Lock, key: str = "", *, wait: bool) -> Iterator[bool]:
    """Hold it for a block of work with transactions of its own; a connection that breaks lets it go.

    Gives whether it is held: always where one waits, otherwise when nobody else holds it.
    """
    call = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {call}({KEY})", [lock.text(key)])
        ours = wait or bool(cursor.fetchone()[0])
    try:
        yield ours
    finally:
        if ours and not connection.needs_rollback:
            # A connection that has gone took the lock with it.
            with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({KEY})", [lock.text(key)])


# A machine that is gone without a word is given up by the server after so long: 10 s, and three tries 5 s apart.
GIVEN_UP_SOON = """
SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '15000', false)
"""


class Lease:
    """A lock that a process keeps for as long as its connection to the database lasts, so that of several that could do
    a work one does it. Whatever that one writes into the database it writes on this very connection; before it writes
    elsewhere what another one could undo, it asks `check`.
    """

    def __init__(self, lock: Lock, key: str = "") -> None:
        self._name = lock.text(key)
        self._on: Any = None

    def take(self) -> bool:
        """Whether it is ours, now or since before."""
        connection.ensure_connection()
        if self._on is not connection.connection:
            self._on = None
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_try_advisory_lock({KEY})", [self._name])
                if not cursor.fetchone()[0]:
                    return False
                cursor.execute(GIVEN_UP_SOON)
            self._on = connection.connection
        return True

    def check(self) -> None:
        """Raises psycopg's OperationalError where the connection is gone, and the lease with it. For any thread."""
        self._on.execute("SELECT 1")
