"""Pages that are read from real replicas, whose replay stands still where a test says so. The choice alone, in 10,000
interleavings: tests/db/test_replicas.py."""

import random
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from psycopg import sql

from rahdari.db import replicas
from rahdari.db.models import FailingItem
from rahdari.decide import desk
from rahdari.figures import queries as figures
from rahdari.journal.models import JournalEntry
from rahdari.ops import doctor_replicas
from rahdari.ops.checks import NOTE, OK, WRONG
from rahdari.people.models import User
from rahdari.publish import metrics
from rahdari.web.replicas import from_replica, position_of
from tests import waiting
from tests.builders.cases import a_case
from tests.builders.publishing import entered, struck_out
from tests.ops.standbys import Standby, standbys_of_a_copy, use
from tests.web.test_replicas import all_marked

pytestmark = [pytest.mark.whole, pytest.mark.django_db(transaction=True)]
QUEUE = "decide:queue"
# Pages that need something of a name: what there is.
NAMED: dict[str, list[str]] = {"figures:data": ["definitions.csv"], "licensees:data": ["list.json"]}
OF_ONE_THING = {"figures:month", "licensees:provider", "portal:certificate_link"}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[list[Standby]]:
    with django_db_blocker.unblock(), standbys_of_a_copy(tmp_path_factory.mktemp("standbys"), 2) as found:
        yield found


class Floor:
    """Of a test: nobody waits for a moment to pass."""

    position = 0

    def at(self, now: float) -> int:
        return self.position


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> Floor:
    found = Floor()
    monkeypatch.setattr(replicas, "floor", found)
    return found


@pytest.fixture
def standbys(made: list[Standby], floor: Floor, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Standby]]:
    use(monkeypatch, *made)
    for each in made:
        each.go_on()
    try:
        yield made
    finally:
        for replica in replicas.replicas():
            replica.close()
        replicas.replicas.cache_clear()
        for each in made:
            each.go_on()


