"""A case of many addresses: its own page, the pages and the table of the addresses, and the queue."""

import csv
import io
import ipaddress
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy, workflow
from rahdari.apply import bulk, drafts, parts, sending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.checks import queries as check_queries
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge
from rahdari.decide import addresses, assignment, queries, views
from rahdari.decide.models import Case
from rahdari.journal import queries as journal
from rahdari.people.models import User
from tests import urdu
from tests.builders.cases import DAY, HOUR, NOW, a_case, a_person
from tests.builders.drafts import a_pdf
from tests.builders.shared import known_networks

from .test_views import page, signed_in

MANY, PROVED, PER_PAGE = 24, 3, 10
UNPROVED = MANY - PROVED


def numbered(count: int) -> list[str]:
    """Half of them in the network that the tests' directory knows, half in none."""
    halves = count // 2
    return [f"203.0.113.{n + 1}" for n in range(count - halves)] + [f"198.51.100.{n + 1}" for n in range(halves)]


def a_case_of(count: int, *, proved: int = 0, labels: str = "Branch") -> Case:
    """A company's case: the first addresses are proved, and no others."""
    applicant = a_person()
    facts: dict[str, Any] = {"actor": f"person:{applicant.pk}", "now": NOW}
    draft = drafts.start_application(applicant=applicant, service="vpn_company", **facts)
    wanted = [
        bulk.NewEndpoint(ipaddress.ip_network(each), "wireguard", label=f"{labels} {at}")
        for at, each in enumerate(numbered(count))
    ]
    assert not bulk.add_endpoints(application=draft, wanted=wanted, **facts).troubles
    drafts.save_company(
        application=draft, name="Sample Software House (Pvt) Ltd", company_number="0000482", ntn="", **facts
    )
    drafts.save_contact(application=draft, name="Network manager", mobile="+923001234520", **facts)
    parts.attach_document(application=draft, rule="incorporation", name="letter.pdf", content=a_pdf(), **facts)
    for endpoint in list(applications.endpoints_of(draft))[:proved]:
        network = endpoint.network
        challenge = challenges.open_challenge(
            subject=endpoint.subject, block=network, method="link", valid_for=DAY * 7, now=NOW
        )
        challenges.open_link(token=proofs.link_token(challenge), address=network.network_address, now=NOW)
    Challenge.objects.filter(status="pending").update(status="withdrawn", closed_at=NOW)
    application = Application.objects.get(pk=draft.pk)
    sent = sending.submit_application(application=application, policy=policy.current(None), **facts)
    workflow.open_checks(NOW)
    # A step answers a thousand checks at a time.
    workflow.answer_checks(NOW)
    workflow.decide_what_is_answered(NOW)
    case = queries.case_of(sent)
    assert case is not None
    return case


def links_to_addresses(html: str) -> list[str]:
    return re.findall(r'href="(/desk/cases/[^/"]+/addresses/[0-9a-f-]{36}/)"', html)


def url(case: Case, name: str = "addresses", **more: object) -> str:
    return reverse(f"decide:{name}", kwargs={"reference": case.application.reference, **more})


@pytest.fixture
def the_time(time_machine: Any) -> None:
    time_machine.move_to(NOW + HOUR, tick=False)


@pytest.fixture(scope="module", autouse=True)
@known_networks()
def built(shared: None) -> Case:
    return a_case_of(MANY, proved=PROVED)


@pytest.fixture
def case(built: Case, db: None, the_time: None) -> Case:
    return queries.case_of(built.application) or pytest.fail("there is no case")


@pytest.fixture
def client(officer: User) -> Client:
    return signed_in(officer)


class TestGroups:
    @given(st.lists(st.sampled_from(["ok", "bad", "wait", "off"])))
    def test_go_by_the_worst_that_was_found(self, tones: list[str]) -> None:
        group = addresses.group_of(tones)
        assert (group == "failed") == ("bad" in tones)
        assert (group == "passed") == (set(tones) <= {"ok", "off"})

    @given(st.lists(st.sampled_from(["passed", "failed", "waiting"]), max_size=60), st.integers(0, 25))
    def test_count_all_and_show_the_first_what_failed_in_front(self, outcomes: list[str], most: int) -> None:
        endpoints = [SimpleNamespace(subject=f"endpoint:{number}") for number in range(len(outcomes))]
        checks = [
            SimpleNamespace(target=endpoint.subject, outcome=outcome, required=True)
            for endpoint, outcome in zip(endpoints, outcomes, strict=True)
        ]
        found = addresses.in_order(endpoints, checks, "en")  # type: ignore[arg-type]
        groups = addresses.first_of(found, most)
        assert {str(group.name): group.total for group in groups} == {
            name: outcomes.count(name) for name in set(outcomes)
        }
        shown = [row for group in groups for row in group.rows]
        assert shown == found[:most]
        assert [group.has_more for group in groups] == [group.total > len(group.rows) for group in groups]


