"""What is held: registrations and their addresses, their certificate, renewal, change and end."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rahdari import optional
from rahdari.address import Endpoint as AddressEndpoint
from rahdari.address import Part, format_block, vpn
from rahdari.applicant import lines, paper, registrations
from rahdari.applicant.mandates import note_former_agent
from rahdari.applicant.proof_history import Proved, begin, by_address, pending_method, previous_method, proofs_of
from rahdari.applicant.registration_status import CHANGEABLE, awaits_evidence, standing_of
from rahdari.apply import access, renewal, subjects
from rahdari.apply import queries as apply
from rahdari.apply.address_form import RunsForm
from rahdari.apply.models import Endpoint
from rahdari.apply.rules import About
from rahdari.control import attempts
from rahdari.control import queries as challenges
from rahdari.control.models import Method
from rahdari.decide import case_clock, ending, remedies
from rahdari.decide.rules import PAUSES
from rahdari.people.acting import Acting, Reached
from rahdari.people.rules import Act
from rahdari.programs import answers as programs
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, error, impossible, not_found, not_taken, of_form, too_many
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text
from rahdari.programs.schema import whole as number
from rahdari.register import actions as register_actions
from rahdari.register import changes
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import STANDING, Standing

from . import proofs, serializers
from .applications import after_cursor, whole
from .interface import API, PAGE, Call
from .parts import PORTS, RUNS_ASKED, names_in, running
from .rules import Scope
from .serializers import bare, page_of, stamp, stamp_or_none

TAG = "registrations"
READ, WRITE = Scope.REGISTRATIONS_READ, Scope.REGISTRATIONS_WRITE
read = API.part(TAG, READ)
write = API.part(TAG, WRITE)
end = API.part(TAG, Scope.REGISTRATIONS_END)
prove = API.part(TAG, Scope.ENDPOINTS_PROVE)
ONE = "/registrations/{reference}"
ENTRY = named(
    "Entry",
    closed(
        {
            "id": text(36),
            "address": text(49),
            **serializers.RUNNING,
            "stays": choice("static", "dynamic"),
            "connection": or_null(text(36)),
            "valid_from": MOMENT,
            "valid_until": MOMENT,
            "ended_at": or_null(MOMENT),
            "proof": closed({"text": text(1000), "asked_again": choice("no", "open", "shown", "in_vain")}),
        }
    ),
)
IN_SHORT = closed(
    {
        "reference": text(12),
        "service": text(60),
        "holder": text(300),
        "standing": choice("valid", "expired", "paused", "ended", "suspended", "struck_out"),
        "valid_from": MOMENT,
        "valid_until": MOMENT,
        "stays_until": MOMENT,
        "provisional_until": or_null(MOMENT),
    }
)
MOBILE_LINE = closed(
    {
        "operator": text(60),
        "operator_name": text(200),
        "listed_at": or_null(MOMENT),
        "in_force_at": or_null(MOMENT),
        "leaves_at": or_null(MOMENT),
        "leave_reason": text(30),
    }
)
REGISTRATION = named(
    "Registration",
    closed(
        IN_SHORT["properties"]
        | {
            "may_act": TRUTH,
            "renewal_opens_at": MOMENT,
            "renewal": or_null(text(20)),
            "change": or_null(text(20)),
            "entries": listed(ENTRY),
            "connections": listed(closed({"id": text(36), "name": text(20)})),
            "mobile": listed(MOBILE_LINE),
            "published_at": or_null(MOMENT),
            "in_force": closed({"operators": number(0, 10_000), "of": number(0, 10_000)}),
            # Addresses that no operator is to have, so far.
            "unreached": number(0, 100_000),
            # Paused or suspended: when it goes on by itself.
            "suspended_until": or_null(MOMENT),
            # Suspended before its holder is heard: nothing is decided yet.
            "suspended_before_hearing": TRUTH,
            # When the holder last stood by it, and whether we ask if it is still right: nothing follows from silence.
            "still_right": closed({"said_at": MOMENT, "asked_at": or_null(MOMENT)}),
            # To be taken back, as the notice in the file of this application says; nothing is decided yet.
            "proposal": or_null(closed({"application": text(20), "decide_by": or_null(MOMENT)})),
        }
    ),
)


def own(call: Call, reference: str) -> Registration:
    """One that the person sees: their own, or by a role in the organisation or a mandate of it."""
    return held(call, reference, Act.SEE).row


def held(call: Call, reference: str, act: Act = Act.APPLY) -> Reached[Registration]:
    """One with which the person may do this, as its page has it, and as whom."""
    try:
        return registrations.registration_for(call.person, reference, act)
    except registrations.RegistrationNotFound:
        if call.request.method not in {"GET", "HEAD"}:
            note_former_agent(call.person, reference, call.now)
        raise


def valid(
    call: Call, reference: str, act: Act = Act.APPLY, *, standing: Collection[str] = (Standing.VALID,)
) -> Reached[Registration]:
    """A valid one, or one that stands in another of these ways."""
    reached = held(call, reference, act)
    found = reached.row
    if standing_of(found, call.now) not in standing:
        raise changes.NotValid(found, register.standing(found, call.now))
    return reached


def _in_short(found: Registration, holder: str, call: Call) -> Json:
    return {
        "reference": found.reference,
        "service": found.category,
        "holder": holder,
        "standing": standing_of(found, call.now),
        "valid_from": stamp(found.valid_from),
        "valid_until": stamp(found.valid_until),
        "stays_until": stamp(found.stays_until),
        "provisional_until": stamp_or_none(found.provisional_until),
    }


def _entry(row: Entry, parts: Sequence[Part], proof: Proved | None, described: Endpoint | None) -> Json:
    reported = optional.ask("rahdari.applicant", "reported_address_of", row) if row.kind == "dynamic" else None
    # The register knows protocols and ports; what the holder runs there stands in the application.
    runs = described.runs if described is not None and described.parts == tuple(parts) else vpn.service_with(parts)
    return {
        "id": str(row.pk),
        "address": format_block(row.block),
        **serializers.running(runs, parts),
        "stays": "dynamic" if row.kind == "dynamic" else "static",
        "connection": str(reported.host_id) if reported is not None else None,
        "valid_from": stamp(row.valid_from),
        "valid_until": stamp(row.valid_until),
        "ended_at": stamp_or_none(row.ended_at),
        "proof": {
            "text": bare(proof.text) if proof is not None and proof.text is not None else "",
            "asked_again": (proof.state or "no") if proof is not None else "no",
        },
    }


def _mobile(each: Any) -> Json:
    return {
        "operator": each.line.operator,
        "operator_name": each.operator,
        "listed_at": stamp_or_none(each.listed_at),
        "in_force_at": stamp_or_none(each.applied_at),
        "leaves_at": stamp_or_none(each.line.leaves_at),
        "leave_reason": each.line.leave_reason,
    }


def _whole(found: Registration, call: Call) -> Json:
    entries = list(register.own_entries_of(found))
    standing = lines.standing_of(found, entries)
    proved = {each.entry.pk: each for each in proofs_of(entries)}
    shown_ones = register.endpoints_among(row for row in entries if row.kind != "dynamic" or row.ended_at is None)
    described = subjects.endpoints_by_subjects([row.subject for row in shown_ones])
    in_order = sorted(shown_ones.items(), key=lambda each: by_address(each[0]))
    under_way = {about: apply.under_way_for(found, about) for about in (About.RENEWAL, About.CHANGE)}
    mine = {
        about: row
        for about, row in under_way.items()
        if row is not None and access.may(call.person, Act.ADDRESSES, application=row)
    }
    hosts = optional.ask("rahdari.applicant", "hosts_of", found) or ()
    return {
        **_in_short(found, subjects.holder_name_of(found), call),
        "may_act": registrations.may_act_for(call.person, found),
        "renewal_opens_at": stamp(renewal.renewal_opens_at(found, apply.policy_in_force())),
        "renewal": mine[About.RENEWAL].reference if About.RENEWAL in mine else None,
        "change": mine[About.CHANGE].reference if About.CHANGE in mine else None,
        "entries": [_entry(row, parts, proved.get(row.pk), described.get(row.subject)) for row, parts in in_order],
        "connections": [{"id": str(host.pk), "name": host.name} for host in hosts],
        "mobile": [_mobile(each) for each in lines.lines_of(found)],
        "published_at": stamp_or_none(standing.published_at),
        "in_force": {"operators": len(standing.in_force), "of": standing.operators_total},
        "unreached": standing.unreached,
        "suspended_until": stamp_or_none(found.suspended_until),
        "suspended_before_hearing": remedies.is_before_hearing(found),
        "still_right": _still_right(found),
        "proposal": _proposal(found),
    }


def _still_right(found: Registration) -> Json:
    question = register.open_yearly_question_of(found)
    return {
        "said_at": stamp(found.last_word_at),
        "asked_at": stamp(question.asked_at) if question is not None else None,
    }


def _proposal(found: Registration) -> Json | None:
    told = remedies.notice_about(found)
    if told is None:
        return None
    return {
        "application": told.case.application.reference,
        "decide_by": stamp_or_none(case_clock.decided_until(told)),
    }


@read(
    "GET",
    "/registrations",
    Ok("A page, the newest first.", page_of(named("RegistrationInShort", IN_SHORT))),
    query=PAGE,
)
def list_registrations(call: Call) -> Answer:
    """List your registrations, and those of your organisations."""
    rows, following = after_cursor(registrations.seen_by(call.person), call, "created_at")
    holders = subjects.holder_names_of(rows)
    return Answer({"items": [_in_short(each, holders[each.pk], call) for each in rows], "next": following})


@read("GET", ONE, Ok("The registration.", REGISTRATION))
def get_registration(call: Call, reference: str) -> Answer:
    """Read a registration.

    Valid or not, its addresses with their proofs, when it was published and at how many operators it is in
    force.
    """
    return Answer(_whole(own(call, reference), call))


@read("GET", f"{ONE}/certificate", Ok("The certificate for A4, in both languages.", media="application/pdf"))
def get_certificate(call: Call, reference: str) -> Answer:
    """Its certificate."""
    if seconds := programs.wait_for(f"portal.pdf:{call.person.pk}", rate=paper.SHEETS, per=paper.PER_SECONDS):
        raise too_many(seconds)
    sheet = paper.sheet_of(own(call, reference), call.now)
    headers = {"Content-Disposition": f'attachment; filename="{sheet.reference}.pdf"'}
    return Answer(content=paper.render(sheet), media="application/pdf", headers=headers)


# -- changing, renewing, ending --------------------------------------------------------------------------------------

RUNNING = closed(
    {"runs": choice(*RUNS_ASKED)},
    {"protocol": choice("udp", "tcp", "esp", "gre"), "ports": PORTS, "port": number(0, 99_999)},
)


@write(
    "PUT",
    f"{ONE}/entries/{{entry}}",
    Ok("The registration; operators get it within seconds.", REGISTRATION),
    body=RUNNING,
    problems=REFUSED,
)
def change_entry(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """Say what runs at an address now.

    Something else at the same address: its control is proved, so nothing is checked anew. `runs`, `protocol`,
    `ports` and `port` as where an address is added. While it is paused, operators get it when it goes on.
    """
    found, by = valid(call, reference, Act.ADDRESSES, standing=CHANGEABLE)
    row = register.active_entry_of(found, entry)
    if row is None:
        raise not_found()
    form = RunsForm(running(call.body))
    if not form.is_valid():
        raise of_form(form, names_in(call.body))
    asked = AddressEndpoint(row.block, form.cleaned_data["parts"])
    if asked.parts != register.parts_at(row):
        key = f"portal.change_entry:{found.pk}"
        if seconds := programs.wait_for(key, rate=registrations.CHANGES, per=registrations.PER_SECONDS):
            raise too_many(seconds)
        in_the_way = registrations.amend(row, asked, actor=by.actor, now=call.now)
        if in_the_way is not None:
            raise not_taken(
                [
                    error(
                        "/ports" if "ports" in call.body else "/port",
                        "held_by_you",
                        registrations.registered_already(in_the_way),
                    )
                ]
            )
    return Answer(_whole(register.fresh(found), call))


def _again(call: Call, reference: str, about: About) -> Answer:
    act = Act.ADDRESSES if about is About.CHANGE else Act.APPLY
    standing = CHANGEABLE
    if about is About.RENEWAL and awaits_evidence(held(call, reference, act).row, call.now):
        standing = standing | {Standing.SUSPENDED}
    found, by = valid(call, reference, act, standing=standing)
    row = renewal.apply_again(
        registration=found,
        applicant=call.person,
        about=about,
        actor=by.actor,
        now=call.now,
        mandate=by.mandate,
    )
    if not access.may(call.person, act, application=row):
        raise impossible("another", _("Somebody else at your organisation has already begun this."))
    return whole(call, row, 201)


@write(
    "POST",
    f"{ONE}/renew",
    Ok("The application for it: filled in, to be checked and sent.", serializers.APPLICATION, 201, tag=True),
    problems=IMPOSSIBLE,
)
def renew_registration(call: Call, reference: str) -> Answer:
    """Begin its renewal.

    The number stays. There is one at a time: begun twice, it is the same.
    """
    return _again(call, reference, About.RENEWAL)


@write(
    "POST",
    f"{ONE}/change",
    Ok("The application for it: filled in, to be changed and sent.", serializers.APPLICATION, 201, tag=True),
    problems=IMPOSSIBLE,
)
def change_registration(call: Call, reference: str) -> Answer:
    """Begin a change of its addresses.

    Nothing leaves the list meanwhile. There is one at a time: begun twice, it is the same. Who sees no papers may
    begin it too, and say which addresses; somebody who sees them sends it. A paused one is changed as a valid one is.
    """
    return _again(call, reference, About.CHANGE)


@end(
    "POST",
    f"{ONE}/end",
    Ok("The registration, ended at your request.", REGISTRATION),
    body=closed({"end": {"type": "boolean", "const": True}}),
    problems=IMPOSSIBLE,
)
def end_registration(call: Call, reference: str) -> Answer:
    """End it.

    Its addresses leave the list within seconds, and everybody who may see it gets a letter. For 30 days it can go on
    again; one that was paused goes on at once then. The token needs a scope of its own for it.
    """
    found, by = held(call, reference)
    if register.standing(found, call.now) in STANDING:
        ending.end(registration=found, actor=by.actor, now=call.now)
    return Answer(_whole(register.fresh(found), call))


@end(
    "POST",
    f"{ONE}/pause",
    Ok("The registration, on no list until that day.", REGISTRATION),
    body=closed({"days": {"type": "integer", "enum": list(PAUSES)}}),
    problems=IMPOSSIBLE,
)
def pause_registration(call: Call, reference: str) -> Answer:
    """Pause it.

    Its addresses, or its mobile line, leave the list within seconds and stay its own. It goes on by itself after so
    many days.
    """
    found, by = held(call, reference)
    ending.pause(registration=found, days=call.body["days"], actor=by.actor, now=call.now)
    return Answer(_whole(register.fresh(found), call))


@write("POST", f"{ONE}/go-on", Ok("The registration under the same number.", REGISTRATION), problems=IMPOSSIBLE)
def resume_registration(call: Call, reference: str) -> Answer:
    """Let it go on: undo its end, or end its pause.

    Every address comes back that nobody else has got meanwhile; no proof is asked for again.
    """
    found, by = held(call, reference)
    ending.undo_end(registration=found, actor=by.actor, now=call.now)
    return Answer(_whole(register.fresh(found), call))


@write("POST", f"{ONE}/still-right", Ok("The registration, with when you said so.", REGISTRATION))
def say_registration_is_right(call: Call, reference: str) -> Answer:
    """Say that it is still right.

    We ask once a year, where the rules say so; nothing ends when nobody answers. Said twice, or unasked, it changes
    nothing.
    """
    found, by = held(call, reference)
    register_actions.say_right(registration=found, actor=by.actor, now=call.now)
    return Answer(_whole(register.fresh(found), call))


# -- proved again ----------------------------------------------------------------------------------------------------

AGAIN = named(
    "ProofAgain",
    closed(
        {
            "state": choice("no", "open", "shown", "in_vain"),
            "until": or_null(MOMENT),
            "link": or_null(text(500)),
            "challenge": or_null(proofs.CHALLENGE),
        }
    ),
)


def _proved(call: Call, reference: str, entry: uuid.UUID) -> tuple[Entry, Acting, Proved]:
    found, by = valid(call, reference, Act.PROVE, standing={*CHANGEABLE, Standing.SUSPENDED})
    row = register.active_entry_of(found, entry)
    if row is None:
        raise not_found()
    return row, by, proofs_of([row])[0]


def _proof_again(call: Call, mine: Proved) -> Json:
    open_one = mine.under_way
    if open_one is None:
        return {"state": mine.state or "no", "until": None, "link": None, "challenge": None}
    repeated, link = previous_method(open_one), pending_method(open_one, Method.LINK)
    return {
        "state": "open",
        "until": stamp(open_one.opened_at + open_one.between * open_one.windows),
        "link": challenges.link_url(link) if link is not None else None,
        "challenge": proofs.challenge(repeated, call) if repeated is not None else None,
    }


@prove(
    "GET",
    f"{ONE}/entries/{{entry}}/proof",
    Ok("How it stands. Whatever comes of it, nothing is removed.", AGAIN),
    problems=IMPOSSIBLE,
)
def get_proof_again(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """Whether its proof is asked for again."""
    _row, _by, mine = _proved(call, reference, entry)
    return Answer(_proof_again(call, mine))


@prove("POST", f"{ONE}/entries/{{entry}}/proof", Ok("How it stands.", AGAIN, 202), problems=IMPOSSIBLE)
def prove_again(call: Call, reference: str, entry: uuid.UUID) -> Answer:
    """Prove it again, or have us look now.

    Begins it where nobody asked; while it is open, has us look by the way of the first time.
    """
    row, by, mine = _proved(call, reference, entry)
    open_one = mine.under_way
    if open_one is None:
        if mine.proof is None or mine.proof.method == Method.REPORT:
            raise impossible("not_repeated", _("No proof is repeated for this address."))
        begin(row, by.actor, call.now)
    else:
        repeated = previous_method(open_one)
        if repeated is not None:
            attempts.ask_for_a_look(challenge=repeated, now=call.now)
    return Answer(_proof_again(call, proofs_of([row])[0]), 202)
