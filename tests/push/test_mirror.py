"""The mirror: one contract for every store, a real S3 server among them."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rahdari.push.commands import NotAPlace, place
from rahdari.push.mirror import Behind, Carried, Mirror, NoFeed, Store, follow
from rahdari.push.stores import Folder, s3
from tests.push.feeds import OTHER_SESSION, put, repository_of
from tests.push.process import PATIENCE
from tests.push.seaweed import Seaweed, seaweed
from tests.push.shelves import Shelf
from tests.waiting import until


@pytest.fixture(scope="module")
def server() -> Iterator[Seaweed]:
    with seaweed() as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "folder":
        return Folder(tmp_path / "store")
    server: Seaweed = request.getfixturevalue("server")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    # A place of its own for each test.
    return s3(server.bucket, f"test/{tmp_path.name}", endpoint=server.endpoint)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def carried(feed: Path, store: Store, mirror: Mirror | None = None) -> Carried:
    async def act() -> Carried:
        return await (mirror or Mirror(feed, store)).carry()

    return asyncio.run(act())


def stored(store: Store) -> dict[str, int]:
    return asyncio.run(store.sizes())


def read(store: Store, key: str) -> bytes | None:
    return asyncio.run(store.read(key))


class Watched:
    """A store that notes the order of what is asked of it, and can fail."""

    def __init__(self, store: Store, *, failing_at: str = "") -> None:
        self.store, self.failing_at = store, failing_at
        self.written: list[str] = []
        self.erased: list[str] = []

    async def sizes(self) -> dict[str, int]:
        return await self.store.sizes()

    async def read(self, key: str) -> bytes | None:
        return await self.store.read(key)

    async def write(self, key: str, content: Path | bytes, *, media_type: str, cache: str) -> None:
        if self.failing_at and self.failing_at in key:
            raise OSError("the store is away")
        await self.store.write(key, content, media_type=media_type, cache=cache)
        self.written.append(key)

    async def erase(self, keys: Sequence[str]) -> None:
        await self.store.erase(keys)
        self.erased += keys


class TestCarry:
    def test_brings_everything_a_timestamp_leads_to_and_nothing_else(self, data: Path, store: Store) -> None:
        shelf = Shelf(data)
        targets = shelf.stock(b"one", os.urandom(100_000))
        put(data / "feed-access" / "operators.json", b"secret")
        put(data / "feed" / ".lock", b"")
        put(shelf.metadata / ".unfinished.new", b"half")
        put(data / "feed" / "targets" / "feed-static" / OTHER_SESSION / f"{'0' * 64}.unreferenced", b"later")
        result = carried(data / "feed", store)
        folder = f"repositories/{repository_of('sample-one')}/metadata"
        names = ("1.feed-static.json", "1.root.json", "1.snapshot.json", "1.targets.json", "timestamp.json")
        assert sorted(stored(store)) == sorted([*targets, *(f"{folder}/{name}" for name in names)])
        assert (result.written, result.announced, result.erased, result.faults) == (7, 1, 0, {})
        for key in stored(store):
            assert read(store, key) == (data / "feed" / key).read_bytes()

    def test_writes_nothing_twice(self, data: Path, store: Store) -> None:
        shelf = Shelf(data)
        shelf.stock(b"one")
        carried(data / "feed", store)
        again = carried(data / "feed", store)
        assert (again.written, again.announced, again.erased) == (0, 0, 0)
        shelf.stock(b"two")
        # A delta, the role, the list of roles and the timestamp: the cost of an edition, whatever is there already.
        assert carried(data / "feed", store).written == 4

    def test_puts_the_timestamp_last_and_all_it_needs_before(self, data: Path, store: Store) -> None:
        Shelf(data).stock(b"one", b"two")
        watched = Watched(store)
        carried(data / "feed", watched)
        kinds = [key.rpartition("/")[2].partition(".")[2] for key in watched.written]
        assert all(key.startswith("targets/") for key in watched.written[:2])
        assert sorted(kinds[2:5]) == ["feed-static.json", "root.json", "targets.json"]
        assert kinds[5:] == ["snapshot.json", "json"]

    def test_shares_what_operators_of_equal_rights_share(self, data: Path, store: Store) -> None:
        one, two = Shelf(data), Shelf(data, "sample-two")
        name = f"snap-1-{'05' * 16}.jsonl.gz"
        assert one.add(b"same", name=name) == two.add(b"same", name=name)
        one.stock()
        two.stock()
        watched = Watched(store)
        carried(data / "feed", watched)
        assert sum(key.startswith("targets/") for key in watched.written) == 1

    def test_goes_on_where_it_was_broken_off_and_shows_nothing_half(self, data: Path, store: Store) -> None:
        shelf = Shelf(data)
        shelf.stock(b"one")
        carried(data / "feed", store)
        before = read(store, f"repositories/{repository_of('sample-one')}/metadata/timestamp.json")
        shelf.stock(b"two", b"three")
        for part in ("targets/", "feed-static.json", "snapshot.json", "timestamp.json"):
            result = carried(data / "feed", Watched(store, failing_at=part))
            assert list(result.faults) == [repository_of("sample-one")]
            assert read(store, f"repositories/{repository_of('sample-one')}/metadata/timestamp.json") == before
        last = carried(data / "feed", store)
        assert (last.written, last.announced, last.faults) == (1, 1, {})

    def test_of_one_repository_is_not_hindered_by_another(self, data: Path, store: Store) -> None:
        Shelf(data).stock(b"one")
        broken = Shelf(data, "sample-two")
        broken.stock(b"two")
        (broken.metadata / "1.snapshot.json").unlink()
        result = carried(data / "feed", store)
        assert list(result.faults) == [repository_of("sample-two")]
        assert result.announced == 1

    def test_writes_again_what_has_another_length(self, data: Path, store: Store) -> None:
        (target,) = Shelf(data).stock(b"whole")
        carried(data / "feed", store)
        asyncio.run(store.write(target, b"ha", media_type="application/octet-stream", cache=""))
        asyncio.run(store.erase([f"repositories/{repository_of('sample-one')}/metadata/timestamp.json"]))
        carried(data / "feed", store)
        assert read(store, target) == b"whole"

    def test_does_not_take_a_store_back_to_an_older_edition(self, data: Path, store: Store) -> None:
        shelf = Shelf(data)
        shelf.stock(b"one")
        old = (shelf.metadata / "timestamp.json").read_bytes()
        shelf.stock(b"two")
        carried(data / "feed", store)
        put(shelf.metadata / "timestamp.json", old)
        result = carried(data / "feed", store)
        assert isinstance(result.faults[repository_of("sample-one")], Behind)
        assert result.written == 0

    @pytest.mark.parametrize(
        "target", ["../../escape/x", "feed-static/x", f"feed-static/{'0' * 32}/a b", "/etc/passwd", "keys/online.pem"]
    )
    def test_does_not_carry_what_no_file_of_the_feed_is_called(self, data: Path, tmp_path: Path, target: str) -> None:
        shelf = Shelf(data)
        shelf.targets[target] = {"length": 1, "hashes": {"sha256": "0" * 64}}
        shelf.stock()
        result = carried(data / "feed", Folder(tmp_path / "store"))
        assert "name" in str(result.faults[repository_of("sample-one")])
        assert result.written == 0


class TestErase:
    def test_follows_the_publisher_in_the_end_and_touches_nothing_else(self, data: Path, store: Store) -> None:
        shelf = Shelf(data)
        (old,) = shelf.stock(b"old")
        carried(data / "feed", store)
        asyncio.run(store.write("targets/README", b"of another", media_type="text/plain", cache=""))
        shelf.targets.clear()
        (new,) = shelf.stock(b"new")
        carried(data / "feed", store)
        # Named no more, and kept for the agents that are at it.
        assert old in stored(store)
        (data / "feed" / old).unlink()
        assert carried(data / "feed", store).erased == 1
        assert old not in stored(store)
        assert {new, "targets/README"} <= stored(store).keys()

    def test_takes_the_timestamp_of_an_operator_who_left_before_the_rest(self, data: Path, store: Store) -> None:
        Shelf(data).stock(b"one")
        gone = Shelf(data, "sample-two")
        gone.stock(b"two")
        watched = Watched(store)
        carried(data / "feed", watched)
        shutil.rmtree(gone.metadata.parent)
        carried(data / "feed", watched)
        assert watched.erased[0].endswith("timestamp.json")
        assert len(watched.erased) == 5
        assert not any(repository_of("sample-two") in key for key in stored(store))

    def test_does_not_happen_on_the_word_of_a_folder_that_is_not_there(self, data: Path, store: Store) -> None:
        Shelf(data).stock(b"one")
        carried(data / "feed", store)
        before = stored(store)
        shutil.move(data / "feed", data / "away")
        (data / "feed").mkdir()
        with pytest.raises(NoFeed):
            carried(data / "feed", store)
        assert stored(store) == before


class TestFollow:
    def test_carries_each_edition_and_outlives_a_store_that_is_away(self, data: Path, tmp_path: Path) -> None:
        shelf = Shelf(data)
        shelf.stock(b"one")
        watched = Watched(Folder(tmp_path / "store"), failing_at="timestamp")

        async def story() -> None:
            woken, results = asyncio.Event(), asyncio.Queue[Carried]()
            mirror = Mirror(data / "feed", watched)
            task = asyncio.create_task(follow(mirror, woken, told=results.put_nowait, pause=0.01, longest=0.02))
            assert (await asyncio.wait_for(results.get(), PATIENCE)).faults
            watched.failing_at = ""
            while not (await asyncio.wait_for(results.get(), PATIENCE)).announced:
                pass
            shelf.stock(b"two")
            woken.set()
            while not (await asyncio.wait_for(results.get(), PATIENCE)).announced:
                pass
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        asyncio.run(story())
        timestamp = f"repositories/{repository_of('sample-one')}/metadata/timestamp.json"
        assert read(watched.store, timestamp) == (data / "feed" / timestamp).read_bytes()


class TestCommand:
    def command(self, data: Path, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "rahdari", "feed", "mirror", "--data", str(data), *arguments]

    def said(self, data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("RAHDARI", "AWS", "DATABASE"))
        }
        command = self.command(data, *arguments)
        return subprocess.run(command, capture_output=True, text=True, env=kept | environment)

    def test_writes_to_s3_what_a_cdn_can_give_out(self, data: Path, server: Seaweed) -> None:
        shelf = Shelf(data)
        (target,) = shelf.stock(b"one")
        to = ("--to", f"s3://{server.bucket}/command", "--endpoint", server.endpoint)
        said = self.said(data, *to, **server.environment)
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout.startswith("1 repositories brought up to date: 6 files written")
        base = f"{server.endpoint}/{server.bucket}/command"
        folder = f"{base}/repositories/{repository_of('sample-one')}/metadata"
        for url, cache, kind in (
            (f"{folder}/timestamp.json", "no-cache", "application/json"),
            (f"{folder}/1.snapshot.json", "public, max-age=31536000, immutable", "application/json"),
            (f"{base}/{target}", "public, max-age=31536000, immutable", "application/gzip"),
        ):
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                assert (answer.headers["Cache-Control"], answer.headers["Content-Type"]) == (cache, kind)

    def test_says_what_is_wrong_and_how_to_mend_it(self, data: Path, server: Seaweed) -> None:
        data.mkdir()
        nothing = self.said(data, "--to", str(data / "store"))
        assert nothing.returncode == 1
        assert "There is no feed" in nothing.stderr
        Shelf(data).stock(b"one")
        wrong = server.environment | {"AWS_SECRET_ACCESS_KEY": "another"}
        to = ("--to", f"s3://{server.bucket}/wrong", "--endpoint", server.endpoint)
        refused = self.said(data, *to, **wrong)
        assert refused.returncode == 1
        assert "cannot be read" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        for place_ in ("https://store.example/feed", ""):
            unknown = self.said(data, "--to", place_)
            assert unknown.returncode == 2
            assert "cannot be written to" in unknown.stderr

    def test_follows_until_it_is_told_to_stop(self, data: Path, tmp_path: Path) -> None:
        shelf = Shelf(data)
        shelf.stock(b"one")
        log, store = tmp_path / "log", tmp_path / "store"
        with log.open("wb") as output:
            command = self.command(data, "--to", str(store), "--follow")
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            copy = store / "repositories" / repository_of("sample-one") / "metadata" / "timestamp.json"
            for _ in range(3):
                until(lambda: copy.is_file() and copy.read_bytes() == (shelf.metadata / copy.name).read_bytes(), log)
                shelf.stock(b"more")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, log.read_text()
            assert "stays whole" in log.read_text()
        finally:
            process.kill()
            process.wait()

    def test_says_what_to_install_when_the_library_is_not_there(self, data: Path) -> None:
        Shelf(data)
        words = ["feed", "mirror", "--data", str(data), "--to", str(data / "store")]
        program = f"import sys; sys.modules['obstore'] = None; from rahdari.cli import main; sys.exit(main({words!r}))"
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert said.returncode == 2
        assert "pip install 'rahdari[s3]'" in said.stderr

    @pytest.mark.parametrize("to", ["https://a.example/b", "s3:///b", "", "ftp://a.example"])
    def test_takes_no_other_place(self, to: str) -> None:
        with pytest.raises(NotAPlace):
            place(to, "", "", None)
