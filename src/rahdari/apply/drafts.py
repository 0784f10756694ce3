"""Beginning a draft and saving its steps.

Every act locks the application's row first, so two tabs act one after the other; answers change only while it is a
draft; a save that changes nothing writes nothing.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from rahdari.db.asked import Asked
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import actions as people
from rahdari.people import queries as persons
from rahdari.people.models import Mandate, Organisation, User
from rahdari.people.rules import Act
from rahdari.policy import Policy, Service
from rahdari.vault import index

from . import queries, rules
from .models import Application, Endpoint, make_reference
from .rules import Status, StepKey


class ServiceNotOpen(RahdariError):
    """Applications for this service are not taken now. `.service` is its key."""

    says = "service {service!r} is not open"
    service: str


class TooManyDrafts(RahdariError):
    """The person has as many applications that are not sent as may be. `.limit`"""

    says = "{limit}"
    limit: int


class OtherCompany(RahdariError):
    """What renews or changes a registration names the company that holds it. `.number` is that company's."""

    says = "the registration is held by the company {number}"
    number: str


class NotADraft(RahdariError):
    """The application was sent or closed; its answers cannot be changed. `.application`"""

    says = "{application} is {application.status}"
    application: Application


class ChangedMeanwhile(RahdariError):
    """The answers are not those that the page showed: another tab saved. `.application` is as it stands now."""

    says = "{application} was changed meanwhile"
    application: Application


_locked = Asked(lambda pk: Application.objects.select_for_update().filter(pk=pk).order_by())


def locked(application: Application) -> Application:
    row = _locked.one(application.pk)
    # Who applied never changes.
    if "applicant" in application._state.fields_cache and row.applicant_id == application.applicant_id:
        row.applicant = application.applicant
    return row


def locked_draft(application: Application) -> Application:
    """The application, locked until the transaction ends. Raises NotADraft when it was sent."""
    draft = locked(application)
    if draft.status != Status.DRAFT:
        raise NotADraft(draft)
    return draft


def touch(draft: Application, now: dt.datetime, changed: Iterable[str] = ()) -> None:
    """Note that the draft is another, and write these fields of it."""
    draft.version += 1
    draft.updated_at = now
    draft.save(update_fields=["version", "updated_at", *changed])


def take_known_proofs(
    application: Application, *, actor: str, now: dt.datetime, rows: Sequence[Endpoint] | None = None
) -> None:
    """Addresses came or changed, or are sent: what is known of them is taken by the room that knows it. `rows`: all of
    them, of whoever has them."""
    import_string(settings.ADDRESSES_CHANGED)(application=application, actor=actor, now=now, rows=rows)


def start_application(
    *,
    applicant: User,
    service: str,
    actor: str,
    now: dt.datetime,
    policy: Policy | None = None,
    fixed_address: str = "",
    language: str = "",
    send_token: uuid.UUID | None = None,
    mandate: Mandate | None = None,
    entered_by: User | None = None,
) -> Application:
    """Begin a draft. The same `send_token` of the same person gives the same application.

    Raises ServiceNotOpen, TooManyDrafts: of a person's own, and of each organisation that it acts for.
    """
    policy = policy or queries.policy_in_force()
    asked = policy.services.get(service)
    if asked is None or not asked.open:
        raise ServiceNotOpen(service)
    token = send_token or uuid.uuid4()
    application = Application(
        applicant=applicant,
        service=service,
        language=language or applicant.language,
        terms=rules.terms_digest(asked, policy.limits),
        fixed_address=fixed_address,
        name=applicant.name if asked.holder == "person" and asked.asks_name else "",
        send_token=token,
        entered_by=entered_by,
        created_at=now,
        updated_at=now,
        **_in_the_name_of(mandate),
    )
    on_behalf = mandate.organisation if mandate is not None else None
    drafts = Q(status=Status.DRAFT, mandate__organisation=on_behalf)
    there = list(Application.objects.filter(drafts | Q(send_token=token), applicant=applicant))
    existing = next((each for each in there if each.send_token == token), None)
    if existing is not None:
        return existing
    if len(there) >= rules.MOST_DRAFTS:
        raise TooManyDrafts(rules.MOST_DRAFTS)
    try:
        with transaction.atomic():
            application.reference = free_reference(now)
            application.save(force_insert=True)
            journal.record(
                act="apply.started", actor=actor, subject=application.subject, now=now, detail={"service": service}
            )
    except IntegrityError:
        # The same form from two tabs at the same moment: the database let the other one through.
        existing = Application.objects.filter(applicant=applicant, send_token=token).first()
        if existing is None:
            raise
        return existing
    return application


