"""Mandates: what an organisation lets agents do in its name, and what an agent holds. The agent's registrations and
applications are reached as everything else is, and what is done so is named as the agent's.
"""

import datetime as dt
import uuid

from django.utils.translation import gettext as _

from rahdari.applicant.mandates import MandateForm, done_for, mandate_view, offer
from rahdari.people import mandates as people_mandates
from rahdari.people import queries
from rahdari.people.models import Mandate
from rahdari.people.rules import Act
from rahdari.people.rules import Scope as MandateScope
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, impossible, not_found, of_form, plain
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text

from .interface import API, Call
from .organisations import ONE, READ, within
from .rules import Scope
from .serializers import stamp, stamp_or_none

read = API.part("mandates", READ)
manage = API.part("mandates", Scope.MANDATES_MANAGE)
SCOPES = tuple(str(scope) for scope in MandateScope)
MANDATE = named(
    "Mandate",
    closed(
        {
            "id": text(36),
            "organisation": text(36),
            "organisation_name": text(200),
            "agent_name": text(200),
            "scope": choice(*SCOPES),
            "services": listed(text(60)),
            "state": choice("offered", "in_force", "ended", "over"),
            "given_at": MOMENT,
            "accepted_at": or_null(MOMENT),
            "valid_until": MOMENT,
        }
    ),
)
DONE = named("DoneByAgent", closed({"at": MOMENT, "agent": text(200), "text": text(500), "about": text(20)}))


def _mandate(row: Mandate, now: dt.datetime) -> Json:
    return {
        "id": str(row.pk),
        "organisation": str(row.organisation_id),
        "organisation_name": row.organisation.name,
        "agent_name": row.agent_name,
        "scope": row.scope,
        "services": row.services.split(),
        "state": mandate_view(row, now).state,
        "given_at": stamp(row.given_at),
        "accepted_at": stamp_or_none(row.accepted_at),
        "valid_until": stamp(row.valid_until),
    }


# -- of an organisation: its owners give them and take them back -------------------------------------------------------


@read(
    "GET",
    f"{ONE}/mandates",
    Ok(
        "All of them, the newest first, and what agents did by them.",
        closed({"items": listed(MANDATE), "done": listed(DONE)}),
    ),
)
def list_mandates(call: Call, organisation: uuid.UUID) -> Answer:
    """List the mandates that an organisation gave.

    For owners.
    """
    found = within(call, organisation, Act.MEMBERS)
    done = [
        {"at": stamp(each.at), "agent": each.agent, "text": plain(each.words), "about": each.about}
        for each in done_for(found)
    ]
    items = [_mandate(each, call.now) for each in queries.mandates_of(found).select_related("organisation")]
    return Answer({"items": items, "done": done})


@manage(
    "POST",
    f"{ONE}/mandates",
    Ok("The offer. It holds once whoever has the address accepts it.", MANDATE, 201),
    body=closed(
        {
            "agent_name": text(300),
            "email": text(300),
            "scope": choice(*SCOPES),
            "months": {"type": "integer", "minimum": 3, "maximum": 24},
        },
        {"services": listed(text(60), 50)},
    ),
    problems=("not-taken",),
)
def give_mandate(call: Call, organisation: uuid.UUID) -> Answer:
    """Offer a mandate.

    For owners. `months` is 3, 12 or 24. Without `services` it is for all of them. A letter goes to the address.
    """
    found = within(call, organisation, Act.MEMBERS)
    data = {**call.body, "months": str(call.body["months"]), "services": call.body.get("services", [])}
    form = MandateForm(data, giver=call.person, organisation=found)
    if not form.is_valid():
        raise of_form(form)
    return Answer(_mandate(offer(form, actor=call.own_actor, now=call.now), call.now), 201)


@manage("DELETE", f"{ONE}/mandates/{{mandate}}", Ok("From now on nothing is done by it.", status=204))
def revoke_mandate(call: Call, organisation: uuid.UUID, mandate: uuid.UUID) -> Answer:
    """Take a mandate back.

    For owners. Also an offer that nobody accepted.
    """
    found = within(call, organisation, Act.MEMBERS)
    row = queries.mandates_of(found).filter(pk=mandate).first()
    if row is None:
        raise not_found()
    people_mandates.end_mandate(mandate=row, actor=call.own_actor, now=call.now)
    return Answer(status=204)


# -- of an agent -------------------------------------------------------------------------------------------------------


@read(
    "GET",
    "/mandates",
    Ok("What can be accepted, and what is in force.", closed({"offered": listed(MANDATE), "held": listed(MANDATE)})),
)
def list_mandates_held(call: Call) -> Answer:
    """List the mandates that you hold, and those offered to you.

    By one in force, applications and registrations of the organisation are reached as your own are: by the same
    operations, and within its scope. `POST /applications` with `mandate` begins one in its name.
    """
    offered = queries.mandates_offered_to(call.person, call.now)
    held = queries.mandates_in_force(call.person, Act.SEE)
    return Answer(
        {
            "offered": [_mandate(each, call.now) for each in offered],
            "held": [_mandate(each, call.now) for each in held],
        }
    )


@manage("POST", "/mandates/{mandate}/accept", Ok("It is in force.", MANDATE), problems=IMPOSSIBLE)
def accept_mandate(call: Call, mandate: uuid.UUID) -> Answer:
    """Accept a mandate.

    One that was offered to the address that you sign in with. Accepted twice it is accepted once.
    """
    row = _offered_or_held(call, mandate)
    try:
        row = people_mandates.accept_mandate(user=call.person, mandate=row, actor=call.own_actor, now=call.now)
    except people_mandates.MandateNotOffered:
        raise impossible("not_offered", _("This is not offered any more.")) from None
    return Answer(_mandate(row, call.now))


@manage("DELETE", "/mandates/{mandate}", Ok("From now on nothing is done by it.", status=204))
def give_up_mandate(call: Call, mandate: uuid.UUID) -> Answer:
    """Decline a mandate, or give it up."""
    people_mandates.end_mandate(mandate=_offered_or_held(call, mandate), actor=call.own_actor, now=call.now)
    return Answer(status=204)


def _offered_or_held(call: Call, id: uuid.UUID) -> Mandate:
    for pool in (queries.mandates_offered_to(call.person, call.now), queries.mandates_in_force(call.person, Act.SEE)):
        if (found := pool.filter(pk=id).first()) is not None:
            return found
    raise not_found()
