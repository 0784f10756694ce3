"""Reads of applications. The gatekeepers stand here: nobody learns whether an application is absent or another's.

An officer's read of a file is a row in the journal.
"""

import datetime as dt
import functools
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.utils.translation import get_language

from rahdari.address import Block, Part, directory
from rahdari.address import Endpoint as AddressEndpoint
from rahdari.address.directory import Origin
from rahdari.db.asked import Asked, Later
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.access import actor_of
from rahdari.people.models import Organisation, User
from rahdari.people.rules import Act
from rahdari.policy import DocumentRule, EvidenceKind, Policy, Service, current, pricing, thaw
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.vault import files

from . import rules, summary
from .access import PROVE_ALL as PROVE_ALL
from .access import ApplicationNotFound as ApplicationNotFound
from .access import application_for_applicant as application_for_applicant
from .access import application_for_link as application_for_link
from .access import applications_for as applications_for
from .access import applications_of as applications_of
from .access import applications_to_prove as applications_to_prove
from .access import every as every
from .access import may as may
from .access import on_behalf as on_behalf
from .access import prove_all_token as prove_all_token
from .access import readers_of as readers_of
from .access import within_reach as within_reach
from .file_hold import files_on_hold as files_on_hold
from .file_hold import is_held as is_held
from .file_hold import last_days as last_days
from .models import AddressFile, Application, Document, Endpoint, FrozenPolicy, LateEvidence
from .pending import CLOSED_WITHOUT_GRANT as CLOSED_WITHOUT_GRANT
from .pending import any_kept_of as any_kept_of
from .pending import held_without_a_registration as held_without_a_registration
from .pending import proofs_to_take_in as proofs_to_take_in
from .pending import removed_endpoint_subjects as removed_endpoint_subjects
from .pending import sent_for as sent_for
from .pending import sent_with_the_number_of as sent_with_the_number_of
from .pending import submitted_undecided as submitted_undecided
from .pending import submitted_without_checks as submitted_without_checks
from .rules import Facts, Held, Status, StepKey, StepState, Trouble
from .subjects import SUBJECT as SUBJECT
from .subjects import application_by_subject as application_by_subject
from .subjects import applications_by_subjects as applications_by_subjects
from .subjects import applications_where as applications_where
from .subjects import endpoint_by_subject as endpoint_by_subject
from .subjects import endpoint_names as endpoint_names
from .subjects import endpoints_by_subjects as endpoints_by_subjects
from .subjects import holder_name_of as holder_name_of
from .subjects import holder_names_of as holder_names_of
from .subjects import last_granted as last_granted
from .subjects import last_granted_for as last_granted_for
from .subjects import named_in as named_in
from .subjects import subjects_of_endpoints as subjects_of_endpoints


class DocumentNotFound(RahdariError):
    """The application has no such document. `.id` is what was asked for."""

    says = "no document {id}"
    id: uuid.UUID


class EndpointNotFound(RahdariError):
    """The application has no such endpoint. `.id` is what was asked for."""

    says = "no endpoint {id}"
    id: uuid.UUID


class AddressFileNotFound(RahdariError):
    """The application has no such file of addresses. `.id` is what was asked for."""

    says = "no file of addresses {id}"
    id: uuid.UUID


# ------------------------------------------------------------------ gatekeepers


def endpoint_of(*, application: Application, id: uuid.UUID) -> Endpoint:
    """Raises EndpointNotFound."""
    found = endpoints_of(application).filter(pk=id).first()
    if found is None:
        raise EndpointNotFound(id)
    return found


def address_file_of(*, application: Application, id: uuid.UUID) -> AddressFile:
    """Raises AddressFileNotFound."""
    found = address_files_of(application).filter(pk=id).first()
    if found is None:
        raise AddressFileNotFound(id)
    return found


