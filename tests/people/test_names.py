import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from rahdari.people import actions, names
from rahdari.people.models import User
from tests.builders.people import NOW, a_person

field, of_firm = names.NameField(), names.NameField(of_firm=True)


class TestNameField:
    @pytest.mark.parametrize(
        "typed",
        [
            '=HYPERLINK("http://evil.example")',
            "Sample www.evil.example",
            "Pay at evil.example/now",
            "\uff48\uff54\uff54\uff50://evil.example",
            "Write to a@evil.example",
            "Sample evil.example:8080",
            "mailto:/x Sample",
        ],
    )
    def test_takes_no_link(self, typed: str) -> None:
        with pytest.raises(ValidationError) as caught:
            field.clean(typed)
        assert caught.value.messages == ["Enter only the name, without a web or email address."]

    @pytest.mark.parametrize(
        "typed",
        [
            "Your licence ends, call 0300 1234567",
            "Call \u06f0\u06f3\u06f0\u06f0-\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7",
            "Sign in at evil.example",
            "Renew at EVIL.X.COM",
            "X.com Support",
            "Dr.evil.example",
        ],
    )
    def test_takes_nothing_to_call_or_to_open_and_says_what_to_leave_out(self, typed: str) -> None:
        for each in (field, of_firm):
            if each is of_firm and typed.startswith(("X.", "Dr.")):
                assert each.clean(typed) == typed
                continue
            with pytest.raises(ValidationError) as caught:
                each.clean(typed)
            assert caught.value.messages[0].startswith("Leave out ")

    @pytest.mark.parametrize(
        "typed",
        [
            "Booking.com (Private) Limited",
            "Sample.pk",
            "Sample.pk (Pvt) Ltd",
            "M/s Sample.pk",
            "3M",
            "7-Eleven",
            "Unit 1947 Studio",
            "Sample House (Pvt.)Ltd.",
            "Sample Co.Ltd",
        ],
    )
    def test_of_a_firm_may_begin_with_a_host_and_hold_digits(self, typed: str) -> None:
        assert of_firm.clean(typed) == typed

    @pytest.mark.parametrize("typed", ["M.Ahmed Sample", "A.R.Sample", "Dr.Sample", "Mst.Sample"])
    def test_of_a_person_may_have_no_space_after_initials_and_titles(self, typed: str) -> None:
        assert field.clean(typed) == typed

    @pytest.mark.parametrize("sign", ["\U0001f170", "\u24b6", "\uff21", "\U0001d400", "\u00b2", "\u2122", "\U0001f600"])
    def test_takes_no_sign_that_only_looks_like_a_letter_and_says_which(self, sign: str) -> None:
        with pytest.raises(ValidationError) as caught:
            field.clean(f"{sign} Sample House")
        [said] = caught.value.messages
        assert said.startswith("Enter the name with ordinary letters") and said.endswith(sign)

    @pytest.mark.parametrize(
        "typed",
        [
            "Sample\u2019s C++ House \u2013 Lahore",
            "\ufee7\u0645\u0648\u0646\u06c1 \u06f2",
            "Sample House (Pvt.) Ltd.",
            "M/s Sample & Sons",
            "S. A. Sample",
            "\u0646\u0645\u0648\u0646\u06c1",
            "A/C Works: Lahore",
        ],
    )
    def test_takes_names_as_they_stand_on_papers(self, typed: str) -> None:
        assert field.clean(typed) == typed

    @given(st.text())
    def test_keeps_no_sign_that_nobody_sees(self, typed: str) -> None:
        kept = names.tidy(typed)
        assert names.tidy(kept) == kept
        assert not set(kept) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f\u0000\n\r\t")


@pytest.mark.django_db
def test_acts_keep_no_such_sign_either() -> None:
    owner: User = a_person()
    made = actions.register_organisation(owner=owner, name="Sample\u202e esuoH\r\n", actor=str(owner), now=NOW)
    assert made.name == "Sample esuoH"


class TestScripts:
    @pytest.mark.parametrize("name", ["S\u0430mple", "Sample Ban\u043a", "Sample\u0627"])
    def test_of_two_in_one_word_are_refused(self, name: str) -> None:
        with pytest.raises(ValidationError, match="one script"):
            field.clean(name)

    @pytest.mark.parametrize("name", ["Иван Sample", "عائشہ Sample", "山田ハナコ", "O\u02bcSample", "Sample 2"])
    def test_of_two_words_are_taken(self, name: str) -> None:
        assert field.clean(name) == name

    def test_leave_out_what_nobody_sees(self) -> None:
        assert field.clean("Sample Ltd\u115f\u3164") == "Sample Ltd"
