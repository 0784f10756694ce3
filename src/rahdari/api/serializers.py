"""What programs are shown of applications, and how the contract says it. Words come in the reader's language."""

import datetime as dt
from collections.abc import Sequence
from html import unescape

from django.utils.html import strip_tags
from django.utils.translation import get_language

from rahdari.address import Part, format_block, vpn
from rahdari.address.vpn import VPN_SERVICES
from rahdari.applicant.overview import Overview, invoice_of, overview
from rahdari.applicant.stages import Stage
from rahdari.applicant.stops import WHY, stops_of
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Document, Endpoint
from rahdari.apply.rules import goes_with_an_answer
from rahdari.checks import words
from rahdari.checks.kinds import KINDS, whose_turn
from rahdari.checks.models import Check
from rahdari.control import queries as proofs
from rahdari.decide import case_clock
from rahdari.decide import queries as decide
from rahdari.people import identifiers
from rahdari.programs import schema
from rahdari.programs.problems import plain
from rahdari.programs.schema import DAY, ID, MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text


def stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(at: dt.datetime | None) -> str | None:
    return stamp(at) if at is not None else None


def page_of(items: Json) -> Json:
    """A page of a list."""
    return closed({"items": listed(items), "next": or_null(text())})


# -- an application ------------------------------------------------------------------------------------------------

WHOSE = ("applicant", "officer", "operator", "client", "association", "holder", "register")
AWAITED = named(
    "Awaited",
    closed(
        {
            "what": choice("draft", "proof", "check", "decision", "answer", "comment", "hearing", "payment"),
            "from": choice(*WHOSE),
            "until": or_null(MOMENT),
            "text": text(2000),
        }
    ),
)
SUMMARY = named(
    "ApplicationInShort",
    closed(
        {
            "reference": text(20),
            "service": text(60),
            "about": choice("new", "renewal", "change"),
            "status": choice("draft", "submitted", "granted", "refused", "withdrawn", "not_pursued"),
            "stage": choice(*(str(stage) for stage in Stage)),
            "heading": text(300),
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "submitted_at": or_null(MOMENT),
            "registration": or_null(text(12)),
        }
    ),
)
_PROTOCOL = choice("any", "udp", "tcp", "esp", "gre")
_PORT = or_null(schema.whole(1, 65535))
# What runs there, by its key; all protocols and ports of it; and the first of these, as before there were several.
RUNNING: Json = {
    "runs": choice(*VPN_SERVICES, vpn.OTHER),
    "parts": listed(closed({"protocol": _PROTOCOL, "port": _PORT})),
    "protocol": _PROTOCOL,
    "port": _PORT,
}


def running(runs: str, parts: Sequence[Part]) -> Json:
    told = [{"protocol": str(part.protocol), "port": part.port} for part in parts]
    return {"runs": runs, "parts": told, **told[0]}


ENDPOINT = named(
    "Endpoint",
    closed(
        {
            "id": ID,
            "address": text(49),
            **RUNNING,
            "stays": choice("static", "dynamic"),
            "remote": text(49),
            "label": text(200),
            "branch": or_null(text(300)),
            "subscriber_given": TRUTH,
            "network": or_null(closed({"asn": schema.whole(0, 2**32), "operator": text(200)})),
            "proved": TRUTH,
        }
    ),
)
DOCUMENT = named(
    "Document",
    closed(
        {
            "id": ID,
            "rule": text(60),
            "name": text(300),
            "media_type": text(60),
            "size": schema.whole(0, 2**31),
            "uploaded_at": MOMENT,
            "valid_until": or_null(DAY),
            "seen_with": or_null(text(20)),
        }
    ),
)
ANSWERS = named(
    "Answers",
    closed(
        {
            "person": closed({"name": text(200), "card_number": text(40)}),
            "company": closed({"name": text(200), "company_number": text(20), "tax_number": text(40)}),
            "contact": closed({"name": text(200), "mobile": text(40)}),
            "purpose": closed({"purpose": text(20_000)}),
            "evidence": closed(
                {"kind": text(60), "text": text(20_000), "association": text(60), "association_number": text(60)}
            ),
        }
    ),
)
CHECK = named(
    "Check",
    closed(
        {
            "kind": text(20),
            "target": text(200),
            "title": text(300),
            "outcome": choice("waiting", "passed", "failed"),
            "required": TRUTH,
            "text": text(2000),
        }
    ),
)
APPLICATION: Json = named(
    "Application",
    closed(
        SUMMARY["properties"]
        | {
            "lead": text(1000),
            "version": schema.whole(1, 2**31),
            "stops": listed(
                closed({"why": choice(*WHY), "since": MOMENT, "until": or_null(MOMENT), "text": text(500)})
            ),
            "awaited": listed(AWAITED),
            "missing": listed(text(20)),
            "answers": or_null(ANSWERS),
            "endpoints": listed(ENDPOINT),
            "documents": listed(DOCUMENT),
            "checks": listed(CHECK),
        }
    ),
)


def tag_of(application: Application) -> str:
    """Changes with every change of the draft, and with its status."""
    return f"{application.version}-{application.status}"


def summary(seen: Overview) -> Json:
    application = seen.application
    registration = seen.registration or application.registration
    return {
        "reference": application.reference,
        "service": application.service,
        "about": application.about,
        "status": application.status,
        "stage": str(seen.stage),
        "heading": seen.text.heading,
        "created_at": stamp(application.created_at),
        "updated_at": stamp(application.updated_at),
        "submitted_at": stamp_or_none(application.submitted_at),
        "registration": registration.reference if registration is not None else None,
    }


