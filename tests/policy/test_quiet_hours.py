"""Quiet hours: pure, half open, over midnight or not; and what a policy file may say of them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.delivery.rules import goes_out_at

ZONE = ZoneInfo("Asia/Karachi")
NIGHT = policy.QuietHours(dt.time(21), dt.time(8), ("sms",), ZONE)
NOON = policy.QuietHours(dt.time(12), dt.time(14), ("sms", "email"), ZONE)
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001


def at(hour: int, minute: int = 0, day: int = 10) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


class TestGoesOutAt:
    @pytest.mark.parametrize(
        ("now", "goes"),
        [
            (at(20, 59), at(20, 59)),
            (at(21), at(8, day=11)),
            (at(23, 59), at(8, day=11)),
            (at(0), at(8)),
            (at(7, 59), at(8)),
            (at(8), at(8)),
        ],
    )
    def test_waits_for_the_morning(self, now: dt.datetime, goes: dt.datetime) -> None:
        assert goes_out_at(now, quiet=NIGHT, channel="sms", urgent=False) == goes

    @given(MOMENTS, st.sampled_from([NIGHT, NOON]))
    def test_is_never_earlier_never_in_them_and_never_a_day_later(
        self, now: dt.datetime, quiet: policy.QuietHours
    ) -> None:
        goes = goes_out_at(now, quiet=quiet, channel="sms", urgent=False)
        assert now <= goes <= now + dt.timedelta(days=1)
        assert goes_out_at(goes, quiet=quiet, channel="sms", urgent=False) == goes

    @given(MOMENTS)
    def test_is_now_for_what_is_urgent_for_other_channels_and_without_quiet_hours(self, now: dt.datetime) -> None:
        assert goes_out_at(now, quiet=NIGHT, channel="sms", urgent=True) == now
        assert goes_out_at(now, quiet=NIGHT, channel="email", urgent=False) == now
        assert goes_out_at(now, quiet=None, channel="sms", urgent=False) == now


class TestThePolicy:
    def written(self, old: str, new: str) -> list[str]:
        text = policy.BUNDLED.read_text()
        assert old in text
        try:
            policy.read(text.replace(old, new, 1))
        except policy.PolicyError as error:
            return [problem.message for problem in error.problems]
        return []

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('from = "21:00"', 'from = "9 pm"', "is not a time written like 09:30"),
            ('until = "08:00"', 'until = "21:00"', "would be the whole day"),
            ('channels = ["sms"]', 'channels = ["pigeon"]', "is no channel"),
            ("question = [2]", "question = [2, 5]", "falling numbers of days"),
            ("question = [2]", "question = [0]", "falling numbers of days"),
        ],
    )
    def test_says_what_is_wrong(self, old: str, new: str, says: str) -> None:
        assert any(says in message for message in self.written(old, new))

    def test_may_have_neither(self) -> None:
        text = policy.BUNDLED.read_text()
        start = text.index("# A telephone stays silent")
        end = text.index("attestation = [30]") + len("attestation = [30]")
        found = policy.read(text[:start] + text[end:])
        assert found.quiet_hours is None
        assert dict(found.reminders) == {"registration": (60, 30, 7)}
