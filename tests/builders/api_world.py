"""Everything a person can have, for tests that walk the whole API: applications in every state, what is registered,
connections, letters, invoices.
"""

import datetime as dt
import ipaddress
import json
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from rahdari import policy as policies
from rahdari.address import directory, parse_parts
from rahdari.api import webhook_delivery
from rahdari.apply import bulk, parts
from rahdari.apply import drafts as apply_drafts
from rahdari.apply.models import Application, Document, Endpoint
from rahdari.apply.rows import Table, read
from rahdari.attest.rules import Identifier
from rahdari.control import challenges
from rahdari.control.models import Method
from rahdari.dyndns import hosts
from rahdari.fees import actions as fees
from rahdari.fees.rules import Due
from rahdari.letters import queries as letters
from rahdari.people import actions as people
from rahdari.people import branches, mandates
from rahdari.people.models import User
from rahdari.register import actions as enter
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry
from rahdari.remote import actions as remote
from rahdari.share import actions as share
from rahdari.share import queries as requests
from rahdari.share.models import SharingRequest
from tests.builders import planned_work, story
from tests.builders.attestations import an_attestation
from tests.builders.complaints import a_complaint
from tests.builders.drafts import a_photo

KNOWN = [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))]


@dataclass
class World:
    """`places` are the values that vary in addresses, by the first part of the address and their name."""

    person: User
    places: dict[str, list[str]] = field(default_factory=dict)

    def values(self, path: str, name: str) -> list[str]:
        return self.places.get(f"{path.split('/')[1]}.{name}", [])

    def all(self) -> list[str]:
        return [value for values in self.places.values() for value in values if len(value) >= 12]


def the_world(person: User | None = None) -> World:
    person = person or story.a_person()
    found = World(person)
    drafts = [story.a_draft(person), with_document(story.a_full_draft(person)), changing(story.a_draft(person))]
    drafts += [with_contacts(story.fill(story.a_draft(person)))]
    sent = [
        story.a_case(person).application,
        story.a_question(person).application,
        story.a_notice(person).application,
        story.a_refusal(person).application,
    ]
    granted = story.a_granted_application(person)
    applications = [*drafts, *sent, granted]
    complaint, file = a_complaint(story.registration_of(granted).reference, timezone.now())
    registrations = [story.registration_of(granted), story.registration_of(story.a_granted_application(person))]
    found.places = {
        "services.key": ["vpn_freelancer", "vpn_company", "no_such"],
        "applications.reference": [each.reference for each in applications],
        "applications.endpoint": ids(Endpoint, applications),
        "applications.document": [*ids(Document, applications), str(file.pk)],
        "applications.method": ["link", "wireguard", "openvpn", "tls", "http", "tls-alpn", "operator", "contact"],
        "applications.number": [complaint.reference],
        "registrations.reference": [each.reference for each in registrations],
        "registrations.entry": [str(each.entries.get().pk) for each in registrations],
        "registrations.connection": [str(connection_of(registrations[0]))],
        "invoices.number": [an_invoice(person)],
        "letters.id": [str(each.pk) for each in letters.letters_of(person)[:3]],
    }
    work = planned_work.announced(None, "203.0.113.0/24", now=timezone.now())
    found.places["planned-work.number"] = [work.reference]
    found.places |= places_of_a_company(person)
    found.places |= places_of_sharing(registrations[0])
    at_home = with_lines(person)
    found.places["registrations.reference"].insert(0, at_home.reference)
    found.places["registrations.line"] = ["1", "2"]
    references = found.places["applications.reference"]
    found.places["applications.reference"] = [*found.places.pop("applications.more"), *references]
    hook, _secret = webhook_delivery.make_webhook(
        owner=person, url="https://program.example/hook", events=[], now=timezone.now(), id=uuid.uuid4()
    )
    sent_one = webhook_delivery.send_test(webhook=hook, now=timezone.now(), id=uuid.uuid4())
    found.places |= {"webhooks.id": [str(hook.pk)], "webhooks.delivery": [str(sent_one.pk)]}
    return found