def _in_the_name_of(mandate: Mandate | None) -> dict[str, Any]:
    """What an application by an agent begins with. Whether the mandate holds is for the caller to know."""
    if mandate is None:
        return {}
    organisation = mandate.organisation
    return {
        "mandate": mandate,
        "organisation": organisation,
        "company_name": organisation.name,
        "company_number": organisation.company_number,
        "ntn": organisation.ntn,
    }


def free_reference(now: dt.datetime) -> str:
    while True:
        reference = make_reference(year=now.year, month=now.month)
        if not Application.objects.filter(reference=reference).exists():
            return reference


def save_person(
    *, application: Application, name: str, cnic: str = "", actor: str, now: dt.datetime, seen: str | None = None
) -> Application:
    """Name of a freelancer, which is also the person's, and card number (13 digits) where it is asked for."""

    def write(draft: Application) -> None:
        _write_person(draft, name, cnic, actor, now)

    return _save_step(application, StepKey.PERSON, write, seen=seen, actor=actor, now=now)


def keep_what_is_asked(draft: Application, service: Service) -> None:
    """Of what was written under other rules, or copied from an application before, only what the service asks for
    stays: the rest nobody reads."""
    if not rules.asks_card(service) and not rules.asks_card(service, draft.evidence_kind):
        _write_card(draft, "")
    if not service.asks_name:
        draft.name = ""
    if "purpose" not in service.asks:
        draft.purpose = ""
    if "contact_number" not in service.asks:
        draft.contact_name = draft.contact_mobile = ""


def _write_card(draft: Application, cnic: str) -> None:
    draft.cnic, draft.cnic_index = cnic, index.blind("cnic", cnic) if cnic else ""


def _write_person(draft: Application, name: str, cnic: str, actor: str, now: dt.datetime) -> None:
    draft.name = name
    _write_card(draft, cnic)
    if name and draft.applicant.name != name:
        people.name_person(user=draft.applicant, name=name, actor=actor, now=now)


def save_company(
    *,
    application: Application,
    name: str,
    company_number: str,
    ntn: str,
    actor: str,
    now: dt.datetime,
    seen: str | None = None,
) -> Application:
    """The company that applies: one of the person's with this number, or a new one that the person owns.
    Raises OtherCompany for another number than that of the organisation whose registration is renewed; NotADraft;
    ChangedMeanwhile.
    """

    def write(draft: Application) -> None:
        if draft.mandate is not None:
            return  # an agent applies for the organisation as it is, and describes none
        ours = draft.organisation
        if ours is not None and draft.registration_id is not None:
            # What is held is renewed and changed by whoever holds it.
            if company_number != ours.company_number:
                raise OtherCompany(ours.company_number)
            draft.company_name, draft.ntn = name, ntn
            return
        draft.company_name, draft.company_number, draft.ntn = name, company_number, ntn
        before = draft.organisation
        draft.organisation = organisation_for(draft, actor=actor, now=now)
        if before is not None and before != draft.organisation:
            # Branches belong to one organisation.
            Endpoint.objects.filter(application=draft).update(branch=None)

    return _save_step(application, StepKey.COMPANY, write, seen=seen, actor=actor, now=now)


