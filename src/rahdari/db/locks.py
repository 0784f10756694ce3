"""Advisory locks of PostgreSQL: which there are, and how one is held.

Each has a name of its own here, so no two of them meet; within one, those meet that act on the same `key`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum, unique

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
    STREAMS = "publish: what streams list"
    REGISTER = "register: a name"  # an origin, a block, a shared address
    SHARE = "share: requests for a block"  # the holder and the block
    CONTACT = "control: codes to a registry's contact"  # its keyed hash
    ROSTERS = "checks: import of rosters"
    URGENT = "urgent: a holder's"  # the holder
    DESK_ENTRIES = "apply: entries at the desk"  # the officer
    CLIENT = "vouch: questions"  # who asks, or whom
    INVITER = "invite: campaigns of a body"  # the body
    INCIDENTS = "incident: reports"
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
