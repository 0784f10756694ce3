"""Each remedy of each code, walked from the letter to the form that takes it, or to the address by which it goes."""

import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.control.models import Reproof
from rahdari.decide import assignment, ending, evidence, refusals, remedies, revocation
from rahdari.decide import queries as cases
from rahdari.decide.models import Case, Notice
from rahdari.decide.rules import Status
from rahdari.letters import queries as letters
from rahdari.people.models import Role, User
from rahdari.policy import PolicyError, Reason
from rahdari.register import queries as register
from rahdari.register.models import Registration
from tests.builders import story
from tests.builders.cases import PAPER
from tests.builders.shared import known_networks

from . import test_holding
from .test_holding import end

RULES = policy.current(None)
ADVERSE = [each for each in RULES.reasons.values() if each.kind in {"refusal", "suspension", "striking_out"}]
WORDS = "The meter stands in my name; here is why."
browser, granted, holder = test_holding.browser, test_holding.granted, test_holding.holder
built, registration, the_house = test_holding.built, test_holding.registration, test_holding.the_house


def pairs(*ways: str) -> list[tuple[Reason, str]]:
    """Codes and remedies that go by one of these ways."""
    return [(reason, key) for reason in ADVERSE for key in reason.remedies if remedies.WAYS[key] in ways]


def walked(*ways: str) -> pytest.MarkDecorator:
    found = pairs(*ways)
    assert found
    return pytest.mark.parametrize(("reason", "key"), found, ids=[f"{reason.code}-{key}" for reason, key in found])


def test_every_remedy_of_every_code_is_walked_below() -> None:
    below = {"portal:notice", "portal:apply_anew", "portal:go_on", "portal:prove_again", "portal:appeal"}
    assert {remedies.WAYS[key] for reason in ADVERSE for key in reason.remedies} == below | {
        remedies.IN_WRITING,
        remedies.ELSEWHERE,
    }


