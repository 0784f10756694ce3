"""What a text may hold that others read in its writer's name."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from rahdari.people import quoting
from rahdari.people.quoting import Found, LeadsAway


class TestHeld:
    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("Your licence will be cancelled. Sign in at http://rahdari-gov.example/login today", "http://rahdari"),
            ("Sign in at rahdari-gov.example now", "rahdari-gov.example"),
            ("Sign in at rahdari-gov。example now", "rahdari-gov"),
            ("Sign in at rahdari-gov[.]example now", "rahdari-gov.example"),
            ("Sign in at 203.0.113.5/login now", "203.0.113.5/login"),
            ("Sign in at [2001:db8::5]/login now", "[2001:db8::5]/login"),
            ("Sign in at rahdari-gov.\u200bexample now", "rahdari-gov.example"),
            ("Sign in at rahdari-gov\u2060.example now", "rahdari-gov.example"),
            ("Sign in at rahdari-gov.\u00ad\ufe0fexample now", "rahdari-gov.example"),
            ("Sign in at ｗｗｗ．rahdari．example", "www.rahdari.example"),
            ("یہاں جائیں: راہداری.پاکستان", "راہداری.پاکستان"),
            ("Go to xn--mgbai9azgqp6j.xn--mgbai9azgqp6j", "xn--mgbai9azgqp6j"),
            ("Write to help@rahdari.example", "help@rahdari.example"),
            ("Open mailto://help", "mailto"),
            ("Open tg://resolve?x=1", "tg://"),
        ],
    )
    def test_is_no_text_with_an_address_to_open_or_to_write_to(self, text: str, part: str) -> None:
        with pytest.raises(LeadsAway) as refused:
            quoting.held(text)
        assert refused.value.found is Found.ADDRESS
        assert part in refused.value.part
        assert refused.value.part in quoting.why_not(refused.value)

    @pytest.mark.parametrize(
        "number",
        [
            "+92 300 1234567",
            "0300-1234567",
            "(051) 111 222 333",
            "0092.300.1234567",
            "۰۳۰۰ ۱۲۳۴۵۶۷",
            "0300/1234567",
            "0300\u200b1\u200b234567",
        ],
    )
    def test_is_no_text_with_a_telephone_number(self, number: str) -> None:
        with pytest.raises(LeadsAway) as refused:
            quoting.held(f"Call {number} at once")
        assert refused.value.found is Found.TELEPHONE

    @pytest.mark.parametrize(
        "text",
        [
            "We move lines in Karachi. The work takes 45 minutes at most.",
            "Router of 203.0.113.0/24, 198.51.100.7 and 2001:db8::/32 (AS64500), udp 51820, is renewed",
            "Between 24.11.2026 and 2026-11-26, each night 01:00-05:00, ticket 482913",
            "Moved from PW-5P9X-31GN; 10,000 lines in 12 cities, e.g. Lahore.",
            "لائنیں دوسرے آلات پر جائیں گی۔ کام رات 01:00 سے 03:00 تک ہے۔",
            "",
        ],
    )
    def test_is_what_operators_have_to_say(self, text: str) -> None:
        assert quoting.held(text) == text

    def test_has_no_sign_that_turns_the_order_of_a_line(self) -> None:
        assert quoting.held(" a\u202eb\u2066c\x00\u200fd ") == "abcd"

    def test_is_refused_in_a_form_with_how_to_mend_it(self) -> None:
        with pytest.raises(ValidationError, match=r"Leave out .*rahdari\.example"):
            quoting.leads_nowhere("See rahdari.example")

    @given(st.text(alphabet="ab1.:/@+- \u06f3。", max_size=40))
    def test_is_the_same_when_it_is_held_again(self, text: str) -> None:
        try:
            kept = quoting.held(text)
        except LeadsAway:
            return
        assert quoting.held(kept) == kept
