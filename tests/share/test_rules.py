"""What becomes of a request."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from rahdari.share import rules
from rahdari.share.rules import Reply

AT = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
MONTH = dt.timedelta(days=30)


@given(st.lists(st.sampled_from(list(Reply)), min_size=1, max_size=6), st.randoms())
def test_one_no_is_a_no_yes_takes_all_and_the_order_does_not_matter(replies: list[Reply], random: object) -> None:
    said = rules.outcome(replies)
    assert (said == rules.DECLINED) == (Reply.NO in replies)
    assert (said == rules.AGREED) == (set(replies) == {Reply.YES})
    assert rules.outcome(reversed(replies)) == said


def test_nobody_asked_is_no_yes() -> None:
    assert rules.outcome([]) == "waiting"


def test_after_a_no_or_silence_it_is_asked_again_later_and_else_at_once() -> None:
    for state in rules.STATES:
        again_at = rules.asks_again_at(state=state, ended_at=AT, again_after=MONTH)
        assert again_at == (AT + MONTH if state in {rules.DECLINED, "silent"} else None)
    assert rules.asks_again_at(state="silent", ended_at=None, again_after=MONTH) is None
