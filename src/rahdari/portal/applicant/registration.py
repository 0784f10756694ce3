"""The page of a registration: valid or not, its addresses, where it is in force, and who looked at its data."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari import optional
from rahdari.address import Part, directory, format_block, vpn
from rahdari.appeal import queries as appeals
from rahdari.applicant.access_log import looks_at_registration, was_opened
from rahdari.applicant.lines import count_of, lines_of
from rahdari.applicant.lines import standing_of as standing_at_operators
from rahdari.applicant.proof_history import by_address, proofs_of
from rahdari.applicant.registration_status import (
    CHANGEABLE,
    addresses_of,
    may_go_on,
    may_renew,
    standing_of,
    stays,
)
from rahdari.applicant.registrations import may_act_for
from rahdari.applicant.titles import service_title
from rahdari.apply import queries as applications
from rahdari.apply import renewal, subjects
from rahdari.apply.models import Endpoint
from rahdari.apply.summary import SummaryLine
from rahdari.complaint import queries as complaints
from rahdari.decide import case_clock, decided, hearings, remedies
from rahdari.decide.lanes import by_rule, lane_of
from rahdari.incident import queries as incidents
from rahdari.people.access import person
from rahdari.people.rules import Act
from rahdari.policy import Remedy
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import HOME, URGENT

from .shared import own_registration


@dataclass(frozen=True)
class Address:
    entry: Entry
    # What runs there, as the list of addresses has it.
    line: SummaryLine
    text: str
    operator: str
    # The connection that reports it, of an address that changes.
    host: Any = None
    # Another one has taken its place: it stays on the list for a while.
    leaves: bool = False
    # It was listed before its proof (`urgent`), and ends by itself without it.
    unproved: bool = False
    branch: str = ""
    # What the holder calls it: for the holder alone.
    label: str = ""
    is_shared: bool = False
    # A line with all that goes over it: no server, so there is nothing else that could run.
    is_all: bool = False


@dataclass(frozen=True)
class Event:
    """One act, and all the addresses that it was about."""

    act: str
    at: dt.datetime
    addresses: tuple[str, ...]


@login_required
@never_cache
@require_safe
def registration(request: HttpRequest, reference: str) -> HttpResponse:
    found = own_registration(request, reference, Act.SEE).row
    entries = list(register.own_entries_of(found))
    standing, lines = standing_at_operators(found, entries), lines_of(found)
    now = timezone.now()
    looks, grant = looks_at_registration(found, now), decided.last_grant(found)
    state = standing_of(found, now)
    may_act = may_act_for(person(request), found)
    hosts = {host.pk: host for host in optional.ask("rahdari.applicant", "hosts_of", found) or ()}
    opens_at = renewal.renewal_opens_at(found, applications.policy_in_force())
    shown = register.endpoints_among(entry for entry in entries if entry.kind != "dynamic" or not entry.ended_at)
    named = subjects.endpoints_by_subjects([entry.subject for entry in shown])
    addresses = [_address(entry, parts, hosts, named.get(entry.subject)) for entry, parts in shown.items()]
    addresses.sort(key=_place)
    context = {
        "registration": found,
        "standing": state,
        "stands": state in CHANGEABLE,
        "may_act": may_act,
        "may_go_on": may_go_on(found, now),
        "notice": remedies.notice_about(found),
        "complaints": complaints.to_answer(found),
        "incidents": incidents.incidents_of(found),
        "yearly": register.open_yearly_question_of(found) if may_act else None,
        "office": applications.policy_in_force().contact,
        **_revocation(found, state),
        "undone_until": found.struck_out_at
        and register.undone_until(found, found.struck_out_at, case_clock.calendar()),
        "may_change": may_act_for(person(request), found, Act.ADDRESSES),
        "may_prove": may_act_for(person(request), found, Act.PROVE),
        "holder": subjects.holder_name_of(found),
        "service": service_title(found.category),
        "addresses": addresses,
        "count": addresses_of(found) or len({each.entry.block for each in addresses}),
        "hosts": list(hosts.values()),
        "lines": lines,
        "is_mobile": count_of(found) is not None,
        "line_left": bool(optional.ask("rahdari.applicant", "is_left", found)),
        "in_grace": register.is_in_grace(found, now),
        # What a provisional one needs is what is still to come; no renewal stands in for it.
        "may_renew": may_renew(found, now) and may_act and not found.is_provisional and now >= opens_at,
        "opens_at": opens_at,
        "proofs": proofs_of([entry for entry in entries if entry.kind != "dynamic"]),
        "measures": applications.policy_in_force().watch is not None,
        "published": standing,
        "in_force": len(standing.in_force),
        "history": history_of(found),
        "looks": looks,
        "lane": lane_of(None, grant),
        "by_rule": by_rule(grant),
        "was_opened": was_opened(looks),
        "follow": f"{state}.{standing.published_at}.{len(standing.in_force)}",
        **optional.joined(__package__, "on_registration", found),
    }
    return render(request, "portal/applicant/registration.html", context)


def history_of(found: Registration) -> list[Event]:
    """What happened, act by act: each address once for all parts of what runs there."""
    acts: dict[tuple[str, dt.datetime], list[Entry]] = {}
    told = [
        change
        for change in register.history_of(found)
        # An address that changes does so every day: its reports stand on its own page.
        if (change.entry.kind != "dynamic" or change.act == "enter") and not change.entry.origin.startswith(HOME)
    ]
    for change in told:
        acts.setdefault((change.act, change.at.replace(second=0, microsecond=0)), []).append(change.entry)
    return [
        Event(act, at, tuple(dict.fromkeys(format_block(entry.block) for entry in sorted(entries, key=by_address))))
        for (act, at), entries in acts.items()
    ]


def _page_of(remedy: Remedy, found: Registration) -> str:
    """Where a remedy begins for this registration; empty for one that goes in writing or elsewhere."""
    if remedy.key == "prove_again":
        first = next((entry for entry in register.own_entries_of(found) if entry.ended_at is None), None)
        return reverse("portal:prove_again", args=[found.reference, first.pk]) if first is not None else ""
    return reverse("apply:start") if remedy.key == "new_application" else ""


def _revocation(found: Registration, state: str) -> dict[str, object]:
    """Why it was suspended or struck out, and what its holder can do."""
    taken = remedies.last_revocation(found) if state in {"suspended", "struck_out"} else None
    if taken is None or taken.is_over:
        return {}
    rules = case_clock.policy_of(taken.case.application)
    return {
        "taken": taken,
        "taken_first": taken.before_hearing,
        "taken_reasons": [remedies.reason_with_law(rules, code) for code in taken.codes],
        "taken_remedies": [(each, _page_of(each, found)) for each in remedies.remedies_after(rules, taken.codes)],
        "contact": None if taken.notice.is_order else rules.contact,
        "taken_hearings": hearings.hearings_of(taken.notice),
        "taken_appeal_until": None if taken.notice.is_order else appeals.appeal_until(taken),
        "taken_may_appeal": not taken.notice.is_order,
        "appeals": [each for each in appeals.appeals_of(taken.case.application) if each.revocation_id == taken.pk],
    }


def _place(each: Address) -> tuple[bool, str, int, int, int]:
    """By branch, those without one last, and then by address: so a reader finds one among hundreds."""
    block = each.entry.block
    return (each.branch == "", each.branch.casefold(), block.version, int(block.network_address), block.prefixlen)


def _address(entry: Entry, parts: tuple[Part, ...], hosts: Mapping[uuid.UUID, Any], named: Endpoint | None) -> Address:
    operator = directory.current().organisation(entry.asn) if entry.asn is not None else None
    reported = optional.ask("rahdari.applicant", "reported_address_of", entry) if entry.kind == "dynamic" else None
    if entry.kind == "dynamic":
        leaves = reported is None
    else:
        leaves = not stays(entry) and not entry.origin.startswith(URGENT)
    host = hosts.get(reported.host_id) if reported is not None else None
    is_shared = entry.ended_at is None and register.is_shared_now(entry)
    # The register knows protocols and ports; what the holder runs there stands in the application.
    known = named is not None and named.parts == parts
    line = applications.what_runs_at(named) if named is not None and known else applications.what_runs(parts)
    is_all = not vpn.in_words(parts)
    branch = named.branch.name if named is not None and named.branch is not None and not named.branch.ended_at else ""
    label = named.label if named is not None else ""
    return Address(
        entry,
        line,
        format_block(entry.block),
        operator or "",
        host,
        leaves,
        entry.ended_at is None and entry.origin.startswith(URGENT) and not stays(entry),
        branch,
        label,
        is_shared,
        is_all,
    )
