"""Nobody learns from a form about somebody else: it answers alike for what is registered, known, and nobody's."""

import importlib
import itertools
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django import forms
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.api.interface import API
from rahdari.applicant.access_log import looks_at_application
from rahdari.apply import drafts
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.attest import queries as attestations
from rahdari.attest.rules import Identifier
from rahdari.checks import contacts
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.register import reference
from rahdari.register.models import BlockField, Registration
from rahdari.sampling import drawing, looking
from rahdari.sampling import queries as second_looks
from rahdari.vault.fields import BlindIndexField
from tests.builders import cut_off, mobile_lines
from tests.builders.attestations import ASSOCIATION, an_attestation
from tests.builders.cases import DAY, HOUR, an_officer, prove
from tests.builders.drafts import a_person, actor_of, asking
from tests.builders.entered import an_entry
from tests.builders.programs import Program
from tests.workflow.test_representing import NAME, OFFICE, a_freelancer, imported, letters_to, whose
from tests.workflow.test_representing import sent as a_company

# -- what identifies somebody -----------------------------------------------------------------------------------------


def _models() -> Iterator[type[Model]]:
    return (each for each in apps.get_models() if each.__module__.startswith("rahdari."))


def columns() -> set[str]:
    """The names of what somebody or something of theirs is found by: what has a keyed hash, addresses in the network,
    and unique numbers."""
    found = set()
    for each in itertools.chain.from_iterable(model._meta.local_fields for model in _models()):
        if isinstance(each, BlindIndexField):
            found.add(each.of)
        elif each.name.endswith("_index"):
            found.add(each.name.removesuffix("_index"))
        elif isinstance(each, BlockField) or (each.name in {"reference", "number"} and each.unique):
            found.add(each.name)
    return found


def _subclasses(of: type) -> Iterator[Any]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)


def _identifies(name: str, given: forms.Field) -> bool:
    """A line that is typed from left to right in Urdu too is an identifier; so are addresses of email and telephone
    numbers, files with many of them, and whatever is called like a column."""
    widget = given.widget
    if (
        "one-time-code" in widget.attrs.get("autocomplete", "")
        or widget.is_hidden
        or isinstance(widget, forms.Textarea | forms.RadioSelect | forms.Select)
    ):
        return False
    if isinstance(given, forms.FileField):
        return True
    kind = getattr(widget, "input_type", "")
    typed = widget.attrs.get("dir") == "ltr" or kind in {"email", "tel"} or name in columns()
    return isinstance(given, forms.CharField) and kind != "date" and typed


def in_forms() -> set[str]:
    """`room.Form.field` of every form of the product."""
    for app in apps.get_app_configs():
        if app.name.startswith("rahdari."):
            for each in pkgutil.walk_packages(importlib.import_module(app.name).__path__, f"{app.name}."):
                if ".migrations" not in each.name:
                    importlib.import_module(each.name)
    found = set()
    for form in _subclasses(forms.BaseForm):
        if form.__module__.startswith("rahdari.") and hasattr(form, "base_fields"):
            room = form.__module__.removeprefix("rahdari.")
            fields = form.base_fields.items()
            found |= {f"{room}.{form.__name__}.{name}" for name, given in fields if _identifies(name, given)}
    return found


def _members(schema: Any) -> Iterator[str]:
    for name, given in schema.get("properties", {}).items():
        if given.get("type") != "object" and "enum" not in given:
            yield name
        yield from _members(given)
    yield from _members(schema["items"]) if isinstance(schema.get("items"), dict) else ()


# Called otherwise than in the forms and the models.
_IN_API = re.compile(r"(^|_)(number|email|mobile|address|card|contact)$")


def in_operations() -> set[str]:
    """`operation.member` of every operation that takes one."""
    names = columns() | {each.rsplit(".", 1)[1] for each in in_forms()} - {"text", "file", "at", "code"}
    taken = ((each.id, name) for each in API.operations() if each.body for name in _members(each.body))
    return {f"{id}.{name}" for id, name in taken if name in names or _IN_API.search(name)}


# -- three of each ----------------------------------------------------------------------------------------------------

# What is registered, what is known without being registered, and what nobody has; all of one length.
CARDS = ("3520212345671", "3520212345672", "3520212345673")
COMPANIES = ("0000482", "0000483", "0000999")
EMAILS = ("registered@mail.example", "known-here@mail.example", "nobody-has@mail.example")
MOBILES = ("03001234567", "03001234568", "03001234569")
NAMES = ("Sample Freelancer 31", "Sample Freelancer 32", "Sample Freelancer 33")
BLOCKS = ("203.0.113.80", "203.0.113.81", "203.0.113.82")
MEMBERS = ("SA-0031", "SA-0032", "SA-0099")
CLIENTS = ("asked@client.example", "other@client.example", "third@client.example")


