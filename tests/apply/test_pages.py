"""The pages, through Django's own client, in both languages: bad input says how to mend it, nothing given is lost."""

import html
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse

from rahdari.address import SpecialName
from rahdari.apply import actions, queries, telling, urls, wording
from rahdari.apply.models import Application
from rahdari.apply.rules import Status
from rahdari.apply.screening import FileFault, FileRefused
from rahdari.page import urdu
from rahdari.policy import BUNDLED

from .sample import (
    CNIC,
    NOW,
    a_complete_draft,
    a_draft,
    a_pdf,
    a_person,
    a_photo_with_place,
    actor_of,
    register_to,
    sent,
    with_address,
)

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("language", ["en", "ur"])
HOST = "testserver"


def a_client(user: Any = None, *, language: str = "en", address: str = "192.0.2.1", csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf, REMOTE_ADDR=address)
    client.cookies["django_language"] = language
    if user is not None:
        client.force_login(user)
    return client


def page(response: Any) -> str:
    """The page as text, checked: status, language, and the mechanical checks of Urdu."""
    assert response.status_code == 200, response
    content: str = response.content.decode()
    if 'lang="ur" dir="rtl"' in content[:200]:
        problems = urdu.page_problems(content)
        assert problems == [], problems
    return html.unescape(content)


def at(name: str, application: Application, *more: Any) -> str:
    return reverse(f"apply:{name}", args=[application.reference, *more])


def tasks(application: Application) -> str:
    return reverse("portal:tasks", args=[application.reference])


def seen_of(response: Any) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]+)"', response.content.decode())
    assert found is not None
    return found[1]


def fresh(application: Application) -> Application:
    return Application.objects.get(pk=application.pk)


class TestQuestions:
    @BOTH
    def test_lead_a_signed_in_person_to_one_draft(self, language: str) -> None:
        client = a_client(a_person(), language=language)
        assert client.get(reverse("apply:start")).headers["Location"] == reverse("apply:who")
        page(client.get(reverse("apply:who")))
        assert client.post(reverse("apply:who"), {"who": "freelancer"}).headers["Location"] == reverse("apply:use")
        page(client.get(reverse("apply:use")))
        assert client.post(reverse("apply:use"), {"use": "clients"}).headers["Location"] == reverse("apply:fixed")
        page(client.get(reverse("apply:fixed")))
        assert client.post(reverse("apply:fixed"), {"fixed": "yes"}).headers["Location"] == reverse("apply:begin")
        first, second = client.get(reverse("apply:begin")), client.get(reverse("apply:begin"))
        [draft] = Application.objects.all()
        assert first.headers["Location"] == second.headers["Location"] == tasks(draft)
        assert (draft.service, draft.use, draft.fixed_address, draft.language) == (
            "vpn_freelancer", "clients", "yes", language,
        )  # fmt: skip

    def test_are_kept_until_somebody_signs_in(self) -> None:
        client = a_client()
        for name, answer in (("who", "company"), ("use", "staff"), ("fixed", "unsure")):
            client.post(reverse(f"apply:{name}"), {name: answer})
        asked = client.get(reverse("apply:begin"))
        assert asked.headers["Location"].startswith(reverse("account_login"))
        assert not Application.objects.exists()
        client.force_login(a_person())
        client.get(reverse("apply:begin"))
        assert [draft.service for draft in Application.objects.all()] == ["vpn_company"]

    @BOTH
    @pytest.mark.parametrize("name", ["who", "use", "fixed"])
    def test_say_what_to_choose_when_nothing_was(self, name: str, language: str) -> None:
        client = a_client(language=language)
        client.post(reverse("apply:who"), {"who": "company"})
        client.post(reverse("apply:use"), {"use": "staff"})
        for answer in ({}, {name: "something else"}):
            shown = page(client.post(reverse(f"apply:{name}"), answer))
            assert 'role="alert"' in shown and f'href="#id_{name}_0"' in shown and 'class="invalid"' in shown
            assert ("<title>Error:" if language == "en" else "<title>غلطی:") in shown

    @BOTH
    @pytest.mark.parametrize(
        "answers",
        [
            {"who": "licensed"},
            {"who": "none"},
            {"who": "company", "use": "service"},
            {"who": "freelancer", "use": "private"},
            {"who": "freelancer", "use": "clients", "fixed": "mobile"},
        ],
    )
    def test_say_what_to_do_instead(self, answers: dict[str, str], language: str) -> None:
        client = a_client(a_person(), language=language)
        for name, answer in answers.items():
            response = client.post(reverse(f"apply:{name}"), {name: answer})
        assert response.headers["Location"] == reverse("apply:instead")
        shown = page(client.get(reverse("apply:instead")))
        assert reverse("apply:who") in shown
        assert client.get(reverse("apply:begin")).headers["Location"] == reverse("apply:instead")
        assert not Application.objects.exists()

    def test_say_which_services_are_not_yet_open(self, settings: Any, tmp_path: Path) -> None:
        assert "Not yet open." not in page(a_client().get(reverse("apply:who")))
        text = BUNDLED.read_text(encoding="utf-8")
        at = text.index("open = true", text.index("[services.whitelist_video]"))
        settings.POLICY_FILE = tmp_path / "policy.toml"
        settings.POLICY_FILE.write_text(text[:at] + text[at:].replace("true", "false", 1), encoding="utf-8")
        client = a_client()
        assert page(client.get(reverse("apply:who"))).count("Not yet open.") == 1
        client.post(reverse("apply:who"), {"who": "video"})
        assert "This service is not yet open" in page(client.get(reverse("apply:instead")))

    def test_tell_users_of_a_licensed_provider_that_they_need_none(self) -> None:
        client = a_client()
        client.post(reverse("apply:who"), {"who": "licensed"})
        shown = page(client.get(reverse("apply:instead")))
        assert "You need no registration" in shown and reverse("portal:licensees") in shown

    def test_cannot_be_jumped(self) -> None:
        client = a_client(a_person())
        for name in ("use", "fixed", "instead", "begin"):
            assert client.get(reverse(f"apply:{name}")).headers["Location"] == reverse("apply:who")


