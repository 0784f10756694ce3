"""Every address of the site, walked by every kind of visitor. What is not expected here is closed, and a test fails.

The story is one person's, A: a draft, an application at the desk, one with a question, one with a notice, one refused,
one registered, a company with its registration. B is another applicant; the member belongs to A's company.
"""

import datetime as dt
import ipaddress
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django.utils.http import urlencode

from rahdari.address import directory
from rahdari.api import routes
from rahdari.apply import actions as apply
from rahdari.apply.models import Application, Document, Endpoint, make_reference
from rahdari.attest.models import Attestation
from rahdari.attest.rules import Identifier
from rahdari.decide.models import Case
from rahdari.fees import actions as fees
from rahdari.fees import queries as payments
from rahdari.fees.models import Payment
from rahdari.fees.rules import Due
from rahdari.journal.models import Entry as Row
from rahdari.lease import actions as lease
from rahdari.letters import queries as letters
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import Invitation, Membership, Organisation, Post, Role, User
from rahdari.register import actions as register
from rahdari.register import reference as references
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import NewEntry
from rahdari.vault import keys, links
from rahdari.verify import queries as proofs
from rahdari.verify.models import Check
from tests.apply.sample import a_photo
from tests.attest.sample import a_secretary, an_attestation
from tests.portal import story

pytestmark = pytest.mark.django_db

# -- who may open what -----------------------------------------------------------------------------------------------

