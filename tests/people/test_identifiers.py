import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.people import identifiers
from rahdari.people.identifiers import CardNumber, IdentifierError, TaxNumber

digits = st.text(alphabet="0123456789", min_size=1, max_size=20)
cards = st.from_regex(r"[1-9][0-9]{12}", fullmatch=True)
separators = st.lists(st.sampled_from(["", " ", "-", "–", ".", "\u200f", "\u00a0"]), min_size=20, max_size=20)


def spread(number: str, between: list[str]) -> str:
    return "".join(digit + gap for digit, gap in zip(number, between, strict=False))


def in_urdu(number: str) -> str:
    return number.translate({ord(str(value)): chr(0x06F0 + value) for value in range(10)})


class TestParseCnic:
    @given(cards, separators)
    def test_reads_any_spacing_and_shows_five_seven_one(self, number: str, between: list[str]) -> None:
        card = identifiers.parse_cnic(spread(number, between))
        assert card.digits == number
        assert re.fullmatch(r"\d{5}-\d{7}-\d", str(card))
        assert identifiers.parse_cnic(str(card)) == card

    @given(cards)
    def test_reads_urdu_and_full_width_digits(self, number: str) -> None:
        assert identifiers.parse_cnic(in_urdu(number)).digits == number
        assert identifiers.parse_cnic(number.translate({ord(str(v)): 0xFF10 + v for v in range(10)})).digits == number

    @pytest.mark.parametrize(("first", "unusual"), [("1", False), ("7", False), ("8", True), ("9", True)])
    def test_accepts_every_first_digit_but_zero_and_marks_the_unusual(self, first: str, unusual: bool) -> None:
        assert identifiers.parse_cnic(f"{first}5202-0000000-2") == CardNumber(f"{first}520200000002", unusual)
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_cnic("05202-0000000-2")
        assert caught.value.reason == "first_digit"

    @given(cards)
    def test_accepts_every_last_digit(self, number: str) -> None:
        for last in "0123456789":
            assert identifiers.parse_cnic(number[:12] + last).digits[-1] == last

    @given(digits.filter(lambda number: len(number) != 13))
    def test_says_how_many_digits_there_are(self, number: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_cnic(number)
        assert (caught.value.reason, caught.value.digits) == ("length", len(number))

    @pytest.mark.parametrize(("text", "reason"), [("", "empty"), (" - ", "empty"), ("35202-OOOOOOO-2", "letters")])
    def test_says_what_is_wrong(self, text: str, reason: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_cnic(text)
        assert caught.value.reason == reason

    @given(st.text())
    def test_raises_nothing_but_its_own_error_and_never_repeats_the_text(self, text: str) -> None:
        for parse in (
            identifiers.parse_cnic,
            identifiers.parse_ntn,
            identifiers.parse_company_number,
            identifiers.parse_mobile,
            identifiers.parse_association_number,
        ):
            reason = ""
            try:
                parse(text)  # type: ignore[operator]
            except IdentifierError as error:
                reason, said = error.reason, str(error)
            assert not reason or said == reason


PARSERS = {
    identifiers.parse_cnic: "3520200000002",
    identifiers.parse_ntn: "1234567",
    identifiers.parse_company_number: "0054321",
    identifiers.parse_mobile: "03001234567",
    identifiers.parse_association_number: "P-2041",
}


class TestMarksThatNobodySees:
    @pytest.mark.parametrize("parse", PARSERS)
    @pytest.mark.parametrize("mark", ["\u202e", "\u202d", "\u202b", "\u2067"])
    def test_that_turn_the_number_round_are_refused(self, parse: Any, mark: str) -> None:
        """Behind U+202E 6543210 is seen as 0123456: what is stored would be another number than was seen."""
        with pytest.raises(IdentifierError) as caught:
            parse(mark + PARSERS[parse])
        assert caught.value.reason == "turned_around"

    @pytest.mark.parametrize("parse", PARSERS)
    @pytest.mark.parametrize("sign", ["\u00b2", "\u2082", "\u2460", "\u00bd"])
    def test_that_only_look_like_digits_are_refused(self, parse: Any, sign: str) -> None:
        typed = PARSERS[parse]
        with pytest.raises(IdentifierError) as caught:
            parse(typed[:-1] + sign)
        assert caught.value.reason == "letters"

    @pytest.mark.parametrize("parse", PARSERS)
    @pytest.mark.parametrize("mark", ["\u061c", "\u200e", "\u200f", "\u2066", "\u2068", "\u2069", "\ufeff"])
    def test_that_only_came_along_are_dropped(self, parse: Any, mark: str) -> None:
        """A phone in Urdu puts U+061C before a number that is copied, and our own pages U+2066 and U+2069 around it."""
        typed = PARSERS[parse]
        assert parse(f"{mark}{typed[:3]}{mark}{typed[3:]}{mark}") == parse(typed)


class TestAnotherNumber:
    @pytest.mark.parametrize("typed", ["AB1234567", "ab 1234567", "AB-\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7"])
    def test_of_a_passport_is_named(self, typed: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_cnic(typed)
        assert caught.value.reason == "passport"

    @pytest.mark.parametrize("typed", ["1234567-8", "12345678"])
    def test_of_taxes_is_named_in_the_place_of_the_companys(self, typed: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_company_number(typed)
        assert caught.value.reason == "tax_number"


class TestMaskCnic:
    @given(cards)
    def test_shows_two_digits_only(self, number: str) -> None:
        assert identifiers.mask_cnic(CardNumber(number)) == f"{number[:2]}xxx-xxxxxxx-x"

    @given(st.from_regex(r"[0-9]{13}", fullmatch=True))
    def test_judges_nothing_that_is_on_file(self, number: str) -> None:
        """The demonstration's numbers begin with a zero, so that they are nobody's."""
        assert identifiers.mask_cnic(number) == f"{number[:2]}xxx-xxxxxxx-x"


class TestParseNtn:
    @given(st.from_regex(r"[0-9]{7}", fullmatch=True), st.sampled_from(["", *"0123456789"]))
    def test_keeps_a_check_digit_and_enforces_none(self, number: str, check: str) -> None:
        parsed = identifiers.parse_ntn(f"{number}-{check}" if check else number)
        assert parsed == TaxNumber(number, check)
        assert identifiers.parse_ntn(str(parsed)) == parsed

    @given(cards)
    def test_takes_a_card_number_for_an_individual(self, number: str) -> None:
        parsed = identifiers.parse_ntn(number)
        assert parsed.is_individual and parsed.digits == number

    @pytest.mark.parametrize("text", ["123456", "123456789", "12345678901234"])
    def test_refuses_other_lengths(self, text: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_ntn(text)
        assert caught.value.reason == "length"


class TestParseCompanyNumber:
    @given(st.integers(1, 9_999_999))
    def test_fills_with_zeros(self, number: int) -> None:
        assert identifiers.parse_company_number(str(number)) == f"{number:07d}"
        assert identifiers.parse_company_number(f"CUIN-{number:07d}") == f"{number:07d}"
        assert identifiers.parse_company_number(in_urdu(str(number))) == f"{number:07d}"

    @pytest.mark.parametrize("text", ["0", "0000000", "123456789"])
    def test_refuses_nought_and_more_than_eight_digits(self, text: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_company_number(text)
        assert caught.value.reason == "length"


class TestParseMobile:
    @given(st.from_regex(r"3[0-9]{9}", fullmatch=True), separators)
    def test_gives_one_form_for_every_way_of_writing(self, number: str, between: list[str]) -> None:
        for text in (number, "0" + number, "+92" + number, "92" + number, "0092" + number, in_urdu("0" + number)):
            assert identifiers.parse_mobile(text) == f"+92{number}"
            assert identifiers.parse_mobile(spread(text, between)) == f"+92{number}"

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "empty"),
            ("0300 12345", "length"),
            ("0300 123456789", "length"),
            ("+44 7911 123456", "not_pakistan"),
            ("042 111 000 111", "not_mobile"),
            ("mobile", "letters"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, reason: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_mobile(text)
        assert caught.value.reason == reason


class TestParseAssociationNumber:
    def test_keeps_what_associations_write(self) -> None:
        assert identifiers.parse_association_number("  pseb/2026-0042 ") == "PSEB/2026-0042"
        assert identifiers.parse_association_number("Z-۱۲۳۴") == "Z-1234"

    @pytest.mark.parametrize(("text", "reason"), [("ab", "length"), ("a" * 41, "length"), ("<b>12</b>", "characters")])
    def test_says_what_is_wrong(self, text: str, reason: str) -> None:
        with pytest.raises(IdentifierError) as caught:
            identifiers.parse_association_number(text)
        assert caught.value.reason == reason
