"""The clock as a pure function: properties for any events and any calendar, and the edges by example."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari import policy
from rahdari.policy import Allowance, Calendar, Holiday, Pause, Season, Slot, due_at, remaining, used_share
from tests.needs import fewer

KARACHI = ZoneInfo("Asia/Karachi")
DAY = (Slot(time(9), time(13)), Slot(time(13, 30), time(17)))
FRIDAY = (Slot(time(9), time(12, 30)), Slot(time(14, 30), time(17)))
CALENDAR = Calendar("Asia/Karachi", (DAY, DAY, DAY, DAY, FRIDAY, (), ()))
TEN_HOURS = Allowance(10, "working_hours")
MONDAY = datetime(2026, 11, 16, 9, tzinfo=KARACHI)

moments = st.timedeltas(timedelta(), timedelta(days=730)).map(lambda after: datetime(2026, 1, 1, tzinfo=UTC) + after)
days = st.dates(date(2026, 1, 1), date(2028, 12, 31))
allowances = st.one_of(
    st.builds(Allowance, st.integers(1, 120), st.sampled_from(["minutes", "hours", "working_hours"])),
    st.builds(
        Allowance,
        st.integers(1, 40),
        st.sampled_from(["working_days", "calendar_days"]),
        st.booleans(),
        st.sampled_from(["next_open", "stays"]),
    ),
    st.builds(Allowance, st.integers(1, 6), st.just("months")),
)
pauses = st.builds(
    lambda start, length: Pause(start, start + length),
    moments,
    st.timedeltas(timedelta(minutes=1), timedelta(days=20)),
)
calendars = st.builds(
    lambda zone, holidays: replace(CALENDAR, zone=zone, holidays=tuple(Holiday(day) for day in holidays)),
    st.sampled_from(["Asia/Karachi", "UTC", "Europe/Berlin", "America/New_York"]),
    st.sets(days, max_size=12),
)


class TestAnyClock:
    @given(moments, allowances, calendars, st.lists(pauses, max_size=4), pauses)
    @settings(max_examples=fewer(150, 40), deadline=None)
    def test_is_never_shortened_by_a_pause(
        self, start: datetime, allowance: Allowance, calendar: Calendar, before: list[Pause], another: Pause
    ) -> None:
        due = due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=before)
        later = due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=[*before, another])
        assert later >= due

    @given(moments, allowances, calendars, st.lists(pauses, max_size=3), days)
    @settings(max_examples=fewer(150, 40), deadline=None)
    def test_is_never_made_earlier_by_a_holiday_however_late_it_is_declared(
        self, start: datetime, allowance: Allowance, calendar: Calendar, stops: list[Pause], day: date
    ) -> None:
        due = due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=stops)
        longer = replace(calendar, holidays=(*calendar.holidays, Holiday(day)))
        assert due_at(started_at=start, allowance=allowance, calendar=longer, pauses=stops) >= due

    @given(moments, allowances, calendars, st.lists(pauses, max_size=4), st.randoms())
    @settings(max_examples=fewer(100, 30), deadline=None)
    def test_does_not_care_in_which_order_or_how_often_a_pause_is_told(
        self, start: datetime, allowance: Allowance, calendar: Calendar, stops: list[Pause], chance: object
    ) -> None:
        due = due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=stops)
        again = [*stops, *stops]
        chance.shuffle(again)  # type: ignore[attr-defined]
        assert due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=again) == due

    @given(moments, allowances, calendars)
    @settings(max_examples=fewer(100, 30), deadline=None)
    def test_ends_after_it_began(self, start: datetime, allowance: Allowance, calendar: Calendar) -> None:
        due = policy.add(start=start, allowance=allowance, calendar=calendar)
        assert due > start or (allowance.unit not in {"minutes", "hours", "working_hours"} and due >= start)


class TestWorkingHours:
    @given(moments, st.integers(1, 60), calendars, st.lists(moments, max_size=5))
    @settings(max_examples=fewer(150, 40), deadline=None)
    def test_stand_still_outside_office_hours_so_a_pause_there_adds_nothing(
        self, start: datetime, length: int, calendar: Calendar, at: list[datetime]
    ) -> None:
        allowance = Allowance(length, "working_hours")
        off = [Pause(moment, moment + timedelta(minutes=1)) for moment in at if not _touches_office(moment, calendar)]
        due = due_at(started_at=start, allowance=allowance, calendar=calendar)
        assert due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=off) == due

    @given(moments, st.integers(1, 60), calendars, st.lists(pauses, max_size=3))
    @settings(max_examples=fewer(100, 30), deadline=None)
    def test_are_all_used_when_the_clock_ends(
        self, start: datetime, length: int, calendar: Calendar, stops: list[Pause]
    ) -> None:
        allowance = Allowance(length, "working_hours")
        due = due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=stops)
        closed = [(pause.from_at, pause.until_at) for pause in _merged(stops)]
        assert policy.office_time(start, due, calendar, closed) == timedelta(hours=length)  # type: ignore[arg-type]

    def test_leave_out_lunch(self) -> None:
        due = policy.add(start=MONDAY, allowance=Allowance(5, "working_hours"), calendar=CALENDAR)
        assert due == datetime(2026, 11, 16, 14, 30, tzinfo=KARACHI)

    def test_leave_out_friday_prayer_and_the_week_end(self) -> None:
        friday = datetime(2026, 11, 20, 12, tzinfo=KARACHI)
        assert policy.add(start=friday, allowance=Allowance(3, "working_hours"), calendar=CALENDAR) == datetime(
            2026, 11, 20, 17, tzinfo=KARACHI
        )
        assert policy.add(start=friday, allowance=Allowance(4, "working_hours"), calendar=CALENDAR) == datetime(
            2026, 11, 23, 10, tzinfo=KARACHI
        )

    def test_that_begin_at_night_begin_in_the_morning(self) -> None:
        night = datetime(2026, 11, 16, 2, tzinfo=KARACHI)
        assert policy.add(start=night, allowance=Allowance(1, "working_hours"), calendar=CALENDAR) == datetime(
            2026, 11, 16, 10, tzinfo=KARACHI
        )

    def test_use_the_hours_of_the_season_on_its_days_only(self) -> None:
        short: tuple[tuple[Slot, ...], ...] = ((Slot(time(10), time(16)),),) * 4 + ((Slot(time(10), time(13)),), (), ())
        fasting = replace(CALENDAR, seasons=(Season("Ramadan", date(2027, 2, 9), date(2027, 3, 9), short),))
        before = datetime(2027, 2, 8, 16, tzinfo=KARACHI)
        assert policy.add(start=before, allowance=TEN_HOURS, calendar=CALENDAR) == datetime(
            2027, 2, 10, 10, 30, tzinfo=KARACHI
        )
        # Monday one hour, Tuesday six, Wednesday the last three.
        assert policy.add(start=before, allowance=TEN_HOURS, calendar=fasting) == datetime(
            2027, 2, 10, 13, tzinfo=KARACHI
        )

    def test_are_counted_in_the_zone_of_the_office_wherever_the_start_was_written(self) -> None:
        there = MONDAY.astimezone(ZoneInfo("America/New_York"))
        assert policy.add(start=there, allowance=TEN_HOURS, calendar=CALENDAR) == policy.add(
            start=MONDAY, allowance=TEN_HOURS, calendar=CALENDAR
        )

    def test_survive_a_change_to_summer_time(self) -> None:
        berlin = replace(CALENDAR, zone="Europe/Berlin", week=(DAY,) * 7)
        start = datetime(2026, 3, 28, 16, tzinfo=ZoneInfo("Europe/Berlin"))
        due = policy.add(start=start, allowance=Allowance(2, "working_hours"), calendar=berlin)
        assert due == datetime(2026, 3, 29, 10, tzinfo=ZoneInfo("Europe/Berlin"))


class TestFaultsSeenElsewhere:
    """Four complaints about service clocks of another product, each of which must not be possible here."""

    def test_time_on_hold_is_not_counted(self) -> None:
        pause = Pause(datetime(2026, 11, 16, 10, tzinfo=KARACHI), datetime(2026, 11, 16, 12, tzinfo=KARACHI))
        without = policy.add(start=MONDAY, allowance=Allowance(3, "working_hours"), calendar=CALENDAR)
        assert without == datetime(2026, 11, 16, 12, tzinfo=KARACHI)
        assert due_at(
            started_at=MONDAY, allowance=Allowance(3, "working_hours"), calendar=CALENDAR, pauses=[pause]
        ) == datetime(2026, 11, 16, 14, 30, tzinfo=KARACHI)

    def test_a_hold_over_a_week_end_is_not_counted_twice(self) -> None:
        # Held from Friday 16:00 to Monday 10:00: two office hours, not sixty-six.
        pause = Pause(datetime(2026, 11, 20, 16, tzinfo=KARACHI), datetime(2026, 11, 23, 10, tzinfo=KARACHI))
        start = datetime(2026, 11, 20, 15, tzinfo=KARACHI)
        due = due_at(started_at=start, allowance=Allowance(3, "working_hours"), calendar=CALENDAR, pauses=[pause])
        assert due == datetime(2026, 11, 23, 12, tzinfo=KARACHI)

    def test_an_open_pause_does_pause(self) -> None:
        asked = datetime(2026, 11, 16, 11, tzinfo=KARACHI)
        values = {"started_at": MONDAY, "allowance": TEN_HOURS, "calendar": CALENDAR, "pauses": [Pause(asked)]}
        first = remaining(now=asked + timedelta(hours=1), **values)  # type: ignore[arg-type]
        later = remaining(now=asked + timedelta(days=9), **values)  # type: ignore[arg-type]
        assert first == later == timedelta(hours=8)
        assert used_share(now=asked + timedelta(days=9), **values) == pytest.approx(0.2)  # type: ignore[arg-type]

    def test_the_due_time_is_computed_anew_from_the_events(self) -> None:
        declared_late = replace(CALENDAR, holidays=(Holiday(date(2026, 11, 17)),))
        assert policy.add(start=MONDAY, allowance=TEN_HOURS, calendar=CALENDAR) == datetime(
            2026, 11, 17, 11, 30, tzinfo=KARACHI
        )
        assert policy.add(start=MONDAY, allowance=TEN_HOURS, calendar=declared_late) == datetime(
            2026, 11, 18, 11, 30, tzinfo=KARACHI
        )

    def test_an_order_that_was_superseded_closes_nothing(self) -> None:
        withdrawn = replace(CALENDAR, holidays=(Holiday(date(2026, 11, 17), status="superseded"),))
        assert policy.add(start=MONDAY, allowance=TEN_HOURS, calendar=withdrawn) == policy.add(
            start=MONDAY, allowance=TEN_HOURS, calendar=CALENDAR
        )

    def test_a_case_that_is_reopened_goes_on_where_it_stopped(self) -> None:
        closed = Pause(datetime(2026, 11, 16, 12, tzinfo=KARACHI), datetime(2027, 1, 11, 9, tzinfo=KARACHI))
        due = due_at(started_at=MONDAY, allowance=TEN_HOURS, calendar=CALENDAR, pauses=[closed])
        # Three hours were used; seven are left on Monday 11 January: four before lunch, three after it.
        assert due == datetime(2027, 1, 11, 16, 30, tzinfo=KARACHI)


class TestDays:
    def test_leave_out_the_first_day_and_take_in_the_last(self) -> None:
        due = policy.add(start=MONDAY, allowance=Allowance(7, "calendar_days"), calendar=CALENDAR)
        assert due == datetime(2026, 11, 23, 23, 59, 59, 999999, tzinfo=KARACHI)

    def test_of_the_calendar_move_to_the_next_open_day_if_the_last_is_closed(self) -> None:
        saturday = Allowance(5, "calendar_days")
        assert policy.add(start=MONDAY, allowance=saturday, calendar=CALENDAR).date() == date(2026, 11, 23)
        stays = replace(saturday, last_day_closed="stays")
        assert policy.add(start=MONDAY, allowance=stays, calendar=CALENDAR).date() == date(2026, 11, 21)

    def test_of_work_leave_out_holidays(self) -> None:
        ten = Allowance(10, "working_days")
        assert policy.add(start=MONDAY, allowance=ten, calendar=CALENDAR).date() == date(2026, 11, 30)
        holiday = replace(CALENDAR, holidays=(Holiday(date(2026, 11, 24)),))
        assert policy.add(start=MONDAY, allowance=ten, calendar=holiday).date() == date(2026, 12, 1)

    def test_of_work_do_not_count_a_day_that_was_partly_stopped_but_do_if_only_its_night_was(self) -> None:
        two = Allowance(2, "working_days")
        morning = Pause(datetime(2026, 11, 17, 9, 30, tzinfo=KARACHI), datetime(2026, 11, 17, 10, tzinfo=KARACHI))
        night = Pause(datetime(2026, 11, 17, 18, tzinfo=KARACHI), datetime(2026, 11, 18, 8, tzinfo=KARACHI))
        values = {"started_at": MONDAY, "allowance": two, "calendar": CALENDAR}
        assert due_at(**values, pauses=[night]).date() == date(2026, 11, 18)  # type: ignore[arg-type]
        assert due_at(**values, pauses=[morning]).date() == date(2026, 11, 19)  # type: ignore[arg-type]

    def test_of_months_end_on_the_same_day_or_the_last_there_is(self) -> None:
        start = datetime(2026, 11, 30, 10, tzinfo=KARACHI)
        three = Allowance(3, "months", last_day_closed="stays")
        assert policy.add(start=start, allowance=three, calendar=CALENDAR).date() == date(2027, 2, 28)


class TestRemaining:
    def test_is_negative_when_late_and_counts_office_time_only(self) -> None:
        now = datetime(2026, 11, 18, 9, 30, tzinfo=KARACHI)
        late = remaining(now=now, started_at=MONDAY, allowance=TEN_HOURS, calendar=CALENDAR)
        # Due on Tuesday at 11:30: an hour and a half before lunch, three and a half after, half an hour today.
        assert late == -timedelta(hours=5, minutes=30)
        assert used_share(now=now, started_at=MONDAY, allowance=TEN_HOURS, calendar=CALENDAR) == pytest.approx(1.55)

    @given(moments, st.timedeltas(timedelta(), timedelta(days=30)), allowances, calendars)
    @settings(max_examples=fewer(100, 30), deadline=None)
    def test_is_late_exactly_when_the_due_time_has_passed(
        self, start: datetime, later: timedelta, allowance: Allowance, calendar: Calendar
    ) -> None:
        now = start + later
        due = policy.add(start=start, allowance=allowance, calendar=calendar)
        left = remaining(now=now, started_at=start, allowance=allowance, calendar=calendar)
        assert left >= timedelta() if now <= due else left <= timedelta()


class TestSpansBetween:
    def test_are_the_office_hours_cut_to_both_moments(self) -> None:
        thursday, monday = (datetime(2026, 11, day, 14, tzinfo=KARACHI) for day in (19, 23))
        spans = [f"{opens:%d %H:%M}-{closes:%H:%M}" for opens, closes in CALENDAR.spans_between(thursday, monday)]
        assert spans == ["19 14:00-17:00", "20 09:00-12:30", "20 14:30-17:00", "23 09:00-13:00", "23 13:30-14:00"]

    def test_are_none_at_night_and_backwards(self) -> None:
        night = datetime(2026, 11, 16, 2, tzinfo=KARACHI)
        assert list(CALENDAR.spans_between(night, night + timedelta(hours=7))) == []
        assert list(CALENDAR.spans_between(MONDAY + timedelta(days=1), MONDAY)) == []


class TestACalendarThatNeverOpens:
    def test_is_reported_instead_of_searched_for_ever(self) -> None:
        closed = Calendar("UTC", ((),) * 7)
        with pytest.raises(policy.CalendarNeverOpens):
            policy.add(start=MONDAY, allowance=TEN_HOURS, calendar=closed)


def _touches_office(at: datetime, calendar: Calendar) -> bool:
    return policy.office_time(at, at + timedelta(minutes=1), calendar) > timedelta()


def _merged(stops: list[Pause]) -> list[Pause]:
    merged: list[Pause] = []
    for pause in sorted(stops, key=lambda one: one.from_at):
        assert pause.until_at is not None
        if merged and pause.from_at <= merged[-1].until_at:  # type: ignore[operator]
            merged[-1] = Pause(merged[-1].from_at, max(merged[-1].until_at, pause.until_at))  # type: ignore[type-var]
        else:
            merged.append(pause)
    return merged


class TestShare:
    @given(moments, allowances, calendars, st.lists(pauses, max_size=3), st.sampled_from([0.5, 0.8, 1.0]))
    @settings(max_examples=fewer(150, 40), deadline=None)
    def test_is_gone_at_the_moment_that_is_told_and_not_before(
        self, start: datetime, allowance: Allowance, calendar: Calendar, stops: list[Pause], share: float
    ) -> None:
        events = {"started_at": start, "allowance": allowance, "calendar": calendar, "pauses": stops}
        at = policy.used_at(share=share, **events)  # type: ignore[arg-type]
        assert used_share(now=at, **events) == pytest.approx(share, abs=1e-6)  # type: ignore[arg-type]
        assert used_share(now=at - timedelta(minutes=1), **events) <= share  # type: ignore[arg-type]
