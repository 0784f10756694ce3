"""What stands in a pack of evidence: facts, verdicts, receipts, notices and the timeline, each as plain data, for the
holder of one registration. Of others there is nothing; address, port and number of the registration lie in a part of
their own, which is bound to the first by its hash and a blind. Who said what can be checked: a receipt is signed by the
operator's agent, and the whole by this register.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from rahdari import policy
from rahdari.address import format_block
from rahdari.publish import queries as publish
from rahdari.publish.models import Receipt
from rahdari.publish.receipts import signed_again
from rahdari.register.models import Registration
from rahdari.vault import statements

from . import measured, queries, stamping
from .bag import TAG_MANIFEST, bag, zipped
from .models import Incident, Report

STAMP, ROOT = f"{TAG_MANIFEST}.tsr", "time-authority.pem"
SIGNATURE, KEY = f"{TAG_MANIFEST}.sig", "register-key.pem"
# What the register's signature is for: the key is derived from these words.
PURPOSE = "incident.pack"
RECEIPTS = "data/receipts"
# A while before it was cut, so that it is seen to have worked.
BEFORE = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Made:
    """Both files of a pack; `stamped_at` is None where there is no foreign time."""

    evidence: bytes
    address: bytes
    stamped_at: dt.datetime | None


def make(incident: Incident, registration: Registration, now: dt.datetime) -> Made:
    """Gather it and have it stamped. Not in a transaction: an authority is asked."""
    reports = list(queries.reports_of(registration).filter(incident=incident).order_by("reported_at", "id"))
    address = _address_part(incident, registration, reports, now)
    name = f"{incident.reference}-address.zip"
    payload = _payload(incident, reports, now) | {
        "data/address-part.json": _json({"file": name, "sha256": hashlib.sha256(address).hexdigest()})
    }
    files = _bag(incident, payload, now, root=stamping.root())
    stamp = stamping.stamp(files[TAG_MANIFEST]) if ROOT in files else None
    if stamp is not None:
        # Beside the tag manifest, whose time it tells; no manifest can hold it.
        files |= {STAMP: stamp.answer}
    elif ROOT in files:
        files = _bag(incident, payload, now, root=None)
    files |= {SIGNATURE: statements.sign(PURPOSE, files[TAG_MANIFEST])}
    evidence = zipped(files, folder=incident.reference, at=now)
    return Made(evidence, address, stamp.at if stamp is not None else None)


def _bag(incident: Incident, payload: Mapping[str, bytes], now: dt.datetime, *, root: bytes | None) -> dict[str, bytes]:
    signed = sorted(name.removesuffix(".sig") for name in payload if name.endswith(".sig"))
    readmes = {f"README.{code}.txt": _readme(code, incident, signed, root is not None) for code in ("en", "ur")}
    tags = readmes | {KEY: statements.public_keys(PURPOSE)[0]} | ({ROOT: root} if root is not None else {})
    return bag(payload, tags=tags, info=_info(incident, now))


def _info(incident: Incident, now: dt.datetime) -> dict[str, str]:
    return {
        "Source-Organization": policy.current(settings.POLICY_FILE).authority.en,
        "External-Identifier": incident.reference,
        "Bagging-Date": now.date().isoformat(),
    }


def _readme(code: str, incident: Incident, signed: Sequence[str], is_stamped: bool) -> bytes:
    facts = {
        "signature": SIGNATURE,
        "key": KEY,
        "key_url": settings.SITE_URL.rstrip("/") + reverse("portal:evidence_key"),
        "receipt": signed[-1] if signed else "",
        "reference": incident.reference,
        "is_stamped": is_stamped,
        "stamp": STAMP,
        "manifest": TAG_MANIFEST,
        "root": ROOT,
        "address": f"{incident.reference}-address.zip",
    }
    return render_to_string(f"incident/pack/README.{code}.txt", facts).lstrip().encode()


def _address_part(incident: Incident, registration: Registration, reports: Sequence[Report], now: dt.datetime) -> bytes:
    """With a blind, so that nobody finds an address by trying which one has the hash that the first part names."""
    told = {
        "incident": incident.reference,
        "registration": registration.reference,
        "blind": secrets.token_hex(32),
        "connections": [
            {"connection": place, "address": format_block(each.block) if each.block else "", "runs": each.runs}
            for place, each in enumerate(reports, 1)
        ],
    }
    files = bag({"data/connections.json": _json(told)}, tags={}, info=_info(incident, now))
    return zipped(files, folder=f"{incident.reference}-address", at=now)


def _payload(incident: Incident, reports: Sequence[Report], now: dt.datetime) -> dict[str, bytes]:
    since, until = incident.began_at - BEFORE, incident.ended_at or now
    return {
        "data/incident.json": _json(_incident(incident)),
        "data/connections.json": _json([_connection(place, each) for place, each in enumerate(reports, 1)]),
        "data/measured.json": _json(
            [
                {"connection": place, "seen": measured.facts_of(each.subject, since, until)}
                for place, each in enumerate(reports, 1)
            ]
        ),
        **_receipts(incident, since, until),
        "data/notices.json": _json(_notices(incident)),
        "data/timeline.json": _json(
            [
                {"at": _time(each.at), "act": each.act, "by": each.by, "code": each.code, "words": each.words}
                for each in queries.said_to(incident, reports)
            ]
        ),
    }


def _incident(incident: Incident) -> dict[str, Any]:
    operator = incident.operator
    return {
        "incident": incident.reference,
        "state": incident.state,
        "operator": operator.name_en if operator is not None else None,
        "networks": [f"AS{asn}" for asn in operator.asns] if operator is not None else [],
        "began_at": _time(incident.began_at),
        "opened_at": _time(incident.opened_at),
        "answer_due_at": _time(incident.answer_due_at),
        "mend_due_at": _time(incident.mend_due_at),
        "answered_at": _time(incident.answered_at),
        "back_at": _time(incident.back_at),
        "ended_at": _time(incident.ended_at),
        "verdict": incident.measured or None,
        "rule": incident.rule or None,
        "reason": incident.reason or None,
        "proof": incident.proof or None,
        "disputes": incident.disputes,
        "late": {
            "answer": _time(incident.late_answer_at),
            "mend": _time(incident.late_mend_at),
            "report": _time(incident.late_report_at),
            "said_to_be_mended_and_was_not": _time(incident.unproved_at),
        },
    }


def _connection(place: int, report: Report) -> dict[str, Any]:
    return {
        "connection": place,
        "channel": report.channel,
        "sees": report.sees or None,
        "own_side": report.own_side or None,
        "began_at": _time(report.began_at),
        "reported_at": _time(report.reported_at),
        "works_at": _time(report.works_at),
        "withdrawn_at": _time(report.withdrawn_at),
    }


def _receipts(incident: Incident, since: dt.datetime, until: dt.datetime) -> dict[str, bytes]:
    """What the operator's agents said of what their network had in force, and, beside it, what they signed: the bytes,
    the signature and the public key, as `openssl pkeyutl` takes them."""
    found = publish.receipts_between(incident.operator, since, until) if incident.operator is not None else []
    told, files = [], dict[str, bytes]()
    for place, each in enumerate(found, 1):
        name, again = f"{RECEIPTS}/{place:03}", signed_again(each)
        told.append(_receipt(each, name if again is not None else None))
        if again is not None:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(again.key))
            signature = bytes.fromhex(again.signature)
            files |= {name: again.signed, f"{name}.sig": signature, f"{name}.pem": statements.pem(key)}
    return {f"{RECEIPTS}.json": _json(told), **files}


def _receipt(receipt: Receipt, signed: str | None) -> dict[str, Any]:
    return {
        "session": receipt.session,
        "sequence": receipt.sequence,
        "digest": receipt.digest,
        "applied_at": _time(receipt.applied_at),
        "received_at": _time(receipt.received_at),
        "standing": receipt.standing,
        "places": len(receipt.targets),
        "places_complete": sum(bool(target.get("ok")) for target in receipt.targets),
        "signed_by": receipt.key.key if receipt.key is not None else None,
        "signed": signed,
    }


def _notices(incident: Incident) -> list[dict[str, Any]]:
    """Announced work that covered it."""
    if not incident.work:
        return []
    return [
        {"work": incident.work, "muted_until": _time(incident.muted_until), "overran_at": _time(incident.overran_at)}
    ]


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _time(at: dt.datetime | None) -> str | None:
    return None if at is None else at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
