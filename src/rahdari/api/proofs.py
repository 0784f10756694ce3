"""Proof of control of an address: which ways there are, opening one, what to do for it, having us look, the result.

The worker looks, as it does for the pages; a program asks again how things stand.
"""

import datetime as dt
import uuid
from typing import Any

from django.utils.translation import gettext as _

from rahdari.address import format_block
from rahdari.applicant import operator_method
from rahdari.applicant.late_evidence import PER_SECONDS, PROOFS, form_of, offer, options_of
from rahdari.applicant.offered_methods import WE_LOOK, offered
from rahdari.applicant.proof_forms import ProofForm
from rahdari.applicant.proofs import TRIES_SHOWN, counts, is_looking, open_method, pending
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.control import attempts, expected_claims, method_words, methods, registry_words
from rahdari.control import queries as challenges
from rahdari.control import rules as proving
from rahdari.control.models import Challenge, Method, Status
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.policy import Policy
from rahdari.policy.sorts import SORTS
from rahdari.programs import answers as programs
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import (
    REFUSED,
    error,
    impossible,
    not_found,
    not_taken,
    of_form,
    plain,
    problem,
    too_many,
)
from rahdari.programs.schema import DAY, MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole

from . import applications, serializers
from .applications import ONE, own
from .interface import API, Call
from .rules import Scope
from .serializers import bare, stamp, stamp_or_none

TAG = "proofs"
PROVE = Scope.ENDPOINTS_PROVE
prove = API.part(TAG, PROVE)
read = API.part(TAG, applications.READ)
write = API.part(TAG, applications.WRITE)
AT = f"{ONE}/endpoints/{{endpoint}}/proof"
METHODS = (Method.LINK, *WE_LOOK, Method.OPERATOR)

# -- how the proof of an address stands ------------------------------------------------------------------------------

METHOD = named(
    "ProofMethod",
    closed(
        {
            "method": choice(*METHODS),
            "title": text(500),
            "gist": text(2000),
            "fits": TRUTH,
            "counts": whole(0, 100),
            "status": or_null(choice(*(str(status) for status in Status))),
        }
    ),
)
PROOF = named(
    "Proof",
    closed(
        {
            "endpoint": text(36),
            "address": text(49),
            "proved": TRUTH,
            "proved_at": or_null(MOMENT),
            "text": text(1000),
            "enough": whole(0, 100),
            "so_far": whole(0, 100),
            "methods": listed(METHOD),
        }
    ),
)
TRY = closed({"at": MOMENT, "place": text(200), "ok": TRUTH, "short": text(300), "text": text(4000)})
CHALLENGE = named(
    "Challenge",
    closed(
        {
            "method": choice(*METHODS),
            "status": choice(*(str(status) for status in Status)),
            "opened_at": MOMENT,
            "expires_at": MOMENT,
            "looking": TRUTH,
            "asked_at": or_null(text(49)),
            "instructions": {"type": "object", "additionalProperties": text(4000)},
            "contacts": listed(closed({"role": text(60), "title": text(200), "address": text(300)})),
            "sent_to": or_null(text(300)),
            "tries": listed(TRY),
            "advice": listed(text(2000)),
        }
    ),
)


def _found(call: Call, reference: str, endpoint: uuid.UUID) -> tuple[Application, Acting, Endpoint]:
    row, by = own(call, reference, Act.PROVE)
    return row, by, apply.endpoint_of(application=row, id=endpoint)


def unproved(call: Call, reference: str, endpoint: uuid.UUID) -> tuple[Application, Acting, Endpoint, Policy]:
    """An address that can still be proved."""
    row, by, found = _found(call, reference, endpoint)
    if row.status not in {"draft", "submitted"}:
        raise impossible("decided", _("It is already decided: no proof of it is needed."))
    if found.is_dynamic:
        raise impossible(
            "changes", _("This address changes: its router proves it by reporting it. See the connection.")
        )
    if challenges.is_proved(found.subject, found.network):
        raise impossible("proved", _("This address is proved already."))
    return row, by, found, apply.frozen_policy(row)


def _latest(endpoint: Endpoint, method: str) -> Challenge | None:
    return challenges.latest_challenge(subject=endpoint.subject, block=endpoint.network, method=method)


def _methods(row: Application, endpoint: Endpoint, policy: Policy, now: dt.datetime) -> list[Json]:
    return [
        {
            "method": str(method.method),
            "title": plain(method_words.title(method.method)),
            "gist": plain(method_words.gist(method.method)),
            "fits": method.fits,
            "counts": method.counts,
            "status": str(method.latest.status) if method.latest is not None else None,
        }
        for method in offered(row, endpoint, policy, now)
    ]


