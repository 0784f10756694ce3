"""The pages, through Django's own client, in both languages: bad input says how to mend it, nothing given is lost."""

import html
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import NoReverseMatch, reverse

from rahdari.apply import queries, rules, urls
from rahdari.apply.models import Application
from rahdari.apply.rules import Status
from rahdari.people import sessions
from rahdari.policy import BUNDLED, load
from tests import urdu
from tests.builders import story
from tests.builders.drafts import CNIC, NOW, a_complete_draft, a_draft, a_person, asking, sent
from tests.builders.people import sign_in

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("language", ["en", "ur"])
HOST = "testserver"
POLICY = load(BUNDLED)


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


def token_of(response: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', response.content.decode())
    assert found is not None
    return found[1]


def fresh(application: Application) -> Application:
    return Application.objects.get(pk=application.pk)


class TestQuestions:
    @BOTH
    def test_lead_a_signed_in_person_to_one_draft(self, language: str) -> None:
        client = a_client(a_person(), language=language)
        token = token_of(client.get(reverse("apply:start")))
        answers = {"who": "vpn_freelancer", "use": "clients", "which": "server", "token": token}
        assert client.post(reverse("apply:start"), answers).headers["Location"] == reverse("apply:ready")
        assert "freelancer<br>No fee</p>" in page(client.get(reverse("apply:ready"))) or language == "ur"
        first, second = client.post(reverse("apply:begin")), client.post(reverse("apply:begin"))
        [draft] = Application.objects.all()
        assert first.headers["Location"] == second.headers["Location"] == at("about", draft)
        assert (draft.service, draft.fixed_address, draft.language) == ("vpn_freelancer", "server", language)
        # The same page sent again is the same application, a page that is opened anew is another one.
        client.post(reverse("apply:start"), answers)
        client.post(reverse("apply:begin"))
        assert Application.objects.get() == draft
        client.post(reverse("apply:start"), answers | {"token": token_of(client.get(reverse("apply:start")))})
        client.post(reverse("apply:begin"))
        assert Application.objects.count() == 2

    def test_are_one_page_with_what_was_answered(self) -> None:
        client = a_client()
        shown = page(client.get(reverse("apply:start")))
        assert "checked" not in shown and shown.count("<fieldset") == 3
        client.post(reverse("apply:start"), {"who": "vpn_company", "use": "staff", "which": "line"})
        shown = page(client.get(reverse("apply:start")))
        assert re.findall(r'value="(\w+)" checked', shown) == ["vpn_company", "staff", "line"]

    def test_are_kept_until_somebody_signs_in(self) -> None:
        client = a_client()
        client.post(reverse("apply:start"), {"who": "vpn_company", "use": "staff", "which": "server"})
        asked = client.post(reverse("apply:begin"))
        assert asked.headers["Location"].startswith(reverse("account_login"))
        assert not Application.objects.exists()
        client.force_login(a_person())
        page(client.get(reverse("apply:ready")))
        assert not Application.objects.exists(), "looking begins nothing"
        client.post(reverse("apply:begin"))
        assert [draft.service for draft in Application.objects.all()] == ["vpn_company"]

    def test_begin_with_the_sign_in(self) -> None:
        client = a_client()
        client.post(reverse("apply:start"), {"who": "vpn_freelancer", "use": "clients", "which": "line"})
        where = sign_in(client, "sample@people.example", to=reverse("apply:ready"))
        draft = Application.objects.get()
        assert where == at("about", draft)
        # Signed in anew in the same browser, and the button: the draft is there.
        client.post(reverse("account_logout"))
        assert sign_in(client, "sample@people.example", to=reverse("apply:ready")) == reverse("apply:ready")
        assert Application.objects.get() == draft

    def test_begin_with_no_other_sign_in(self) -> None:
        """Nor does a link of somebody else begin more than this browser answered."""
        client = a_client()
        assert sign_in(client, "sample@people.example", to=reverse("apply:ready")) == reverse("apply:ready")
        client = a_client()
        client.post(reverse("apply:start"), {"who": "vpn_freelancer", "use": "clients", "which": "line"})
        assert sign_in(client, "sample@people.example") == reverse("portal:home")
        assert not Application.objects.exists()

    def test_begin_with_no_sign_in_of_staff(self) -> None:
        """They may have to show a second factor first."""
        staff = story.an_officer()
        client = a_client()
        client.post(reverse("apply:start"), {"who": "vpn_freelancer", "use": "clients", "which": "line"})
        assert sign_in(client, staff.email, to=reverse("apply:ready")) == reverse("apply:ready")
        assert not Application.objects.exists()

    @BOTH
    @pytest.mark.parametrize("name", ["who", "use", "which"])
    def test_say_what_to_choose_when_nothing_was(self, name: str, language: str) -> None:
        client = a_client(language=language)
        answers = {"who": "vpn_company", "use": "staff", "which": "line"}
        for answer in ("", "something else"):
            shown = page(client.post(reverse("apply:start"), answers | {name: answer}))
            assert 'role="alert"' in shown and re.findall(r'href="#(id_\w+)"', shown) == [f"id_{name}_0"]
            assert shown.count('class="invalid"') == 1
            assert ("<title>Error:" if language == "en" else "<title>غلطی:") in shown
        assert Session.objects.count() == 0

    @BOTH
    @pytest.mark.parametrize(
        "answers",
        [
            {"who": "licensed"},
            {"who": "none"},
            {"who": "vpn_company", "use": "service"},
            {"who": "vpn_freelancer", "use": "private"},
            {"who": "vpn_freelancer", "use": "clients", "which": "mobile"},
        ],
    )
    def test_say_what_to_do_instead(self, answers: dict[str, str], language: str) -> None:
        client = a_client(a_person(), language=language)
        assert client.post(reverse("apply:start"), answers).headers["Location"] == reverse("apply:instead")
        shown = page(client.get(reverse("apply:instead")))
        assert reverse("apply:start") in shown
        title, heading = re.search(r"<title>(.*?)</title>", shown, re.DOTALL), re.search(r"<h1>(.*?)</h1>", shown)
        assert title is not None and heading is not None and title[1].startswith(heading[1])
        assert client.post(reverse("apply:begin")).headers["Location"] == reverse("apply:instead")
        assert not Application.objects.exists()

    def test_say_which_services_are_not_yet_open(self, settings: Any, tmp_path: Path) -> None:
        assert "Not yet open." not in page(a_client().get(reverse("apply:start")))
        text = BUNDLED.read_text(encoding="utf-8")
        at = text.index("open = true", text.index("[services.whitelist_video]"))
        settings.POLICY_FILE = tmp_path / "policy.toml"
        settings.POLICY_FILE.write_text(text[:at] + text[at:].replace("true", "false", 1), encoding="utf-8")
        client = a_client()
        assert page(client.get(reverse("apply:start"))).count("Not yet open.") == 1
        client.post(reverse("apply:start"), {"who": "whitelist_video"})
        assert "This service is not yet open" in page(client.get(reverse("apply:instead")))

    def test_lead_users_of_a_licensed_provider_to_what_is_known_of_them(self) -> None:
        client = a_client()
        client.post(reverse("apply:start"), {"who": "licensed"})
        shown = page(client.get(reverse("apply:instead")))
        assert "cannot register the VPN of a provider" in shown and reverse("licensees:providers") in shown

    def test_cannot_be_jumped(self) -> None:
        client = a_client(a_person())
        for name in ("instead", "ready"):
            assert client.get(reverse(f"apply:{name}")).headers["Location"] == reverse("apply:start")
        assert client.post(reverse("apply:begin")).headers["Location"] == reverse("apply:start")


STEP_PAGES = [
    "about",
    "person",
    "contact",
    "evidence",
    "evidence_text",
    "association",
    "addresses",
    "add_address",
]


class TestLooking:
    def test_makes_no_session(self) -> None:
        client = a_client()
        for name in ("apply:start", "apply:begin", "portal:start", "portal:help", "account_login"):
            client.get(reverse(name), follow=True)
        client.post(reverse("apply:begin"))
        assert Session.objects.count() == 0
        client.post(reverse("apply:start"), {"who": "licensed"})
        assert Session.objects.count() == 1


class TestTooManyDrafts:
    @BOTH
    def test_are_told_on_the_page_of_ones_applications(self, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
        user = a_person()
        monkeypatch.setattr(rules, "MOST_DRAFTS", 2)
        drafts = [a_draft(user) for _ in range(2)]
        client = a_client(user, language=language)
        client.post(reverse("apply:start"), {"who": "vpn_freelancer", "use": "clients", "which": "server"})
        shown = page(client.post(reverse("apply:begin"), follow=True))
        assert ("You have 2 applications that are not sent" if language == "en" else "2 درخواستیں") in shown
        assert Application.objects.filter(applicant=user).count() == 2
        # The same link again is no new application; one that was sent makes room.
        Application.objects.filter(pk=drafts[0].pk).update(status=Status.WITHDRAWN, closed_at=NOW)
        client.post(reverse("apply:begin"))
        assert Application.objects.filter(applicant=user).count() == 3


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
            ("person", {"name": "  Sample   Freelancer 31 "}),
            ("contact", {"name": "Sample Freelancer 31", "mobile": "0300 1234567"}),
        ]
        for name, data in given:
            seen = seen_of(client.get(at(name, draft)))
            assert client.post(at(name, draft), {**data, "seen": seen}).headers["Location"] == at("evidence", draft)
            page(client.get(at(name, draft)))
        association = f"{at('evidence', draft)}?kind=association"
        page(client.get(association))
        membership = {"number": "sa-0031", "cnic": "۳۵۲۰۲-۱۲۳۴۵۶۷-۱"}
        assert client.post(association, membership).headers["Location"] == at("add_address", draft)
        saved = fresh(draft)
        assert (saved.name, saved.cnic, saved.contact_mobile) == ("Sample Freelancer 31", CNIC, "+923001234567")
        assert (saved.evidence_kind, saved.association_number) == ("association", "SA-0031")

    @BOTH
    def test_about_a_person_are_saved_on_one_page(self, language: str, settings: Any, tmp_path: Path) -> None:
        asking(settings, tmp_path, card_number="required", contact_number="required")
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        given = {"name": "Sample Freelancer 31", "cnic": CNIC, "mobile": "0300 1234567"}
        for field in given:
            refused = client.post(at("about", draft), given | {field: ""})
            assert f'href="#id_{field}"' in page(refused) and fresh(draft).version == draft.version
        seen = seen_of(client.get(at("about", draft)))
        assert client.post(at("about", draft), given | {"seen": seen}).headers["Location"] == at("evidence", draft)
        saved = fresh(draft)
        assert (saved.name, saved.cnic, saved.contact_name) == (given["name"], CNIC, given["name"])
        assert saved.contact_mobile == "+923001234567"
        assert saved.version == draft.version + 1
        # Another tab that still knows the page as it was is told.
        stale = page(client.post(at("about", draft), given | {"name": "Second Tab", "seen": seen}))
        assert 'value="Second Tab"' in stale and fresh(draft).name == given["name"]

    @BOTH
    def test_never_show_a_card_number_that_is_kept(self, language: str, settings: Any, tmp_path: Path) -> None:
        asking(settings, tmp_path, card_number="required", contact_number="optional")
        draft = a_complete_draft()
        client = a_client(draft.applicant, language=language)
        for name in ("about", "person"):
            shown = page(client.get(at(name, draft)))
            assert "35xxx-xxxxxxx-x" in shown
            assert not re.search(r"35202\D?1234567\D?1", shown)
        # Left empty it stays; a new one takes its place.
        data = {"name": "Sample Freelancer 31", "cnic": ""}
        assert client.post(at("person", draft), data).status_code == 302
        assert fresh(draft).cnic == CNIC
        assert client.post(at("person", draft), data | {"cnic": "35000-0000001-1"}).status_code == 302
        assert fresh(draft).cnic == "3500000000011"

    @BOTH
    def test_of_a_company_take_no_number_of_a_card_and_show_none(self, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        data = {"name": "Sample House", "company_number": "482", "ntn": "35000-0000001-1"}
        assert 'href="#id_ntn"' in page(client.post(at("company", draft), data))
        kept = fresh(draft)
        kept.ntn, kept.company_name = "3500000000011", "Sample House"
        kept.save()
        for url in (at("company", draft), tasks(draft)):
            assert "0000001" not in page(client.get(url))
        rows = {row.key: row for group in queries.summary_of(fresh(draft), POLICY) for row in group.rows}
        assert [line.text for line in rows["ntn"].lines] == ["35xxx-xxxxxxx-x"]

    @BOTH
    def test_of_a_company_make_the_organisation(self, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        page(client.get(at("company", draft)))
        data = {"name": "Sample Software House (Pvt) Ltd", "company_number": "CUIN-482", "ntn": "1234567-8"}
        assert client.post(at("company", draft), data).headers["Location"] == at("add_address", draft)
        saved = fresh(draft)
        assert saved.organisation is not None
        assert (saved.organisation.name, saved.company_number, saved.ntn) == (data["name"], "0000482", "1234567-8")
        # Zeros that we put in front are told, and not again where all of it was typed.
        told = "We read the company number as" if language == "en" else "ہم نے کمپنی نمبر"
        following = page(client.get(tasks(draft)))
        assert told in following and "0000482" in following
        client.post(at("company", draft), {**data, "company_number": "CUIN-0000482"})
        assert told not in page(client.get(tasks(draft)))
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
            ("purpose", "purpose", "work", "Add a little more"),
            ("purpose", "purpose", "x" * 4001, "you have 4001"),
            ("evidence", "kind", "rumour", "Choose how you prove your employment or freelance work"),
            ("association", "number", "?!", "3 to 40"),
            ("association", "number", "<script>", "letters, digits and hyphens"),
        ],
    )
    def test_say_how_to_mend_bad_input_and_keep_the_rest(
        self, name: str, field: str, value: str, said: str, language: str, settings: Any, tmp_path: Path
    ) -> None:
        asking(settings, tmp_path, card_number="required", contact_number="required", purpose="required")
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        good = {
            "name": "Sample Freelancer 31", "cnic": CNIC, "mobile": "03001234567",
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
            ("company_number", "123456789", "7 digits of the company number"),
            ("company_number", "12345678", "looks like a tax number"),
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
        assert 'class="err"' in shown and (language == "ur" or said in shown)

    @BOTH
    def test_take_an_email_as_text(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        assert client.get(at("evidence_text", draft)).headers["Location"] == at("evidence", draft)
        chosen = f"{at('evidence', draft)}?kind=client_email"
        page(client.get(chosen))
        assert 'class="err"' in page(client.post(chosen, {"text": " "}))
        assert fresh(draft).evidence_kind == "", "choosing saves nothing"
        mail = "From: client@sample.example\r\n\r\nYou work for us."
        assert client.post(chosen, {"text": mail}).headers["Location"] == at("about", draft)
        assert fresh(draft).evidence_kind == "client_email"
        assert "You work for us." in page(client.get(at("evidence_text", draft)))
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

    @pytest.fixture(autouse=True)
    def asks_for_a_card(self, settings: Any, tmp_path: Path) -> None:
        asking(settings, tmp_path, card_number="required")

    @BOTH
    def test_what_was_typed_is_given_back_on_the_same_page(self, language: str) -> None:
        draft = a_draft()
        client = a_client(language=language)
        asked = client.post(at("person", draft), self.DATA, headers={"origin": f"http://{HOST}"})
        assert asked.headers["Location"].startswith(reverse("account_login"))
        for session in Session.objects.all():
            for planted in (*self.DATA.values(), "3520276543219"):
                assert planted not in str(sessions.read(session))
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
        assert answer.headers["Location"] == at("evidence", draft)
        assert fresh(draft).name == "Planted Name"


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
