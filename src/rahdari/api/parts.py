"""The addresses and documents of a draft, by the same forms and guards as on the pages."""

import uuid
from collections.abc import Callable

from django.utils.translation import gettext as _

from rahdari.address import vpn
from rahdari.address.vpn import VPN_SERVICES
from rahdari.appeal import queries as appeals
from rahdari.apply import address_form, late_evidence, rules, screening
from rahdari.apply import parts as apply_parts
from rahdari.apply import queries as apply
from rahdari.apply.forms import LastDayForm
from rahdari.apply.models import Application, Endpoint
from rahdari.decide import case_clock
from rahdari.decide import queries as decide
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.policy import Policy, Service
from rahdari.programs import answers as programs
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, impossible, of_form, too_many
from rahdari.programs.schema import DAY, Json, choice, closed, listed, named, text

from . import serializers
from .applications import ONE, draft, own, read, write
from .interface import Call
from .serializers import DOCUMENT, ENDPOINT, tag_of

# Names of before are taken, and told as what they are now.
RUNS = (*VPN_SERVICES, vpn.OTHER)
RUNS_ASKED = (*RUNS, *vpn.BEFORE)
PORT: Json = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 99_999}, text(10)]}
PORTS: Json = {"anyOf": [listed(PORT, 100), text(300)]}
ASKED: Json = named(
    "AskedEndpoint",
    closed(
        {"address": text(300), "runs": choice(*RUNS_ASKED)},
        {
            "protocol": choice("udp", "tcp", "esp", "gre"),
            "ports": PORTS,
            "port": PORT,
            "remote": text(300),
            "label": text(200),
            "stays": choice("static", "dynamic"),
            "subscriber": text(200),
        },
    ),
)
NAMES = {"block": "address", "kind": "runs"}


def running(body: Json) -> dict[str, str]:
    """What runs there, as the form of the page has it. `ports` are several, with ranges; `port` is one, as before."""
    ports = body.get("ports", body.get("port", ""))
    return {
        "kind": vpn.BEFORE.get(body["runs"], body["runs"]),
        "protocol": body.get("protocol", ""),
        "port": ", ".join(map(str, ports)) if isinstance(ports, list) else str(ports),
    }


def names_in(body: Json) -> dict[str, str]:
    """Where the errors of the form stand in the body."""
    return NAMES | ({"port": "ports"} if "ports" in body else {})


# -- addresses -------------------------------------------------------------------------------------------------------


def _form(call: Call, service: Service) -> address_form.AddressForm:
    body = call.body
    data = {
        "block": body["address"],
        **running(body),
        "remote": body.get("remote", ""),
        "label": body.get("label", ""),
        "stays": body.get("stays", ""),
        "subscriber": body.get("subscriber", ""),
        "id": str(call.id),
    }
    limits = apply.policy_in_force().limits
    form = address_form.AddressForm(data, limits=limits, asks_subscriber=service.asks_operator)
    if not form.is_valid():
        raise _refused(form, body)
    return form


def _refused(form: address_form.AddressForm, body: Json) -> programs.Problem:
    """What the page says, and the address that was probably meant, where there is one."""
    found = of_form(form, names_in(body))
    if form.suggestion is not None:
        found.more["suggestion"] = form.suggestion
    return found


def _kept(call: Call, row: Application, by: Acting, service: Service, endpoint: Endpoint | None) -> Endpoint:
    form = _form(call, service)
    saved = address_form.keep(form, application=row, row=endpoint, actor=by.actor, now=call.now)
    if saved is None:
        raise of_form(form, names_in(call.body))
    return saved


def _tag(call: Call, row: Application) -> str:
    return tag_of(own(call, row.reference, Act.ADDRESSES).row)