ANYONE = frozenset(
    """page:language account_login account_request_login_code mfa_login_webauthn account_inactive account_logout
    portal:start portal:check_number portal:certificate_link portal:service_status portal:help portal:privacy
    people:invitation
    portal:accessibility portal:terms portal:source portal:licensees verify:prove portal:prove_by_link
    vouch:question vouch:stop letters:no_reminders
    confirm:openapi api:openapi
    apply:start apply:who apply:use apply:fixed apply:instead apply:begin
    mfa_list_webauthn mfa_index""".split()
)
# Steps of signing in: they lead back to its beginning whoever is not in the middle of it.
IN_BETWEEN = frozenset({"account_confirm_login_code", "mfa_authenticate"})
# The applicants' API: bearer tokens only. tests/api walks it by operation, scope and person.
API = frozenset(f"api:{next(iter(each.values())).id}" for each in routes.by_path().values())
API |= {"api:nothing_here"}
# Programs with a bearer token, never a browser with a cookie.
PROGRAMS = API | frozenset(
    """publish:receipt publish:metrics letters:sms_report letters:metrics lease:metrics
    confirm:questions confirm:question confirm:answers confirm:callback confirm:callback_test
    confirm:sandbox_questions confirm:sandbox_question confirm:sandbox_answers
    mobile:lines mobile:changes mobile:receipt mobile:left""".split()
)
SIGNED_IN = frozenset(
    """people:account people:end_other_sessions people:second_factor mfa_reauthenticate mfa_reauthenticate_webauthn
    mfa_activate_totp mfa_deactivate_totp mfa_add_webauthn mfa_view_recovery_codes mfa_generate_recovery_codes
    mfa_download_recovery_codes people:organisations fees:invoices portal:home portal:mandates_held
    portal:registrations portal:letters
    share:sharing
    attest:mine people:number people:number_code people:remove_number people:choose_notes portal:letters_read
    portal:letters_reminders
    api:programs api:make_token""".split()
)
OWN_TOKEN = frozenset({"api:revoke_token", "api:end_webhook"})
# A question to a holder, and another's part in what it shares: tests/share has both.
OWN_SHARING = frozenset({"share:question", "share:stop"})
OWN_PASSKEY = frozenset({"mfa_remove_webauthn", "mfa_edit_webauthn"})
OWN_LETTER = frozenset({"portal:letter"})
# A member sees the first; the acts are an owner's, but everybody may leave.
OWN_ORGANISATION = frozenset("people:organisation people:role people:remove_member people:withdraw_invitation".split())
# Branches are an organisation's, seen and changed by role: tests/portal/test_branches.py, test_mandates.py.
OWN_BRANCHES = frozenset({"portal:branches", "portal:branch", "portal:mandates"})
OWN_INVITATION = frozenset({"people:answer_invitation"})
OWN_APPLICATION = frozenset(
    """portal:application portal:tasks portal:prove_first portal:prove portal:prove_many portal:prove_way
    portal:prove_operator portal:share
    portal:mobile_number portal:mobile_code portal:mobile_line portal:check portal:status
    portal:question portal:notice portal:refusal portal:withdraw portal:proof portal:send_proof apply:person
    apply:company apply:contact apply:purpose apply:evidence apply:evidence_text apply:evidence_client
    apply:evidence_declaration apply:association
    apply:addresses apply:add_address apply:change_address apply:remove_address
    apply:add_many apply:address_sample apply:address_file apply:corrected_addresses
    apply:documents apply:upload apply:document apply:remove_document""".split()
)
OWN_REGISTRATION = frozenset(
    {"portal:registration", "portal:provisional", "portal:certificate", "portal:certificate_pdf"}
)
# A company's registration: its owners' only, not its other members'.
ACTS_OF_A_HOLDER = frozenset(
    """portal:end_registration portal:change_entry portal:prove_again portal:renew portal:change_addresses
    portal:changing portal:mobile_move_number portal:mobile_move_code portal:mobile_move_line""".split()
)
OFFICERS = frozenset(
    """decide:queue decide:approvals decide:keys portal:feed portal:hold portal:proofs_in_vain portal:matters
    portal:matter""".split()
)
OFFICERS_ON_RECORD = frozenset(
    """decide:case decide:addresses decide:addresses_table decide:address decide:take decide:hand_over decide:decide
    decide:second decide:drop decide:contact decide:record_check decide:record_checks decide:document""".split()
)
READ_AT_THE_DESK = frozenset(
    "decide:case decide:addresses decide:addresses_table decide:address decide:document".split()
)
OPERATORS = frozenset(
    """portal:operator confirm:checks confirm:download confirm:system confirm:answer confirm:upload confirm:file
    confirm:corrected confirm:make_token confirm:revoke_token confirm:set_callback""".split()
)
ASSOCIATIONS = frozenset(
    """attest:members attest:add attest:attestation attest:revoke attest:give_back attest:asked attest:upload
    attest:file attest:corrected attest:revoke_many attest:revocations attest:reply""".split()
)
OWN_ATTESTATION = frozenset({"attest:theirs"})
ADMINISTRATORS = frozenset({"people:posts", "people:end_post"})
ACCOUNTANTS = frozenset({"fees:payments", "fees:payment", "fees:open", "fees:statements"})
OWN_INVOICE = frozenset({"fees:invoice", "fees:receipt"})
STAFF = frozenset({"portal:letter_previews", "portal:letter_preview"})
EXPECTED = (
    ANYONE,
    IN_BETWEEN,
    PROGRAMS,
    SIGNED_IN,
    OWN_PASSKEY,
    OWN_LETTER,
    OWN_ORGANISATION,
    OWN_INVITATION,
    OWN_BRANCHES,
    OWN_APPLICATION,
    OWN_REGISTRATION,
    ACTS_OF_A_HOLDER,
    OFFICERS,
    OFFICERS_ON_RECORD,
    OPERATORS,
    ASSOCIATIONS,
    OWN_ATTESTATION,
    ADMINISTRATORS,
    STAFF,
    ACCOUNTANTS,
    OWN_INVOICE,
    OWN_TOKEN,
    OWN_SHARING,
)
CLOSED_TO_NOBODY = ANYONE | IN_BETWEEN | PROGRAMS
VISITORS = ("B", "member", "officer", "second", "director", "operator", "administrator", "accountant", "association")
AT_THE_DESK = frozenset({"officer", "second", "director"})
METHODS = ("get", "post")


