"""What the officers' pages ask of the database: ten queries each at most, and no more rows however many cases wait."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from rahdari import workflow
from rahdari.decide import assignment, questions, refusals
from rahdari.decide.models import Case
from rahdari.people.models import User
from tests.builders.cases import NOW, a_case, a_decided_application, an_officer

pytestmark = pytest.mark.django_db
MOST = 10


class Asked:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.rows = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        answer = execute(sql, params, many, context)
        self.texts.append(sql)
        self.rows += max(0, context["cursor"].rowcount)
        return answer


@contextmanager
def asking() -> Iterator[Asked]:
    asked = Asked()
    with connection.execute_wrapper(asked):
        yield asked


def a_desk(officer: User, second: User) -> dict[str, Case]:
    """Cases of every sort, taken by officers of whom each has read several."""
    found = {name: a_case() for name in ("free", "mine", "asked", "noticed", "ripe")}
    for name, case in found.items():
        if name != "free":
            assignment.take_case(case=case, officer=officer if name == "mine" else second, now=NOW)
    questions.ask_question(case=found["asked"], officer=second, code="Q4", text="Sample", now=NOW)
    for name in ("noticed", "ripe"):
        notice = refusals.propose_refusal(case=found[name], officer=second, codes=["R3"], text="No bill.", now=NOW)
    refusals.answer_notice(notice=notice, answer="Here.", actor="person:x", now=NOW)
    return found


@pytest.fixture
def browser(officer: User) -> Client:
    made = Client()
    made.force_login(officer)
    # The first page notes that they are here.
    made.get(reverse("decide:queue"))
    return made


def opened(browser: Client, address: str) -> Asked:
    with asking() as asked:
        assert browser.get(address).status_code == 200
    return asked


QUEUES = [
    "", "?view=mine", "?view=late&checks=failed&service=vpn_freelancer&who=nobody", "?q=sample", "?q=A-2611-AAAA-BBBB",
    "?page=900",
]  # fmt: skip


def test_lists_ask_ten_queries_and_as_many_rows_whatever_waits(browser: Client, officer: User, second: User) -> None:
    addresses = [*(reverse("decide:queue") + asked for asked in QUEUES), reverse("decide:approvals")]
    a_desk(officer, second)
    few = [opened(browser, address) for address in addresses]
    assert [len(asked.texts) for asked in few if len(asked.texts) > MOST] == [], [asked.texts for asked in few]
    for _ in range(2):
        a_desk(officer, second)
    more = [opened(browser, address) for address in addresses]
    assert [asked.rows for asked in more] == [asked.rows for asked in few]


@pytest.mark.parametrize("name", ["free", "mine", "asked", "noticed", "ripe"])
def test_a_case_asks_ten_queries(browser: Client, officer: User, second: User, name: str) -> None:
    case = a_desk(officer, second)[name]
    for colleague in [an_officer(f"Officer {number}") for number in range(3)]:
        reader = Client()
        reader.force_login(colleague)
        reader.get(reverse("decide:case", args=[case.application.reference]))
    asked = opened(browser, reverse("decide:case", args=[case.application.reference]))
    assert len(asked.texts) <= MOST, asked.texts


def test_a_decided_case_asks_ten_queries(browser: Client) -> None:
    """With who works over the registration from elsewhere, and from home."""
    application = a_decided_application()
    workflow.enter_grants(NOW)
    at = reverse("decide:case", args=[application.reference])
    browser.post(f"{at}why/", {"why": "again"})
    asked = opened(browser, at)
    assert len(asked.texts) <= MOST, asked.texts