def address_files_of(application: Application) -> QuerySet[AddressFile]:
    """The files of addresses with rows that were not added yet, the newest first."""
    return AddressFile.objects.filter(application=application).order_by("-uploaded_at", "id")


def document_of(*, application: Application, id: uuid.UUID) -> Document:
    """Raises DocumentNotFound."""
    found = documents_of(application).filter(pk=id).first()
    if found is None:
        raise DocumentNotFound(id)
    return found


def content_of(document: Document) -> bytes:
    """The document in the clear. Raises vault.files.FileMissing. Whoever shows it to staff journals the read."""
    return files.read(document.stored, aad=document.aad)


def read_document(
    *, officer: User, application: Application, id: uuid.UUID, reason: str = "", ground: str = "", now: dt.datetime
) -> tuple[Document, bytes]:
    """A document for an officer; the read is journaled, with why and on what ground. Raises DocumentNotFound."""
    if not people.is_officer(officer) or application.submitted_at is None:
        raise DocumentNotFound(id)
    document = document_of(application=application, id=id)
    role = "supervisor" if people.is_supervisor(officer) else "officer"
    journal.record(
        act="apply.read_document",
        actor=actor_of(officer, role),
        subject=application.subject,
        now=now,
        reason=reason,
        ground=ground,
        detail={"document": str(document.pk), "rule": document.rule},
    )
    return document, content_of(document)


# ---------------------------------------------------------------------- lists


def subjects_about(registration: Registration) -> list[str]:
    """The applications that are about this registration, as the journal names them."""
    keys = Application.objects.filter(registration=registration).order_by().values_list("pk", flat=True)
    return [f"application:{key}" for key in keys]


def under_way_for(registration: Registration, about: str) -> Application | None:
    """The renewal or change of this registration that is not decided, sent or not."""
    found = every().filter(registration=registration, about=about, status__in=[Status.DRAFT, Status.SUBMITTED])
    return found.order_by("-created_at", "id").first()


def sent_between(*, start: dt.datetime, end: dt.datetime) -> QuerySet[Application]:
    """Undecided, their checks asked for, sent from `start` on and before `end`."""
    return submitted_undecided().filter(submitted_at__gte=start, submitted_at__lt=end)


def endpoints_of(*applications: Application) -> QuerySet[Endpoint]:
    """Those of one application, or of several at once: each in its order."""
    found = Endpoint.objects.filter(application__in=applications, removed_at__isnull=True).order_by("position", "id")
    # Only organisations have branches.
    has_branches = any(each.organisation_id is not None for each in applications)
    return found.select_related("branch") if has_branches else found


_rows = Asked(
    lambda applications: Endpoint.objects.filter(application__in=applications, removed_at__isnull=True).order_by(
        "position", "id"
    )
)


def rows_of(*applications: Application) -> list[Endpoint]:
    """The same, read."""
    if any(each.organisation_id is not None for each in applications):
        return list(endpoints_of(*applications))
    return _rows([each.pk for each in applications])


def rows_later(*applications: Application) -> list[Later[Endpoint]]:
    """What `rows_of` asks, for `db.together.ahead`."""
    if any(each.organisation_id is not None for each in applications):
        return []
    return [_rows.later([each.pk for each in applications])]


def endpoints_there() -> QuerySet[Endpoint]:
    """Those of all applications that were not taken out. No gatekeeper: for rooms, not pages."""
    return Endpoint.objects.filter(removed_at__isnull=True).order_by()


def language_of(organisation: Organisation) -> str:
    """The language in which an organisation last applied."""
    last = Application.objects.filter(organisation=organisation).order_by("-created_at", "id").first()
    return last.language if last is not None else "en"


def bytes_of_papers(owner: uuid.UUID | None) -> int:
    """What the files take that are kept of this person's applications, those that are decided left out; or of all who
    do not apply."""
    kept = Document.objects.filter(application__isnull=True)
    if owner is not None:
        kept = Document.objects.filter(application__applicant=owner, application__closed_at__isnull=True)
    kept = kept.filter(removed_at__isnull=True, erased_at__isnull=True)
    return int(kept.aggregate(total=Sum("size"))["total"] or 0)