def patterns(resolver: URLResolver | None = None, space: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """The name of every address, with the names of what varies in it."""
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            inner = f"{space}{each.namespace}:" if each.namespace else space
            yield from patterns(each, inner)
        else:
            assert isinstance(each, URLPattern)
            assert each.name, f"the address {each.pattern} has no name"
            yield f"{space}{each.name}", frozenset(each.pattern.converters)


ALL = dict(patterns())


# -- the story -------------------------------------------------------------------------------------------------------


@dataclass
class World:
    visitors: dict[str, User]
    # What A has: the values of an address, by name of the state.
    drafts: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    registrations: dict[str, str] = field(default_factory=dict)
    letter: uuid.UUID = field(default_factory=uuid.uuid4)
    passkey: int = 0
    invoice: str = ""
    payment: uuid.UUID = field(default_factory=uuid.uuid4)
    # What the sample association said of A.
    attestation: str = ""
    post: int = 0
    # A's company, A's membership in it, an invitation into it, and one for A into another.
    organisation: dict[str, Any] = field(default_factory=dict)
    invitation: int = 0
    # B's own application, for an address that names it and something of A's.
    of_b: str = ""

    def client(self, visitor: str, **options: Any) -> Client:
        made = Client(headers={"accept-language": "en"}, **options)
        if visitor != "nobody":
            made.force_login(self.visitors[visitor])
        return made

    def places(self, name: str) -> Iterator[str]:
        """Every address of this name that leads to something of A's."""
        if name in OWN_APPLICATION:
            for facts in (self.drafts | self.sent).values():
                yield self.place(name, facts)
        elif name in OFFICERS_ON_RECORD:
            for facts in self.sent.values():
                yield self.place(name, facts)
        elif name in OWN_REGISTRATION:
            for reference in self.registrations.values():
                yield reverse(name, kwargs={"reference": reference})
        elif name in ACTS_OF_A_HOLDER:
            for reference in self.registrations.values():
                yield self.place(name, parts_of(reference))
        else:
            yield self.place(name, self.other_facts(name))

    def other_facts(self, name: str) -> dict[str, Any]:
        number = self.registrations["person"]
        return {
            "portal:letter": {"id": self.letter},
            "people:end_post": {"id": self.post},
            "mfa_remove_webauthn": {"pk": self.passkey},
            "mfa_edit_webauthn": {"pk": self.passkey},
            "people:answer_invitation": {"invitation": self.invitation},
            **dict.fromkeys(OWN_ORGANISATION, self.organisation),
            **{key: {**self.organisation, "branch": uuid.uuid4()} for key in OWN_BRANCHES},
            "page:language": {"code": "en"},
            "confirm:question": {"number": "Q-AAAA-AAAA"},
            "confirm:sandbox_question": {"number": "Q-TEST-0001"},
            "confirm:answer": {"number": "Q-AAAA-AAAA"},
            **{
                key: {"id": uuid.uuid4()}
                for key in ("confirm:file", "confirm:corrected", "confirm:revoke_token", *OWN_TOKEN, *OWN_SHARING)
            },
            **{
                key: {"number": self.attestation}
                for key in ("attest:attestation", "attest:revoke", "attest:give_back", "attest:theirs")
            },
            **{
                key: {"id": uuid.uuid4()}
                for key in ("attest:asked", "attest:file", "attest:corrected", "attest:revocations")
            },
            **{key: {"number": "M-AAAA-AAAA"} for key in ("attest:reply", "portal:matter")},
            "portal:hold": {"hold": uuid.uuid4()},
            "letters:sms_report": {"provider": "gateway"},
            "letters:no_reminders": {"id": uuid.uuid4(), "token": links.token("letters.no_reminders", "0")},
            "fees:payment": {"id": self.payment},
            **{own: {"number": self.invoice} for own in OWN_INVOICE},
            "portal:letter_preview": {"template": "application_granted"},
            "portal:certificate_link": {"reference": number, "token": links.token("certificate", number)},
            "portal:prove_by_link": {
                "reference": make_reference(year=2026, month=11),
                "token": links.token("apply.prove_all", str(uuid.uuid4())),
            },
            "people:invitation": {"invitation": self.invitation, "token": links.token("people.invitation", "0")},
            "verify:prove": {"token": links.token(proofs.LINK, str(uuid.uuid4()))},
            "vouch:question": {"token": links.token("vouch.link", str(uuid.uuid4()))},
            "vouch:stop": {"token": links.token("vouch.link", str(uuid.uuid4()))},
        }.get(name, {})

    def place(self, name: str, facts: dict[str, Any]) -> str:
        given = dict(facts)
        # An address and a document both call themselves `id`.
        given["id"] = given.get("document") if name in {"apply:document", "apply:remove_document"} else given.get("id")
        return reverse(name, kwargs={key: given[key] for key in ALL[name]})


def entry_of(reference: str) -> uuid.UUID:
    return Registration.objects.get(reference=reference).entries.get().pk


def parts_of(reference: str) -> dict[str, Any]:
    """What stands in addresses about this registration."""
    return {"reference": reference, "entry": entry_of(reference), "host": host_of(reference)}


def host_of(reference: str) -> uuid.UUID:
    """A connection of this registration whose address changes."""
    registration = Registration.objects.get(reference=reference)
    facts = {"holder": registration.holder, "protocol": "udp", "port": 51821, "actor": "system:test"}
    host = lease.make_host(subject=f"endpoint:{registration.pk}", now=timezone.now(), **facts)
    return lease.tie(host=host, registration=registration, now=timezone.now()).pk


def facts_of(application: Application) -> dict[str, Any]:
    """What stands in addresses about this application; what it has none of is made up."""
    endpoint = Endpoint.objects.filter(application=application).first()
    document = Document.objects.filter(application=application).first()
    check = Check.objects.filter(subject=application.subject).first()
    return {
        "reference": application.reference,
        "id": endpoint.pk if endpoint else uuid.uuid4(),
        "endpoint": endpoint.pk if endpoint else uuid.uuid4(),
        "document": document.pk if document else uuid.uuid4(),
        "check": check.pk if check else uuid.uuid4(),
        "rule": "evidence",
        "kind": "client_letter",
        "method": "wireguard",
    }


def absent(facts: dict[str, Any]) -> dict[str, Any]:
    """The like of these facts, of something that is not there."""
    made_up = {key: uuid.uuid4() for key in ("id", "endpoint", "document", "check")}
    return made_up | {
        "reference": make_reference(year=2026, month=11),
        "rule": facts["rule"],
        "method": facts["method"],
        "kind": facts["kind"],
    }


def with_document(application: Application) -> Application:
    apply.attach_document(
        application=application,
        rule="evidence",
        name="contract.jpg",
        content=a_photo(),
        actor=story.actor_of(application.applicant),
        now=timezone.now(),
    )
    return story.fresh(application)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The story is told once, around all tests of this file; each of them takes back what it did."""
    keys.make_missing(Path(django_settings.DATA) / "keys")
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    with django_db_blocker.unblock(), transaction.atomic():
        yield the_story()
        transaction.set_rollback(True)
    directory.configure(None)


def the_story() -> World:
    now = timezone.now()
    a = story.a_person()
    found = World(
        {
            "A": a,
            "B": story.a_person(),
            "member": story.a_person(),
            "officer": story.an_officer(),
            "second": story.an_officer(),
            "director": story.an_officer(rank="director", role=Role.SUPERVISOR),
            "operator": story.an_operator("sample-fibre", "Sample Fibre"),
            "administrator": story.an_officer(role=Role.ADMINISTRATOR),
            "accountant": story.an_officer(role=Role.ACCOUNTS),
            "association": a_secretary(),
        }
    )
    found.drafts = {
        "draft": facts_of(story.a_draft(a)),
        "full draft": facts_of(with_document(story.a_full_draft(a))),
    }
    found.sent = {
        "case": facts_of(a_case_with_document(a).application),
        "question": facts_of(story.a_question(a).application),
        "notice": facts_of(story.a_notice(a).application),
        "refusal": facts_of(story.a_refusal(a).application),
    }
    granted = story.a_granted_application(a)
    found.registrations = {
        "person": story.registration_of(granted).reference,
        "company": of_the_company(a, found.visitors["member"], now).reference,
    }
    for reference in found.registrations.values():
        host_of(reference)
    company = Organisation.objects.get()
    found.organisation = {
        "id": company.pk,
        "member": Membership.objects.get(user=a).pk,
        "invitation": invite(company, "invited@sample.example"),
    }
    elsewhere = people.register_organisation(owner=story.a_person(), name="Sample Fibre", actor="system:test", now=now)
    found.invitation = invite(elsewhere, a.email)
    found.invoice, found.payment = an_invoice_with_a_payment(a, now)
    found.attestation = an_attestation(identifier=Identifier("email", a.email), name=a.name).number
    found.letter = letters.letters_of(a)[0].pk
    found.passkey = Authenticator.objects.create(
        user=story.a_person(), type=Authenticator.Type.WEBAUTHN, data={"name": "Sample phone", "credential": {}}
    ).pk
    found.post = Post.objects.get(user=found.visitors["officer"]).pk
    found.of_b = with_document(story.a_full_draft(found.visitors["B"])).reference
    return found


def an_invoice_with_a_payment(holder: User, now: dt.datetime) -> tuple[str, uuid.UUID]:
    """A paid invoice of this person's, and a payment that waits for who keeps accounts."""
    invoice = fees.issue_invoice(
        subject=f"application:{uuid.uuid4()}",
        about="A-2611-SAMP-0001",
        holder=holder.holder_ref,
        service="whitelist_call_centre",
        due=Due(5, 0, Decimal(200), once=False),
        currency="PKR",
        due_at=now + dt.timedelta(days=30),
        zone=ZoneInfo("Asia/Karachi"),
        now=now,
    )
    rows = f"T1,2026-11-23,1000,{invoice.reference}\nT2,2026-11-23,5,A Sample Payer\n"
    found = fees.read_statement(f"Transaction,Date,Amount,Reference\n{rows}".encode())
    fees.import_statement(found=found, actor="system:test", now=now)
    return invoice.number, payments.payments_that_wait().get().pk


def a_case_with_document(applicant: User) -> Case:
    application = story.send(with_document(story.a_full_draft(applicant, known=False)))
    story.advance()
    return story.case_of(story.fresh(application))


def invite(organisation: Organisation, email: str) -> int:
    invitation = people.invite_member(
        organisation=organisation, email=email, role="viewer", actor="system:test", now=timezone.now()
    )
    return invitation.pk


def of_the_company(owner: User, member: User, now: dt.datetime) -> Registration:
    company = people.register_organisation(
        owner=owner,
        name="Sample Software House (Pvt) Ltd",
        company_number="0000482",
        ntn="0000482",
        actor=story.actor_of(owner),
        now=now,
    )
    people.add_member(organisation=company, user=member, actor=story.actor_of(owner), now=now)
    endpoint = NewEntry(
        origin=f"endpoint:{uuid.uuid4()}",
        block=ipaddress.ip_network("203.0.113.251"),
        protocol="udp",
        port=51820,
        asn=None,
    )
    return register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=company.holder_ref,
        category="vpn_company",
        endpoints=[endpoint],
        valid_from=now,
        valid_until=now + dt.timedelta(days=365),
        actor="system:test",
        now=now,
    )