@dataclass
class World:
    folder: Path
    settings: Any
    registration: Registration
    entry: str
    count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def numbers(self) -> tuple[str, ...]:
        """Of registrations: one in force, one that has been made and given to nobody, and another."""
        return (self.registration.reference, reference.make(), reference.make())

    def somebody(self) -> User:
        """Who asks: each time somebody else, so that no answer hangs on the one before."""
        return a_person(f"asks-{next(self.count):03}@mail.example", name="Sample Asker")

    def owner(self) -> tuple[User, Organisation]:
        user = self.somebody()
        common: dict[str, Any] = {"actor": actor_of(user), "now": timezone.now()}
        return user, people.register_organisation(owner=user, name="Sample Asker Ltd", **common)


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    now = timezone.now()
    settings.SMS_FOLDER = tmp_path / "sms"
    mobile_lines.mobile_operators()
    imported(
        tmp_path,
        "companies",
        f"number,name,email\n0000482,Sample Software House (Pvt) Ltd,{OFFICE}\n0000483,B,b@b.example\n",
    )
    imported(tmp_path, "active_taxpayers", "number,name\n0000482,Sample Software House (Pvt) Ltd\n")
    members = [f"{MEMBERS[0]},{NAMES[0]},,,x@list.example", f"{MEMBERS[1]},{NAMES[1]},expired,,y@list.example"]
    imported(tmp_path, "association_members", "\n".join(["number,name,status,valid_until,email", *members, ""]))
    held: dict[str, Any] = {"number": "", "kind": "self_declaration", "at": now}
    registered = a_freelancer(EMAILS[0], BLOCKS[0], cnic=CARDS[0], **held)
    a_freelancer(EMAILS[1], BLOCKS[1], cnic=CARDS[1], proved=False, **held)
    assert a_company(OFFICE, "203.0.113.90", at=now).status == "granted"
    case = decisions.case_of(registered)
    decision = decisions.decision_of(case) if case is not None else None
    assert decision is not None and decision.registration is not None
    entry = an_entry(an_officer())
    return World(tmp_path, settings, decision.registration, entry.reference)


# Keys, tokens, times, and the networks from which it is asked.
EACH_TIME = re.compile(
    r"[0-9a-f]{16,}|\b\d{1,2}:\d\d\b|\d{4}-\d\d-\d\dT[\d:.]+Z?|2001:db8:\w+::1|\b[a-z0-9]{26}\b|[\w-]{30,}"
)


def browser(user: User | None = None) -> Client:
    found = Client(headers={"accept-language": "en"})
    if user is not None:
        found.force_login(user)
    return found


def seen(answer: Any, value: str) -> tuple[int, str, str, int]:
    """What an answer shows, without what is another one each time: status, where it leads, words, size."""
    text = unquote(answer.content.decode())
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|csrfToken[^,]*', "", text)
    led = unquote(answer.headers.get("Location", ""))
    kept = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[ACE]-[0-9A-Z-]+|asks-\d+", "·", part) for part in (led, text)]
    # A mobile number is shown as +92 300 1234567 and by its end, too.
    for typed in (value, value.lower(), f"+92{value[1:]}", f"+92 {value[1:4]} {value[4:]}", f"03** *****{value[-2:]}"):
        kept = [part.replace(typed, "·") for part in kept]
    kept = [EACH_TIME.sub("·", part) for part in kept]
    return answer.status_code, kept[0], kept[1], len(kept[1])


# -- and how each is asked --------------------------------------------------------------------------------------------

type Ask = Callable[[World, str], Any]


@dataclass(frozen=True)
class Asked:
    values: Callable[[World], tuple[str, ...]]
    ask: Ask


def of(values: tuple[str, ...], ask: Ask) -> Asked:
    return Asked(lambda _world: values, ask)


def step(
    page: str, name: str, /, *, service: str = "vpn_freelancer", kind: str = "", asks: Any = None, **others: str
) -> Ask:
    """A page of a draft, on which all else is given as it should be."""

    def ask(world: World, value: str) -> Any:
        if asks is not None:
            asking(world.settings, world.folder, **asks)
        user = world.somebody()
        common: dict[str, Any] = {"actor": actor_of(user), "now": timezone.now()}
        draft = drafts.start_application(applicant=user, service=service, fixed_address="yes", **common)
        if kind:
            drafts.save_evidence(application=draft, kind=kind, **common)
        answer = browser(user).post(reverse(f"apply:{page}", args=[draft.reference]), others | {name: value})
        if asks is not None:
            world.settings.POLICY_FILE = None
        return answer

    return ask


def operation(path: str, name: str, /, *, service: str = "vpn_freelancer", method: str = "put", **others: Any) -> Ask:
    """The same by a program."""

    def ask(world: World, value: str) -> Any:
        user = world.somebody()
        common: dict[str, Any] = {"actor": actor_of(user), "now": timezone.now()}
        draft = drafts.start_application(applicant=user, service=service, fixed_address="yes", **common)
        program = Program(user)
        tag = program.get(f"/applications/{draft.reference}").headers.get("ETag", "")
        body = {**others, name: value}
        return program.ask(method, f"/applications/{draft.reference}/{path}", body, headers={"If-Match": tag})

    return ask


