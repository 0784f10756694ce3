"""Every committed change goes into one edition of each stream it concerns; the files say what the register says."""

import datetime as dt
import io
import itertools
import re
import threading
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from rahdari.feed import DELTA_LIMITS, EMPTY, EditionReader, Kind, Op, Operation
from rahdari.publish import actions, envelope, queries, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, File, Listing, Operator, PendingChange, Stream
from rahdari.register import actions as register
from rahdari.register import queries as registered
from rahdari.register.models import Change
from tests.builders.publishing import (
    NOW,
    Follower,
    address,
    an_operator,
    digest_of,
    entered,
    moved,
    plain_bytes,
    publish,
    struck_out,
)

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def digest_of_the_register() -> str:
    entries = (Change.objects.filter(entry=entry).latest("id").snapshot for entry in registered.active_entries())
    return digest_of(rules.entry_of(said) for said in entries).hexdigest()


def everything(role: str = "feed-static") -> Stream:
    return Stream.objects.get(everything=True, role=role)


def cut() -> list[Edition]:
    return actions.cut_edition(now=NOW)


def of(editions: list[Edition], stream: Stream) -> Edition:
    return next(edition for edition in editions if edition.stream_id == stream.pk)


def lines(edition: Edition) -> list[Operation]:
    file = File.objects.get(session=edition.session, width=1, to_sequence=edition.sequence)
    return list(EditionReader(io.BytesIO(bytes(file.content)), DELTA_LIMITS))


def files_written(feed: Repository, operator: Operator) -> list[Path]:
    sessions = queries.sessions_by_operator(now=NOW)[operator.pk]
    return [path for path in feed.targets.rglob("*.gz") if path.parent.name in sessions]


def starts_again(feed: Repository) -> None:
    """As if the process were another: nothing is known of the folder."""
    from rahdari.publish import editions

    editions._compared.clear()
    envelope._published.clear()
    envelope._trusted.clear()


class Counting:
    queries = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.queries += 1
        return execute(sql, params, many, context)


class Undone(Exception):
    """Ends a transaction."""


