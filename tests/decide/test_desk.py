"""The lists of the desk: what they go by is kept on the case, and is what its events and the calendar say, always."""

import datetime as dt
import random
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from rahdari import policy, workflow
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.decide import (
    assignment,
    calendar_changes,
    case_clock,
    deadlines,
    desk,
    granting,
    queries,
    questions,
    queue_columns,
    refusals,
    transitions,
)
from rahdari.decide.models import Case
from rahdari.journal import queries as journal
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from rahdari.policy.loading import BUNDLED
from tests.builders.cases import DAY, HOUR, MINUTE, NOW, a_case, a_person

pytestmark = pytest.mark.django_db
REFUSALS = (
    transitions.NotPossibleNow, transitions.NotYourCase, assignment.AlreadyTaken, granting.ChecksMissing,
    transitions.MayNotSecond, questions.NoMoreTime, transitions.AlreadyAnswered, questions.TooLateToReopen,
)  # fmt: skip


def fresh(case: Case) -> Case:
    return queries.cases().get(pk=case.pk)


def as_computed(case: Case) -> tuple[object, ...]:
    """What is kept must be, from the events."""
    case = fresh(case)
    if case.status != "open":
        return ("", None, None, queue_columns.whole_name(case.application.holder_name), "")
    events = case_clock.events_of(case)
    share = case_clock.policy_of(case.application).escalate_at[-1] / 100
    return (
        case_clock.waits_for(case.standing),
        policy.due_at(**events),
        policy.used_at(share=share, **events),
        case.words,
        queue_columns.mark_of(case_clock.calendar()),
    )


def kept(case: Case) -> tuple[object, ...]:
    case = fresh(case)
    return (case.waits_for, case.due_at, case.late_at, case.words, case.kept_under)


def page(client: Client, view: str = "open", **given: str) -> str:
    return client.get(reverse("decide:queue"), {"view": view, **given}).content.decode()


@pytest.fixture
def at_the_desk(officer: User, time_machine: object) -> Client:
    time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]
    client = Client()
    client.force_login(officer)
    return client


class TestKept:
    @pytest.mark.parametrize("seed", range(6))
    def test_is_what_the_events_say_whatever_was_done(self, officer: User, second: User, seed: int) -> None:
        """Acts in any order, each at a later time; those that are not possible are refused and change nothing."""
        luck, case, now = random.Random(seed), a_case(), NOW
        for _ in range(14):
            now += dt.timedelta(minutes=luck.choice([5, 90, 60 * 24 * 3]))
            act = luck.choice(
                ["take", "give", "ask", "answer", "extend", "refuse", "hear", "drop", "second", "clock", "grant"]
            )
            with suppress(*REFUSALS):
                self._do(act, fresh(case), officer, second, now)
            assert kept(case) == as_computed(case), act

    def _do(self, act: str, case: Case, officer: User, second: User, now: dt.datetime) -> None:
        question, notice = queries.open_question(case), queries.open_notice(case)
        match act:
            case "take":
                assignment.take_case(case=case, officer=officer, now=now)
            case "give":
                assignment.hand_over(case=case, officer=officer, to=None, now=now)
            case "ask":
                questions.ask_question(case=case, officer=officer, code="Q4", now=now)
            case "answer" if question:
                questions.answer_question(question=question, answer="Design work.", actor="person:x", now=now)
            case "extend" if question:
                questions.extend_question(question=question, actor="person:x", now=now)
            case "refuse":
                refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No bill.", now=now)
            case "hear" if notice:
                refusals.answer_notice(notice=notice, answer="Here it is.", actor="person:x", now=now)
            case "drop" if notice:
                refusals.drop_refusal(case=case, officer=officer, why="It is in order.", now=now)
            case "second" if notice:
                refusals.second_refusal(case=case, officer=second, because="No bill.", now=now)
            case "clock":
                deadlines.close_unanswered(now=now)
            case "grant":
                granting.grant(case=case, officer=officer, now=now)

    def test_is_computed_anew_when_a_holiday_is_declared(
        self, officer: User, settings: object, tmp_path: Path, time_machine: object
    ) -> None:
        case, asked = a_case(), assignment.take_case(case=a_case(), officer=officer, now=NOW)
        questions.ask_question(case=asked, officer=officer, code="Q4", now=NOW)
        before = fresh(case).due_at
        assert workflow.advance(now=NOW)["decide: follow the calendar"] == 0
        holiday = (
            '[[calendar.holidays]]\ndate = 2026-11-17\nname = { en = "Sample holiday", ur = "نمونہ" }\n'
            'status = "notified"\nsource = "sample"\n\n'
        )
        text = BUNDLED.read_text(encoding="utf-8")
        at = text.index("[[calendar.holidays]]")
        settings.POLICY_FILE = tmp_path / "policy.toml"  # type: ignore[attr-defined]
        settings.POLICY_FILE.write_text(text[:at] + holiday + text[at:], encoding="utf-8")  # type: ignore[attr-defined]
        assert kept(case) != as_computed(case)
        assert workflow.advance(now=NOW)["decide: follow the calendar"] == 2
        assert kept(case) == as_computed(case) and kept(asked) == as_computed(asked)
        assert fresh(case).due_at > before
        assert workflow.advance(now=NOW)["decide: follow the calendar"] == 0

    def test_leaves_a_case_to_the_act_that_has_it_in_its_hands(self, officer: User) -> None:
        case = a_case()
        Case.objects.filter(pk=case.pk).update(kept_under="", due_at=None)
        assert calendar_changes.follow(now=NOW, at_most=10) == 1
        assert kept(case) == as_computed(case)

    def test_tells_of_lateness_when_a_case_is_late_and_not_before(self, officer: User) -> None:
        case = a_case()
        late_at = fresh(case).late_at
        assert late_at is not None
        assert not queries.cases_out_of_time(late_at - MINUTE).exists()
        assert not case_clock.clock_of(fresh(case), late_at - MINUTE).is_late
        assert queries.cases_out_of_time(late_at).exists() and case_clock.clock_of(fresh(case), late_at).is_late