@pytest.fixture
def read_from(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The replicas that were read, one for each reading."""
    found: list[str] = []
    read = replicas.Replica.read

    def noted(self: replicas.Replica) -> Any:
        found.append(self.name)
        return read(self)

    monkeypatch.setattr(replicas.Replica, "read", noted)
    return found


def a_browser(who: User | None = None) -> Client:
    made = Client()
    if who is not None:
        made.force_login(who)
    return made


def quoted(text: str) -> str:
    return sql.Literal(text).as_string()


class TestReader:
    def test_sees_their_own_write_while_all_replicas_stand_still(
        self, standbys: list[Standby], officer: User, second: User, read_from: list[str]
    ) -> None:
        for each in standbys:
            each.go_on()
            each.stand_still()
        mine, also_mine, other = a_browser(officer), a_browser(officer), a_browser(second)
        for number in range(5):
            name = f"View {number}"
            assert mine.post(reverse("decide:save_view"), {"name": name}).status_code == 302
            assert name in mine.get(reverse(QUEUE)).text
            # In another browser of theirs too.
            assert name in also_mine.get(reverse(QUEUE)).text
        assert read_from == []
        # Who wrote nothing meanwhile is answered by a replica, which does not hold anybody up.
        assert other.get(reverse(QUEUE)).status_code == 200 and len(read_from) == 1
        standbys[0].go_on()
        # The one that has it, and never the other.
        for _ in range(8):
            assert "View 4" in mine.get(reverse(QUEUE)).text
        assert len(read_from) == 9 and set(read_from[1:]) == {replicas.replicas()[0].name}

    def test_is_recorded_as_one_who_looked(self, standbys: list[Standby], officer: User, read_from: list[str]) -> None:
        """At the primary, once, and that is no write which keeps the next page there."""
        case = a_case()
        for each in standbys:
            each.go_on()
        page = a_browser(officer).get(reverse(QUEUE)).text
        assert case.application.reference in page and len(read_from) == 1
        (look,) = JournalEntry.objects.filter(act="decide.read_list")
        assert look.detail["shown"] == [case.application.subject]
        assert position_of(officer) == 0

    def test_who_is_signed_out_elsewhere_reads_no_more(
        self, standbys: list[Standby], officer: User, read_from: list[str]
    ) -> None:
        browser = a_browser(officer)
        assert browser.get(reverse(QUEUE)).status_code == 200
        for each in standbys:
            each.go_on()
            each.stand_still()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_session")
        assert browser.get(reverse(QUEUE)).status_code == 302 and len(read_from) == 1


class TestVisitor:
    def check(self, number: str) -> str:
        return Client().get(reverse("portal:check_number"), {"number": number}).text

    def test_is_answered_by_a_replica(self, standbys: list[Standby], read_from: list[str]) -> None:
        registration = entered("203.0.113.7/32", now=timezone.now())
        for each in standbys:
            each.go_on()
        assert "Valid" in self.check(registration.reference) and len(read_from) == 1
        # That the number was checked stands in the journal all the same, and so does the limit.
        assert JournalEntry.objects.filter(act="portal.read_number").count() == 1

    def test_is_told_of_no_number_that_it_does_not_exist_when_it_was_just_given(
        self, standbys: list[Standby], read_from: list[str]
    ) -> None:
        for each in standbys:
            each.stand_still()
        registration = entered("203.0.113.8/32", now=timezone.now())
        assert "Valid" in self.check(registration.reference) and len(read_from) == 1

    def test_reads_nothing_from_a_replica_that_lies_far_behind(
        self, standbys: list[Standby], floor: Floor, read_from: list[str]
    ) -> None:
        registration = entered("203.0.113.9/32", now=timezone.now())
        for each in standbys:
            each.go_on()
            each.stand_still()
        struck_out(registration, now=timezone.now())
        # Within the moment: what it was.
        assert "Struck out" not in self.check(registration.reference) and len(read_from) == 1
        # After it: the primary has been asked where it is.
        floor.position = replicas.written()
        assert "Struck out" in self.check(registration.reference) and len(read_from) == 1

    def test_gets_every_page_that_is_marked_and_nothing_is_written_there(
        self, standbys: list[Standby], officer: User, read_from: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        opened, answered = a_browser(officer), 0
        for name in all_marked():
            if name in OF_ONE_THING:
                continue
            path = reverse(name, args=NAMED.get(name, []))
            assert opened.get(path).status_code == 200, name
            answered += 1
            assert len(read_from) == answered, f"{name} is not read from a replica"
        assert answered >= 12
        assert not [each for each in caplog.records if "could not be read from" in each.message]


class TestPageThatIsMarked:
    def request(self) -> HttpRequest:
        found = RequestFactory().get("/")
        found.user = AnonymousUser()
        return found

    def test_reads_on_one_connection(self, standbys: list[Standby]) -> None:
        seen = []

        @from_replica
        def page(request: HttpRequest) -> HttpResponse:
            for _ in range(3):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid(), pg_is_in_recovery()")
                    seen.append(cursor.fetchone())
                FailingItem.objects.count()
            return HttpResponse()

        usual = connection.connection
        page(self.request())
        assert len(set(seen)) == 1 and seen[0][1] and connection.connection is usual

    def test_that_writes_after_all_is_done_at_the_primary(
        self, standbys: list[Standby], caplog: pytest.LogCaptureFixture
    ) -> None:
        @from_replica
        def page(request: HttpRequest) -> HttpResponse:
            now = timezone.now()
            FailingItem.objects.create(queue="x", item=uuid.uuid4().hex, attempts=1, since=now, next_at=now, error="x")
            return HttpResponse()

        assert page(self.request()).status_code == 200
        assert FailingItem.objects.filter(queue="x").count() == 1
        assert "read-only transaction" in caplog.text

    def test_that_finds_nothing_asks_the_primary(self, standbys: list[Standby]) -> None:
        asked = []

        @from_replica
        def page(request: HttpRequest) -> HttpResponse:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_is_in_recovery()")
                asked.append(cursor.fetchone()[0])
            if asked[-1]:
                raise Http404
            return HttpResponse()

        assert page(self.request()).status_code == 200 and asked == [True, False]

    def test_goes_on_at_the_primary_when_its_replica_fails_meanwhile(
        self, standbys: list[Standby], read_from: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        months, ended = figures.months, []

        def end_the_connection() -> Any:
            if not ended:
                ended.append(True)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            return months()

        monkeypatch.setattr(figures, "months", end_the_connection)
        assert Client().get(reverse("figures:figures")).status_code == 200
        assert ended and len(read_from) == 1
        # The next is read there again, on a new connection.
        assert Client().get(reverse("figures:figures")).status_code == 200 and len(read_from) == 2

    def test_keeps_the_calendar_of_the_primary(self, standbys: list[Standby], officer: User) -> None:
        """A process keeps it by its mark: it must not keep what a replica that is late has of it."""
        from rahdari.calendar import queries as calendars

        seen = []
        confirmed = calendars.confirmed

        def noted() -> Any:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_is_in_recovery()")
                seen.append(cursor.fetchone()[0])
            return confirmed()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(calendars, "confirmed", noted)
            patch.setattr(calendars, "_known", None)
            with replicas.replicas()[0].read():
                desk.desk(officer=officer, filters=desk.Filters(), now=timezone.now())
        assert seen == [False]


class TestReplica:
    def test_that_stops_costs_nobody_a_page(
        self,
        standbys: list[Standby],
        read_from: list[str],
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        away, stays = standbys
        # Longer than a busy machine takes for the pages below.
        monkeypatch.setattr(replicas, "LEFT_ALONE", 3600.0)
        address = reverse("figures:figures")
        # The first that is asked.
        monkeypatch.setattr(random, "sample", lambda among, number: list(among))
        first, second = (each.name for each in replicas.replicas())
        assert Client().get(address).status_code == 200 and read_from == [first]
        away.stop()
        try:
            for _ in range(3):
                assert Client().get(address).status_code == 200
            assert read_from == [first, second, second, second]
            assert caplog.text.count("is not asked for 3600 s") == 1
            stays.stop()
            assert Client().get(address).status_code == 200 and len(read_from) == 4
            said = list(doctor_replicas.check_replicas())
            assert [each.state for each in said] == [WRONG, WRONG] and "does not answer" in said[0].text
        finally:
            for each in standbys:
                if not each.server.alive():
                    each.server.start()

    def test_that_follows_nobody_or_was_made_the_primary_is_not_read(self, standbys: list[Standby]) -> None:
        first, _ = standbys
        replica = replicas.replicas()[0]
        assert replica.replayed() is not None
        (followed,) = first.ask("SELECT current_setting('primary_conninfo')")
        first.ask("ALTER SYSTEM SET primary_conninfo = ''")
        first.ask("SELECT pg_reload_conf()")
        waiting.until(lambda: first.ask("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)") == (False,))
        assert replica.replayed() is None
        assert "follows nobody" in next(iter(doctor_replicas.check_replicas())).text
        first.ask(f"ALTER SYSTEM SET primary_conninfo = {quoted(followed)}")
        first.ask("SELECT pg_reload_conf()")
        waiting.until(lambda: first.ask("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)") == (True,))
        assert replica.replayed() is not None


class TestDoctor:
    def test_says_how_far_each_lies_behind(self, standbys: list[Standby]) -> None:
        assert [each.state for each in doctor_replicas.check_replicas()] == [OK, OK]
        standbys[0].stand_still()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 3 * 1024 * 1024))")
        standbys[1].go_on()
        behind, level = doctor_replicas.check_replicas()
        assert (behind.state, level.state) == (NOTE, OK) and "3 MiB behind" in behind.text

    def test_is_confirmed_by_the_metrics_by_host_and_port(self, standbys: list[Standby]) -> None:
        late, away = replicas.replicas()
        standbys[0].stand_still()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 3 * 1024 * 1024))")
        standbys[1].stop()
        try:
            page = metrics.exposition(now=timezone.now())
        finally:
            standbys[1].server.start()
        told = dict(re.findall(r'^rahdari_replica_(\w+\{replica="[^"]+"\}) (\S+)$', page, re.MULTILINE))
        assert told.pop(f'follows{{replica="{late.name}"}}') == "1.0"
        assert told.pop(f'follows{{replica="{away.name}"}}') == "0.0"
        assert float(told.pop(f'behind_bytes{{replica="{late.name}"}}')) > 3 * 1024 * 1024
        assert told == {}

    def test_knows_the_primary_and_a_replica_of_another_database(
        self, standbys: list[Standby], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.conf import settings

        monkeypatch.setattr(settings, "REPLICAS", [dict(connection.settings_dict)])
        replicas.replicas.cache_clear()
        (found,) = doctor_replicas.check_replicas()
        assert found.state == NOTE and "is a primary" in found.text
        assert replicas.replicas()[0].replayed() is None