def stored_papers(*, until: dt.datetime) -> QuerySet[Document]:
    """All whose file is kept and was sent by then, in no order that means anything."""
    kept = Document.objects.filter(removed_at__isnull=True, erased_at__isnull=True, noted_from__isnull=True)
    return kept.filter(uploaded_at__lte=until).exclude(stored="").order_by("id")


def documents_of(application: Application) -> QuerySet[Document]:
    found = Document.objects.filter(application=application, removed_at__isnull=True).order_by("uploaded_at", "id")
    # Only what renews or changes rests on papers that were seen before.
    return found if application.about == rules.About.NEW else found.select_related("noted_from__application")


def papers_asked(application: Application, service: Service) -> list[Document]:
    """Its documents; none is looked for where neither the service nor the chosen evidence asks for one."""
    kind = service.evidence_kind(application.evidence_kind)
    asked = service.documents or (kind is not None and kind.sort.is_file)
    return list(documents_of(application)) if asked else []


def documents_of_answer(application: Application, asked: str) -> QuerySet[Document]:
    """The papers that were sent with the answer to what another room asked."""
    return documents_of(application).filter(rule=asked)


def papers_of(asked: str) -> QuerySet[Document]:
    """The papers of somebody who does not apply, with what they said, as another room calls it."""
    found = Document.objects.filter(application__isnull=True, rule=asked, removed_at__isnull=True)
    return found.order_by("uploaded_at", "id")


def seen_with(application: Application, papers: Sequence[Document] | None = None) -> list[Application]:
    """The applications with which its papers were sent, if it rests on notes of papers alone; none otherwise."""
    papers = list(documents_of(application)) if papers is None else papers
    if not papers or any(paper.noted_from is None for paper in papers):
        return []
    seen = [paper.noted_from.application for paper in papers if paper.noted_from is not None]
    return list({each.pk: each for each in seen if each is not None}.values())


# -------------------------------------------------------------------- the rules


def policy_in_force() -> Policy:
    return current(settings.POLICY_FILE)


def frozen_policy(application: Application) -> Policy:
    """The rules the application was sent under; those in force while it is a draft."""
    return policy_in_force() if application.policy_id is None else policy_frozen_as(application.policy_id)


@functools.lru_cache(maxsize=16)
def policy_frozen_as(digest: str) -> Policy:
    """The digest is that of the text, so what it names is the same for ever; and the text is long."""
    return thaw(FrozenPolicy.objects.get(pk=digest).text)


def policies_by_subjects(subjects: Iterable[str]) -> dict[str, Policy]:
    """The rules under which the applications were sent that another room names so; others are left out."""
    return {key: frozen_policy(found) for key, found in applications_by_subjects(subjects).items()}


def what_is_due(
    application: Application, policy: Policy, endpoints: Iterable[Endpoint]
) -> pricing.Due | pricing.Nothing:
    """What it costs by this policy, as it stands: for addresses that are new, and for none that the holder has in force
    under services with a fee. These count along, but for those that a change leaves out."""
    if service_of(application, policy).fee.rule == "free":
        return pricing.Nothing.FREE
    charged = [key for key, service in policy.services.items() if service.fee.rule != "free"]
    had = register.active_blocks_of(holder=application.holder_ref, categories=charged)
    rows = list(endpoints)
    # A changing address has another one each day: it is known by what it continues.
    going_on = {row.block for row in rows if row.continues}
    new = {row.block for row in rows} - going_on - set(had)
    elsewhere = {block for block, under in had.items() if under - {application.registration_id}}
    kept = going_on | elsewhere | ({row.block for row in rows} & set(had))
    fee = service_of(application, policy).fee
    return pricing.what_is_due(fee=fee, addresses=len(new), earlier=len(kept))