class TestCutEdition:
    def test_opens_the_streams_of_everything_with_the_empty_set(self, data: Path) -> None:
        opening = cut()
        assert {edition.stream.role for edition in opening} == {"feed-static", "feed-dynamic", "feed-canary"}
        assert {(edition.sequence, edition.entries, edition.digest) for edition in opening} == {(0, 0, EMPTY)}
        assert cut() == []
        entered(address(1))
        (edition,) = cut()
        assert (edition.stream, edition.sequence, edition.entries, edition.changes) == (everything(), 1, 1, 1)
        assert cut() == []

    def test_takes_what_became_of_an_entry_as_one_line(self, data: Path) -> None:
        an_operator(gateway=True)
        cut()
        first, second, third = entered(address(1)), entered(address(2)), entered(address(3))
        assert [line.op for line in lines(of(cut(), everything()))] == [Op.ADD] * 3
        moved(first, address(4))
        register.renew(registration=first, valid_until=NOW + 800 * DAY, actor="officer:1", now=NOW)
        struck_out(second)
        moved(third, address(5))
        struck_out(third)
        passing = entered(address(6))
        struck_out(passing)
        edition = of(cut(), everything())
        said = lines(edition)
        assert [line.entry.id for line in said] == sorted(line.entry.id for line in said)
        assert sorted(line.op for line in said) == [Op.REMOVE, Op.REMOVE, Op.REPLACE]
        replaced = next(line for line in said if line.op is Op.REPLACE)
        assert replaced.was is not None and replaced.was.prefix == address(1)
        assert (replaced.entry.prefix, replaced.entry.not_after[:4]) == (address(4), str((NOW + 800 * DAY).year))
        assert next(line for line in said if line.op is Op.REMOVE).entry.prefix in {address(2), address(3)}
        assert (edition.entries, edition.digest) == (1, digest_of_the_register())

    def test_of_what_came_and_went_unseen_makes_none(self, data: Path) -> None:
        cut()
        struck_out(entered(address(1)))
        assert cut() == [] and queries.changes_waiting() == 0

    def test_of_a_long_backlog_makes_several(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "CHANGES_IN_AN_EDITION", 3)
        cut()
        registration = entered(address(1), address(2))
        moved(registration, address(3))
        struck_out(registration)
        first, second = cut(), cut()
        assert (first[0].entries, second[0].entries, second[0].digest) == (2, 0, EMPTY)
        assert cut() == []

    def test_leaves_no_change_waiting_and_takes_none_twice(self, data: Path) -> None:
        cut()
        entered(address(1), address(2))
        assert queries.changes_waiting() == 2
        cut()
        assert queries.changes_waiting() == 0
        assert sorted(Listing.objects.values_list("change", flat=True)) == sorted(
            Change.objects.values_list("pk", flat=True)
        )

    def test_that_is_rolled_back_leaves_everything_waiting(self, data: Path) -> None:
        cut()
        entered(address(1))

        def stop(name: str) -> None:
            raise RuntimeError(name)

        with pytest.raises(RuntimeError):
            actions.cut_edition(now=NOW, checkpoint=stop)
        assert queries.changes_waiting() == 1 and Edition.objects.count() == 3 and not Listing.objects.exists()
        assert len(cut()) == 1

    def test_asks_the_database_as_often_whatever_the_register_and_the_operators_are(self, data: Path) -> None:
        an_operator()
        cut()

        def queries_of_one_cut() -> int:
            with connection.execute_wrapper(counting := Counting()):
                assert cut()
            return counting.queries

        entered(address(0))
        first = queries_of_one_cut()
        for number in range(1, 9):
            an_operator(f"other-{number}", asns=[64600 + number])
            entered(address(number), asn=64600 + number)
            cut()
        entered(address(30))
        assert queries_of_one_cut() == first


