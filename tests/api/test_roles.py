"""What a token of a member reaches of their organisation: as on the pages, by their role."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from rahdari.apply.models import Application
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry
from tests.builders.programs import Program, problem
from tests.portal.test_roles import ADDRESSES, INVOICES, PAPERS, ROLES, SEE, World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]


def places(world: World) -> dict[str, set[str]]:
    """Each address, with the roles that reach it."""
    draft, registration = f"/applications/{world.draft.reference}", f"/registrations/{world.registration.reference}"
    endpoint = world.draft.endpoints.get()
    entry = world.registration.entries.get()
    return {
        draft: ADDRESSES,
        f"{draft}/check": PAPERS,
        f"{draft}/documents": PAPERS,
        f"{draft}/endpoints": ADDRESSES,
        f"{draft}/endpoints/{endpoint.pk}": ADDRESSES,
        f"{draft}/endpoints/{endpoint.pk}/proof": ADDRESSES,
        f"{draft}/link": ADDRESSES,
        f"{draft}/address-files": ADDRESSES,
        registration: SEE,
        f"{registration}/certificate": SEE,
        f"{registration}/entries/{entry.pk}/proof": ADDRESSES,
        f"/invoices/{world.invoice.number}": INVOICES,
        f"/organisations/{world.company.pk}/branches": SEE,
        f"/organisations/{world.company.pk}/addresses": SEE,
        f"/organisations/{world.company.pk}/applicants": PAPERS,
        f"/organisations/{world.company.pk}/mandates": {"owner"},
    }


def test_a_role_reaches_by_a_token_what_it_reaches_on_the_pages() -> None:
    world = World()
    programs = {role: Program(world.people[role]) for role in ROLES}
    for place, allowed in places(world).items():
        reached = {role for role, program in programs.items() if program.get(place).status_code == 200}
        assert reached == allowed, place


def test_a_list_holds_what_the_role_may_open() -> None:
    world = World()

    def listed(role: str, path: str) -> list[Any]:
        return list(Program(world.people[role]).get(path).said["items"])

    for role in ROLES:
        assert bool(listed(role, "/applications")) == (role in ADDRESSES), role
        assert bool(listed(role, "/registrations")) == (role in SEE), role
        assert bool(listed(role, "/invoices")) == (role in INVOICES), role


def test_only_who_may_apply_ends_or_renews() -> None:
    world = World()
    place = f"/registrations/{world.registration.reference}"
    for role in ("viewer", "technician", "accountant", "stranger"):
        problem(Program(world.people[role]).post(f"{place}/end", {"end": True}), 404, "not-found")
        problem(Program(world.people[role]).post(f"{place}/renew"), 404, "not-found")
    assert Program(world.people["manager"]).post(f"{place}/end", {"end": True}).said["standing"] == "ended"


def granted(world: World) -> Registration:
    """A registration that rests on the company's own application."""
    now, endpoint = timezone.now(), world.draft.endpoints.get()
    where = NewEntry(origin=endpoint.subject, block=endpoint.network, protocol="udp", port=51820, asn=None)
    facts: dict[str, Any] = {"actor": "system:test", "valid_from": now, "now": now}
    return register.enter(
        origin=world.draft.subject,
        holder=world.company.holder_ref,
        category="vpn_company",
        endpoints=[where],
        valid_until=now + dt.timedelta(days=365),
        **facts,
    )


def test_a_technician_says_which_addresses_and_sees_no_paper() -> None:
    world = World()
    technician = Program(world.people["technician"])
    place = f"/registrations/{granted(world).reference}"
    problem(Program(world.people["viewer"]).post(f"{place}/change"), 404, "not-found")
    begun = technician.post(f"{place}/change")
    assert begun.status_code == 201, begun.content
    said = begun.said
    assert (said["about"], said["answers"], said["documents"], said["checks"]) == ("change", None, [], [])
    one = f"/applications/{said['reference']}"
    added = technician.post(f"{one}/endpoints", {"address": "203.0.113.61", "runs": "wireguard"})
    assert added.status_code == 201, added.content
    assert technician.get(one).said["answers"] is None
    problem(technician.post(f"{one}/submit", {"declare": True}), 404, "not-found")
    problem(technician.put(f"{one}/purpose", {"purpose": "x"}), 404, "not-found")
    assert Program(world.people["manager"]).get(one).said["answers"] is not None
    # Once it is decided nothing of it is theirs to prove.
    Application.objects.filter(reference=said["reference"]).update(status="withdrawn", closed_at=timezone.now())
    problem(technician.get(one), 404, "not-found")