@read("GET", f"{ONE}/endpoints", Ok("The addresses.", closed({"items": listed(ENDPOINT)}), tag=True))
def list_endpoints(call: Call, reference: str) -> Answer:
    """List its addresses."""
    row = own(call, reference, Act.ADDRESSES).row
    return Answer({"items": [serializers.endpoint(each) for each in apply.rows_of(row)]}, tag=tag_of(row))


@write(
    "POST",
    f"{ONE}/endpoints",
    Ok("The address as it was understood.", ENDPOINT, 201, tag=True),
    body=ASKED,
    problems=REFUSED,
    matches=True,
)
def add_endpoint(call: Call, reference: str) -> Answer:
    """Add an address.

    `runs` says what runs there, and all that it needs is registered: of `ikev2` UDP 500, UDP 4500 and ESP.
    `protocol` goes with `other`; `ports` where they are not the usual ones, as a list or as text (`1194, 1200-1203`),
    or `port` for one. Of `other` with UDP or TCP and no port it is every port. `ikev2_nat` is taken for `ikev2`. An
    address that changes by itself `stays` `dynamic`. `subscriber` is asked for where the service asks the operator.
    """
    row, by, service = draft(call, reference, Act.ADDRESSES)
    saved = _kept(call, row, by, service, None)
    return Answer(serializers.endpoint(saved), 201, _tag(call, row))


