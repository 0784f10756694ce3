"""The desk as an association uses it, in both languages."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.attest import requests
from rahdari.attest.models import Attestation, MemberList, MembershipInquiry
from rahdari.attest.rules import Answer, Identifier
from rahdari.journal.models import JournalEntry as Row
from rahdari.people import actions as people
from tests import urdu
from tests.builders import story
from tests.builders.attestations import ASSOCIATION, OTHER, a_secretary, an_attestation

pytestmark = pytest.mark.django_db
MEMBERS = "/association/"


def until(days: int = 200) -> str:
    return (timezone.localdate() + dt.timedelta(days=days)).isoformat()


def form(**more: str) -> dict[str, str]:
    return {
        "number": "M-00731",
        "name": "Sample Freelancer 31",
        "identifier": "member@client.example",
        "claim": "freelancer",
        "method": "register",
        "valid_until": until(),
    } | more


class TestTheDesk:
    def test_shows_its_own_members_and_never_anothers(self, desk: Client) -> None:
        ours = an_attestation(name="Sample Freelancer 7")
        theirs = an_attestation(OTHER, name="Placeholder Studio")
        page = desk.get(MEMBERS).text
        assert "Sample Freelancer 7" in page and ours.number in page
        assert "Placeholder Studio" not in page and theirs.number not in page
        for name in ("attestation", "revoke"):
            assert desk.get(reverse(f"attest:{name}", args=[theirs.number])).status_code == 404
        assert (
            desk.post(
                reverse("attest:revoke", args=[theirs.number]), {"revocation": "left", "explanation": "x"}
            ).status_code
            == 404
        )
        assert Attestation.objects.get(pk=theirs.pk).revoked_at is None

    def test_finds_a_member_by_number_or_identifier(self, desk: Client) -> None:
        an_attestation(name="Sample Freelancer 7", number="M-777", identifier=Identifier("card", "3520212345671"))
        an_attestation(name="Sample Freelancer 8")
        for text in ("m777", "35202-1234567-1"):
            page = desk.get(MEMBERS, {"q": text}).text
            assert "Sample Freelancer 7" in page and "Sample Freelancer 8" not in page
        assert "Nobody was found" in desk.get(MEMBERS, {"q": "Sample"}).text

    def test_puts_each_look_at_names_on_record(self, desk: Client) -> None:
        found = an_attestation()
        desk.get(MEMBERS)
        desk.get(reverse("attest:attestation", args=[found.number]))
        acts = list(Row.objects.filter(actor=f"association:{ASSOCIATION}").order_by("id"))
        assert [row.act for row in acts][-2:] == ["attest.listed", "attest.read_attestation"]

    def test_pages_through_many(self, desk: Client) -> None:
        for _ in range(51):
            an_attestation()
        assert desk.get(MEMBERS, {"page": "1"}).text.count('<tr role="row"><th scope="row"') == 1
        for odd in ("-1", "99", "x", "²", "9" * 30):
            assert desk.get(MEMBERS, {"page": odd}).status_code == 200

    def test_speaks_urdu(self, client: Client) -> None:
        client.force_login(a_secretary())
        client.cookies["django_language"] = "ur"
        user = a_secretary(language="ur")
        people.set_language(user=user, language="ur")
        client.force_login(user)
        an_attestation()
        page = client.get(MEMBERS).text
        assert 'dir="rtl"' in page and "آپ کے ارکان" in page

    def test_is_nobodys_whose_association_the_policy_does_not_name(self, client: Client) -> None:
        client.force_login(a_secretary(OTHER))
        assert client.get(MEMBERS).status_code == 404


class TestOneMember:
    def test_is_attested_by_the_form_and_seen(self, desk: Client) -> None:
        answer = desk.post(reverse("attest:add"), form(), follow=True)
        assert "The member is attested." in answer.text
        found = Attestation.objects.get()
        assert "It is enough on its own: no letter is needed." in answer.text
        assert (found.member_number, found.claim) == ("M-00731", "freelancer")
        again = desk.post(reverse("attest:add"), form(), follow=True)
        assert "You attested this already. Nothing has changed." in again.text

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"number": ""}, "Enter the member number"),
            ({"number": "<b>"}, "A member number has 3 to 40 letters and digits."),
            ({"name": "12"}, "The name is missing, or has no letters."),
            ({"identifier": "12345678901"}, "This is not a card number (13 digits)"),
            ({"claim": "king"}, "Choose what you attest"),
            ({"method": ""}, "Say how you checked it"),
            ({"valid_until": "soon"}, "Enter the date like"),
            ({"valid_until": "2020-01-01"}, "This date is in the past. Give a later one."),
            ({"valid_until": "2099-01-01"}, "This date is too far ahead."),
        ],
    )
    def test_that_cannot_be_taken_is_told_and_nothing_typed_is_lost(
        self, desk: Client, given: dict[str, str], said: str
    ) -> None:
        answer = desk.post(reverse("attest:add"), form(**given))
        assert answer.status_code == 422 and said in answer.text and "There is a problem" in answer.text
        assert ("Sample Freelancer 31" in answer.text) or "name" in given
        assert not Attestation.objects.exists()

    def test_is_renewed_and_revoked_and_given_back(self, desk: Client) -> None:
        found = an_attestation()
        place = reverse("attest:attestation", args=[found.number])
        desk.post(place, {"valid_until": until(500)})
        found.refresh_from_db()
        assert found.valid_until.isoformat() == until(500)
        revoke = reverse("attest:revoke", args=[found.number])
        assert desk.post(revoke, {"revocation": "", "explanation": ""}).text.count("Choose why you revoke it") == 2
        assert "tell the member" not in desk.get(revoke).text, "nothing rests on it, so nobody is written to"
        page = desk.post(revoke, {"revocation": "left", "explanation": "The membership ended."}, follow=True).text
        assert "If a registration depends on it, its holder gets a letter" in page
        assert "No longer a member" in page and "The membership ended." in page
        assert "It is enough on its own" not in page, "it counts for nobody now"
        page = desk.post(reverse("attest:give_back", args=[found.number]), follow=True).text
        assert "The attestation is valid again." in page
        found.refresh_from_db()
        assert found.revoked_at is None


LIST = "member_number,name,identifier,valid_until\nM-1,Sample Freelancer 1,one@client.example,{day}\nM-1002,,x,{day}\n"


def upload(desk: Client, content: bytes | None = None, **more: str) -> object:
    file = SimpleUploadedFile("members.csv", content if content is not None else LIST.format(day=until()).encode())
    given = {"members": file, "claim": "freelancer", "method": "register", "checked": "on"} | more
    return desk.post(reverse("attest:upload"), given)


class TestAList:
    def test_is_looked_at_then_sent_and_what_is_wrong_comes_back_as_a_file(self, desk: Client) -> None:
        content = LIST.replace("M-1,", "M-1001,").format(day=until()).encode()
        place = upload(desk, content).headers["Location"]  # type: ignore[attr-defined]
        page = desk.get(place).text
        assert "1 member can be attested" in page and "The name is missing, or has no letters." in page
        assert not Attestation.objects.exists()
        page = desk.post(place, follow=True).text
        assert "1 member is attested." in page and "attested like this already" not in page
        desk.post(place)
        assert Attestation.objects.count() == 1
        answer = desk.get(f"{place}to-correct/")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [(row["member_number"], row["what_is_wrong"]) for row in rows] == [
            ("M-1002", "The name is missing, or has no letters.")
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "The file has no rows. Choose the file with your members."),
            (b"name\nx\n", "The first line must name the columns:"),
            (b"\xff\xfe\x00", "The file cannot be read. Save it as CSV (UTF-8) and choose it again."),
            (b"a" * 2_000_001, "The file is too big. Send your members in several files."),
            (
                b"member_number,name,identifier,valid_until\n" + b"1,2,3,4\n" * 5001,
                "The file has more than 5,000 rows. Send your members in several files.",
            ),
        ],
        ids=["empty", "columns", "bytes", "big", "rows"],
    )
    def test_that_cannot_be_read_is_told(self, desk: Client, content: bytes, said: str) -> None:
        answer = upload(desk, content)
        assert answer.status_code == 422 and said in answer.text  # type: ignore[attr-defined]
        assert not MemberList.objects.exists()

    def test_wants_the_word_that_the_members_were_checked(self, desk: Client) -> None:
        answer = upload(desk, checked="")
        assert "Tick the box if you checked them." in answer.text  # type: ignore[attr-defined]

    def test_of_another_association_is_not_there(self, desk: Client) -> None:
        kept = MemberList.objects.create(
            association=OTHER, claim="freelancer", method="register", uploaded_at=timezone.now(), uploaded_by="person:x"
        )
        for name in ("file", "corrected"):
            assert desk.get(reverse(f"attest:{name}", args=[kept.pk])).status_code == 404


class TestManyTakenBack:
    PLACE = "/association/revocations/"

    def sent(self, desk: Client, content: bytes, **more: str) -> Any:
        file = SimpleUploadedFile("left.csv", content, content_type="text/csv")
        facts = {"members": file, "revocation": "left", "explanation": "You left the association in June."}
        return desk.post(self.PLACE, facts | more)

    def test_are_looked_at_by_row_and_then_revoked_once(self, desk: Client) -> None:
        leaves = [an_attestation(), an_attestation(claim="member"), an_attestation()]
        stays, theirs = an_attestation(), an_attestation(OTHER)
        twice = an_attestation(claim="member", identifier=Identifier("email", "x@client.example"), number="M-7777")
        both = an_attestation(identifier=Identifier("email", "x@client.example"), number="M-7777")
        numbers = [each.member_number for each in (*leaves, twice, theirs)]
        content = "\n".join(["member_number", *numbers, "", "?", "M-9999", "M-9999"]).encode()
        place = self.sent(desk, content).headers["Location"]
        page = desk.get(place).text
        assert "5 attestations would be revoked" in page and "You left the association in June." in page
        assert page.count("Nobody with this number is attested now") == 1, "another association's"
        assert "is in the file twice" in page
        assert not Attestation.objects.filter(revoked_at__isnull=False).exists()
        assert "5 attestations are revoked." in desk.post(place, follow=True).text
        desk.post(place)
        after = desk.get(place).text
        assert after.count("Nobody with this number is attested now") == 1, "what was taken back is not wrong"
        table = desk.get(f"{place}to-correct/").content.decode("utf-8-sig")
        assert table.startswith("member_number,what_is_wrong") and theirs.member_number in table
        assert leaves[0].member_number not in table and table.count("M-9999") == 2
        gone = set(Attestation.objects.filter(revoked_at__isnull=False))
        assert gone == {*leaves, twice, both}
        assert {(each.revocation, each.explanation) for each in gone} == {("left", "You left the association in June.")}
        stays.refresh_from_db()
        theirs.refresh_from_db()
        assert stays.revoked_at is None and theirs.revoked_at is None
        assert Row.objects.filter(act="attest.revoked").count() == 5
        assert Row.objects.get(act="attest.sent_revocations").detail["revoked"] == 5

    def test_can_be_given_back_one_by_one(self, desk: Client) -> None:
        found = an_attestation()
        place = self.sent(desk, f"member_number\n{found.member_number}\n".encode()).headers["Location"]
        desk.post(place)
        desk.post(reverse("attest:give_back", args=[found.number]))
        found.refresh_from_db()
        assert found.revoked_at is None

    @pytest.mark.parametrize(
        ("content", "more", "said"),
        [
            (b"name\nx\n", {}, 'The first line must name the columns: <bdi dir="ltr">member_number</bdi>'),
            (b"member_number\nM-1\n", {"revocation": ""}, "Choose why you revoke it"),
            (b"member_number\nM-1\n", {"explanation": ""}, "Enter a sentence for the member"),
        ],
        ids=["columns", "reason", "sentence"],
    )
    def test_what_is_missing_is_told(self, desk: Client, content: bytes, more: dict[str, str], said: str) -> None:
        answer = self.sent(desk, content, **more)
        assert answer.status_code == 422 and said in answer.text and not MemberList.objects.exists()

    def test_a_refused_one_leads_back_when_its_page_is_loaded_anew(self, desk: Client) -> None:
        """As the switch of languages does."""
        answer = desk.get(reverse("attest:upload"))
        assert answer.status_code == 302 and answer.headers["Location"] == reverse("attest:members")

    def test_lists_of_the_two_kinds_and_of_others_are_not_mixed(self, desk: Client) -> None:
        found = an_attestation()
        place = self.sent(desk, f"member_number\n{found.member_number}\n".encode()).headers["Location"]
        kept = MemberList.objects.get()
        assert desk.get(reverse("attest:file", args=[kept.pk])).status_code == 404
        assert desk.post(reverse("attest:file", args=[kept.pk])).status_code == 404
        other = Client()
        other.force_login(a_secretary(OTHER))
        assert other.get(place).status_code == 404 and other.post(place).status_code == 404
        assert not Attestation.objects.filter(revoked_at__isnull=False).exists()

    def test_speak_urdu(self, client: Client) -> None:
        client.force_login(a_secretary(language="ur"))
        client.cookies["django_language"] = "ur"
        found = an_attestation()
        assert urdu.page_problems(client.get(self.PLACE).text) == []
        place = self.sent(client, f"member_number\n{found.member_number}\n?\n".encode()).headers["Location"]
        assert urdu.page_problems(client.get(place).text) == []
        assert urdu.page_problems(client.post(place, follow=True).text) == []


def a_request(association: str = ASSOCIATION, subject: str = "check:sample") -> MembershipInquiry:
    return requests.ask(
        association=association,
        subject=subject,
        service="vpn_freelancer",
        name="Sample Freelancer 31",
        member_number="M-00731",
        known_by=[Identifier("card", "3520212345671")],
        due_at=timezone.now() + dt.timedelta(days=10),
        now=timezone.now(),
    )


class TestTheWholeList:
    def test_is_a_file_of_its_own_members_and_on_record(self, desk: Client) -> None:
        ours = an_attestation(name="Sample Freelancer 7")
        an_attestation(OTHER, name="Placeholder Studio")
        place = reverse("attest:own_list")
        assert place in desk.get(MEMBERS).text
        answer = desk.get(place)
        [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (row["name"], row["attestation"], row["state"]) == ("Sample Freelancer 7", ours.number, "live")
        assert row["member_number"] == ours.member_number
        assert Row.objects.filter(act="attest.downloaded", subject=f"association:{ASSOCIATION}").count() == 1

    def test_of_thousands_is_told_by_counts_and_the_first_rows(self, desk: Client) -> None:
        good = [f"M-{number:05},Sample Freelancer,one{number}@client.example,{until()}" for number in range(300)]
        twice = ["M-90001,Sample Freelancer,twice@client.example," + until()] * 2
        wrong = [f"M-8{number:04},,no{number}@client.example,{until()}" for number in range(120)]
        rows = "\n".join(["member_number,name,identifier,valid_until", *twice, *wrong, *good])
        file = SimpleUploadedFile("members.csv", rows.encode())
        sent = {"members": file, "claim": "freelancer", "method": "register", "checked": "on"}
        page = desk.post(reverse("attest:upload"), sent, follow=True)
        text = page.text
        assert "300 members can be attested" in text and "122 rows need a correction." in text
        assert "The other one is row 3." in text and text.count("<tr") < 110
        assert "The first 50 are shown" in text
        kept = MemberList.objects.get()
        every = desk.get(reverse("attest:corrected", args=[kept.pk]), {"all": "1"}).content.decode("utf-8-sig")
        assert len(every.splitlines()) == 423 and "The other one is row 2." in every
        assert len(desk.get(reverse("attest:corrected", args=[kept.pk])).content.decode().splitlines()) == 123


class TestWhoAsks:
    def test_is_on_the_list_and_is_attested_on_a_page(self, desk: Client) -> None:
        asked = a_request()
        assert "1 member asks you to attest" in desk.get(MEMBERS).text
        place = reverse("attest:asked", args=[asked.pk])
        page = desk.get(place).text
        assert "Sample Freelancer 31" in page and "M-00731" in page and "3520212345671" not in page
        assert "Is a registered IT company" not in page, "that claim does not count for a freelancer"
        answer = desk.post(place, {"claim": "freelancer", "method": "papers", "valid_until": until()}, follow=True)
        assert "The member is attested." in answer.text
        asked.refresh_from_db()
        assert asked.state == "attested" and desk.get(place).status_code == 302

    def test_is_answered_by_somebody_else_where_it_is_the_secretarys_own(self, client: Client) -> None:
        secretary = a_secretary()
        draft = story.a_draft(secretary)
        asked = a_request(subject=draft.subject)
        place = reverse("attest:asked", args=[asked.pk])
        client.force_login(secretary)
        page = client.get(place).text
        assert "This is about your own application" in page and "<form class" not in page.split("<h1")[1]
        sent: list[dict[str, str]] = [
            {"claim": "freelancer", "method": "papers", "valid_until": until()},
            {"not_member": "1", "why": "Not on our list at all."},
        ]
        assert [client.post(place, each).status_code for each in sent] == [409, 409]
        by = f"person:{secretary.pk}"
        for act in (
            lambda: requests.answer_request(request=asked, answer=Answer.NOT_MEMBER, by=by, now=timezone.now()),
            lambda: requests.take_answer_back(request=asked, by=by, now=timezone.now()),
        ):
            with pytest.raises(requests.OwnRequest):
                act()
        client.force_login(a_secretary())
        assert client.post(place, sent[1]).status_code == 302
        asked.refresh_from_db()
        assert asked.state == Answer.NOT_MEMBER

    def test_is_no_member_with_a_reason_and_a_trace_and_it_can_be_undone(self, desk: Client) -> None:
        asked = a_request()
        place = reverse("attest:asked", args=[asked.pk])
        page = desk.post(place, {"not_member": "1", "why": " "})
        assert page.status_code == 422 and "Enter how you know it" in page.text
        why = "Nobody of that number is in our register."
        page = desk.post(place, {"not_member": "1", "why": why}, follow=True).text
        asked.refresh_from_db()
        assert (asked.state, asked.why) == ("not_member", why) and not Attestation.objects.exists()
        assert why in page and "Sample Freelancer 31" in page
        undo = reverse("attest:take_answer_back", args=[asked.pk])
        assert f'action="{undo}"' in page
        page = desk.post(undo, follow=True).text
        asked.refresh_from_db()
        assert (asked.state, asked.why, asked.ended_at) == ("waiting", "", None)
        assert "Is this your member?" in page
        assert Row.objects.filter(act="attest.reopened", subject=asked.subject).count() == 1

    def test_is_no_member_for_good_after_a_day(self, desk: Client) -> None:
        asked = a_request()
        requests.answer_request(
            request=asked, answer=Answer.NOT_MEMBER, by="person:x", now=timezone.now() - dt.timedelta(hours=25)
        )
        page = desk.get(MEMBERS).text
        assert "Not your members" not in page
        page = desk.post(reverse("attest:take_answer_back", args=[asked.pk]), follow=True).text
        asked.refresh_from_db()
        assert asked.state == "not_member" and "The time to undo it has ended." in page

    def test_of_another_association_is_not_there(self, desk: Client) -> None:
        asked = a_request(OTHER)
        given = {"not_member": "1", "why": "It is not ours."}
        for name in ("asked", "take_answer_back"):
            assert desk.post(reverse(f"attest:{name}", args=[asked.pk]), given).status_code == 404
        asked.refresh_from_db()
        assert asked.state == "waiting"
