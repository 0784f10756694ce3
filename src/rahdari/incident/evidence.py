"""What stands in a pack of evidence: facts, verdicts, receipts, notices and the timeline, each as plain data, for the
holder of one registration. Of others there is nothing; address, port and number of the registration lie in a part of
their own, which is bound to the first by its hash and a blind.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from rahdari import policy
from rahdari.address import format_block
from rahdari.publish import queries as publish
from rahdari.register.models import Registration

from . import measured, queries, stamping
from .bag import TAG_MANIFEST, bag, zipped
from .models import Incident, Report

STAMP, ROOT = f"{TAG_MANIFEST}.tsr", "time-authority.pem"
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
    evidence = zipped(files, folder=incident.reference, at=now)
    return Made(evidence, address, stamp.at if stamp is not None else None)


def _bag(incident: Incident, payload: Mapping[str, bytes], now: dt.datetime, *, root: bytes | None) -> dict[str, bytes]:
    readmes = {f"README.{code}.txt": _readme(code, incident, is_stamped=root is not None) for code in ("en", "ur")}
    tags = readmes | ({ROOT: root} if root is not None else {})
    return bag(payload, tags=tags, info=_info(incident, now))


def _info(incident: Incident, now: dt.datetime) -> dict[str, str]:
    return {
        "Source-Organization": policy.current(settings.POLICY_FILE).authority.en,
        "External-Identifier": incident.reference,
        "Bagging-Date": now.date().isoformat(),
    }


def _readme(code: str, incident: Incident, *, is_stamped: bool) -> bytes:
    facts = {
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
        "data/receipts.json": _json(_receipts(incident, since, until)),
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


def _receipts(incident: Incident, since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    """What the operator's agents signed of what their network had in force, without the names of its machines."""
    if incident.operator is None:
        return []
    return [
        {
            "session": each.session,
            "sequence": each.sequence,
            "digest": each.digest,
            "applied_at": _time(each.applied_at),
            "received_at": _time(each.received_at),
            "standing": each.standing,
            "places": len(each.targets),
            "places_complete": sum(bool(target.get("ok")) for target in each.targets),
            "signed_by": each.key.key if each.key is not None else None,
            "body_sha256": each.body_sha256,
        }
        for each in publish.receipts_between(incident.operator, since, until)
    ]


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
