"""What the office says of its days later: whatever it is, in any order, no time that was told becomes earlier."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari import policy
from rahdari.policy import Allowance, Calendar, Pause, Slot, due_at, remaining, used_share
from rahdari.policy.corrections import Correction, Kind, corrected
from tests.needs import fewer

from .test_clock import CALENDAR, DAY, KARACHI, MONDAY, TEN_HOURS, allowances

SHORT = ((Slot(time(10), time(16)),),) * 4 + ((Slot(time(10), time(13)),), (), ())
LONG = ((Slot(time(7), time(20)),),) * 6 + ((),)
# Beside each other, so that they overlap and the times that are told fall on them.
moments = st.timedeltas(timedelta(), timedelta(days=25)).map(lambda after: MONDAY + after)
pauses = st.builds(
    lambda start, length: Pause(start, start + length), moments, st.timedeltas(timedelta(minutes=1), timedelta(days=5))
)


@st.composite
def corrections(draw: st.DrawFn) -> Correction:
    kind, since = draw(st.sampled_from(Kind)), draw(moments)
    first = MONDAY.date() + timedelta(days=draw(st.integers(-5, 30)))
    last = first + timedelta(days=draw(st.integers(0, 6)))
    until = draw(st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=12)).map(lambda after: since + after))
    of_a_part = kind != Kind.HOURS and draw(st.booleans())
    begins, ends = draw(st.sampled_from([(8, 11), (10, 15), (12, 18)])) if of_a_part else (0, 0)
    return Correction(
        kind,
        first,
        last,
        since,
        until,
        time(begins) if of_a_part else None,
        time(ends) if of_a_part else None,
        draw(st.sampled_from([SHORT, LONG])) if kind == Kind.HOURS else (),
    )


def known_at(at: datetime, given: list[Correction]) -> Calendar:
    """The calendar of a process that reads it then."""
    return corrected(
        CALENDAR,
        [replace(one, until=one.until if one.until and one.until <= at else None) for one in given if one.since <= at],
    )


class TestAnyHistory:
    @given(moments, allowances, st.lists(corrections(), max_size=5), st.lists(pauses, max_size=3), st.data())
    @settings(max_examples=fewer(300, 80), deadline=None)
    def test_never_makes_a_time_earlier_that_was_told(
        self, start: datetime, allowance: Allowance, given: list[Correction], stops: list[Pause], data: st.DataObject
    ) -> None:
        asked = sorted(start + data.draw(st.timedeltas(timedelta(), timedelta(days=40))) for _ in range(3))
        told = [
            due_at(started_at=start, allowance=allowance, calendar=known_at(at, given), pauses=stops) for at in asked
        ]
        assert told == sorted(told)

    @given(moments, allowances, st.lists(corrections(), max_size=4), pauses)
    @settings(max_examples=fewer(150, 40), deadline=None)
    def test_is_never_shortened_by_a_pause(
        self, start: datetime, allowance: Allowance, given: list[Correction], another: Pause
    ) -> None:
        events = {"started_at": start, "allowance": allowance, "calendar": corrected(CALENDAR, given)}
        assert due_at(**events, pauses=[another]) >= due_at(**events)  # type: ignore[arg-type]

    @given(moments, allowances, st.lists(corrections(), max_size=4), st.sampled_from([0.5, 0.8, 1.0]))
    @settings(max_examples=fewer(150, 40), deadline=None)
    def test_is_late_when_the_time_is_over_and_not_before(
        self, start: datetime, allowance: Allowance, given: list[Correction], share: float
    ) -> None:
        events = {"started_at": start, "allowance": allowance, "calendar": corrected(CALENDAR, given)}
        at, due = policy.used_at(share=share, **events), due_at(**events)  # type: ignore[arg-type]
        assert used_share(now=at, **events) == pytest.approx(share, abs=1e-6)  # type: ignore[arg-type]
        assert used_share(now=due + timedelta(minutes=1), **events) >= 1  # type: ignore[arg-type]
        assert remaining(now=due, **events) == timedelta()  # type: ignore[arg-type]


class TestADay:
    def said(self, kind: Kind, day: date, since: datetime = MONDAY, **more: object) -> Correction:
        return Correction(kind, day, day, since, **more)  # type: ignore[arg-type]

    def test_that_is_closed_after_the_fact_is_not_counted(self) -> None:
        tuesday = self.said(Kind.CLOSED, date(2026, 11, 17), since=MONDAY + timedelta(days=2))
        due = policy.add(start=MONDAY, allowance=TEN_HOURS, calendar=corrected(CALENDAR, [tuesday]))
        assert due == datetime(2026, 11, 18, 11, 30, tzinfo=KARACHI)

    def test_is_closed_for_a_part_of_it(self) -> None:
        noon = self.said(Kind.CLOSED, date(2026, 11, 17), begins=time(10), ends=time(14))
        found = corrected(CALENDAR, [noon])
        assert found.slots_on(date(2026, 11, 17)) == (Slot(time(9), time(10)), Slot(time(14), time(17)))
        assert not found.is_open_at(datetime(2026, 11, 17, 11, tzinfo=KARACHI))

    def test_is_worked_after_all_with_its_usual_hours_or_others(self) -> None:
        first = self.said(Kind.CLOSED, date(2026, 11, 17))
        after_all = self.said(Kind.WORKED, date(2026, 11, 17), since=MONDAY + timedelta(hours=1))
        assert corrected(CALENDAR, [after_all, first]).slots_on(date(2026, 11, 17)) == DAY
        saturday = self.said(Kind.WORKED, date(2026, 11, 21), begins=time(9), ends=time(12))
        assert corrected(CALENDAR, [saturday]).slots_on(date(2026, 11, 21)) == (Slot(time(9), time(12)),)

    def test_that_is_a_holiday_stays_one_in_a_season_of_other_hours(self) -> None:
        with_holiday = replace(CALENDAR, holidays=(policy.Holiday(date(2026, 11, 17)),))
        season = Correction(Kind.HOURS, date(2026, 11, 16), date(2026, 11, 22), MONDAY, week=LONG)
        found = corrected(with_holiday, [season])
        assert [found.is_open(date(2026, 11, day)) for day in (16, 17, 21, 22)] == [True, False, True, False]

    def test_whose_order_was_withdrawn_is_told_as_before_to_whom_it_was_told(self) -> None:
        closed = self.said(Kind.CLOSED, date(2026, 11, 17), until=MONDAY + timedelta(hours=2))
        found = corrected(CALENDAR, [closed])
        assert policy.add(start=MONDAY, allowance=TEN_HOURS, calendar=found).day == 18
        # Who came after it hears nothing of it.
        assert policy.add(start=MONDAY + timedelta(hours=2), allowance=TEN_HOURS, calendar=found).day == 17

    def test_of_which_more_is_closed_needs_no_older_calendar(self) -> None:
        days = [self.said(Kind.CLOSED, date(2026, 11, day), since=MONDAY + timedelta(hours=day)) for day in (17, 18)]
        assert corrected(CALENDAR, days).earlier == ()

    def test_closed_in_the_hours_of_a_pause_does_not_count_after_all(self) -> None:
        pause = Pause(datetime(2026, 11, 17, 9, 30, tzinfo=KARACHI), datetime(2026, 11, 17, 10, tzinfo=KARACHI))
        events = {"started_at": MONDAY, "allowance": Allowance(1, "working_days"), "pauses": [pause]}
        assert due_at(calendar=CALENDAR, **events).day == 18  # type: ignore[arg-type]
        morning = self.said(
            Kind.CLOSED, date(2026, 11, 17), since=MONDAY + timedelta(days=1), begins=time(9), ends=time(11)
        )
        assert due_at(calendar=corrected(CALENDAR, [morning]), **events).day == 18  # type: ignore[arg-type]
