"""The walk: every address of the site, opened by every kind of visitor (the table and the story are test_walk's)."""

import re
import uuid
from itertools import islice
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve, reverse
from django.utils.http import urlencode

from rahdari.apply.models import Application, Document, Endpoint, make_reference
from rahdari.attest.models import Attestation
from rahdari.decide.models import Case
from rahdari.fees.models import Payment
from rahdari.journal import registry
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.people.models import Invitation, Membership, Organisation, RoleAssignment
from rahdari.register import reference as references
from rahdari.register.models import Entry, Registration
from tests.needs import everything_is_needed, rarely

from .test_walk import (
    ACCOUNTANTS,
    ACTS_OF_A_HOLDER,
    ADMINISTRATORS,
    ALL,
    ANYONE,
    ASSOCIATIONS,
    AT_THE_DESK,
    CLOSED_TO_NOBODY,
    DECIDERS_OF_APPEALS,
    IN_BETWEEN,
    METHODS,
    NAMED_FROM_OUTSIDE,
    OF_STAFF,
    OFFICERS,
    OFFICERS_ON_RECORD,
    OPENED_BY,
    OPERATORS,
    OWN_APPLICATION,
    OWN_COMPLAINT,
    OWN_INVITATION,
    OWN_INVOICE,
    OWN_LETTER,
    OWN_ORGANISATION,
    OWN_PASSKEY,
    OWN_REGISTRATION,
    OWN_WAY_ON,
    PROGRAMS,
    READ_AT_THE_DESK,
    SIGNED_IN,
    STAFF,
    VISITORS,
    WATCHERS_OF_POSTS,
    World,
    parts_of,
    world,
)

__all__ = ["world"]
pytestmark = pytest.mark.django_db
# One of each kind, and so many that each state has its turn; the others are of the same kinds.
OFTEN = {"B", "officer", "operator"}


def absent(facts: dict[str, Any]) -> dict[str, Any]:
    """The like of these facts, of something that is not there."""
    made_up = {key: uuid.uuid4() for key in ("id", "endpoint", "document", "check")}
    return made_up | {
        "reference": make_reference(year=2026, month=11),
        "rule": facts["rule"],
        "method": facts["method"],
        "kind": facts["kind"],
    }


CHANGING = re.compile(r'(name="csrfmiddlewaretoken" value=)"[^"]*"')


def what_it_says(answer: HttpResponse, place: str) -> tuple[int, str, str]:
    """An answer without what is different in every one, and without the address that was asked for."""
    page = "" if answer.streaming else CHANGING.sub(r"\1", answer.content.decode(errors="replace"))
    names = (place, place.replace("/", "%2F"), urlencode({"next": place}))
    for name in sorted(names, key=len, reverse=True):
        page = page.replace(name, "-")
    return answer.status_code, answer.headers.get("Location", "").replace(place, "-"), page


def says(browser: Client, method: str, place: str) -> tuple[int, str, str]:
    return what_it_says(getattr(browser, method)(place), place)


def both_say(browser: Client, method: str, there: str, not_there: str) -> list[tuple[int, str, str]]:
    return [says(browser, method, place) for place in (there, not_there)]


def leads_back(method: str, place: str) -> bool:
    """An address that only takes a form, asked for as a page: it leads to the page of that form before it looks at
    anything (tests/architecture/test_addresses.py), and that page is walked here, too."""
    return method == "get" and hasattr(resolve(place).func, "leads_back")


def leads_to_sign_in(answer: HttpResponse) -> bool:
    """To the page of signing in; or, for a form that was sent, a page that keeps what was typed and leads there."""
    if answer.status_code == 302:
        return answer.headers["Location"].startswith(reverse("account_login"))
    return answer.status_code == 403 and b"You were signed out" in answer.content