# -- reading an answer -----------------------------------------------------------------------------------------------

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


def leads_to_sign_in(answer: HttpResponse) -> bool:
    """To the page of signing in; or, for a form that was sent, a page that keeps what was typed and leads there."""
    if answer.status_code == 302:
        return answer.headers["Location"].startswith(reverse("account_login"))
    return answer.status_code == 403 and b"You were signed out" in answer.content


def as_it_stands() -> list[Any]:
    """All that an applicant or an officer can change, in short."""
    return [
        list(Application.objects.order_by("pk").values_list("pk", "status", "version", "updated_at")),
        list(Endpoint.objects.order_by("pk").values_list("pk", "removed_at", "block", "port")),
        list(Document.objects.order_by("pk").values_list("pk", "removed_at", "stored")),
        list(Case.objects.order_by("pk").values_list("pk", "status", "assigned_to")),
        list(Post.objects.order_by("pk").values_list("pk", "user", "ended_at")),
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


# -- the walk --------------------------------------------------------------------------------------------------------


class TestTheTable:
    def test_names_every_address_once_and_nothing_else(self) -> None:
        listed = [name for group in EXPECTED for name in group]
        assert len(listed) == len(set(listed))
        assert set(ALL) - set(listed) == set(), "say in this file who may open these"
        assert set(listed) - set(ALL) == set(), "these are gone"

    def test_has_no_ready_accounts_outside_the_demonstration(self) -> None:
        assert Client().get("/demo/sign-in/").status_code == 404


class TestNobody:
    def test_is_led_to_sign_in_from_all_that_is_not_for_everyone(self, world: World) -> None:
        before = as_it_stands()
        for name in sorted(set(ALL) - CLOSED_TO_NOBODY):
            for place in world.places(name):
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
            ANYONE - {"verify:prove", "portal:prove_by_link", "people:invitation", "vouch:question", "vouch:stop"}
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
        for passed_on in ({"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}):
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
            - {"apply:document", "apply:remove_document", "portal:prove", "portal:prove_way", "portal:prove_operator"}
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
            "portal:prove_way",
        ):
            assert browser.get(world.place(name, world.drafts["full draft"])).status_code in {200, 302}
        assert browser.get(world.place("portal:question", world.sent["question"])).status_code == 200
        assert browser.get(world.place("portal:notice", world.sent["notice"])).status_code == 200
        assert browser.get(world.place("portal:refusal", world.sent["refusal"])).status_code == 200
        others = OWN_LETTER | OWN_INVOICE | {"portal:home", "people:organisation"}
        full_pages = OWN_REGISTRATION - {"portal:certificate_pdf", "portal:provisional"}
        for name in sorted(full_pages | ACTS_OF_A_HOLDER | others):
            for place in world.places(name):
                # A registration of addresses has no mobile line to move; tests/mobile has one.
                expected = 302 if "/mobile/" in place else 200
                assert browser.get(place).status_code == expected, place

    def test_may_not_open_pages_of_staff(self, world: World) -> None:
        closed_to(world, "A", OFFICERS | OFFICERS_ON_RECORD | OPERATORS | ASSOCIATIONS | ADMINISTRATORS | ACCOUNTANTS)


def closed_to(world: World, visitor: str, names: frozenset[str]) -> None:
    """Pages of a post that the visitor does not hold: refused by post, whatever the address names."""
    browser = world.client(visitor)
    for name in sorted(names):
        for place in world.places(name):
            for method in METHODS:
                answer = getattr(browser, method)(place)
                assert answer.status_code in {403, 405}, f"{visitor} {method} {place}: {answer.status_code}"
                if answer.status_code == 403:
                    assert world.visitors["A"].name.encode() not in answer.content


@pytest.mark.parametrize("visitor", VISITORS)
class TestAnotherPerson:
    def test_finds_nothing_of_the_owner_and_cannot_tell_that_it_is_there(self, world: World, visitor: str) -> None:
        before, browser = as_it_stands(), world.client(visitor)
        everything = (world.drafts | world.sent).values()
        for name in sorted(OWN_APPLICATION):
            not_there = world.place(name, absent(next(iter(everything))))
            for method in METHODS:
                absence = says(browser, method, not_there)
                assert absence[0] in {404, 405}, f"{visitor} {method} {name}: {absence[0]}"
                for facts in everything:
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
                    said = both_say(browser, method, *places)
                    assert said[0][0] == 404, f"{visitor} {method} {places[0]}"
                    assert said[0] == said[1]
        assert as_it_stands() == before

    def test_opens_pages_of_staff_only_with_the_post(self, world: World, visitor: str) -> None:
        names = OPERATORS | ASSOCIATIONS | ADMINISTRATORS | ACCOUNTANTS | OFFICERS | OFFICERS_ON_RECORD | STAFF
        if visitor in AT_THE_DESK:
            names = names - OFFICERS - OFFICERS_ON_RECORD - STAFF
        if visitor == "operator":
            names = names - OPERATORS
        if visitor == "association":
            names = names - ASSOCIATIONS
        if visitor == "accountant":
            names = names - ACCOUNTANTS
        if visitor == "administrator":
            names = names - ADMINISTRATORS - STAFF
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
        assert len(parted) == 10
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


@pytest.mark.parametrize("visitor", sorted(AT_THE_DESK))
class TestAnOfficer:
    def test_is_on_record_for_every_file_that_is_opened(self, world: World, visitor: str) -> None:
        browser = world.client(visitor)
        for name in sorted(OFFICERS_ON_RECORD):
            for state, facts in world.sent.items():
                if name == "decide:document" and state != "case":
                    continue
                method = "get" if name in READ_AT_THE_DESK else "post"
                seen = Row.objects.latest("id").pk
                answer = getattr(browser, method)(world.place(name, facts))
                assert answer.status_code in {200, 302, 422}, f"{method} {name} {state}: {answer.status_code}"
                rows = Row.objects.filter(pk__gt=seen, actor__endswith=f":{world.visitors[visitor].pk}")
                assert rows.filter(act__contains=".read_", subject=subject_of(facts)).exists(), f"{name} {state}"

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
        for name in sorted(set(ALL) - PROGRAMS):
            for place in world.places(name):
                answer = browser.post(place, {"answer": "x", "declare": "on"}, headers=elsewhere)
                assert answer.status_code == 403, f"{visitor} {place}: {answer.status_code}"
                assert b'value="x"' not in answer.content, f"{place} offers to send it all the same"
        assert as_it_stands() == before


class TestStaffWithoutASecondFactor:
    def test_reach_nothing_but_the_page_that_sets_one_up(self, world: World, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR = True
        for visitor in ("officer", "director", "operator", "administrator", "accountant"):
            browser = world.client(visitor)
            for name in sorted(
                OFFICERS
                | OFFICERS_ON_RECORD
                | OPERATORS
                | ASSOCIATIONS
                | ADMINISTRATORS
                | ACCOUNTANTS
                | STAFF
                | OWN_APPLICATION
            ):
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
        """Phones are shared, and so are tables in net cafes: the way back shows nothing after signing out."""
        for visitor in ("A", "officer", "administrator", "operator"):
            browser = world.client(visitor)
            for name in sorted(set(ALL) - PROGRAMS - ANYONE):
                # Whose things they are sees them in every state; to the others one address of each name is like all.
                for place in world.places(name) if visitor == "A" else [next(world.places(name))]:
                    kept = browser.get(place).headers.get("Cache-Control", "")
                    assert "no-store" in kept, f"{visitor} {name} {place}: {kept}"
