"""How the addresses of a registration change while it stands: no gap, no second holder, no entry that outlives it."""

import datetime as dt
import ipaddress

import pytest

from rahdari.journal import queries as journal
from rahdari.register import actions, address_changes, changes, queries
from rahdari.register.models import Change, Entry, Registration
from rahdari.register.rules import NewEntry, Standing

from .test_register import NOW, OTHER, YEAR, endpoint, entered

MINUTES = dt.timedelta(minutes=10)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def a_dynamic_entry(prefix: str = "203.0.113.24/32", *, until: dt.datetime = NOW + DAY) -> Entry:
    registration = entered()
    new = NewEntry("host:1", ipaddress.ip_network(prefix), "udp", 51820, 64500, kind="dynamic", until=until)
    return address_changes.add_entry(registration=registration, new=new, actor="person:1", now=NOW)


def moved(entry: Entry, prefix: str, *, now: dt.datetime, origin: str = "") -> Entry:
    return address_changes.move_entry(
        entry=entry,
        block=ipaddress.ip_network(prefix),
        asn=64500,
        origin=origin or f"host:1:{prefix}:{now.isoformat()}",
        until=now + DAY,
        overlap_until=now + MINUTES,
        actor="host:1",
        now=now,
    )


def listed(registration: Registration) -> list[str]:
    return sorted(str(entry.block) for entry in queries.entries_of(registration) if entry.ended_at is None)


@pytest.mark.django_db
class TestMoveEntry:
    def test_keeps_the_old_address_listed_until_the_overlap_is_over(self) -> None:
        old = a_dynamic_entry()
        new = moved(old, "203.0.113.77/32", now=NOW + DAY / 2)
        assert listed(new.registration) == ["203.0.113.24/32", "203.0.113.77/32"]
        assert new.follows == old and new.feed_id != old.feed_id, "the feed does not tie the two together"
        assert (new.kind, new.protocol, new.port) == ("dynamic", "udp", 51820)
        assert address_changes.end_entries_due(now=NOW + DAY / 2 + MINUTES - dt.timedelta(seconds=1)) == 0
        assert address_changes.end_entries_due(now=NOW + DAY / 2 + MINUTES + HOUR) == 1
        assert listed(new.registration) == ["203.0.113.77/32"]
        assert [change.act for change in Change.objects.order_by("id")] == ["enter", "move", "lapse"]

    def test_back_at_an_address_that_is_still_listed_takes_it_up_again(self) -> None:
        first = a_dynamic_entry()
        second = moved(first, "203.0.113.77/32", now=NOW + MINUTES)
        back = moved(second, "203.0.113.24/32", now=NOW + 1.5 * MINUTES)
        assert back == first and back.valid_until == NOW + 1.5 * MINUTES + DAY
        assert address_changes.end_entries_due(now=NOW + 3 * MINUTES + HOUR) == 1
        assert listed(first.registration) == ["203.0.113.24/32"]

    def test_to_where_it_is_only_extends_it(self) -> None:
        entry = a_dynamic_entry()
        assert moved(entry, "203.0.113.24/32", now=NOW + DAY / 2) == entry
        assert Entry.objects.get().valid_until == NOW + 1.5 * DAY

    def test_is_refused_while_another_holder_has_the_address_and_nothing_changes(self) -> None:
        entry = a_dynamic_entry()
        rival = entered("203.0.113.77/32", holder=OTHER)
        with pytest.raises(changes.BlockAlreadyEntered) as refused:
            moved(entry, "203.0.113.77/32", now=NOW)
        assert refused.value.entry == rival.entries.get()
        entry.refresh_from_db()
        assert entry.valid_until == NOW + DAY
        address_changes.end_entry(entry=rival.entries.get(), why="yield", now=NOW)
        assert moved(entry, "203.0.113.77/32", now=NOW).block == ipaddress.ip_network("203.0.113.77/32")

    def test_of_an_entry_that_has_ended_begins_again_under_the_same_number(self) -> None:
        entry = a_dynamic_entry()
        assert address_changes.end_entries_due(now=NOW + DAY) == 1
        entry.refresh_from_db()
        again = moved(entry, "203.0.113.24/32", now=NOW + 2 * DAY)
        assert again != entry and again.registration == entry.registration
        assert listed(entry.registration) == ["203.0.113.24/32"]

    def test_needs_a_valid_registration(self) -> None:
        entry = a_dynamic_entry()
        actions.strike_out(registration=entry.registration, code="X1", actor="person:1", now=NOW)
        with pytest.raises(changes.NotValid):
            moved(entry, "203.0.113.77/32", now=NOW)


