"""Which addresses would reach no operator, or reach none, and an officer who says to whom they belong.

Invariant: nothing is granted that would be listed nowhere. An address whose network is unknown goes to every gateway,
and to the operator that an officer names.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction

from rahdari.address import directory
from rahdari.apply import parts, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.people.models import User
from rahdari.publish import queries as publish
from rahdari.publish.models import Operator
from rahdari.register import address_changes
from rahdari.register import queries as entries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import CANARY

from . import conflicts_of_interest, queries
from .models import Case
from .rules import REACH, Assessment, CheckFact, NotYet, Status
from .transitions import begin, lock, record


class NobodyToName(RahdariError):
    """No such operator takes the feed. `.operator` is the slug that was given."""

    says = "no operator {operator!r} takes the feed"
    operator: str


def unreached_endpoints(
    application: Application, endpoints: Iterable[Endpoint] | None = None, operators: Iterable[Operator] | None = None
) -> list[Endpoint]:
    """The addresses that would be listed nowhere if the application were granted now. Whoever has its addresses and the
    active operators already gives them along."""
    if application.is_mobile:
        return []
    if publish.gateways().exists() if operators is None else any(each.gateway for each in operators):
        return []
    known = directory.current()
    endpoints = applications.endpoints_of(application) if endpoints is None else endpoints
    return [each for each in endpoints if each.asn is None and not known.asns(each.network)]


def unreached_of(registration: Registration, operators: Iterable[Operator] | None = None) -> list[Entry]:
    """The entries of a registration that no operator gets. `operators`: the active ones, where they were read."""
    active = entries.active_of_registrations([registration]).filter(part_of__isnull=True)
    return list(publish.unreached_entries(active, operators))


def unreached() -> list[Entry]:
    """All entries in force that no operator gets, oldest first; without the register's own."""
    leads = entries.active_entries().filter(part_of__isnull=True)
    active = leads.exclude(kind=CANARY).filter(registration__suspended_at__isnull=True).select_related("registration")
    return list(publish.unreached_entries(active).order_by("valid_from", "id"))


def unreached_with_cases(*, officer: User) -> list[tuple[Entry, Application]]:
    """The same for the desk: each with the application on whose page its operator can be named."""
    return with_files(unreached(), officer=officer)


def with_files(found: Collection[Entry], *, officer: User) -> list[tuple[Entry, Application]]:
    """Entries for a list of the desk: each with the application that its registration rests on; without the officer's
    own, and without the register's. Whoever shows them puts the look on record (`record_looks`)."""
    rests_on = {each.registration_id: each.registration for each in found}
    applied = subjects.last_granted(rests_on.values())
    rows = [(each, applied.get(each.registration_id)) for each in found]
    is_own = conflicts_of_interest.own_of(officer)
    return [(each, application) for each, application in rows if application is not None and not is_own(application)]


def held_against(
    found: Assessment, application: Application, unreached: Iterable[Endpoint] | None = None
) -> Assessment:
    """The same, unless a grant would be listed nowhere: then that is what is missing."""
    if isinstance(found, NotYet):
        return found
    unreached = unreached_endpoints(application) if unreached is None else unreached
    missing = [CheckFact(REACH, each.subject, "failed") for each in unreached]
    return NotYet(tuple(missing)) if missing else found


@transaction.atomic
def name_network(*, case: Case, officer: User, operator: str, addresses: Sequence[str] = (), now: dt.datetime) -> int:
    """Say to which operator addresses belong whose network is unknown: these, or all such. Returns how many.

    Of a decided case the entries on the register follow, with an edition. Raises NobodyToName.
    """
    case = lock(case)
    actor = begin(case, "name_network", by=officer, now=now).actor
    found = next((each for each in publish.operators_of_networks() if each[0] == operator), None)
    if found is None:
        raise NobodyToName(operator)
    _slug, name, asn = found
    known, count = directory.current(), 0
    for endpoint in applications.endpoints_of(case.application):
        if not known.asns(endpoint.network) and (not addresses or endpoint.subject in addresses):
            parts.name_network(endpoint=endpoint, asn=asn, operator_name=name, actor=actor, now=now)
            count += case.status == Status.OPEN
    decision = queries.decision_of(case)
    if decision is not None and decision.registration is not None:
        for entry in unreached_of(decision.registration):
            if not addresses or entry.origin in addresses:
                address_changes.name_network(entry=entry, asn=asn, actor=actor, now=now)
                count += 1
    record(case, "named_network", actor, now, detail={"asn": asn, "addresses": count})
    wake()
    return count
