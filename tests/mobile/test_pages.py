"""The pages of a mobile number, in English and Urdu: typed in any digits, confirmed, asked, sent; operators."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply.models import Application
from rahdari.confirm.models import SubscriberQuestion
from rahdari.mobile import listing, queries
from rahdari.people import actions as people
from rahdari.people.models import Role
from rahdari.publish import actions as publish
from rahdari.publish import queries as networks
from tests import urdu
from tests.builders import mobile_lines as sample
from tests.builders import story
from tests.builders.mobile_lines import FIRST, NUMBER, SECOND

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("operators")]


def browser(application: Application, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(application.applicant)
    return client


def place(application: Application, page: str) -> str:
    return reverse(f"portal:mobile_{page}", args=[application.reference])


def plain(text: str) -> str:
    return re.sub(r"</?bdi[^>]*>|[\u2066-\u2069]", "", text)


class TestTheWayIn:
    def answer(self, who: str, client: Client | None = None) -> str:
        client = client or Client(headers={"accept-language": "en"})
        found = client.post(reverse("apply:start"), {"who": who, "use": "clients", "which": "mobile"})
        return str(found["Location"])

    def test_leads_a_freelancer_to_an_application(self) -> None:
        client = Client(headers={"accept-language": "en"})
        assert self.answer("vpn_freelancer", client) == reverse("apply:ready")
        assert "Send me a code" in client.get(reverse("apply:ready")).text

    def test_leads_a_company_to_what_it_can_do(self) -> None:
        assert self.answer("vpn_company") == reverse("apply:instead")

    def test_is_closed_where_no_code_can_be_sent(self, settings: object) -> None:
        settings.SMS_FOLDER = None  # type: ignore[attr-defined]
        assert self.answer("vpn_freelancer") == reverse("apply:instead")


class TestThePages:
    @pytest.mark.parametrize(
        "typed", ["0300 7654321", "+92 300 7654321", "۰۳۰۰۷۶۵۴۳۲۱", "00923007654321"], ids=["03", "plus", "urdu", "00"]
    )
    def test_take_the_number_in_any_form(self, typed: str) -> None:
        application = sample.a_draft()
        client = browser(application)
        found = client.post(place(application, "number"), {"number": typed, "sim": "me"})
        assert found["Location"] == place(application, "code")
        line = queries.line_of(application.subject)
        assert line is not None and line.asked == NUMBER
        page = client.get(place(application, "code")).text
        assert "03** *****21" in page and "3007654321" not in page

    def test_say_what_is_wrong_with_a_number_or_a_name(self) -> None:
        application = sample.a_draft()
        client = browser(application)
        for number, sim, said in (
            ("", "me", "Enter a mobile number"),
            ("0511234567", "me", "A mobile number has 11 digits and begins with 03."),
            ("+447700900123", "me", "Enter a mobile number of Pakistan"),
            ("03007654321", "", "Choose in whose name the SIM is"),
            ("03007654321", "other", "A SIM in another name cannot be registered."),
        ):
            page = client.post(place(application, "number"), {"number": number, "sim": sim})
            assert page.status_code == 422 and said in page.text
        assert queries.line_of(application.subject) is None

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_lead_from_the_tasks_to_the_register(self, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
        application = sample.a_draft(story.a_person(language))
        client = browser(application, language)
        tasks = client.get(reverse("portal:tasks", args=[application.reference]))
        assert place(application, "number") in tasks.text
        check = reverse("portal:check", args=[application.reference])
        assert client.get(check).status_code == 302
        assert client.get(reverse("apply:addresses", args=[application.reference])).status_code == 302
        pages = [client.get(place(application, "number"))]
        client.post(place(application, "number"), {"number": "03007654321", "sim": "me"})
        pages.append(client.get(place(application, "code")))
        wrong = client.post(place(application, "code"), {"code": "12"})
        assert wrong.status_code == 422
        code = sample.code_to(application.applicant)
        found = client.post(
            place(application, "code"), {"code": code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))}
        )
        assert found["Location"] == place(application, "line")
        choose = client.get(place(application, "line"))
        # Proposed by its prefix, and free to choose another.
        assert re.search(rf'value="{FIRST}"[^>]*checked', choose.text)
        assert f'value="{SECOND}"' in choose.text
        assert client.get(check).status_code == 302
        assert client.post(place(application, "line"), {"operator": "nobody"}).status_code == 422
        client.post(place(application, "line"), {"operator": SECOND})
        waits = client.get(place(application, "line"))
        line = queries.line_of(application.subject)
        assert line is not None and (line.operator, line.state) == (SECOND, "asked")
        assert line.check_number in waits.text
        review = client.get(check)
        sent = client.post(check, {"declare": "on", "version": str(story.fresh(application).version)})
        status = client.get(sent["Location"])
        story.advance()
        line = sample.says(line, "yes", reference="cell-0001-abcd")
        story.advance()
        registration = story.registration_of(application)
        shown = client.get(reverse("portal:registration", args=[registration.reference]))
        assert "cell-0001-abcd" in shown.text and "Specimen Cell" in shown.text
        done = client.get(reverse("portal:status", args=[application.reference]))
        certificate = client.get(reverse("portal:certificate", args=[registration.reference]))
        assert "Mobile lines" in certificate.text
        # Each costs a quarter of a second of a processor.
        monkeypatch.setattr("rahdari.applicant.paper.SHEETS", 1)
        monkeypatch.setattr("rahdari.applicant.paper.PER_SECONDS", 86_400)
        assert client.get(reverse("portal:certificate_pdf", args=[registration.reference])).status_code == 200
        again = client.get(reverse("portal:certificate_pdf", args=[registration.reference]))
        assert again.status_code == 429 and again.headers["Retry-After"]
        public = Client(headers={"accept-language": language}).get(
            reverse("portal:check_number"), {"number": registration.reference}
        )
        for page in (*pages, wrong, choose, waits, review, status, shown, done, public, tasks):
            assert page.status_code in {200, 422}
            assert "3007654321" not in page.text
            assert page.text.count("<h1") == 1
            if language == "ur" and page is not public:
                assert urdu.page_problems(page.text) == []
        if language == "en":
            assert "Mobile lines" in public.text and "Registered addresses" not in public.text
            assert "We tell only your operator." in shown.text

    def test_show_that_it_is_in_force_once_the_operator_says_so(self) -> None:
        application, registration, line = sample.granted()
        client = browser(application)
        status = reverse("portal:status", args=[application.reference])
        assert "In force at 0 of 1 operator" in plain(client.get(status).text)
        listing.record_receipt(operator=FIRST, sequence=line.last_sequence, by="token:x", now=timezone.now())
        assert "Your registration is in force" in client.get(status).text
        assert registration.reference in client.get(reverse("portal:registrations")).text

    def test_of_another_applicant_are_not_there(self) -> None:
        application = sample.a_draft()
        client = Client()
        client.force_login(story.a_person())
        for page in ("number", "code", "line"):
            assert client.get(place(application, page)).status_code == 404
        addresses = story.a_draft(application.applicant)
        other = browser(application).get(place(addresses, "number"))
        assert other["Location"] == reverse("portal:application", args=[addresses.reference])

    def test_say_so_when_no_mobile_operator_takes_part(self) -> None:
        for slug in (FIRST, SECOND):
            operator = networks.operator_by_slug(slug)
            assert operator is not None
            publish.set_number_prefixes(operator=operator, prefixes=[], actor="system:test", now=timezone.now())
        application = sample.a_draft()
        sample.confirmed(application)
        assert "No mobile operator takes part yet." in browser(application).get(place(application, "line")).text

    def test_a_new_code_takes_the_place_of_the_old_one(self) -> None:
        application = sample.a_draft()
        sample.typed(application)
        old = sample.code_to(application.applicant)
        client = browser(application)
        assert client.post(place(application, "code"), {"again": "1"})["Location"] == place(application, "code")
        new = sample.code_to(application.applicant)
        if old != new:
            assert client.post(place(application, "code"), {"code": old}).status_code == 422
        assert client.post(place(application, "code"), {"code": new})["Location"] == place(application, "line")


class TestMovingTheNumber:
    def test_to_another_operator_keeps_the_registration(self) -> None:
        application, registration, line = sample.granted()
        client = browser(application)

        def at(page: str) -> str:
            return reverse(f"portal:mobile_move_{page}", args=[registration.reference])

        shown = client.get(reverse("portal:registration", args=[registration.reference])).text
        assert at("number") in shown
        client.post(at("number"), {"number": "03007654321", "sim": "me"})
        client.post(at("code"), {"code": sample.code_to(application.applicant)})
        client.post(at("line"), {"operator": SECOND})
        assert "Waiting for Specimen Cell" in plain(client.get(at("line")).text)
        new = queries.line_of(f"registration:{registration.pk}")
        assert new is not None
        sample.says(new, "yes", reference="cell-0001-abcd")
        line.refresh_from_db()
        assert line.leaves_at is not None
        shown = client.get(reverse("portal:registration", args=[registration.reference])).text
        assert "cell-0001-abcd" in shown and "Left, on its list until" in shown

    def test_is_the_holders_alone(self) -> None:
        _application, registration, _line = sample.granted()
        client = Client()
        client.force_login(story.a_person())
        url = reverse("portal:mobile_move_number", args=[registration.reference])
        assert client.get(url).status_code == 404


class TestTheOperatorsPage:
    def client(self) -> Client:
        user = people.register_person(email="desk@sample-mobile.example", now=timezone.now())
        people.appoint(user=user, role=Role.OPERATOR, operator=FIRST, actor="system:test", now=timezone.now())
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    def test_asks_for_a_word_of_its_own_with_a_yes(self) -> None:
        line = sample.asked(sample.a_draft())
        client = self.client()
        page = client.get(reverse("confirm:checks")).text
        assert "Your reference for this line" in page and "923007654321" in page
        answer = reverse("confirm:answer", args=[line.check_number])
        refused = client.post(answer, {"answer": "yes"})
        assert refused.status_code == 422
        assert "If the answer about a mobile number is yes, give your own reference for the line." in refused.text
        client.post(answer, {"answer": "yes", "reference": "smp-0a1b2c3d"})
        assert SubscriberQuestion.objects.get().answer == "yes"

    def test_takes_a_file_with_a_column_for_it(self) -> None:
        from django.core.files.uploadedfile import SimpleUploadedFile

        line = sample.asked(sample.a_draft())
        client = self.client()
        rows = client.get(reverse("confirm:download")).content.decode("utf-8-sig")
        assert rows.splitlines()[0].endswith("answer,reason,reference")
        heading = "check,answer,reason,reference\r\n"
        sent = SimpleUploadedFile("a.csv", f"{heading}{line.check_number},yes,,smp-0a1b2c3d\r\n".encode())
        file = client.post(reverse("confirm:upload"), {"answers": sent})["Location"]
        client.post(file)
        story.advance()
        line.refresh_from_db()
        assert line.reference == "smp-0a1b2c3d"