STEP_PAGES = ["person", "contact", "purpose", "evidence", "evidence_text", "association", "addresses", "add_address"]


class TestWhoMayOpenAPage:
    def every_page(self, application: Application) -> list[str]:
        found = []
        for pattern in urls.urlpatterns:
            if "reference" not in str(pattern.pattern):
                continue
            for arguments in ({}, {"id": uuid.UUID(int=7)}, {"rule": "evidence"}):
                try:
                    found.append(
                        reverse(f"apply:{pattern.name}", kwargs={"reference": application.reference, **arguments})
                    )
                except NoReverseMatch:
                    continue
        assert len(found) == len([pattern for pattern in urls.urlpatterns if "reference" in str(pattern.pattern)])
        return found

    def test_asks_everyone_to_sign_in(self) -> None:
        for url in self.every_page(a_draft()):
            for response in (a_client().get(url), a_client().post(url, {})):
                assert response.status_code in {302, 405}
                if response.status_code == 302:
                    assert response.headers["Location"].startswith(reverse("account_login")), url

    @pytest.mark.parametrize("reference", ["A-2611-ZZZZ-ZZZZ", "\0", "x" * 3_000, "%", "A-2611-ZZZZ-ZZZZ' OR 1=1"])
    def test_knows_no_forged_reference(self, reference: str) -> None:
        nobodys = Application(reference=reference)
        client = a_client(a_person())
        assert [client.get(url).status_code for url in self.every_page(nobodys)] == [404] * len(
            list(self.every_page(nobodys))
        )

    def test_gives_the_same_answer_for_anothers_and_for_none(self) -> None:
        client = a_client(a_person())
        theirs = a_draft(a_person("other@sample.example"))
        nobodys = Application(reference="A-2611-ZZZZ-ZZZZ")
        for url, absent in zip(self.every_page(theirs), self.every_page(nobodys), strict=True):
            one, other = client.get(url), client.get(absent)
            assert (one.status_code, other.status_code) == (404, 404)
            assert one.content.decode().replace(theirs.reference, "") == (
                other.content.decode().replace(nobodys.reference, "")
            )
            assert client.post(url, {}).status_code in {404, 405}

    @BOTH
    def test_leads_to_the_application_once_it_was_sent(self, language: str) -> None:
        application = sent(a_complete_draft())
        client = a_client(application.applicant, language=language)
        for name in STEP_PAGES:
            for response in (client.get(at(name, application)), client.post(at(name, application), {"name": "x"})):
                assert response.headers["Location"] == reverse("portal:application", args=[application.reference])
        assert fresh(application).name == "Sample Freelancer 31"