def service_of(application: Application, policy: Policy) -> Service:
    return policy.services[application.service]


def facts_of(
    application: Application,
    *,
    endpoints: Sequence[Endpoint] | None = None,
    documents: Sequence[Document] | None = None,
) -> Facts:
    """What the rules look at. Whoever has its endpoints and documents already gives them along."""
    return Facts(
        company_name=application.company_name,
        company_number=application.company_number,
        ntn=application.ntn,
        name=application.name,
        cnic=application.cnic,
        contact_name=application.contact_name,
        contact_mobile=application.contact_mobile,
        purpose=application.purpose,
        evidence_kind=application.evidence_kind,
        evidence_text=application.evidence_text,
        association_number=application.association_number,
        endpoints=endpoints_of(application).order_by().count() if endpoints is None else len(endpoints),
        document_rules=frozenset(
            documents_of(application).order_by().values_list("rule", flat=True)
            if documents is None
            else (document.rule for document in documents)
        ),
        mobile=application.is_mobile,
    )


def missing_steps(
    application: Application,
    policy: Policy,
    *,
    endpoints: Sequence[Endpoint] | None = None,
    documents: Sequence[Document] | None = None,
) -> list[StepKey]:
    """The steps that are not done, in their order."""
    facts = facts_of(application, endpoints=endpoints, documents=documents)
    return list(rules.missing(facts, service_of(application, policy)))


def missing_documents(application: Application, policy: Policy) -> tuple[DocumentRule, ...]:
    """What must still be uploaded before sending."""
    return rules.missing_documents(facts_of(application), service_of(application, policy))


def evidence_of(application: Application) -> EvidenceKind | None:
    """The kind of evidence of employment that was given with the application."""
    return service_of(application, frozen_policy(application)).evidence_kind(application.evidence_kind)


def declared_before(application: Application, kind: EvidenceKind, *, now: dt.datetime) -> bool:
    """Whether this account has declared within the months in which it works once. Nothing is asked here of the card:
    the number of somebody else's would tell whether they are registered. `workflow.representing` compares it."""
    since = declared_since(kind, now)
    return since is not None and bool(_declared(application.applicant_id, kind.key, since, application.pk))


def declared_since(kind: EvidenceKind, now: dt.datetime) -> dt.datetime | None:
    """Since when a declaration counts as one that was used; None where it works any number of times."""
    return None if kind.once_in_months is None else now - dt.timedelta(days=30.44 * kind.once_in_months)


_declared: Asked[Any] = Asked(
    lambda applicant, kind, since, but: (
        Application.objects.filter(applicant=applicant, evidence_kind=kind, submitted_at__gte=since)
        .exclude(pk=but)
        .exclude(status__in=[Status.REFUSED, Status.WITHDRAWN])
        .order_by()
        .values_list("pk", flat=True)[:1]
    )
)


def proofs_of(application: Application) -> QuerySet[LateEvidence]:
    return LateEvidence.objects.filter(application=application).order_by("given_at", "id")


def later_kinds(application: Application) -> list[EvidenceKind]:
    """The kinds of proof that count after sending: those that lead to a full registration, or to an officer."""
    service = service_of(application, frozen_policy(application))
    return [kind for kind in service.evidence if kind.weight != "provisional"]


def documents_to_follow(
    application: Application, policy: Policy, facts: Facts | None = None
) -> tuple[DocumentRule, ...]:
    """What may come after sending and has not come yet."""
    service = service_of(application, policy)
    if not service.still_to_follow(frozenset()):
        return ()
    return service.still_to_follow((facts or facts_of(application)).document_rules)


