"""Who may be written to. No database."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.vouch import rules
from rahdari.vouch.rules import WhyNot, Written

VOUCHING = policy.current(None).vouching
assert VOUCHING is not None
NUMBERS = st.integers(0, 80)
COUNTS = st.builds(Written, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.booleans(), st.just(False))


class TestWhyNot:
    @given(COUNTS)
    def test_rests_on_what_the_applicant_did_and_on_nobody_else(self, written: Written) -> None:
        assert VOUCHING is not None
        found = rules.why_not(address="a@client.example", written=written, rules=VOUCHING)
        within = (
            written.by_applicant < VOUCHING.most_by_applicant and written.by_them_to_address < VOUCHING.most_to_address
        )
        assert found is (None if within else WhyNot.TOO_MANY)

    @given(COUNTS)
    def test_never_lets_more_letters_out_than_the_policy_names(self, written: Written) -> None:
        assert VOUCHING is not None
        within = (
            not written.stopped
            and written.to_address < VOUCHING.most_to_address * rules.APPLICANTS_TO_ADDRESS
            and written.to_domain < VOUCHING.most_to_domain
        )
        assert rules.goes_out(written=written, rules=VOUCHING) == within

    @given(st.sampled_from(VOUCHING.free_mail), st.booleans())
    def test_takes_no_free_mail_for_an_employer_however_it_is_written(self, domain: str, upper: bool) -> None:
        assert VOUCHING is not None
        address = f"someone@{domain.upper() if upper else domain}."
        found = rules.why_not(address=address, written=Written(), rules=VOUCHING)
        assert found is WhyNot.FREE_MAIL

    def test_respects_a_wish_for_no_mail_before_any_count(self) -> None:
        assert VOUCHING is not None
        written = Written(99, 99, 99, 99, stopped=True, stopped_them=True)
        assert rules.why_not(address="a@client.example", written=written, rules=VOUCHING) is WhyNot.STOPPED
        assert not rules.goes_out(written=Written(stopped=True), rules=VOUCHING)


class TestTimes:
    def test_the_reminder_comes_while_the_link_works(self) -> None:
        assert VOUCHING is not None
        assert dt.timedelta() < VOUCHING.remind_after < VOUCHING.link_valid

    def test_the_letter_is_in_english_outside_the_country(self) -> None:
        assert rules.language_for("a@client.example", "ur") == "en"
        assert rules.language_for("a@office.example.pk", "ur") == "ur"
