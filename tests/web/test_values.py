import datetime as dt

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from rahdari.web import values
from tests import urdu

KARACHI = dt.timezone(dt.timedelta(hours=5))
NOON = dt.datetime(2026, 11, 10, 9, 32, 7, tzinfo=dt.UTC)  # 14:32:07 in Karachi


class TestIsolation:
    @given(st.text(max_size=40))
    def test_escapes_whatever_it_is_given(self, text: str) -> None:
        for isolate in (values.ltr, values.code, values.name):
            inside = isolate(text).split(">", 1)[1].rsplit("<", 1)[0]
            assert "<" not in inside and ">" not in inside and '"' not in inside

    def test_keeps_an_address_left_to_right_on_a_page_and_in_plain_text(self) -> None:
        assert values.ltr("2001:db8::/32") == '<bdi dir="ltr">2001:db8::/32</bdi>'
        assert values.code("203.0.113.24") == '<code dir="ltr">203.0.113.24</code>'
        assert values.plain_ltr("RD-4F7K-92MQ") == "\u2066RD-4F7K-92MQ\u2069"
        assert urdu.text_problems(f"درخواست {values.plain_ltr('A-2611-0482')}") == []


class TestTimes:
    @pytest.mark.parametrize(
        ("language", "day", "moment", "today"),
        [
            ("en", "10 November 2026", "10 November 2026, 14:32", "14:32 today"),
            ("ur", "10 نومبر 2026", "10 نومبر 2026، 14:32", "آج 14:32 بجے"),
        ],
    )
    def test_are_those_of_pakistan_in_both_languages(self, language: str, day: str, moment: str, today: str) -> None:
        with translation.override(language):
            assert values.day(NOON) == day
            assert values.day(NOON.date()) == day
            assert values.last_day(NOON) == moment
            assert values.last_day(dt.datetime(2026, 11, 10, 18, 59, 59, tzinfo=dt.UTC)) == day
            assert values.when(NOON, now=NOON + dt.timedelta(days=2)) == moment
            assert values.when(NOON, now=NOON + dt.timedelta(hours=2)) == today
            assert (values.clock_time(NOON), values.clock_time(NOON, "exact")) == ("14:32", "14:32:07")

    def test_count_the_day_in_pakistan(self) -> None:
        late = dt.datetime(2026, 11, 10, 20, 0, tzinfo=dt.UTC)  # already the 11th there
        assert values.day(late) == "11 November 2026"
        assert values.when(late, now=dt.datetime(2026, 11, 11, 3, tzinfo=dt.UTC)) == "01:00 today"

    def test_that_are_not_there_are_nothing(self) -> None:
        assert values.day(None) == values.when(None) == values.clock_time(None) == values.span_words(None) == ""

    @pytest.mark.parametrize(("number", "name"), [(0, "پیر"), (5, "ہفتہ"), (6, "اتوار")])
    def test_name_the_days_as_people_in_pakistan_do(self, number: int, name: str) -> None:
        from django.template.defaultfilters import date

        with translation.override("ur"):
            assert date(dt.date(2026, 11, 9) + dt.timedelta(days=number), "l") == name


class TestSpans:
    @pytest.mark.parametrize(
        ("span", "form", "english", "in_urdu"),
        [
            (dt.timedelta(hours=7, minutes=12), "", "7 h 12 min", "7 گھنٹے 12 منٹ"),
            (dt.timedelta(hours=1), "", "1 h", "1 گھنٹہ"),
            (dt.timedelta(hours=1), "in", "1 h", "1 گھنٹے"),
            (dt.timedelta(days=3, hours=4, minutes=9), "", "3 days 4 h", "3 دن 4 گھنٹے"),
            (dt.timedelta(days=1), "", "1 day", "1 دن"),
            (dt.timedelta(minutes=1, seconds=48), "", "1 min", "1 منٹ"),
            (dt.timedelta(minutes=1, seconds=48), "exact", "1 min 48 s", "1 منٹ 48 سیکنڈ"),
            (dt.timedelta(seconds=40), "", "40 s", "40 سیکنڈ"),
            (dt.timedelta(0), "", "0 s", "0 سیکنڈ"),
            (-dt.timedelta(hours=2), "", "2 h", "2 گھنٹے"),
        ],
    )
    def test_are_said_in_full(self, span: dt.timedelta, form: str, english: str, in_urdu: str) -> None:
        with translation.override("en"):
            assert values.span_words(span, form) == english
        with translation.override("ur"):
            assert values.span_words(span, form) == in_urdu

    @given(st.timedeltas(min_value=-dt.timedelta(days=400), max_value=dt.timedelta(days=400)))
    def test_never_say_more_than_two_units_nor_nothing(self, span: dt.timedelta) -> None:
        words = values.span_words(span).split()
        assert 1 <= sum(word.isdigit() for word in words) <= 2


class TestWhole:
    def test_makes_each_isolated_value_one_word_and_escapes_the_rest(self) -> None:
        said = f"Write <b> like {values.plain_ltr('2027-06-30')}, not {values.plain_ltr('<30/6>')}."
        expected = 'Write &lt;b&gt; like <bdi dir="ltr">2027-06-30</bdi>, not <bdi dir="ltr">&lt;30/6&gt;</bdi>.'
        assert values.whole(said) == expected
        assert values.whole(values.whole(said)) == expected

    def test_leaves_a_sentence_without_values(self) -> None:
        assert values.whole("Choose what you found.") == "Choose what you found."

    def test_finds_a_number_of_ours_where_nothing_is_isolated(self) -> None:
        assert values.whole("Registered: RD-4F7K-92MQ") == 'Registered: <bdi dir="ltr">RD-4F7K-92MQ</bdi>'


class TestFigures:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_are_grouped_by_commas_in_western_digits(self, language: str) -> None:
        with translation.override(language):
            assert values.figure(18442) == "18,442"
