"""The acts that every kind has, on one of them: each is one move of the table, one journal row, and idempotent."""

import datetime as dt

import pytest

from rahdari.inquiry.kinds import Kind, NoLongerOpen
from rahdari.inquiry.rules import Move
from rahdari.journal.models import JournalEntry
from rahdari.vouch.models import ReferenceRequest
from rahdari.vouch.queries import REFERENCE
from tests.vouch.test_acts import DAY, NOW, ask

pytestmark = pytest.mark.django_db


def acts() -> list[str]:
    return list(JournalEntry.objects.order_by("id").values_list("act", flat=True))


class TestMoves:
    def test_are_executed_by_the_table(self) -> None:
        """A kind without the move, or a state from which it does not lead, and nothing is changed or recorded."""
        once = REFERENCE.answer(ask(), "yes", actor="client", now=NOW)
        before = acts()
        for move, state in ((Move.EXPIRE, "silent"), (Move.WITHDRAW, "withdrawn"), (Move.REOPEN, "waiting")):
            with pytest.raises(NoLongerOpen):
                REFERENCE.end(once, move, state, actor="clock", now=NOW)
        once.refresh_from_db()
        assert once.state == "yes" and acts() == before

    def test_of_a_kind_are_those_that_it_names(self) -> None:
        never = Kind("vouch", ReferenceRequest, answers=REFERENCE.answers, sealed=(), moves=frozenset({Move.ANSWER}))
        with pytest.raises(NoLongerOpen):
            never.withdraw(ask(), actor="person:1", now=NOW)

    def test_withdrawn_twice_is_recorded_once_and_what_was_answered_is_not_withdrawn(self) -> None:
        first = ask()
        for _ in range(2):
            assert REFERENCE.withdraw(first, actor="person:1", now=NOW).state == "withdrawn"
        assert acts().count("vouch.withdrew") == 1
        second = REFERENCE.answer(ask("check:2"), "no", actor="client", now=NOW)
        with pytest.raises(NoLongerOpen):
            REFERENCE.withdraw(second, actor="person:1", now=NOW)

    def test_reopened_it_waits_for_a_while_and_is_delivered_anew(self) -> None:
        kind = Kind("vouch", ReferenceRequest, answers=REFERENCE.answers, sealed=(), moves=frozenset(Move))
        asked = ask()
        kept = asked.erase_at - asked.due_at
        row = kind.answer(asked, "no", actor="client", now=asked.due_at - dt.timedelta(minutes=1))
        kind.delivering(lambda _row, _now: None)(now=asked.due_at)
        row = kind.locked(row)
        assert row.delivered_at is not None
        with pytest.raises(LookupError):  # the room does not declare the act
            kind.reopen(row, at_least=DAY, actor="client", now=asked.due_at)
        assert (row.state, row.due_at, row.erase_at) == ("waiting", asked.due_at + DAY, asked.due_at + DAY + kept)


class TestQueues:
    def test_deliver_once_and_what_fails_is_delivered_later(self) -> None:
        REFERENCE.answer(ask(), "yes", actor="client", now=NOW)
        taken: list[str] = []

        def fail(row: ReferenceRequest, now: dt.datetime) -> None:
            raise RuntimeError

        assert REFERENCE.delivering(fail)(now=NOW) == 0
        deliver = REFERENCE.delivering(lambda row, now: taken.append(row.state))
        assert [deliver(now=NOW + DAY), deliver(now=NOW + DAY)] == [1, 0]
        assert taken == ["yes"]

    def test_keep_what_is_needed_longer_and_look_again_then(self) -> None:
        row = REFERENCE.answer(ask(), "yes", actor="client", now=NOW)
        until = row.erase_at + 3 * DAY
        erase = REFERENCE.erasing(needed_until=lambda row, now: until)
        assert erase(now=row.erase_at) == 0
        assert REFERENCE.erasing()(now=row.erase_at) == 0, "its clock is set to the day when it is needed no longer"
        row.refresh_from_db()
        assert row.address and row.erase_at == until
        assert erase(now=until) == 1
        row.refresh_from_db()
        assert (row.address, row.name) == ("", "")