class TestTheCase:
    @pytest.mark.whole
    def test_of_500_addresses_is_a_page_that_a_phone_can_load(
        self, the_time: None, officer: User, django_assert_max_num_queries: Any
    ) -> None:
        case = assignment.take_case(case=a_case_of(500), officer=officer, now=NOW)
        for language in ("en", "ur"):
            client = signed_in(officer, language)
            with django_assert_max_num_queries(60):
                answer = client.get(page(case))
            assert len(answer.content) < 150_000
            assert len(links_to_addresses(answer.text)) == addresses.SHOWN
            assert "500" in answer.text and url(case) + "?group=failed" in answer.text
            queue = client.get(reverse("decide:queue"))
            assert len(queue.content) < 30_000 and ": 500<" in queue.text
            assert len(client.get(url(case)).content) < 150_000

    def test_shows_what_failed_in_front_and_counts_the_rest(self, case: Case, client: Client) -> None:
        html = client.get(page(case)).text
        assert len(links_to_addresses(html)) == addresses.SHOWN
        assert f"{UNPROVED} addresses" in html and f"{PROVED} addresses" in html and f"See all {UNPROVED}" in html
        assert html.count("<details") < 12
        assert "Branch " not in html

    def test_of_a_few_addresses_shows_them_whole(self, the_time: None, client: Client) -> None:
        html = client.get(page(a_case_of(addresses.FEW))).text
        assert links_to_addresses(html) == []
        assert html.count("203.0.113.1<") + html.count("203.0.113.1 ") > 1
        # What the holder calls an address is for the holder alone.
        assert "Branch 0" not in html

    def test_tells_the_proofs_of_many_addresses_in_one_line(self, case: Case, client: Client) -> None:
        html = client.get(page(case)).text
        assert html.count("Address proved") <= 1
        client.get(page(case))
        assert "File opened (3 times)" in client.get(page(case)).text


class TestTheList:
    def test_has_each_address_once_page_by_page(
        self, case: Case, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(views, "A_PAGE", PER_PAGE)
        pages = [client.get(url(case), {"page": number}).text for number in (1, 2, 3)]
        shown = [links_to_addresses(each) for each in pages]
        assert [len(each) for each in shown] == [PER_PAGE, PER_PAGE, 4]
        assert len({link for each in shown for link in each}) == MANY
        assert f"Rows 21 to {MANY} of {MANY}" in pages[2] and "Next rows" not in pages[2]

    @pytest.mark.parametrize(
        ("group", "count"), [("failed", UNPROVED), ("waiting", 0), ("passed", PROVED), ("", MANY), ("x", MANY)]
    )
    def test_shows_one_group(self, case: Case, client: Client, group: str, count: int) -> None:
        html = client.get(url(case), {"group": group}).text
        assert len(links_to_addresses(html)) == count
        assert ("No address matches" in html) == (count == 0)

    def test_finds_by_address_and_not_by_what_the_holder_calls_it(self, case: Case, client: Client) -> None:
        assert len(links_to_addresses(client.get(url(case), {"q": "198.51.100.7"}).text)) == 1
        for nowhere in ("\0nowhere", "branch 23"):
            assert "No address matches" in client.get(url(case), {"q": nowhere}).text

    @pytest.mark.parametrize("name", ["addresses", "addresses_table"])
    def test_is_for_officers_and_on_record(self, case: Case, officer: User, name: str) -> None:
        for person in (a_person(), case.application.applicant):
            assert signed_in(person).get(url(case, name)).status_code == 403
        before = journal.reads_of([case.application.subject]).count()
        assert signed_in(officer).get(url(case, name)).status_code == 200
        assert journal.reads_of([case.application.subject]).count() == before + 1


class TestTheTable:
    def test_has_every_address_with_what_was_found(self, case: Case, client: Client) -> None:
        answer = client.get(url(case, "addresses_table"))
        assert answer["Content-Disposition"].endswith('-addresses.csv"')
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert {row["Address"] for row in rows} == set(numbered(MANY))
        known = next(row for row in rows if row["Address"] == "203.0.113.1")
        assert known["Control of the address"] == "Passed" and known["What was found"] == ""
        other = next(row for row in rows if row["Address"] == "198.51.100.1")
        assert other["Control of the address"] == "Failed" and "198.51.100.1 was not proved" in other["What was found"]
        assert "<" not in answer.text

    def test_holds_no_formula(self, the_time: None, client: Client) -> None:
        case = a_case_of(addresses.FEW + 1, labels="=1+1")
        told = [client.get(url(case, name)).text for name in ("case", "addresses", "addresses_table")]
        told.append(client.get(url(case, "addresses"), {"q": "=1+1"}).text)
        one = case.application.endpoints.first()
        told.append(client.get(reverse("decide:address", args=[case.application.reference, one.pk])).text)
        assert not [page for page in told if "1+1 " in page]


class TestMany:
    def given(self, **more: str) -> dict[str, str]:
        return {"kind": "control", "outcome": "passed", "how": "All bills seen"} | more

    def test_are_recorded_with_one_finding(self, case: Case, client: Client, officer: User) -> None:
        assignment.take_case(case=case, officer=officer, now=NOW)
        assert f"Control of the address: {UNPROVED}" in client.get(url(case)).text
        answer = client.post(url(case, "record_checks"), self.given(), follow=True)
        assert f"Recorded for {UNPROVED} addresses." in answer.text
        assert not answer.text.count("Control of the address: ")
        found = [one for one in check_queries.checks_of(case.application.subject) if one.kind == "control"]
        assert {one.outcome for one in found} == {"passed"}
        assert sum(one.how == "All bills seen" for one in found) == UNPROVED, (
            "what had passed by itself stays as it was"
        )
        assert f"A check was recorded by hand ({UNPROVED} times)" in client.get(page(case)).text

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"kind": ""}, "Choose a check."),
            ({"kind": "roster"}, "Choose a check."),
            ({"outcome": ""}, "Choose what you found."),
            ({"how": " "}, "Enter how you found out."),
        ],
        ids=["none", "of no address", "outcome", "how"],
    )
    def test_need_a_check_an_outcome_and_words(
        self, case: Case, client: Client, officer: User, more: dict[str, str], said: str
    ) -> None:
        assignment.take_case(case=case, officer=officer, now=NOW)
        answer = client.post(url(case, "record_checks"), self.given(**more))
        assert answer.status_code == 422 and said in answer.text
        assert not any(one.finding == "by_hand" for one in check_queries.checks_of(case.application.subject))

    def test_are_not_recorded_in_the_case_of_another(self, case: Case, client: Client, second: User) -> None:
        assignment.take_case(case=case, officer=second, now=NOW)
        assert "Record by hand" not in client.get(url(case)).text
        client.post(url(case, "record_checks"), self.given())
        assert not any(one.finding == "by_hand" for one in check_queries.checks_of(case.application.subject))


