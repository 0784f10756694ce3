"""What an association says of somebody, as that member and an officer read it; in both languages."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.attest import disputing, queries
from rahdari.attest.models import Attestation, AttestationReview
from rahdari.attest.rules import Identifier
from rahdari.journal.models import JournalEntry as Row
from rahdari.people import actions as people
from rahdari.people.models import User
from tests.builders import story
from tests.builders.attestations import an_attestation

pytestmark = pytest.mark.django_db
MEMBERS = "/association/"


class TestAMember:
    def mine(self) -> tuple[User, Client, Attestation]:
        user = story.a_person()
        found = an_attestation(identifier=Identifier("email", user.email), name=user.name)
        browser = Client(headers={"accept-language": "en"})
        browser.force_login(user)
        return user, browser, found

    def test_reads_of_a_registration_only_where_one_rests_on_what_was_revoked(self, desk: Client) -> None:
        _user, browser, found = self.mine()
        desk.post(reverse("attest:revoke", args=[found.number]), {"revocation": "left", "explanation": "It ended."})
        page = browser.get(reverse("attest:theirs", args=[found.number])).text
        assert "None of your applications depends on it. You can object here." in page
        assert "Your registration" not in page and "An officer looks at it" not in page

    def test_sees_who_attested_them_and_disputes_it_and_the_association_and_an_officer_answer(
        self, desk: Client
    ) -> None:
        user, browser, found = self.mine()
        assert "Sample Association of Software Houses" in browser.get(reverse("attest:mine")).text
        place = reverse("attest:theirs", args=[found.number])
        assert "There is a problem" in browser.post(place, {"objection": ""}).text
        page = browser.post(place, {"objection": "I never joined."}, follow=True).text
        assert "The association is asked for its answer." in page and "I never joined." in page
        matter = AttestationReview.objects.get()

        reply = reverse("attest:reply", args=[matter.number])
        assert "I never joined." in desk.get(reply).text and reply in desk.get(MEMBERS).text
        assert "Choose an answer" in desk.post(reply, {"reply": "", "text": ""}).text
        assert "Your answer has arrived." in desk.post(reply, {"reply": "keeps", "text": "He did."}, follow=True).text

        officer = Client(headers={"accept-language": "en"})
        officer.force_login(story.an_officer())
        assert matter.number in officer.get(reverse("portal:matters")).text
        decide = reverse("portal:matter", args=[matter.number])
        assert "He did." in officer.get(decide).text
        assert Row.objects.filter(act="attest.read_matter").exists()
        assert "Choose a decision" in officer.post(decide, {"outcome": "another_proof", "text": "x"}).text
        page = officer.post(decide, {"outcome": "member_right", "text": "Nothing shows it."}, follow=True).text
        assert "It is decided, and the member is told." in page
        listed = officer.get(reverse("portal:matters")).text
        assert "Decided, and carried out within seconds" in listed and "Another proof is awaited" not in listed
        workflow.advance(now=timezone.now())
        page = browser.get(place).text
        assert "You are right, and it is corrected." in page and "Nothing shows it." in page
        found.refresh_from_db()
        assert found.revoked_at is not None
        assert user.name not in str(list(Row.objects.values_list("detail", "reason")))

    def test_sees_nothing_of_anothers(self) -> None:
        _user, browser, _found = self.mine()
        other = an_attestation()
        for method in (browser.get, browser.post):
            assert method(reverse("attest:theirs", args=[other.number])).status_code == 404

    def test_does_not_decide_about_themselves_as_an_officer(self) -> None:
        officer = story.an_officer()
        found = an_attestation(identifier=Identifier("email", officer.email))
        now = timezone.now()
        matter = disputing.dispute(
            attestation=found,
            subject="",
            holder=officer.holder_ref,
            person=f"person:{officer.pk}",
            objection="No.",
            reply_due_at=now,
            now=now,
        )
        browser = Client()
        browser.force_login(officer)
        assert browser.get(reverse("portal:matter", args=[matter.number])).status_code == 404

    def test_does_not_decide_about_their_organisation_as_an_officer(self) -> None:
        officer, owner, now = story.an_officer(), story.a_person(), timezone.now()
        house = people.register_organisation(
            owner=owner, name="Sample House", company_number="0000482", actor="system:test", now=now
        )
        facts = {"subject": "", "person": f"person:{owner.pk}", "objection": "No.", "reply_due_at": now, "now": now}
        matter = disputing.dispute(attestation=an_attestation(), holder=house.holder_ref, **facts)
        browser = Client()
        browser.force_login(officer)
        place = reverse("portal:matter", args=[matter.number])
        assert browser.get(place).status_code == 200
        people.add_member(organisation=house, user=officer, role="viewer", actor="system:test", now=now)
        assert browser.get(place).status_code == 404

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_reads_every_page_in_both_languages(self, client: Client, language: str) -> None:
        user = story.a_person(language)
        people.set_language(user=user, language=language)
        client.force_login(user)
        client.cookies["django_language"] = language
        found = an_attestation(identifier=Identifier("email", user.email))
        page = client.get(reverse("attest:theirs", args=[found.number])).text
        assert f'lang="{language}"' in page and found.number in page
        assert queries.attestation_for_member(user=user, number=found.number) == found