@read("GET", f"{ONE}/endpoints/{{endpoint}}", Ok("The address.", ENDPOINT, tag=True))
def get_endpoint(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Read one address."""
    row = own(call, reference, Act.ADDRESSES).row
    return Answer(serializers.endpoint(apply.endpoint_of(application=row, id=endpoint)), tag=tag_of(row))


@write(
    "PUT",
    f"{ONE}/endpoints/{{endpoint}}",
    Ok("The address; another one has another id, for its proof is another.", ENDPOINT, tag=True),
    body=ASKED,
    problems=REFUSED,
    matches=True,
)
def change_endpoint(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Change an address."""
    row, by, service = draft(call, reference, Act.ADDRESSES)
    saved = _kept(call, row, by, service, apply.endpoint_of(application=row, id=endpoint))
    return Answer(serializers.endpoint(saved), tag=_tag(call, row))


@write("DELETE", f"{ONE}/endpoints/{{endpoint}}", Ok("It is out.", status=204), problems=IMPOSSIBLE, matches=True)
def remove_endpoint(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Take an address out."""
    row, by, _service = draft(call, reference, Act.ADDRESSES)
    found = apply.endpoint_of(application=row, id=endpoint)
    apply_parts.remove_endpoint(endpoint=found, actor=by.actor, now=call.now)
    return Answer(status=204)


# -- documents -------------------------------------------------------------------------------------------------------

# Instead of a document of the service: a paper that goes with an answer.
ANSWER = "answer"
# A paper that goes with an appeal.
APPEAL = "appeal"
FILE: Json = {"type": "string", "format": "binary", "minLength": 1}
UPLOAD: Json = closed({"rule": text(60, 1), "file": FILE}, {"valid_until": DAY})


@read("GET", f"{ONE}/documents", Ok("The documents.", closed({"items": listed(DOCUMENT)}), tag=True))
def list_documents(call: Call, reference: str) -> Answer:
    """List its documents."""
    row = own(call, reference).row
    return Answer({"items": [serializers.document(each) for each in apply.documents_of(row)]}, tag=tag_of(row))


@write(
    "POST",
    f"{ONE}/documents",
    Ok("The document, as it was kept.", DOCUMENT, 201, tag=True),
    body=UPLOAD,
    multipart=True,
    problems=REFUSED,
    matches=True,
)
def upload_document(call: Call, reference: str) -> Answer:
    """Upload a document.

    Judged by its content and written anew without metadata, scripts or attachments; the file that was sent is not
    kept. `rule` is one of the service's documents, or `evidence`. `valid_until` is the last day that a certificate
    names, where the service asks for it. Once the application is sent: `answer`, for a paper that goes with the
    answer to the open question or notice, and `appeal`, for one that goes with the appeal that is being written.
    """
    if call.body["rule"] in {ANSWER, APPEAL}:
        return _with_an_answer(call, reference, _asked if call.body["rule"] == ANSWER else _draft_of_appeal)
    row, by, service = draft(call, reference)
    policy, rule, file = apply.policy_in_force(), call.body["rule"], call.files["file"]
    asked = service.document(rule)
    day = None
    if asked is not None and asked.expires:
        form = LastDayForm({"valid_until": call.body.get("valid_until", "")})
        if not form.is_valid():
            raise of_form(form)
        day = form.cleaned_data["valid_until"]
    guard(call, policy)
    kept = apply_parts.attach_document(
        application=row,
        rule=rule,
        name=file.name or "",
        content=file.read(),
        actor=by.actor,
        now=call.now,
        policy=policy,
        valid_until=day,
    )
    return Answer(serializers.document(kept), 201, _tag(call, row))


def guard(call: Call, policy: Policy) -> None:
    file = call.files["file"]
    if (file.size or 0) > policy.limits.document_bytes:  # not read into memory at all
        fault = screening.FileFault.TOO_BIG
        raise screening.FileRefused(fault, file.name or "", limit=policy.limits.document_bytes)
    key = f"apply.upload:{call.person.pk}"
    if seconds := programs.wait_for(key, rate=rules.FILES, per=rules.PER_SECONDS):
        raise too_many(seconds)


def _asked(call: Call, row: Application) -> str:
    """What is asked, as the papers of its answer are filed under it."""
    found = decide.awaiting_answer(row)
    if found is None:
        raise impossible("not_awaited", _("There is no open question that this could answer."))
    return found.subject


def _draft_of_appeal(call: Call, row: Application) -> str:
    """The appeal that is being written, likewise."""
    thing = appeals.appealable(row, call.now)
    draft = appeals.draft_of(thing.case, thing) if thing is not None else None
    if draft is None:
        raise impossible("not_awaited", _("Write the appeal first, then send the files that go with it."))
    return draft.subject


def _with_an_answer(call: Call, reference: str, which: Callable[[Call, Application], str]) -> Answer:
    (row, by), file = own(call, reference), call.files["file"]
    asked = which(call, row)
    guard(call, case_clock.policy_of(row))
    sent = late_evidence.File(file.name or "", file.read())
    kept = late_evidence.attach_to_answer(application=row, asked=asked, sent=sent, actor=by.actor, now=call.now)
    return Answer(serializers.document(kept), 201, _tag(call, row))


@read("GET", f"{ONE}/documents/{{document}}", Ok("The file as it was kept.", media="application/octet-stream"))
def get_document(call: Call, reference: str, document: uuid.UUID) -> Answer:
    """Download a document."""
    found = apply.document_of(application=own(call, reference).row, id=document)
    name = f"document.{found.name.rpartition('.')[2]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Document-Type": found.media_type}
    return Answer(content=apply.content_of(found), media="application/octet-stream", headers=headers)


@write("DELETE", f"{ONE}/documents/{{document}}", Ok("It is erased.", status=204), problems=IMPOSSIBLE, matches=True)
def remove_document(call: Call, reference: str, document: uuid.UUID) -> Answer:
    """Remove a document."""
    row, by = own(call, reference)
    found = apply.document_of(application=row, id=document)
    if rules.goes_with_an_answer(found.rule):
        asked = _draft_of_appeal if found.rule.startswith(f"{APPEAL}:") else _asked
        if found.rule != asked(call, row):
            raise impossible("answered", _("This answer was sent, so it stays as it is."))
        late_evidence.remove_from_answer(document=found, actor=by.actor, now=call.now)
        return Answer(status=204)
    draft(call, reference)
    apply_parts.remove_document(application=row, document=found, actor=by.actor, now=call.now)
    return Answer(status=204)