def a_noticed_case(officer: User) -> Case:
    """One whose notice was answered: it waits for a second officer."""
    case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
    notice = refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No bill.", now=NOW)
    refusals.answer_notice(notice=notice, answer="Here it is.", actor="person:x", now=NOW)
    return fresh(case)


class TestSize:
    def test_of_a_page_is_the_same_however_many_wait(
        self, at_the_desk: Client, officer: User, django_assert_max_num_queries: object
    ) -> None:
        """Rows that are made of the database's answer, of every kind: a page's own and no more."""
        made: list[type] = []
        from_db = Model.from_db.__func__  # type: ignore[attr-defined]

        def counting(cls: type, *args: object, **named: object) -> object:
            made.append(cls)
            return from_db(cls, *args, **named)

        def loads(address: str) -> int:
            made.clear()
            with mock.patch.object(Model, "from_db", classmethod(counting)):
                at_the_desk.get(address)
            return len(made)

        addresses = [reverse("decide:queue"), reverse("decide:queue") + "?checks=failed&q=sample&page=2"]
        addresses.append(reverse("decide:approvals"))
        with mock.patch.object(desk, "PER_PAGE", 2):
            for _ in range(4):
                a_noticed_case(officer)
            few = [loads(address) for address in addresses]
            for _ in range(5):
                a_noticed_case(officer)
            assert [loads(address) for address in addresses] == few
            assert all(3 < number < 20 for number in few), few
            with django_assert_max_num_queries(25):  # type: ignore[operator]
                at_the_desk.get(reverse("decide:queue") + "?checks=failed&q=sample")

    def test_of_a_row_is_the_same_however_many_addresses_a_case_has(self, officer: User) -> None:
        case = a_case()
        row = desk.rows_of([(case.pk, case.application_id)], officer=officer, now=NOW)[0]
        assert row.passed == sum(one.outcome == "passed" for one in checks.checks_of(case.application.subject))
        assert [kind.count for kind in row.failed_kinds] == [1]


class TestOrder:
    def test_of_equal_times_is_that_of_receipt(self, officer: User) -> None:
        """All come in one night, so all are due at the same moment of the next day."""
        night = NOW + 12 * HOUR
        cases = [a_case(now=night + MINUTE * at) for at in (3, 1, 2)]
        shown = desk.desk(officer=officer, filters=desk.Filters(), now=night + HOUR)
        assert {fresh(case).due_at for case in cases} == {fresh(cases[0]).due_at}
        assert [row.case for row in shown.rows] == [cases[1], cases[2], cases[0]]

    def test_of_an_hour_is_an_hour_of_the_office(self, officer: User) -> None:
        case = a_case()
        due = fresh(case).due_at
        assert due is not None
        for before, there in ((61, False), (59, True)):
            now = due - MINUTE * before
            shown = desk.desk(officer=officer, filters=desk.Filters(view="hour"), now=now)
            assert bool(shown.rows) == there and shown.counts["hour"] == there