class TestPublishEditions:
    def test_does_nothing_without_keys_and_keeps_all_changes(self, data: Path) -> None:
        entered(address(1))
        assert publish() == 0
        assert queries.changes_waiting() == 1 and not Edition.objects.exists()

    def test_says_what_the_register_says(self, feed: Repository, follower: Follower) -> None:
        publish()
        assert follower.sync().entries == 0
        first, second = entered(address(1), address(2)), entered("2001:db8:40::/64")
        publish()
        follower.sync()
        assert follower.prefixes == {address(1), address(2), "2001:db8:40::/64"}
        moved(second, "2001:db8:41::/64")
        struck_out(first)
        publish()
        head = follower.sync()
        assert follower.prefixes == {"2001:db8:41::/64"}
        assert head.digest == digest_of_the_register()
        assert [file.kind for file in follower.read] == [Kind.SNAPSHOT, Kind.DELTA, Kind.DELTA]

    def test_says_it_in_a_role_for_each_kind(self, feed: Repository, follower: Follower) -> None:
        entered(address(1))
        entered(address(2), kind="dynamic")
        entered(address(3), kind="canary")
        publish()
        for number, role in enumerate(("feed-static", "feed-dynamic", "feed-canary"), start=1):
            reader = follower.another(role, role=role)
            reader.sync()
            assert reader.prefixes == {address(number)}

    def test_tells_of_expiry(self, feed: Repository, follower: Follower) -> None:
        entered(address(1), until=NOW + DAY)
        publish()
        assert follower.sync().entries == 1
        register.expire_due(now=NOW + DAY)
        publish()
        assert follower.sync().entries == 0

    def test_signs_only_what_a_change_concerns(self, feed: Repository, operator: Operator) -> None:
        other, gateway = an_operator("other", asns=[64501]), an_operator("gateway", gateway=True)
        publish()
        before = {each.slug: feed.of(each.repository).published() for each in (operator, other, gateway)}
        entered(address(1))
        publish()
        after = {each.slug: feed.of(each.repository).published() for each in (operator, other, gateway)}
        assert {slug for slug in before if before[slug] != after[slug]} == {operator.slug, "gateway"}

    def test_publishes_a_change_before_it_writes_a_snapshot(self, feed: Repository, operator: Operator) -> None:
        publish()
        entered(address(1))
        passed: list[str] = []
        actions.publish_editions(now=NOW + HOUR, checkpoint=passed.append)
        entered(address(2))
        actions.publish_editions(now=NOW + HOUR, checkpoint=passed.append)
        assert passed.index("mark: committed") < passed.index("snapshot: written")

    def test_of_a_change_that_comes_while_a_snapshot_is_written_does_not_wait_for_it(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "ENTRIES_AT_A_TIME", 2)
        publish()
        entered(*[address(number) for number in range(9)])
        looked = queries.something_to_cut
        published_during: list[int] = []

        def meanwhile(*, now: dt.datetime) -> bool:
            """The publisher looks for changes between two parts of the snapshot; just then some come."""
            unfinished = list(feed.targets.rglob(".*.new"))
            if unfinished and not published_during:
                published_during.append(1)
                struck_out(Listing.objects.order_by("pk").last().entry.registration)  # type: ignore[union-attr]
                entered(address(100))
            return looked(now=now)

        monkeypatch.setattr(queries, "something_to_cut", meanwhile)
        passed: list[str] = []
        actions.publish_editions(now=NOW + HOUR, checkpoint=passed.append)
        assert published_during
        assert passed.index("mark: committed", passed.index("mark: committed") + 1) < passed.index("snapshot: written")
        assert follower.sync().entries == 1
        snapshot = next(
            file for file in files_written(feed, follower.operator) if file.name.split(".")[1].startswith("snap-1-")
        )
        with snapshot.open("rb") as file:
            assert len(list(EditionReader(file, DELTA_LIMITS))) == 9

    def test_that_takes_a_while_says_when_each_was_published(
        self, feed: Repository, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = itertools.count(0, 7)
        monkeypatch.setattr(actions, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        publish()
        published = Edition.objects.filter(stream__role="feed-static").order_by("published_at")
        # Of everything, and then of the operator's own networks.
        assert [each.published_at - NOW for each in published] == [7 * SECOND, 14 * SECOND]

    def test_asks_the_database_few_questions_before_it_is_signed(self, feed: Repository, follower: Follower) -> None:
        """Each costs half a millisecond of the way from a grant to the operators, and each transaction a flush: there
        is one."""
        publish()
        entered(address(1))
        publish()
        entered(address(2))
        asked: dict[str, int] = {}

        def until(point: str) -> None:
            asked[point] = len(questions)

        with CaptureQueriesContext(connection) as questions:
            actions.publish_editions(now=NOW + dt.timedelta(minutes=1), checkpoint=until)
        assert 0 < asked["cut: committed"] == asked["signed"] <= 17
        assert len(questions) <= 27

    def test_wakes_whoever_waits(self, feed: Repository, operator: Operator) -> None:
        publish()
        entered(address(1))
        heard = []

        class Listening:
            def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
                heard.extend([sql] if sql.startswith("NOTIFY") else [])
                return execute(sql, params, many, context)

        with connection.execute_wrapper(Listening()):
            publish()
        assert heard == ["NOTIFY rahdari_published"]

    def test_publishes_what_was_cut_before(self, feed: Repository, follower: Follower) -> None:
        publish()
        for number in range(3):
            entered(address(number))
            cut()
        assert Edition.objects.filter(published_at=None).count() == 6
        assert publish() == 6
        assert follower.sync().sequence == 3
        assert not Edition.objects.filter(published_at=None).exists()

    def test_writes_no_files_of_a_stream_that_nobody_follows(self, feed: Repository, operator: Operator) -> None:
        publish()
        entered(address(1), asn=64999)
        publish()
        assert of(list(Edition.objects.filter(sequence=1)), everything()).published_at is not None
        assert not File.objects.filter(session__stream=everything()).exists()

    def test_writes_again_what_was_lost_from_the_folder(self, feed: Repository, follower: Follower) -> None:
        entered(address(1))
        publish()
        follower.sync()
        before = feed.of(follower.operator.repository).published()
        for path in sorted(feed.path.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        entered(address(2))
        publish()
        follower.sync()
        assert len(follower.entries) == 2
        newcomer = follower.another("newcomer")
        newcomer.sync()
        assert newcomer.entries == follower.entries
        after = feed.of(follower.operator.repository).published()
        assert before is not None and after is not None
        assert after.snapshot.version > before.snapshot.version
        assert after.timestamp_version > before.timestamp_version

    def test_signs_again_what_a_power_cut_left_torn(self, feed: Repository, follower: Follower) -> None:
        publish()
        entered(address(1))
        publish()
        follower.sync()
        metadata = feed.of(follower.operator.repository).metadata
        published = feed.of(follower.operator.repository).published()
        assert published is not None
        for name in ("timestamp.json", f"{published.snapshot.version}.snapshot.json"):
            (metadata / name).write_bytes(b"")
        starts_again(feed)
        publish()
        assert follower.sync().sequence == 1

    def test_asks_the_database_as_often_for_each_change(self, feed: Repository, operator: Operator) -> None:
        publish()

        def queries_of_one_edition() -> int:
            with connection.execute_wrapper(counting := Counting()):
                publish()
            return counting.queries

        entered(address(0))
        first = queries_of_one_edition()
        for number in range(1, 12):
            an_operator(f"other-{number}", asns=[64600 + number])
            entered(address(number), asn=64600 + number)
            publish()
        entered(address(30))
        assert queries_of_one_edition() == first


class TestPrivacy:
    def test_nothing_published_can_reach_a_holder(self, feed: Repository) -> None:
        holder = uuid.UUID("c0ffee00-c0ff-4e00-8000-c0ffeec0ffee")
        an_operator("sample-fibre", name="Sample Fibre")
        registration = entered(address(1), holder=holder)
        publish()
        moved(registration, address(2))
        publish()
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
            # Not as a part of a signature in hex, where five digits stand by chance.
            assert not re.search(rb"(?<![0-9a-f])" + re.escape(planted.encode()) + rb"(?![0-9a-f])", seen), planted

    def test_what_one_operator_can_reach_says_nothing_of_another(self, feed: Repository, follower: Follower) -> None:
        """Whatever happens elsewhere, not a byte of it changes; and it names no session but its own."""
        entered(address(1))
        other = an_operator("other", asns=[64501])
        publish()
        metadata = feed.of(follower.operator.repository).metadata
        before = {path.name: path.read_bytes() for path in metadata.iterdir()}
        entered(address(2), asn=64501)
        entered(address(3), asn=64501, kind="canary")
        actions.stop_operator(operator=other, actor="officer:1", now=NOW)
        publish()
        assert {path.name: path.read_bytes() for path in metadata.iterdir()} == before
        sessions = queries.sessions_by_operator(now=NOW)
        theirs = {path.parent.name for path in feed.targets.rglob("*.gz")} - set(sessions[follower.operator.pk])
        assert len(theirs) == 3 and not any(session.encode() in b"".join(before.values()) for session in theirs)


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
                    assert go_on.wait(60)
            finally:
                connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        assert written.wait(60)
        try:
            entered(address(2))
            publish()
        finally:
            go_on.set()
            thread.join()
        publish()
        follower.sync()
        numbers = list(
            Listing.objects.filter(stream=everything()).order_by("from_sequence").values_list("change", flat=True)
        )
        assert numbers == sorted(numbers, reverse=True) and len(numbers) == 2
        assert follower.prefixes == {address(1), address(2)}

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
        assert not PendingChange.objects.exists()
