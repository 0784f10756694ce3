"""Consent to be measured, and what was seen: for the holder's page and for programs."""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from rahdari.address import Address
from rahdari.apply import queries as apply
from rahdari.control import expected_claims
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.errors import RahdariError
from rahdari.people.acting import Acting
from rahdari.policy import Measuring
from rahdari.probe import Claim
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.watch import consents, queries
from rahdari.watch.models import Consent
from rahdari.watch.queries import Span
from rahdari.watch.verdicts import State

from .proof_history import about

# By which a server is proved as it is used. The others look at something beside it, or at nothing that stays.
METHODS = frozenset({Method.TLS, Method.SSTP, Method.OPENVPN, Method.WIREGUARD, Method.IKEV2})
SHOWN = dt.timedelta(hours=48)
HOUR = dt.timedelta(hours=1)


class NotMeasurable(RahdariError):
    """The address was not proved by a handshake with its server, so that there is nothing to repeat."""

    says = "{entry}"
    entry: str


@dataclass(frozen=True)
class Bar:
    """An hour: the worst that was seen in it. None: nothing was measured."""

    at: dt.datetime
    state: State | None


# From the least to the worst; of an hour the worst is shown.
BY_WEIGHT = (
    State.NOT_ENOUGH,
    State.IN_ORDER,
    State.IMPAIRED,
    State.PATH_BLOCKED,
    State.SERVER_DOWN,
    State.THIS_OPERATOR,
)


def own_entry(found: Registration, entry: object) -> Entry | None:
    """An active entry of the holder's own: never a line at somebody's home."""
    return next((row for row in register.own_entries_of(found) if row.pk == entry and row.ended_at is None), None)


def rules() -> Measuring | None:
    return queries.rules_in_force()


def is_personal(found: Registration) -> bool:
    """Whether its holder is a person. Unknown services count as a person's: those are measured less."""
    service = apply.policy_in_force().services.get(found.category)
    return service is None or service.holder != "organisation"


def asks_of(row: Entry) -> tuple[Address, Claim] | None:
    """What a look asks for: the handshake by which the address was proved. None where it was shown otherwise."""
    again = [each.subject for each in proofs.reproofs_of([about(row)]).get(about(row), [])]
    proof = proofs.newest_proof_by(subjects=[row.subject, *again], block=row.block, methods=METHODS)
    if proof is None or not expected_claims.can_be_repeated(proof):
        return None
    return ipaddress.ip_address(expected_claims.address_asked(proof)), expected_claims.claim_of(proof)


def agree(row: Entry, by: Acting, *, inside: bool, agent: bool, now: dt.datetime) -> Consent:
    """Raises NotMeasurable, and `consents.NotMeasured`."""
    asks = asks_of(row)
    if asks is None:
        raise NotMeasurable(str(row.pk))
    address, claim = asks
    return consents.agree(
        feed_id=row.feed_id,
        holder=row.holder,
        personal=is_personal(row.registration),
        address=address,
        claim=claim,
        inside=inside,
        agent=agent,
        actor=by.actor,
        now=now,
    )


def withdraw(row: Entry, by: Acting, *, now: dt.datetime) -> bool:
    return consents.withdraw(feed_id=row.feed_id, actor=by.actor, now=now)


def bars_of(spans: Iterable[Span], *, now: dt.datetime) -> list[Bar]:
    """The last two days, hour by hour."""
    last = now.replace(minute=0, second=0, microsecond=0)
    hours = [last - HOUR * n for n in reversed(range(SHOWN // HOUR))]
    of_hour: dict[dt.datetime, list[State]] = {hour: [] for hour in hours}
    for span in spans:
        for hour in hours if span.state is not None else ():
            if span.begins < hour + HOUR and span.ends > hour and span.state is not None:
                of_hour[hour].append(span.state)
    return [Bar(hour, max(states, key=BY_WEIGHT.index, default=None)) for hour, states in of_hour.items()]
