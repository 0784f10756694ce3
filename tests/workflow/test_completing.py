"""Registrations of the time when one port was registered alone: what their services need is added, and told."""

import datetime as dt
import ipaddress
import uuid
from typing import Any

import pytest

from rahdari.address import format_parts
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.register import actions, queries
from rahdari.register.models import Entry, Registration, ToComplete
from rahdari.register.rules import HOME, NewEntry
from rahdari.workflow import completing
from rahdari.workflow.completing import complete_registrations

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
IPSEC = "udp 500, udp 4500, esp"
HOLDER = uuid.uuid4()


def entered(*asked: tuple[str, str, int | None], holder: uuid.UUID = HOLDER) -> Registration:
    """As it was: each port by itself."""
    return actions.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder,
        category="vpn_company",
        endpoints=[
            NewEntry(f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(address), protocol, port, 64500)
            for address, protocol, port in asked
        ],
        valid_from=NOW - YEAR / 2,
        valid_until=NOW + YEAR / 2,
        actor="rule:1",
        now=NOW - YEAR / 2,
    )


def listed(registration: Registration) -> list[tuple[str, str]]:
    living = queries.entries_of(registration).filter(ended_at__isnull=True)
    found = queries.endpoints_among(living)
    return sorted((str(lead.block.network_address), format_parts(parts)) for lead, parts in found.items())


@pytest.mark.django_db
class TestCompleting:
    def half(self, *asked: tuple[str, str, int | None]) -> Registration:
        registration = entered(*asked)
        ToComplete.objects.bulk_create(ToComplete(entry=entry) for entry in registration.entries.all())
        return registration

    def test_that_is_cut_short_has_done_nothing_and_is_done_the_next_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = people.register_person(email="holder@sample.example", now=NOW)
        registration = self.half(("203.0.113.1", "udp", 500))
        Registration.objects.filter(pk=registration.pk).update(holder=person.holder_ref)
        Entry.objects.update(holder=person.holder_ref)
        with monkeypatch.context() as at_the_letter:
            at_the_letter.setattr(completing.letters, "write_once", _killed)
            assert complete_registrations(NOW) == 0
        assert listed(registration) == [("203.0.113.1", "udp 500")]
        assert ToComplete.objects.exists() and not Letter.objects.exists()
        assert complete_registrations(NOW) == 1
        assert listed(registration) == [("203.0.113.1", IPSEC)] and Letter.objects.count() == 1

    def test_leaves_alone_what_is_no_longer_valid(self) -> None:
        registration = self.half(("203.0.113.1", "udp", 500))
        actions.strike_out(registration=registration, code="X1", actor="person:1", now=NOW)
        assert complete_registrations(NOW) == 1
        assert Entry.objects.count() == 1 and not Letter.objects.exists() and not ToComplete.objects.exists()

    def test_does_not_undo_what_the_holder_has_put_right_meanwhile(self) -> None:
        registration = self.half(("203.0.113.1", "udp", 500), ("203.0.113.2", "udp", 500))
        first, second = registration.entries.order_by("block")
        facts: dict[str, Any] = {"asn": 64500, "actor": "person:1", "now": NOW}
        wireguard = [Entry(protocol="udp", port=51820).part]
        actions.amend_entry(entry=first, block=first.block, parts=wireguard, **facts)
        actions.amend_entry(
            entry=second, block=second.block, parts=[Entry(protocol="udp", port=4500).part, second.part], **facts
        )
        assert complete_registrations(NOW) == 1
        assert listed(registration) == [("203.0.113.1", "udp 51820"), ("203.0.113.2", IPSEC)]

    def test_brings_the_lines_of_people_at_home_along(self) -> None:
        registration = self.half(("203.0.113.1", "udp", 500))
        home = NewEntry(f"{HOME}1:0", ipaddress.ip_network("203.0.113.99"), "udp", None, 64500)
        actions.add_entry(registration=registration, new=home, actor="line:1", now=NOW)
        assert complete_registrations(NOW) == 1
        assert listed(registration) == [("203.0.113.1", IPSEC), ("203.0.113.99", "udp, esp")]

    def test_reaches_those_who_share_the_address_as_one_line(self) -> None:
        registration = self.half(("203.0.113.1", "udp", 500))
        other, block = uuid.uuid4(), ipaddress.ip_network("203.0.113.1")
        actions.let_in(block=block, newcomer=other, agreed=[HOLDER], origin="sharing:1", actor="person:1", now=NOW)
        theirs = entered(("203.0.113.1", "udp", 4500), holder=other)
        ToComplete.objects.bulk_create(ToComplete(entry=entry) for entry in theirs.entries.all())
        assert complete_registrations(NOW) == 2
        assert listed(registration) == listed(theirs) == [("203.0.113.1", IPSEC)]
        lines = {(entry.line.pk, entry.part) for entry in Entry.objects.all()}
        assert len(lines) == 3, "each part is one line of the feed"


def _killed(**_facts: Any) -> None:
    raise RuntimeError("killed here")
