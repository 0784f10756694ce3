"""Every address of the site, walked by every kind of visitor. What is not expected here is closed, and a test fails.

The story is one person's, A: a draft, an application at the desk, one with a question, one with a notice, one refused,
one registered, a company with its registration. B is another applicant; the member belongs to A's company.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from rahdari import policy
from rahdari.address import parse_parts
from rahdari.api import interface
from rahdari.appeal import actions as appeals
from rahdari.apply.models import Application, Document, Endpoint, make_reference
from rahdari.apply.step_forms import PAGES
from rahdari.attest.rules import Identifier
from rahdari.checks.models import Check
from rahdari.complaint import queries as complaint
from rahdari.consult import bodies, telling
from rahdari.control import queries as proofs
from rahdari.demand import actions as demands
from rahdari.dyndns import hosts
from rahdari.letters import queries as letters
from rahdari.maintenance import calendars
from rahdari.maintenance import queries as planned
from rahdari.people import actions as people
from rahdari.people.models import Membership, Organisation, Role, RoleAssignment, User
from rahdari.publish import queries as networks
from rahdari.register.models import Registration
from rahdari.vault import links
from tests.builders import consultations as draft_rules
from tests.builders import planned_work, story
from tests.builders.attestations import a_secretary, an_attestation
from tests.builders.complaints import a_complaint
from tests.builders.incidents import a_report
from tests.builders.shared import known_networks
from tests.needs import everything_is_needed

from .made import a_case_with_document, an_invoice_with_a_payment, invite, of_the_company, with_document

pytestmark = pytest.mark.django_db

# -- who may open what -----------------------------------------------------------------------------------------------

ANYONE = frozenset(
    """web:language account_login account_request_login_code mfa_login_webauthn account_inactive account_logout
    portal:invited portal:invited_reminders
    portal:start portal:eligible portal:eligible_poster portal:check_number portal:certificate_link
    portal:service_status
    portal:connections portal:connections_rss portal:connections_csv portal:connections_json portal:help portal:privacy
    portal:connections_operators portal:connections_difference
    portal:still_right portal:number_contact
    portal:feed_terms portal:feed_terms_text portal:evidence_key people:invitation
    portal:consultations portal:consultations_feed portal:consultation portal:consultation_policy portal:say
    portal:consultation_comments portal:consultation_comment portal:consultation_answers portal:prove_comment
    portal:consultation_moderation portal:claim_name portal:consultation_annotations portal:consultation_moderation_csv
    portal:entered portal:entered_read portal:take_entry portal:disown_entry
    figures:figures figures:month figures:definitions figures:data figures:rss
    portal:dispute_comment portal:say_for portal:body
    portal:accessibility portal:terms portal:rules portal:rules_text portal:source
    licensees:providers licensees:provider licensees:data licensees:rss
    portal:rules_announced portal:rules_versions portal:rules_version
    control:prove portal:prove_by_link
    vouch:question vouch:stop letters:no_reminders remote:line
    complaint:misuse complaint:correction complaint:receipt complaint:confirm
    complaint:files maintenance:calendar
    watch:control
    confirm:openapi api:openapi
    apply:start apply:ready apply:instead apply:begin
    mfa_list_webauthn mfa_index""".split()
)
# Steps of signing in: they lead back to its beginning whoever is not in the middle of it.
IN_BETWEEN = frozenset({"account_confirm_login_code", "mfa_authenticate"})
# The applicants' API: bearer tokens only. tests/api walks it by operation, scope and person.
API = frozenset(f"api:{next(iter(each.values())).id}" for each in interface.API.by_path().values())
API |= {"api:nothing_here", "api:nothing_here_of_operators"}
# Programs with a bearer token, never a browser with a cookie.
PROGRAMS = API | frozenset(
    """publish:receipt publish:metrics sms:report letters:metrics dyndns:metrics apply:metrics web:metrics
    confirm:list_checks confirm:get_check confirm:answer_checks confirm:get_callback confirm:test_callback
    confirm:change_callback_secret confirm:list_samples confirm:get_sample confirm:answer_samples
    maintenance:list_planned_work maintenance:get_planned_work maintenance:read_in_work
    maintenance:list_another_nights maintenance:move_work maintenance:keep_work
    maintenance:announce_work
    maintenance:cancel_work maintenance:start_work maintenance:prolong_work maintenance:complete_work
    mobile:list_lines mobile:list_changes mobile:record_list_receipt mobile:report_left api:look_ahead
    incident:list_disruptions incident:get_disruption incident:acknowledge_disruption incident:answer_disruption
    incident:tell_reporters incident:say_disruption_mended incident:report_disruption""".split()
)
SIGNED_IN = frozenset(
    """people:account people:end_other_sessions people:second_factor mfa_reauthenticate mfa_reauthenticate_webauthn
    people:confirm_code
    mfa_activate_totp mfa_deactivate_totp mfa_add_webauthn mfa_view_recovery_codes mfa_generate_recovery_codes
    mfa_download_recovery_codes people:organisations fees:invoices portal:home portal:mandates_held
    portal:registrations portal:letters share:sharing
    portal:inviting
    attest:mine people:number people:number_code people:remove_number people:choose_notes portal:letters_read
    portal:letters_reminders portal:planned_works portal:set_calendar
    api:programs api:make_token""".split()
)
OWN_TOKEN = frozenset({"api:revoke_token", "api:end_webhook"})
# From the link that proves an address, on to the application: only for whoever may prove it, the others go home.
OWN_WAY_ON = frozenset({"portal:after_the_link"})
# A question to a holder, and another's part in what it shares: tests/share has both.
OWN_SHARING = frozenset({"share:question", "share:stop"})
OWN_PASSKEY = frozenset({"mfa_remove_webauthn", "mfa_edit_webauthn"})
OWN_LETTER = frozenset({"portal:letter"})
OWN_CAMPAIGN = frozenset({"portal:invitation", "portal:invitation_links", "portal:stop_inviting"})
OWN_NOTICE = frozenset({"portal:planned_work", "portal:planned_work_file"})
# A member sees the first; the acts are an owner's, but everybody may leave.
OWN_ORGANISATION = frozenset("people:organisation people:role people:remove_member people:withdraw_invitation".split())
# An organisation's, seen and changed by role: tests/portal/test_branches.py, test_mandates.py, test_organisation.py.
OWN_BRANCHES = frozenset(
    {"portal:branches", "portal:branch", "portal:mandates", "portal:organisation", "portal:organisation_list"}
    # Somebody applies with its number: tests/portal/test_represent.py.
    | {"portal:representative"}
)
OWN_INVITATION = frozenset({"people:answer_invitation"})
OWN_APPLICATION = frozenset(
    """portal:application portal:tasks portal:next_task portal:prove_first portal:prove portal:prove_many
    portal:prove_method
    portal:prove_operator portal:prove_contact portal:share portal:client portal:represent
    portal:mobile_number portal:mobile_code portal:mobile_line portal:check portal:status
    portal:question portal:notice portal:refusal portal:apply_anew portal:withdraw portal:proof portal:send_proof
    portal:appeal portal:withdraw_appeal portal:demands
    apply:about apply:person apply:company apply:contact apply:purpose apply:evidence apply:association
    apply:addresses apply:add_address apply:change_address apply:remove_address portal:another_officer
    apply:add_many apply:address_sample apply:address_file apply:corrected_addresses
    apply:documents apply:upload apply:document apply:remove_document""".split()
)
# Each sort of evidence has its own page, open to the same people.
OWN_APPLICATION |= {page.url_name for page in PAGES.values()}
# About a registration, for whoever may read the papers of its application: tests/complaint.
OWN_COMPLAINT = frozenset({"portal:complaint", "portal:complaint_file"})
SENDERS = {
    "complaint:receipt": complaint.LINK,
    "complaint:confirm": complaint.CONFIRMS,
    "complaint:files": complaint.FILES,
}
OWN_REGISTRATION = frozenset(
    {"portal:report_cut", "portal:registration", "portal:provisional", "portal:certificate", "portal:certificate_pdf"}
)
# A company's registration: its owners' only, not its other members'.
ACTS_OF_A_HOLDER = frozenset(
    """portal:end_registration portal:pause_registration portal:go_on portal:say_right
    portal:change_entry portal:prove_again portal:measurement portal:renew portal:change_addresses
    portal:changing portal:remote_staff portal:urgent portal:urgent_code portal:urgent_stop
    portal:mobile_move_number portal:mobile_move_code portal:mobile_move_line""".split()
)
# Of a registration, for whoever may see it: tests/incident.
OWN_INCIDENT = frozenset({"portal:incident", "portal:incident_act", "portal:incident_file"})
# Whoever has rank, and a reviewer for their one appeal: tests/appeal.
DECIDERS_OF_APPEALS = frozenset(
    """appeal:appeals appeal:appeal appeal:take appeal:hear appeal:decide
    appeal:refuse_late appeal:name_reviewer appeal:paper""".split()
)
# Whoever was named from outside for one proposal, and nobody of the office: tests/decide/test_reviewers.py.
NAMED_FROM_OUTSIDE = frozenset({"decide:review", "decide:review_paper"})
OFFICERS = frozenset(
    """decide:queue decide:approvals decide:grants decide:unreached decide:keys demand:ledger demand:new portal:feed
    demand:demand demand:find_file demand:open_file demand:answer demand:agree portal:hold
    portal:desk_invitations portal:withdraw_invitation
    portal:desk_entries portal:drop_entry
    portal:proofs_in_vain portal:flow portal:cases_asked portal:cases_ended portal:matters portal:matter
    sampling:second_looks sampling:take sampling:look sampling:leave
    sampling:document sampling:disagreement complaint:complaints complaint:complaint complaint:decide
    complaint:paper complaint:name_reviewer complaint:contest complaint:ask_holder decide:save_view decide:take_next
    calendar:days calendar:new calendar:correction incident:incidents incident:report incident:incident
    incident:act
    urgent:desk urgent:registration urgent:call urgent:called_back urgent:second urgent:decline
    portal:desk_drafts portal:desk_draft portal:publish_version portal:answer_comments portal:announce_hearing
    portal:call_off_hearing portal:add_minutes portal:adopt_draft portal:withdraw_draft portal:hide_comment
    portal:review_comment portal:take_out_comment portal:decide_name
    maintenance:desk_works maintenance:desk_new maintenance:desk_work maintenance:desk_change
    maintenance:desk_wording""".split()
)
OFFICERS_ON_RECORD = frozenset(
    """decide:case decide:why decide:addresses decide:addresses_table decide:address decide:take decide:hand_over
    decide:decide decide:second decide:drop decide:hearing decide:contact decide:record_check decide:record_checks
    decide:name_network decide:revoke decide:ask_operator decide:record_several decide:search_from_case
    decide:document decide:hold decide:note decide:recuse decide:name_reviewer appeal:written appeal:served""".split()
)
READ_AT_THE_DESK = frozenset(
    "decide:case decide:why decide:addresses decide:addresses_table decide:address decide:document".split()
)
OPERATORS = frozenset(
    """portal:operator portal:planned_changes portal:draft_notice
    incident:of_operator incident:one_of_operator incident:act_of_operator
    confirm:checks confirm:download confirm:system confirm:answer confirm:upload confirm:file
    confirm:corrected confirm:make_token confirm:revoke_token confirm:set_callback
    maintenance:operator_works maintenance:operator_new maintenance:operator_read maintenance:operator_work
    maintenance:operator_change""".split()
)
ASSOCIATIONS = frozenset(
    """attest:members attest:add attest:attestation attest:revoke attest:give_back attest:asked attest:upload
    attest:file attest:corrected attest:revoke_many attest:revocations
    attest:corrected_revocations attest:reply attest:own_list attest:take_answer_back""".split()
)
OWN_ATTESTATION = frozenset({"attest:theirs"})
ADMINISTRATORS = frozenset({"people:end_post"})
# Administrators and supervisors: tests/people/test_posts.py.
WATCHERS_OF_POSTS = frozenset({"people:posts", "people:answer_proposed_post"})
ACCOUNTANTS = frozenset({"fees:payments", "fees:payment", "fees:open", "fees:statements"})
OWN_INVOICE = frozenset({"fees:invoice", "fees:receipt"})
CONSULTATIONS = frozenset(each for each in ANYONE | OFFICERS if "consultation" in each or "_draft" in each)
CONSULTATIONS |= {"portal:say", "portal:prove_comment", "portal:publish_version", "portal:answer_comments"}
CONSULTATIONS |= {"portal:announce_hearing", "portal:call_off_hearing", "portal:add_minutes", "portal:dispute_comment"}
CONSULTATIONS |= {
    "portal:hide_comment",
    "portal:review_comment",
    "portal:take_out_comment",
    "portal:decide_name",
    "portal:claim_name",
}
BODIES = frozenset({"portal:say_for", "portal:body"})
STAFF = frozenset({"portal:letter_previews", "portal:letter_preview"})
EXPECTED = (
    ANYONE,
    IN_BETWEEN,
    PROGRAMS,
    SIGNED_IN,
    OWN_PASSKEY,
    OWN_LETTER,
    OWN_NOTICE,
    OWN_CAMPAIGN,
    OWN_ORGANISATION,
    OWN_INVITATION,
    OWN_BRANCHES,
    OWN_APPLICATION,
    OWN_COMPLAINT,
    OWN_REGISTRATION,
    OWN_INCIDENT,
    ACTS_OF_A_HOLDER,
    OFFICERS,
    OFFICERS_ON_RECORD,
    DECIDERS_OF_APPEALS,
    NAMED_FROM_OUTSIDE,
    OPERATORS,
    ASSOCIATIONS,
    OWN_ATTESTATION,
    ADMINISTRATORS,
    WATCHERS_OF_POSTS,
    STAFF,
    ACCOUNTANTS,
    OWN_INVOICE,
    OWN_TOKEN,
    OWN_SHARING,
    OWN_WAY_ON,
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


# Who opens what: each page is asked for by somebody who may see it.
OF_STAFF = {
    "officer": OFFICERS | OFFICERS_ON_RECORD | STAFF,
    "director": DECIDERS_OF_APPEALS,
    "operator": OPERATORS,
    "association": ASSOCIATIONS,
    "administrator": ADMINISTRATORS | WATCHERS_OF_POSTS,
    "accountant": ACCOUNTANTS,
}
OPENED_BY = {
    **OF_STAFF,
    "A": frozenset(ALL) - API - frozenset().union(NAMED_FROM_OUTSIDE, *OF_STAFF.values()),
    "nobody": ANYONE,
}


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
    demand: uuid.UUID = field(default_factory=uuid.uuid4)
    # A's appeal against the refusal, and a complaint about A's registration.
    appeal: str = ""
    complaint: str = ""
    receipt: str = ""
    complained: str = ""
    # A disruption of A's own registration.
    incident: str = ""
    paper: uuid.UUID = field(default_factory=uuid.uuid4)
    payment: uuid.UUID = field(default_factory=uuid.uuid4)
    # What the sample association said of A.
    attestation: str = ""
    post: int = 0
    # A's company, A's membership in it, an invitation into it, and one for A into another.
    organisation: dict[str, Any] = field(default_factory=dict)
    invitation: int = 0
    # Work of the regulator that A was told of, the link of A's calendar, and a draft of the operator.
    notice: str = ""
    calendar: dict[str, Any] = field(default_factory=dict)
    work: str = ""
    # A draft rule, and a comment on it.
    consultation: dict[str, Any] = field(default_factory=dict)
    speaks_for: dict[str, Any] = field(default_factory=dict)
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

    def some(self, name: str) -> list[str]:
        """The same, for what is decided before anybody looks what an address leads to. Where not everything is asked
        for it is one, and the states take turns from name to name."""
        places = list(self.places(name))
        return places if everything_is_needed() else [places[sorted(ALL).index(name) % len(places)]]

    def other_facts(self, name: str) -> dict[str, Any]:
        number = self.registrations["person"]
        return {
            "portal:letter": {"id": self.letter},
            **{own: {"endpoint": self.drafts["full draft"]["endpoint"]} for own in OWN_WAY_ON},
            "people:end_post": {"id": self.post},
            "people:answer_proposed_post": {"id": self.post},
            "mfa_remove_webauthn": {"pk": self.passkey},
            "mfa_edit_webauthn": {"pk": self.passkey},
            "people:answer_invitation": {"invitation": self.invitation},
            **dict.fromkeys(OWN_ORGANISATION, self.organisation),
            **{key: {**self.organisation, "branch": uuid.uuid4(), "check": uuid.uuid4()} for key in OWN_BRANCHES},
            "web:language": {"code": "en"},
            "confirm:get_check": {"number": "Q-AAAA-AAAA"},
            **{key: {"number": self.work} for key in PROGRAMS if key.startswith("maintenance:")},
            "confirm:get_sample": {"number": "Q-TEST-0001"},
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
                for key in (
                    "attest:asked",
                    "attest:take_answer_back",
                    "attest:file",
                    "attest:corrected",
                    "attest:revocations",
                    "attest:corrected_revocations",
                )
            },
            **{key: {"number": "M-AAAA-AAAA"} for key in ("attest:reply", "portal:matter")},
            **{key: {"reference": self.appeal, "document": uuid.uuid4()} for key in DECIDERS_OF_APPEALS},
            **{key: {"reference": "A-2611-7BTF-QFHR", "document": uuid.uuid4()} for key in NAMED_FROM_OUTSIDE},
            **{key: {"id": self.demand} for key in ALL if key.startswith("demand:")},
            "portal:hold": {"hold": uuid.uuid4()},
            **{
                key: {"reference": self.complained, "number": self.complaint, "document": self.paper}
                for key in OWN_COMPLAINT
            },
            **{
                key: {"reference": number, "number": self.incident, "act": "add", "part": "evidence"}
                for key in OWN_INCIDENT
            },
            **{
                key: {"reference": self.incident, "number": self.incident, "act": "tell"}
                for key in ALL
                if key.startswith("incident:")
            },
            **{
                key: {"reference": self.complaint, "document": self.paper}
                for key in OFFICERS
                if key.startswith("complaint:")
            },
            **{
                key: {"receipt": self.receipt, "token": links.token(purpose, self.receipt)}
                for key, purpose in SENDERS.items()
            },
            **{
                key: {"id": uuid.uuid4(), "document": uuid.uuid4()}
                for key in ("sampling:look", "sampling:leave", "sampling:document", "sampling:disagreement")
            },
            **dict.fromkeys(CONSULTATIONS, self.consultation),
            **dict.fromkeys(BODIES, self.speaks_for),
            **{key: {"id": uuid.uuid4()} for key in (*OWN_CAMPAIGN, "portal:withdraw_invitation")},
            **{
                key: {"id": uuid.uuid4(), "number": 1, "token": links.token("invite.link", "0")}
                for key in ("portal:invited", "portal:invited_reminders")
            },
            "calendar:correction": {"id": 1},
            "portal:rules_version": {"digest": policy.current(settings.POLICY_FILE).digest},
            "figures:month": {"name": "2026-10"},
            "figures:data": {"name": "figures.csv"},
            "licensees:data": {"name": "list.csv"},
            "licensees:provider": {"key": "ptcl"},
            "portal:cases_asked": {"code": "Q4"},
            "portal:cases_ended": {"how": "withdrawn"},
            "portal:drop_entry": {"id": uuid.uuid4()},
            **{key: {"id": uuid.uuid4(), "reference": number} for key in ALL if key.startswith("urgent:")},
            "maintenance:calendar": self.calendar,
            "maintenance:desk_wording": {"id": uuid.uuid4()},
            **{
                key: {"reference": self.notice}
                for key in (*OWN_NOTICE, "maintenance:desk_work", "maintenance:desk_change")
            },
            **{key: {"reference": self.work} for key in OPERATORS if key.startswith("maintenance:")},
            "sms:report": {"provider": "gateway"},
            "letters:no_reminders": {"id": uuid.uuid4(), "token": links.token("letters.no_reminders", "0")},
            "fees:payment": {"id": self.payment},
            **{own: {"number": self.invoice} for own in OWN_INVOICE},
            "portal:letter_preview": {"template": "application_granted"},
            "portal:certificate_link": {"reference": number, "token": links.token("certificate", number)},
            "portal:still_right": {"reference": number, "token": links.token("register.still_right", number)},
            "portal:number_contact": {"id": uuid.uuid4(), "token": links.token("checks.told", "0")},
            "portal:prove_by_link": {
                "reference": make_reference(year=2026, month=11),
                "token": links.token("apply.prove_all", str(uuid.uuid4())),
            },
            "people:invitation": {"invitation": self.invitation, "token": links.token("people.invitation", "0")},
            "control:prove": {"token": links.token(proofs.LINK, str(uuid.uuid4()))},
            "vouch:question": {"token": links.token("vouch.link", str(uuid.uuid4()))},
            "vouch:stop": {"token": links.token("vouch.link", str(uuid.uuid4()))},
            "remote:line": {"token": links.token("remote.line", str(uuid.uuid4()))},
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
    facts = {"holder": registration.holder, "parts": parse_parts("udp 51821"), "actor": "system:test"}
    host = hosts.make_host(subject=f"endpoint:{registration.pk}", now=timezone.now(), **facts)
    return hosts.tie(host=host, registration=registration, now=timezone.now()).pk


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


@pytest.fixture(scope="module")
def world(shared: None) -> Iterator[World]:
    """The story is told once for all tests of a file."""
    with known_networks():
        yield the_story()


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
    refused = Application.objects.get(reference=found.sent["refusal"]["reference"])
    appeal = appeals.send(application=refused, grounds=["fact"], words="It is mine.", actor=f"person:{a.pk}", now=now)
    found.appeal = appeal.reference
    found.demand = demands.record_demand(
        officer=found.visitors["officer"],
        number="12/2026",
        body="A Tribunal",
        provision="s. 34",
        day=now.date(),
        signed_by="Its registrar",
        wanted="Who applied.",
        is_bulk=False,
        now=now,
    ).pk
    granted = story.a_granted_application(a)
    found.registrations = {
        "person": story.registration_of(granted).reference,
        "company": of_the_company(a, found.visitors["member"], now).reference,
    }
    for reference in found.registrations.values():
        host_of(reference)
    own = Registration.objects.get(reference=found.registrations["person"])
    found.incident = a_report(own, now).incident.reference
    complaint, file = a_complaint(found.registrations["person"], now)
    found.complaint, found.complained, found.paper = complaint.reference, granted.reference, file.pk
    found.receipt = complaint.receipt
    rule = draft_rules.a_draft(now=now).draft
    comment = draft_rules.a_comment(rule, now=now)
    found.consultation = {"reference": rule.reference, "number": comment.number, "comment": comment.pk}
    found.consultation["token"] = telling.token_of(comment)
    body = draft_rules.a_body(now=now)
    found.speaks_for = {"reference": rule.reference, "body": body.pk, "token": bodies.token_of(body)}
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
    found.post = RoleAssignment.objects.get(user=found.visitors["officer"]).pk
    found.notice = planned_work.announced(None, "203.0.113.0/24", now=now).reference
    feed = calendars.make_calendar(holder=a.holder_ref, language="en", actor=f"person:{a.pk}", now=now)
    found.calendar = {"id": feed.pk, "token": planned.calendar_token(feed)}
    found.work = planned_work.a_work(networks.operator_by_slug("sample-fibre"), now=now).reference
    found.of_b = with_document(story.a_full_draft(found.visitors["B"])).reference
    return found


# -- the table -------------------------------------------------------------------------------------------------------


class TestTheTable:
    def test_names_every_address_once_and_nothing_else(self) -> None:
        listed = [name for group in EXPECTED for name in group]
        assert len(listed) == len(set(listed))
        assert set(ALL) - set(listed) == set(), "say in this file who may open these"
        assert set(listed) - set(ALL) == set(), "these are gone"

    def test_has_no_ready_accounts_outside_the_demonstration(self) -> None:
        assert Client().get("/demo/sign-in/").status_code == 404
