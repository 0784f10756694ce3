"""Applications: begin, answer, check, send, withdraw, and how they stand. By the same forms and acts as the pages."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from rahdari.applicant import lines, sending
from rahdari.applicant.mandates import note_former_agent, services_of_organisations
from rahdari.applicant.overview import overviews
from rahdari.applicant.proofs import proofs_of
from rahdari.apply import access, drafts, form_errors, rules, step_forms, summary
from rahdari.apply import queries as apply
from rahdari.apply import sending as apply_sending
from rahdari.apply.evidence_forms import EvidenceForm
from rahdari.apply.forms import StepForm
from rahdari.apply.models import Application
from rahdari.apply.rules import StepKey
from rahdari.letters import queries as letters
from rahdari.people import queries as people
from rahdari.people.acting import Acting, Reached
from rahdari.people.models import Mandate
from rahdari.people.rules import Act
from rahdari.policy import Service
from rahdari.programs import cursors
from rahdari.programs.operation import Answer, Ok, Run
from rahdari.programs.problems import IMPOSSIBLE, error, impossible, not_taken, of_form
from rahdari.programs.schema import ID, TRUTH, Json, choice, closed, listed, or_null, text

from . import serializers
from .interface import API, PAGE, Call
from .rules import A_PAGE, Scope
from .serializers import APPLICATION, tag_of

TAG = "applications"
READ, WRITE = Scope.APPLICATIONS_READ, Scope.APPLICATIONS_WRITE
read = API.part(TAG, READ)
write = API.part(TAG, WRITE)
ONE = "/applications/{reference}"


def own(call: Call, reference: str, act: Act = Act.PAPERS) -> Reached[Application]:
    """An application with which the person may do this, and as whom."""
    try:
        return access.application_for_applicant(applicant=call.person, reference=reference, act=act)
    except access.ApplicationNotFound:
        if call.request.method not in {"GET", "HEAD"}:
            note_former_agent(call.person, reference, call.now)
        raise


def draft(call: Call, reference: str, act: Act = Act.PAPERS) -> tuple[Application, Acting, Service]:
    """The draft that is changed, as the caller last saw it."""
    row, by = own(call, reference, act)
    if row.status != rules.Status.DRAFT:
        raise drafts.NotADraft(row)
    call.must_match(tag_of(row))
    service = apply.policy_in_force().services.get(row.service)
    if service is None:
        raise drafts.ServiceNotOpen(row.service)
    return row, by, service


def whole(call: Call, row: Application, status: int = 200) -> Answer:
    """The application as the person may see it: who sees no papers gets its addresses, while they can be proved."""
    papers = access.may(call.person, Act.PAPERS, application=row)
    fresh = own(call, row.reference, Act.PAPERS if papers else Act.ADDRESSES).row
    if not papers and fresh.status not in {"draft", "submitted"}:
        raise access.ApplicationNotFound(row.reference)
    return Answer(serializers.application(fresh, call.now, papers=papers), status, tag_of(fresh))


def after_cursor(found: QuerySet[Any], call: Call, at: str) -> tuple[list[Any], str | None]:
    """A page of rows that stand newest first by `at` and then by id; and where the next one begins."""
    limit = call.query.get("limit", A_PAGE)
    if cursor := call.query.get("after"):
        try:
            moment, id = cursors.read(cursor)
        except ValueError:
            raise not_taken(
                [error("/after", "not_a_cursor", _("Give `after` as it stood in `next`, or leave it out."))]
            ) from None
        found = found.filter(Q(**{f"{at}__lt": moment}) | Q(**{at: moment, "pk__gt": id}))
    rows = list(found.order_by(f"-{at}", "pk")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, cursors.write(getattr(rows[-1], at), rows[-1].pk) if more else None


# -- beginning and reading -------------------------------------------------------------------------------------------


@read(
    "GET",
    "/applications",
    Ok("A page of applications, the newest first.", serializers.page_of(serializers.SUMMARY)),
    query=PAGE,
)
def list_applications(call: Call) -> Answer:
    """List your applications."""
    found = access.applications_of(call.person) | access.applications_to_prove(call.person)
    rows, following = after_cursor(found.select_related("registration"), call, "created_at")
    return Answer({"items": [serializers.summary(seen) for seen in overviews(rows, now=call.now)], "next": following})


@write(
    "POST",
    "/applications",
    Ok("The draft.", APPLICATION, 201, tag=True),
    body=closed(
        {"service": text(60, 1)},
        {
            "fixed_address": choice("line", "server", "yes", "no", "unsure", "mobile"),
            "language": choice("en", "ur"),
            "mandate": ID,
        },
    ),
    problems=IMPOSSIBLE,
)
def begin_application(call: Call) -> Answer:
    """Begin an application.

    A draft; letters about it come in `language`. The same Idempotency-Key gives the same draft.

    `fixed_address` says what it is about: `line`, an own line from which one connects to a VPN elsewhere; `server`, a
    VPN server of one's own; `mobile`, a mobile number instead of addresses, where the service takes them; or only
    whether the address is fixed. With `mandate` it is in the name of the organisation that gave it.
    """
    service = apply.policy_in_force().services.get(call.body["service"])
    takes_mobile = service is None or (service.accepts_mobile_numbers and letters.sms_is_set_up())
    if call.body.get("fixed_address") == "mobile" and not takes_mobile:
        raise impossible("no_mobile", _("No mobile number can be registered for this service here."))
    by = Acting(call.person, _mandate(call) if "mandate" in call.body else None)
    row = drafts.start_application(
        applicant=call.person,
        service=call.body["service"],
        fixed_address=call.body.get("fixed_address", ""),
        language=call.body.get("language", ""),
        send_token=call.id,
        mandate=by.mandate,
        actor=by.actor,
        now=call.now,
    )
    return whole(call, row, 201)


def _mandate(call: Call) -> Mandate:
    """One in force by which the person may apply for this service."""
    key = uuid.UUID(call.body["mandate"])
    found = people.mandates_in_force(call.person, Act.APPLY).filter(pk=key).first()
    service = call.body["service"]
    covered = found is not None and found.covers(service) and service in services_of_organisations()
    if found is None or not covered or call.body.get("fixed_address") == "mobile":
        raise impossible("no_mandate", _("You have no mandate for this."))
    return found


@read("GET", ONE, Ok("The application.", APPLICATION, tag=True))
def get_application(call: Call, reference: str) -> Answer:
    """Read an application.

    How it stands: what is awaited, from whom, until when; its answers, addresses, papers and checks. Who sees no
    papers of an organisation gets its addresses alone: `answers` is null.
    """
    return whole(call, own(call, reference, Act.ADDRESSES).row)


# -- answers ---------------------------------------------------------------------------------------------------------

CHANGED = ("not-possible-now", "not-taken")
MOST_TEXT = 20_000
MEMBERSHIP_NAMES = {"association": "association", "number": "association_number", "cnic": "card_number"}
EVIDENCE_NAMES = {"text": "text", "declared": "declared", **MEMBERSHIP_NAMES}


def _step(call: Call, reference: str, table: step_forms.Asked, names: dict[str, str] | None = None) -> Answer:
    """Answer one step by its form; what the page would say beside a field comes back as an error."""
    row, by, service = draft(call, reference)
    if not table.anywhere:
        _in_service(service, table.step)
    policy = apply.policy_in_force()
    seen = apply.seen(row, table.step)
    data = {field: call.body.get(name, "") for field, name in _names(table, names, call.body).items()}
    form = _filled(table.form(data, **table.options(row, service, policy, call.now)), data, names)
    table.save(row, form.cleaned_data, seen=seen, actor=by.actor, now=call.now)
    return whole(call, row)


def _filled(form: StepForm, data: Json, names: dict[str, str] | None) -> StepForm:
    """A form that is in order. What the service does not ask for is refused, so that nobody believes it was kept."""
    unasked = [(names or {}).get(field, field) for field in data if field not in form.fields and data[field]]
    if unasked:
        raise not_taken(error(f"/{name}", "not_asked", _("This service does not ask for that.")) for name in unasked)
    if not form.is_valid():
        raise of_form(form, names)
    return form


def _names(table: step_forms.Asked, names: dict[str, str] | None, body: Json) -> dict[str, str]:
    renamed = names or {}
    back = {name: field for field, name in renamed.items()}
    return {back.get(name, name): name for name in body}


def _in_service(service: Service, step: StepKey) -> None:
    if step not in rules.steps_of(service):
        raise impossible("no_such_step", _("This service does not ask for that."))


def _answers(step: str, body: Json) -> Callable[[Run], Run]:
    ok = Ok("The application with the answer.", APPLICATION, tag=True)
    return write("PUT", f"{ONE}/{step}", ok, body=body, problems=CHANGED, matches=True)


@_answers("person", closed({"name": text(500)}, {"card_number": text(60)}))
def put_person(call: Call, reference: str) -> Answer:
    """Answer: who applies.

    Of a person who applies for themselves. `card_number` is taken where the service asks for it of everybody; it is
    kept encrypted and never shown whole.
    """
    return _step(call, reference, step_forms.PERSON, {"cnic": "card_number"})


@_answers("company", closed({"name": text(500)}, {"company_number": text(60), "tax_number": text(60)}))
def put_company(call: Call, reference: str) -> Answer:
    """Answer: the organisation."""
    return _step(call, reference, step_forms.COMPANY, {"ntn": "tax_number"})


@_answers("contact", closed({"name": text(500), "mobile": text(60)}))
def put_contact(call: Call, reference: str) -> Answer:
    """Answer: whom to call at any hour."""
    return _step(call, reference, step_forms.CONTACT)


@_answers("purpose", closed({"purpose": text(MOST_TEXT)}))
def put_purpose(call: Call, reference: str) -> Answer:
    """Answer: what it is used for.

    Where the service asks for it.
    """
    return _step(call, reference, step_forms.PURPOSE)


@_answers(
    "evidence",
    closed(
        {"kind": text(60)},
        {
            "text": text(MOST_TEXT),
            "association": text(60),
            "association_number": text(60),
            "card_number": text(60),
            "declared": TRUTH,
        },
    ),
)
def put_evidence(call: Call, reference: str) -> Answer:
    """Answer: the evidence of employment.

    `kind` is one of the service's. Where it wants a document, upload it under the rule `evidence`; where it wants a
    text, an address of a client or a declaration, `text` is that; a declaration also needs `declared`. For the
    kind `association`, `association` is the key of one that the policy names; it may be left out where there is one.
    `card_number` goes with it where the association may know its members by that, and with a declaration.
    """
    row, by, service = draft(call, reference)
    _in_service(service, StepKey.EVIDENCE)
    policy, seen = apply.policy_in_force(), apply.seen(row, StepKey.EVIDENCE)
    kind = call.body["kind"]
    chosen = EvidenceForm({"kind": kind}, service=service, language=apply.language_now())
    if not chosen.is_valid():
        raise of_form(chosen)
    row.evidence_kind = kind
    if unasked := _not_of_the_kind(service, call.body):
        raise not_taken(error(f"/{name}", "not_asked", _("This evidence does not ask for that.")) for name in unasked)
    given, association, number, card = "", "", "", ""
    table, data, names = _evidence_table(service, call.body)
    if table is not None:
        form = _filled(table.form(data, **table.options(row, service, policy, call.now)), data, names)
        given, number = form.cleaned_data.get("text", ""), form.cleaned_data.get("number", "")
        association, card = form.cleaned_data.get("association", ""), form.cleaned_data.get("cnic", "")
    drafts.save_evidence(
        application=row,
        kind=kind,
        text=given,
        association=association,
        association_number=number,
        cnic=card or row.cnic,
        seen=seen,
        actor=by.actor,
        now=call.now,
    )
    return whole(call, row)


def _evidence_table(service: Service, body: Json) -> tuple[step_forms.Asked | None, Json, dict[str, str]]:
    """The page of this kind, and what was given for it by the names of its fields; of what it does not ask nothing."""
    found = service.evidence_kind(body["kind"])
    table = step_forms.MEMBERSHIP if found is None else step_forms.PAGES.get(found.wants)
    if table is None:
        return None, {}, {}
    given = {field: body.get(name, "") for field, name in EVIDENCE_NAMES.items() if field in table.form.base_fields}
    return table, given, EVIDENCE_NAMES


def _not_of_the_kind(service: Service, body: Json) -> list[str]:
    """What was given and no page of this kind has: it is refused, so that nobody believes it was kept."""
    table, _data, names = _evidence_table(service, body)
    taken = {name for field, name in names.items() if table is not None and field in table.form.base_fields}
    return [name for name in body if name != "kind" and body[name] and name not in taken]


@_answers("association", closed({"association_number": text(60)}, {"association": text(60), "card_number": text(60)}))
def put_association(call: Call, reference: str) -> Answer:
    """Answer: the association that vouches.

    In place of an organisation’s documents, or as a person’s evidence of employment. `association` is the key of one
    that the service names; it may be left out where there is one. It is looked up, or asked, when you send.
    """
    _takes_association(call, reference)
    return _step(call, reference, step_forms.MEMBERSHIP, MEMBERSHIP_NAMES)


@write(
    "DELETE",
    f"{ONE}/association",
    Ok("The application without it.", APPLICATION, tag=True),
    problems=IMPOSSIBLE,
    matches=True,
)
def leave_association(call: Call, reference: str) -> Answer:
    """Remove the association, and send documents instead.

    Documents that were uploaded before are there still. Where none was named nothing changes.
    """
    row, by = _takes_association(call, reference)
    if row.evidence_kind == rules.ASSOCIATION:
        drafts.save_evidence(application=row, kind="", actor=by.actor, now=call.now)
    return whole(call, row)


def _takes_association(call: Call, reference: str) -> Reached[Application]:
    row, by, service = draft(call, reference)
    if not rules.takes_association(service):
        raise impossible("no_association", _("No association vouches for this service. Send what it asks for."))
    return Reached(row, by)


# -- checking and sending --------------------------------------------------------------------------------------------

TROUBLE = closed({"step": text(20), "endpoint": or_null(text(36)), "code": text(40), "detail": text(2000)})


def _troubles(row: Application, now: dt.datetime) -> list[Json]:
    policy = apply.policy_in_force()
    found = [
        {
            "step": str(step),
            "endpoint": None,
            "code": "missing",
            "detail": str(summary.title_of(step, apply.service_of(row, policy))),
        }
        for step in apply.missing_steps(row, policy)
    ]
    if row.is_mobile and not lines.is_ready(row):
        missing = _("The mobile number is not confirmed, or its operator was not asked.")
        found.append({"step": "mobile", "endpoint": None, "code": "missing", "detail": missing})
    for endpoint, trouble in apply.endpoint_troubles(row, policy):
        words = error("", str(trouble.kind), form_errors.trouble(trouble))
        found.append({"step": "addresses", "endpoint": str(endpoint.pk), **_without(words, "pointer")})
    return found


def _without(found: Json, name: str) -> Json:
    return {key: value for key, value in found.items() if key != name}


@read(
    "GET",
    f"{ONE}/check",
    Ok(
        "`ready` when nothing stands in the way. What is not proved may be proved after sending.",
        closed(
            {
                "ready": TRUTH,
                "troubles": listed(TROUBLE),
                "unproved": listed(text(36)),
                "terms_changed": TRUTH,
                "fee": text(2000),
                "documents_missing": listed(text(60)),
            }
        ),
    ),
    problems=IMPOSSIBLE,
)
def check_application(call: Call, reference: str) -> Answer:
    """Check whether it can be sent."""
    row, _by, service = draft(call, reference)
    policy = apply.policy_in_force()
    troubles = _troubles(row, call.now)
    proofs = proofs_of(row)
    return Answer(
        {
            "ready": not troubles and service.open,
            "troubles": troubles,
            "unproved": [str(each.endpoint.pk) for each in proofs if not each.is_proved],
            "terms_changed": apply.terms_changed(row, policy),
            "fee": service.fee.text.in_language(apply.language_now()),
            "documents_missing": [rule.key for rule in apply.missing_documents(row, policy)],
        }
    )


@write(
    "POST",
    f"{ONE}/submit",
    Ok("The application, sent.", APPLICATION, tag=True),
    body=closed({"declare": {"type": "boolean", "const": True}}),
    problems=CHANGED,
    matches=True,
)
def submit_application(call: Call, reference: str) -> Answer:
    """Send it.

    With `declare` you say what the page asks for: the answers are true, and you may apply. Sent twice it is sent
    once. An address that is not proved yet may be proved afterwards, by the link or any other way.
    """
    row = own(call, reference).row
    if row.submitted_at is not None:
        return whole(call, row)
    row, by, _service = draft(call, reference)
    policy = apply.policy_in_force()
    try:
        sending.send(row, policy, actor=by.actor, now=call.now, seen_version=row.version)
    except (apply_sending.StepsMissing, apply_sending.EndpointsInTrouble):
        found = _troubles(own(call, reference).row, call.now)
        raise not_taken(
            {"pointer": "", **each}
            for each in found
            or [error("", "declared_before", _("Choose other evidence of your employment or freelance work."))]
        ) from None
    return whole(call, row)


@write("POST", f"{ONE}/withdraw", Ok("The application, withdrawn.", APPLICATION, tag=True), problems=IMPOSSIBLE)
def withdraw_application(call: Call, reference: str) -> Answer:
    """Withdraw it.

    Sent or not, while it is not decided. Doing it twice changes nothing.
    """
    row, by = own(call, reference)
    apply_sending.withdraw_application(application=row, actor=by.actor, now=call.now)
    return whole(call, row)
