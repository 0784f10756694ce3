"""Names on a list, compared fairly across spelling and script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.checks import names


class TestCompareNames:
    @pytest.mark.parametrize(
        "other",
        [
            "Sample Software House (Pvt) Ltd",
            "SAMPLE SOFTWARE HOUSE (PVT.) LTD.",
            "sample  software house private limited",
            "M/s Sample Software House (Private) Limited",
            "Sample Softwarehouse (Pvt) Ltd",
        ],
    )
    def test_is_the_same_however_it_is_written(self, other: str) -> None:
        assert names.compare_names("Sample Software House (Pvt) Ltd", other) == "same"

    def test_says_when_only_the_kind_of_company_differs(self) -> None:
        assert names.compare_names("Sample Software House", "Sample Software House (Pvt) Ltd") == "same_but_form"
        assert names.compare_names("Sample House (SMC-Pvt) Ltd", "Sample House Ltd") == "same_but_form"

    @pytest.mark.parametrize("other", ["Sample Hardware House (Pvt) Ltd", "Sample Software", "(Pvt) Ltd", "House"])
    def test_is_different_for_another_name(self, other: str) -> None:
        assert names.compare_names("Sample Software House (Pvt) Ltd", other) == "different"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Sample Muhammad Hussain", "Sample Mohd. Husain"),
            ("M. Sample Siddiqui", "Muhammad Sample Sidiqi"),
            ("Sample Ahmed Khan", "SAMPLE AHMAD KHAN"),
            ("Sample Chaudhry", "Sample Chaudhary"),
            ("Muhammad Iqbal Qureshi", "محمد اقبال قریشی"),
            ("Zia ul Haq", "ضیاء الحق"),
            ("Shahid Nawaz", "شاہد نواز"),
            ("Sample Textile (Pvt) Ltd", "سیمپل ٹیکسٹائل پرائیویٹ لمیٹڈ"),
            ("یوسف چوہدری", "يوسف چوهدرى"),
        ],
    )
    def test_is_alike_whatever_spelling_or_script(self, one: str, other: str) -> None:
        assert names.compare_names(one, other) == "alike"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Ali", "Ela"),
            ("Sample Khan", "Sample Khalid"),
            ("محمد اقبال", "محمد اکرم"),
            ("Muhammad Iqbal", "محمد اسلم"),
            ("Sample 31", "Sample 32"),
            ("Образец Компания", "Sample Company"),
        ],
    )
    def test_is_different_for_other_sounds(self, one: str, other: str) -> None:
        assert names.compare_names(one, other) == "different"

    def test_compares_nothing_with_nothing(self) -> None:
        assert names.compare_names("\U0001f170\U0001f171 Sample House", "Sample House") == "different"
        assert names.compare_names("", "Sample Software House") == "not_compared"
        assert names.compare_names("--", "Sample Software House") == "not_compared"

    @given(st.text(max_size=60), st.text(max_size=60))
    def test_is_the_same_both_ways_round(self, one: str, other: str) -> None:
        assert names.compare_names(one, other) == names.compare_names(other, one)

    @given(st.text(max_size=60).filter(names.fold_name))
    def test_is_the_same_as_itself_in_capitals_and_with_spaces(self, name: str) -> None:
        assert names.compare_names(name, f"  {name}  ") == "same"
        assert names.fold_name(" ".join(names.fold_name(name))) == names.fold_name(name)


class TestNameKey:
    @pytest.mark.parametrize(
        "other", ["Sample Micro-finance Bank", "sample microfinance bank (Pvt) Ltd", "M/s Sampel Maicrofinanc Bank"]
    )
    def test_finds_a_long_name_however_it_is_written(self, other: str) -> None:
        assert names.name_key(other) == names.name_key("Sample Microfinance Bank Ltd")

    @pytest.mark.parametrize(
        ("one", "other"),
        [("Ali Khan", "Lucky One (Pvt) Ltd"), ("Sample Ali", "Simple Oil"), ("Sample Textile", "Sample Textile Mills")],
    )
    def test_finds_no_person_by_a_few_sounds_nor_by_a_part(self, one: str, other: str) -> None:
        assert names.name_key(one) != names.name_key(other)

    @pytest.mark.parametrize("name", ["", "(Pvt) Ltd", "--"])
    def test_is_none_for_what_names_nobody(self, name: str) -> None:
        assert names.name_key(name) is None

    @given(st.text(max_size=60), st.sampled_from([" Ltd", " (Pvt) Limited", "", "  SMC"]))
    def test_is_the_same_whatever_the_legal_form(self, name: str, form: str) -> None:
        assert names.name_key(name + form) == names.name_key(name)


class TestNamesAnOrganisation:
    @pytest.mark.parametrize(
        "name",
        [
            "State Bank of Pakistan",
            "Embassy of France",
            "سفارت خانہ نمونہ",
            "نمونہ اتھارٹی",
            "5ample Textile",
            "Sample Ltd\u115f",
            *("Sample Ltd\u02bc", "Sample Ltd\u0640", "Sample Ltd\ua78f", "Sample B\u0251nk", "Sa\u1d0dple Textile"),
        ],
    )
    def test_by_a_word_or_by_signs_that_no_persons_name_has(self, name: str) -> None:
        assert names.names_an_organisation(name)

    @pytest.mark.parametrize(
        "name",
        [
            "Ayesha Sample",
            "عائشہ نمونہ",
            "José Łukasz Sample",
            "M. Ali O\u02bcSample",
            "Bankim Sample",
            "Nguyễn Văn Sample",
            "Sæmundur",
        ],
    )
    def test_is_no_persons(self, name: str) -> None:
        assert not names.names_an_organisation(name)
