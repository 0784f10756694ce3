"""Evidence of employment: what a client's address may be, what a declaration holds to, when a certificate ends."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import drafts as apply_drafts
from rahdari.apply import queries, rules, sending
from rahdari.apply.models import Application, Document
from rahdari.policy import BUNDLED
from tests.builders.drafts import (
    a_complete_company_draft,
    a_complete_draft,
    a_draft,
    a_person,
    a_photo,
    actor_of,
    cnic_of,
    with_address,
)

pytestmark = pytest.mark.django_db


def a_client(draft: Application, language: str = "en") -> Client:
    client = Client()
    client.cookies["django_language"] = language
    client.force_login(draft.applicant)
    return client


def at(draft: Application, kind: str) -> str:
    return f"{reverse('apply:evidence', args=[draft.reference])}?kind={kind}"


def chosen(kind: str) -> tuple[Application, Client]:
    draft = a_complete_draft()
    client = a_client(draft)
    assert client.get(at(draft, kind)).status_code == 200
    return Application.objects.get(pk=draft.pk), client


def fresh(draft: Application) -> Application:
    return Application.objects.get(pk=draft.pk)


class TestTheMenu:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_says_where_each_way_leads(self, language: str) -> None:
        draft = a_draft()
        page = a_client(draft, language).get(reverse("apply:evidence", args=[draft.reference])).text
        service = queries.policy_in_force().services["vpn_freelancer"]
        for kind in service.evidence:
            assert kind.title.in_language(language) in page
        if language == "en":
            assert page.count('<span class="g wait">Registered provisionally, then one more proof</span>') == 2
            assert '<span class="g ok">Registered after an officer has read it</span>' in page

    def test_is_left_out_where_there_is_one_kind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        draft = a_draft()
        client = a_client(draft)
        monkeypatch.setattr(rules, "kinds_of", lambda service: ("client_email",))
        page = client.get(reverse("apply:evidence", args=[draft.reference])).text
        assert 'name="text"' in page and 'name="kind"' not in page
        assert f'<a class="back" href="{reverse("portal:tasks", args=[draft.reference])}">' in page

    def test_keeps_a_kind_with_what_it_wants_and_drops_what_was_of_another(self) -> None:
        draft, client = chosen("client_email")
        before = draft.evidence_kind, draft.evidence_text
        assert before == (fresh(draft).evidence_kind, fresh(draft).evidence_text)
        client.post(at(draft, "client_email"), {"text": "From studio@client.example"})
        assert fresh(draft).evidence_text == "From studio@client.example"
        place = at(draft, "client_letter")
        assert "Choose a file or take a photo" in client.post(place, {}).text
        assert fresh(draft).evidence_kind == "client_email"
        bad = SimpleUploadedFile("notes.jpg", b"These are notes.", "image/jpeg")
        client.post(place, {"file": bad})
        assert fresh(draft).evidence_kind == "client_email", "nothing came that could be kept"
        client.post(place, {"file": SimpleUploadedFile("letter.jpg", a_photo(), "image/jpeg")})
        kept = fresh(draft)
        assert (kept.evidence_kind, kept.evidence_text) == ("client_letter", "")
        assert queries.missing_steps(kept, queries.policy_in_force()) == []

    def test_tells_of_another_tab_that_chose_another_kind(self) -> None:
        draft, client = chosen("self_declaration")
        page = client.get(at(draft, "client_email")).text
        [seen] = re.findall(r'name="seen" value="([0-9a-f]+)"', page)
        client.post(at(draft, "client_confirms"), {"text": "accounts@client.example"})
        shown = client.post(at(draft, "client_email"), {"text": "From studio@client.example", "seen": seen}).text
        assert "accounts@client.example" in shown and fresh(draft).evidence_kind == "client_confirms"


class TestAClientsAddress:
    def place(self, draft: Application) -> str:
        return at(draft, "client_confirms")

    def test_page_leads_back_to_the_choice(self) -> None:
        draft, client = chosen("client_confirms")
        page = client.get(self.place(draft)).text
        assert f'<a class="back" href="{reverse("apply:evidence", args=[draft.reference])}">' in page

    @pytest.mark.parametrize(
        ("address", "said"),
        [
            ("", "Enter the address of a client or employer"),
            ("client.example", "This is not an email address. It looks like name@client.example"),
            ("someone@gmail.com", "Anybody can have an address at this mail service"),
            ("Someone@OUTLOOK.com", "Anybody can have an address at this mail service"),
            ("freelancer-31@sample.example", "This is your own address. Give that of your client or employer."),
            ("a" * 250 + "@client.example", "This address is too long. Check it again."),
        ],
    )
    def test_says_how_to_mend_a_bad_one(self, address: str, said: str) -> None:
        draft, client = chosen("client_confirms")
        page = client.post(self.place(draft), {"text": address}).text
        assert said in page and 'role="alert"' in page
        assert fresh(draft).evidence_text == ""

    def test_is_kept_and_nobody_is_written_to_yet(self) -> None:
        draft, client = chosen("client_confirms")
        assert client.post(self.place(draft), {"text": " Accounts@Client.example "}).status_code == 302
        assert fresh(draft).evidence_text == "accounts@client.example"
        assert queries.missing_steps(fresh(draft), queries.policy_in_force()) == []
        assert "accounts@client.example" in client.get(reverse("portal:check", args=[draft.reference])).text


class TestADeclaration:
    def place(self, draft: Application) -> str:
        return at(draft, "self_declaration")

    def test_shows_its_conditions_and_wants_the_tick(self) -> None:
        draft, client = chosen("self_declaration")
        page = client.get(self.place(draft)).text
        assert "One address or one mobile number, not more." in page
        policy = queries.policy_in_force()
        kind = policy.services["vpn_freelancer"].evidence_kind("self_declaration")
        assert kind is not None and policy.provisional is not None
        lasts = (kind.term or policy.provisional.term).length
        assert f"With this alone the registration is valid for {lasts} days" in page
        page = client.post(self.place(draft), {"text": "Web design"}).text
        assert "Tick the box if this is true. If not, choose another proof." in page
        assert "Enter in a few words what you do" in client.post(self.place(draft), {"declared": "on"}).text
        assert client.post(self.place(draft), {"text": "Web design", "declared": "on"}).status_code == 302
        assert fresh(draft).evidence_text == "Web design"

    def test_is_for_one_address(self) -> None:
        draft, client = chosen("self_declaration")
        with_address(draft, "203.0.113.25")
        page = client.post(self.place(draft), {"text": "Web design", "declared": "on"}).text
        assert "A declaration covers 1 address." in page
        assert fresh(draft).evidence_text == ""

    def test_works_once_in_its_time_for_an_account_and_says_nothing_of_the_cards_of_others(self) -> None:
        first = a_complete_draft()
        facts: dict[str, Any] = {"actor": actor_of(first.applicant), "now": timezone.now()}
        apply_drafts.save_evidence(application=first, kind="self_declaration", text="Web design", **facts)
        sending.submit_application(application=fresh(first), policy=queries.policy_in_force(), **facts)
        another = a_complete_draft(a_person("freelancer-32@sample.example"), block="203.0.113.31")
        again = a_complete_draft(first.applicant, block="203.0.113.32")
        given = {"text": "Web design", "declared": "on", "cnic": cnic_of(first.applicant)}
        assert a_client(another).post(self.place(another), given).status_code == 302
        page = a_client(again).post(self.place(again), given).text
        assert "You have already used a declaration" in page


class TestACertificate:
    def certificate(self, given: dict[str, Any]) -> tuple[Application, Any]:
        draft = a_draft(a_person("centre@sample.example"), service="whitelist_call_centre")
        place = reverse("apply:upload", args=[draft.reference, "call_centre_certificate"])
        return draft, a_client(draft).post(place, given)

    def photo(self) -> SimpleUploadedFile:
        return SimpleUploadedFile("certificate.jpg", a_photo(), "image/jpeg")

    @pytest.mark.parametrize(
        ("day", "said"),
        [
            ("", "Enter the last day printed on the certificate"),
            ("soon", "Enter the date as on the certificate, for example 31/12/2027"),
            ("2020-01-31", "This certificate has expired."),
        ],
    )
    def test_wants_its_last_day(self, day: str, said: str) -> None:
        _draft, response = self.certificate({"file": self.photo(), "valid_until": day})
        assert said in response.text
        assert not Document.objects.exists()

    @pytest.mark.parametrize("day", ["2030-12-31", "31/12/2030", "31.12.2030"])
    def test_is_kept_with_it_and_ends_the_term(self, day: str) -> None:
        draft, response = self.certificate({"file": self.photo(), "valid_until": day})
        assert response.status_code == 302
        assert Document.objects.get().valid_until == dt.date(2030, 12, 31)
        ends = queries.certified_until(fresh(draft))
        assert ends is not None and (ends.date(), ends.time()) == (dt.date(2030, 12, 31), dt.time(23, 59, 59))

    def test_can_get_another_day_without_being_sent_again(self) -> None:
        draft, _response = self.certificate({"file": self.photo(), "valid_until": "2030-12-31"})
        place = reverse("apply:upload", args=[draft.reference, "call_centre_certificate"])
        a_client(draft).post(place, {"valid_until": "2031-06-30"})
        assert Document.objects.get().valid_until == dt.date(2031, 6, 30)


class TestAnOrganisationWithoutACompanyNumber:
    def test_is_asked_for_its_name_alone(self) -> None:
        draft = a_draft(a_person("registrar@university.example"), service="vpn_public_body")
        place = reverse("apply:company", args=[draft.reference])
        client = a_client(draft)
        page = client.get(place).text
        assert "Name of the organisation" in page and "company_number" not in page
        assert client.post(place, {"name": "Sample University"}).status_code == 302
        saved = fresh(draft)
        assert saved.company_name == "Sample University" and saved.company_number == ""
        assert "About the organisation" in client.get(reverse("portal:tasks", args=[draft.reference])).text

    def test_of_one_person_is_not_taken_for_another_one_of_theirs(self) -> None:
        user = a_person("registrar@university.example")
        names = ("Sample University", "Sample College")
        drafts = [a_draft(user, service="vpn_public_body") for _name in names]
        for draft, name in zip(drafts, names, strict=True):
            apply_drafts.save_company(
                application=draft,
                name=name,
                company_number="",
                ntn="",
                actor=actor_of(user),
                now=timezone.now(),
            )
        holders = {fresh(draft).holder_ref for draft in drafts}
        assert len(holders) == 2
        assert {fresh(draft).holder_name for draft in drafts} == set(names)

    def test_does_not_change_what_a_company_is_asked(self) -> None:
        draft = a_complete_company_draft()
        assert "company_number" in a_client(draft).get(reverse("apply:company", args=[draft.reference])).text


class TestTheAssociation:
    def test_is_taken_for_granted_where_there_is_one(self) -> None:
        draft, client = chosen("association")
        place = reverse("apply:association", args=[draft.reference])
        page = client.get(place).text
        assert "Member number at Sample Association of Software Houses" in page and "Which association?" not in page
        client.post(place, {"number": "m-00731", "association": "somebody-else"})
        assert (fresh(draft).association, fresh(draft).association_number) == ("sample-software-houses", "M-00731")

    def test_is_asked_for_where_there_are_several(self, settings: Any, tmp_path: Path) -> None:
        another = (
            '[[attesting.associations]]\nkey = "specimen-freelancers"\n'
            'title = { en = "Specimen Freelancers", ur = "نمونہ فری لانسرز" }\n\n[[attesting.methods]]'
        )
        settings.POLICY_FILE = tmp_path / "policy.toml"
        settings.POLICY_FILE.write_text(BUNDLED.read_text().replace("[[attesting.methods]]", another, 1))
        draft, client = chosen("association")
        place = reverse("apply:association", args=[draft.reference])
        assert "Specimen Freelancers" in client.get(place).text
        for given in ({}, {"association": "somebody-else"}):
            assert "Choose your association" in client.post(place, {"number": "m-00731", **given}).text
        client.post(place, {"number": "m-00731", "association": "specimen-freelancers"})
        assert fresh(draft).association == "specimen-freelancers"
