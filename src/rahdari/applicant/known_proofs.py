"""What is known of the addresses of an application: proofs from before, and of other ports of the same server.

It is taken when addresses come or change, when one of them is proved, and when the application is sent; whoever reads
finds it there. The rooms below know these acts from the settings.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence

from rahdari import optional
from rahdari.address import format_block
from rahdari.apply import queries as applications
from rahdari.apply import subjects
from rahdari.apply.models import Application, Endpoint
from rahdari.apply.rules import About, Status
from rahdari.control import challenges, reported_proofs
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge, Method
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import queries as register

from . import links
from .proofs import counts, open_method

ACTOR = "system:workflow"
# Of so many unproved addresses each has a link of its own from the beginning; more share the link of the application.
FEW = 5
# Holders of one block who are told of a proof by another: a range may hold many addresses.
MOST_TOLD = 50

type Block = ipaddress.IPv4Network | ipaddress.IPv6Network


def take_known_proofs(
    *, application: Application, actor: str, now: dt.datetime, rows: Sequence[Endpoint] | None = None
) -> dict[Endpoint, Challenge | None]:
    """Take what need not be proved again, and open what proves the others: these are given, each with its link as far
    as it has one of its own. Named in `settings.ADDRESSES_CHANGED`. `rows`: its endpoints, of whoever has them."""
    rows = applications.rows_of(application) if rows is None else rows
    _take_from_before(application, rows, actor, now)
    left = _share(rows, actor, now)
    for row in rows:
        if row.is_dynamic:
            facts = {"subject": row.connection, "holder": application.holder_ref, "parts": row.parts}
            optional.ask(__package__, "make_host", **facts, actor=actor, now=now)
    found: dict[Endpoint, Challenge | None] = dict.fromkeys(left)
    if len(left) <= FEW:
        policy = applications.frozen_policy(application)
        for row in left:
            if not row.is_dynamic and counts(policy, row, Method.LINK, now):
                found[row] = open_method(row, policy, Method.LINK, actor=actor, now=now)
    return found


def take_proof(*, subject: str, block: Block, now: dt.datetime) -> None:
    """An address is proved: it counts for the other ports of the server, and holders of the address are told, once the
    application is sent (`tell_holders`). Named in `settings.ON_PROOF`."""
    endpoint = subjects.endpoint_by_subject(subject)
    if endpoint is None:
        return
    if endpoint.application.status in {Status.DRAFT, Status.SUBMITTED}:
        rows = applications.rows_of(endpoint.application)
        if len(rows) > 1:  # and not the proved one alone
            _share(rows, ACTOR, now)
    if endpoint.application.status != Status.DRAFT:
        _tell_holders(endpoint, block, now)


def tell_holders(application: Application, now: dt.datetime) -> None:
    """The application is sent: of what was proved before, holders of the address are told now. A draft tells nobody."""
    rows = [row for row in applications.rows_of(application) if not row.is_dynamic]
    known = proofs.proofs_of([row.subject for row in rows])
    for row in rows:
        if (row.subject, str(row.network)) in known:
            _tell_holders(row, row.network, now)


def _tell_holders(endpoint: Endpoint, block: Block, now: dt.datetime) -> None:
    """Write to whoever has the block, or a part of it, and does not share it: once for each proof. Nothing else
    follows. A proof of what is registered already, shown again, tells nobody."""
    holder = endpoint.application.holder_ref
    if not register.is_in_the_way(block=block, holder=holder):
        return
    for entry in register.in_the_way(block=block, holder=holder)[:MOST_TOLD]:
        for person in people.people_to_notify(entry.holder):
            letters.write_once(
                to=person,
                template="address_proved_by_another",
                about=f"registration:{entry.registration_id}",
                once=f"proved:{endpoint.pk}",
                context={
                    "registration": entry.registration.reference,
                    "address": format_block(ipaddress.ip_network(str(entry.block))),
                    "url": links.of_registration(entry.registration),
                },
                now=now,
            )


def _take_from_before(application: Application, rows: Iterable[Endpoint], actor: str, now: dt.datetime) -> None:
    """Of a change, addresses that were proved before and stay; of a connection whose address changes, that it is being
    reported. A renewal asks for the other proofs anew.
    """
    for row in rows:
        if not row.continues:
            continue
        if row.is_dynamic:
            if optional.ask(__package__, "is_reported", row.continues, now):
                reported_proofs.prove_by_report(subject=row.subject, block=row.network, source=None, now=now)
        elif application.about == About.CHANGE:
            before = proofs.proof_of(row.continues, row.network)
            if before is not None:
                challenges.share_proof(proof=before, subject=row.subject, actor=actor, now=now)


def _share(rows: Iterable[Endpoint], actor: str, now: dt.datetime) -> list[Endpoint]:
    """What was proved for a block counts for its other endpoints: two ports of one server. Gives the unproved ones."""
    rows = list(rows)
    known = proofs.proofs_of([row.subject for row in rows])
    unproved = [row for row in rows if (row.subject, str(row.network)) not in known]
    by_block = {
        row.network: known[row.subject, str(row.network)] for row in rows if not row.is_dynamic and row not in unproved
    }
    left = []
    for row in unproved:
        if row.is_dynamic or row.network not in by_block:
            left.append(row)
        else:
            challenges.share_proof(proof=by_block[row.network], subject=row.subject, actor=actor, now=now)
    return left
