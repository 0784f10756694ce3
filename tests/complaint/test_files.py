"""Files that come with a complaint: by the link of the letter, before anybody is asked, gone with it. And a name."""

import datetime as dt
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import queries as applications
from rahdari.apply import rules as limits
from rahdari.apply.models import Application, Document
from rahdari.complaint import actions, queries
from rahdari.complaint.models import Complaint
from rahdari.complaint.rules import Answer, State
from rahdari.decide import queue_columns
from rahdari.decide.models import Case
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people.models import Role, User
from rahdari.register.models import Registration
from rahdari.vault import files
from rahdari.workflow import retention
from tests.builders import story
from tests.builders.drafts import a_pdf, a_photo
from tests.builders.programs import Program
from tests.urdu import page_problems

from .test_pages import CORRECTION, MISUSE, report, visitor

pytestmark = pytest.mark.django_db
SENDER = "stranger@sender.example"
DAY = dt.timedelta(days=1)


@pytest.fixture
def granted(db: None) -> Application:
    return story.a_granted_application(story.a_person())


@pytest.fixture
def registration(granted: Application) -> Registration:
    return story.registration_of(granted)


def a_file(content: bytes, name: str = "Sample Sender.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def link_of(complaint: Complaint) -> str:
    """What the letter of the receipt leads to."""
    letter = Letter.objects.get(about=complaint.subject, template="complaint_received")
    found = re.search(r"/complaints/\S+/files/\w+/", letter.text)
    assert found is not None
    return found[0]


def reported(number: str, language: str = "en", **more: Any) -> tuple[Complaint, Client, str]:
    """Sent with files to follow: with the sender's browser, and the link of the letter."""
    client = visitor(language)
    given = report(number, email=SENDER, with_files="on", **more)
    assert client.post(MISUSE, given).status_code == 302
    complaint = Complaint.objects.latest("sent_at")
    return complaint, client, link_of(complaint)


def looked_up(now: dt.datetime | None = None) -> list[Complaint]:
    actions.look_up(now=now or timezone.now())
    return list(queries.complaints())


class TestTheSender:
    def test_adds_files_by_the_letter_alone_until_they_say_that_it_was_all(self, registration: Registration) -> None:
        complaint, client, link = reported(registration.reference)
        receipt = client.get(reverse("complaint:receipt", args=[complaint.receipt, queries.token_of(complaint)]))
        assert "open the link in our letter" in receipt.text and link not in receipt.text
        for purpose in (queries.LINK, queries.CONFIRMS):
            wrong = reverse("complaint:files", args=[complaint.receipt, queries.token_of(complaint, purpose)])
            assert client.get(wrong).status_code == 404
        assert client.post(link, {"add": "1"}).status_code == 422
        page = client.post(link, {"add": "1", "file": [a_file(a_pdf()), a_file(a_pdf())]}, follow=True).text
        assert page.count("Received, readable") == 1 and "Sample Sender.pdf" in page
        # Nobody is asked while files may come.
        assert [each.case for each in looked_up()] == [None]
        receipt = client.post(link, {"end": "1", "file": [a_file(a_photo(), "shop.jpg")]})
        assert client.get(link).headers["Location"] == receipt.headers["Location"]
        assert len(applications.papers_of(complaint.papers)) == 2
        assert [each.registration for each in looked_up()] == [registration]
        assert client.post(link, {"add": "1", "file": [a_file(a_pdf(2))]}).status_code == 302
        assert len(applications.papers_of(complaint.papers)) == 2

    def test_who_says_nothing_more_waits_three_days_and_no_longer(self, registration: Registration) -> None:
        complaint, _client, _link = reported(registration.reference)
        assert complaint.files_until is not None and complaint.received_at is not None
        assert complaint.files_until - complaint.received_at == actions.FILES_WITHIN
        with pytest.raises(DatabaseError), transaction.atomic():
            Complaint.objects.filter(pk=complaint.pk).update(looked_up_at=complaint.received_at)
        assert looked_up(complaint.files_until - DAY)[0].case is None
        assert looked_up(complaint.files_until)[0].registration == registration

    def test_reads_the_same_whether_something_is_registered_or_not(self, registration: Registration) -> None:
        pages = []
        for number in (registration.reference, "RD-4F7K-92MQ"):
            complaint, client, link = reported(number)
            client.post(link, {"end": "1", "file": [a_file(a_pdf())]})
            actions.look_up(now=timezone.now())
            pages.append(client.get(link, follow=True).text.replace(complaint.receipt, ""))
        assert len({re.sub(r'[a-z2-7]{26}|nonce="[^"]*"|value="[\w-]+"', "", page) for page in pages}) == 1

    def test_without_an_email_address_has_none(self) -> None:
        answer = visitor().post(MISUSE, report("RD-4F7K-92MQ", with_files="on"))
        assert answer.status_code == 422 and "by the link that we send there" in answer.text
        with pytest.raises(actions.ReasonNeeded):
            given = {"kind": "misuse", "about": "sold_on", "target": "RD-4F7K-92MQ", "words": "Sold."}
            actions.send(id=Complaint().pk, with_files=True, language="en", now=timezone.now(), **given)

    def test_has_so_many_and_nobody_fills_the_disk(
        self, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        _complaint, client, link = reported("RD-4F7K-92MQ")
        monkeypatch.setattr(actions, "MOST_FILES", 1)
        client.post(link, {"add": "1", "file": [a_file(a_pdf())]})
        answer = client.post(link, {"add": "1", "file": [a_file(a_pdf(2)), a_file(b"GIF89a", "a.gif")]})
        assert answer.status_code == 422 and "1 file is here already" in answer.text and "a.gif" in answer.text
        monkeypatch.setattr(limits, "MOST_BYTES_FROM_OTHERS", 1)
        assert "There is no room for more files now" in client.post(link, {"file": [a_file(a_pdf(3))]}).text
        paper = Document.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            client.post(link, {"remove": str(paper.pk)})
        with pytest.raises(files.FileMissing):
            applications.content_of(paper)
        assert "Received, readable" not in client.get(link).text


class TestAReport:
    @pytest.fixture
    def complaint(self, registration: Registration) -> Complaint:
        _complaint, client, link = reported(registration.reference)
        client.post(link, {"end": "1", "file": [a_file(a_pdf())]})
        [found] = looked_up()
        return found

    def test_is_answered_by_who_has_seen_it(self, granted: Application, complaint: Complaint) -> None:
        holder, [paper] = visitor(user=granted.applicant), queries.papers_of(complaint)
        page = holder.get(reverse("portal:complaint", args=[granted.reference, complaint.reference])).text
        place = reverse("portal:complaint_file", args=[granted.reference, complaint.reference, paper.pk])
        assert place in page and "Sample Sender" not in page and "X4" in page
        shown = holder.get(place)
        assert shown.content.startswith(b"%PDF") and "frame-ancestors 'self'" in shown["Content-Security-Policy"]
        assert "Sample" not in shown["Content-Disposition"]
        assert visitor(user=story.a_person()).get(place).status_code == 404
        program = Program(granted.applicant)
        [told] = program.get(f"/applications/{granted.reference}/complaints").said["items"]
        assert (told["files"][0]["id"], told["codes"]) == (str(paper.pk), ["S5", "X4"])
        one = f"/applications/{granted.reference}/complaint-files"
        assert program.get(f"{one}/{paper.pk}").content == shown.content
        assert program.get(f"{one}/{granted.pk}").status_code == 404

    def test_shows_the_officer_each_file_and_says_so(
        self, granted: Application, registration: Registration, complaint: Complaint
    ) -> None:
        desk, [paper] = visitor(user=story.an_officer()), queries.papers_of(complaint)
        actions.answer(complaint=complaint, words="It is mine.", actor="person:x", now=timezone.now())
        visitor().post(MISUSE, report(registration.reference, words="I saw it, too."))
        looked_up()
        place = reverse("complaint:complaint", args=[complaint.reference])
        page = desk.get(place, {"paper": str(paper.pk)}).text
        file = reverse("complaint:paper", args=[complaint.reference, paper.pk])
        assert f'src="{file}' in page and "Sample Sender" not in page
        assert "I saw it, too." in page and "It came after the holder’s answer" in page
        before = [row.act for row in journal.about(granted.subject)].count("apply.read_document")
        assert desk.get(file).status_code == 200
        assert [row.act for row in journal.about(granted.subject)].count("apply.read_document") == before + 1
        assert visitor(user=story.an_officer(role=Role.ACCOUNTS)).get(file).status_code == 403
        # Whoever holds it reads what others say, too.
        holder = visitor(user=granted.applicant)
        own = holder.get(reverse("portal:complaint", args=[granted.reference, complaint.reference])).text
        assert "I saw it, too." in own and "Somebody says the same" in own

    def test_of_what_is_not_registered_is_read_on_record_too(self) -> None:
        _complaint, client, link = reported("RD-4F7K-92MQ")
        client.post(link, {"end": "1", "file": [a_file(a_pdf())]})
        [complaint] = looked_up()
        [paper] = queries.papers_of(complaint)
        file = reverse("complaint:paper", args=[complaint.reference, paper.pk])
        assert visitor(user=story.an_officer()).get(file).status_code == 200
        [read] = [row for row in journal.about(queries.ABOUT_NOBODY) if row.act == "apply.read_document"]
        assert read.ground == complaint.reference

    def test_that_was_not_upheld_goes_with_its_files(
        self, complaint: Complaint, django_capture_on_commit_callbacks: Any
    ) -> None:
        [paper], now = queries.papers_of(complaint), timezone.now()
        actions.answer(complaint=complaint, words="It is mine.", actor="person:x", now=now)
        actions.decide(complaint=complaint, officer=story.an_officer(), outcome="not_founded", why="Mine.", now=now)
        assert complaint.due_at is not None
        actions.tell(now=complaint.due_at)
        with django_capture_on_commit_callbacks(execute=True):
            retention.erase_complaints(now=complaint.due_at + 91 * DAY)
        with pytest.raises(files.FileMissing):
            applications.content_of(paper)
        paper.refresh_from_db()
        assert paper.erased_at is not None and paper.name == ""


class TestTheAnswer:
    @pytest.fixture
    def complaint(self, registration: Registration) -> Complaint:
        visitor().post(MISUSE, report(registration.reference))
        [found] = looked_up()
        return found

    def place(self, granted: Application, complaint: Complaint) -> str:
        return reverse("portal:complaint", args=[granted.reference, complaint.reference])

    def test_has_files_that_whoever_decides_reads_once_it_is_sent(
        self, granted: Application, complaint: Complaint
    ) -> None:
        holder, desk = visitor(user=granted.applicant), visitor(user=story.an_officer())
        place = self.place(granted, complaint)
        page = holder.post(place, {"add": "1", "answer": "It is mi", "file": [a_file(a_pdf()), a_file(a_pdf())]})
        assert page.status_code == 200 and page.text.count("Received, readable") == 1 and "It is mi" in page.text
        [paper] = queries.answer_papers_of(complaint)
        file = reverse("complaint:paper", args=[complaint.reference, paper.pk])
        case = reverse("complaint:complaint", args=[complaint.reference])
        assert desk.get(file).status_code == 404 and str(paper.pk) not in desk.get(case).text
        assert holder.post(place, {"answer": "", "file": [a_file(b"GIF89a", "a.gif")]}).status_code == 422
        sent = holder.post(place, {"answer": "It is mine.", "file": [a_file(a_photo(), "bill.jpg")]}, follow=True)
        assert "Your answer has arrived" in sent.text and "bill.jpg" in sent.text
        shown = desk.get(case, {"paper": str(paper.pk)})
        assert f'src="{file}' in shown.text and "File of the holder" in shown.text and "Sample Sender" not in shown.text
        assert desk.get(file).content.startswith(b"%PDF")
        assert "apply.read_document" in [row.act for row in journal.about(granted.subject)]

    def test_has_files_that_nobody_else_reads(self, granted: Application, complaint: Complaint) -> None:
        holder, place = visitor(user=granted.applicant), self.place(granted, complaint)
        holder.post(place, {"answer": "It is mine.", "file": [a_file(a_pdf())]})
        [paper] = queries.answer_papers_of(complaint)
        own = reverse("portal:complaint_file", args=[granted.reference, complaint.reference, paper.pk])
        file = reverse("complaint:paper", args=[complaint.reference, paper.pk])
        assert holder.get(own).status_code == 404 and holder.get(file).status_code == 403
        program = Program(granted.applicant)
        for each in ("complaint-files", "documents"):
            assert program.get(f"/applications/{granted.reference}/{each}/{paper.pk}").status_code == 404
        for stranger in (visitor(user=story.a_person()), visitor(user=story.an_officer(role=Role.ACCOUNTS))):
            assert stranger.get(file).status_code == 403 and stranger.get(own).status_code == 404
        receipt = reverse("complaint:receipt", args=[complaint.receipt, queries.token_of(complaint)])
        assert "Sample Sender.pdf" not in visitor().get(receipt).text

    def test_has_so_many_until_it_is_sent(
        self,
        granted: Application,
        complaint: Complaint,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        holder, place = visitor(user=granted.applicant), self.place(granted, complaint)
        monkeypatch.setattr(actions, "MOST_FILES", 1)
        holder.post(place, {"add": "1", "file": [a_file(a_pdf())]})
        assert "1 file is here already" in holder.post(place, {"add": "1", "file": [a_file(a_pdf(2))]}).text
        [paper] = queries.answer_papers_of(complaint)
        with django_capture_on_commit_callbacks(execute=True):
            assert "Received" not in holder.post(place, {"remove": str(paper.pk)}).text
        with pytest.raises(files.FileMissing):
            applications.content_of(paper)
        holder.post(place, {"answer": "It is mine."})
        late = holder.post(place, {"add": "1", "file": [a_file(a_pdf())]}, follow=True)
        assert "before. Nothing was changed." in late.text and not queries.answer_papers_of(complaint)

    def uploaded(self, program: Program, place: str) -> Any:
        return program.ask("post", place, data={"file": a_file(a_pdf())})

    def test_has_the_same_by_a_program(self, granted: Application, complaint: Complaint) -> None:
        program, one = Program(granted.applicant), f"/applications/{granted.reference}/complaints"
        place = f"{one}/{complaint.reference}/answer-files"
        kept = self.uploaded(program, place)
        assert kept.status_code == 201 and kept.said["name"] == "Sample Sender.pdf"
        [told] = program.get(one).said["items"]
        assert [each["id"] for each in told["answer_files"]] == [kept.said["id"]]
        assert program.delete(f"{place}/{granted.pk}").status_code == 404
        assert program.delete(f"{place}/{kept.said['id']}").status_code == 204
        assert program.post(f"{one}/{complaint.reference}/answer", {"answer": "It is mine."}).said["answer_files"] == []
        assert self.uploaded(program, place).status_code == 409

    def test_goes_with_the_complaint(
        self, granted: Application, complaint: Complaint, django_capture_on_commit_callbacks: Any
    ) -> None:
        given = {"answer": "It is mine.", "file": [a_file(a_pdf())]}
        visitor(user=granted.applicant).post(self.place(granted, complaint), given)
        [paper], now = queries.answer_papers_of(complaint), timezone.now()
        actions.decide(complaint=complaint, officer=story.an_officer(), outcome="not_founded", why="Mine.", now=now)
        assert complaint.due_at is not None
        actions.tell(now=complaint.due_at)
        with django_capture_on_commit_callbacks(execute=True):
            retention.erase_complaints(now=complaint.due_at + 91 * DAY)
        with pytest.raises(files.FileMissing):
            applications.content_of(paper)
        paper.refresh_from_db()
        assert paper.erased_at is not None and paper.name == ""

    def test_reads_well_in_urdu(self, granted: Application, complaint: Complaint) -> None:
        holder, place = visitor("ur", granted.applicant), self.place(granted, complaint)
        kept = holder.post(place, {"add": "1", "file": [a_file(a_pdf(), "a.pdf"), a_file(b"GIF89a", "a.gif")]})
        sent = holder.post(place, {"answer": "It is mine."}, follow=True)
        [paper] = queries.answer_papers_of(complaint)
        desk = visitor("ur", story.an_officer())
        shown = desk.get(reverse("complaint:complaint", args=[complaint.reference]), {"paper": str(paper.pk)})
        assert [problem for page in (kept, sent, shown) for problem in page_problems(page.text)] == []


class TestAName:
    def sent(self, name: str, **more: Any) -> Complaint:
        given = {"about": "name", "name": name, "words": "I never applied.", "email": SENDER} | more
        assert visitor().post(CORRECTION, given).status_code == 302
        complaint = Complaint.objects.latest("sent_at")
        actions.confirm(complaint=complaint, now=timezone.now())
        actions.look_up(now=timezone.now())
        return queries.complaints().get(pk=complaint.pk)

    def asked(self, complaint: Complaint, officer: User | None = None) -> Complaint:
        desk = visitor(user=officer or story.an_officer())
        place = reverse("complaint:complaint", args=[complaint.reference])
        assert "Ask the holder, if exactly one has this name" in desk.get(place).text
        desk.post(reverse("complaint:ask_holder", args=[complaint.reference]))
        return queries.complaints().get(pk=complaint.pk)

    def test_is_compared_whole_when_an_officer_asks_and_its_holder_is_asked(
        self, granted: Application, registration: Registration
    ) -> None:
        for part in (granted.name.split()[0], granted.name[:-1], "203.0.113.77 " + granted.name):
            assert self.asked(self.sent(part)).registration is None
        complaint, now = self.asked(self.sent(granted.name.upper())), timezone.now()
        assert complaint.registration == registration and complaint.holder_answer == Answer.ASKED
        assert complaint.answer_due_at is not None and complaint.answer_due_at > now + dt.timedelta(days=1)
        assert {"complaint.received", "complaint.compared_name"} <= {row.act for row in journal.about(granted.subject)}
        with pytest.raises(actions.NotPossibleNow):
            actions.ask_holder(complaint=complaint, officer=story.an_officer("Officer T"), now=now)

    def test_tells_a_holder_of_it_nothing_by_itself(self, granted: Application) -> None:
        """Whoever holds a registration in somebody else's name and complains of it reads the same, however many others
        have it."""
        before = Letter.objects.filter(to=granted.applicant).count()
        alone = self.sent(granted.name)
        other = story.a_granted_application(story.a_person())
        Case.objects.filter(application=other).update(words=queue_columns.whole_name(granted.name))
        two = self.sent(granted.name)
        assert [each.registration for each in (alone, two)] == [None, None]
        assert Letter.objects.filter(to=granted.applicant).count() == before

    def test_is_asked_of_by_nobody_who_sent_it_or_has_a_part(self, granted: Application) -> None:
        officer = story.an_officer()
        complaint = self.sent(granted.name, email=officer.email)
        visitor(user=officer).post(reverse("complaint:ask_holder", args=[complaint.reference]))
        assert queries.complaints().get(pk=complaint.pk).registration is None

    def test_that_contests_stays_a_complaint_of_its_own(self, granted: Application, registration: Registration) -> None:
        first = self.asked(self.sent(granted.name))
        again = self.sent(granted.name)
        actions.contest(complaint=again, officer=story.an_officer(), contested=True, now=timezone.now())
        again = self.asked(queries.complaints().get(pk=again.pk))
        assert (again.registration, again.part_of, again.contested_at is None) == (registration, None, False)
        assert first.part_of is None

    def test_that_several_have_leads_to_nobody(self, granted: Application) -> None:
        other = story.a_granted_application(story.a_person())
        Case.objects.filter(application__in=[granted, other]).update(words=queue_columns.whole_name("Sample Namesake"))
        complaint = self.asked(self.sent("Sample Namesake"))
        assert complaint.registration is None and complaint.state == State.OPEN
        page = visitor(user=story.an_officer()).get(reverse("complaint:complaint", args=[complaint.reference])).text
        assert "several holders or none have this name" in page and other.reference not in page

    def test_is_shown_by_files_for_the_officer_alone(self, granted: Application) -> None:
        assert "Send no picture of your identity card" in visitor().get(CORRECTION).text
        given = {"about": "name", "name": granted.name, "words": "I never applied.", "email": SENDER}
        client = visitor()
        sent = client.post(CORRECTION, given | {"with_files": "on"}, follow=True)
        assert "A second letter has the link, for 3 days." in sent.text
        complaint = Complaint.objects.get()
        token = queries.token_of(complaint, queries.CONFIRMS)
        page = client.post(reverse("complaint:confirm", args=[complaint.receipt, token]), follow=True)
        assert "Only the officers who decide see the files" in page.text
        client.post(page.redirect_chain[-1][0], {"end": "1", "file": [a_file(a_pdf())]})
        [complaint] = looked_up()
        [paper] = queries.papers_of(complaint)
        holder = visitor(user=granted.applicant)
        own = reverse("portal:complaint", args=[granted.reference, complaint.reference])
        assert "Files that came with it" not in holder.get(own).text
        assert holder.get(f"{own}files/{paper.pk}/").status_code == 404
        file = reverse("complaint:paper", args=[complaint.reference, paper.pk])
        assert visitor(user=story.an_officer()).get(file).status_code == 200


class TestInUrdu:
    def test_the_pages_of_files_read_well(self, granted: Application, registration: Registration) -> None:
        complaint, client, link = reported(registration.reference, "ur")
        pages = [
            client.get(reverse("complaint:receipt", args=[complaint.receipt, queries.token_of(complaint)])),
            client.post(link, {"add": "1", "file": [a_file(a_pdf())]}, follow=True),
            client.post(link, {"add": "1", "file": [a_file(b"GIF89a", "a.gif")]}),
            client.get(CORRECTION),
        ]
        client.post(link, {"end": "1"})
        [complaint] = looked_up()
        [paper] = queries.papers_of(complaint)
        desk, place = visitor("ur", story.an_officer()), reverse("complaint:complaint", args=[complaint.reference])
        own = reverse("portal:complaint", args=[granted.reference, complaint.reference])
        pages += [desk.get(place, {"paper": str(paper.pk)}), visitor("ur", granted.applicant).get(own)]
        assert [problem for page in pages for problem in page_problems(page.text)] == []
