import datetime as dt

import pytest

from rahdari.checks import rules
from rahdari.checks.evidence import Facts


class TestRosterKey:
    @pytest.mark.parametrize(
        ("roster", "given_as"),
        [
            ("companies", ["0054321", "54321", "CUIN-0054321", "cuin 54321", "۰۰۵۴۳۲۱"]),
            ("active_taxpayers", ["4174941-3", "4174941", "41749413", "٤١٧٤٩٤١"]),
            ("active_taxpayers", ["35202-1234567-1", "3520212345671", "35202 1234567 1"]),
            ("association_members", ["PS-123/24", "ps12324", "PS 123 24"]),
        ],
    )
    def test_is_one_for_all_ways_to_write_a_number(self, roster: str, given_as: list[str]) -> None:
        keys = {rules.roster_key(roster, text) for text in given_as}
        assert len(keys) == 1
        assert None not in keys

    @pytest.mark.parametrize(
        ("roster", "text"),
        [
            ("companies", "0"),
            ("companies", "12345678"),
            ("companies", "company"),
            ("companies", "000048\u00b2"),
            ("active_taxpayers", "123456\u2466"),
            ("active_taxpayers", "123456"),
            ("active_taxpayers", "35202123456789"),
            ("association_members", "x"),
            ("association_members", "<b>no</b>"),
        ],
    )
    def test_is_none_for_what_is_no_number(self, roster: str, text: str) -> None:
        assert rules.roster_key(roster, text) is None


class TestWhatTiesTheApplicantToANumberThatOthersAreRegisteredUnder:
    @pytest.mark.parametrize("answer", [None, "no", "yes"])
    @pytest.mark.parametrize("asked", [[], ["an organisation"]])
    def test_is_for_an_officer_without_their_yes(self, asked: list[str], answer: str | None) -> None:
        found = rules.Answer("passed", "code_from_contact", {"channel": "email"})
        facts: Facts = {"asked": asked} if answer is None else {"asked": asked, "answer": answer}
        weighed = rules.with_the_holders_yes(found, facts)
        if asked and answer != "yes":
            assert (weighed.result, weighed.finding, weighed.blames) == ("failed", "tie_to_weigh", False)
            assert weighed.evidence == {"channel": "email", "tie": "code_from_contact"}
        else:
            assert weighed == found
        no = rules.Answer("failed", "contact_denies")
        assert rules.with_the_holders_yes(no, facts) == no


class TestRosterAnswer:
    TODAY = dt.date(2026, 11, 25)

    def _answer(self, row: rules.RosterFact | None, *, on: str | None = "2026-11-20") -> rules.Answer:
        return rules.answer_roster(roster="companies", imported_on=on, given=True, row=row, today=self.TODAY)

    def test_blames_nobody_for_a_roster_that_is_not_there(self) -> None:
        found = self._answer(None, on=None)
        assert (found.result, found.finding, found.blames) == ("failed", "no_roster", False)

    @pytest.mark.parametrize(
        ("until", "result"),
        [(dt.date(2026, 11, 24), "failed"), (dt.date(2026, 11, 25), "passed"), (None, "passed")],
    )
    def test_counts_the_last_day_of_a_membership(self, until: dt.date | None, result: str) -> None:
        assert self._answer(rules.RosterFact(True, until, "same")).result == result

    def test_passes_only_the_number_that_is_active_and_the_applicants(self) -> None:
        assert self._answer(rules.RosterFact(True, None, "same")).result == "passed"
        assert self._answer(rules.RosterFact(False, None, "same")).finding == "listed_not_active"
        assert self._answer(rules.RosterFact(True, None, "different")).finding == "listed_under_another_name"
        assert self._answer(None).finding == "not_listed"