@pytest.mark.django_db
class TestLeases:
    def test_an_end_of_its_own_leaves_the_registration_as_it_is(self) -> None:
        entry = a_dynamic_entry()
        assert address_changes.end_entries_due(now=NOW + DAY) == 1
        entry.refresh_from_db()
        assert (entry.end_reason, queries.standing(entry.registration, NOW + DAY)) == ("lapse", Standing.VALID)
        rows = {row.act for row in journal.about(f"registration:{entry.registration_id}")}
        assert rows == {"register.entered", "register.added_entry"}, "the clock repeats itself: no row of the journal"

    def test_extending_never_outlives_the_registration(self) -> None:
        entry = a_dynamic_entry()
        assert address_changes.extend_entry(entry=entry, until=NOW + 5 * YEAR, now=NOW).valid_until == NOW + YEAR
        assert address_changes.end_entries_due(now=NOW + YEAR) == 0, "it ends with its registration"
        assert actions.expire_due(now=NOW + YEAR) == 1
        assert listed(entry.registration) == []

    def test_retiring_never_makes_an_end_later(self) -> None:
        entry = a_dynamic_entry()
        address_changes.retire_entry(entry=entry, until=NOW + 2 * DAY, actor="person:1", now=NOW)
        assert Entry.objects.get().valid_until == NOW + DAY
        address_changes.retire_entry(entry=entry, until=NOW + MINUTES, actor="person:1", now=NOW)
        leaves = Entry.objects.get().valid_until
        assert NOW + MINUTES <= leaves < NOW + MINUTES + HOUR
        address_changes.retire_entry(entry=entry, until=NOW + MINUTES, actor="person:1", now=NOW)
        assert Entry.objects.get().valid_until == leaves

    def test_renewal_leaves_leases_and_addresses_that_were_left_alone(self) -> None:
        reported = a_dynamic_entry()
        stays = address_changes.add_entry(
            registration=reported.registration, new=endpoint("198.51.100.9/32"), actor="person:1", now=NOW
        )
        leaves = address_changes.add_entry(
            registration=reported.registration, new=endpoint("198.51.100.10/32"), actor="person:1", now=NOW
        )
        address_changes.retire_entry(entry=leaves, until=NOW + 7 * DAY, actor="person:1", now=NOW)
        actions.renew(registration=reported.registration, valid_until=NOW + 2 * YEAR, actor="rule:1", now=NOW)
        until = {entry.pk: entry.valid_until for entry in Entry.objects.all()}
        assert NOW + 7 * DAY <= until.pop(leaves.pk) < NOW + 8 * DAY
        assert until == {reported.pk: NOW + DAY, stays.pk: NOW + 2 * YEAR}


@pytest.mark.django_db
class TestGrace:
    def test_the_entries_stay_and_it_may_be_renewed_without_a_gap(self) -> None:
        registration = actions.enter(
            origin="application:1",
            holder=OTHER,
            category="vpn_freelancer",
            endpoints=[endpoint("203.0.113.24/32")],
            valid_from=NOW,
            valid_until=NOW + YEAR,
            grace_until=NOW + YEAR + 30 * DAY,
            actor="rule:1",
            now=NOW,
        )
        assert not queries.is_in_grace(registration, NOW + YEAR - MINUTES)
        late = NOW + YEAR + 3 * DAY
        assert actions.expire_due(now=late) == 0
        assert queries.standing(registration, late) is Standing.VALID and queries.is_in_grace(registration, late)
        assert registration.entries.get().valid_until == NOW + YEAR + 30 * DAY
        actions.renew(
            registration=registration,
            valid_until=NOW + 2 * YEAR,
            grace_until=NOW + 2 * YEAR + 30 * DAY,
            actor="rule:1",
            now=late,
        )
        assert registration.entries.get().valid_until == NOW + 2 * YEAR + 30 * DAY
        assert [change.act for change in queries.history_of(registration)] == ["enter", "renew"]

    def test_after_the_grace_it_expires(self) -> None:
        registration = entered("203.0.113.24/32")
        Registration.objects.update(grace_until=NOW + YEAR + 30 * DAY)
        assert actions.expire_due(now=NOW + YEAR + 30 * DAY - MINUTES) == 0
        assert actions.expire_due(now=NOW + YEAR + 30 * DAY) == 1
        registration.refresh_from_db()
        assert queries.standing(registration, NOW + YEAR + 30 * DAY) is Standing.EXPIRED
