"""What is due, references, and whose payment it is."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.fees import rules
from rahdari.fees.rules import Due, Money, Nothing, Owed, WhyNotMatched
from rahdari.policy import Fee, Text

WORDS = Text("A fee.", "فیس۔")
counts = st.integers(0, 500)


def a_fee(*, amount: int | None = 200, charged: str = "each", counts_earlier: bool = True) -> Fee:
    return Fee("from_count", 5, counts_earlier, amount, "PKR", WORDS, charged)


class TestWhatIsDue:
    def test_is_nothing_where_the_policy_says_free_or_names_no_amount(self) -> None:
        free = Fee("free", None, False, None, "PKR", WORDS)
        assert rules.what_is_due(fee=free, addresses=50, earlier=50) is Nothing.FREE
        assert rules.what_is_due(fee=a_fee(amount=None), addresses=50, earlier=0) is Nothing.NO_AMOUNT

    @given(counts, counts)
    def test_begins_at_the_count_with_earlier_ones_and_charges_no_address_twice(
        self, addresses: int, earlier: int
    ) -> None:
        due = rules.what_is_due(fee=a_fee(), addresses=addresses, earlier=earlier)
        if addresses == 0 and earlier:
            assert due is Nothing.NOTHING_NEW
        elif addresses == 0 or addresses + earlier < 5:
            assert due is Nothing.TOO_FEW
        else:
            assert isinstance(due, Due) and due.amount == Decimal(200 * addresses)

    @given(counts, counts)
    def test_leaves_earlier_ones_out_where_the_policy_does(self, addresses: int, earlier: int) -> None:
        due = rules.what_is_due(fee=a_fee(counts_earlier=False), addresses=addresses, earlier=earlier)
        assert isinstance(due, Due) == (addresses >= 5)

    def test_may_be_one_amount_for_the_application(self) -> None:
        due = rules.what_is_due(fee=a_fee(charged="once"), addresses=7, earlier=0)
        assert isinstance(due, Due) and due.amount == Decimal("200.00")


numbers = st.builds(
    rules.number_of, year=st.integers(2026, 2099), month=st.integers(1, 12), count=st.integers(1, 99_999_999)
)


class TestReference:
    def test_has_the_check_digits_of_iso_11649(self) -> None:
        # RF18 5390 0754 7034 is the example of the standard; its digits are computed the same way.
        assert rules._remainder("539007547034RF18") == 1
        assert rules.is_reference(rules.reference_of("I-2611-0031"))

    @given(numbers)
    def test_of_any_number_is_one_and_is_found_in_a_payers_text(self, number: str) -> None:
        reference = rules.reference_of(number)
        assert rules.is_reference(reference)
        for written in (reference, rules.grouped(reference), reference.lower(), f"fee {reference}, thank you"):
            assert rules.references_in(written) == [reference]

    @given(numbers, st.data())
    def test_with_one_digit_mistyped_is_found_out(self, number: str, data: st.DataObject) -> None:
        reference = rules.reference_of(number)
        place = data.draw(st.sampled_from([2, 3, *range(5, len(reference))]))
        digit = data.draw(st.sampled_from([each for each in "0123456789" if each != reference[place]]))
        assert not rules.is_reference(reference[:place] + digit + reference[place + 1 :])

    @given(st.text(max_size=200))
    def test_is_never_read_into_any_text(self, text: str) -> None:
        assert all(rules.is_reference(found) for found in rules.references_in(text))

    def test_is_found_before_an_amount_that_follows(self) -> None:
        reference = rules.reference_of("I-2611-0031")
        assert rules.references_in(f"{rules.grouped(reference)} 2400") == [reference]


class TestMatch:
    owed = Owed(rules.reference_of("I-2611-0031"), "PKR")

    def money(self, text: str, currency: str = "PKR") -> Money:
        return Money(2, "T1", dt.date(2026, 11, 20), Decimal("2400.00"), currency, text, "A Sample Company")

    def test_is_by_the_reference_alone(self) -> None:
        assert rules.match(self.money(f"invoice {self.owed.reference}"), [self.owed]) == self.owed

    @pytest.mark.parametrize(
        ("text", "currency", "why"),
        [
            ("for Sample Company, I-2611-0031", "PKR", WhyNotMatched.NO_REFERENCE),
            (rules.reference_of("I-2611-0032"), "PKR", WhyNotMatched.UNKNOWN),
            (owed.reference, "USD", WhyNotMatched.CURRENCY),
            (f"{owed.reference} and {rules.reference_of('I-2611-0032')}", "PKR", WhyNotMatched.SEVERAL),
        ],
    )
    def test_is_left_to_a_person_otherwise(self, text: str, currency: str, why: WhyNotMatched) -> None:
        assert rules.match(self.money(text, currency), [self.owed]) is why