@prove("GET", AT, Ok("The proof.", PROOF))
def get_proof(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """How the proof of an address stands, and which methods there are.

    Methods that fit what runs there have `fits`. The weights (`counts`) of those that succeed must reach `enough`.
    """
    row, _by, found = _found(call, reference, endpoint)
    policy, proof = apply.frozen_policy(row), challenges.proof_of(found.subject, found.network)
    parts = challenges.parts_of(found.subject, found.network)
    return Answer(
        {
            "endpoint": str(found.pk),
            "address": format_block(found.network),
            "proved": proof is not None,
            "proved_at": stamp_or_none(proof.validated_at if proof is not None else None),
            "text": bare(method_words.proved_by(proof)) if proof is not None else "",
            "enough": policy.proof.enough,
            "so_far": proving.comes_to(found.network, parts) if proof is None else policy.proof.enough,
            "methods": [] if proof is not None or found.is_dynamic else _methods(row, found, policy, call.now),
        }
    )


def challenge(row: Challenge, call: Call) -> Json:
    """What to do, and what was found; `instructions` are the values that go on the machine."""
    tries = list(challenges.attempts_of(row).select_related("challenge")[:TRIES_SHOWN])
    looked_at = row.method in methods.LOOKED_AT
    facts = row.facts if row.method == Method.CONTACT else {}
    return {
        "method": row.method,
        "status": row.status,
        "opened_at": stamp(row.opened_at),
        "expires_at": stamp(row.expires_at),
        "looking": is_looking(row, call.now),
        "asked_at": str(expected_claims.address_asked(row)) if looked_at else None,
        "instructions": _instructions(row),
        "contacts": [{**each, "title": plain(registry_words.role(each["role"]))} for each in facts.get("contacts", ())],
        "sent_to": facts.get("to"),
        "tries": [_tried(each) for each in tries],
        "advice": [bare(each) for each in method_words.advice_of(tries[0])] if tries and looked_at else [],
    }


def _instructions(row: Challenge) -> Json:
    if row.status != Status.PENDING:
        return {}
    if row.method == Method.LINK:
        return {"url": challenges.link_url(row)}
    return dict(expected_claims.shown_for(row)) if row.method in methods.LOOKED_AT else {}


def _tried(attempt: Any) -> Json:
    said = method_words.of_look(attempt)
    return {
        "at": stamp(attempt.at),
        "place": attempt.place,
        "ok": said.tone == "ok",
        "short": plain(said.short),
        "text": bare(said.text),
    }


GIVEN = named(
    "Given",
    closed(
        {},
        {
            "at": text(60),
            "peer_key": text(10_000),
            "certificate": text(64 * 1024),
            "transport": choice("udp", "tcp"),
            "port": whole(0, 99_999),
            "server_name": text(253),
            "name": text(253),
            "profile": text(64 * 1024),
            "subscriber": text(200),
        },
    ),
)


@prove(
    "POST",
    f"{AT}/{{method}}",
    Ok("The challenge, with what to put where.", CHALLENGE, 201),
    body=GIVEN,
    problems=REFUSED,
)
def open_proof(call: Call, reference: str, endpoint: uuid.UUID, method: str) -> Answer:
    """Open a method of proof.

    What the method needs goes into the body: `peer_key` and `port` for `wireguard`; `certificate` (or its SHA-256
    fingerprint) for `openvpn`, `ikev2`, `sstp` and `tls`; `name` for `dns`; nothing for `link`, `http` and `tls-alpn`;
    the number of a `subscriber` for `operator`; nothing for `record` and `contact`, by which a registry is asked
    about a whole range; of a range also `at`, the address in it that answers. The
    link is opened from the address itself: with curl or Wget, by a POST of any program, or in a browser, whose button
    is pressed. Opening a method again corrects what was given.
    """
    row, by, found, policy = unproved(call, reference, endpoint)
    if method == Method.OPERATOR:
        return _ask_operator(call, row, by, found, policy)
    if method not in METHODS or not counts(policy, found, method, call.now):
        raise not_found()
    given = None
    if method == Method.CONTACT and (begun := pending(found, method, call.now)) is not None:
        return Answer(challenge(begun, call), 201)
    if method not in {Method.LINK, Method.CONTACT} and ProofForm.is_needed(method, found):
        data = {name: str(value) for name, value in call.body.items()}
        form = ProofForm(data, {}, method=method, endpoint=found)
        if not form.is_valid():
            raise of_form(form)
        given = form.given()
    opened = open_method(found, policy, method, actor=by.actor, now=call.now, given=given)
    return Answer(challenge(opened, call), 201)


def _ask_operator(call: Call, row: Application, by: Acting, found: Endpoint, policy: Policy) -> Answer:
    if operator_method.operator_for(row, found, policy) is None:
        raise not_found()
    if not row.holder_name:
        raise impossible("no_name", _("First answer who applies: we ask the operator about a name."))
    typed = call.body.get("subscriber", "")
    if trouble := operator_method.ask(row, found, policy, typed, actor=by.actor, now=call.now):
        raise not_taken([error("/subscriber", "wrong_form", trouble)])
    asked = _latest(found, Method.OPERATOR)
    if asked is None:
        raise not_found()
    return Answer(challenge(asked, call), 201)


def _begun(call: Call, reference: str, endpoint: uuid.UUID, method: str) -> Challenge:
    _row, _by, found = _found(call, reference, endpoint)
    latest = _latest(found, method) if method in METHODS else None
    if latest is None:
        raise not_found()
    return latest


@prove("GET", f"{AT}/{{method}}", Ok("The challenge, with what was tried and found.", CHALLENGE))
def get_proof_method(call: Call, reference: str, endpoint: uuid.UUID, method: str) -> Answer:
    """Read the state of a method.

    `status` is `valid` when the address is proved. A look takes seconds: ask again while `looking`.
    """
    return Answer(challenge(_begun(call, reference, endpoint, method), call))


@prove(
    "POST",
    f"{AT}/{{method}}/try",
    Ok("We look as soon as we can.", CHALLENGE, 202),
    problems=("not-possible-now", "person-needed"),
)
def try_proof_method(call: Call, reference: str, endpoint: uuid.UUID, method: str) -> Answer:
    """Have us look now.

    For the methods that we probe; for `contact` we ask the registry whom it names. The link is opened
    by you, and an operator answers in its own time.
    """
    latest = _begun(call, reference, endpoint, method)
    if method == Method.LINK:
        words = _("We cannot start this check: open the link from that network yourself, in a browser or with curl.")
        raise problem("person-needed", words, **_instructions(latest))
    if method not in WE_LOOK:
        raise impossible("no_look", _("We cannot start this check: the operator answers in its own time."))
    asked = attempts.ask_for_a_look(challenge=latest, now=call.now)
    return Answer(challenge(asked, call), 202)


# -- one more piece of evidence, after sending ----------------------------------------------------------------------

KIND = closed(
    {
        "kind": text(60),
        "title": text(500),
        "hint": text(2000),
        "wants": choice(*SORTS),
        "names_a_last_day": TRUTH,
    }
)
OFFER = closed(
    {"kind": text(60, 1)}, {"text": text(20_000), "valid_until": DAY, "file": {"type": "string", "format": "binary"}}
)


@read(
    "GET", f"{ONE}/proofs", Ok("The kinds that count now; none where none is awaited.", closed({"items": listed(KIND)}))
)
def list_awaited_proofs(call: Call, reference: str) -> Answer:
    """Which further evidence of employment is needed."""
    found = [
        {
            "kind": method.key,
            "title": plain(method.title),
            "hint": plain(method.hint),
            "wants": method.sort.key,
            "names_a_last_day": method.expires,
        }
        for method in options_of(own(call, reference).row, call.now)
    ]
    return Answer({"items": found})


@write(
    "POST",
    f"{ONE}/proofs",
    Ok("The application; the line carries the proof to its checks.", serializers.APPLICATION, tag=True),
    body=OFFER,
    multipart=True,
    problems=REFUSED,
)
def send_proof(call: Call, reference: str) -> Answer:
    """Send further evidence of employment.

    After the application was sent, or while its registration stands provisionally. One file at a time.
    """
    row, by = own(call, reference)
    method = next((each for each in options_of(row, call.now) if each.key == call.body["kind"]), None)
    if method is None:
        raise impossible("not_awaited", _("No such proof is needed. See which ones are."))
    file = call.files.get("file")
    if method.sort.is_file and file is None:
        raise not_taken([error("/file", "required", _("Choose a file or take a photo"))])
    given = {"text": call.body.get("text", ""), "valid_until": call.body.get("valid_until", "")}
    form: Any = form_of(row, method, given)
    if form is not None and not form.is_valid():
        raise of_form(form)
    data = form.cleaned_data if form is not None else {}
    if seconds := programs.wait_for(f"portal.proof:{call.person.pk}", rate=PROOFS, per=PER_SECONDS):
        raise too_many(seconds)
    offer(row, method, data, [file] if method.sort.is_file and file else [], actor=by.actor, now=call.now)
    return applications.whole(call, row)