class TestSearch:
    def test_finds_each_word_of_a_name_by_its_beginning(self, officer: User) -> None:
        case = a_case(applicant=a_person())
        found = Application.objects.get(pk=case.application_id)
        found.company_name = "Náme Example Sample-Softwarehouse (Pvt) Ltd"
        found.save()
        queue_columns.keep(case)
        # Two letters may stand in the number of the application, which is searched by any part of it.
        short = next(each for each in ("na", "ex", "sa", "pv", "lt") if each.upper() not in found.reference)
        for asked, there in {
            "name": True, "NÁM": True, "softwareh": True, "Sample-Softwarehouses": True, "exam soft": True,
            short: False, "ample": False, "name bank": False,
        }.items():  # fmt: skip
            shown = desk.desk(officer=officer, filters=desk.Filters(q=asked), now=NOW)
            assert bool(shown.rows) is there, asked

    def test_leads_to_a_decided_case_by_the_number_of_its_registration(self, at_the_desk: Client) -> None:
        from tests.builders.cases import a_decided_application

        application = a_decided_application()
        workflow.enter_grants(NOW)
        registration = queries.decision_of(queries.case_of(application)).registration
        answer = at_the_desk.get(reverse("decide:queue"), {"q": registration.reference.lower()})
        assert answer["Location"] == reverse("decide:case", args=[application.reference])
        # Who has an address is no question to the desk: it would be a directory the wrong way round.
        address = application.endpoints.get().address_text
        for asked in (address, application.name):
            assert application.reference not in page(at_the_desk, q=asked)


class TestLooks:
    def test_at_a_page_of_the_queue_are_one_row_that_names_whom_it_showed(
        self, at_the_desk: Client, officer: User
    ) -> None:
        cases = [a_case(), a_case()]
        before = JournalEntry.objects.count()
        page(at_the_desk)
        row = JournalEntry.objects.latest("id")
        assert JournalEntry.objects.count() == before + 1
        assert (row.act, row.actor, row.subject) == ("decide.read_list", f"officer:{officer.pk}", "desk:queue")
        assert sorted(row.detail["shown"]) == sorted(case.application.subject for case in cases)
        for case in cases:
            assert journal.reads_of([case.application.subject]).first() == row

    def test_keep_what_was_asked_only_under_a_key(self, at_the_desk: Client) -> None:
        case = a_case()
        page(at_the_desk, q="Freelancer 198.51.100.7")
        page(at_the_desk, q="freelancer")
        first, again = JournalEntry.objects.filter(act="decide.read_list").order_by("id")
        assert again.detail["asked"][0] in first.detail["asked"] and len(first.detail["asked"]) == 2
        assert "reelancer" not in str([first.detail, again.detail]) and "198.51" not in str(first.detail)
        assert again.detail["shown"] == [case.application.subject]

    def test_at_the_approvals_are_on_record_too_and_nobody_shown_is_no_look(
        self, at_the_desk: Client, officer: User
    ) -> None:
        at_the_desk.get(reverse("decide:approvals"))
        assert not JournalEntry.objects.filter(act="decide.read_list").exists()
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No bill.", now=NOW)
        at_the_desk.get(reverse("decide:approvals"))
        row = JournalEntry.objects.get(act="decide.read_list")
        assert (row.subject, row.detail["shown"]) == ("desk:approvals", [case.application.subject])


class TestNext:
    def test_stays_in_the_queue_that_the_officer_works_on_and_is_taken(
        self, at_the_desk: Client, officer: User
    ) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        other = a_case(now=NOW - DAY)
        Application.objects.filter(pk=other.application_id).update(service="vpn_company")
        queue_columns.keep(other)
        wanted = a_case()
        rest = "?view=open&service=vpn_freelancer"
        html = at_the_desk.get(reverse("decide:queue") + rest).content.decode()
        assert f'{case.application.reference}/{rest.replace("&", "&amp;")}"' in html
        address = reverse("decide:decide", args=[case.application.reference]) + rest
        answer = at_the_desk.post(address, {"decision": "ask", "code": "Q4", "text": ""})
        assert answer["Location"] == reverse("decide:case", args=[wanted.application.reference]) + rest
        assert fresh(wanted).assigned_to == officer and fresh(other).assigned_to is None

    def test_passes_over_a_case_that_a_colleague_took_meanwhile(
        self, at_the_desk: Client, officer: User, second: User
    ) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        contested, free = a_case(now=NOW - DAY), a_case()
        found = desk.next_for

        def slow(**given: object) -> Case | None:
            following = found(**given)  # type: ignore[arg-type]
            if following == contested:
                assignment.take_case(case=contested, officer=second, now=NOW)
            return following

        with mock.patch.object(desk, "next_for", slow):
            answer = at_the_desk.post(
                reverse("decide:decide", args=[case.application.reference]), {"decision": "ask", "code": "Q4"}
            )
        assert answer["Location"] == reverse("decide:case", args=[free.application.reference])
        assert fresh(contested).assigned_to == second
