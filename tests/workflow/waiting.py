"""Queues that are full: one of each that waits for somebody is made by acts, and then copied."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from rahdari import workflow
from rahdari.apply.models import Application, Endpoint
from rahdari.attest.models import AttestationUse
from rahdari.attest.models import MembershipInquiry as AskedOfAssociation
from rahdari.checks.models import Check
from rahdari.confirm import questions
from rahdari.control import challenges
from rahdari.control.models import Challenge, Method
from rahdari.decide import queries as decisions
from rahdari.decide.models import Decision
from rahdari.fees.models import Invoice
from rahdari.policy import current
from rahdari.share.models import SharingRequest as AskedToShare
from tests.builders.addresses import an_address
from tests.builders.attestations import a_secretary
from tests.builders.cases import DAY, NOW, a_person, an_application

from . import test_association_checks, test_employment_proofs, test_fees, test_provisional, test_services
from .copies import copy


def rows_of(application: Application) -> list[Model]:
    endpoints = list(application.endpoints.all())
    subjects = [application.subject, *(each.subject for each in endpoints)]
    found = (Check.objects.filter(subject__in=subjects), Challenge.objects.filter(subject__in=subjects))
    return [Application.objects.get(pk=application.pk), *endpoints, *(each for rows in found for each in rows)]


def owing(address: str, **facts: Any) -> tuple[Application, Endpoint]:
    """A sent application of which one address has its proof still to come."""
    application = an_application(also=address, **facts)
    endpoint = application.endpoints.get(block=f"{address}/32")
    challenges.open_challenge(
        subject=endpoint.subject, block=endpoint.network, method=Method.LINK, valid_for=7 * DAY, now=NOW
    )
    workflow.advance(now=NOW)
    return application, endpoint


def changed(kind: type[Model], **values: Any) -> Callable[[Model, int], None]:
    def change(row: Model, _number: int) -> None:
        for name, value in values.items() if isinstance(row, kind) else ():
            setattr(row, name, value() if callable(value) else value)

    return change


def a_fee_that_waits(row: Model, _number: int) -> None:
    """Not asked for yet: an operator has not answered."""
    if isinstance(row, Check) and row.kind == "roster":
        row.kind, row.outcome, row.finding, row.answered_at, row.answered_by = "operator", "waiting", "", None, ""


def fill(count: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of each that waits for somebody: one of each is made by acts, and then all are copied."""
    test_services.import_companies(folder)
    test_association_checks.name_its_association(monkeypatch)
    waiting, endpoint = owing(an_address())
    charged = test_services.sent("whitelist_call_centre", test_fees.PAPERS, addresses=test_fees.addresses(5))
    awaited, registration = test_provisional.provisional()
    case = decisions.case_of(awaited)
    assert case is not None
    asked, question = test_employment_proofs.asked()
    a_secretary()
    of_association, _ = owing(an_address(), evidence="association", text="")
    member = a_person()
    test_association_checks.a_member(member)
    attested, _ = owing(an_address(), applicant=member, evidence="association", text="")
    late = questions.ask(
        operator="sample-fibre",
        subject=waiting.subject,
        target=endpoint.subject,
        policy=current(None),
        block=str(endpoint.block),
        now=NOW - 90 * DAY,
    )
    request = AskedToShare(
        subject=endpoint.subject,
        holder=uuid.uuid4(),
        block=endpoint.network,
        asked_by="person:sample",
        asked_at=NOW,
        due_at=NOW + 9 * DAY,
        remind_at=NOW + 5 * DAY,
        erase_at=NOW + 90 * DAY,
    )
    copy([*rows_of(waiting), late], count)
    copy([*rows_of(waiting), request], count, changed(AskedToShare, holder=uuid.uuid4))
    copy(rows_of(waiting), count, changed(Application, status="withdrawn", closed_at=NOW))
    copy([endpoint], count, changed(Endpoint, removed_at=NOW))
    copy([*rows_of(charged), Invoice.objects.get(subject=charged.subject)], count)
    copy(rows_of(charged), count, a_fee_that_waits)
    copy([*rows_of(awaited), case, registration, Decision.objects.get(case=case)], count)
    copy([*rows_of(asked), question], count)
    copy([*rows_of(of_association), AskedOfAssociation.objects.get()], count)
    copy([*rows_of(attested), AttestationUse.objects.get()], count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
