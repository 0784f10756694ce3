"""When an attestation counts, which is chosen, and how rows are read."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.attest import rules
from rahdari.attest.rules import (
    AttestationState,
    Bounds,
    Candidate,
    Effect,
    Fit,
    Held,
    Identifier,
    Judged,
    Member,
    RowTrouble,
)
from rahdari.tables.csv_tables import CsvRow

TODAY = dt.date(2026, 11, 16)
BOUNDS = Bounds(TODAY, dt.date(2028, 11, 16))
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2035, 1, 1))


class TestState:
    @given(start=DAYS, end=DAYS, today=DAYS, revoked=st.booleans())
    def test_counts_exactly_on_its_days_while_it_is_not_revoked(
        self, start: dt.date, end: dt.date, today: dt.date, revoked: bool
    ) -> None:
        found = rules.state_of(valid_from=start, valid_until=end, revoked=revoked, today=today)
        assert (found is AttestationState.LIVE) == (not revoked and start <= today <= end)
        assert (found is AttestationState.REVOKED) == revoked


CANDIDATES = st.builds(
    Candidate,
    id=st.uuids().map(str),
    state=st.sampled_from(AttestationState),
    name=st.sampled_from(["same", "same_but_form", "alike", "different", "not_compared"]),
    weight=st.sampled_from(["alone", "provisional", "supporting", None]),
)


class TestBest:
    @given(st.lists(CANDIDATES, max_size=6))
    def test_is_live_under_the_applicants_name_and_worth_most(self, candidates: list[Candidate]) -> None:
        found = rules.best(candidates)
        fitting = [
            each
            for each in candidates
            if each.state is AttestationState.LIVE and each.name != "different" and each.weight is not None
        ]
        if not fitting:
            assert found is None
            return
        assert found in fitting
        order = ["alone", "provisional", "supporting"]
        assert all(order.index(found.weight or "") <= order.index(each.weight or "") for each in fitting)

    def test_says_why_another_does_not_fit(self) -> None:
        assert Candidate("1", AttestationState.LIVE, "different", "alone").fit is Fit.ANOTHER_NAME
        assert Candidate("1", AttestationState.EXPIRED, "same", "alone").fit is Fit.NOT_LIVE
        assert Candidate("1", AttestationState.LIVE, "same", None).fit is Fit.NO_WEIGHT


class TestWeight:
    ATTESTING = policy.current(None).attesting

    def test_is_the_policys_by_claim_and_service(self) -> None:
        attesting = self.ATTESTING
        assert attesting is not None
        weigh = attesting.weight
        assert weigh("sample-software-houses", "freelancer", "vpn_freelancer") == "alone"
        assert weigh("sample-software-houses", "freelancer", "vpn_company") is None
        assert weigh("sample-software-houses", "new_member", "vpn_freelancer") == "provisional"
        assert weigh("sample-software-houses", "member", "vpn_freelancer") == "supporting"
        assert weigh("somebody-else", "member", "vpn_freelancer") is None


class TestIdentifiers:
    @pytest.mark.parametrize(
        ("text", "kind", "value"),
        [
            ("35202-1234567-1", "card", "3520212345671"),
            ("۳۵۲۰۲-۱۲۳۴۵۶۷-۱", "card", "3520212345671"),
            ("CUIN-0054321", "company", "0054321"),
            ("54321", "company", "0054321"),
            (" Member.One@Client.Example ", "email", "member.one@client.example"),
        ],
    )
    def test_are_told_apart_by_their_shape(self, text: str, kind: str, value: str) -> None:
        assert rules.read_identifier(text) == Identifier(kind, value)

    @pytest.mark.parametrize("text", ["", "x", "123456789", "a@b", "@client.example", "one two@client.example"])
    def test_of_no_shape_are_none(self, text: str) -> None:
        assert rules.read_identifier(text) is None

    @given(st.text(max_size=60))
    def test_reading_never_fails(self, text: str) -> None:
        found = rules.read_identifier(text)
        assert found is None or rules.read_identifier(found.value) == found


class TestTheLastDay:
    @given(DAYS, st.integers(1, 60))
    def test_lies_so_many_months_ahead(self, today: dt.date, months: int) -> None:
        found = rules.last_day(today, months)
        assert (found.year - today.year) * 12 + found.month - today.month == months
        assert found.day == today.day or (found + dt.timedelta(days=1)).day == 1


def row(line: int = 2, **cells: str) -> CsvRow:
    given_ones = {
        "member_number": "M-00018",
        "name": "Sample Freelancer 31",
        "identifier": "member@client.example",
        "valid_until": "2027-06-30",
    }
    return CsvRow(line, given_ones | cells)


class TestRows:
    @pytest.mark.parametrize(
        ("cells", "trouble"),
        [
            ({"member_number": ""}, RowTrouble.NO_NUMBER),
            ({"member_number": "--- "}, RowTrouble.NUMBER_SHAPE),
            ({"member_number": "<b>1</b>"}, RowTrouble.NUMBER_SHAPE),
            ({"name": "  12 "}, RowTrouble.NO_NAME),
            ({"name": "A" * 201}, RowTrouble.NAME_TOO_LONG),
            ({"name": "Sample Member, call 0300 1234567"}, RowTrouble.NAME_LEADS_AWAY),
            ({"identifier": ""}, RowTrouble.NO_IDENTIFIER),
            ({"identifier": "12345678901"}, RowTrouble.IDENTIFIER_SHAPE),
            ({"valid_until": ""}, RowTrouble.NO_END),
            ({"valid_until": "next year"}, RowTrouble.DAY_SHAPE),
            ({"valid_until": "2026-11-15"}, RowTrouble.ENDED),
            ({"valid_until": "2030-01-01"}, RowTrouble.TOO_FAR),
            ({"valid_from": "2027-07-01"}, RowTrouble.ENDS_BEFORE_IT_BEGINS),
        ],
    )
    def test_say_what_is_wrong(self, cells: dict[str, str], trouble: RowTrouble) -> None:
        assert rules.read_rows([row(**cells)], BOUNDS) == [Judged(row(**cells), trouble=trouble)]

    @pytest.mark.parametrize("day", ["2027-06-30", "30-06-2027", "30/06/2027", "۳۰-۰۶-۲۰۲۷"])
    def test_take_a_day_as_people_write_it(self, day: str) -> None:
        (judged,) = rules.read_rows([row(valid_until=day)], BOUNDS)
        assert judged.member is not None and judged.member.valid_until == dt.date(2027, 6, 30)

    def test_that_name_somebody_twice_are_both_wrong(self) -> None:
        rows = [
            row(2),
            row(3, member_number="M-00019", identifier=" MEMBER@client.example"),
            row(4, member_number="m00020", identifier="other@client.example"),
            row(5, member_number="M-00020", identifier="third@client.example"),
            row(6, member_number="M-00021", identifier="fourth@client.example"),
        ]
        found = [(each.trouble, each.other) for each in rules.read_rows(rows, BOUNDS)]
        assert found == [
            (RowTrouble.TWICE, 3),
            (RowTrouble.TWICE, 2),
            (RowTrouble.NUMBER_TWICE, 5),
            (RowTrouble.NUMBER_TWICE, 4),
            (None, None),
        ]

    @given(st.lists(st.dictionaries(st.sampled_from(rules.COLUMNS), st.text(max_size=30)), max_size=5))
    def test_are_all_judged_whatever_stands_in_them(self, cells: list[dict[str, str]]) -> None:
        rows = [CsvRow(number, each) for number, each in enumerate(cells)]
        judged = rules.read_rows(rows, BOUNDS)
        assert [each.row for each in judged] == rows, "no row is lost"
        assert all((each.member is None) != (each.trouble is None) for each in judged)


MEMBER = Member("M-00018", "Sample Freelancer 31", Identifier("email", "m@client.example"), TODAY, dt.date(2027, 6, 30))


class TestEffect:
    def test_of_the_same_again_is_none(self) -> None:
        held = Held("m00018", MEMBER.name, MEMBER.valid_until)
        assert rules.effect_of(MEMBER, held=held, number_is_anothers=False) is Effect.SAME

    @pytest.mark.parametrize(
        "held",
        [
            Held("m00018", MEMBER.name, dt.date(2027, 1, 1)),
            Held("m00018", "Sample Freelancer 32", MEMBER.valid_until),
            Held("m00017", MEMBER.name, MEMBER.valid_until),
        ],
        ids=["end", "name", "number"],
    )
    def test_of_something_else_is_to_bring_it_up_to_date(self, held: Held) -> None:
        assert rules.effect_of(MEMBER, held=held, number_is_anothers=False) is Effect.RENEWED

    def test_on_anothers_number_is_a_mistake(self) -> None:
        assert rules.effect_of(MEMBER, held=None, number_is_anothers=True) is RowTrouble.NUMBER_TAKEN
        assert rules.effect_of(MEMBER, held=None, number_is_anothers=False) is Effect.NEW
