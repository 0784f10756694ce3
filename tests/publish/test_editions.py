"""Every committed change goes into one edition, once and in order; the files say what the register says."""

import datetime as dt
import os
import threading
import uuid
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from rahdari.proof import DELTA_LIMITS, EMPTY, SNAPSHOT_LIMITS, EditionReader, Kind, Op, SetDigest, live_files
from rahdari.proof.repository import PATHS
from rahdari.publish import actions, queries, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, EditionChange, MetadataVersion, Receipt, Session, WaitingChange
from rahdari.register import actions as register
from rahdari.register import queries as registered
from rahdari.register.models import Change

from .world import NOW, Follower, address, entered, moved, plain_bytes, publish, struck_out

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def digest_of_the_register() -> str:
    digest = SetDigest()
    for entry in registered.active_entries():
        said = Change.objects.filter(entry=entry).latest("id").snapshot
        digest.add(rules.entry_of(said).canonical)
    return digest.hexdigest()


class TestCutEdition:
    def test_opens_with_the_empty_set_and_then_waits_for_changes(self, data: Path) -> None:
        opening = actions.cut_edition(now=NOW)
        assert opening is not None
        assert (opening.sequence, opening.entries, opening.digest_after, opening.delta_path) == (0, 0, EMPTY, "")
        assert actions.cut_edition(now=NOW) is None
        entered(address(1))
        edition = actions.cut_edition(now=NOW)
        assert edition is not None and (edition.sequence, edition.entries, edition.changes) == (1, 1, 1)
        assert actions.cut_edition(now=NOW) is None

    def test_takes_each_change_as_one_line_in_its_order(self, data: Path) -> None:
        actions.cut_edition(now=NOW)
        registration = entered(address(1), address(2))
        moved(registration, address(3))
        register.renew(registration=registration, valid_until=NOW + 800 * DAY, actor="officer:1", now=NOW)
        struck_out(registration)
        edition = actions.cut_edition(now=NOW)
        assert edition is not None
        operations = [operation.op for operation in _delta(edition)]
        assert operations == [Op.ADD] * 2 + [Op.REPLACE] * 3 + [Op.REMOVE] * 2
        assert (edition.entries, edition.digest_after) == (0, EMPTY)
        assert list(edition.edition_changes.order_by("position").values_list("change", flat=True)) == list(
            Change.objects.order_by("id").values_list("pk", flat=True)
        )

    def test_of_a_long_backlog_makes_several(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "CHANGES_IN_AN_EDITION", 3)
        actions.cut_edition(now=NOW)
        registration = entered(address(1), address(2))
        moved(registration, address(3))
        struck_out(registration)
        editions = [actions.cut_edition(now=NOW) for _ in range(3)]
        assert [edition and edition.changes for edition in editions] == [3, 2, None]
        assert editions[1] is not None and editions[1].digest_after == EMPTY

    def test_leaves_no_change_waiting_and_takes_none_twice(self, data: Path) -> None:
        actions.cut_edition(now=NOW)
        entered(address(1), address(2))
        assert queries.changes_waiting() == 2
        actions.cut_edition(now=NOW)
        assert queries.changes_waiting() == 0
        assert EditionChange.objects.count() == Change.objects.count() == 2

    def test_that_is_rolled_back_leaves_everything_waiting(self, data: Path) -> None:
        actions.cut_edition(now=NOW)
        entered(address(1))

        def stop(name: str) -> None:
            raise RuntimeError(name)

        with pytest.raises(RuntimeError):
            actions.cut_edition(now=NOW, checkpoint=stop)
        assert queries.changes_waiting() == 1 and Edition.objects.count() == 1
        assert actions.cut_edition(now=NOW) is not None