def certified_until(application: Application) -> dt.datetime | None:
    """The end of the last day of the certificate that the application rests on; None if it rests on none."""
    policy = frozen_policy(application)
    wanted = [rule.key for rule in service_of(application, policy).documents if rule.expires]
    days = [
        day
        for day in documents_of(application).filter(rule__in=wanted).values_list("valid_until", flat=True)
        if day is not None
    ]
    if not days:
        return None
    # The last second of it, as of every clock: "valid until" names that day, and not the next.
    return dt.datetime.combine(max(days), dt.time(23, 59, 59), tzinfo=policy.calendar.zone_info)


def missing_evidence(application: Application, policy: Policy, facts: Facts | None = None) -> list[str]:
    """What a check of documents does not find: keys of document rules, and `evidence` where that of employment is due.

    A tax number or a membership may stand in for a paper; that is another check's answer, so the paper is missing here.
    """
    service, facts = service_of(application, policy), facts or facts_of(application)
    absent = [rule.key for rule in service.missing_documents(facts.document_rules)]
    if service.evidence:
        kind = service.evidence_kind(facts.evidence_kind)
        if kind is None or not rules.is_given(kind, facts):
            absent.append(rules.EVIDENCE_RULE)
    return absent


def terms_changed(application: Application, policy: Policy) -> bool:
    """Whether what the service asks for has changed since the applicant last saw it."""
    if application.status != Status.DRAFT:
        return False
    service = policy.services.get(application.service)
    return service is None or rules.terms_digest(service, policy.limits) != application.terms


def kept_until(application: Application, policy: Policy) -> dt.datetime:
    """Until when a draft is kept, counted from the last change."""
    return application.updated_at + policy.limits.draft_kept


def idle_drafts(*, now: dt.datetime) -> QuerySet[Application]:
    """Drafts that were last changed longer ago than the policy in force keeps them, oldest first."""
    limit = now - policy_in_force().limits.draft_kept
    return Application.objects.filter(status=Status.DRAFT, updated_at__lt=limit).order_by("updated_at", "id")


# -------------------------------------------------------------------- addresses


def origin_of(block: Block) -> Origin | None:
    return directory.current().origin(block)


def what_runs_at(endpoint: Endpoint) -> summary.SummaryLine:
    """`WireGuard UDP 51820`, or words where there is no port."""
    return summary.line_of(endpoint.parts, endpoint.runs)


def what_runs(parts: Iterable[Part]) -> summary.SummaryLine:
    """The same of what is registered."""
    return summary.line_of(parts)


def trouble_with(
    application: Application,
    endpoint: AddressEndpoint,
    policy: Policy,
    *,
    other_than: uuid.UUID | None = None,
    rows: Iterable[Endpoint] | None = None,
) -> Trouble | None:
    """Why an endpoint may not be added (or changed: then `other_than` is the one that it replaces)."""
    there = endpoints_of(application) if rows is None else rows
    beside = [row.as_address() for row in there if row.pk != other_than]
    return assess_endpoints(application, [endpoint], policy, beside=beside)[0]


def endpoint_troubles(
    application: Application, policy: Policy, *, endpoints: Sequence[Endpoint] | None = None
) -> list[tuple[Endpoint, Trouble]]:
    """Endpoints of a draft that could not be added today: held by another meanwhile, or beyond a new limit."""
    rows = rows_of(application) if endpoints is None else endpoints
    found = assess_endpoints(application, [row.as_address() for row in rows], policy, kept=True)
    return [(row, trouble) for row, trouble in zip(rows, found, strict=True) if trouble is not None]


