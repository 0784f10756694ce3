"""A lock is held until a transaction or a block of work ends, by one connection, and by no other lock's name."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from rahdari.db.locks import KEY, Lock, held, hold
from rahdari.db.wake import Channel, wake
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("dbname", "user", "password", "host", "port")


@pytest.fixture
def other() -> Iterator["psycopg.Connection[Any]"]:
    parameters = connection.get_connection_params()
    with psycopg.connect(**{name: parameters[name] for name in NAMES if name in parameters}, autocommit=True) as made:
        yield made


def is_free(other: "psycopg.Connection[Any]", lock: Lock, key: str) -> bool:
    """Whether another connection gets it; it gives it back at once."""
    found = other.execute(f"SELECT pg_try_advisory_xact_lock({KEY})", [lock.text(key)]).fetchone()
    assert found is not None
    return bool(found[0])


def test_a_transaction_holds_its_own_and_no_other(other: "psycopg.Connection[Any]") -> None:
    with transaction.atomic():
        hold(Lock.SHARE, "a")
        assert not is_free(other, Lock.SHARE, "a")
        assert is_free(other, Lock.SHARE, "b")
        assert all(is_free(other, lock, "a") for lock in Lock if lock is not Lock.SHARE)
    assert is_free(other, Lock.SHARE, "a")


def test_outside_a_transaction_nothing_is_held() -> None:
    with pytest.raises(TransactionManagementError):
        hold(Lock.SHARE, "a")


@pytest.mark.parametrize("wait", [True, False])
def test_a_block_of_work_holds_it_over_its_transactions(other: "psycopg.Connection[Any]", wait: bool) -> None:
    with held(Lock.ROSTERS, wait=wait) as ours:
        assert ours
        with transaction.atomic():
            pass
        assert not is_free(other, Lock.ROSTERS, "")
    assert is_free(other, Lock.ROSTERS, "")


def test_whoever_does_not_wait_hears_that_another_holds_it(other: "psycopg.Connection[Any]") -> None:
    other.execute(f"SELECT pg_advisory_lock({KEY})", [Lock.ATTEMPT.text("a")])
    with held(Lock.ATTEMPT, "a", wait=False) as ours:
        assert not ours
    assert not is_free(connection.connection, Lock.ATTEMPT, "a"), "it is the other one's still"


def test_a_wake_up_comes_with_the_commit_and_not_without(other: "psycopg.Connection[Any]") -> None:
    for channel in Channel:
        other.execute(f"LISTEN {channel}")

    class UndoneError(Exception):
        pass

    with pytest.raises(UndoneError), transaction.atomic():
        wake(Channel.LOOKS)
        raise UndoneError
    with transaction.atomic():
        wake()
    assert [each.channel for each in other.notifies(timeout=PATIENCE, stop_after=1)] == [Channel.WORKFLOW]