def application(row: Application, now: dt.datetime, *, papers: bool = True) -> Json:
    """Without papers: its addresses, and what they wait for."""
    seen = overview(row, now=now)
    policy = apply.policy_in_force()
    is_open = row.status == "draft" and row.service in policy.services
    return {
        **summary(seen),
        "lead": seen.text.lead,
        "version": row.version,
        "awaited": [each for each in awaited(row, seen, now) if papers or each["what"] in {"draft", "proof"}],
        "stops": [
            {"why": each.why, "since": stamp(each.since), "until": stamp_or_none(each.until), "text": plain(each.text)}
            for each in (stops_of(seen.case, now) if papers else [])
        ],
        "missing": [str(step) for step in apply.missing_steps(row, policy)] if is_open and papers else [],
        "answers": answers(row) if papers else None,
        "endpoints": [endpoint(each) for each in apply.rows_of(row)],
        "documents": [document(each) for each in apply.documents_of(row)] if papers else [],
        "checks": [check(each) for each in seen.checks] if papers else [],
    }


def answers(row: Application) -> Json:
    """As the person's own pages show them: no number of a card whole."""
    return {
        "person": {"name": row.name, "card_number": identifiers.mask_cnic(row.cnic) if row.cnic else ""},
        "company": {
            "name": row.company_name,
            "company_number": row.company_number,
            "tax_number": row.ntn and identifiers.mask_ntn(row.ntn),
        },
        "contact": {"name": row.contact_name, "mobile": row.contact_mobile},
        "purpose": {"purpose": row.purpose},
        "evidence": {
            "kind": row.evidence_kind,
            "text": row.evidence_text,
            "association": row.association,
            "association_number": row.association_number,
        },
    }


def endpoint(row: Endpoint) -> Json:
    return {
        "id": str(row.pk),
        "address": format_block(row.network),
        **running(row.runs, row.parts),
        "stays": row.kind,
        "remote": row.remote,
        "label": row.label,
        "branch": row.branch.name if row.branch is not None else None,
        "subscriber_given": row.has_subscriber,
        "network": {"asn": row.asn, "operator": row.operator_name} if row.asn is not None else None,
        "proved": proofs.is_proved(row.subject, row.network),
    }


def document(row: Document) -> Json:
    return {
        "id": str(row.pk),
        "rule": "answer" if goes_with_an_answer(row.rule) else row.rule,
        "name": row.name,
        "media_type": row.media_type,
        "size": row.size,
        "uploaded_at": stamp(row.uploaded_at),
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        # A note, and no file: the paper was seen with that application, and counts again.
        "seen_with": row.seen_with or None,
    }


def check(row: Check) -> Json:
    return {
        "kind": row.kind,
        "target": "" if row.kind == "control" else row.target,
        "title": plain(words.title_of(row, get_language() or "en")),
        "outcome": str(row.outcome),
        "required": row.required,
        "text": bare(words.of_check(row)),
    }


def bare(html: object) -> str:
    """A sentence of the pages without their marks."""
    return plain(" ".join(unescape(strip_tags(str(html))).split()))


# -- what is awaited -----------------------------------------------------------------------------------------------


def awaited(row: Application, seen: Overview, now: dt.datetime) -> list[Json]:
    """What is awaited, from whom, until when; what the applicant has to do first."""
    lead, until = seen.text.lead, stamp_or_none(seen.clock.due_at if seen.clock is not None else None)

    def item(what: str, whose: str, end: str | None, words: str) -> Json:
        return {"what": what, "from": whose, "until": end, "text": plain(words)}

    found: list[Json] = []
    match seen.stage:
        case Stage.DRAFT:
            found.append(item("draft", "applicant", stamp(apply.kept_until(row, apply.policy_in_force())), lead))
        case Stage.QUESTION if seen.case is not None:
            asked = decide.open_question(seen.case)
            if asked is not None:
                found.append(item("answer", "applicant", stamp_or_none(case_clock.answer_until(asked)), lead))
        case Stage.NOTICE if seen.case is not None:
            told = decide.open_notice(seen.case)
            if told is not None:
                found.append(item("comment", "applicant", stamp_or_none(case_clock.answer_until(told)), lead))
        case Stage.HEARING:
            day = seen.hearing.starts_at if seen.hearing is not None else None
            found.append(item("hearing", "applicant" if day else "officer", stamp_or_none(day), lead))
        case Stage.PROOF | Stage.REPRESENT | Stage.FEE | Stage.CHECKING | Stage.REVIEW | Stage.SECOND:
            for each, put, _operator in seen.to_prove:
                whose, end = ("operator", stamp(put.due_at)) if put else ("applicant", None)
                found.append(item("proof", whose, end, each.endpoint.address_text))
            found += [
                item(
                    "check",
                    str(whose_turn(each)),
                    # Nobody decides before whoever was asked has answered, so our own time is none of theirs.
                    stamp_or_none(seen.answer_due(each)) or ("" if seen.waits_for_others else until) or None,
                    bare(check(each)["text"]),
                )
                for each in seen.checks
                if each.outcome == "waiting" and not KINDS[each.kind].stands_apart
            ]
            if seen.stage in {Stage.REVIEW, Stage.SECOND}:
                found.append(item("decision", "officer", until, lead))
    invoice = invoice_of(row) if row.status == "submitted" else None
    if invoice is not None and invoice.paid_at is None:
        found.insert(0, item("payment", "applicant", stamp(invoice.due_at), invoice.number))
    return found