def as_it_stands() -> list[Any]:
    """All that an applicant or an officer can change, in short."""
    return [
        list(Application.objects.order_by("pk").values_list("pk", "status", "version", "updated_at")),
        list(Endpoint.objects.order_by("pk").values_list("pk", "removed_at", "block", "runs", "parts")),
        list(Document.objects.order_by("pk").values_list("pk", "removed_at", "stored")),
        list(Case.objects.order_by("pk").values_list("pk", "status", "assigned_to")),
        list(RoleAssignment.objects.order_by("pk").values_list("pk", "user", "ended_at")),
        list(Authenticator.objects.order_by("pk").values_list("pk", "user", "data")),
        list(Organisation.objects.order_by("pk").values_list("pk", "name")),
        list(Membership.objects.order_by("pk").values_list("pk", "user", "role")),
        list(Invitation.objects.order_by("pk").values_list("pk", "email", "role")),
        list(Registration.objects.order_by("pk").values_list("pk", "reference", "struck_out_at")),
        list(Entry.objects.order_by("pk").values_list("pk", "block", "protocol", "port", "ended_at")),
        list(Letter.objects.order_by("pk").values_list("pk", "read_at")),
        list(Attestation.objects.order_by("pk").values_list("pk", "revoked_at", "valid_until")),
        list(Payment.objects.order_by("pk").values_list("pk", "invoice", "set_aside_at")),
    ]