class TestOne:
    def failed(self, case: Case) -> tuple[str, str]:
        """An address whose control was not shown: its page, and where that check is recorded."""
        check = next(
            one
            for one in check_queries.checks_of(case.application.subject)
            if one.kind == "control" and one.outcome == "failed"
        )
        endpoint = subjects.endpoint_by_subject(check.target)
        assert endpoint is not None
        return url(case, "address", endpoint=endpoint.pk), url(case, "record_check", check=check.pk)

    def test_shows_all_that_was_found_and_takes_what_an_officer_found(
        self, case: Case, client: Client, officer: User
    ) -> None:
        assignment.take_case(case=case, officer=officer, now=NOW)
        place, record = self.failed(case)
        assert "was not proved in time" in client.get(place).text and record in client.get(place).text
        answer = client.post(record, {"outcome": "passed"})
        assert answer.status_code == 422
        assert "Enter how you found out." in answer.text and "<title>Error:" in answer.text
        answer = client.post(record, {"outcome": "passed", "how": "Bill seen"})
        assert answer["Location"] == place
        assert "Bill seen" in client.get(place).text

    def test_of_another_case_is_not_there(self, case: Case, client: Client) -> None:
        other = a_case().application.endpoints.get()
        assert client.get(url(case, "address", endpoint=other.pk)).status_code == 404

    def test_is_good_urdu(self, case: Case, officer: User) -> None:
        assignment.take_case(case=case, officer=officer, now=NOW)
        client = signed_in(officer, "ur")
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ur"
        place, record = self.failed(case)
        pages = [client.get(each).text for each in (page(case), url(case), url(case) + "?q=nowhere", place)]
        pages += [client.post(record, {}).text, client.post(url(case, "record_checks"), {}).text]
        assert [str(problem) for text in pages for problem in urdu.page_problems(text)] == []


class TestNumbers:
    def test_that_a_check_speaks_of_stand_among_the_facts(self, client: Client, the_time: None) -> None:
        case = a_case_of(1)
        case.application.ntn = "0000731"
        case.application.save(update_fields=["ntn"])
        page = client.get(url(case, "case")).text
        assert "Tax number (NTN)" in page and "0000731" in page