def public(page: str, name: str, /, **others: str) -> Ask:
    def ask(world: World, value: str) -> Any:
        # Each from another network: a limit is no answer.
        where = f"2001:db8:{next(world.count):x}::1"
        cut_off.another_hour()
        given = {"words": "It is wrong.", "email": "sender@mail.example"} | others | {name: value}
        return browser().post(reverse(page), given, REMOTE_ADDR=where)

    return ask


def of_owner(page: str, name: str, /, **others: str) -> Ask:
    def ask(world: World, value: str) -> Any:
        user, organisation = world.owner()
        return browser(user).post(reverse(page, args=[organisation.pk]), others | {name: value})

    return ask


def of_owner_by_program(path: str, name: str, /, **others: Any) -> Ask:
    def ask(world: World, value: str) -> Any:
        user, organisation = world.owner()
        return Program(user).post(f"/organisations/{organisation.pk}/{path}", {**others, name: value})

    return ask


def sign_in(world: World, value: str) -> Any:
    return browser().post("/sign-in/", {"email": value}, REMOTE_ADDR=f"2001:db8:{next(world.count):x}::1")


def own_number(world: World, value: str) -> Any:
    return browser(world.somebody()).post(reverse("people:number"), {"number": value})


def mobile_number(world: World, value: str) -> Any:
    draft = mobile_lines.a_draft(world.somebody())
    place = reverse("portal:mobile_number", args=[draft.reference])
    return browser(draft.applicant).post(place, {"number": value, "sim": "me"})


def mobile_number_by_program(world: World, value: str) -> Any:
    draft = mobile_lines.a_draft(world.somebody())
    program, path = Program(draft.applicant), f"/applications/{draft.reference}"
    tag = program.get(path).headers.get("ETag", "")
    return program.post(f"{path}/mobile/number", {"number": value, "sim": "me"}, headers={"If-Match": tag})


def import_addresses(world: World, value: str) -> Any:
    user = world.somebody()
    common: dict[str, Any] = {"actor": actor_of(user), "now": timezone.now()}
    draft = drafts.start_application(applicant=user, service="vpn_company", fixed_address="yes", **common)
    client = browser(user)
    file = SimpleUploadedFile("addresses.csv", f"address,protocol,port\n{value},udp,51820\n".encode(), "text/csv")
    place = client.post(reverse("apply:add_many", args=[draft.reference]), {"rows": file})
    assert place.status_code == 302
    return client.get(place.headers["Location"])


MANDATE: dict[str, Any] = {"agent_name": "Sample Agent", "scope": "apply", "months": "12"}
MANDATE_IN_API = MANDATE | {"months": 12, "services": []}
BRANCH = {"name": "Sample branch", "city": "Lahore"}
PERSON = {"name": NAMES[2], "mobile": MOBILES[2]}
COMPANY = {"name": "Sample Asker Ltd", "company_number": COMPANIES[2], "ntn": "0000999"}
FIRM = {"name": "Sample Asker Ltd", "company_number": COMPANIES[2]}
CORRECTION = "complaint:correction"
REQUIRED = {"card_number": "required", "contact_number": "optional"}
ADDRESS = {"runs": "wireguard", "stays": "static", "port": "51820"}
DECLARED = {"kind": "self_declaration", "text": "Web design", "declared": True}
MEMBER = {"association": "", "number": MEMBERS[2]}

