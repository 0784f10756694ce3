"""A registered connection is cut: reported by the holder's program or agent, and followed until it is over."""

import uuid

from rahdari.address import format_block
from rahdari.incident import actions, packs, queries
from rahdari.incident.forms import WordsForm
from rahdari.incident.models import Incident, Pack, Report
from rahdari.incident.rules import Channel, OwnSide, Proof, Reason, Sees, State
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.programs import answers as programs
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, not_found, of_form, too_many
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.web.fields import WORDS

from .interface import API, Call
from .registrations import ONE, READ, held
from .rules import Scope
from .serializers import stamp, stamp_or_none

TAG = "incidents"
read = API.part(TAG, READ)
write = API.part(TAG, Scope.REGISTRATIONS_WRITE)
CUT = named(
    "CutConnection",
    closed(
        {
            "address": text(49),
            "channel": choice(*Channel),
            "reported_at": MOMENT,
            "began_at": MOMENT,
            "works_at": or_null(MOMENT),
        }
    ),
)
HAPPENED = closed({"at": MOMENT, "act": text(20), "by": text(10), "code": text(20), "words": text(20_000)})
INCIDENT = named(
    "Incident",
    closed(
        {
            "number": text(20),
            "state": choice(*State),
            "operator": or_null(text(200)),
            "began_at": MOMENT,
            "back_at": or_null(MOMENT),
            "ended_at": or_null(MOMENT),
            "answer_until": MOMENT,
            "mend_until": MOMENT,
            "measured": text(40),
            "rule": text(60),
            "reason": or_null(choice(*Reason)),
            "proof": or_null(choice(*Proof)),
            "muted_until": or_null(MOMENT),
            "merged_into": or_null(text(20)),
            "connections": listed(CUT),
            "happened": listed(HAPPENED),
        }
    ),
)
FOUND = Ok("The incident.", INCIDENT)
SAID = closed({"words": text(WORDS)})


def _as_json(incident: Incident, reports: list[Report]) -> Json:
    return {
        "number": incident.reference,
        "state": incident.state,
        "operator": incident.operator.name if incident.operator is not None else None,
        "began_at": stamp(incident.began_at),
        "back_at": stamp_or_none(incident.back_at),
        "ended_at": stamp_or_none(incident.ended_at),
        "answer_until": stamp(incident.answer_due_at),
        "mend_until": stamp(incident.mend_due_at),
        "measured": incident.measured,
        "rule": incident.rule,
        "reason": incident.reason or None,
        "proof": incident.proof or None,
        "muted_until": stamp_or_none(incident.muted_until),
        "merged_into": incident.merged_into.reference if incident.merged_into is not None else None,
        "connections": [
            {
                "address": format_block(each.block) if each.block is not None else "",
                "channel": each.channel,
                "reported_at": stamp(each.reported_at),
                "began_at": stamp(each.began_at),
                "works_at": stamp_or_none(each.works_at),
            }
            for each in reports
            if each.withdrawn_at is None
        ],
        "happened": [
            {"at": stamp(each.at), "act": each.act, "by": each.by, "code": each.code, "words": each.words}
            for each in queries.said_to(incident, reports)
        ],
    }


def _of(found: Registration, number: str) -> Json:
    return _as_json(*queries.incident_for_holder(registration=found, reference=number))


@read("GET", f"{ONE}/incidents", Ok("Them, the newest first.", closed({"items": listed(INCIDENT)})))
def list_incidents(call: Call, reference: str) -> Answer:
    """List the disruptions of its connections."""
    found = held(call, reference, Act.SEE).row
    return Answer({"items": [_of(found, each.reference) for each in queries.incidents_of(found)]})


@read("GET", f"{ONE}/incidents/{{number}}", FOUND)
def get_incident(call: Call, reference: str, number: str) -> Answer:
    """Read one: what whoever mends it says, until when it has to, and what was measured.

    Only what is yours: others who are cut for the same cause are neither named nor shown.
    """
    return Answer(_of(held(call, reference, Act.SEE).row, number))