class TestSteps:
    @BOTH
    def test_of_a_freelancer_are_saved_one_by_one(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        given: list[tuple[str, dict[str, str]]] = [
            ("person", {"name": "  Sample   Freelancer 31 ", "cnic": "۳۵۲۰۲-۱۲۳۴۵۶۷-۱"}),
            ("contact", {"name": "Sample Freelancer 31", "mobile": "0300 1234567"}),
            ("purpose", {"use": "clients", "purpose": "I reach the servers of two clients."}),
        ]
        for name, data in given:
            seen = seen_of(client.get(at(name, draft)))
            assert client.post(at(name, draft), {**data, "seen": seen}).headers["Location"] == tasks(draft)
            page(client.get(at(name, draft)))
        assert client.post(at("evidence", draft), {"kind": "association"}).headers["Location"] == at(
            "association", draft
        )
        page(client.get(at("association", draft)))
        assert client.post(at("association", draft), {"number": "sa-0031"}).headers["Location"] == tasks(draft)
        saved = fresh(draft)
        assert (saved.name, saved.cnic, saved.contact_mobile) == ("Sample Freelancer 31", CNIC, "+923001234567")
        assert (saved.evidence_kind, saved.association_number) == ("association", "SA-0031")

    @BOTH
    def test_of_a_company_make_the_organisation(self, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        page(client.get(at("company", draft)))
        data = {"name": "Sample Software House (Pvt) Ltd", "company_number": "CUIN-482", "ntn": "1234567-8"}
        assert client.post(at("company", draft), data).headers["Location"] == tasks(draft)
        saved = fresh(draft)
        assert saved.organisation is not None
        assert (saved.organisation.name, saved.company_number, saved.ntn) == (data["name"], "0000482", "1234567-8")
        assert client.get(at("person", draft)).headers["Location"] == tasks(draft)

    @BOTH
    @pytest.mark.parametrize(
        ("name", "field", "value", "said"),
        [
            ("person", "cnic", "35202", "You entered 5."),
            ("person", "cnic", "", "Enter your card number"),
            ("person", "cnic", "35202-123456A-1", "without letters"),
            ("person", "cnic", "0520212345671", "does not begin with 0"),
            ("person", "name", "12345", "A name has letters"),
            ("person", "name", " ", "Enter your name"),
            ("person", "name", "x" * 121, "too long"),
            ("contact", "mobile", "+44 7700 900123", "mobile number of Pakistan"),
            ("contact", "mobile", "051 1234567", "not a mobile number"),
            ("contact", "mobile", "0300 12345", "11 digits"),
            ("contact", "mobile", "call me", "digits only"),
            ("purpose", "purpose", "work", "Write a little more"),
            ("purpose", "purpose", "x" * 4001, "you have 4001"),
            ("purpose", "use", "service", "Choose what the VPN is for"),
            ("evidence", "kind", "rumour", "Choose how you can show your work"),
            ("association", "number", "?!", "3 to 40"),
            ("association", "number", "<script>", "letters, digits and hyphens"),
        ],
    )
    def test_say_how_to_mend_bad_input_and_keep_the_rest(
        self, name: str, field: str, value: str, said: str, language: str
    ) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        good = {
            "name": "Sample Freelancer 31", "cnic": CNIC, "mobile": "03001234567", "use": "clients",
            "purpose": "I reach the servers of two clients.", "kind": "contract", "number": "SA-0031",
        }  # fmt: skip
        shown = page(client.post(at(name, draft), good | {field: value}))
        assert 'role="alert"' in shown and 'class="err"' in shown
        if language == "en":
            assert said in shown
        for other in {"name", "cnic", "mobile", "purpose"} - {field}:
            if f'name="{other}"' in shown:
                assert good[other] in shown
        assert fresh(draft).version == draft.version

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("company_number", "12345678", "7 digits of the company number"),
            ("company_number", "abc", "7 digits of the company number"),
            ("ntn", "123", "7 digits, with the check digit 8"),
            ("ntn", "12345AB", "digits only"),
            ("name", "", "Enter the name of the company"),
        ],
    )
    @BOTH
    def test_of_a_company_say_how_to_mend_bad_input(self, field: str, value: str, said: str, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        data = {"name": "Sample House", "company_number": "482", "ntn": ""} | {field: value}
        shown = page(client.post(at("company", draft), data))
        assert 'class="err"' in shown
        if language == "en":
            assert said in shown

    @BOTH
    def test_take_an_email_as_text(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        assert client.get(at("evidence_text", draft)).headers["Location"] == at("evidence", draft)
        chosen = client.post(at("evidence", draft), {"kind": "client_email"})
        assert chosen.headers["Location"] == at("evidence_text", draft)
        page(client.get(at("evidence_text", draft)))
        assert 'class="err"' in page(client.post(at("evidence_text", draft), {"text": " "}))
        mail = "From: client@sample.example\r\n\r\nYou work for us."
        assert client.post(at("evidence_text", draft), {"text": mail}).headers["Location"] == tasks(draft)
        assert fresh(draft).evidence_text == "From: client@sample.example\n\nYou work for us."


class TestTwoTabs:
    @BOTH
    def test_show_both_versions_and_let_the_person_choose(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        seen = seen_of(client.get(at("contact", draft)))
        first = {"name": "First tab", "mobile": "03001234520", "seen": seen}
        assert client.post(at("contact", draft), first).status_code == 302
        answer = client.post(at("contact", draft), {"name": "Second tab", "mobile": "03001234521", "seen": seen})
        shown = page(answer)
        assert "First tab" in shown and 'value="Second tab"' in shown
        assert fresh(draft).contact_name == "First tab"
        again = {"name": "Second tab", "mobile": "03001234521", "seen": seen_of(answer)}
        assert client.post(at("contact", draft), again).status_code == 302
        assert fresh(draft).contact_name == "Second tab"

    def test_that_send_the_same_form_twice_save_it_once(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        data = {"name": "Network manager", "mobile": "03001234520", "seen": seen_of(client.get(at("contact", draft)))}
        for _ in range(2):
            assert client.post(at("contact", draft), data).status_code == 302
        assert fresh(draft).version == draft.version + 1


class TestAfterSignOut:
    DATA = {"name": "Planted Name", "cnic": "35202-7654321-9"}

    @BOTH
    def test_what_was_typed_is_given_back_on_the_same_page(self, language: str) -> None:
        draft = a_draft()
        client = a_client(language=language)
        asked = client.post(at("person", draft), self.DATA, headers={"origin": f"http://{HOST}"})
        assert asked.headers["Location"].startswith(reverse("account_login"))
        for session in Session.objects.all():
            for planted in (*self.DATA.values(), "3520276543219"):
                assert planted not in str(session.get_decoded())
        client.force_login(draft.applicant)
        shown = page(client.get(at("person", draft)))
        assert 'value="Planted Name"' in shown and "35202-7654321-9" in shown
        assert fresh(draft).name == ""
        assert "Planted" not in page(client.get(at("person", draft)))

    def test_nobody_else_who_signs_in_there_gets_it(self) -> None:
        draft = a_draft()
        client = a_client()
        client.post(at("person", draft), self.DATA)
        client.force_login(a_person("other@sample.example"))
        assert client.get(at("person", draft)).status_code == 404

    def test_an_old_token_saves_nothing_and_loses_nothing(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, csrf=True)
        data = {**self.DATA, "csrfmiddlewaretoken": "x" * 64}
        answer = client.post(at("person", draft), data, headers={"origin": f"http://{HOST}"})
        assert (answer.status_code, answer.headers["Location"]) == (302, at("person", draft))
        assert 'value="Planted Name"' in page(client.get(at("person", draft)))
        assert fresh(draft).name == ""

    def test_another_site_can_put_nothing_into_the_form(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, csrf=True)
        for headers in ({"origin": "https://other.example"}, {}):
            assert client.post(at("person", draft), self.DATA, headers=headers).status_code == 403
        assert "Planted" not in page(client.get(at("person", draft)))

    def test_a_right_token_saves(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, csrf=True)
        shown = client.get(at("person", draft)).content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)
        assert token is not None
        answer = client.post(at("person", draft), {**self.DATA, "csrfmiddlewaretoken": token[1]})
        assert answer.headers["Location"] == tasks(draft)
        assert fresh(draft).name == "Planted Name"


class TestAddresses:
    def add(self, client: Client, draft: Application, block: str, **given: str) -> HttpResponse:
        return client.post(at("add_address", draft), {"block": block, "kind": "wireguard"} | given)  # type: ignore[return-value]

    @BOTH
    def test_are_added_changed_and_removed(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        page(client.get(at("addresses", draft)))
        page(client.get(at("add_address", draft)))
        for block, given in [
            ("39.32.0.1", {"kind": "openvpn_udp"}),
            ("۳۹.۳۲.۰.۲", {"kind": "other", "protocol": "esp"}),
            ("2400:adc0::/56", {"kind": "wireguard", "port": "۴۴۳"}),
            ("39.32.0.16/28", {"kind": "any"}),
        ]:
            answer = self.add(client, draft, block, **given)
            assert answer.headers["Location"] == at("addresses", draft)
        rows = list(queries.endpoints_of(draft))
        assert [str(row.as_address()) for row in rows] == [
            "39.32.0.1 udp 1194", "39.32.0.2 esp", "2400:adc0::/56 udp 443", "39.32.0.16/28 any",
        ]  # fmt: skip
        shown = page(client.get(at("addresses", draft)))
        assert "39.32.0.16/28" in shown
        page(client.get(at("change_address", draft, rows[0].pk)))
        changed = client.post(at("change_address", draft, rows[0].pk), {"block": "39.32.0.9", "kind": "ikev2"})
        assert changed.headers["Location"] == at("addresses", draft)
        client.post(at("remove_address", draft, rows[1].pk))
        shown = page(client.get(at("addresses", draft)))
        assert "39.32.0.9" in shown and "39.32.0.1<" not in shown

    @BOTH
    def test_of_a_tunnel_keep_the_other_side_encrypted_for_the_officer(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        said = page(self.add(client, draft, "39.32.0.1", remote="somewhere"))
        assert "somewhere" in said and not queries.endpoints_of(draft).exists()
        assert self.add(client, draft, "39.32.0.1", remote="198.51.100.7").status_code == 302
        row = queries.endpoints_of(draft).get()
        assert row.remote == "198.51.100.7"
        assert "198.51.100.7" in page(client.get(at("change_address", draft, row.pk)))
        service = queries.policy_in_force().services[draft.service]
        assert "198.51.100.7" in str(telling.summary_groups(draft, service, [row], [], language=language))
        with connection.cursor() as cursor:
            cursor.execute("SELECT e::text FROM apply_endpoint e")
            assert "198.51.100.7" not in str(cursor.fetchall())
        asked = {"block": "39.32.0.1", "kind": "wireguard", "remote": ""}
        assert client.post(at("change_address", draft, row.pk), asked).status_code == 302
        assert queries.endpoints_of(draft).get().remote == ""

    def test_that_are_sent_twice_are_added_once(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        form = client.get(at("add_address", draft)).content.decode()
        id = re.search(r'name="id" value="([0-9a-f-]{36})"', form)
        assert id is not None
        for _ in range(2):
            assert self.add(client, draft, "39.32.0.1", id=id[1]).status_code == 302
        assert queries.endpoints_of(draft).count() == 1

    @BOTH
    @pytest.mark.parametrize(
        ("block", "said", "offered"),
        [
            ("", "Enter an address", None),
            ("not-an-address", "This is not an address", None),
            ("vpn.sample.example", "This is a name, not an address", None),
            ("https://39.32.0.1:8443/login", "This is a web address", "39.32.0.1"),
            ("39.32.0.1:51820", "There is a port behind the address", "39.32.0.1"),
            ("39.32.0.5/28", "The range around it", "39.32.0.0/28"),
            ("39.32.0.0/255.255.255.240", "a slash and one number", "39.32.0.0/28"),
            ("39.32.0.007", "a zero in front", "39.32.0.7"),
            ("::ffff:39.32.0.1", "inside an IPv6 one", "39.32.0.1"),
            ("39.32.0.0-39.32.0.15", "Write the range as", "39.32.0.0/28"),
            ("39.32.0.1-39.32.0.9", "not one range", None),
            ("39.32.0.1, 39.32.0.2", "Write one address here", "39.32.0.1"),
            ("39.32.0", "A part is missing", None),
            ("39.32.0.256", "greater than 255", None),
            ("39.32.0.1/33", "32 at most", None),
            ("2400:adc0::1%eth0", "percent sign", "2400:adc0::1"),
            # What would be offered could not be taken either: that is said at once.
            ("fe80::1%eth0", "only inside your own network", None),
            ("https://192.168.1.1/", "private address", None),
            ("39.32.0.9/8", "too wide", None),
            ("0.0.0.0/0", "too wide", None),
            ("10.0.0.0/8", "private address", None),
            ("39.32.0.0 255.255.255.240", "a slash and one number", "39.32.0.0/28"),
            ("39.32.0.1 39.32.0.2", "Write one address here", "39.32.0.1"),
            ("192.168.1.1", "private address", None),
            ("100.64.0.9", "shares this address", None),
            ("127.0.0.0/31", "own", None),
            ("240.0.0.1", "belongs to nobody", None),
            ("2002:2720:1::1", "bridge between IPv4 and IPv6", None),
            ("39.32.0.0/27", "too wide", None),
            ("2400:adc0::/48", "too wide", None),
        ],
    )
    def test_say_how_to_mend_a_bad_one(
        self, block: str, said: str, offered: str | None, language: str, settings: Any
    ) -> None:
        settings.ALLOWED_SPECIAL_RANGES = []
        draft = a_draft()
        shown = page(self.add(a_client(draft.applicant, language=language), draft, block, port="999"))
        assert 'role="alert"' in shown and 'href="#id_block"' in shown
        if language == "en" and said != "own":
            assert said in shown
        assert (f'name="take" value="{offered}"' in shown) is (offered is not None)
        assert 'value="999"' in shown and 'value="wireguard" checked' in shown
        assert not queries.endpoints_of(draft).exists()

    @BOTH
    def test_that_another_window_removed_are_kept_to_be_added(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        self.add(client, draft, "39.32.0.1")
        row = queries.endpoints_of(draft).get()
        client.post(at("remove_address", draft, row.pk))
        answer = client.post(at("change_address", draft, row.pk), {"block": "39.32.0.7", "kind": "any", "id": row.pk})
        shown = page(answer)
        assert f'action="{at("add_address", draft)}"' in shown and 'value="39.32.0.7"' in shown
        said = "removed or changed in another window" if language == "en" else "دوسری ونڈو"
        assert said in shown
        id = re.search(r'name="id" value="([0-9a-f-]{36})"', shown)
        assert id is not None
        assert self.add(client, draft, "39.32.0.7", kind="any", id=id[1]).status_code == 302
        assert [entry.address_text for entry in queries.endpoints_of(draft)] == ["39.32.0.7"]
        looked = client.get(at("change_address", draft, row.pk), follow=True)
        assert said in page(looked)
        assert client.get(at("change_address", draft, uuid.uuid4())).status_code == 404

    def test_take_the_suggestion_at_one_tap(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        answer = self.add(client, draft, "39.32.0.1:51821", take="39.32.0.1", take_port="51821")
        assert answer.status_code == 302
        [row] = queries.endpoints_of(draft)
        assert str(row.as_address()) == "39.32.0.1 udp 51821"

    @BOTH
    def test_of_an_unknown_network_are_taken_with_a_warning(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        assert self.add(client, draft, "154.192.0.1").status_code == 302
        shown = page(client.get(at("addresses", draft)))
        assert 'class="alert warn warning"' in shown and 'class="g warn"' in shown
        if language == "en":
            assert "an officer will look at it" in shown

    @BOTH
    def test_that_another_holds_are_taken_like_any_other_so_that_nobody_can_ask(self, language: str) -> None:
        other = a_complete_draft(a_person("other@sample.example", name="Planted Holder"), block="203.0.113.88")
        register_to(other.applicant.holder_ref, "203.0.113.88")
        for block in ("203.0.113.88", "203.0.113.89"):
            draft = a_draft(a_person(f"{block}@sample.example"))
            client = a_client(draft.applicant, language=language)
            assert self.add(client, draft, block).status_code == 302
            seen = page(client.get(at("addresses", draft)))
            assert "Planted Holder" not in seen and 'class="err"' not in seen

    @BOTH
    def test_that_you_hold_or_added_already_are_said_to_be_yours(self, language: str) -> None:
        draft = a_draft()
        register_to(draft.applicant.holder_ref, "203.0.113.88")
        with_address(draft, "203.0.113.24")
        client = a_client(draft.applicant, language=language)
        held = page(self.add(client, draft, "203.0.113.88"))
        twice = page(self.add(client, draft, "203.0.113.24"))
        assert "203.0.113.88 UDP 51820" in held and "203.0.113.24 UDP 51820" in twice
        if language == "en":
            assert "You have registered it already" in held and "This application has it already" in twice

    @BOTH
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"kind": ""}, "Choose what runs there"),
            ({"kind": "other"}, "Choose the protocol"),
            ({"kind": "other", "protocol": "sctp"}, "Choose the protocol"),
            ({"kind": "other", "protocol": "gre", "port": "1"}, "goes without a port"),
            ({"port": "0"}, "from 1 to 65535"),
            ({"port": "70000"}, "from 1 to 65535"),
            ({"port": "all"}, "as one number"),
        ],
    )
    def test_say_how_to_mend_protocol_and_port(self, given: dict[str, str], said: str, language: str) -> None:
        draft = a_draft()
        shown = page(self.add(a_client(draft.applicant, language=language), draft, "39.32.0.1", **given))
        assert 'class="err"' in shown and 'value="39.32.0.1"' in shown
        if language == "en":
            assert said in shown

    @BOTH
    def test_offer_the_visitors_own_one_with_its_operator(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language, address="39.32.0.77")
        shown = page(client.get(at("addresses", draft)))
        assert "39.32.0.77" in shown and "Pakistan Telecommuication company limited" in shown
        form = page(client.get(at("add_address", draft) + "?address=39.32.0.77"))
        assert 'value="39.32.0.77"' in form
        tapped = page(client.post(at("add_address", draft), {"block": "", "take": "39.32.0.77"}))
        assert 'value="39.32.0.77"' in tapped and 'class="err"' not in tapped
        assert self.add(client, draft, "", take="39.32.0.77").status_code == 302
        assert "?address=" not in page(client.get(at("addresses", draft)))

    def test_offer_no_private_one_and_believe_no_header(self) -> None:
        draft = a_draft()
        for address in ("10.0.0.7", "100.64.0.7"):
            client = a_client(draft.applicant, address=address)
            shown = page(client.get(at("addresses", draft), headers={"x-forwarded-for": "39.32.0.77"}))
            assert "?address=" not in shown and "39.32.0.77" not in shown

    @BOTH
    def test_that_came_to_the_same_holder_meanwhile_are_marked(self, language: str) -> None:
        draft = a_draft()
        with_address(draft, "203.0.113.24")
        register_to(draft.applicant.holder_ref, "203.0.113.24")
        assert 'class="err"' in page(a_client(draft.applicant, language=language).get(at("addresses", draft)))

    def test_stop_at_the_limit_of_the_policy(self) -> None:
        draft = a_draft()
        most = queries.policy_in_force().limits.endpoints_per_application
        for host in range(most):
            with_address(draft, f"203.0.113.{host}")
        client = a_client(draft.applicant)
        assert at("add_address", draft) not in page(client.get(at("addresses", draft)))
        assert f"One application takes {most} addresses." in page(self.add(client, draft, "203.0.113.200"))

    def test_have_a_sentence_for_every_special_use(self) -> None:
        for name in SpecialName:
            assert wording.special(name)


class TestDocuments:
    def upload(self, client: Client, url: str, *given: tuple[str, bytes], **more: str) -> Any:
        return client.post(url, {"file": [SimpleUploadedFile(name, content) for name, content in given], **more})

    @BOTH
    def test_are_listed_sent_looked_at_and_removed(self, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        page(client.get(at("documents", draft)))
        url = at("upload", draft, "incorporation")
        page(client.get(url))
        assert self.upload(client, url, ("letter.pdf", a_pdf()), act="send").headers["Location"] == url
        assert self.upload(client, url, ("page2.jpg", a_photo_with_place())).headers["Location"] == at(
            "documents", draft
        )
        shown = page(client.get(url))
        assert "letter.pdf" in shown and "page2.jpg" in shown
        page(client.get(at("documents", draft)))
        first, second = queries.documents_of(draft)
        looked = client.get(at("document", draft, second.pk))
        assert looked.headers["Content-Disposition"].startswith("attachment")
        assert looked.content.startswith(b"\xff\xd8") and b"SampleCamera" not in looked.content
        client.post(at("remove_document", draft, first.pk))
        assert "letter.pdf" in page(client.get(url))
        assert "letter.pdf" not in page(client.get(url))

    @BOTH
    def test_that_cannot_be_used_are_named_and_hold_no_good_one_up(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        answer = self.upload(
            client,
            at("upload", draft, "evidence"),
            ("good.pdf", a_pdf()),
            ("empty.pdf", b""),
            ("letter.docx", b"PK\x03\x04" + b"x" * 50),
            ("disguised.pdf", b"MZ" + b"\0" * 90),
        )
        shown = page(answer)
        assert 'role="alert"' in shown and ("<title>Error:" if language == "en" else "<title>غلطی:") in shown
        for number, name in ((2, "empty.pdf"), (3, "letter.docx"), (4, "disguised.pdf")):
            assert f'href="#f{number}"' in shown and f'id="f{number}"' in shown and name in shown
        if language == "en":
            assert "3 of 4 files could not be used" in shown
            assert "Wrong type. Save it as PDF" in shown and "The file is empty" in shown
        assert [document.name for document in queries.documents_of(draft)] == ["good.pdf"]

    @BOTH
    def test_that_are_too_big_say_the_limit(self, language: str) -> None:
        draft = a_draft()
        limit = queries.policy_in_force().limits.document_bytes
        shown = page(
            self.upload(
                a_client(draft.applicant, language=language),
                at("upload", draft, "evidence"),
                ("big.pdf", b"%PDF-" + b"x" * limit),
            )
        )
        assert "10 MB" in shown and 'class="file bad"' in shown

    @BOTH
    def test_are_judged_only_so_many_in_a_while(self, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rahdari.apply.rules.FILES", 1)
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        files = ("one.pdf", a_pdf()), ("two.pdf", a_pdf(2))
        shown = page(self.upload(client, at("upload", draft, "evidence"), *files))
        assert 'href="#f2"' in shown
        if language == "en":
            assert "Many files came in a short time." in shown
        assert [document.name for document in queries.documents_of(draft)] == ["one.pdf"]

    @BOTH
    def test_ask_for_a_file_when_none_was_chosen(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        url = at("upload", draft, "evidence")
        assert 'href="#file"' in page(client.post(url, {}))
        self.upload(client, url, ("letter.pdf", a_pdf()), act="send")
        assert client.post(url, {}).headers["Location"] == tasks(draft)

    def test_that_nobody_asks_for_are_not_found(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        assert client.get(at("upload", draft, "card-image")).status_code == 404
        assert client.get(at("document", draft, uuid.uuid4())).status_code == 404
        assert client.post(at("remove_document", draft, uuid.uuid4())).status_code == 404
        assert client.get(at("documents", draft)).headers["Location"] == tasks(draft)

    def test_of_another_application_cannot_be_reached_through_ones_own(self) -> None:
        theirs = a_draft(a_person("other@sample.example"))
        document = actions.attach_document(
            application=theirs,
            rule="evidence",
            name="a.pdf",
            content=a_pdf(),
            actor=actor_of(theirs.applicant),
            now=NOW,
        )
        mine = a_draft()
        client = a_client(mine.applicant)
        assert client.get(at("document", mine, document.pk)).status_code == 404
        assert client.post(at("remove_document", mine, document.pk)).status_code == 404
        assert queries.documents_of(theirs).exists()

    @BOTH
    def test_need_not_be_sent_by_a_company_that_gave_a_tax_number(self, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        client.post(at("company", draft), {"name": "Sample House", "company_number": "482", "ntn": "1234567"})
        assert 'class="alert info"' in page(client.get(at("documents", draft)))

    @BOTH
    def test_have_a_sentence_for_every_fault(self, language: str) -> None:
        from django.utils import translation

        with translation.override(language):
            for fault in FileFault:
                words = wording.file(FileRefused(fault, "letter.pdf", limit=60, found="EXE"))
                assert words.endswith("۔" if language == "ur" else ".")


class TestPersonalValues:
    def test_are_on_no_log_line(self, caplog: pytest.LogCaptureFixture) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        with caplog.at_level("DEBUG"):
            client.post(at("person", draft), {"name": "Planted Name", "cnic": "bad 3520276543219"})
            client.post(at("person", draft), {"name": "Planted Name", "cnic": "3520276543219"})
            client.post(at("contact", draft), {"name": "Planted Name", "mobile": "03007654321"})
        assert not re.search(r"Planted|3520276543219|3007654321", caplog.text.replace("UPDATE", ""))
        assert fresh(draft).status == Status.DRAFT
