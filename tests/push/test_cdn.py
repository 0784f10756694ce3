"""Editions in a real S3 store behind a real nginx, for a real agent: as deploy/nginx/feed-cdn.conf has it, with a cache
that is set wrongly, a bucket that stands still, and a store that is slow, answers with errors or with an old copy."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, Mirror
from rahdari.agent.faults import Exit
from rahdari.agent.mirrors import MirrorPassedBy
from rahdari.push.mirror import Behind, Carried, OldCopy, follow, plan_of
from rahdari.push.mirror import Mirror as Carrier
from rahdari.push.stores import Objects, s3
from tests.agent.feeds import Publisher, a_configuration, an_entry, now
from tests.agent.feeds import running as living
from tests.ports import free_port
from tests.push import test_nginx
from tests.push.between import BREAK, OLD, PASS, Act, Between, between
from tests.push.feeds import put, repository_of
from tests.push.nginx import Nginx, identity, nginx, running
from tests.push.process import PATIENCE
from tests.push.seaweed import Seaweed
from tests.push.shelves import Shelf
from tests.push.test_mirror import carried, read, server, stored
from tests.push.test_nginx import asked, data, no_proxy, publisher, status
from tests.waiting import until

__all__ = ["data", "no_proxy", "publisher", "server"]

pytestmark = pytest.mark.whole

REPOSITORY = f"repositories/{repository_of('sample-one')}/metadata"
TIMESTAMP = f"/{REPOSITORY}/timestamp.json"


@pytest.fixture
def account(server: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Seaweed:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def way(account: Seaweed) -> Iterator[Between]:
    """The way to the store."""
    with between(account.endpoint) as steered:
        yield steered


def bucket(way: Between, tmp_path: Path, name: str = "feed") -> Objects:
    """A place of its own in the bucket, whose requests are made once."""
    return s3(Seaweed("").bucket, f"{tmp_path.name}/{name}", endpoint=way.endpoint, retries=0)


def base(way: Between, tmp_path: Path, name: str = "feed") -> str:
    return f"{way.endpoint}/{Seaweed('').bucket}/{tmp_path.name}/{name}"


def places(url: str) -> Mirror:
    return Mirror(f"{url}/{REPOSITORY}", f"{url}/targets")


@contextmanager
def cdn_before(store: str, tmp_path: Path, **more: str) -> Iterator[Nginx]:
    """The very file that deployers are given, with their addresses in it."""
    replaced = {
        "https://store.example": store,
        "/BUCKET/PREFIX$1": f"/{Seaweed('').bucket}/{tmp_path.name}/feed$1",
        "/var/cache/nginx/rahdari-feed": str(tmp_path / "cache"),
        "/var/log/nginx/": f"{tmp_path}/",
        **more,
    }
    with nginx(tmp_path / "nginx", "feed-cdn.conf", "cdn.example", **replaced) as served:
        yield served


@pytest.fixture
def cdn(way: Between, tmp_path: Path) -> Iterator[Nginx]:
    with cdn_before(way.endpoint, tmp_path) as served:
        yield served


class World:
    """A publisher, its bucket, and an agent whose server is away."""

    def __init__(self, tmp_path: Path, data: Path, publisher: Publisher, way: Between) -> None:
        self.tmp_path, self.data, self.publisher, self.way = tmp_path, data, publisher, way

    def publish(self, *buckets: str) -> None:
        self.publisher.publish(an_entry(f"192.0.2.{self.publisher.sequence + 1}/32"))
        for name in buckets:
            assert carried(self.data / "feed", bucket(self.way, self.tmp_path, name)).faults == {}

    def agent(self, cdn: Nginx, *mirrors: str) -> Configuration:
        return replace(
            a_configuration(
                self.tmp_path / "operator",
                f"http://127.0.0.1:{free_port()}",
                self.publisher.root_file,
                ca_file=cdn.identity.certificate,
            ),
            mirrors=tuple(places(url) for url in mirrors),
        )


@pytest.fixture
def world(tmp_path: Path, data: Path, publisher: Publisher, way: Between) -> World:
    return World(tmp_path, data, publisher, way)


class TestCdn:
    def test_gives_each_edition_at_once_and_all_but_the_timestamp_while_the_store_is_away(
        self, world: World, cdn: Nginx
    ) -> None:
        world.publish("feed")
        with living(world.agent(cdn, cdn.url)) as agent:
            for sequence in (1, 2):
                outcome = agent.sync(now=now())
                assert outcome.position is not None and outcome.position.sequence == sequence
                assert outcome.exit is Exit.OK
                world.publish("feed")
            world.way.spoil = lambda method, path: 503
            assert status(cdn, TIMESTAMP) == 503
            assert status(cdn, f"/{REPOSITORY}/3.snapshot.json") == 200
            outcome = agent.sync(now=now())
            assert outcome.exit is Exit.NO_NETWORK
            assert outcome.position is not None and outcome.position.sequence == 2
            world.way.well()
            outcome = agent.sync(now=now())
            assert outcome.position is not None and outcome.position.sequence == 3

    def test_asks_no_store_that_cannot_show_whose_it_is(self, world: World, way: Between, tmp_path: Path) -> None:
        world.publish("feed")
        # In the place of a store's certificate, which names it: nginx compares that with the name in `$store`.
        shown, another = identity(tmp_path / "store", "127.0.0.1"), identity(tmp_path / "another", "127.0.0.1")
        port = free_port()
        server = f"listen 127.0.0.1:{port} ssl; ssl_certificate {shown.certificate}; ssl_certificate_key {shown.key};"
        with running(tmp_path / "store", f"server {{ {server} location / {{ proxy_pass {way.endpoint}; }} }}"):
            for trusted, answer in ((shown, 200), (another, 502)):
                authorities = {"/etc/ssl/certs/ca-certificates.crt": str(trusted.certificate)}
                with cdn_before(f"https://127.0.0.1:{port}", tmp_path, **authorities) as cdn:
                    assert status(cdn, TIMESTAMP) == answer

    def test_keeps_what_never_changes_and_no_absence(self, world: World, cdn: Nginx) -> None:
        world.publish("feed")
        later = f"/{REPOSITORY}/{world.publisher.versions['snapshot'] + 1}.snapshot.json"
        assert status(cdn, later) == 404
        world.publish("feed")
        assert status(cdn, later) == 200
        world.way.asked.clear()
        for path in (f"{later}?another=1", later, later):
            # What a client shows would be refused by the store, and gets no further than this.
            with asked(cdn, path, Authorization="Bearer sample") as answer:
                assert answer.status == 200
                assert answer.getheader("Cache-Control") == "public, max-age=31536000, immutable"
        assert world.way.asked == []
        for _ in range(2):
            with asked(cdn, TIMESTAMP, **{"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}) as answer:
                assert (answer.status, answer.getheader("Cache-Control")) == (200, "no-cache")
        assert len(world.way.asked) == 2
        for path in ("/", "/targets/", f"/{REPOSITORY}/", "/feed/metadata/timestamp.json", f"/{Seaweed('').bucket}"):
            assert status(cdn, path) == 404


class TestFailover:
    def test_from_a_cache_that_keeps_everything_for_an_hour_to_the_cdn_and_never_back(
        self, world: World, cdn: Nginx
    ) -> None:
        port = free_port()
        text = test_nginx.TestCacheThatIsSetWrongly.CACHE.format(
            folder=world.tmp_path / "wrong-cache", port=port, behind=world.way.endpoint.rpartition(":")[2]
        )
        wrong = f"http://127.0.0.1:{port}/{Seaweed('').bucket}/{world.tmp_path.name}/feed"
        world.publish("feed")
        with running(world.tmp_path / "wrong", text), living(world.agent(cdn, wrong, cdn.url)) as agent:
            outcome = agent.sync(now=now())
            assert outcome.position is not None and outcome.position.sequence == 1
            world.publish("feed")
            outcome = agent.sync(now=now())
            assert outcome.position is not None and outcome.position.sequence == 2
            (said,) = [fault for fault in outcome.faults if isinstance(fault, MirrorPassedBy)]
            assert said.mirror == f"127.0.0.1:{port}" and "another 3" in said.what
            # The cache alone: it has nothing but the past.
            world.way.spoil = lambda method, path: 503
            outcome = agent.sync(now=now())
            assert outcome.position is not None and outcome.position.sequence == 2
            assert outcome.exit is Exit.NO_NETWORK
            passed = {fault.mirror: fault.what for fault in outcome.faults if isinstance(fault, MirrorPassedBy)}
            assert "refused" in passed[f"127.0.0.1:{port}"]
            assert "HTTP 503" in passed[f"127.0.0.1:{cdn.port}"]

    def test_from_a_bucket_that_no_longer_follows_and_back_when_it_does(self, world: World, cdn: Nginx) -> None:
        world.publish("feed", "still")
        still = base(world.way, world.tmp_path, "still")
        with living(world.agent(cdn, still, cdn.url)) as agent:
            for sequence, buckets, passed_by in (
                (1, ("feed",), 0),
                (2, ("feed",), 1),
                (3, ("feed", "still"), 1),
                (4, (), 0),
            ):
                outcome = agent.sync(now=now())
                assert outcome.position is not None and outcome.position.sequence == sequence
                assert sum(isinstance(fault, MirrorPassedBy) for fault in outcome.faults) == passed_by
                world.publish(*buckets)


class TestMirrorOfAStore:
    """`rahdari feed mirror` while the store has a bad day."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        return tmp_path / "data"

    @pytest.mark.parametrize("act", [500, 503, BREAK])
    def test_that_fails_at_each_request_in_turn_shows_nothing_half(
        self, data: Path, tmp_path: Path, way: Between, act: Act
    ) -> None:
        shelf, store = Shelf(data), bucket(way, tmp_path)
        shelf.stock(b"one")
        carried(data / "feed", store)
        before = read(store, TIMESTAMP[1:])
        shelf.stock(b"two" * 100_000)
        seen, failed_at, gone_on = 0, -1, 0
        while True:
            failed_at += 1
            count = iter(range(10_000))

            def spoil(method: str, path: str, count: Iterator[int] = count, at: int = failed_at) -> Act:
                return act if next(count) == at else PASS

            way.spoil = spoil
            try:
                result = carried(data / "feed", store)
                said = [str(fault) for fault in result.faults.values()]
            except Exception as error:
                said = [str(error)]
            way.well()
            if not said:
                break
            seen += 1
            assert "Error performing" in said[0] and way.endpoint in said[0]
            # What anybody reads there now leads to files that are all there.
            shown = read(store, TIMESTAMP[1:])
            assert shown is not None
            plan = plan_of(data / "feed", REPOSITORY, shown)
            assert {*plan.targets, *plan.roles, plan.snapshot} <= stored(store).keys()
            gone_on += shown != before
        # Only the reading back comes after the timestamp.
        assert seen >= 5 and gone_on <= 1
        assert read(store, TIMESTAMP[1:]) == (data / "feed" / TIMESTAMP[1:]).read_bytes()

    def test_that_does_not_answer_holds_up_no_publisher_and_gets_what_is_newest_then(
        self, data: Path, tmp_path: Path, way: Between
    ) -> None:
        shelf, store, go_on = Shelf(data), bucket(way, tmp_path), threading.Event()
        shelf.stock(b"one")
        way.spoil = lambda method, path: go_on if method == "PUT" else PASS
        results: list[Carried] = []
        carrying = threading.Thread(target=lambda: results.append(carried(data / "feed", store)))
        carrying.start()
        try:
            assert way.kept.wait(PATIENCE)
            # The store has not answered yet: what is published meanwhile is published.
            shelf.stock(b"two")
            assert read(store, TIMESTAMP[1:]) is None
        finally:
            go_on.set()
            carrying.join()
        assert results[0].faults == {}
        way.well()
        assert carried(data / "feed", store).announced == 1
        assert read(store, TIMESTAMP[1:]) == (data / "feed" / TIMESTAMP[1:]).read_bytes()

    def test_that_is_away_is_said_with_the_way_out_and_gone_on_with(
        self, data: Path, tmp_path: Path, way: Between, caplog: pytest.LogCaptureFixture
    ) -> None:
        Shelf(data).stock(b"one")
        way.spoil = lambda method, path: 503

        async def story() -> None:
            results = asyncio.Queue[Carried]()
            carrier = Carrier(data / "feed", bucket(way, tmp_path))
            task = asyncio.create_task(
                follow(carrier, asyncio.Event(), told=results.put_nowait, pause=0.01, longest=0.02)
            )
            await asyncio.to_thread(until, lambda: caplog.records)
            way.well()
            assert (await asyncio.wait_for(results.get(), PATIENCE)).announced == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        with caplog.at_level(logging.ERROR, "rahdari.push"):
            asyncio.run(story())
        said = caplog.messages[0]
        assert "the mirror is not in step: " in said and "503" in said and f"GET {way.endpoint}" in said
        assert "It is tried again by itself" in said and "see that the store answers" in said

    def test_that_answers_with_an_old_copy_is_named_and_is_no_way_back(
        self, data: Path, tmp_path: Path, way: Between
    ) -> None:
        shelf, store = Shelf(data), bucket(way, tmp_path)
        carrier = Carrier(data / "feed", store)
        shelf.stock(b"one")
        assert carried(data / "feed", store, carrier).faults == {}
        old = (data / "feed" / TIMESTAMP[1:]).read_bytes()
        way.spoil = lambda method, path: OLD if path.endswith(TIMESTAMP) else PASS
        shelf.stock(b"two")
        fault = carried(data / "feed", store, carrier).faults[repository_of("sample-one")]
        assert isinstance(fault, OldCopy)
        assert str(fault).startswith("the store took version 2 of a timestamp and answers with an older one (1;")
        # The data folder goes back as well: the store would believe it, and this process knows better.
        current = (data / "feed" / TIMESTAMP[1:]).read_bytes()
        put(data / "feed" / TIMESTAMP[1:], old)
        carrier.forget()
        assert isinstance(carried(data / "feed", store, carrier).faults[repository_of("sample-one")], Behind)
        put(data / "feed" / TIMESTAMP[1:], current)
        way.well()
        assert carried(data / "feed", store, carrier).faults == {}
        assert read(store, TIMESTAMP[1:]) == current
