import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent.rules import kept_after

BASE = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
moments = st.integers(-200 * 3600, 200 * 3600).map(lambda seconds: BASE + dt.timedelta(seconds=seconds))
graces = st.integers(0, 100).map(lambda hours: dt.timedelta(hours=hours))


class TestKeptAfter:
    def test_is_now_while_fresh_and_never_before_the_feed_ran_out(self) -> None:
        hour = dt.timedelta(hours=1)
        assert kept_after(now=BASE, fresh_until=BASE + hour, grace=72 * hour) == BASE
        assert kept_after(now=BASE, fresh_until=BASE - hour, grace=72 * hour) == BASE - hour
        assert kept_after(now=BASE, fresh_until=BASE - 100 * hour, grace=72 * hour) == BASE - 72 * hour
        # On the edge itself the feed is stale, and nothing changes there.
        assert kept_after(now=BASE, fresh_until=BASE, grace=72 * hour) == BASE

    @given(now=moments, later=moments, fresh_until=moments, grace=graces)
    def test_only_goes_forward(
        self, now: dt.datetime, later: dt.datetime, fresh_until: dt.datetime, grace: dt.timedelta
    ) -> None:
        """So an entry that was let go does not come back by itself."""
        first, second = sorted((now, later))
        assert kept_after(now=first, fresh_until=fresh_until, grace=grace) <= kept_after(
            now=second, fresh_until=fresh_until, grace=grace
        )

    @given(now=moments, fresh_until=moments, grace=graces, end=moments)
    def test_keeps_every_entry_that_has_not_ended(
        self, now: dt.datetime, fresh_until: dt.datetime, grace: dt.timedelta, end: dt.datetime
    ) -> None:
        if end > now:
            assert end > kept_after(now=now, fresh_until=fresh_until, grace=grace)
