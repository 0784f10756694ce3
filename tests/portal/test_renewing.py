"""From the letter to the renewed registration in two clicks, when nothing has changed; and what is asked for anew."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.apply import drafts, parts
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Document
from rahdari.checks import queries as checks
from rahdari.checks import rosters
from rahdari.control import attempts, expected_claims, places
from rahdari.control import queries as proofs
from rahdari.decide import queries as cases
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.portal.applicant import renewing
from rahdari.probe import quorum
from rahdari.probe.outcome import Outcome, ProbeAnswer
from rahdari.register import queries as register
from rahdari.register.models import Change, Registration
from rahdari.vault import files, keys
from tests import urdu
from tests.builders import story
from tests.builders.drafts import a_pdf, a_photo
from tests.dyndns.conftest import networks as networks  # every test of this file is on these networks

from .test_again import DAY, a_registration, active, begin, browser_of, ends_in

pytestmark = pytest.mark.django_db
COMPANY, NUMBER = "Sample Software House (Pvt) Ltd", "0000482"


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


def address_of(registration: Registration) -> str:
    return next(iter(active(registration))).removesuffix("/32")


def browser_at(person: User, address: str) -> Client:
    browser = Client(headers={"accept-language": "en"}, REMOTE_ADDR=address)
    browser.force_login(person)
    return browser


def renew(browser: Client, registration: Registration) -> HttpResponse:
    return browser.post(reverse("portal:renew", args=[registration.reference]), {"act": "as_it_is"})  # type: ignore[return-value]


def page_of(browser: Client, registration: Registration) -> str:
    return browser.get(reverse("portal:renew", args=[registration.reference])).content.decode()


def the_renewal() -> Application:
    return Application.objects.get(about="renewal")


def sent_long_ago(application: Application) -> None:
    """Decided so long ago that its papers are erased by now."""
    Application.objects.filter(pk=application.pk).update(closed_at=timezone.now() - 200 * DAY)
    Document.objects.filter(application=application).update(uploaded_at=timezone.now() - 201 * DAY)
    story.advance()


def with_papers(service: str, person: User, papers: dict[str, dt.date | None], **company: str) -> Application:
    actor = story.actor_of(person)
    draft = drafts.start_application(
        applicant=person, service=service, actor=actor, now=timezone.now(), fixed_address="yes"
    )
    common: dict[str, Any] = {"application": draft, "actor": actor, "now": timezone.now()}
    drafts.save_company(name=COMPANY, company_number=company.get("number", NUMBER), ntn="", **common)
    drafts.save_contact(name="Sample Manager", mobile="+923001234567", **common)
    for rule, last_day in papers.items():
        parts.attach_document(rule=rule, name=f"{rule}.pdf", content=a_pdf(1), valid_until=last_day, **common)
    story.prove(story.add(draft))
    story.send(story.fresh(draft))
    story.advance()
    return story.fresh(draft)


@pytest.fixture
def companies(tmp_path: Path) -> None:
    path = tmp_path / "companies.csv"
    path.write_text(f"number,name,status,domain\n{NUMBER},{COMPANY},active,client.example\n", encoding="utf-8")
    rosters.import_roster(name="companies", path=path, now=timezone.now(), actor="system:test", processes=1)


class TestTwoClicks:
    def test_from_the_letter_at_the_address_itself_to_the_decision(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), 29.5)
        before, changes = active(registration), Change.objects.count()
        story.advance()
        letter = Letter.objects.get(template="registration_expires_soon")
        browser = browser_at(person, address_of(registration))
        link = re.search(r"http\S+/renew/", letter.text)
        assert link is not None
        page = browser.get(link[0].removeprefix(django_settings.SITE_URL)).content.decode()
        assert "Everything is still correct: renew" in page and "You are on this address now" in page
        assert "These answers are true, and I apply for myself." in page
        assert person.name in page and address_of(registration) in page
        answer = renew(browser, registration)
        renewal = the_renewal()
        assert answer["Location"] == reverse("portal:application", args=[renewal.reference])
        assert renewal.status == "submitted"
        story.advance()
        renewed = register.fresh(registration)
        assert renewed.reference == registration.reference and Registration.objects.count() == 1
        assert renewed.valid_until > registration.valid_until + 360 * DAY
        assert [change.act for change in Change.objects.order_by("id")][changes:] == ["renew"] * len(before)
        assert active(renewed).keys() == before.keys()
        told = Letter.objects.filter(template="application_granted", about=story.fresh(renewal).subject).get()
        assert registration.reference in told.text
        assert renew(browser, registration)["Location"] == reverse("portal:renew", args=[registration.reference])

    def test_from_elsewhere_it_is_sent_and_waits_for_the_link(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), -3)
        browser = browser_of(person)
        assert "You prove it afterwards" in page_of(browser, registration)
        renew(browser, registration)
        renew(browser, registration)  # pressed twice
        renewal = the_renewal()
        story.advance()
        assert story.fresh(renewal).status == "submitted"
        story.prove(applications.endpoints_of(renewal).get())
        story.advance()
        assert story.fresh(renewal).status == "granted"
        assert register.fresh(registration).valid_until > timezone.now() + 300 * DAY

    def test_a_server_that_still_shows_the_token_needs_nothing_of_its_holder(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown: list[object] = []

        def look(claim: object, *_rest: object) -> list[quorum.VantageAnswer]:
            proved = claim in shown
            answer = ProbeAnswer(Outcome.PROVED if proved else Outcome.ANSWERED, "http")
            return [quorum.VantageAnswer(quorum.View("here", "AS64496", answer=answer))]

        monkeypatch.setattr(places, "look_from_all", look)
        person = story.a_person()
        draft = story.fill(story.a_draft(person))
        endpoint = story.add(draft)
        story.take_a_method(endpoint, "http", {})
        first = proofs.latest_challenge(subject=endpoint.subject, block=endpoint.network, method="http")
        assert first is not None
        shown.append(expected_claims.claim_of(first))
        attempts.look_once(challenge=first, now=timezone.now())
        story.send(story.fresh(draft))
        story.advance()
        registration = ends_in(story.registration_of(story.fresh(draft)), 20)
        browser = browser_of(person)
        assert "We check it ourselves, as last time" in page_of(browser, registration)
        renew(browser, registration)
        assert workflow.look(now=timezone.now()) == 1
        story.advance()
        assert story.fresh(the_renewal()).status == "granted"
        assert register.fresh(registration).valid_until > timezone.now() + 300 * DAY

    def test_reads_well_in_urdu_and_of_many_addresses_shows_the_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(renewing, "SHOWN", 3)
        person = story.a_person("ur")
        draft = story.fill(story.a_draft(person))
        for last in range(60, 65):
            story.prove(story.add(draft, f"203.0.113.{last}"))
        story.prove(story.add(draft, "203.0.113.60", port=1194))
        story.send(story.fresh(draft))
        story.advance()
        registration = ends_in(story.registration_of(story.fresh(draft)), 20)
        browser = browser_at(person, "192.0.2.1")
        browser.cookies["django_language"] = "ur"
        page = page_of(browser, registration)
        assert urdu.page_problems(page) == []
        assert page.count(">203.0.113.") == 3 and "اور 2 ایڈریس۔" in page
        renew(browser, registration)
        assert the_renewal().status == "submitted"

    def test_what_was_changed_meanwhile_is_looked_at_first(self) -> None:
        person = story.a_person()
        registration = ends_in(a_registration(person), 20)
        browser = browser_of(person)
        browser.post(reverse("portal:renew", args=[registration.reference]))
        page = page_of(browser, registration)
        assert "Continue where you stopped" in page and "Everything is still correct" not in page
        renew(browser, registration)
        assert the_renewal().status == "draft", "the page showed other answers than the draft may have now"


class TestPapers:
    @pytest.fixture(autouse=True)
    def on_the_roster(self, companies: None) -> None: ...

    def test_that_are_erased_count_as_what_was_seen_in_them(self) -> None:
        person = story.a_person()
        first = with_papers("vpn_company", person, {"incorporation": None})
        registration = ends_in(story.registration_of(first), 30)
        sent_long_ago(first)
        (old,) = Document.objects.filter(application=first)
        assert old.erased_at is not None
        browser = browser_at(person, address_of(registration))
        assert f"Checked with application {first.reference} and still accepted" in page_of(browser, registration)
        renew(browser, registration)
        story.advance()
        renewal = the_renewal()
        assert renewal.status == "granted"
        note = applications.documents_of(renewal).get()
        assert (note.noted_from, note.stored, note.name) == (old, "", "")
        check = checks.checks_of(renewal.subject).get(kind="documents")
        assert (check.outcome, check.finding, check.evidence["seen_with"]) == ("passed", "seen_before", first.reference)
        # A year later the note of the note still names the application with which the paper came.
        ends_in(register.fresh(registration), 30)
        assert f"Checked with application {first.reference} and still accepted" in page_of(browser, registration)

    def test_that_an_officer_read_are_not_read_again(self) -> None:
        person = story.a_person()
        first = with_papers("vpn_mission", person, {"mission_letter": None}, number="")
        self.granted_by_an_officer(first)
        registration = ends_in(story.registration_of(story.fresh(first)), 30)
        sent_long_ago(first)
        renew(browser_at(person, address_of(registration)), registration)
        story.advance()
        assert the_renewal().status == "granted"
        decision = cases.decision_of(story.case_of(the_renewal()))
        assert decision is not None and decision.decided_by.startswith("rule:")

    def granted_by_an_officer(self, application: Application, *, passed: bool = True) -> None:
        from rahdari.decide import assignment, granting

        officer, now = story.an_officer(), timezone.now()
        case = story.case_of(application)
        assignment.take_case(case=case, officer=officer, now=now)
        if passed:
            check = checks.checks_of(application.subject).get(kind="documents")
            assignment.record_check(
                case=case, officer=officer, check=check.pk, outcome="passed", how="It names the embassy.", now=now
            )
        granting.grant(case=story.case_of(application), officer=officer, now=now)
        story.advance()

    def test_of_a_check_that_did_not_pass_go_to_an_officer(self) -> None:
        person = story.a_person()
        first = with_papers("vpn_mission", person, {"mission_letter": None}, number="")
        self.granted_by_an_officer(first)
        check = checks.checks_of(first.subject).get(kind="documents")
        type(check).objects.filter(pk=check.pk).update(outcome="failed")
        registration = ends_in(story.registration_of(story.fresh(first)), 30)
        renew(browser_at(person, address_of(registration)), registration)
        story.advance()
        check = checks.checks_of(the_renewal().subject).get(kind="documents")
        assert (check.outcome, check.finding, check.reason_code) == ("failed", "noted_only", "")
        assert the_renewal().status == "submitted" and cases.case_of(the_renewal()) is not None

    def test_that_change_every_year_are_asked_for_anew(self) -> None:
        person = story.a_person()
        first = with_papers("vpn_company", person, {"taxpayer_proof": None})
        registration = ends_in(story.registration_of(first), 30)
        browser = browser_at(person, address_of(registration))
        page = page_of(browser, registration)
        assert "This must be given again" in page and "Documents" in page and "Everything is still correct" not in page
        answer = renew(browser, registration)
        assert answer["Location"] == reverse("portal:tasks", args=[the_renewal().reference])
        assert the_renewal().status == "draft" and not applications.documents_of(the_renewal()).exists()

    def test_a_certificate_whose_last_day_is_near_is_asked_for_anew_and_bounds_nothing(self) -> None:
        person = story.a_person()
        soon = timezone.localdate() + 40 * DAY
        papers: dict[str, dt.date | None] = {"incorporation": None, "call_centre_certificate": soon}
        first = with_papers("whitelist_call_centre", person, papers)
        registration = story.registration_of(first)
        assert registration.valid_until < timezone.now() + 42 * DAY, "it ends with the certificate"
        browser = browser_at(person, address_of(registration))
        assert "This must be given again" in page_of(browser, registration)
        browser.post(reverse("portal:renew", args=[registration.reference]))
        draft = the_renewal()
        assert [paper.rule for paper in applications.documents_of(draft)] == ["incorporation"]
        parts.attach_document(
            application=draft,
            rule="call_centre_certificate",
            name="new.pdf",
            content=a_pdf(2),
            valid_until=soon + 365 * DAY,
            actor=story.actor_of(person),
            now=timezone.now(),
        )
        story.prove(applications.endpoints_of(draft).get())
        story.send(story.fresh(draft))
        story.advance()
        assert register.fresh(registration).valid_until > timezone.now() + 390 * DAY

    def test_a_note_can_be_replaced_by_the_same_paper_or_taken_out(self) -> None:
        person = story.a_person()
        first = with_papers("vpn_company", person, {"incorporation": None})
        registration = ends_in(story.registration_of(first), 30)
        browser = browser_of(person)
        browser.post(reverse("portal:renew", args=[registration.reference]))
        draft = the_renewal()
        page = browser.get(reverse("apply:upload", args=[draft.reference, "incorporation"])).content.decode()
        assert "Still accepted: no need to send it again" in page and "Download" not in page
        note = applications.documents_of(draft).get()
        assert browser.get(reverse("apply:document", args=[draft.reference, note.pk])).status_code == 404
        original = files.read(note.noted_from.stored, aad=note.noted_from.aad)  # type: ignore[union-attr]
        assert original
        again = parts.attach_document(
            application=draft,
            rule="incorporation",
            name="again.pdf",
            content=a_pdf(1),
            actor=story.actor_of(person),
            now=timezone.now(),
        )
        assert applications.documents_of(draft).get() == again and files.read(again.stored, aad=again.aad)
        answer = browser.post(reverse("apply:remove_document", args=[draft.reference, again.pk]))
        assert answer.status_code == 302 and not applications.documents_of(draft).exists()

    def test_a_note_that_is_taken_out_asks_for_the_paper(self) -> None:
        person = story.a_person()
        first = with_papers("vpn_company", person, {"incorporation": None})
        registration = ends_in(story.registration_of(first), 30)
        browser = browser_of(person)
        browser.post(reverse("portal:renew", args=[registration.reference]))
        draft = the_renewal()
        note = applications.documents_of(draft).get()
        browser.post(reverse("apply:remove_document", args=[draft.reference, note.pk]))
        assert "documents" in applications.missing_steps(draft, applications.policy_in_force())


class TestProofOfWork:
    @pytest.mark.parametrize(("kind", "counts"), [("contract", True), ("client_letter", False)])
    def test_counts_again_unless_the_policy_wants_a_new_one(self, kind: str, counts: bool) -> None:
        person = story.a_person()
        draft = story.fill(story.a_draft(person))
        actor, now = story.actor_of(person), timezone.now()
        drafts.save_evidence(application=draft, kind=kind, text="", actor=actor, now=now)
        parts.attach_document(
            application=draft, rule="evidence", name="paper.jpg", content=a_photo(), actor=actor, now=now
        )
        story.prove(story.add(story.fresh(draft)))
        story.send(story.fresh(draft))
        story.advance()
        registration = ends_in(story.registration_of(story.fresh(draft)), 30)
        page = page_of(browser_of(person), registration)
        assert ("Everything is still correct: renew" in page) == counts
        assert ("This must be given again" in page) != counts

    @pytest.mark.parametrize("page", ["portal:renew", "portal:change_addresses"])
    def test_of_a_client_whose_address_is_forgotten_asks_whom_to_ask(self, page: str) -> None:
        """Only the domain is kept: nobody can be written to with it."""
        person = story.a_person()
        granted = story.a_granted_application(person)
        granted.evidence_kind, granted.evidence_text = "client_confirms", "client.example"
        granted.save(update_fields=["evidence_kind", "evidence_text"])
        registration = ends_in(story.registration_of(granted), 30)
        draft = begin(browser_of(person), registration, page)
        assert (draft.evidence_kind, draft.evidence_text) == ("client_confirms", "")
        assert applications.missing_steps(draft, applications.policy_in_force()) == ["evidence"]


class TestPolicy:
    def text(self, was: str, now: str) -> str:
        text = policy.BUNDLED.read_text(encoding="utf-8")
        assert was in text
        return text.replace(was, now, 1)

    def test_that_keeps_papers_for_less_than_a_term_may_not_count_on_them(self) -> None:
        with pytest.raises(policy.PolicyError) as refused:
            policy.read(self.text('documents = "noted"', 'documents = "kept"'))
        (problem,) = refused.value.problems
        assert problem.key == "renewal.documents" and "120 days" in problem.message and '"noted"' in problem.message

    def test_that_keeps_them_longer_copies_them(self, tmp_path: Path, settings: Any, companies: None) -> None:
        text = self.text('documents = "noted"', 'documents = "kept"')
        was = 'documents = { after = "final_decision", keep = { length = 120, unit = "days" }'
        assert was in text
        settings.POLICY_FILE = tmp_path / "policy.toml"
        settings.POLICY_FILE.write_text(text.replace(was, was.replace('120, unit = "days"', '14, unit = "months"')))
        person = story.a_person()
        first = with_papers("vpn_company", person, {"incorporation": None})
        registration = ends_in(story.registration_of(first), 30)
        sent_long_ago(first)
        renew(browser_at(person, address_of(registration)), registration)
        copy = applications.documents_of(the_renewal()).get()
        assert copy.noted_from is None and copy.name == "incorporation.pdf" and applications.content_of(copy)

    def test_that_says_nothing_of_papers_is_refused(self) -> None:
        text = policy.BUNDLED.read_text(encoding="utf-8")
        without = re.sub(r"^documents = \{ after.*\n", "", text, flags=re.MULTILINE)
        with pytest.raises(policy.PolicyError) as refused:
            policy.read(without)
        assert [problem.key for problem in refused.value.problems] == ["retention"]
