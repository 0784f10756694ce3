"""A change of what runs at an address, carried over to the register: nothing is cut, and nothing stands twice."""

import datetime as dt
import ipaddress
import uuid
from typing import Any

import pytest

from rahdari.address import format_parts, vpn
from rahdari.apply import parts as apply_parts
from rahdari.apply import queries as applications
from rahdari.apply import renewal
from rahdari.apply.models import Application, Endpoint
from rahdari.register import actions, address_changes, queries
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry, new_endpoint
from rahdari.workflow import apply_renewal
from tests.builders.drafts import a_person, actor_of

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
GATEWAY, OTHER = ipaddress.ip_network("203.0.113.24"), ipaddress.ip_network("203.0.113.25")
IPSEC, L2TP = format_parts(vpn.parts_of("ikev2")), format_parts(vpn.parts_of("l2tp"))


def a_change(*held: NewEntry) -> tuple[Registration, Application]:
    """A registration with these endpoints, and the change of it that its holder has begun."""
    person = a_person()
    registration = actions.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=person.holder_ref,
        category="vpn_freelancer",
        endpoints=held,
        valid_from=NOW,
        valid_until=NOW + YEAR,
        actor="rule:1",
        now=NOW,
    )
    draft = renewal.apply_again(
        registration=registration, applicant=person, about="change", actor=actor_of(person), now=NOW
    )
    return registration, draft


def at(draft: Application, block: Any) -> Endpoint:
    return next(row for row in applications.endpoints_of(draft) if row.network == block)


def carried_out(draft: Application) -> None:
    apply_renewal.carry_out(
        draft,
        list(applications.endpoints_of(draft)),
        applications.policy_in_force(),
        provisional_until=None,
        actor="rule:1",
        now=NOW,
    )


def listed(registration: Registration, *, staying: bool = False) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    living = queries.entries_of(registration).filter(ended_at__isnull=True)
    if staying:
        living = living.filter(valid_until=registration.stays_until)
    for lead, parts in queries.endpoints_among(living).items():
        found.setdefault(str(lead.block.network_address), []).append(format_parts(parts))
    return {address: sorted(parts) for address, parts in found.items()}


@pytest.mark.django_db
class TestAChange:
    def test_begins_with_what_is_registered_whole(self) -> None:
        registration, draft = a_change(
            new_endpoint("endpoint:1", GATEWAY, vpn.parts_of("ikev2"), 64500),
            NewEntry("endpoint:2", OTHER, "udp", 51820, 64500),
        )
        rows = [(row.address_text, row.runs, format_parts(row.parts)) for row in applications.endpoints_of(draft)]
        assert sorted(rows) == [("203.0.113.24", "ikev2", IPSEC), ("203.0.113.25", "wireguard", "udp 51820")]
        carried_out(draft)
        assert listed(registration, staying=True) == {"203.0.113.24": [IPSEC], "203.0.113.25": ["udp 51820"]}
        assert registration.entries.count() == 4, "nothing was different, so nothing is new"

    @pytest.mark.parametrize(
        ("before", "after", "meanwhile", "at_last"),
        [
            ("ikev2", "l2tp", [L2TP], [L2TP]),
            ("l2tp", "ikev2", [L2TP], [IPSEC]),
            ("ikev2", "wireguard", [IPSEC, "udp 51820"], ["udp 51820"]),
            ("openvpn_tcp", "anyconnect", ["tcp 443, udp 443"], ["tcp 443, udp 443"]),
        ],
    )
    def test_leaves_what_ran_there_on_the_list_for_the_overlap(
        self, before: str, after: str, meanwhile: list[str], at_last: list[str]
    ) -> None:
        registration, draft = a_change(new_endpoint("endpoint:1", GATEWAY, vpn.parts_of(before), 64500))
        row = at(draft, GATEWAY)
        apply_parts.change_endpoint(endpoint=row, block=GATEWAY, runs=after, actor=actor_of(draft.applicant), now=NOW)
        carried_out(draft)
        assert listed(registration) == {"203.0.113.24": sorted(meanwhile)}
        overlap = applications.policy_in_force().change.overlap
        address_changes.end_entries_due(now=NOW + 2 * overlap)
        assert listed(registration) == {"203.0.113.24": at_last}

    def test_makes_one_of_two_halves_that_the_holder_had_put_together(self) -> None:
        registration, draft = a_change(
            NewEntry("endpoint:1", GATEWAY, "udp", 500, 64500), NewEntry("endpoint:2", GATEWAY, "udp", 4500, 64500)
        )
        act: dict[str, Any] = {"actor": actor_of(draft.applicant), "now": NOW}
        first, second = sorted(applications.endpoints_of(draft), key=lambda row: vpn.ports_of(row.parts))
        apply_parts.remove_endpoint(endpoint=second, **act)
        apply_parts.change_endpoint(endpoint=first, block=GATEWAY, runs="ikev2", **act)
        carried_out(draft)
        assert listed(registration, staying=True) == {"203.0.113.24": [IPSEC]}
        assert registration.entries.count() == 3