class TestPublishEditions:
    def test_does_nothing_without_keys_and_keeps_all_changes(self, data: Path) -> None:
        entered(address(1))
        assert publish() == 0
        assert queries.changes_waiting() == 1 and not Edition.objects.exists()

    def test_says_what_the_register_says(self, feed: Repository, follower: Follower) -> None:
        assert publish() == 1
        assert follower.sync().entries == 0
        first, second = entered(address(1), address(2)), entered("2001:db8:40::/64")
        assert publish() == 1
        follower.sync()
        assert {entry.prefix for entry in follower.entries.values()} == {address(1), address(2), "2001:db8:40::/64"}
        moved(second, "2001:db8:41::/64")
        struck_out(first)
        publish()
        head = follower.sync()
        assert [entry.prefix for entry in follower.entries.values()] == ["2001:db8:41::/64"]
        assert head.digest == digest_of_the_register()
        assert [file.kind for file in follower.read] == [Kind.SNAPSHOT, Kind.DELTA, Kind.DELTA]

    def test_tells_of_expiry(self, feed: Repository, follower: Follower) -> None:
        entered(address(1), until=NOW + DAY)
        publish()
        assert follower.sync().entries == 1
        register.expire_due(now=NOW + DAY)
        publish()
        assert follower.sync().entries == 0

    def test_lets_an_agent_catch_up_from_any_edition_it_has(self, feed: Repository, follower: Follower) -> None:
        publish()
        follower.sync()
        for number in range(rules.SNAPSHOT_EVERY + 2):
            entered(address(number))
            publish()
        head = follower.sync()
        assert head.entries == head.sequence == rules.SNAPSHOT_EVERY + 2
        assert all(file.kind is Kind.DELTA for file in follower.read[1:])
        newcomer = Follower(follower.url, follower.folder.with_name("newcomer"), follower.root)
        newcomer.sync()
        assert newcomer.entries == follower.entries
        assert [file.to_sequence for file in newcomer.read] == [64, 65, 66]

    def test_names_a_bounded_number_of_files(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "SNAPSHOT_EVERY", 8)
        monkeypatch.setattr(rules, "LIVE_DELTAS", 12)
        publish()
        for number in range(20):
            entered(address(number))
            publish()
        _, head, files = follower.look()
        deltas = [file.from_sequence for file in files if file.kind is Kind.DELTA]
        assert deltas == list(range(head.sequence - rules.LIVE_DELTAS, head.sequence))
        assert [file.to_sequence for file in files if file.kind is Kind.SNAPSHOT] == [16, 8]
        follower.sync()
        assert len(follower.entries) == 20

    def test_of_a_long_backlog_writes_the_snapshots_that_keep_the_deltas_few(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "CHANGES_IN_AN_EDITION", 1)
        monkeypatch.setattr(rules, "SNAPSHOT_EVERY", 8)
        monkeypatch.setattr(rules, "LIVE_DELTAS", 12)
        entered(*[address(number) for number in range(31)])
        assert publish() == 32
        _, head, files = follower.look()
        assert head.sequence == 31 and len(files) <= 12 + 2
        follower.sync()
        assert len(follower.entries) == 31
        written = Edition.objects.exclude(snapshot_sha256="").values_list("sequence", flat=True)
        assert list(written) == [0, 8, 16, 24]

    @pytest.mark.django_db(transaction=True)
    def test_of_a_change_that_comes_while_a_snapshot_is_written_does_not_wait_for_it(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "SNAPSHOT_EVERY", 1)
        monkeypatch.setattr(rules, "ENTRIES_AT_A_TIME", 2)
        publish()
        entered(*[address(number) for number in range(9)])
        looked = queries.something_to_cut
        published_during: list[int] = []

        def meanwhile() -> bool:
            """The publisher looks for changes between two pages of the snapshot; just then one comes."""
            unfinished = list(feed.targets.rglob(".*.new"))
            if unfinished and not published_during:
                published_during.append(Edition.objects.count())
                entered(address(100))
            return looked()

        monkeypatch.setattr(queries, "something_to_cut", meanwhile)
        passed: list[str] = []
        actions.publish_editions(now=NOW, checkpoint=passed.append)
        assert published_during == [2]
        assert passed.index("mark: committed", passed.index("mark: committed") + 1) < passed.index("snapshot: written")
        assert follower.sync().entries == 10
        with next(feed.targets.rglob("*.snap-1-*.gz")).open("rb") as file:
            assert len(list(EditionReader(file, SNAPSHOT_LIMITS))) == 9

    def test_publishes_a_change_before_it_writes_a_snapshot(
        self, feed: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "SNAPSHOT_EVERY", 1)
        publish()
        entered(address(1))
        passed: list[str] = []
        actions.publish_editions(now=NOW, checkpoint=passed.append)
        assert passed.index("mark: committed") < passed.index("snapshot: written")

    def test_wakes_whoever_waits(self, feed: Repository, django_db_blocker: object) -> None:
        heard = []

        class Listening:
            def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
                heard.extend([sql] if sql.startswith("NOTIFY") else [])
                return execute(sql, params, many, context)

        with connection.execute_wrapper(Listening()):
            publish()
        assert heard == ["NOTIFY rahdari_published"]

    def test_publishes_what_was_cut_before(self, feed: Repository, follower: Follower) -> None:
        for number in range(3):
            actions.cut_edition(now=NOW)
            entered(address(number))
        assert Edition.objects.filter(published_at=None).count() == 3
        assert publish() == 4
        assert follower.sync().sequence == 3
        assert not Edition.objects.filter(published_at=None).exists()

    def test_writes_again_what_was_lost_from_the_folder(self, feed: Repository, follower: Follower) -> None:
        entered(address(1))
        publish()
        follower.sync()
        versions = dict(MetadataVersion.objects.values_list("role", "version"))
        for path in sorted(feed.path.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        entered(address(2))
        publish()
        follower.sync()
        assert len(follower.entries) == 2
        newcomer = Follower(follower.url, follower.folder.with_name("newcomer"), follower.root)
        newcomer.sync()
        assert newcomer.entries == follower.entries
        assert all(row.version > versions[row.role] for row in MetadataVersion.objects.all())

    def test_costs_the_same_number_of_queries_for_each_change(self, feed: Repository) -> None:
        publish()

        def queries_of_one_edition() -> int:
            with connection.execute_wrapper(counting := Counting()):
                publish()
            return counting.queries

        entered(address(0))
        first = queries_of_one_edition()
        for number in range(1, 20):
            entered(address(number))
            publish()
        entered(address(30))
        assert queries_of_one_edition() == first


class Counting:
    queries = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.queries += 1
        return execute(sql, params, many, context)


class TestDatabaseBehindFeed:
    def test_nothing_is_signed_from_an_older_database(self, feed: Repository, follower: Follower) -> None:
        publish()
        with pytest.raises(Undone), transaction.atomic():
            entered(address(1))
            publish()
            raise Undone
        # The database is back before edition 1; the folder is not.
        entered(address(2))
        before = (feed.metadata / "timestamp.json").read_bytes()
        with pytest.raises(actions.DatabaseBehindFeed) as refused:
            publish()
        assert refused.value.on_disk[1] == 1 and refused.value.in_database is not None
        assert refused.value.in_database[1] == 0
        with pytest.raises(actions.DatabaseBehindFeed):
            actions.cut_edition(now=NOW)
        assert (feed.metadata / "timestamp.json").read_bytes() == before
        assert Edition.objects.count() == 1 and queries.changes_waiting() == 1
        assert follower.sync().sequence == 1

    def test_what_was_published_is_still_kept_fresh(self, feed: Repository, follower: Follower) -> None:
        with pytest.raises(Undone), transaction.atomic():
            publish()
            raise Undone
        with pytest.raises(actions.DatabaseBehindFeed):
            publish()
        assert actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY)
        assert follower.sync().sequence == 0

    def test_another_database_is_no_better(self, feed: Repository) -> None:
        with pytest.raises(Undone), transaction.atomic():
            publish()
            raise Undone
        Edition.objects.create(
            sequence=0,
            session=Session.objects.create(id=uuid.uuid4().hex, opened_at=NOW, sequence=0),
            cut_at=NOW,
            digest_before=EMPTY,
            digest_after=EMPTY,
            entries=0,
            changes=0,
            snapshot_path="x",
        )
        with pytest.raises(actions.DatabaseBehindFeed):
            publish()