@pytest.fixture(autouse=True)
def any_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whether a code fits this file is tested in `decide`; here each one leads to its letter."""
    monkeypatch.setattr(evidence, "fits", lambda *_given, **_more: True)
    monkeypatch.setattr(evidence, "missing", lambda *_given, **_more: ())
    return


@pytest.fixture(scope="module", autouse=True)
@known_networks()
def somebody(shared: None) -> User:
    """With an application that an officer looks at, and with one that is granted."""
    person = story.a_person()
    story.a_case(person)
    story.a_granted_application(person)
    return person


@pytest.fixture
def applicant(somebody: User) -> User:
    return copy(somebody)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def letter_to(user: User, template: str) -> str:
    return letters.letters_of(user).filter(template=template).latest("written_at").text


def page_named_in(letter: str) -> str:
    """The page to which a letter leads, as whoever reads it opens it."""
    found = re.findall(r"https?://[^/\s]+(/\S*)", letter)
    assert found, letter
    return found[0]


def form_of(html: str, holding: str) -> str:
    """The address to which the form with this in it is sent."""
    for form in re.findall(r"<form\b.*?</form>", html, re.DOTALL):
        if holding in form and 'method="post"' in form:
            action = re.search(r'<form[^>]* action="([^"]*)"', form)
            return action[1] if action else ""
    raise AssertionError(f"no form with {holding}")


def noticed(applicant: User, reason: Reason) -> Case:
    """Told that it may be refused, or taken back, with this code."""
    officer = story.an_officer()
    if reason.kind == "refusal":
        case = story.case_of(Application.objects.get(applicant=applicant, status="submitted"))
        assignment.take_case(case=case, officer=officer, now=timezone.now())
        refusals.propose_refusal(
            case=case, officer=officer, codes=[reason.code], text="So it is.", named="Page 2.", now=timezone.now()
        )
    else:
        case = story.case_of(Application.objects.get(applicant=applicant, status="granted"))
        revocation.propose_revocation(
            case=case,
            officer=officer,
            code=reason.code,
            text="So it is.",
            evidence="Page 2.",
            paper=PAPER,
            now=timezone.now(),
        )
    return story.case_of(case.application)


def decided(applicant: User, reason: Reason) -> Case:
    case = noticed(applicant, reason)
    notice = cases.open_notice(case)
    assert notice is not None
    refusals.answer_notice(notice=notice, answer="No.", actor=story.actor_of(applicant), now=timezone.now())
    second = story.an_officer(rank="director", role=Role.SUPERVISOR)
    act = refusals.second_refusal if reason.kind == "refusal" else revocation.second_revocation
    act(case=story.case_of(case.application), officer=second, because="It stays so.", now=timezone.now())
    return story.case_of(case.application)


def letter_of(case: Case, reason: Reason) -> str:
    kind = {
        "refusal": "application_refused",
        "suspension": "registration_suspended",
        "striking_out": "registration_struck_out",
    }[reason.kind]
    return letter_to(case.application.applicant, kind)


def is_officers(reason: Reason) -> bool:
    return reason.kind == "refusal" or (reason.ground == "finding" and reason.notice is not None)


@pytest.mark.django_db
@walked("portal:notice")
def test_an_answer_in_the_same_file_reaches_the_officers(
    the_house: None, applicant: User, reason: Reason, key: str
) -> None:
    case = noticed(applicant, reason)
    kind = "application_notice" if reason.kind == "refusal" else "registration_notice"
    place = page_named_in(letter_to(applicant, kind))
    mine = signed_in(applicant)
    page = mine.get(place)
    assert page.status_code == 200
    to = form_of(page.text, 'name="answer"') or place
    done = mine.post(to, {"answer": WORDS, "send": "1"})
    assert done.status_code == 302
    notice = Notice.objects.get(case=case)
    assert (notice.answer, notice.answered_at is not None) == (WORDS, True)
    desk = signed_in(story.an_officer())
    there = reverse("decide:case", args=[case.application.reference])
    if case.status == Status.DECIDED:
        desk.post(reverse("decide:why", args=[case.application.reference]), {"why": "supervision"})
        there = reverse("decide:revoke", args=[case.application.reference])
    assert WORDS in desk.get(there).text


@pytest.mark.django_db
@pytest.mark.parametrize("reason", [each for each in ADVERSE if is_officers(each)], ids=lambda reason: reason.code)
def test_a_hearing_is_asked_for_where_a_code_offers_it(the_house: None, applicant: User, reason: Reason) -> None:
    case = noticed(applicant, reason)
    kind = "application_notice" if reason.kind == "refusal" else "registration_notice"
    letter, mine = letter_to(applicant, kind), signed_in(applicant)
    page = mine.get(page_named_in(letter)).text
    is_offered = reason.kind != "refusal" or "hearing" in reason.remedies
    assert is_offered == ("ask to be heard" in " ".join(letter.split())) == ("Ask for a hearing" in page)
    if is_offered:
        mine.post(form_of(page, "Ask for a hearing"), {"hear": "1"})
        assert Notice.objects.get(case=case).hearing_asked_at is not None


@pytest.mark.django_db
@walked("portal:apply_anew")
def test_a_new_application_begins(the_house: None, applicant: User, reason: Reason, key: str) -> None:
    if not is_officers(reason):  # X3: by its own term
        assert reason.code == "X3"
        return
    case = decided(applicant, reason)
    letter = " ".join(letter_of(case, reason).split())
    assert RULES.remedies[key].text.en in letter
    mine = signed_in(applicant)
    page = mine.get(page_named_in(letter)).text
    if reason.kind == "refusal":
        done = mine.post(form_of(page, "Apply again"), follow=True)
        draft = Application.objects.get(applicant=applicant, status="draft")
        assert done.redirect_chain[-1][0] == reverse("portal:tasks", args=[draft.reference])
        assert reason.code in done.text and case.application.reference in done.text
    else:
        assert reverse("apply:start") in page


@pytest.mark.django_db
@walked("portal:appeal")
def test_an_appeal_is_sent_from_the_page_of_the_letter(
    the_house: None, applicant: User, reason: Reason, key: str
) -> None:
    case = decided(applicant, reason)
    letter = " ".join(letter_of(case, reason).split())
    assert RULES.remedies[key].text.en in letter
    mine = signed_in(applicant)
    place = reverse("portal:appeal", args=[case.application.reference])
    assert f'href="{place}"' in mine.get(page_named_in(letter_of(case, reason))).text
    done = mine.post(place, {"grounds": ["fact"], "words": WORDS, "hearing": "writing", "send": "1"}, follow=True)
    assert "Your appeal is being decided" in done.text and WORDS in done.text


@pytest.mark.django_db
@walked("portal:prove_again")
def test_an_address_is_proved_again_while_suspended(the_house: None, applicant: User, reason: Reason, key: str) -> None:
    case = decided(applicant, reason)
    letter = letter_of(case, reason)
    assert RULES.remedies[key].text.en in " ".join(letter.split())
    mine = signed_in(applicant)
    page = mine.get(page_named_in(letter)).text
    entry = register.entries_of(story.registration_of(case.application)).get()
    place = reverse("portal:prove_again", args=[entry.registration.reference, entry.pk])
    assert f'href="{place}"' in page
    assert mine.get(place).status_code == 200
    assert mine.post(place).status_code == 302
    assert Reproof.objects.get().state == Reproof.State.OPEN
    assert mine.get(place).status_code == 200


@pytest.mark.django_db
@walked("portal:go_on")
def test_a_request_is_taken_back(
    browser: Client, holder: User, registration: Registration, reason: Reason, key: str
) -> None:
    if reason.kind == "striking_out":
        end(browser, registration)
    else:
        ending.pause(registration=registration, days=30, actor=story.actor_of(holder), now=timezone.now())
    page = browser.get(reverse("portal:registration", args=[registration.reference])).text
    to = form_of(page, "Undo the end" if reason.kind == "striking_out" else "Continue it now")
    assert browser.post(to).status_code == 302
    assert register.standing(register.fresh(registration), timezone.now()) == "valid"
    assert key == "undo"


@pytest.mark.django_db
@walked(remedies.IN_WRITING, remedies.ELSEWHERE)
def test_what_has_no_page_says_by_which_way_it_goes(the_house: None, applicant: User, reason: Reason, key: str) -> None:
    remedy, contact = RULES.remedies[key].text, RULES.contact
    assert contact is not None
    if remedies.WAYS[key] == remedies.ELSEWHERE:
        assert "Road" in remedy.en or "address" in remedy.en, "a body alone is no way"
    if not is_officers(reason):  # X6: a court order
        assert reason.code == "X6" and remedies.WAYS[key] == remedies.ELSEWHERE
        return
    case = decided(applicant, reason)
    letter = " ".join(letter_of(case, reason).split())
    place = page_named_in(letter_of(case, reason))
    page = " ".join(signed_in(applicant).get(place).text.split())
    for text in (letter, page):
        assert remedy.en in text
        assert contact.email in text and contact.post.en in text


@pytest.mark.django_db
class TestApplyingAnew:
    def refused(self, applicant: User) -> Application:
        reason = RULES.reasons["R3"]
        return decided(applicant, reason).application

    def again(self, application: Application) -> str:
        return reverse("portal:apply_anew", args=[application.reference])

    def test_begins_with_what_was_typed(self, the_house: None, applicant: User) -> None:
        before = self.refused(applicant)
        signed_in(applicant).post(self.again(before))
        draft = Application.objects.get(applicant=applicant, status="draft")
        for field in ("service", "name", "contact_name", "contact_mobile", "evidence_text"):
            assert getattr(draft, field) == getattr(before, field) != ""
        kept = [(row.block, row.runs, row.parts) for row in applications.endpoints_of(before)]
        assert [(row.block, row.runs, row.parts) for row in applications.endpoints_of(draft)] == kept

    def test_is_one_draft_however_often_and_another_after_it_was_sent(self, the_house: None, applicant: User) -> None:
        before = self.refused(applicant)
        mine = signed_in(applicant)
        for _ in range(2):
            mine.post(self.again(before))
        draft = Application.objects.get(applicant=applicant, status="draft")
        for endpoint in applications.endpoints_of(draft):
            story.prove(endpoint)
        story.send(story.fresh(draft))
        mine.post(self.again(before))
        assert Application.objects.get(applicant=applicant, status="draft").pk != draft.pk

    def test_can_be_sent_and_is_judged_anew(self, the_house: None, applicant: User) -> None:
        before = self.refused(applicant)
        signed_in(applicant).post(self.again(before))
        draft = Application.objects.get(applicant=applicant, status="draft")
        for endpoint in applications.endpoints_of(draft):
            story.prove(endpoint)
        sent = story.send(story.fresh(draft))
        workflow.advance(now=timezone.now())
        assert story.fresh(sent).status == "submitted" and cases.case_of(sent) is not None

    def test_is_for_the_applicant_and_after_a_refusal(self, the_house: None, applicant: User) -> None:
        before = self.refused(applicant)
        assert signed_in(story.a_person()).post(self.again(before)).status_code == 404
        other = story.a_case(applicant).application
        signed_in(applicant).post(self.again(other))
        assert not Application.objects.filter(status="draft").exists()


def test_production_has_to_say_where_it_is_written_to(tmp_path: Path) -> None:
    text = (policy.BUNDLED).read_text()
    start = text.index("[contact]")
    without = text[:start] + text[text.index("[deciding]") :]
    place = tmp_path / "policy.toml"
    place.write_text(without.replace("demonstration = true", "demonstration = false", 1))
    with pytest.raises(PolicyError, match="where the authority is written to"):
        policy.load(place)
