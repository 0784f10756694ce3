"""Nobody gets from a name or an address to a file, but within a case or for a demand, and the holder reads it."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from rahdari.applicant.access_log import looks_at_application
from rahdari.apply.models import Application
from rahdari.decide import queue_columns, searching
from rahdari.decide.models import Case
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from tests.builders.cases import NOW, a_case, a_decided_application, a_person, an_officer

pytestmark = pytest.mark.django_db
DEMAND = {
    "number": "12/2026",
    "body": "A Tribunal",
    "provision": "s. 34",
    "day": date(2026, 11, 12).isoformat(),
    "signed_by": "Its registrar",
    "wanted": "Who applied.",
    "how_many": "one",
}
MISSING = {
    "number": "Give the number of the demand.",
    "body": "Say which public body demands it.",
    "provision": "Name the provision of the law.",
    "day": "Give the date of the demand.",
    "signed_by": "Say who signed it.",
    "wanted": "Say what it asks for.",
    "how_many": "Choose one of the two.",
}
RECORD = reverse("demand:new")


@pytest.fixture
def officer(time_machine: object) -> Iterator[User]:
    time_machine.move_to(NOW, tick=False)  # type: ignore[attr-defined]
    return an_officer()


@pytest.fixture
def desk(officer: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(officer)
    return client


@pytest.fixture
def decided(officer: User) -> Application:
    return a_decided_application(address="203.0.113.77")


def ask(desk: Client, asked: str, **demand: str) -> HttpResponse:
    """Record the demand, and ask for its one file."""
    recorded = desk.post(RECORD, DEMAND | demand)
    if recorded.status_code != 302:
        return recorded  # type: ignore[return-value]
    return desk.post(f"{recorded['Location']}file/", {"asked": asked})  # type: ignore[return-value]


def rows() -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(act="decide.read_search"))


class TestADemand:
    @pytest.mark.parametrize("by", ["203.0.113.77", "the name"])
    def test_finds_one_case_by_all_of_a_name_or_address(self, desk: Client, decided: Application, by: str) -> None:
        answer = ask(desk, decided.name if by == "the name" else by)
        page = answer.content.decode()
        assert decided.reference in page and '<div class="alert info" role="status">' in page
        (row,) = rows()
        assert (row.subject, row.reason) == (decided.subject, "demand")
        assert row.ground == "12/2026, A Tribunal, s. 34, 2026-11-12"
        assert decided.name not in str(row.detail) and "203.0.113.77" not in str(row.detail)

    def test_is_read_by_the_holder_of_what_was_found(self, desk: Client, decided: Application) -> None:
        ask(desk, "203.0.113.77")
        ask(desk, "203.0.113.77", number="13/2026")
        told = looks_at_application(decided, NOW)
        assert [each.why for each in told if "12/2026, A Tribunal, s. 34" in each.why] != []
        assert len([each for each in told if "found by the name or an address" in each.what]) == 2

    @pytest.mark.parametrize("left_out", sorted(DEMAND))
    def test_that_is_not_named_finds_nothing_and_leaves_nothing(
        self, desk: Client, decided: Application, left_out: str
    ) -> None:
        answer = ask(desk, "203.0.113.77", **{left_out: ""})
        assert answer.status_code == 422 and decided.reference not in answer.content.decode()
        assert MISSING[left_out] in answer.content.decode()
        assert rows() == []

    @pytest.mark.parametrize(
        "asked", ["203.0.113.*", "203.0.113.", "2001:db8:", "Sample*", "Sample ?", "%", "S_mple Freelancer", "..."]
    )
    def test_with_a_placeholder_is_told_that_it_finds_nothing(
        self, desk: Client, decided: Application, asked: str
    ) -> None:
        answer = ask(desk, asked)
        assert answer.status_code == 422 and "contains a placeholder" in answer.content.decode()
        assert rows() == []

    def test_finds_nothing_by_a_part_and_says_so(self, desk: Client, decided: Application) -> None:
        words = decided.name.split()
        for asked in ("203.0.113.0/24", "203.0.113.76/30", words[0], words[-1], decided.name[:-1], decided.name + " x"):
            page = ask(desk, asked).content.decode()
            assert decided.reference not in page, asked
            assert "Only whole names and whole addresses" in page, asked
        assert {row.subject for row in rows()} == {searching.NOBODY}

    def test_that_fits_two_holders_names_none(self, desk: Client, decided: Application) -> None:
        other = a_decided_application()
        Case.objects.filter(application=other).update(words=queue_columns.whole_name(decided.name))
        page = ask(desk, decided.name).content.decode()
        assert "More than one holder" in page
        assert decided.reference not in page and other.reference not in page
        assert [row.subject for row in rows()] == [searching.NOBODY]

    def test_names_nobody_in_the_record(self, desk: Client, decided: Application) -> None:
        for named in ({"body": f"On {decided.name}"[:60]}, {"number": "someone@mail.example"}):
            assert ask(desk, decided.name, **named).status_code == 422
        assert rows() == []

    def test_finds_no_open_case(self, desk: Client) -> None:
        case = a_case()
        assert case.application.reference not in ask(desk, case.application.name).content.decode()

    def test_finds_nothing_of_what_was_erased(self, desk: Client, decided: Application) -> None:
        Case.objects.filter(application=decided).update(words=[])
        decided.endpoints.all().delete()
        for asked in (decided.name, "203.0.113.77"):
            assert "Nothing found" in ask(desk, asked).content.decode()


class TestACase:
    def place(self, case: Case) -> str:
        return reverse("decide:search_from_case", args=[case.application.reference])

    def test_asks_for_what_stands_in_it_and_for_nothing_else(self, desk: Client, decided: Application) -> None:
        case = a_case(applicant=a_person())
        for asked in (decided.name, "203.0.113.77"):
            answer = desk.post(self.place(case), {"asked": asked})
            assert answer.status_code == 422 and decided.reference not in answer.content.decode()
        assert rows() == []
        Case.objects.filter(application=decided).update(words=queue_columns.whole_name(case.application.name))
        assert decided.reference in desk.post(self.place(case), {"asked": case.application.name}).content.decode()
        (row,) = rows()
        assert (row.subject, row.reason, row.detail["case"]) == (decided.subject, "case", str(case.pk))

    def test_finds_no_other_case_of_the_same_holder(self, desk: Client, decided: Application) -> None:
        case = a_case(applicant=decided.applicant)
        page = desk.post(self.place(case), {"asked": case.application.name}).content.decode()
        assert "Nothing found" in page and decided.reference not in page


class TestThePages:
    def test_ask_and_write_nothing_when_they_are_opened(self, desk: Client) -> None:
        assert desk.get(RECORD, DEMAND).status_code == 200
        assert rows() == []

    def test_of_the_queue_know_no_address(self, desk: Client) -> None:
        case = a_case()
        address = case.application.endpoints.get().address_text
        place = reverse("decide:queue")
        listed = desk.get(place).content.decode()
        assert case.application.reference in listed and address not in listed
        for asked in (address, "198.51.100.", "203.0.113.0/24", "Fr*"):
            found = desk.get(place, {"q": asked}).content.decode()
            assert case.application.reference not in found
            assert "An address or a placeholder finds nothing here." in found

    def test_need_a_ground_in_the_code_too(self, officer: User) -> None:
        with pytest.raises(ValueError):
            searching.search(officer=officer, asked="203.0.113.77", now=NOW)