@write(
    "POST",
    f"{ONE}/entries/{{entry}}/cut",
    FOUND,
    body=closed(
        {"sees": choice(*Sees)}, {"own_side": choice(*OwnSide), "words": text(WORDS), "from_agent": {"type": "boolean"}}
    ),
    problems=REFUSED,
)
def report_cut(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """Report that a connection is cut.

    Its operator is asked; during work that it announced, when that is over. `own_side`: whether everything is on at
    your end. Say `from_agent` where no person but your own agent found it. A connection of which a report is open is
    reported once; what you say then is added.
    """
    found, by = held(call, reference, Act.SEE)
    row = register.active_entry_of(found, entry)
    if row is None:
        raise not_found()
    key = f"incident.report:{found.holder}"
    if seconds := programs.wait_for(key, rate=actions.MOST_AN_HOUR, per=3600):
        raise too_many(seconds)
    made = actions.report(
        registration=found,
        entry=row,
        channel=Channel.AGENT if call.body.get("from_agent") else Channel.API,
        sees=call.body["sees"],
        own_side=call.body.get("own_side", ""),
        words=call.body.get("words", ""),
        actor=by.actor,
        now=call.now,
    )
    return Answer(_of(found, made.incident.reference))


def _standing(call: Call, reference: str, number: str) -> tuple[Registration, list[Report], Acting]:
    found, by = held(call, reference, Act.SEE)
    _incident, reports = queries.incident_for_holder(registration=found, reference=number)
    return found, [each for each in reports if each.withdrawn_at is None] or reports[:1], by


def _words(call: Call) -> str:
    form = WordsForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    return str(form.cleaned_data["words"])


@write("POST", f"{ONE}/incidents/{{number}}/words", FOUND, body=SAID, problems=REFUSED)
def add_to_incident(call: Call, reference: str, number: str) -> Answer:
    """Say something more, to whoever mends it and to the authority."""
    found, reports, by = _standing(call, reference, number)
    actions.add(report=reports[0], words=_words(call), actor=by.actor, now=call.now)
    return Answer(_of(found, number))


@write("POST", f"{ONE}/incidents/{{number}}/works", FOUND, problems=IMPOSSIBLE)
def say_it_works(call: Call, reference: str, number: str) -> Answer:
    """Say that it works again, of all your connections in it."""
    found, reports, by = _standing(call, reference, number)
    for each in reports:
        actions.say_it_works(report=each, actor=by.actor, now=call.now)
    return Answer(_of(found, number))


@write("POST", f"{ONE}/incidents/{{number}}/withdrawal", FOUND, problems=IMPOSSIBLE)
def withdraw_report(call: Call, reference: str, number: str) -> Answer:
    """Take your report back: it was not cut."""
    found, reports, by = _standing(call, reference, number)
    for each in reports:
        actions.withdraw(report=each, actor=by.actor, now=call.now)
    return Answer(_of(found, number))


PACK = named("EvidencePack", closed({"made_at": or_null(MOMENT), "stamped_at": or_null(MOMENT), "sha256": text(64)}))


def _pack(found: Registration, incident: Incident) -> Pack:
    pack = queries.pack_of(incident, found)
    if pack is None:
        raise not_found()
    return pack


@write("POST", f"{ONE}/incidents/{{number}}/pack", Ok("It is being put together.", PACK, 202))
def ask_for_pack(call: Call, reference: str, number: str) -> Answer:
    """Have the evidence put together, as it is now.

    When an incident ends that happens by itself. Ask again a minute later: `made_at` says that it is there.
    """
    found = held(call, reference, Act.SEE).row
    incident, _reports = queries.incident_for_holder(registration=found, reference=number)
    return Answer(_pack_json(packs.ask(incident=incident, registration=found, now=call.now)), 202)


def _pack_json(pack: Pack) -> Json:
    return {
        "made_at": stamp_or_none(pack.made_at),
        "stamped_at": stamp_or_none(pack.stamped_at),
        "sha256": pack.sha256,
    }


@read("GET", f"{ONE}/incidents/{{number}}/pack", Ok("The last one.", PACK))
def get_pack(call: Call, reference: str, number: str) -> Answer:
    """Whether the evidence is there, and since when."""
    found = held(call, reference, Act.SEE).row
    incident, _reports = queries.incident_for_holder(registration=found, reference=number)
    return Answer(_pack_json(_pack(found, incident)))


def _file(call: Call, reference: str, number: str, part: str) -> Answer:
    found = held(call, reference, Act.SEE).row
    incident, _reports = queries.incident_for_holder(registration=found, reference=number)
    pack = _pack(found, incident)
    if pack.made_at is None:
        raise not_found()
    headers = {"Content-Disposition": f'attachment; filename="{packs.name_of(pack, part)}"'}
    return Answer(content=packs.content_of(pack, part), media="application/zip", headers=headers)


@read("GET", f"{ONE}/incidents/{{number}}/evidence", Ok("The evidence.", media="application/zip"))
def get_evidence(call: Call, reference: str, number: str) -> Answer:
    """Download the evidence: a bag that `sha256sum` and `openssl ts` check without us.

    It names neither your address nor your registration.
    """
    return _file(call, reference, number, "evidence")


@read("GET", f"{ONE}/incidents/{{number}}/evidence/address", Ok("The part apart.", media="application/zip"))
def get_evidence_address(call: Call, reference: str, number: str) -> Answer:
    """Download address and port, which lie in a part of their own.

    The evidence holds its hash. Give it to whom you choose.
    """
    return _file(call, reference, number, "address")


@write("POST", f"{ONE}/incidents/{{number}}/dispute", FOUND, body=SAID, problems=REFUSED)
def dispute_incident(call: Call, reference: str, number: str) -> Answer:
    """Dispute what the operator says, or open a closed one again.

    While the operator says that it is over, it goes back to it; one that is closed is opened again, within the time for
    that.
    """
    found, reports, by = _standing(call, reference, number)
    act = actions.open_again if reports[0].incident.ended_at is not None else actions.dispute
    act(report=reports[0], words=_words(call), actor=by.actor, now=call.now)
    return Answer(_of(found, number))