EXERCISED: dict[str, Asked] = {
    "people.forms.EmailForm.email": of(EMAILS, sign_in),
    "people.forms.InviteForm.email": of(EMAILS, of_owner("people:organisation", "email", role="viewer")),
    "people.sms_forms.NumberForm.number": of(MOBILES, own_number),
    "apply.forms.PersonForm.cnic": of(CARDS, step("person", "cnic", asks=REQUIRED, **PERSON)),
    "apply.forms.PersonForm.name": of(NAMES, step("person", "name", **PERSON)),
    "apply.forms.AboutForm.cnic": of(CARDS, step("about", "cnic", asks=REQUIRED, **PERSON)),
    "apply.forms.AboutForm.name": of(NAMES, step("about", "name", **PERSON)),
    "apply.forms.AboutForm.mobile": of(MOBILES, step("about", "mobile", asks=REQUIRED, cnic=CARDS[2], **PERSON)),
    "apply.forms.AssociationForm.cnic": of(CARDS, step("association", "cnic", **MEMBER)),
    "apply.forms.AssociationForm.number": of(MEMBERS, step("association", "number", **MEMBER)),
    "apply.evidence_forms.DeclarationForm.cnic": of(
        CARDS, step("evidence_declaration", "cnic", kind="self_declaration", text="Web design", declared="on")
    ),
    "apply.forms.CompanyForm.name": of(NAMES, step("company", "name", service="vpn_company", **COMPANY)),
    "apply.forms.CompanyForm.company_number": of(
        COMPANIES, step("company", "company_number", service="vpn_company", **COMPANY)
    ),
    "apply.forms.CompanyForm.ntn": of(COMPANIES, step("company", "ntn", service="vpn_company", **COMPANY)),
    "apply.forms.ContactForm.name": of(NAMES, step("contact", "name", service="vpn_company", **PERSON)),
    "apply.forms.ContactForm.mobile": of(MOBILES, step("contact", "mobile", service="vpn_company", **PERSON)),
    "apply.evidence_forms.ClientForm.text": of(CLIENTS, step("evidence_client", "text", kind="client_confirms")),
    "apply.address_form.AddressForm.block": of(BLOCKS, step("add_address", "block", **ADDRESS)),
    "apply.address_form.AddressForm.subscriber": of(
        MOBILES, step("add_address", "subscriber", block=BLOCKS[2], **ADDRESS)
    ),
    "apply.questions.BeginForm.email": of(EMAILS, public("apply:begin", "email")),
    "complaint.forms.MisuseForm.email": of(
        EMAILS, public("complaint:misuse", "email", about="sold_on", number="RD-4F7K-92MQ")
    ),
    "complaint.forms.MisuseForm.number": Asked(
        lambda world: world.numbers, public("complaint:misuse", "number", about="sold_on")
    ),
    "complaint.forms.CorrectionForm.email": of(EMAILS, public(CORRECTION, "email", about="name", name=NAMES[0])),
    "complaint.forms.CorrectionForm.name": of(NAMES, public(CORRECTION, "name", about="name")),
    "complaint.forms.CorrectionForm.card_number": of(CARDS, public(CORRECTION, "card_number", about="card", seen="")),
    "complaint.forms.CorrectionForm.company_number": of(
        COMPANIES, public(CORRECTION, "company_number", about="company")
    ),
    "complaint.forms.CorrectionForm.number": Asked(
        lambda world: world.numbers, public(CORRECTION, "number", about="entry")
    ),
    "portal.public.entered.EntryCodeForm.number": Asked(
        lambda world: (world.entry, world.entry[:-1] + "0", world.entry[:-1] + "1"),
        public("portal:entered", "number", code="00000000"),
    ),
    "applicant.branches.BranchForm.name": of(NAMES, of_owner("portal:branches", "name", **BRANCH)),
    "applicant.branches.BranchForm.address": of(NAMES, of_owner("portal:branches", "address", **BRANCH)),
    "applicant.branches.BranchForm.contact_email": of(EMAILS, of_owner("portal:branches", "contact_email", **BRANCH)),
    "applicant.branches.BranchForm.contact_mobile": of(
        MOBILES, of_owner("portal:branches", "contact_mobile", **BRANCH)
    ),
    "applicant.mandates.MandateForm.email": of(EMAILS, of_owner("portal:mandates", "email", **MANDATE)),
    "applicant.mobile.NumberForm.number": of(MOBILES, mobile_number),
    "a file of addresses": of(BLOCKS, import_addresses),
    # The same by a program.
    "put_person.name": of(NAMES, operation("person", "name")),
    "put_company.name": of(NAMES, operation("company", "name", service="vpn_company", **FIRM)),
    "put_company.company_number": of(
        COMPANIES, operation("company", "company_number", service="vpn_company", name="Sample Asker Ltd")
    ),
    "put_company.tax_number": of(
        COMPANIES, operation("company", "tax_number", service="vpn_company", **FIRM | {"company_number": "0000777"})
    ),
    "put_contact.name": of(NAMES, operation("contact", "name", service="vpn_company", mobile=MOBILES[2])),
    "put_contact.mobile": of(MOBILES, operation("contact", "mobile", service="vpn_company", name=NAMES[2])),
    "put_evidence.card_number": of(
        CARDS, operation("evidence", "card_number", **DECLARED)
    ),
    "put_evidence.association_number": of(
        MEMBERS, operation("evidence", "association_number", kind="association")
    ),
    "put_association.association_number": of(MEMBERS, operation("association", "association_number")),
    "put_association.card_number": of(
        CARDS, operation("association", "card_number", association_number=MEMBERS[2])
    ),
    "add_endpoint.address": of(BLOCKS, operation("endpoints", "address", method="post", runs="wireguard", port=51820)),
    "add_endpoint.subscriber": of(
        MOBILES, operation("endpoints", "subscriber", method="post", address=BLOCKS[2], runs="wireguard", port=51820)
    ),
    "add_branch.contact_email": of(EMAILS, of_owner_by_program("branches", "contact_email", **BRANCH)),
    "give_mandate.email": of(EMAILS, of_owner_by_program("mandates", "email", **MANDATE_IN_API)),
    "give_number.number": of(MOBILES, mobile_number_by_program),
}  # fmt: skip


