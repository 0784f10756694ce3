"""What the story of the walk is made of, each by the acts of the rooms."""

import datetime as dt
import ipaddress
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone

from rahdari.apply import parts
from rahdari.apply.models import Application
from rahdari.decide.models import Case
from rahdari.fees import actions as fees
from rahdari.fees import queries as payments
from rahdari.fees import statements
from rahdari.fees.rules import Due
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry
from tests.builders import story
from tests.builders.drafts import a_photo


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
    found = statements.read(f"Transaction,Date,Amount,Reference\n{rows}".encode())
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