def organisation_for(draft: Application, *, actor: str, now: dt.datetime) -> Organisation:
    """The organisation that the draft speaks for. One that the applicant has left, or was removed from, is none.

    Unless somebody else goes on with the draft: they reach it through the organisation, so it stays the organisation's.
    """
    by_another = actor != f"person:{draft.applicant_id}"
    ours = draft.organisation
    if ours is not None and by_another and not persons.may(draft.applicant, Act.APPLY, organisation=ours):
        return ours
    name, number, ntn = draft.company_name, draft.company_number, draft.ntn
    # An organisation without a company number is known by its name.
    told_by = {"company_number": number} if number else {"company_number": "", "name": name}
    same = persons.organisations_for(draft.applicant, Act.APPLY).filter(**told_by).first()
    chosen = same or draft.organisation
    if chosen is not None and not persons.may(draft.applicant, Act.APPLY, organisation=chosen):
        chosen = None
    if chosen is None:
        return people.register_organisation(
            owner=draft.applicant, name=name, company_number=number, ntn=ntn, actor=actor, now=now
        )
    chosen = people.lock_organisation(chosen)
    used = Application.objects.filter(organisation=chosen).exclude(pk=draft.pk).exists()
    if not used:
        if (chosen.name, chosen.company_number, chosen.ntn) != (name, number, ntn):
            people.describe_organisation(
                organisation=chosen, name=name, company_number=number, ntn=ntn, actor=actor, now=now
            )
        return chosen
    # An organisation that something else was written for stays as it was described then: or else that would speak for
    # whatever this draft says now.
    if same is not None:
        return same
    return people.register_organisation(
        owner=draft.applicant, name=name, company_number=number, ntn=ntn, actor=actor, now=now
    )


def is_described(draft: Application) -> bool:
    """Whether its organisation is the one that the draft names: by number, or where there is none by name."""
    ours = draft.organisation
    if ours is None or draft.company_number != ours.company_number:
        return ours is None
    return bool(ours.company_number or draft.registration_id) or draft.company_name == ours.name


def save_contact(
    *, application: Application, name: str, mobile: str, actor: str, now: dt.datetime, seen: str | None = None
) -> Application:
    """Whom to call at any hour; the number in E.164."""

    def write(draft: Application) -> None:
        draft.contact_name, draft.contact_mobile = name, mobile

    return _save_step(application, StepKey.CONTACT, write, seen=seen, actor=actor, now=now)


def save_purpose(
    *, application: Application, purpose: str, actor: str, now: dt.datetime, seen: str | None = None
) -> Application:
    """What the VPN is used for, in the applicant's words."""

    def write(draft: Application) -> None:
        draft.purpose = purpose

    return _save_step(application, StepKey.PURPOSE, write, seen=seen, actor=actor, now=now)


def save_evidence(
    *,
    application: Application,
    kind: str,
    text: str = "",
    association: str = "",
    association_number: str = "",
    cnic: str = "",
    actor: str,
    now: dt.datetime,
    seen: str | None = None,
) -> Application:
    """How the applicant shows work: a kind of the policy with its text or documents, or an association's number; with
    the number of a card where that is compared."""

    def write(draft: Application) -> None:
        draft.evidence_kind, draft.evidence_text = kind, text
        draft.association, draft.association_number = association, association_number
        if cnic:
            _write_card(draft, cnic)

    return _save_step(application, StepKey.EVIDENCE, write, seen=seen, actor=actor, now=now)


def save_about(
    *,
    application: Application,
    name: str,
    cnic: str = "",
    mobile: str = "",
    purpose: str = "",
    actor: str,
    now: dt.datetime,
    seen: str | None = None,
) -> Application:
    """Who a person is, how to call them, and what for: what stands on one page is saved at once.

    They are called under their own name, unless somebody else was named for that.
    """

    def write(draft: Application) -> None:
        if draft.contact_name in {"", draft.name}:
            draft.contact_name = name if mobile else ""
        _write_person(draft, name, cnic, actor, now)
        draft.contact_mobile, draft.purpose = mobile, purpose

    steps = (StepKey.PERSON, StepKey.CONTACT, StepKey.PURPOSE)
    return _save_step(application, steps, write, seen=seen, actor=actor, now=now)


def _save_step(
    application: Application,
    step: StepKey | tuple[StepKey, ...],
    write: Callable[[Application], None],
    *,
    seen: str | None,
    actor: str,
    now: dt.datetime,
) -> Application:
    steps = step if isinstance(step, tuple) else (step,)
    with transaction.atomic():
        draft = locked_draft(application)
        before, was = queries.seen(draft, *steps), dict(vars(draft))
        write(draft)
        if queries.seen(draft, *steps) == before:
            return draft  # sent twice, or nothing changed
        if seen is not None and seen != before:
            raise ChangedMeanwhile(Application.objects.get(pk=draft.pk))
        is_now = vars(draft)
        changed = [each.attname for each in draft._meta.concrete_fields if is_now[each.attname] != was[each.attname]]
        touch(draft, now, changed)
        journal.record(act=f"apply.saved_{steps[0]}", actor=actor, subject=draft.subject, now=now)
        return draft