def assess_endpoints(
    application: Application,
    endpoints: Sequence[AddressEndpoint],
    policy: Policy,
    *,
    beside: Sequence[AddressEndpoint] = (),
    kept: bool = False,
) -> list[Trouble | None]:
    """What stands against each endpoint, in turn, beside those that were there and the good ones before it. With
    `kept` the bad ones before it are there, too.
    """
    if application.is_mobile:
        # Its operator answers for a number; nobody would look whether an address is the applicant's.
        return [Trouble(rules.AddressTrouble.FOR_A_MOBILE_NUMBER)] * len(endpoints)
    limits, service = policy.limits, policy.services.get(application.service)
    held: rules.Neighbours[Held] = rules.Neighbours(limits)
    there_already = list(register.overlapping_any({each.block for each in endpoints}))
    own = {application.holder_ref, *(people.holders_for(application.applicant, Act.SEE) if there_already else ())}
    for entry in there_already:
        # What is renewed or changed stands in nobody's way.
        if application.registration_id is None or entry.registration_id != application.registration_id:
            held.add(entry.block, Held(AddressEndpoint(entry.block, (entry.part,)), own=entry.holder in own))
    known = rules.Neighbours(limits, ((each.block, each) for each in beside))
    found: list[Trouble | None] = []
    for endpoint in endpoints:
        trouble = rules.assess_endpoint(
            endpoint,
            beside=known,
            held=held.near(endpoint.block),
            limits=limits,
            allowed=settings.ALLOWED_SPECIAL_RANGES,
            holder=service.holder if service else "person",
        )
        found.append(trouble)
        if trouble is None or kept:
            known.add(endpoint.block, endpoint)
    return found


# -------------------------------------------------------------------- two tabs

STEP_FIELDS: dict[StepKey, tuple[str, ...]] = {
    StepKey.COMPANY: ("company_name", "company_number", "ntn"),
    StepKey.PERSON: ("name", "cnic"),
    StepKey.CONTACT: ("contact_name", "contact_mobile"),
    StepKey.PURPOSE: ("purpose",),
    StepKey.EVIDENCE: ("evidence_kind", "evidence_text", "association", "association_number", "cnic"),
}


def seen(application: Application, *steps: StepKey) -> str:
    """The answers of a page as one short value: a form carries it, so that a save from an older page is noticed."""
    values = "\0".join(str(getattr(application, field)) for step in steps for field in STEP_FIELDS[step])
    # Salted with the application's own secret, so that the value in a page's source cannot be guessed back.
    return hashlib.sha256(f"{application.send_token}\0{' '.join(steps)}\0{values}".encode()).hexdigest()[:16]


def language_now() -> str:
    return "ur" if (get_language() or "").startswith("ur") else "en"


# --------------------------------------------------------------------- telling


def step_list(
    application: Application, policy: Policy, *, endpoints: Sequence[Endpoint] | None = None
) -> list[summary.StepGroup]:
    """The tasks of the application, grouped, each with its state and page."""
    endpoints = rows_of(application) if endpoints is None else endpoints
    service = service_of(application, policy)
    documents = papers_asked(application, service)
    facts = facts_of(application, endpoints=endpoints, documents=documents)
    return summary.step_groups(application, service, facts, endpoints, documents)


def open_step(
    application: Application, policy: Policy, *, endpoints: Sequence[Endpoint] | None = None
) -> summary.Step | None:
    """The first task that is still to do; None when there is none, and while the service takes no applications."""
    service = policy.services.get(application.service)
    if application.status != Status.DRAFT or service is None or not service.open:
        return None
    steps = (step for group in step_list(application, policy, endpoints=endpoints) for step in group.steps)
    return next((step for step in steps if step.state not in {StepState.DONE, StepState.OPTIONAL}), None)


def lists_nothing(application: Application, endpoints: Sequence[Endpoint]) -> bool:
    """An empty list of addresses says nothing that the form for the first one does not say."""
    return not endpoints and not address_files_of(application).exists()


def summary_of(
    application: Application,
    policy: Policy,
    *,
    endpoints: Sequence[Endpoint] | None = None,
    documents: Sequence[Document] | None = None,
) -> list[summary.SummaryGroup]:
    """The answers of the application, grouped, each with the page that changes it."""
    endpoints = rows_of(application) if endpoints is None else endpoints
    service = service_of(application, policy)
    documents = papers_asked(application, service) if documents is None else documents
    return summary.summary_groups(application, service, endpoints, documents, language=language_now())
