"""A renewal in which nothing has changed: one page that says what is declared, and one button that sends it.

The page writes nothing. What it shows is what the last application said and what the register holds; its button begins
the application, asks for each proof in the same way as before, and sends it. Where something is asked for anew, or does
not fit any more, the button leads to the task list instead.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rahdari.address import Address, format_block
from rahdari.applicant import sending
from rahdari.applicant.titles import words
from rahdari.apply import drafts, renewal
from rahdari.apply import queries as applications
from rahdari.apply import sending as apply_sending
from rahdari.apply.models import Application
from rahdari.apply.summary import SummaryGroup, title_of
from rahdari.control import expected_claims, method_words, rules
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.people.acting import Acting
from rahdari.policy import Policy
from rahdari.register.models import Registration
from rahdari.web import visitor

# An organisation has hundreds of addresses; their list is on the page of the registration.
SHOWN = 20


@dataclass(frozen=True)
class Held:
    """An address that the register holds, and how it will be proved this time: here | reported | looked_at | later."""

    address: str
    how: str
    method: str | SafeString = ""


@dataclass(frozen=True)
class AsItIs:
    """What would be sent if nothing has changed. `asked` are titles of what is asked for anew: then it is not sent."""

    groups: Sequence[SummaryGroup]
    # The first of them, and how many more there are.
    addresses: list[Held]
    more: int
    asked: list[str]
    declaration: str
    fee: str
    months: int


def as_it_is(request: HttpRequest, found: Registration, policy: Policy, now: dt.datetime) -> AsItIs | None:
    """None where this page cannot say it: nothing is known of the last application, or it is about a mobile number."""
    foreseen = renewal.foresee_renewal(found, policy, now)
    if foreseen is None or foreseen.last.is_mobile:
        return None
    service = policy.services[found.category]
    held = _addresses(foreseen, policy, rules.plain_address(visitor.address(request)))
    return AsItIs(
        groups=foreseen.groups,
        # Whoever has to do something for an address reads of it first.
        addresses=sorted(held, key=lambda each: each.how != "later")[:SHOWN],
        more=max(0, len(held) - SHOWN),
        asked=[str(title_of(step, service)) for step in foreseen.asked],
        declaration=sending.declared_for(foreseen.last, service),
        fee=words(service.fee.text),
        months=service.validity_months,
    )


def _addresses(foreseen: renewal.Foreseen, policy: Policy, seen: Address) -> list[Held]:
    held = []
    # One question for all: an organisation has hundreds.
    known = proofs.proofs_of([row.subject for row in foreseen.stays])
    by_link = policy.proof.offered(Method.LINK) is not None
    reported = [row for row in applications.rows_of(foreseen.last) if row.is_dynamic]
    # Of several programs at one address it stands once: they are proved together.
    for row in {row.block: row for row in foreseen.stays}.values():
        before = known.get((row.subject, str(row.block)))
        how, method = "later", ""
        if by_link and rules.covers(row.block, seen):
            how = "here"
        elif (
            before is not None
            and policy.proof.offered(before.method) is not None
            and expected_claims.can_be_repeated(before)
        ):
            how, method = "looked_at", method_words.title(before.method)
        held.append(Held(format_block(row.block), how, method))
    return held + [Held(row.address_text, "reported") for row in reported]


def send_as_it_is(request: HttpRequest, application: Application, policy: Policy, by: Acting) -> bool:
    """Ask for the proofs, and send it. False when something has to be looked at first: the draft is there."""
    service = applications.service_of(application, policy)
    if application.is_mobile or renewal.steps_to_answer(applications.facts_of(application), service):
        return False
    try:
        # The first version: nobody has changed anything since this page was shown.
        sending.send(
            application,
            policy,
            actor=by.actor,
            now=timezone.now(),
            seen_version=1,
            seen_from=rules.plain_address(visitor.address(request)),
        )
    except (
        apply_sending.TermsChanged,
        drafts.ChangedMeanwhile,
        apply_sending.EndpointsInTrouble,
        apply_sending.StepsMissing,
        drafts.ServiceNotOpen,
        drafts.NotADraft,
    ):
        return False
    return True


def not_sent() -> str:
    return _("Something must be given again, so nothing was sent yet. Everything else is filled in.")