class TestNobody:
    def test_is_led_to_sign_in_from_all_that_is_not_for_everyone(self, world: World) -> None:
        before = as_it_stands()
        for name in sorted(set(ALL) - CLOSED_TO_NOBODY):
            for place in world.some(name):
                for method in METHODS:
                    answer = getattr(world.client("nobody"), method)(place)
                    # A page that takes only the other method says so to everybody, before it asks who it is.
                    closed = leads_to_sign_in(answer) or answer.status_code == 405
                    assert closed, f"{method} {name} {place}: {answer.status_code}"
        assert as_it_stands() == before

    def test_gets_the_same_answer_whether_there_is_something_or_not(self, world: World) -> None:
        for name in sorted(OWN_APPLICATION | OFFICERS_ON_RECORD):
            facts = world.sent["case"]
            there, not_there = world.place(name, facts), world.place(name, absent(facts))
            for method in METHODS:
                said = [
                    what_it_says(getattr(world.client("nobody"), method)(place), place) for place in (there, not_there)
                ]
                assert said[0] == said[1], f"{method} {name}"

    def test_may_open_what_is_for_everyone(self, world: World) -> None:
        for name in sorted(
            ANYONE
            - {"control:prove", "portal:prove_by_link", "people:invitation", "vouch:question", "vouch:stop"}
            - {"portal:invited", "portal:invited_reminders"}
            - {"remote:line", "portal:still_right", "portal:number_contact"}
            # Its link is of a person, and the one here is of nobody.
            - {"letters:no_reminders"}
        ):
            for place in world.places(name):
                answer = world.client("nobody").get(place)
                assert answer.status_code in {200, 302}, f"{name}: {answer.status_code}"
                assert world.visitors["A"].email.encode() not in answer.content

    def test_is_an_unknown_program_without_a_token(self, world: World) -> None:
        for visitor in ("nobody", "A", "operator"):
            assert world.client(visitor).post(reverse("publish:receipt")).status_code == 401
        assert world.client("nobody").get(reverse("publish:receipt")).status_code == 405

    @pytest.mark.parametrize("visitor", ["nobody", "A", "officer", "operator", "administrator"])
    def test_is_told_of_no_metrics_from_elsewhere(self, world: World, visitor: str) -> None:
        """A cookie lets nobody in there; the machine itself and a token do (tests/publish/test_lag.py)."""
        elsewhere = [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_VIA": "1.1 proxy.example"}]
        elsewhere += [{f"HTTP_{name}": "192.0.2.7"} for name in ("X_FORWARDED_FOR", "FORWARDED", "X_REAL_IP")]
        elsewhere += [{"HTTP_X_FORWARDED_PROTO": "https"}, {"HTTP_X_FORWARDED_HOST": "rahdari.example"}]
        for passed_on in elsewhere:
            assert world.client(visitor, **passed_on).get(reverse("publish:metrics")).status_code == 404

    def test_is_led_to_the_beginning_from_a_step_in_between(self, world: World) -> None:
        for name in IN_BETWEEN:
            for method in METHODS:
                assert leads_to_sign_in(getattr(world.client("nobody"), method)(reverse(name)))


class TestTheOwner:
    def test_reaches_all_that_is_theirs(self, world: World) -> None:
        browser = world.client("A")
        for name in sorted(
            OWN_APPLICATION
            # No operator of the story can be asked; tests/confirm has one.
            - {
                "apply:document",
                "apply:remove_document",
                "portal:prove",
                "portal:prove_method",
                "portal:prove_operator",
            }
            - {"portal:prove_contact"}  # there is no range in the story; tests/portal/test_methods.py has one
            - {"portal:share"}  # nobody else has an address of the story; tests/share has one
            # Files of addresses are an organisation's: tests/apply/test_files.py.
            - {"apply:add_many", "apply:corrected_addresses"}
        ):
            if name in {"apply:change_address", "apply:remove_address", "portal:notice", "portal:question"}:
                continue
            for place in world.places(name):
                assert browser.get(place).status_code in {200, 302}, place
        for name in (
            "apply:change_address",
            "apply:document",
            "apply:remove_document",
            "portal:prove",
            "portal:prove_method",
        ):
            assert browser.get(world.place(name, world.drafts["full draft"])).status_code in {200, 302}
        assert browser.get(world.place("portal:question", world.sent["question"])).status_code == 200
        assert browser.get(world.place("portal:notice", world.sent["notice"])).status_code == 200
        assert browser.get(world.place("portal:refusal", world.sent["refusal"])).status_code == 200
        others = OWN_LETTER | OWN_INVOICE | OWN_COMPLAINT | {"portal:home", "people:organisation"}
        full_pages = OWN_REGISTRATION - {"portal:certificate_pdf", "portal:provisional"}
        for name in sorted(full_pages | ACTS_OF_A_HOLDER | others):
            for place in world.places(name):
                # A registration of addresses has no mobile line to move; tests/mobile has one.
                # A person has nobody who works from home; a company has.
                # No code is awaited in the story; tests/urgent has one.
                leads_on = "/mobile/" in place or "/urgent/code/" in place
                expected = {302} if leads_on else {200, 302} if "/home/" in place else {200}
                if leads_back("get", place):
                    expected = {302}
                assert browser.get(place).status_code in expected, place

    def test_is_led_from_the_link_to_the_application(self, world: World) -> None:
        for name in sorted(OWN_WAY_ON):
            for facts in (world.drafts["full draft"], world.sent["case"]):
                answer = world.client("A").get(world.place(name, facts))
                assert answer.status_code == 302
                assert f"/{facts['reference']}/" in answer.headers["Location"]

    def test_may_not_open_pages_of_staff(self, world: World) -> None:
        staff = (
            OFFICERS
            | OFFICERS_ON_RECORD
            | DECIDERS_OF_APPEALS
            | NAMED_FROM_OUTSIDE
            | OPERATORS
            | ASSOCIATIONS
            | ADMINISTRATORS
            | WATCHERS_OF_POSTS
        )
        closed_to(world, "A", staff | ACCOUNTANTS)


def closed_to(world: World, visitor: str, names: frozenset[str]) -> None:
    """Pages of a post that the visitor does not hold: refused by post, whatever the address names."""
    browser = world.client(visitor)
    for name in sorted(names):
        for place in world.some(name):
            for method in METHODS:
                answer = getattr(browser, method)(place)
                assert answer.status_code in {403, 405}, f"{visitor} {method} {place}: {answer.status_code}"
                if answer.status_code == 403:
                    assert world.visitors["A"].name.encode() not in answer.content


@pytest.mark.parametrize("visitor", rarely(VISITORS, often=OFTEN))
class TestAnotherPerson:
    def test_finds_nothing_of_the_owner_and_cannot_tell_that_it_is_there(self, world: World, visitor: str) -> None:
        before, browser = as_it_stands(), world.client(visitor)
        everything = list((world.drafts | world.sent).values())
        turns = sorted(OFTEN) if visitor in OFTEN and not everything_is_needed() else VISITORS
        for turn, name in enumerate(sorted(OWN_APPLICATION), turns.index(visitor)):
            not_there = world.place(name, absent(everything[0]))
            # The visitors take turns: each tries every address in some of the states, and in others at the next, so
            # some of them try each in every state. Where everything is asked for, one applicant and one officer try
            # all.
            share = len(turns) if turns is not VISITORS else 1 if visitor in {"B", "officer"} else 3
            tried = everything[turn % share :: share]
            for method in METHODS:
                absence = says(browser, method, not_there)
                assert absence[0] in {404, 405}, f"{visitor} {method} {name}: {absence[0]}"
                for facts in tried:
                    assert says(browser, method, world.place(name, facts)) == absence, f"{visitor} {method} {name}"
        assert as_it_stands() == before
        subjects = [subject_of(facts) for facts in (world.drafts | world.sent).values()]
        acted = Row.objects.filter(actor__endswith=f":{world.visitors[visitor].pk}", subject__in=subjects)
        assert not acted.exists()

    def test_reads_no_letter_registration_or_passkey_of_the_owner(self, world: World, visitor: str) -> None:
        browser = world.client(visitor)
        others = dict(world.registrations)
        if visitor == "member":
            ours = others.pop("company")
            assert browser.get(reverse("portal:registration", args=[ours])).status_code == 200
        for name in sorted(OWN_REGISTRATION):
            for number in others.values():
                places = [reverse(name, args=[each]) for each in (number, references.make())]
                said = both_say(browser, "get", *places)
                assert said[0][0] == 404
                assert said[0] == said[1]
        for name in sorted(OWN_COMPLAINT):
            file = [world.paper] if name == "portal:complaint_file" else []
            places = [reverse(name, args=[world.complained, each, *file]) for each in (world.complaint, "C-AAAA-AAAA")]
            said = both_say(browser, "get", *places)
            assert said[0][0] == 404
            assert said[0] == said[1]
        for name in sorted(OWN_INVOICE):
            said = both_say(browser, "get", reverse(name, args=[world.invoice]), reverse(name, args=["I-2611-9999"]))
            assert said[0][0] == 404
            assert said[0] == said[1]
        said = both_say(
            browser, "get", *(reverse("attest:theirs", args=[each]) for each in (world.attestation, "V-AAAA"))
        )
        assert said[0][0] == 404
        assert said[0] == said[1]
        places = [reverse("portal:letter", args=[each]) for each in (world.letter, uuid.uuid4())]
        said = both_say(browser, "get", *places)
        assert said[0][0] == 404
        assert said[0] == said[1]
        kept = list(Authenticator.objects.values_list("pk", "data"))
        for name in OWN_PASSKEY:
            for method in METHODS:
                assert getattr(browser, method)(reverse(name, args=[world.passkey])).status_code != 200
        assert list(Authenticator.objects.values_list("pk", "data")) == kept

    def test_is_led_from_the_link_to_no_application_of_the_owner(self, world: World, visitor: str) -> None:
        before, browser = as_it_stands(), world.client(visitor)
        for name in sorted(OWN_WAY_ON):
            for facts in (world.drafts | world.sent).values():
                places = [world.place(name, each) for each in (facts, absent(facts))]
                for method in METHODS:
                    said = both_say(browser, method, *places)
                    leads = (302, reverse("portal:home")) if method == "get" else (405, "")
                    assert said[0][:2] == leads, f"{visitor} {method} {name}: {said[0][0]}"
                    assert said[0] == said[1], f"{visitor} {method} {name}"
        assert as_it_stands() == before

    def test_changes_nothing_in_the_owners_organisation(self, world: World, visitor: str) -> None:
        before, browser = as_it_stands(), world.client(visitor)
        absent_one = {"id": uuid.uuid4(), "member": 2**62, "invitation": 2**62}
        for name in sorted(OWN_ORGANISATION | OWN_INVITATION):
            facts = world.other_facts(name)
            places = [world.place(name, each) for each in (facts, {key: absent_one[key] for key in facts})]
            for method in METHODS:
                if (visitor, name, method) == ("member", "people:organisation", "get"):
                    assert browser.get(places[0]).status_code == 200
                    continue
                if leads_back(method, places[0]):
                    assert browser.get(places[0]).status_code == 302
                    continue
                said = both_say(browser, method, *places)
                assert said[0][0] in {404, 405}, f"{visitor} {method} {name}: {said[0][0]}"
                assert said[0] == said[1], f"{visitor} {method} {name}"
        assert as_it_stands() == before

    def test_neither_changes_nor_ends_a_registration_of_the_owner(self, world: World, visitor: str) -> None:
        browser, before = world.client(visitor), as_it_stands()
        for name in sorted(ACTS_OF_A_HOLDER):
            for number in world.registrations.values():
                facts = parts_of(number)
                places = [world.place(name, facts | {"reference": each}) for each in (number, references.make())]
                for method in METHODS:
                    if leads_back(method, places[0]):
                        assert [browser.get(place).status_code for place in places] == [302, 302]
                        continue
                    said = both_say(browser, method, *places)
                    assert said[0][0] == 404, f"{visitor} {method} {places[0]}"
                    assert said[0] == said[1]
        assert as_it_stands() == before

    def test_opens_pages_of_staff_only_with_the_post(self, world: World, visitor: str) -> None:
        names = OPERATORS | ASSOCIATIONS | ADMINISTRATORS | WATCHERS_OF_POSTS | ACCOUNTANTS
        names |= OFFICERS | OFFICERS_ON_RECORD | DECIDERS_OF_APPEALS | NAMED_FROM_OUTSIDE | STAFF
        if visitor in AT_THE_DESK:
            names = names - OFFICERS - OFFICERS_ON_RECORD - STAFF
        if visitor == "director":
            names = names - DECIDERS_OF_APPEALS
        if visitor == "operator":
            names = names - OPERATORS
        if visitor == "association":
            names = names - ASSOCIATIONS
        if visitor == "accountant":
            names = names - ACCOUNTANTS
        if visitor == "administrator":
            names = names - ADMINISTRATORS - STAFF
        if visitor in {"administrator", "director"}:
            names = names - WATCHERS_OF_POSTS
        before = as_it_stands()
        closed_to(world, visitor, names)
        assert as_it_stands() == before

    def test_may_open_their_own_pages(self, world: World, visitor: str) -> None:
        browser = world.client(visitor)
        for name in sorted(SIGNED_IN):
            answer = browser.get(reverse(name))
            refused = {403} if name.startswith("mfa_reauthenticate") else set()  # there is nothing to confirm with
            assert answer.status_code in {200, 302, 404, 405} | refused, f"{name}: {answer.status_code}"
            assert world.visitors["A"].email.encode() not in answer.content


class TestAnotherPersonsPart:
    """An address that names the visitor's own application and a part of somebody else's."""

    def test_is_not_there(self, world: World) -> None:
        browser, before = world.client("B"), as_it_stands()
        part = world.drafts["full draft"]
        parted = [name for name in OWN_APPLICATION if ALL[name] & {"id", "endpoint"}]
        assert len(parted) == 11
        for name in parted:
            for method in METHODS:
                theirs = world.place(name, part | {"reference": world.of_b})
                none = world.place(name, absent(part) | {"reference": world.of_b})
                said = both_say(browser, method, theirs, none)
                assert said[0] == said[1], f"{method} {name}"
                # Of a file that is gone: its rows were added, so these two lead to the visitor's own addresses.
                leads_on = name in {"apply:remove_address", "apply:address_file"}
                assert said[0][0] in {404, 405} or leads_on, f"{method} {name}: {said[0][0]}"
        assert as_it_stands() == before

    def test_of_another_case_is_not_shown_at_the_desk(self, world: World) -> None:
        browser = world.client("officer")
        mixed = world.sent["notice"] | {key: world.sent["case"][key] for key in ("document", "check")}
        browser.post(world.place("decide:take", mixed))
        assert browser.get(world.place("decide:document", mixed)).status_code == 404
        Case.objects.filter(application__reference=mixed["reference"]).update(assigned_to=world.visitors["officer"])
        answer = browser.post(world.place("decide:record_check", mixed), {"outcome": "passed", "how": "Looked it up"})
        assert answer.status_code == 404


@pytest.mark.parametrize("visitor", rarely(sorted(AT_THE_DESK), often={"officer"}))
class TestAnOfficer:
    def test_is_on_record_for_every_file_that_is_opened(self, world: World, visitor: str) -> None:
        browser = world.client(visitor)
        for facts in world.sent.values():
            # Of one that is closed; it is not there for one that is open. It shows nothing of the file.
            browser.post(world.place("decide:why", facts), {"why": "supervision"})
        for name in sorted(OFFICERS_ON_RECORD - {"decide:why"}):
            for state, facts in world.sent.items():
                if name == "decide:document" and state != "case":
                    continue
                method = "get" if name in READ_AT_THE_DESK else "post"
                seen = Row.objects.latest("id").pk
                answer = getattr(browser, method)(world.place(name, facts))
                assert answer.status_code in {200, 302, 422}, f"{method} {name} {state}: {answer.status_code}"
                rows = Row.objects.filter(pk__gt=seen, actor__endswith=f":{world.visitors[visitor].pk}")
                assert rows.filter(act__in=registry.reads(), subject=subject_of(facts)).exists(), f"{name} {state}"

    def test_finds_no_draft_and_nothing_that_is_not_there(self, world: World, visitor: str) -> None:
        browser = world.client(visitor)
        for name in sorted(OFFICERS_ON_RECORD):
            method = "get" if name in READ_AT_THE_DESK else "post"
            for facts in world.drafts.values():
                places = [world.place(name, each) for each in (facts, absent(facts))]
                said = both_say(browser, method, *places)
                assert said[0][0] == 404, f"{name}: {said[0][0]}"
                assert said[0] == said[1]

    def test_has_a_document_in_a_box_of_its_own(self, world: World, visitor: str) -> None:
        answer = world.client(visitor).get(world.place("decide:document", world.sent["case"]))
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def subject_of(facts: dict[str, Any]) -> str:
    return Application.objects.get(reference=facts["reference"]).subject


class TestAnOperator:
    def test_sees_no_holder_and_no_address(self, world: World) -> None:
        page = world.client("operator").get(reverse("portal:operator")).content.decode()
        told = [world.visitors["A"].name, world.visitors["A"].email, "3520212345671", "35202", "+923001234567"]
        told += [world.registrations["person"], "Sample Software House", "203.0.113.", "198.51.100."]
        assert [each for each in told if each in page] == []


class TestAFormFromElsewhere:
    @pytest.mark.parametrize("visitor", ["A", "officer", "administrator", "operator", "nobody"])
    def test_changes_nothing(self, world: World, visitor: str) -> None:
        """A form without our token, as another site would have a browser send it."""
        before = as_it_stands()
        elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        browser = world.client(visitor, enforce_csrf_checks=True)
        # RFC 8058: a mail program posts without a cookie; the secret of the link stands for it.
        for name in sorted(set(ALL) - PROGRAMS - {"letters:no_reminders"}):
            # Refused before anybody looks what it is about: to all but the owner one address of each name is like all.
            for place in world.some(name) if visitor == "A" else [next(world.places(name))]:
                answer = browser.post(place, {"answer": "x", "declare": "on"}, headers=elsewhere)
                assert answer.status_code == 403, f"{visitor} {place}: {answer.status_code}"
                assert b'value="x"' not in answer.content, f"{place} offers to send it all the same"
        assert as_it_stands() == before


class TestStaffWithoutASecondFactor:
    def test_reach_nothing_but_the_page_that_sets_one_up(self, world: World, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR = True
        for visitor in ("officer", "director", "operator", "administrator", "accountant"):
            browser = world.client(visitor)
            # Where not everything is asked for, one tries all, and each of the others what their post is for.
            every = everything_is_needed() or visitor == "officer"
            for name in sorted(OWN_APPLICATION.union(*OF_STAFF.values()) if every else OF_STAFF.get(visitor, OFFICERS)):
                # They are stopped before the page is: one address of each name tells.
                place = next(world.places(name))
                for method in METHODS:
                    answer = getattr(browser, method)(place)
                    assert answer.status_code == 302, f"{visitor} {method} {place}"
                    assert answer.headers["Location"] == reverse("people:second_factor")

    def test_holds_for_nobody_else(self, world: World, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR = True
        assert world.client("A").get(reverse("portal:home")).status_code == 200


class TestPagesOfASignedInPerson:
    def test_are_kept_by_no_cache(self, world: World) -> None:
        """Phones are shared, and so are tables in net cafes: the way back shows nothing after signing out. Where not
        everything is asked for, each is asked by who may open it."""
        for visitor in ("A", "officer", "administrator", "operator"):
            browser = world.client(visitor)
            names = set(ALL if everything_is_needed() else OPENED_BY[visitor])
            for name in sorted(names - PROGRAMS - ANYONE):
                # Whose things they are sees them in every state, and here in the first; to the others one address of
                # each name is like all.
                for place in islice(world.places(name), None if visitor == "A" and everything_is_needed() else 1):
                    kept = browser.get(place).headers.get("Cache-Control", "")
                    assert "no-store" in kept, f"{visitor} {name} {place}: {kept}"