OFFICE_ASKS = "who has a post asks, and each look at a file is on record (test_no_search_without_a_ground.py)"
OWN = "it is about the own connection, registration or program, and is compared with nothing of others"
# Rooms whose forms people with a post fill in, and forms and members that are compared with nothing of somebody else.
OF_POSTS = (
    *("portal.staff.", "portal.operators.", "fees.", "confirm.", "attest.", "decide.", "maintenance.", "demand."),
    *("incident.", "urgent.forms.CallForm.", "urgent.forms.FindForm.", "people.forms.AppointForm."),
)
NOT_COMPARED = {
    "people.forms.PasskeyForm.name": OWN,
    "people.forms.PasskeyNameForm.name": OWN,
    "people.forms.AccountForm.name": OWN,
    "apply.forms.CardForm.cnic": "a part of the forms below it",
    "apply.address_form.RunsForm.port": OWN,
    "apply.address_form.AddressForm.port": OWN,
    "apply.address_form.AddressForm.remote": OWN,
    "complaint.forms._ComplaintForm.email": "a part of the forms below it",
    "applicant.share.NameForm.name": OWN,
    "applicant.proof_forms.ProofForm.": OWN,
    "portal.applicant.ending.EndForm.number": OWN,
    "portal.public.consultation_forms.": "what is said of a draft of rules; nobody is looked up by it",
    "portal.public.forms.CheckForm.": "the public check, which tells no name (test_check_tells_no_name.py)",
    "urgent.forms.UrgentForm.block": "asking tells nothing; what is listed shows (docs/urgent.md, with the bound)",
    "api.forms.TokenForm.name": OWN,
    "add_endpoint.": OWN,
    "change_endpoint.": "the same act as of AddressForm",
    "change_entry.": OWN,
    "correct_address_rows.": "the same act as of a file of addresses",
    "correct_client.address": "the same act as of ClientForm",
    "move_number.number": "the same act as of NumberForm",
    "put_person.card_number": "the same act as of PersonForm, where the rules ask for it",
    "change_webhook.url": OWN,
    "make_webhook.url": OWN,
    "add_branch.": "the same act as of BranchForm",
    "change_branch.": "the same act as of BranchForm",
    "ask_for_urgent_address.block": "the same act as of UrgentForm",
    "ask_to_share.": OWN,
    "open_proof.": OWN,
    "send_contact_code.contact": OWN,
}


def _left_out(name: str) -> bool:
    return name.startswith((*OF_POSTS, *NOT_COMPARED))


def test_every_field_that_identifies_somebody_is_asked_here(capsys: Any) -> None:
    """Found from models, forms and schemas: a new one is exercised, or stands above with its reason."""
    found = in_forms() | in_operations()
    asked = {name for name in found if name in EXERCISED}
    with capsys.disabled():
        print(f"\n{len(columns())} columns, {len(found)} fields and members found, {len(asked)} asked three times")
    new = sorted(name for name in found if name not in EXERCISED and not _left_out(name))
    assert not new, f"Exercise these, or say why not: {new}"
    of_no_field = {name for name in EXERCISED if name not in found} - {"a file of addresses"}
    stale = {name for name in (*OF_POSTS, *NOT_COMPARED) if not any(each.startswith(name) for each in found)}
    assert (of_no_field, stale) == (set(), set())


@pytest.mark.django_db
def test_no_answer_differs_by_whose_it_is(world: World) -> None:
    told = {}
    for name, each in EXERCISED.items():
        values = each.values(world)
        assert len({len(value) for value in values}) == 1
        answers = [each.ask(world, value) for value in values]
        shown = [seen(answer, value) for answer, value in zip(answers, values, strict=True)]
        if any(other != shown[0] for other in shown[1:]):
            told[name] = [difference(shown[0], other) for other in shown[1:]]
        elif answers[0].status_code >= 400 and name not in REFUSED:
            told[name] = f"was not taken: {shown[0][0]} {answers[0].content.decode()[-300:]}"
    assert not told, "\n".join(f"{name}: {what}" for name, what in told.items())


# Nobody has the code that goes with it.
REFUSED = {"portal.public.entered.EntryCodeForm.number"}


def difference(one: tuple[int, str, str, int], other: tuple[int, str, str, int]) -> Any:
    if one[:2] != other[:2]:
        return one[:2], other[:2]
    lines = itertools.zip_longest(one[2].splitlines(), other[2].splitlines(), fillvalue="")
    return [pair for pair in lines if pair[0] != pair[1]][:3]


