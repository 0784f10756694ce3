"""Mandates of agents: offered, accepted, bounded by scope, service and time, taken back; who is the holder."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from rahdari.api.interface import API, Call
from rahdari.applicant.registrations import RegistrationNotFound
from rahdari.apply import access, drafts, parts
from rahdari.apply.models import Application
from rahdari.decide import assignment, conflicts_of_interest, questions
from rahdari.journal import queries as journal
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people import mandates, queries
from rahdari.people.models import Mandate, User
from rahdari.people.rules import ROLES, SCOPES, Act, OrgRole, Scope
from rahdari.vault import keys
from rahdari.workflow import operator_checks as line
from tests.builders import story
from tests.builders.drafts import a_pdf

from .test_many import signed_in
from .test_roles import World

pytestmark = pytest.mark.django_db
HELD = "/my/mandates/"


@pytest.fixture
def world() -> World:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    return World()


@pytest.fixture
def agent() -> User:
    return story.a_person()


def page(world: World) -> str:
    return reverse("portal:mandates", args=[world.company.pk])


def give(world: World, agent: User, *, accept: bool = True, **given: Any) -> Mandate:
    now = timezone.now()
    facts: dict[str, Any] = {"scope": "apply", "valid_until": now + dt.timedelta(days=90)} | given
    mandate = mandates.give_mandate(
        organisation=world.company,
        email=agent.email,
        agent_name="Sample Law Firm",
        actor="person:x",
        now=now,
        **facts,
    )
    return mandates.accept_mandate(user=agent, mandate=mandate, actor="person:y", now=now) if accept else mandate


def fresh(agent: User) -> User:
    return User.objects.get(pk=agent.pk)


def reaches(world: World, agent: User, name: str) -> bool:
    code: int = signed_in(fresh(agent)).get(reverse(name, args=[world.draft.reference])).status_code
    assert code in {200, 404}
    return code == 200


class TestTheTable:
    def test_gives_an_agent_no_invoice_and_no_member(self) -> None:
        for acts in SCOPES.values():
            assert not acts & {Act.INVOICES, Act.MEMBERS, Act.BRANCHES}
            assert acts < ROLES[OrgRole.MANAGER]
        assert set(SCOPES) == set(Scope)


class TestGiving:
    def given(self, agent: User) -> dict[str, Any]:
        return {
            "agent_name": "Sample Law Firm",
            "scope": "addresses",
            "months": "3",
            "services": ["vpn_company"],
            "email": agent.email,
        }

    def test_is_an_owners_and_writes_to_the_agent(self, world: World, agent: User) -> None:
        for role in ("manager", "technician", "viewer", "accountant", "stranger"):
            assert world.browser(role).get(page(world)).status_code == 404
            assert world.browser(role).post(page(world), self.given(agent)).status_code == 404
        shown = world.browser("owner").post(page(world), self.given(agent), follow=True).text
        assert "Sample Law Firm" in shown and "Not accepted yet" in shown
        mandate = Mandate.objects.get()
        assert (mandate.scope, mandate.services, mandate.agent) == ("addresses", "vpn_company", None)
        [letter] = Letter.objects.filter(template="mandate_offered")
        assert letter.address == agent.email and "Sample House" in letter.text and HELD in letter.text
        assert world.people["owner"].email in letter.text and "not registered yet" not in letter.text
        [row] = [row for row in journal.about(str(world.company)) if row.act == "people.gave_mandate"]
        assert agent.email not in f"{row.detail}" and "Law" not in f"{row.detail}"

    def test_says_how_to_mend_what_is_wrong(self, world: World) -> None:
        shown = world.browser("owner").post(page(world), {"email": "no", "scope": "all"}).text
        for words in ("Enter who acts for you", "with an @ sign", "Choose what they may do", "Choose for how long"):
            assert words in shown
        assert not Mandate.objects.exists()

    def test_holds_once_the_address_accepts(self, world: World, agent: User) -> None:
        mandate = give(world, agent, accept=False)
        assert not reaches(world, agent, "portal:tasks")
        stranger = signed_in(world.people["stranger"])
        assert stranger.post(HELD, {"act": "accept", "mandate": str(mandate.pk)}).status_code == 404
        browser = signed_in(agent)
        assert "asks you to act for it" in browser.get(HELD).text
        home = browser.get(reverse("portal:home")).text
        assert "Something waits for you" in home and "asks you to act for it" in home
        browser.post(HELD, {"act": "accept", "mandate": str(mandate.pk)})
        assert reaches(world, agent, "portal:tasks")
        home = browser.get(reverse("portal:home")).text
        assert "asks you to act for it" not in home and f'href="{HELD}"' in home

    def test_writes_to_one_address_three_times_a_day_at_most(self, world: World, agent: User) -> None:
        browser = world.browser("owner")
        for _ in range(5):
            browser.post(page(world), self.given(agent))
        assert Letter.objects.filter(template="mandate_offered").count() == 3

    def test_and_invitations_fill_no_mailbox_whoever_sends_them(self, world: World, agent: User) -> None:
        now = timezone.now()
        for number in range(4):
            owner = story.a_person()
            common: dict[str, Any] = {"actor": f"person:{owner.pk}", "now": now}
            ours = people.register_organisation(owner=owner, name=f"Sample Maker {number}", **common)
            facts: dict[str, Any] = {"agent_name": "A", "scope": "apply", "valid_until": now + dt.timedelta(days=90)}
            mandates.give_mandate(organisation=ours, email=agent.email, **facts, **common)
            people.invite_member(organisation=ours, email=agent.email, role="viewer", **common)
        written = Letter.objects.filter(template__in=["mandate_offered", "organisation_invitation"])
        assert written.count() == 3 and all("not registered yet" in each.text for each in written)
        assert Mandate.objects.count() == 4  # all of them stand in the account

    def test_keeps_no_address_of_whoever_did_not_accept(self, world: World, agent: User) -> None:
        declined, lapsed, accepted = (give(world, agent, accept=each) for each in (False, False, True))
        signed_in(agent).post(HELD, {"act": "decline", "mandate": str(declined.pk)})
        line.erase_subscribers(timezone.now())
        assert [Mandate.objects.get(pk=each.pk).email for each in (declined, lapsed)] == ["", agent.email]
        line.erase_subscribers(timezone.now() + queries.MANDATE_OFFERED)
        assert [Mandate.objects.get(pk=each.pk).email for each in (lapsed, accepted)] == ["", agent.email]
        assert world.browser("owner").get(page(world)).status_code == 200

    def test_lapses_unanswered(self, world: World, agent: User) -> None:
        mandate = give(world, agent, accept=False)
        late = timezone.now() + dt.timedelta(days=15)
        with pytest.raises(mandates.MandateNotOffered):
            mandates.accept_mandate(user=agent, mandate=mandate, actor="person:y", now=late)


class TestActing:
    @pytest.mark.parametrize(
        ("scope", "papers", "addresses"), [("apply", True, True), ("addresses", False, True), ("see", False, False)]
    )
    def test_is_bounded_by_the_scope(
        self, world: World, agent: User, scope: str, papers: bool, addresses: bool
    ) -> None:
        give(world, agent, scope=scope)
        assert reaches(world, agent, "portal:tasks") == reaches(world, agent, "apply:company") == papers
        assert reaches(world, agent, "apply:addresses") == reaches(world, agent, "portal:prove_many") == addresses
        browser, number = signed_in(fresh(agent)), world.registration.reference
        assert browser.get(reverse("portal:registration", args=[number])).status_code == 200
        assert (browser.get(reverse("portal:end_registration", args=[number])).status_code == 200) == papers
        assert number in browser.get("/my/registrations/").text
        assert world.invoice.number not in browser.get("/my/invoices/").text
        assert browser.get(reverse("people:organisation", args=[world.company.pk])).status_code == 404

    def test_is_bounded_by_the_service(self, world: World, agent: User) -> None:
        give(world, agent, services=["vpn_bank"])
        browser, number = signed_in(fresh(agent)), world.registration.reference
        assert not reaches(world, agent, "portal:tasks")
        assert browser.get(reverse("portal:registration", args=[number])).status_code == 404
        assert number not in browser.get("/my/registrations/").text

    def test_ends_at_once_when_it_is_taken_back(self, world: World, agent: User) -> None:
        mandate = give(world, agent)
        assert reaches(world, agent, "portal:tasks")
        world.browser("owner").post(page(world), {"end": str(mandate.pk)})
        assert not reaches(world, agent, "portal:tasks")
        assert signed_in(agent).post(HELD, {"act": "apply", "mandate": str(mandate.pk)}).status_code == 404

    def test_ends_with_its_day_or_by_giving_it_up(self, world: World, agent: User) -> None:
        mandate = give(world, agent)
        Mandate.objects.filter(pk=mandate.pk).update(valid_until=timezone.now() - dt.timedelta(seconds=1))
        assert not reaches(world, agent, "portal:tasks")
        mandate = give(world, agent)
        assert reaches(world, agent, "portal:tasks")
        signed_in(agent).post(HELD, {"act": "give_up", "mandate": str(mandate.pk)})
        assert not reaches(world, agent, "portal:tasks")

    def test_of_another_organisation_gives_nothing_here(self, world: World, agent: User) -> None:
        elsewhere = World(98)
        give(elsewhere, agent)
        assert not reaches(world, agent, "portal:tasks")
        assert elsewhere.browser("owner").post(page(elsewhere), {"end": "no"}).status_code == 404
        mandate = give(world, agent)
        assert elsewhere.browser("owner").post(page(elsewhere), {"end": str(mandate.pk)}).status_code == 404


def begun(world: World, agent: User) -> Application:
    """An application that the agent begins on their own page."""
    mandate = give(world, agent)
    given = {"act": "apply", "mandate": str(mandate.pk), "service": "vpn_company"}
    answer = signed_in(fresh(agent)).post(HELD, given)
    found: Application = Application.objects.get(applicant=agent)
    assert answer.headers["Location"] == reverse("portal:tasks", args=[found.reference])
    return found


def sent(world: World, agent: User) -> Application:
    draft = begun(world, agent)
    facts: dict[str, Any] = {"application": draft, "actor": f"agent:{agent.pk}", "now": timezone.now()}
    drafts.save_contact(name="Network manager", mobile="+923001234520", **facts)
    parts.add_endpoint(block="203.0.113.77", runs="wireguard", **facts)
    parts.attach_document(rule="incorporation", name="letter.pdf", content=a_pdf(), **facts)
    return story.send(story.fresh(draft))


class TestAnApplicationInAName:
    def test_is_the_organisations(self, world: World, agent: User) -> None:
        draft = begun(world, agent)
        assert (draft.organisation, draft.company_name) == (world.company, "Sample House")
        assert draft.holder_ref == world.company.holder_ref != agent.holder_ref
        place = reverse("apply:company", args=[draft.reference])
        signed_in(fresh(agent)).post(place, {"name": "The Agent Ltd", "company_number": "0000999"})
        again = story.fresh(draft)
        assert (again.organisation, again.company_name) == (world.company, "Sample House")
        assert not queries.organisations_of(agent).exists()
        assert world.browser("owner").get(reverse("portal:tasks", args=[draft.reference])).status_code == 200
        kicker = signed_in(fresh(agent)).get(reverse("apply:addresses", args=[draft.reference]), follow=True).text
        assert "On behalf of" in kicker

    def test_says_so_in_its_letters(self, world: World, agent: User) -> None:
        application = sent(world, agent)
        assert application.holder_ref == world.company.holder_ref
        letters = list(Letter.objects.filter(template="application_received", about=application.subject))
        readers = {letter.to_id for letter in letters}
        assert readers == {agent.pk, world.people["owner"].pk, world.people["manager"].pk}
        assert all("On behalf of: Sample House" in letter.text for letter in letters)
        assert all("Sent by: Sample Law Firm" in letter.text for letter in letters)

    def test_says_so_in_every_letter_about_it_and_in_both_languages(self, world: World, agent: User) -> None:
        application = sent(world, agent)
        world.people["owner"].language = "ur"
        world.people["owner"].save()
        story.prove(application.endpoints.get())
        story.advance()
        officer, now = story.an_officer(), timezone.now()
        assignment.take_case(case=story.case_of(application), officer=officer, now=now)
        questions.ask_question(
            case=story.case_of(application), officer=officer, code="Q4", text="Which servers?", now=now
        )
        letters = list(Letter.objects.filter(template="application_question", about=application.subject))
        assert {letter.language for letter in letters} == {"en", "ur"}
        for letter in letters:
            assert "Sample House" in letter.text and "Sample Law Firm" in letter.text
            assert "On behalf of" in letter.text or "کس کی طرف سے" in letter.text

    def test_goes_on_with_the_organisation_when_the_mandate_ends(self, world: World, agent: User) -> None:
        application = sent(world, agent)
        assert agent in access.readers_of(application)
        mandates.end_mandate(mandate=Mandate.objects.get(), actor="person:x", now=timezone.now())
        readers = access.readers_of(Application.objects.get(pk=application.pk))
        assert agent not in readers and world.people["owner"] in readers
        place = reverse("portal:status", args=[application.reference])
        assert signed_in(fresh(agent)).get(place).status_code == 404
        assert world.browser("owner").get(place).status_code == 200

    def test_shows_the_organisation_who_did_what(self, world: World, agent: User) -> None:
        draft = begun(world, agent)
        given = {"block": "203.0.113.78", "kind": "wireguard"}
        signed_in(fresh(agent)).post(reverse("apply:add_address", args=[draft.reference]), given)
        rows = [(row.act, row.actor) for row in journal.about(draft.subject)]
        assert ("apply.added_endpoint", f"agent:{agent.pk}") in rows and ("apply.started", f"agent:{agent.pk}") in rows
        shown = world.browser("owner").get(page(world)).text
        for words in ("Began an application", "Added an address", "Sample Law Firm", draft.reference):
            assert words in shown

    def test_is_not_decided_by_an_officer_who_is_the_agent(self, world: World) -> None:
        officer = story.an_officer()
        application = sent(world, story.a_person())
        assert not conflicts_of_interest.is_own(application, officer)
        give(world, officer, scope="see")
        assert conflicts_of_interest.is_own(application, officer)


class TestAFormerAgent:
    def told(self, world: World) -> list[str]:
        return [each.text for each in Letter.objects.filter(to=world.people["owner"], template="former_agent")]

    def test_who_tries_to_change_something_is_told_nothing_and_the_owners_hear_once(
        self, world: World, agent: User
    ) -> None:
        theirs, stranger = begun(world, agent), story.a_person()
        mandates.end_mandate(mandate=Mandate.objects.get(), actor="person:x", now=timezone.now())
        there = reverse("portal:withdraw", args=[theirs.reference])
        for _ in range(2):
            assert signed_in(fresh(agent)).post(there).status_code == 404
        call = Call(RequestFactory().post("/"), fresh(agent), timezone.now())
        with pytest.raises(access.ApplicationNotFound):
            API.by_path()["/applications/{reference}/withdraw"]["POST"].run(call, theirs.reference)
        (letter,) = self.told(world)
        assert "Sample Law Firm" in letter
        listed = signed_in(world.people["owner"]).get(page(world)).content.decode()
        assert listed.count("Tried something after the mandate had ended") == 1
        assert signed_in(stranger).post(there).status_code == 404 and len(self.told(world)) == 1

    def test_is_noted_of_a_registration_too_and_never_for_reading(self, world: World, agent: User) -> None:
        give(world, agent)
        mandates.end_mandate(mandate=Mandate.objects.get(), actor="person:x", now=timezone.now())
        there = reverse("portal:change_addresses", args=[world.registration.reference])
        assert signed_in(fresh(agent)).get(there).status_code == 404 and not self.told(world)
        assert signed_in(fresh(agent)).post(there).status_code == 404 and len(self.told(world)) == 1

    def test_is_noted_by_an_operation_too_and_of_a_mandate_that_is_over_by_its_day(
        self, world: World, agent: User
    ) -> None:
        give(world, agent)
        now = timezone.now()
        Mandate.objects.update(given_at=now - dt.timedelta(days=9), valid_until=now - dt.timedelta(days=1))
        call = Call(RequestFactory().post("/"), fresh(agent), now)
        with pytest.raises(RegistrationNotFound):
            API.by_path()["/registrations/{reference}/end"]["POST"].run(call, world.registration.reference)
        assert len(self.told(world)) == 1

    def test_with_another_mandate_of_the_organisation_is_no_former_agent(self, world: World, agent: User) -> None:
        theirs = begun(world, agent)
        mandates.end_mandate(mandate=Mandate.objects.get(), actor="person:x", now=timezone.now())
        give(world, agent, scope="see")
        signed_in(fresh(agent)).post(reverse("portal:withdraw", args=[theirs.reference]))
        assert not self.told(world)


class AsksForAnothersFirst:
    """Before each page, the same request looks up what somebody else holds: the worst order of queries there is."""

    reference = ""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        access.application_for_applicant(applicant=cast(User, request.user), reference=self.reference)
        return self.get_response(request)


class TestTheJournal:
    """Names who acted by the row that they acted on, and by no other query of the request."""

    def test_names_a_person_who_is_also_an_agent_in_their_own_right(
        self, world: World, agent: User, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs, mine = begun(world, agent), story.a_draft(agent)
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.AsksForAnothersFirst"]
        monkeypatch.setattr(AsksForAnothersFirst, "reference", theirs.reference)
        signed_in(fresh(agent)).post(reverse("portal:withdraw", args=[mine.reference]))
        monkeypatch.setattr(AsksForAnothersFirst, "reference", mine.reference)
        signed_in(fresh(agent)).post(reverse("portal:withdraw", args=[theirs.reference]))
        rows = Row.objects.filter(act="apply.withdrew").values_list("subject", "actor")
        assert dict(rows) == {mine.subject: f"person:{agent.pk}", theirs.subject: f"agent:{agent.pk}"}

    def test_names_a_program_by_what_it_acts_on(self, world: World, agent: User) -> None:
        theirs, mine, person = begun(world, agent), story.a_draft(agent), fresh(agent)
        call = Call(RequestFactory().post("/"), person, timezone.now())
        for row, before in ((mine, theirs), (theirs, mine)):
            access.application_for_applicant(applicant=person, reference=before.reference)
            API.by_path()["/applications/{reference}/withdraw"]["POST"].run(call, row.reference)
        rows = Row.objects.filter(act="apply.withdrew").values_list("subject", "actor")
        assert dict(rows) == {mine.subject: f"person:{agent.pk}", theirs.subject: f"agent:{agent.pk}"}