class Undone(Exception):
    """Ends a transaction."""


class TestRefreshTimestamp:
    def test_signs_every_five_minutes_and_not_more_often(self, feed: Repository, follower: Follower) -> None:
        assert not actions.refresh_timestamp(now=NOW)
        publish()
        assert not actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY - dt.timedelta(seconds=1))
        before = feed.published()
        assert actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY)
        after = feed.published()
        assert before is not None and after is not None
        assert after.versions["timestamp"] == before.versions["timestamp"] + 1
        assert after.versions["feed"] == before.versions["feed"]
        assert after.head == before.head and after.expires["timestamp"] > before.expires["timestamp"]
        follower.sync()

    def test_signs_the_other_roles_when_half_their_time_is_gone(self, feed: Repository, follower: Follower) -> None:
        publish()
        before = feed.published()
        assert before is not None
        for hours in (11, 13):
            actions.refresh_timestamp(now=NOW + hours * HOUR)
            after = feed.published()
            assert after is not None
            assert (after.versions["snapshot"] > before.versions["snapshot"]) == (hours == 13)
        assert after.head == before.head and after.targets == before.targets
        follower.sync()

    def test_takes_up_a_delegation_that_was_renewed(self, feed: Repository, follower: Follower, data: Path) -> None:
        publish()
        follower.sync()
        offline = data / "keys" / "feed-offline"
        made = actions.renew_offline(offline=offline, passphrase=None, roles=["root", "targets"], now=NOW + DAY)
        assert made == {"root": 2, "targets": 2}
        assert actions.refresh_timestamp(now=NOW)
        published = feed.published()
        assert published is not None and published.offline_targets_version == 2
        follower.sync()
        assert (follower.folder / "metadata" / "root_history" / "2.root.json").exists()

    def test_erases_files_a_day_after_the_last_metadata_that_named_them(
        self, feed: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "SNAPSHOT_EVERY", 8)
        monkeypatch.setattr(rules, "LIVE_DELTAS", 12)
        publish()
        for number in range(20):
            entered(address(number))
            publish()
        files = set(feed.targets.rglob("*.gz"))
        assert len(files) == 20 + 3
        assert actions.refresh_timestamp(now=NOW + DAY - HOUR)
        assert set(feed.targets.rglob("*.gz")) == files
        assert actions.refresh_timestamp(now=NOW + DAY)
        left = set(feed.targets.rglob("*.gz"))
        published = feed.published()
        assert published is not None and len(left) < len(files)
        assert {feed.place_of(file) for file in live_files_of(feed)} <= left
        assert Edition.objects.get(sequence=1).erased_at is not None
        assert bytes(Edition.objects.get(sequence=1).delta) == b""
        entered(address(9999))
        assert publish(NOW + DAY) == 1

    def test_erases_old_metadata_and_what_a_kill_left_unfinished(self, feed: Repository) -> None:
        for number in range(3):
            entered(address(number))
            publish()
        left = feed.metadata / ".0123.new"
        left.write_bytes(b"half")
        old = (feed.metadata / "timestamp.json").stat().st_mtime - 2 * 3600
        for version in (1, 2):
            for role in ("feed", "snapshot"):
                os.utime(feed.metadata / f"{version}.{role}.json", (old, old))
        assert actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY)
        names = {path.name for path in feed.metadata.iterdir()}
        # Version 1 was followed two hours ago; version 2 by one that is new, so it may still be asked for.
        assert "1.feed.json" not in names and "1.snapshot.json" not in names and left.name not in names
        assert {"2.feed.json", "2.snapshot.json", "3.feed.json", "1.root.json", "1.targets.json"} <= names
        assert feed.published() is not None