def places_of_a_company(person: User) -> dict[str, list[str]]:
    """An organisation with a branch, a file of addresses that waits, a mandate given and one held; an attestation; a
    mobile number that is typed.
    """
    now = timezone.now()
    facts: dict[str, Any] = {"actor": story.actor_of(person), "now": now}
    house, other = (
        people.register_organisation(owner=owner, name=name, company_number=number, **facts)
        for owner, name, number in (
            (person, "Sample House", "0000482"),
            (story.a_person(), "Specimen House", "0000977"),
        )
    )
    branch = branches.add_branch(organisation=house, name="Branch North", **facts)
    term = {"scope": "apply", "valid_until": now + dt.timedelta(days=90), **facts}
    given = mandates.give_mandate(organisation=house, email="agent@client.example", agent_name="Sample Firm", **term)
    held = mandates.give_mandate(organisation=other, email=person.email, agent_name="Sample Firm", **term)
    mandates.accept_mandate(user=person, mandate=held, **facts)
    draft = apply_drafts.start_application(applicant=person, service="vpn_company", **facts)
    rows = "address,protocol,branch\n203.0.113.60,wireguard,Branch West\n203.0.113.310,wireguard,\n"
    table = read(rows.encode(), most_rows=100)
    assert isinstance(table, Table)
    file = bulk.keep_file(application=draft, table=table, name="rows.csv", now=now)
    mobile = apply_drafts.start_application(applicant=person, service="vpn_freelancer", fixed_address="mobile", **facts)
    said = an_attestation(identifier=Identifier("email", person.email))
    return {
        "organisations.organisation": [str(house.pk)],
        "organisations.branch": [str(branch.pk)],
        "organisations.mandate": [str(given.pk)],
        "mandates.mandate": [str(held.pk)],
        "attestations.attestation": [said.number],
        "applications.file": [str(file.pk)],
        "applications.more": [draft.reference, mobile.reference],
    }


def places_of_sharing(registration: Registration) -> dict[str, list[str]]:
    """Somebody who was let in to the address of a registration, and another one who asks."""
    now, block = timezone.now(), registration.entries.get().block
    terms = requests.terms()
    assert terms is not None

    def asked(name: str) -> SharingRequest:
        facts: dict[str, Any] = {"subject": f"endpoint:{uuid.uuid4()}", "block": block, "now": now}
        return share.ask(holder=story.a_person().holder_ref, name=name, asked_by="system:test", terms=terms, **facts)

    first = asked("Desk 7")
    share.answer(question=first.questions.get(), given="yes", actor="system:test", now=now)
    part = register.sharer_from(first.origin)
    assert part is not None
    question = asked("Desk 8").questions.get(holder=registration.holder)
    return {"sharing.question": [str(question.pk)], "sharing.part": [str(part.pk)]}


def with_lines(person: User) -> Registration:
    """A registration over which people work from home, with two links for them."""
    now = timezone.now()
    found = enter.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=person.holder_ref,
        category="vpn_company",
        endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network("203.0.113.252"), "udp", 1194, 64500)],
        valid_from=now,
        valid_until=now + dt.timedelta(days=365),
        actor="system:test",
        now=now,
    )
    rule = policies.current(settings.POLICY_FILE).remote_staff
    assert rule is not None
    facts: dict[str, Any] = {"registration": found, "workers": 20, "actor": "system:test", "now": now}
    remote.set_workers(**facts)
    remote.make_links(count=2, policy=rule, **facts)
    return found


def ids(model: Any, applications: list[Application]) -> list[str]:
    return [str(pk) for pk in model.objects.filter(application__in=applications).values_list("pk", flat=True)]


def with_document(application: Application) -> Application:
    parts.attach_document(
        application=application,
        rule="evidence",
        name="contract.jpg",
        content=a_photo(),
        actor=story.actor_of(application.applicant),
        now=timezone.now(),
    )
    return story.fresh(application)


def changing(application: Application) -> Application:
    """With an address that changes by itself."""
    parts.add_endpoint(
        application=application,
        block="203.0.113.249",
        runs="wireguard",
        kind="dynamic",
        actor=story.actor_of(application.applicant),
        now=timezone.now(),
    )
    return story.fresh(application)


def with_contacts(application: Application) -> Application:
    """With a range of which the registry named a contact."""
    endpoint = story.add(application, "203.0.113.80/29")
    row = challenges.open_challenge(
        subject=endpoint.subject,
        block=endpoint.network,
        method=Method.CONTACT,
        valid_for=dt.timedelta(days=7),
        now=timezone.now(),
    )
    row.given = json.dumps({"contacts": [{"role": "technical", "address": "noc@network.example"}]})
    row.save(update_fields=["given"])
    return story.fresh(application)


def connection_of(registration: Registration) -> uuid.UUID:
    now = timezone.now()
    facts = {"holder": registration.holder, "parts": parse_parts("udp 51821"), "actor": "system:test"}
    host = hosts.make_host(subject=f"endpoint:{uuid.uuid4()}", now=now, **facts)
    return hosts.tie(host=host, registration=registration, now=now).pk


def an_invoice(holder: User) -> str:
    now = timezone.now()
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
    return invoice.number


def nothing(name: str) -> str:
    """A value of this kind that names nothing."""
    if name == "line":
        return "999999"
    return "A-2611-AAAA-AAAA" if name in {"reference", "number", "key", "method"} else str(uuid.UUID(int=0))
