"""The public pages, the holder's and the desk's, as they are used."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy
from rahdari.apply.models import Application
from rahdari.complaint import actions, queries
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import Outcome, State
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people.models import Role, User
from rahdari.register.models import Registration
from tests.builders import story
from tests.builders.programs import Program, problem
from tests.urdu import page_problems

pytestmark = pytest.mark.django_db
MISUSE, CORRECTION = "/complaints/misuse/", "/complaints/address/"


@pytest.fixture
def granted(db: None) -> Application:
    return story.a_granted_application(story.a_person())


@pytest.fixture
def registration(granted: Application) -> Registration:
    return story.registration_of(granted)


def visitor(language: str = "en", user: User | None = None, **more: Any) -> Client:
    client = Client(headers={"accept-language": language}, **more)
    if user is not None:
        client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


def report(number: str, **more: str) -> dict[str, str]:
    return {"number": number, "about": "sold_on", "words": "It is on sale at a market.", **more}


def looked_up() -> Complaint:
    actions.look_up(now=timezone.now())
    return queries.complaints().get()


def text_of(page: bytes) -> str:
    """Without what is another on each page: the number, the link, the day."""
    plain = re.sub(r"C-\w{4}-\w{4}|[a-z2-7]{26}|value=\"[\w-]+\"", "", page.decode())
    return re.sub(r"nonce=\"[^\"]*\"", "", plain)


class TestAVisitor:
    def test_reports_without_an_account_and_keeps_the_receipt(self, registration: Registration) -> None:
        client = visitor()
        answer = client.post(MISUSE, report(registration.reference), follow=True)
        page = answer.content.decode()
        assert "We have your complaint" in page and registration.reference not in page
        assert answer.headers["X-Robots-Tag"] == "noindex"
        complaint = looked_up()
        assert complaint.is_anonymous and complaint.registration == registration

    def test_reads_the_same_whether_the_number_is_registered_or_not(self, registration: Registration) -> None:
        client = visitor()
        pages = [client.post(MISUSE, report(each), follow=True) for each in (registration.reference, "RD-4F7K-92MQ")]
        actions.look_up(now=timezone.now())
        after = [client.get(page.redirect_chain[-1][0]) for page in pages]
        for first, second in (pages, after):
            assert first.status_code == second.status_code == 200
            assert text_of(first.content) == text_of(second.content)
        assert "We do not tell who is registered." in client.get(MISUSE).content.decode()

    def test_loses_nothing_that_was_typed(self) -> None:
        answer = visitor().post(
            MISUSE, {"number": "RD-1", "words": "It is on sale.", "public_body": "Sample Authority"}
        )
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Enter the number as on the certificate" in page and "Choose what happened." in page
        assert "Enter the file number of the public body." in page
        assert "It is on sale." in page and "Sample Authority" in page
        assert not Complaint.objects.exists()

    def test_who_presses_twice_has_sent_one(self, registration: Registration) -> None:
        client = visitor()
        form = client.get(MISUSE).content.decode()
        key = re.search(r'name="key" value="([^"]+)"', form)
        assert key is not None
        places = {client.post(MISUSE, report(registration.reference, key=key[1])).headers["Location"] for _ in "ab"}
        assert len(places) == 1 and Complaint.objects.count() == 1

    def test_who_sends_very_many_is_asked_to_wait_and_loses_nothing(self) -> None:
        client = visitor()
        for _each in range(5):
            assert client.post(MISUSE, report("RD-4F7K-92MQ")).status_code == 302
        answer = client.post(MISUSE, report("RD-4F7K-92MQ"))
        page = answer.content.decode()
        assert answer.status_code == 429 and "Nothing is lost" in page and "It is on sale at a market." in page

    def test_strangers_keep_nobody_elsewhere_from_complaining(self) -> None:
        given = report("RD-4F7K-92MQ", email="known@reader.example")
        for number in range(10):
            stranger = visitor(REMOTE_ADDR=f"192.0.2.{number % 2 + 66}")
            assert stranger.post(MISUSE, given).status_code == 302
        assert visitor(REMOTE_ADDR="192.0.2.68").post(MISUSE, given).status_code == 429
        assert visitor().post(MISUSE, given).status_code == 302

    def test_says_whose_the_address_is_from_that_address(self, granted: Application) -> None:
        block = granted.endpoints.get().block
        client = visitor(REMOTE_ADDR=str(block.network_address))
        form = client.get(CORRECTION).content.decode()
        assert str(block.network_address) in form
        given = {"about": "address", "words": "It is my line.", "seen": str(block)}
        elsewhere = visitor(REMOTE_ADDR="192.0.2.9").post(CORRECTION, given)
        assert elsewhere.status_code == 422 and "Your address has changed" in elsewhere.content.decode()
        assert client.post(CORRECTION, given).status_code == 302
        assert looked_up().registration == story.registration_of(granted)

    def test_confirms_an_email_address_by_the_letter_alone(self, registration: Registration) -> None:
        client = visitor()
        given = {"about": "entry", "number": registration.reference, "words": "It names my firm."}
        answer = client.post(CORRECTION, given)
        assert answer.status_code == 422 and "Enter your email address" in answer.content.decode()
        page = client.post(CORRECTION, {**given, "email": "stranger@sender.example"}, follow=True).content.decode()
        assert "Confirm your email address" in page and "It comes from me" not in page
        complaint = Complaint.objects.get()
        letter = Letter.objects.get(about=complaint.subject)
        link = re.search(r"/complaints/\S+/confirm/\w+/", letter.text)
        assert link is not None
        assert "It comes from me" in client.get(link[0]).content.decode()
        assert Complaint.objects.get().state == State.UNCONFIRMED
        assert "We have your complaint" in client.post(link[0], follow=True).content.decode()
        assert looked_up().registration == registration

    def test_with_a_wrong_link_finds_nothing(self) -> None:
        visitor().post(MISUSE, report("RD-4F7K-92MQ"))
        complaint = Complaint.objects.get()
        for name, purpose in (("receipt", queries.CONFIRMS), ("confirm", queries.LINK)):
            place = reverse(f"complaint:{name}", args=[complaint.reference, queries.token_of(complaint, purpose)])
            assert visitor().get(place).status_code == 404

    def test_is_not_told_that_what_is_needed_is_optional(self) -> None:
        label = r'<label class="label" for="id_%s">[^<]*(<span class="quiet">\(optional\))?'
        pages = {place: visitor().get(place).text for place in (MISUSE, CORRECTION)}
        for place, field, is_optional in (
            (CORRECTION, "email", False),
            (CORRECTION, "number", False),
            (MISUSE, "body_reference", False),
            (MISUSE, "email", True),
        ):
            found = re.search(label % field, pages[place])
            assert found is not None and bool(found[1]) == is_optional, (place, field)

    @pytest.mark.parametrize(("rules", "span"), [("pakistan", "90 days"), ("declaration", "30 days")])
    def test_reads_how_long_it_is_kept(self, rules: str, span: str, settings: Any, tmp_path: Path) -> None:
        settings.POLICY_FILE = tmp_path / "in-force.toml"
        settings.POLICY_FILE.write_bytes(policy.SHIPPED[rules].read_bytes())
        for place in (MISUSE, CORRECTION):
            assert f"your files {span} after the answer" in visitor().get(place).text

    def test_finds_the_one_form_from_the_other(self) -> None:
        for place, other in ((MISUSE, CORRECTION), (CORRECTION, MISUSE)):
            page = visitor().get(place).text
            assert f'href="{other}"' in page[: page.index("<form class")]

    def test_finds_the_pages_from_the_check_the_help_and_the_foot(self) -> None:
        for place in ("/check/", "/help/"):
            page = visitor().get(place).content.decode()
            assert f'href="{MISUSE}"' in page and f'href="{CORRECTION}"' in page
        assert f'href="{CORRECTION}"' in visitor().get("/privacy/").content.decode()


class TestTheHolder:
    def test_reads_what_is_said_and_answers(self, granted: Application, registration: Registration) -> None:
        visitor().post(MISUSE, report(registration.reference, email="stranger@sender.example"))
        complaint = looked_up()
        holder = visitor(user=granted.applicant)
        place = reverse("portal:complaint", args=[granted.reference, complaint.reference])
        for leads in (reverse("portal:home"), reverse("portal:registration", args=[registration.reference])):
            assert place in holder.get(leads).content.decode()
        page = holder.get(place).content.decode()
        assert "It is on sale at a market." in page and "stranger@sender.example" not in page
        assert holder.post(place, {"answer": ""}).status_code == 422
        assert "Your answer has arrived" in holder.post(place, {"answer": "It is mine."}, follow=True).content.decode()
        assert "before. Nothing was changed." in holder.post(place, {"answer": "No."}, follow=True).content.decode()
        assert Complaint.objects.get().answer == "It is mine."

    def test_is_nobody_else(self, granted: Application, registration: Registration) -> None:
        visitor().post(MISUSE, report(registration.reference))
        place = reverse("portal:complaint", args=[granted.reference, looked_up().reference])
        stranger = visitor(user=story.a_person())
        assert stranger.get(place).status_code == stranger.post(place, {"answer": "Mine."}).status_code == 404


class TestAProgramOfTheHolder:
    def test_reads_and_answers_it_once(self, granted: Application, registration: Registration) -> None:
        visitor().post(MISUSE, report(registration.reference, email="stranger@sender.example"))
        complaint = looked_up()
        program, one = Program(granted.applicant), f"/applications/{granted.reference}/complaints"
        [told] = program.get(one).said["items"]
        assert (told["number"], told["state"], told["decision"]) == (complaint.reference, "open", None)
        assert "stranger" not in str(told)
        place = f"{one}/{complaint.reference}/answer"
        assert problem(program.post(place, {"answer": ""}), 422, "not-taken")
        assert program.post(place, {"answer": "It is mine."}).said["answer"] == "It is mine."
        assert problem(program.post(place, {"answer": "No."}), 409, "not-possible-now")["code"] == "decided"
        assert program.post(f"{one}/C-AAAA-AAAA/answer", {"answer": "It is mine."}).status_code == 404


class TestTheDesk:
    @pytest.fixture
    def complaint(self, registration: Registration) -> Complaint:
        visitor().post(MISUSE, report(registration.reference, about="false_statement"))
        return looked_up()

    def test_lists_by_number_and_names_nobody(self, granted: Application, complaint: Complaint) -> None:
        page = visitor(user=story.an_officer()).get(reverse("complaint:complaints")).content.decode()
        assert complaint.reference in page and "The holder still has time to answer" in page
        assert granted.holder_name not in page and granted.reference not in page

    def test_waits_for_the_holder_and_then_decides(self, granted: Application, complaint: Complaint) -> None:
        director = visitor(user=story.an_officer(rank="director", role=Role.OFFICER))
        place = reverse("complaint:complaint", args=[complaint.reference])
        assert "The holder answers first" in director.get(place).content.decode()
        actions.answer(complaint=complaint, words="It is genuine.", actor="person:x", now=timezone.now())
        page = director.get(place).content.decode()
        assert "It is genuine." in page and "Propose a revocation by X5" in page and "(optional)" not in page
        given = {"outcome": "founded", "why": "The register says so.", "code": "X5"}
        decide = reverse("complaint:decide", args=[complaint.reference])
        answer = director.post(decide, given)
        assert answer.status_code == 422 and "Name what shows it" in answer.content.decode()
        page = director.post(decide, {**given, "evidence": "The answer of the register."}, follow=True).content.decode()
        assert "A revocation was proposed" in page
        assert Complaint.objects.get().outcome == Outcome.FOUNDED
        assert "complaint.read" in [row.act for row in journal.about(granted.subject)]
        holder = visitor(user=granted.applicant).get(
            reverse("portal:complaint", args=[granted.reference, complaint.reference])
        )
        assert "The officer proposes to revoke the registration." in holder.content.decode()

    def test_is_closed_to_others(self, complaint: Complaint) -> None:
        for user in (story.a_person(), story.an_officer(role=Role.ACCOUNTS)):
            assert visitor(user=user).get(reverse("complaint:complaints")).status_code == 403

    def test_tells_on_the_day_of_the_receipt(self, complaint: Complaint) -> None:
        actions.answer(complaint=complaint, words="It is genuine.", actor="person:x", now=timezone.now())
        actions.decide(
            complaint=complaint, officer=story.an_officer(), outcome="not_founded", why="Genuine.", now=timezone.now()
        )
        place = reverse("complaint:receipt", args=[complaint.receipt, queries.token_of(complaint)])
        assert "We have your complaint" in visitor().get(place).content.decode()
        assert complaint.due_at is not None
        actions.tell(now=complaint.due_at + dt.timedelta(minutes=1))
        page = visitor().get(place).content.decode()
        assert (
            "We have finished checking your complaint" in page and "Not founded" not in page and "Genuine." not in page
        )
        assert "We do not tell who is registered." in page


class TestInUrdu:
    def test_every_page_reads_well(self, granted: Application, registration: Registration) -> None:
        stranger = visitor("ur")
        answer = stranger.post(MISUSE, report(registration.reference, public_body="X", body_reference="1"), follow=True)
        complaint = looked_up()
        officer, holder = visitor("ur", story.an_officer()), visitor("ur", granted.applicant)
        pages = [
            answer,
            stranger.get(MISUSE),
            stranger.get(CORRECTION),
            stranger.post(MISUSE, {}),
            stranger.post(CORRECTION, {"about": "company"}),
            stranger.post(
                CORRECTION,
                {"about": "entry", "words": "x", "number": "RD-4F7K-92MQ", "email": "a@b.example"},
                follow=True,
            ),
            officer.get(reverse("complaint:complaints")),
            officer.get(reverse("complaint:complaint", args=[complaint.reference])),
            holder.get(reverse("portal:complaint", args=[granted.reference, complaint.reference])),
            holder.get(reverse("portal:registration", args=[registration.reference])),
        ]
        actions.answer(complaint=complaint, words="It is mine.", actor="person:x", now=timezone.now())
        pages.append(officer.get(reverse("complaint:complaint", args=[complaint.reference])))
        # Words in English begin at the left there, as a browser finds by their letters: not within a `bdi`.
        assert '<p dir="auto">It is on sale at a market.</p>' in pages[-1].text
        assert '<p dir="auto">It is mine.</p>' in pages[-1].text
        assert [problem for page in pages for problem in page_problems(page.content.decode())] == []