def live_files_of(feed: Repository) -> list:  # type: ignore[type-arg]
    published = feed.published()
    assert published is not None
    signed = feed._load("feed", published.versions["feed"]).signed
    return live_files(signed)


class TestTheDatabase:
    """Holds the invariants, whoever writes."""

    def test_refuses_an_edition_that_leaves_a_gap(self, data: Path) -> None:
        opening = actions.cut_edition(now=NOW)
        assert opening is not None
        with pytest.raises(DatabaseError), transaction.atomic():
            Edition.objects.create(
                sequence=2,
                session=opening.session,
                cut_at=NOW,
                digest_before=EMPTY,
                digest_after=EMPTY,
                entries=0,
                changes=0,
                delta_path="x",
            )

    @pytest.mark.parametrize(
        "change",
        [
            {"digest_after": "0" * 64},
            {"delta": b"another"},
            {"delta": b""},
            {"delta_path": "x"},
            {"entries": 9},
            {"cut_at": NOW + HOUR},
        ],
    )
    def test_refuses_to_change_an_edition(self, data: Path, change: dict[str, object]) -> None:
        actions.cut_edition(now=NOW)
        entered(address(1))
        actions.cut_edition(now=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            Edition.objects.filter(sequence=1).update(**change)

    def test_refuses_a_second_publication(self, feed: Repository) -> None:
        publish()
        for change in ({"published_at": NOW + HOUR}, {"published_at": None}, {"snapshot_sha256": "0" * 64}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Edition.objects.filter(sequence=0).update(**change)

    @pytest.mark.parametrize("model", [Edition, EditionChange, Receipt])
    def test_refuses_to_delete_and_to_empty(self, data: Path, model: type[Edition]) -> None:
        actions.cut_edition(now=NOW)
        entered(address(1))
        actions.cut_edition(now=NOW)
        if model is not Receipt:
            with pytest.raises(DatabaseError), transaction.atomic():
                model.objects.all()._raw_delete(using="default")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")

    def test_refuses_a_change_in_two_editions(self, data: Path) -> None:
        actions.cut_edition(now=NOW)
        entered(address(1))
        edition = actions.cut_edition(now=NOW)
        assert edition is not None
        with pytest.raises(DatabaseError), transaction.atomic():
            EditionChange.objects.create(change=Change.objects.get(), edition=edition, position=5)

    def test_refuses_that_a_sequence_or_a_version_goes_back(self, feed: Repository) -> None:
        entered(address(1))
        publish()
        with pytest.raises(DatabaseError), transaction.atomic():
            Session.objects.update(sequence=0)
        with pytest.raises(DatabaseError), transaction.atomic():
            MetadataVersion.objects.update(version=0)

    def test_keeps_every_committed_change_waiting_by_itself(self, db: None) -> None:
        entered(address(1), address(2))
        assert set(WaitingChange.objects.values_list("change", flat=True)) == set(
            Change.objects.values_list("pk", flat=True)
        )


class TestPrivacy:
    def test_nothing_published_can_reach_a_holder(self, feed: Repository) -> None:
        holder = uuid.UUID("c0ffee00-c0ff-4e00-8000-c0ffeec0ffee")
        registration = entered(address(1), holder=holder)
        moved(registration, address(2))
        publish()
        actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=NOW)
        publish(NOW)
        seen = plain_bytes(feed.path)
        entry = registration.entries.get()
        assert entry.feed_id.encode() in seen and b"10.0.0.2/32" in seen
        for planted in (
            str(holder),
            holder.hex,
            registration.reference,
            str(registration.pk),
            registration.pk.hex,
            registration.origin,
            str(entry.pk),
            entry.pk.hex,
            entry.origin,
            "vpn_freelancer",
            "64500",
            "officer",
            "sample-fibre",
            "Sample Fibre",
        ):
            assert planted.encode() not in seen, planted

    def test_the_feed_role_may_sign_for_its_own_files_only(self) -> None:
        assert PATHS == "feed/*/*"


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def test_a_change_that_commits_after_a_later_number_is_not_lost(self, feed: Repository, follower: Follower) -> None:
        publish()
        written, go_on = threading.Event(), threading.Event()

        def slow() -> None:
            try:
                with transaction.atomic():
                    entered(address(1))
                    written.set()
                    assert go_on.wait(30)
            finally:
                connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        assert written.wait(30)
        try:
            entered(address(2))
            assert publish() == 1
        finally:
            go_on.set()
            thread.join()
        assert publish() == 1
        follower.sync()
        numbers = list(EditionChange.objects.order_by("edition", "position").values_list("change", flat=True))
        assert numbers == sorted(numbers, reverse=True) and len(numbers) == 2
        assert len(follower.entries) == 2

    def test_publishers_at_once_make_one_feed(self, feed: Repository, follower: Follower) -> None:
        for number in range(12):
            entered(address(number))
        failures: list[BaseException] = []

        def run(first: int) -> None:
            try:
                for number in range(first, first + 6):
                    entered(address(number))
                    publish()
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(100 * (number + 1),)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        head = follower.sync()
        assert head.entries == len(follower.entries) == 30
        assert head.digest == digest_of_the_register()
        assert EditionChange.objects.count() == 30 and not WaitingChange.objects.exists()


def _delta(edition: Edition) -> list:  # type: ignore[type-arg]
    import io

    return list(EditionReader(io.BytesIO(bytes(edition.delta)), DELTA_LIMITS))
