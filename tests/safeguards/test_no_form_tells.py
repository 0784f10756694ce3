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
from django import forms
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.api.interface import API
from rahdari.apply import drafts
from rahdari.decide import queries as decisions
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.register import reference
from rahdari.register.models import BlockField, Registration
from rahdari.vault.fields import BlindIndexField
from tests.builders import cut_off, mobile_lines
from tests.builders.cases import an_officer
from tests.builders.drafts import a_person, actor_of, asking
from tests.builders.entered import an_entry
from tests.builders.programs import Program
from tests.workflow.test_representing import OFFICE, a_freelancer, imported
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