def came_to(application: Application) -> tuple[Any, ...]:
    """What an applicant has of it in the end: the decision, when, the clock, the looks, and the letters, in order."""
    case = decisions.case_of(application)
    decision = decisions.decision_of(case) if case is not None else None
    assert case is not None and decision is not None
    letters = Letter.objects.filter(to=application.applicant).order_by("written_at", "template")
    return (
        (application.status, case.status, case.lane, case.started_at, decision.at, decision.provisional_until),
        [(row.act, row.at) for row in decisions.history_for_applicant(case)],
        [(look.what, look.why) for look in looks_at_application(application)],
        [each.template for each in letters],
    )


@pytest.mark.django_db
class TestWhatWasSent:
    """The stage and the answers after sending, until the own contact or address is proved."""

    def shown(self, application: Application) -> Any:
        said = Program(application.applicant).get(f"/applications/{application.reference}")
        client = browser(application.applicant)
        values = (application.cnic, application.association_number, application.company_number)
        pages = [
            client.get(reverse(f"portal:{page}", args=[application.reference])) for page in ("status", "represent")
        ]
        lists = [client.get(reverse("portal:home")), client.get(reverse("attest:mine"))]
        shown = []
        for answer in (said, *pages, *lists, Program(application.applicant).get("/attestations")):
            status, led, text, _size = seen(answer, application.applicant.email)
            for value in filter(None, values):
                text = text.replace(value, "·")
            own = r"(203\.0\.113|198\.51\.100)\.\d+|3520212\d+|RD-[0-9A-Z]+-[0-9A-Z]+|sends-\d"
            shown.append((status, re.sub(own, "·", led), re.sub(own, "·", text), 0))
        return shown

    def differences(self, found: list[Application]) -> list[Any]:
        first, *others = [self.shown(each) for each in found]
        pairs = [pair for other in others for pair in zip(first, other, strict=True)]
        return [difference(one, other) for one, other in pairs if one != other]

    def test_say_the_same_of_a_card_that_is_registered_known_or_nobodys(self, world: World) -> None:
        found, now = [], timezone.now()
        for each, card in enumerate(CARDS):
            given: dict[str, Any] = {"cnic": card, "number": "", "proved": False, "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"203.0.113.10{each}", **given))
        assert self.differences(found) == []

    def test_come_to_the_same_for_a_card_that_is_registered_known_or_nobodys(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address is proved: the rule grants, and nobody reads that an officer looks afterwards."""
        monkeypatch.setattr(drawing._by_chance, "randrange", lambda most: most - 1)  # chance draws nothing
        now, officer = timezone.now(), an_officer("Officer L")
        drawing.draw(now)
        found = []
        for each, card in enumerate(CARDS):
            given: dict[str, Any] = {"cnic": card, "number": "", "kind": "self_declaration", "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"203.0.113.10{each}", **given))
        assert [came_to(each) for each in found] == [came_to(found[0])] * 3
        assert found[0].status == "granted"
        for later in (HOUR, DAY, 2 * DAY):
            workflow.advance(now=now + later)
        looked: list[Application] = []
        while look := looking.take_next(officer=officer, now=now + 2 * DAY):
            second_looks.file_for_look(officer=officer, id=look.pk, now=now + 2 * DAY)
            looking.give_verdict(
                look=look, officer=officer, verdict="ask", codes=["Q4"], text="Whose?", now=now + 2 * DAY
            )
            looked.append(look.decision.case.application)
        assert set(found[:2]) <= set(looked)
        for each in found:
            each.refresh_from_db()
        assert self.differences(found) == []
        assert [came_to(each) for each in found] == [came_to(found[0])] * 3

    def test_say_the_same_of_a_card_when_officers_look_for_another_reason(self, world: World) -> None:
        """The address is of no known network, so an officer looks at each of them."""
        found, now = [], timezone.now()
        for each, card in enumerate(CARDS):
            given: dict[str, Any] = {"cnic": card, "number": "", "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"198.51.100.10{each}", **given))
        assert all(decisions.case_of(each) is not None for each in found)
        assert self.differences(found) == []

    def test_say_the_same_of_a_members_number(self, world: World) -> None:
        """Of somebody else, one that has expired, and one that nobody has, with a name that fits and one that does
        not; also when a code was asked for, and a wrong one given."""
        found, now = [], timezone.now()
        for each, number in enumerate(MEMBERS):
            given: dict[str, Any] = {"cnic": f"352021234569{each}", "number": number, "at": now}
            found.append(a_freelancer(f"sends-{each}@mail.example", f"203.0.113.10{each}", **given))
        assert self.differences(found) == []
        for data in ({"to": "email"}, {"code": "7kq2-m4xz"}, {"to": "mobile"}, {"officer": "1"}):
            answers = []
            for each in found:
                place = reverse("portal:represent", args=[each.reference])
                answers.append(seen(browser(each.applicant).post(place, data), each.applicant.email))
            assert answers[0] == answers[1] == answers[2]
        assert self.differences(found) == []

    def test_say_the_same_and_come_to_the_same_for_a_card_that_is_attested(self, world: World) -> None:
        """The association is named, and asked of each of them: of the member, of somebody else's name, of nobody."""
        now, names = timezone.now(), NAMES[:2]
        for card, name in zip(CARDS, names, strict=False):
            an_attestation(identifier=Identifier("card", card), name=name, now=now)
        for proved in (False, True):
            found = []
            for each, card in enumerate(CARDS):
                given: dict[str, Any] = {"cnic": card, "number": MEMBERS[2], "proved": proved, "name": NAMES[0]}
                mail, block = f"sends-{proved:d}{each}@mail.example", f"203.0.113.{100 + 10 * proved + each}"
                found.append(a_freelancer(mail, block, at=now, association=ASSOCIATION, **given))
            assert self.differences(found) == []
        for later in (HOUR, 6 * DAY):
            workflow.advance(now=now + later)
            for each in found:
                each.refresh_from_db()
            assert self.differences(found) == []
        assert found[0].status == "granted" and [came_to(each) for each in found] == [came_to(found[0])] * 3
        assert not attestations.theirs(found[0].applicant).exists()

    def test_say_the_same_and_come_to_the_same_for_a_company_that_is_attested(self, world: World) -> None:
        """As a member, under another name, as a former member, and not at all; the address unproved, and proved."""
        now, name, numbers = timezone.now(), "Sample House (Pvt) Ltd", ("0000601", "0000602", "0000603", "0000604")
        rows = "".join(f"{number},{name},house-{number}@list.example\n" for number in numbers)
        imported(world.folder, "companies", f"number,name,email\n{rows}")
        over = {"valid_from": now.date() - 9 * DAY, "valid_until": now.date() - DAY}
        for number, attested in zip(numbers, ({"name": name}, {"name": "Other"}, {"name": name, **over}), strict=False):
            an_attestation(claim="it_company", identifier=Identifier("company", number), now=now, **attested)
        for proved in (False, True):
            found = []
            for each, number in enumerate(numbers):
                company: dict[str, Any] = {"name": name, "company_number": number, "ntn": "0000482", "proved": proved}
                mail, block = f"sends-{proved:d}{each}@mail.example", f"203.0.113.{100 + 10 * proved + each}"
                found.append(a_company(mail, block, at=now, **company))
            assert self.differences(found) == []
        for later in (HOUR, 20 * DAY):
            workflow.advance(now=now + later)
            for each in found:
                each.refresh_from_db()
            assert self.differences(found) == []
        cases = [decisions.case_of(each) for each in found]
        assert len({(case.started_at, case.lane) for case in cases if case is not None}) == 1 and None not in cases
        assert len({tuple(sorted(letters_to(each.applicant))) for each in found}) == 1


def pages_of_an_application() -> list[str]:
    """The pages of the portal that lead from an application alone."""
    found = get_resolver("rahdari.portal.applicant.urls").url_patterns
    own = (each for each in found if str(each.pattern).startswith("my/applications/<str:reference>/"))
    return [f"portal:{each.name}" for each in own if str(each.pattern).count("<") == 1]


def documents_of_an_application() -> list[str]:
    """What a program reads of an application, and of its person."""
    paths = {each.path for each in API.operations() if each.method == "GET"}
    return sorted(path for path in paths if path.startswith("/applications/{") and path.count("{") == 1)


# A number on the list, and one on none, under which somebody is registered; and beside each one that nobody has.
LISTED, UNLISTED = ("0000482", "0000744"), ("0000555", "0000999")
DOMAINS = ("softwarehouse.example", "softwarehause.example")


@pytest.mark.django_db
class TestACompanysNumber:
    """Who applies with it, and has proved an address of their own, does not learn whether somebody is registered under
    it: not by stage, words, times, pages, documents or letters, whatever those say who are registered."""

    def listed(self, folder: Path, numbers: tuple[str, str]) -> None:
        rows = [f"{number},{NAME},office@{domain},{domain}" for number, domain in zip(numbers, DOMAINS, strict=True)]
        imported(folder, "companies", "\n".join(["number,name,email,domain", *rows, ""]))

    @pytest.fixture(autouse=True)
    def one_of_each_is_registered(self, tmp_path: Path) -> Iterator[Any]:
        imported(tmp_path, "active_taxpayers", f"number,name\n0000482,{NAME}\n")
        with time_machine.travel(timezone.now(), tick=False) as clock:
            self.clock, now = clock, timezone.now()
            self.listed(tmp_path, (UNLISTED[0], LISTED[0]))
            for each, number in enumerate((UNLISTED[0], LISTED[0])):
                owner = a_company(f"office@{DOMAINS[each]}", f"203.0.113.9{each}", company_number=number, at=now)
                assert owner.status == "granted"
            self.listed(tmp_path, LISTED)
            yield

    def told(self, application: Application) -> dict[str, tuple[int, str, str, int]]:
        """All that is shown and written to whoever applies, each time and clock in it as it is."""
        client, program = browser(application.applicant), Program(application.applicant)
        found: dict[str, Any] = {}
        for page in pages_of_an_application():
            found[page] = client.get(reverse(page, args=[application.reference]))
        found["home"] = client.get(reverse("portal:home"))
        place = reverse("portal:organisation", args=[application.organisation_id])
        found["organisation"] = client.get(place)
        found["applications"] = client.get(f"{place}?view=applications")
        for path in documents_of_an_application():
            found[path] = program.get(path.replace("{reference}", application.reference))
        letters = Letter.objects.filter(to=application.applicant).order_by("written_at", "template")
        written = "\n".join(f"{each.template} {each.written_at} {self.plain(each.text)}" for each in letters)
        return {"letters": (0, "", written, 0)} | {
            name: (each.status_code, self.plain(each.headers.get("Location", "")), self.plain(each.content.decode()), 0)
            for name, each in found.items()
        }

    def plain(self, text: str) -> str:
        """Without what is the applicant's own: number, address, names, keys."""
        text = re.sub(r'csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|csrfToken[^,]*', "", unquote(text))
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\bA-[0-9A-Z-]+|[\w-]{26,}", "·", text)
        own = "|".join([*LISTED, *UNLISTED, r"(asks|guest)-\d", r"203\.0\.113\.\d+", "softwareh[ao]use"])
        return re.sub(own, "·", text)

    def differences(self, found: list[Application]) -> list[Any]:
        first, *others = [self.told(each) for each in found]
        pairs = [(name, one, other[name]) for other in others for name, one in first.items()]
        return [(name, difference(one, other)) for name, one, other in pairs if one != other]

    def applied(self, numbers: tuple[str, str], mails: tuple[str, str, str]) -> list[Application]:
        """Two with the number that is registered, of whom its holder says no to the first, and one with the other."""
        given = zip(mails, (numbers[0], *numbers), strict=True)
        return [
            a_company(mail, f"203.0.113.10{each}", company_number=number, proved=False, at=timezone.now())
            for each, (mail, number) in enumerate(given)
        ]

    def proved(self, found: list[Application]) -> None:
        for each in found:
            prove(applications.endpoints_of(each)[0], now=timezone.now())
        workflow.advance(now=timezone.now())
        for each in found:
            each.refresh_from_db()

    def denied(self, application: Application) -> None:
        assert contacts.answer_as_representative(
            check=whose(application), agrees=False, actor="person:holder", now=timezone.now()
        )
        workflow.advance(now=timezone.now())

    def posted(self, found: list[Application], data: dict[str, str]) -> None:
        answers = []
        for each in found:
            answer = browser(each.applicant).post(reverse("portal:represent", args=[each.reference]), data)
            answers.append((answer.status_code, self.plain(answer.content.decode())))
        assert answers == [answers[0]] * len(answers)

    @pytest.mark.parametrize("leaves", [False, True])
    def test_on_the_list_is_a_code_away_and_goes_to_an_officer_without_it(self, leaves: bool) -> None:
        found = self.applied(LISTED, ("asks-0@mail.example", "asks-1@mail.example", "asks-2@mail.example"))
        assert self.differences(found) == []
        self.proved(found)
        assert whose(found[0]).facts["asked"] and "asked" not in whose(found[2]).facts
        assert self.differences(found) == []
        for data in ({"to": "email"}, {"code": "nope-nope"}):
            self.posted(found, data)
        self.denied(found[0])
        assert self.differences(found) == []
        if leaves:
            self.posted(found, {"officer": "1"})
        else:
            self.clock.shift(8 * DAY)
        workflow.advance(now=timezone.now())
        assert [whose(each).finding for each in found] == ["not_shown"] * 3
        assert self.differences(found) == []

    def test_of_somebody_at_its_domain_waits_for_the_contact(self) -> None:
        found = self.applied(LISTED, tuple(f"guest-{each}@{DOMAINS[each // 2]}" for each in range(3)))  # type: ignore[arg-type]
        self.proved(found)
        assert whose(found[0]).facts["asked"] and all(whose(each).facts["told_at"] for each in found)
        assert self.differences(found) == []
        self.denied(found[0])
        assert self.differences(found) == []
        for each in found:
            contacts.answer_as_contact(check=whose(each), agrees=False, now=timezone.now())
        workflow.advance(now=timezone.now())
        assert self.differences(found) == []

    def test_on_no_list_goes_to_an_officer_at_once(self) -> None:
        found = self.applied(UNLISTED, ("asks-0@mail.example", "asks-1@mail.example", "asks-2@mail.example"))
        assert self.differences(found) == []
        self.proved(found)
        assert whose(found[0]).facts["asked"] and all(decisions.case_of(each) for each in found)
        assert self.differences(found) == []
        self.denied(found[0])
        self.clock.shift(8 * DAY)
        workflow.advance(now=timezone.now())
        assert self.differences(found) == []
