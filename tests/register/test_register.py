"""Acts of the register, through the database."""

import datetime as dt
import ipaddress
import threading
import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from rahdari.address import parse_parts
from rahdari.journal import queries as journal
from rahdari.register import actions, changes, queries
from rahdari.register.models import Change, Entry, Registration
from rahdari.register.rules import NewEntry, Standing, published_end, stamp

NOW = dt.datetime(2026, 11, 10, 9, 31, 7, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
HOLDER = uuid.UUID("00000000-0000-4000-8000-000000000001")
OTHER = uuid.UUID("00000000-0000-4000-8000-000000000002")


def endpoint(prefix: str, *, origin: str = "", protocol: str = "udp", port: int | None = 51820) -> NewEntry:
    return NewEntry(origin or f"endpoint:{uuid.uuid4()}", ipaddress.ip_network(prefix), protocol, port, 64500)


def entered(
    *prefixes: str, holder: uuid.UUID = HOLDER, origin: str = "", until: dt.datetime = NOW + YEAR, code: str = ""
) -> Registration:
    return actions.enter(
        origin=origin or f"application:{uuid.uuid4()}",
        holder=holder,
        category="vpn_freelancer",
        endpoints=[endpoint(prefix) for prefix in prefixes],
        valid_from=NOW,
        valid_until=until,
        actor="rule:1",
        now=NOW,
        provisional_code=code,
    )


@pytest.mark.django_db
class TestEnter:
    def test_gives_a_reference_entries_changes_and_one_journal_row(self) -> None:
        registration = entered("203.0.113.24/32", "2001:db8:40::/64")
        assert queries.registration_by_reference(registration.reference.lower()) == registration
        assert queries.standing(registration, NOW) is Standing.VALID
        blocks = [str(entry.block) for entry in queries.entries_of(registration)]
        assert sorted(blocks) == ["2001:db8:40::/64", "203.0.113.24/32"]
        assert [change.act for change in queries.history_of(registration)] == ["enter", "enter"]
        assert [row.act for row in journal.about(f"registration:{registration.id}")] == ["register.entered"]

    def test_the_same_origin_twice_gives_the_same_registration(self) -> None:
        first = entered("203.0.113.24/32", origin="application:1")
        assert entered("203.0.113.99/32", origin="application:1") == first
        assert Change.objects.count() == 1

    def test_is_refused_while_another_holder_has_an_overlapping_address(self) -> None:
        first = entered("203.0.113.0/28")
        with pytest.raises(changes.BlockAlreadyEntered) as refused:
            entered("198.51.100.1/32", "203.0.113.7/32", holder=OTHER)
        assert refused.value.entry == first.entries.get()
        assert Registration.objects.count() == 1, "nothing of a refused registration is entered"
        actions.strike_out(registration=first, code="X1", actor="person:1", now=NOW)
        assert entered("203.0.113.7/32", holder=OTHER).entries.count() == 1

    def test_one_holder_may_overlap_himself_but_not_repeat_an_endpoint(self) -> None:
        entered("203.0.113.0/28")
        assert entered("203.0.113.7/32").entries.count() == 1
        with pytest.raises(changes.BlockAlreadyEntered):
            entered("203.0.113.7/32")
        with pytest.raises(changes.BlockAlreadyEntered):
            entered("198.51.100.9/32", "198.51.100.9/32")

    def test_what_the_feed_may_say_is_six_fields_and_no_person(self) -> None:
        registration = entered("203.0.113.24/32")
        snapshot = Change.objects.get().snapshot
        assert snapshot == {
            "id": registration.entries.get().feed_id,
            "prefix": "203.0.113.24/32",
            "protocol": "udp",
            "port": 51820,
            "not_before": "2026-11-10T00:00:00Z",
            "not_after": "2027-11-11T00:00:00Z",
        }


@pytest.mark.django_db
class TestAmendAndRenew:
    def test_an_amended_entry_keeps_its_number_and_feed_id(self) -> None:
        registration = entered("203.0.113.24/32")
        entry = registration.entries.get()
        amended = actions.amend_entry(
            entry=entry,
            block=ipaddress.ip_network("203.0.113.25/32"),
            parts=parse_parts("tcp 443"),
            asn=64500,
            actor="person:1",
            now=NOW,
        )
        assert (amended.pk, amended.feed_id) == (entry.pk, entry.feed_id)
        assert [change.act for change in queries.history_of(registration)] == ["enter", "amend"]
        assert Change.objects.latest("id").snapshot["prefix"] == "203.0.113.25/32"

    def test_amending_twice_is_one_change(self) -> None:
        registration = entered("203.0.113.24/32")
        for _ in range(2):
            actions.amend_entry(
                entry=registration.entries.get(),
                block=ipaddress.ip_network("203.0.113.24/32"),
                parts=parse_parts("tcp 443"),
                asn=64500,
                actor="person:1",
                now=NOW,
            )
        assert [change.act for change in queries.history_of(registration)] == ["enter", "amend"]

    def test_amending_to_what_stands_beside_it_names_that_entry(self) -> None:
        first = entered("203.0.113.24/32").entries.get()
        second = entered("203.0.113.24/29").entries.get()
        with pytest.raises(changes.BlockAlreadyEntered) as refused:
            actions.amend_entry(
                entry=second,
                block=first.block,
                parts=[first.part],
                asn=second.asn,
                actor="person:1",
                now=NOW,
            )
        assert refused.value.entry == first

    def test_renewal_moves_the_end_and_is_refused_once_expired(self) -> None:
        registration = entered("203.0.113.24/32", until=NOW + dt.timedelta(days=1))
        renewed = actions.renew(registration=registration, valid_until=NOW + YEAR, actor="person:1", now=NOW)
        assert renewed.entries.get().valid_until == NOW + YEAR
        with pytest.raises(changes.NotValid) as refused:
            actions.renew(registration=renewed, valid_until=NOW + 2 * YEAR, actor="person:1", now=NOW + YEAR)
        assert refused.value.standing is Standing.EXPIRED


@pytest.mark.django_db
class TestEnd:
    def test_striking_out_twice_changes_nothing(self) -> None:
        registration = entered("203.0.113.24/32")
        for _ in range(2):
            registration = actions.strike_out(registration=registration, code="X1", actor="person:1", now=NOW)
        assert queries.standing(registration, NOW) is Standing.STRUCK_OUT
        assert [change.act for change in queries.history_of(registration)] == ["enter", "strike_out"]
        assert Change.objects.latest("id").snapshot == {}

    def test_the_term_is_half_open_and_expiry_is_an_act(self) -> None:
        registration = entered("203.0.113.24/32", until=NOW + YEAR)
        just_before = NOW + YEAR - dt.timedelta(microseconds=1)
        assert queries.standing(registration, just_before) is Standing.VALID
        assert queries.standing(registration, NOW + YEAR) is Standing.EXPIRED
        assert actions.expire_due(now=just_before) == 0
        assert actions.expire_due(now=NOW + YEAR) == 1
        assert actions.expire_due(now=NOW + YEAR) == 0
        assert [change.act for change in queries.history_of(registration)] == ["enter", "expire"]
        assert [row.actor for row in journal.about(f"registration:{registration.id}")] == ["clock", "rule:1"]


@pytest.mark.django_db
class TestTheDatabaseHoldsItToo:
    def test_no_overlap_even_around_the_acts(self) -> None:
        registration = entered("203.0.113.0/28")
        with pytest.raises(IntegrityError, match="no_block_under_two_holders"), transaction.atomic():
            Entry.objects.create(
                registration=registration,
                origin="endpoint:x",
                holder=OTHER,
                block="203.0.113.1/32",
                valid_from=NOW,
                valid_until=NOW + YEAR,
            )

    def test_changes_are_only_added_and_what_has_ended_stays_ended(self) -> None:
        registration = entered("203.0.113.24/32")
        actions.strike_out(registration=registration, code="X1", actor="person:1", now=NOW)
        for attempt in (
            lambda: Change.objects.update(act="enter"),
            lambda: Change.objects.all()._raw_delete("default"),
            lambda: Entry.objects.update(ended_at=None),
        ):
            with pytest.raises(DatabaseError, match=r"only added|has ended"), transaction.atomic():
                attempt()


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_two_workers_that_enter_the_same_origin_make_one_registration(self) -> None:
        together = threading.Barrier(2)
        made: list[Registration] = []

        def work() -> None:
            try:
                together.wait()
                made.append(entered("203.0.113.24/32", origin="application:7"))
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len({registration.pk for registration in made}) == 1 and len(made) == 2
        assert Change.objects.count() == 1


@pytest.mark.django_db
class TestWhatTheFeedCannotSay:
    """One change that the feed's format cannot say would hold up all others, so it does not come into the register."""

    @pytest.mark.parametrize(
        ("facts", "constraint"),
        [
            ({"protocol": "sctp", "port": None}, "protocol_is_known"),
            ({"protocol": "esp", "port": 500}, "port_in_range"),
            ({"protocol": "any", "port": 500}, "port_in_range"),
            ({"protocol": "udp", "port": 65536}, "port_in_range"),
            ({"valid_until": NOW + dt.timedelta(milliseconds=10)}, "entry_has_a_term"),
        ],
    )
    def test_is_refused_by_the_database(self, facts: dict[str, object], constraint: str) -> None:
        registration = entered("203.0.113.24/32")
        fields = {
            "registration": registration,
            "origin": "endpoint:x",
            "holder": HOLDER,
            "block": "203.0.113.77/32",
            "protocol": "udp",
            "port": 1194,
            "valid_from": NOW,
            "valid_until": NOW + YEAR,
        }
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Entry.objects.create(**(fields | facts))
        Entry.objects.create(**fields)


@pytest.mark.django_db
class TestProvisional:
    UNTIL = NOW + dt.timedelta(days=90)

    def provisional(self) -> Registration:
        return entered("203.0.113.24/32", until=self.UNTIL, code="P1")

    def test_stands_like_every_other_and_operators_see_no_difference(self) -> None:
        registration = self.provisional()
        assert queries.standing(registration, NOW) is Standing.VALID
        assert (registration.provisional_until, registration.provisional_code) == (self.UNTIL, "P1")
        assert Change.objects.get().snapshot["not_after"] == stamp(published_end(self.UNTIL, "static"))
        assert set(Change.objects.get().snapshot) == {"id", "prefix", "protocol", "port", "not_before", "not_after"}

    def test_is_confirmed_for_its_full_term_under_the_same_number_without_a_gap(self) -> None:
        registration = self.provisional()
        feed_id = registration.entries.get().feed_id
        facts = {"registration": registration, "valid_until": NOW + YEAR, "actor": "rule:1", "now": NOW}
        confirmed = actions.confirm_registration(**facts)
        assert confirmed.reference == registration.reference and not confirmed.is_provisional
        assert confirmed.valid_until == NOW + YEAR == confirmed.entries.get().valid_until
        assert [change.act for change in queries.history_of(registration)] == ["enter", "renew"]
        assert Change.objects.last().snapshot["id"] == feed_id  # type: ignore[union-attr]
        actions.confirm_registration(**facts)
        assert Change.objects.count() == 2, "twice is once"
        assert next(row.act for row in journal.about(f"registration:{registration.id}")) == "register.confirmed"

    def test_is_prolonged_and_never_shortened(self) -> None:
        registration = self.provisional()
        facts = {"registration": registration, "actor": "clock", "now": NOW}
        later = self.UNTIL + dt.timedelta(days=30)
        assert actions.prolong_provisional(until=later, **facts).provisional_until == later
        assert actions.prolong_provisional(until=self.UNTIL, **facts).provisional_until == later
        assert registration.entries.get().valid_until == later

    def test_is_not_renewed_before_it_is_confirmed(self) -> None:
        with pytest.raises(changes.StillProvisional):
            actions.renew(registration=self.provisional(), valid_until=NOW + YEAR, actor="person:1", now=NOW)

    def test_ends_with_its_term_and_cannot_be_confirmed_afterwards(self) -> None:
        registration = self.provisional()
        assert actions.expire_due(now=self.UNTIL) == 1
        with pytest.raises(changes.NotValid):
            actions.confirm_registration(
                registration=registration, valid_until=NOW + YEAR, actor="rule:1", now=self.UNTIL
            )

    @pytest.mark.parametrize("wrong", [{"provisional_code": ""}, {"provisional_until": NOW + YEAR}])
    def test_the_database_wants_a_code_and_the_end_of_the_term(self, wrong: dict[str, object]) -> None:
        registration = self.provisional()
        with pytest.raises(IntegrityError), transaction.atomic():
            Registration.objects.filter(pk=registration.pk).update(**wrong)
