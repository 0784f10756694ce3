"""Keys of the officers' pages: one control each, and nothing typed that can be chosen."""

import re
from collections import Counter

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.checks import queries as checks
from rahdari.decide import assignment
from rahdari.decide.models import Case
from rahdari.people.models import User
from tests.builders.cases import NOW, a_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(officer: User) -> Client:
    made = Client()
    made.force_login(officer)
    return made


def mine(officer: User, **facts: bool) -> Case:
    return assignment.take_case(case=a_case(**facts), officer=officer, now=NOW)  # type: ignore[arg-type]


def at(page: str, case: Case, **more: object) -> str:
    return reverse(f"decide:{page}", kwargs={"reference": case.application.reference, **more})


class TestKeys:
    def test_lead_to_one_control_each(self, browser: Client, officer: User) -> None:
        case = mine(officer)
        for page in (browser.get(reverse("decide:queue")).text, browser.get(at("case", case)).text):
            keys = Counter(re.findall(r'data-key="([^"]+)"', page))
            assert len(keys) > 8 and set(keys.values()) == {1}, keys
            assert not keys.keys() & set(re.findall(r'data-goto="([^"]+)"', page))
        free = browser.get(at("case", a_case())).text
        assert 'data-key="t"' in free and "All keys" in free and 'data-key="g"' not in free


class TestWords:
    def test_of_the_checks_and_the_operators_are_there_to_put_in_where_they_blame_somebody(
        self, browser: Client, officer: User
    ) -> None:
        denied = re.search(r'data-insert="([^"]+)"', browser.get(at("case", mine(officer))).text)
        assert denied is not None and "Another subscriber has it" in denied[1]
        assert "data-insert" not in browser.get(at("case", mine(officer, is_denied=False))).text

    def test_on_how_something_was_found_out_are_chosen_or_written(self, browser: Client, officer: User) -> None:
        case = mine(officer)
        check = next(each for each in checks.checks_of(case.application.subject) if each.outcome == "failed")
        place = at("record_check", case, check=check.pk)
        for given, kept in [
            ({"way": "Asked the operator."}, "Asked the operator."),
            ({"way": "Asked the operator.", "how": "On 2 November."}, "Asked the operator. On 2 November."),
            ({"how": "A bill."}, "A bill."),
        ]:
            assert browser.post(place, {"outcome": "failed", **given}).status_code == 302
            check.refresh_from_db()
            assert check.how == kept
        assert browser.post(place, {"outcome": "failed", "way": "By magic."}).status_code == 422
