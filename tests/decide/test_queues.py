"""Queues of the policy and views that an officer has saved: which cases, how many, and nothing about a person."""

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.checks import queries as checks
from rahdari.decide import assignment, desk, questions, queues, refusals, set_aside
from rahdari.decide.models import Case, SavedView
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from rahdari.policy.loading import BUNDLED
from tests.builders.cases import DAY, HOUR, NOW, a_case

pytestmark = pytest.mark.django_db


def found(officer: User, now: dt.datetime = NOW, **asked: str) -> set[Case]:
    shown = desk.desk(officer=officer, filters=desk.Filters(**asked), now=now)
    if key := asked.get("queue"):
        assert {queue.key: count for queue, count in shown.queues}.get(key, 0) == shown.total, asked
    return {row.case for row in shown.rows}


@pytest.fixture
def in_force(settings: object, tmp_path: Path) -> object:
    """Puts a policy in force with this queue besides, as an administrator does."""

    def put(conditions: str) -> None:
        text = BUNDLED.read_text(encoding="utf-8")
        queue = f'[[queues]]\nkey = "sample"\ntitle = {{ en = "Sample", ur = "نمونہ" }}\n{conditions}\n\n'
        settings.POLICY_FILE = tmp_path / f"{abs(hash(conditions))}.toml"  # type: ignore[attr-defined]
        at = text.index("[[queues]]")
        settings.POLICY_FILE.write_text(text[:at] + queue + text[at:], encoding="utf-8")  # type: ignore[attr-defined]

    return put


def passed(case: Case, officer: User) -> Case:
    taken = assignment.take_case(case=case, officer=officer, now=NOW)
    for check in checks.checks_of(case.application.subject):
        if check.outcome != "passed":
            assignment.record_check(case=taken, officer=officer, check=check.pk, outcome="passed", how="x", now=NOW)
    return case


class TestQueuesOfThePolicy:
    def test_have_what_fits_and_their_number_at_once_when_they_come_into_force(
        self, officer: User, second: User, in_force: object
    ) -> None:
        free, done, several = a_case(), passed(a_case(is_denied=False), second), a_case(also="198.51.100.251")
        asked = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        question = questions.ask_question(case=asked, officer=officer, code="Q4", now=NOW)
        for conditions, expected in [
            ('failed = ["origin"]', {free, several}),
            ('failed = ["origin"]\nturn = "applicant"', {asked}),
            ("passed = true", {done}),
            ("addresses_from = 2", {several}),
            ("addresses_to = 1", {free, done}),
            ('services = ["vpn_freelancer"]\nfree = true', {free, several}),
            ('services = ["vpn_company"]', set()),
            ('waiting = ["control"]', set()),
            ('has = ["answered"]', set()),
        ]:
            in_force(conditions)  # type: ignore[operator]
            assert found(officer, queue="sample") == expected, conditions
        questions.answer_question(question=question, answer="Here.", actor="person:x", now=NOW)
        assert found(officer, queue="sample") == found(officer, queue="answered") == {asked}

    def test_go_by_the_time_that_is_left(self, officer: User, in_force: object) -> None:
        case = a_case()
        in_force('due_within = { length = 1, unit = "working_hours", basis = "proposal" }')  # type: ignore[operator]
        due = Case.objects.get(pk=case.pk).due_at
        assert due is not None and found(officer, queue="sample") == set()
        assert found(officer, due - HOUR / 2, queue="sample") == found(officer, due + DAY, queue="sample") == {case}

    def test_know_a_case_again_that_an_appeal_opened(self, officer: User, second: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        notice = refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No bill.", now=NOW)
        refusals.answer_notice(notice=notice, answer="Here it is.", actor="person:x", now=NOW)
        refusals.second_refusal(case=case, officer=second, because="No bill.", now=NOW)
        assert Case.objects.get(pk=case.pk).marks == ""
        set_aside.set_aside_refusal(case=case, actor="appeal:x", allowed=True, now=NOW + HOUR)
        kept = Case.objects.get(pk=case.pk).marks.split()
        assert {"appealed", "answered", "failed:origin"} <= set(kept) and "returned" not in kept

    def test_that_went_out_of_force_have_nothing(self, officer: User) -> None:
        a_case()
        assert found(officer, queue="gone") == set()
        assert found(officer, view="open") != set()


class TestSavedViews:
    @pytest.fixture
    def browser(self, officer: User) -> Client:
        made = Client()
        made.force_login(officer)
        return made

    def test_keep_the_filter_under_a_name_and_never_what_was_searched_for(
        self, browser: Client, officer: User, second: User
    ) -> None:
        a_case()
        at = reverse("decide:save_view")
        before = JournalEntry.objects.count()
        browser.post(f"{at}?view=late&service=vpn_freelancer&who=nobody&q=Somebody", {"name": "Late, free"})
        browser.post(f"{at}?queue=network&checks=failed", {"name": "Networks"})
        assert JournalEntry.objects.count() == before
        assert not any("Somebody" in vars(each).values() for each in SavedView.objects.all())
        page = browser.get(reverse("decide:queue"), {"queue": "network", "checks": "failed"}).text
        assert '?view=late&amp;service=vpn_freelancer&amp;who=nobody"' in page
        assert 'aria-current="page"><bdi>Networks</bdi> <b>1</b>' in page and "never saved" in page
        browser.post(f"{at}?view=mine", {"name": "Networks"})
        kept = {each.name: (each.view, each.queue) for each in SavedView.objects.all()}
        assert kept == {"Late, free": ("late", ""), "Networks": ("mine", "")}
        shown = desk.desk(officer=second, filters=desk.Filters(), now=NOW)
        assert shown.saved == []

    def test_have_a_name_are_no_more_than_ten_and_are_deleted(
        self, browser: Client, officer: User, second: User
    ) -> None:
        at = reverse("decide:save_view")
        assert browser.post(at, {"name": " "}).status_code == 422
        for number in range(queues.MOST_SAVED):
            browser.post(at, {"name": f"View {number}"})
        answer = browser.post(at, {"name": "One more"})
        assert answer.status_code == 422 and "Delete one of them first" in answer.text
        assert SavedView.objects.filter(officer=officer).count() == queues.MOST_SAVED
        other = queues.save_view(officer=second, name="Theirs", view="open")
        for key in (
            str(other.pk),
            "x",
            *map(str, SavedView.objects.filter(officer=officer).values_list("pk", flat=True)),
        ):
            browser.post(at, {"forget": key})
        assert list(SavedView.objects.all()) == [other]


class TestNext:
    def test_takes_the_first_free_case_of_the_view(self, officer: User, second: User) -> None:
        browser, at = Client(), reverse("decide:take_next")
        browser.force_login(officer)
        first, taken, other = a_case(now=NOW - HOUR), a_case(now=NOW - 2 * HOUR), a_case()
        assignment.take_case(case=taken, officer=second, now=NOW)
        answer = browser.post(f"{at}?queue=network")
        assert answer["Location"] == reverse("decide:case", args=[first.application.reference]) + "?queue=network"
        assert Case.objects.get(pk=first.pk).assigned_to == officer
        assert Case.objects.get(pk=other.pk).assigned_to is None
        assert "No case of this view is free" in browser.post(f"{at}?queue=appealed", follow=True).text
