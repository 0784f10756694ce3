"""Several grants at once: what the list leaves out, what changes before it is confirmed, and what is on record."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.apply import sending
from rahdari.checks import queries as checks
from rahdari.decide import assignment, grants_at_once, queries, questions, refusals
from rahdari.decide.models import Case, Decision
from rahdari.decide.rules import WhyNotGranted as Why
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from tests.builders.cases import HOUR, MINUTE, NOW, a_case, a_decided_application, a_gateway
from tests.decide.test_costs import opened

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_time(time_machine: object) -> None:
    time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]


def ready(officer: User) -> Case:
    """A case in which an officer found out what was missing; it is free again."""
    case = assignment.take_case(case=a_case(is_denied=False), officer=officer, now=NOW)
    for check in checks.checks_of(case.application.subject):
        if check.outcome != "passed" and check.required:
            facts = {"check": check.pk, "outcome": "passed", "how": "By telephone.", "now": NOW}
            assignment.record_check(case=case, officer=officer, **facts)
    assignment.hand_over(case=case, officer=officer, to=None, now=NOW)
    return queries.cases().get(pk=case.pk)


def number(case: Case) -> str:
    return case.application.reference


@pytest.fixture
def desk(officer: User) -> Client:
    client = Client()
    client.force_login(officer)
    client.get(reverse("decide:queue"))
    return client


def listed(desk: Client, *cases: Case) -> str:
    return desk.get(reverse("decide:grants"), {"case": [number(case) for case in cases]}).text


def confirmed(desk: Client, page: str) -> str:
    """Press the button of the list."""
    fields = re.findall(r'type="hidden" name="(case|mark-[^"]+)" value="([^"]*)"', page)
    given = {name: [value for each, value in fields if each == name] for name, _value in fields}
    return desk.post(reverse("decide:grants"), given).text


def whys(officer: User, *cases: Case) -> list[Why | None]:
    shown = grants_at_once.preview(officer=officer, references=[number(case) for case in cases], now=NOW + HOUR)
    return [each.why_not for each in shown]


def test_grants_what_was_chosen_in_the_queue(desk: Client, officer: User, second: User) -> None:
    a_gateway()
    first, other = ready(second), ready(second)
    assert f'name="case" value="{number(first)}"' in desk.get(reverse("decide:queue")).text
    page = listed(desk, first, other)
    assert 'class="g off"' in page and 'class="g bad"' not in page, "what is not needed has not failed"
    assert "2 cases are granted when you confirm" in page and first.application.holder_name in page
    assert not Decision.objects.exists(), "a list grants nothing"
    look = JournalEntry.objects.filter(subject="desk:grants").get()
    assert set(look.detail["shown"]) == {first.application.subject, other.application.subject}
    assert "2 cases were granted" in confirmed(desk, page)
    assert {each.decided_by for each in Decision.objects.all()} == {f"officer:{officer.pk}"}
    for case in (first, other):
        acts = set(JournalEntry.objects.filter(subject=case.application.subject).values_list("act", flat=True))
        assert {"decide.took_case", "decide.granted"} <= acts
    assert "0 cases were granted" in confirmed(desk, page), "pressed again it grants nothing"
    assert Decision.objects.count() == 2


def test_leaves_out_what_cannot_be_granted(officer: User, second: User) -> None:
    a_gateway()
    taken, asked, closed, own = (ready(second) for _ in range(4))
    noticed = a_case()
    for case in (asked, noticed):
        assignment.take_case(case=case, officer=officer, now=NOW)
    assignment.take_case(case=taken, officer=second, now=NOW)
    questions.ask_question(case=asked, officer=officer, code="Q4", text="Sample", now=NOW)
    refusals.propose_refusal(case=noticed, officer=officer, codes=["R3"], text="No bill.", now=NOW)
    applicant = f"person:{closed.application.applicant_id}"
    sending.withdraw_application(application=closed.application, actor=applicant, now=NOW)
    type(own.application).objects.filter(pk=own.application_id).update(applicant=officer)
    assert whys(officer, taken, asked, noticed, closed, own, a_case()) == [
        Why.TAKEN, Why.QUESTION, Why.NOTICE, Why.CLOSED, Why.UNKNOWN, Why.CHECKS,
    ]  # fmt: skip


def test_takes_fifty_at_most(officer: User) -> None:
    numbers = [f"A-2611-AAAA-{count:04}" for count in range(51)]
    shown = grants_at_once.preview(officer=officer, references=numbers, now=NOW)
    assert [each.why_not for each in shown] == [Why.UNKNOWN] * 50 + [Why.TOO_MANY]


def test_tells_nothing_of_a_closed_file(desk: Client) -> None:
    """Whoever opens one says why."""
    application = a_decided_application()
    page = desk.get(reverse("decide:grants"), {"case": [application.reference, "\0"]}).text
    assert "It is not open any more." in page and application.holder_name not in page
    assert not JournalEntry.objects.filter(subject="desk:grants").exists()


def test_leaves_out_what_changed_after_the_list(desk: Client, officer: User, second: User) -> None:
    a_gateway()
    same, changed, taken = (ready(second) for _ in range(3))
    page = listed(desk, same, changed, taken)
    assignment.take_case(case=taken, officer=second, now=NOW)
    assignment.take_case(case=changed, officer=second, now=NOW)
    check = checks.checks_of(changed.application.subject)[0]
    facts = {"check": check.pk, "outcome": "passed", "how": "Asked once more.", "now": NOW + MINUTE}
    assignment.record_check(case=changed, officer=second, **facts)
    assignment.hand_over(case=changed, officer=second, to=None, now=NOW)
    result = confirmed(desk, page)
    assert "1 case was granted" in result and "2 cases are left out" in result
    assert "It changed after you saw the list." in result and "Another officer has it." in result
    assert [each.case_id for each in Decision.objects.all()] == [same.pk]
    assert queries.cases().get(pk=changed.pk).assigned_to is None


def test_a_list_of_more_cases_asks_no_more(desk: Client, second: User) -> None:
    a_gateway()
    cases = [ready(second) for _ in range(4)]
    asked = [
        opened(desk, reverse("decide:grants") + "?case=" + "&case=".join(map(number, some)))
        for some in (cases[:1], cases)
    ]
    assert len(asked[0].texts) == len(asked[1].texts) <= 14, asked[1].texts


def test_nothing_chosen_leads_back(desk: Client) -> None:
    answer = desk.get(reverse("decide:grants"), {"view": "late"}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("decide:queue") + "?view=late"
    assert "Choose at least one case." in answer.text
