"""What a token of a member reaches of their organisation: as on the pages, by their role."""

from collections.abc import Iterator
from typing import Any

import pytest

from rahdari.address import directory
from tests.portal.test_roles import ADDRESSES, INVOICES, PAPERS, ROLES, SEE, World

from .sample import Program, problem
from .world import KNOWN

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known_networks() -> Iterator[None]:
    directory.configure(None, KNOWN)
    yield
    directory.configure(None)


def places(world: World) -> dict[str, set[str]]:
    """Each address, with the roles that reach it."""
    draft, registration = f"/applications/{world.draft.reference}", f"/registrations/{world.registration.reference}"
    endpoint = world.draft.endpoints.get()
    entry = world.registration.entries.get()
    return {
        draft: PAPERS,
        f"{draft}/check": PAPERS,
        f"{draft}/documents": PAPERS,
        f"{draft}/endpoints": ADDRESSES,
        f"{draft}/endpoints/{endpoint.pk}": ADDRESSES,
        f"{draft}/endpoints/{endpoint.pk}/proof": ADDRESSES,
        registration: SEE,
        f"{registration}/certificate": SEE,
        f"{registration}/entries/{entry.pk}/proof": ADDRESSES,
        f"/invoices/{world.invoice.number}": INVOICES,
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
        assert bool(listed(role, "/applications")) == (role in PAPERS), role
        assert bool(listed(role, "/registrations")) == (role in SEE), role
        assert bool(listed(role, "/invoices")) == (role in INVOICES), role


def test_only_who_may_apply_ends_or_renews() -> None:
    world = World()
    place = f"/registrations/{world.registration.reference}"
    for role in ("viewer", "technician", "accountant", "stranger"):
        problem(Program(world.people[role]).post(f"{place}/end", {"end": True}), 404, "not-found")
        problem(Program(world.people[role]).post(f"{place}/change"), 404, "not-found")
    assert Program(world.people["manager"]).post(f"{place}/end", {"end": True}).said["standing"] == "ended"


def test_a_mobile_number_needs_a_person() -> None:
    body = {"service": "vpn_freelancer", "fixed_address": "mobile"}
    problem(Program().post("/applications", body), 403, "person-needed")
