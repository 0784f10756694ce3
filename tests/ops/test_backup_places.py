"""Where backups and the log are kept: folders and stores, what they hold sealed, and their bad days."""

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import cli
from rahdari.ops.backup import lines, restoring, sealing, state, taking, wal
from rahdari.ops.backup.target import Target, TargetAway
from rahdari.ops.errors import Told
from tests.push.between import BREAK, OLD, PASS, Act, Between, between
from tests.push.seaweed import Seaweed, seaweed

from .backups import Kept, Register, change, copy, damage, decisions_in, kept, new, register

__all__ = ["copy", "kept", "new", "register"]


def keeps_a_segment_once(target: Target, folder: Path) -> None:
    private = folder / "private.key"
    public = sealing.new_key(private)
    path = folder / "00000001000000000000000A"
    path.write_bytes(b"a" * 1000)
    with pytest.raises(wal.NoBackupThere, match="or its disk is not mounted"):
        wal.put(path, target, public)
    assert target.keys("") == []
    target.put_data("register.json", {"identifier": "1"})
    wal.put(path, target, public)
    wal.put(path, target, public)
    assert len(target.keys("wal/")) == 1
    assert wal.fetch(path.name, folder / "back", target, private)
    assert (folder / "back").read_bytes() == path.read_bytes()
    assert not wal.fetch("00000001000000000000000B", folder / "other", target, private)
    path.write_bytes(b"b" * 1000)
    with pytest.raises(wal.AnotherWrites):
        wal.put(path, target, public)


class TestTheLines:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Target:
        made = Target(str(tmp_path / "place"))
        made.put_data("register.json", {"identifier": "7"})
        return made

    def test_a_later_one_ends_the_one_that_it_left_where_it_left_it(self, place: Target, tmp_path: Path) -> None:
        public = sealing.new_key(tmp_path / "key")

        def put(name: str, content: bytes = b"log") -> None:
            (tmp_path / name).write_bytes(content)
            wal.put(tmp_path / name, place, public)

        put("000000010000000000000004")
        put("000000010000000000000006", b"of before")
        # It left line 1 in the middle of segment 5.
        put("00000002.history", b"1\t0/5000028\tbefore 2026-03-01 12:00:00+00\n")
        put("000000020000000000000005")
        for name in ("000000010000000000000005", "000000010000000000000007", "000000010000000100000001"):
            with pytest.raises(lines.LineLeft):
                put(name)
        # What it has of line 1, what was there already, and what PostgreSQL leaves of the segment in the middle.
        put("000000010000000000000003")
        put("000000010000000000000006", b"of before")
        put("000000010000000000000005.partial")
        put("000000030000000000000001")
        assert wal.newest_line(wal.names(place), place, tmp_path / "key") == lines.Line(2, {1: 0x5000028})

    def test_backups_alone_tell_of_a_later_one(self, register: Register, new: Path) -> None:
        place = Target(str(new.parent / "place"))
        made = register.take(place)
        assert made.timeline == 1 and made.until > 0
        change(place, made, first_segment=f"00000002{made.first_segment[8:]}")
        with pytest.raises(lines.LineLeft):
            register.take(place)

    def test_a_backup_is_on_a_line_that_left_after_it(self, kept: Kept) -> None:
        backup = taking.all_backups(kept.register.target)[-1]
        assert backup.is_on(lines.Line(1)) and backup.is_on(lines.Line(3, {1: backup.until, 2: backup.until}))
        assert not backup.is_on(lines.Line(2, {1: backup.until - 1})) and not backup.is_on(lines.Line(2))


class TestTheLog:
    def test_a_segment_is_kept_once_and_never_overwritten(self, tmp_path: Path) -> None:
        keeps_a_segment_once(Target(str(tmp_path / "place")), tmp_path)

    def test_its_commands_answer_as_postgresql_asks(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        private = tmp_path / "private.key"
        environment = {"RAHDARI_BACKUP": str(tmp_path / "place"), "RAHDARI_BACKUP_KEY": sealing.new_key(private)}
        environment["RAHDARI_BACKUP_IDENTITY"] = str(private)
        segment = tmp_path / "000000010000000000000001"
        segment.write_bytes(b"log")
        assert wal.main(["put", str(segment)], environment) == 1
        assert "there is no such folder" in capsys.readouterr().err
        Target(str(tmp_path / "place")).put_data("register.json", {"identifier": "1"})
        assert wal.main(["fetch", segment.name, str(tmp_path / "back")], environment) == 1
        assert wal.main(["put", str(segment)], environment) == 0
        (key,) = [key for key, _ in Target(str(tmp_path / "place")).keys("wal/")]
        damage(Target(str(tmp_path / "place")), key)
        # Above 125 a recovery ends, instead of taking it for the end of the log.
        assert wal.main(["fetch", segment.name, str(tmp_path / "back")], environment) > 125
        assert "does not open" in capsys.readouterr().err
        segment = segment.rename(tmp_path / "000000010000000000000002")
        assert wal.main(["put", str(segment)], environment | {"RAHDARI_BACKUP_KEY": "age1none"}) == 1
        del environment["RAHDARI_BACKUP_IDENTITY"]
        assert wal.main(["fetch", segment.name, str(tmp_path / "back")], environment) > 125
        assert "'RAHDARI_BACKUP_IDENTITY' is not set" in capsys.readouterr().err

    @given(st.integers(1, 2**32 - 1), st.integers(0, 2**40 - 1))
    def test_a_name_is_one_segment(self, timeline: int, number: int) -> None:
        segment = wal.Segment(timeline, number)
        assert wal.segment(segment.name) == segment

    @given(st.integers(0, 600), st.integers(1, 40), st.data())
    def test_each_gap_is_found(self, first: int, count: int, data: st.DataObject) -> None:
        segments = [wal.Segment(1, number) for number in range(first, first + count)]
        names = [each.name for each in data.draw(st.permutations(segments))]
        assert wal.check_unbroken(names, segments[0]) == segments[-1]
        if count > 1:
            gone = data.draw(st.sampled_from(segments[:-1]))
            with pytest.raises(wal.Missing) as caught:
                wal.check_unbroken([name for name in names if name != gone.name], segments[0])
            assert caught.value.first == gone.name


class TestSealed:
    @given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=70_000), max_size=4))
    def test_opens_to_what_it_was(self, files: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as name:
            here = Path(name)
            sealing.new_key(here / "key")
            (here / "from").mkdir()
            for each, content in files.items():
                (here / "from" / each).write_bytes(content)
            identity = sealing.identity(here / "key")
            sealing.seal_folder(here / "from", sorted(files), here / "sealed", [identity.to_public()])
            sealing.open_folder(iter([(here / "sealed").read_bytes()]), "x", here / "to", identity)
            back = {path.name: path.read_bytes() for path in (here / "to").iterdir()} if files else {}
            assert back == files

    @given(st.integers(1, 400))
    def test_is_refused_when_its_end_is_cut_off(self, lost: int) -> None:
        with tempfile.TemporaryDirectory() as name:
            here = Path(name)
            sealing.new_key(here / "key")
            identity = sealing.identity(here / "key")
            (here / "paper").write_bytes(os.urandom(100_000))
            sealing.seal_folder(here, ["paper"], here / "sealed", [identity.to_public()])
            with pytest.raises(sealing.CannotOpen):
                sealing.open_folder(iter([(here / "sealed").read_bytes()[:-lost]]), "x", here / "to", identity)

    def test_writes_nothing_outside(self, tmp_path: Path) -> None:
        sealing.new_key(tmp_path / "key")
        identity = sealing.identity(tmp_path / "key")
        sealing.seal_folder(tmp_path, [], tmp_path / "sealed", [identity.to_public()], added={"../outside": b"x"})
        with pytest.raises(sealing.CannotOpen):
            sealing.open_folder(iter([(tmp_path / "sealed").read_bytes()]), "x", tmp_path / "to" / "it", identity)
        assert not (tmp_path / "to" / "outside").exists()

    @pytest.mark.parametrize("text", ["", "age1nothing", "AGE-SECRET-KEY-1"])
    def test_no_key_is_said(self, text: str, tmp_path: Path) -> None:
        with pytest.raises(sealing.NoSuchKey, match="rahdari backup new-key"):
            sealing.recipients(text)
        (tmp_path / "key").write_text(text)
        for path in (tmp_path / "key", tmp_path / "lost"):
            with pytest.raises(sealing.NoIdentity, match=r"private key.*or its second copy: no new key opens them"):
                sealing.identity(path)


def holds_as_a_place_does(target: Target) -> None:
    assert target.read("a/none") is None
    target.put("a/one", b"one")
    target.put("a/one", b"other")
    big = os.urandom(9_000_000)
    target.put("b/big", big)
    assert b"".join(target.pieces("b/big")) == big
    assert target.keys("a/") == [("a/one", 5)]
    with pytest.raises(FileNotFoundError):
        target.digest("a/none")
    target.erase(["a/one", "b/big"])
    assert target.keys("") == []


class TestPlaces:
    def test_a_folder(self, tmp_path: Path) -> None:
        holds_as_a_place_does(Target(str(tmp_path / "place")))

    @pytest.mark.whole
    def test_a_store_that_speaks_s3(
        self, monkeypatch: pytest.MonkeyPatch, register: Register, new: Path, tmp_path: Path
    ) -> None:
        with seaweed() as store:
            for name, value in {**store.environment, "AWS_ENDPOINT_URL": store.endpoint}.items():
                monkeypatch.setenv(name, value)
            target = Target(f"s3://{store.bucket}/backups-of-it")
            holds_as_a_place_does(target)
            keeps_a_segment_once(Target(f"s3://{store.bucket}/another"), tmp_path)
            register.enter(100)
            register.take(target)
            restoring.restore(target, register.private, new, to=None)
            assert 100 in decisions_in(new)
        with pytest.raises(Told, match="cannot be used for backups"):
            target.keys("")

    @pytest.mark.whole
    def test_that_is_empty_and_was_not_is_filled_on_purpose_alone(
        self, register: Register, new: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """As below a disk that is not mounted any more."""
        place = Target(str(new.parent / "place"))
        made = register.take(place)
        (new.parent / "place").rename(new.parent / "disk")
        monkeypatch.setenv("RAHDARI_BACKUP_KEY", register.public)
        monkeypatch.setenv("RAHDARI_BACKUP_DATABASE_URL", register.server.admin_url)
        words = ["backup", "--to", place.address, "--data", str(register.data)]
        for there in (False, True):
            assert cli.main(words) == 1
            said = capsys.readouterr().err
            assert f"The last verified one is {made.id}. {place.address} is empty, and {made.id} was verified" in said
            assert "If the place is new on purpose: rahdari backup --full" in said
            assert (new.parent / "place").exists() is there
            (new.parent / "place").mkdir(exist_ok=True)
        with pytest.raises(wal.NoBackupThere):
            wal.put(manifest := taking.local(register.data).of(made.id, "manifest"), place, register.public)
        assert manifest.exists() and place.keys("") == []
        # Backups that are kept elsewhere meanwhile change nothing.
        state.note(register.data, state.noted(register.data) | {"target": "elsewhere", "backup": {"id": "other"}})
        with pytest.raises(taking.PlaceEmpty):
            register.take(place, full=False)
        assert register.take(place).is_full

    @pytest.mark.parametrize(
        "words", [["backup", "list", "--to"], ["restore", "--data", "new", "--key", "k", "--from"]]
    )
    def test_that_is_only_read_is_not_made(
        self, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main([*words, str(tmp_path / "typo")]) == 1
        assert "there is no such folder; correct its name, or mount its disk" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_a_store_without_an_account_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        with pytest.raises(TargetAway, match="its account is not set: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"):
            Target("s3://bucket.example/backups")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "known")
        with pytest.raises(TargetAway, match="its account is not set: AWS_SECRET_ACCESS_KEY"):
            Target("s3://bucket.example/backups")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "known")
        Target("s3://bucket.example/backups")

    def test_that_is_empty_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(restoring.NothingToRestore, match=r"There is no backup in .*\. Look whether"):
            restoring.choose(Target(str(tmp_path)), [], None)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["backup", "new-key", "none/key"], "none/key cannot be written: No such file or directory. Name a file"),
            (["drill", "restore", "--work", "none"], "none is no folder. Name one that is there with --work"),
        ],
    )
    def test_a_folder_that_is_not_there_is_named(
        self, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(words) == 1
        assert said in capsys.readouterr().err

    @pytest.mark.parametrize("address", ["ftp://example.org/x", "/proc/none/place"])
    def test_what_is_none_is_said(self, address: str) -> None:
        with pytest.raises(Told, match="cannot be used for backups"):
            Target(address)


@pytest.fixture(scope="module")
def way() -> Iterator[Between]:
    """To a real S3 server."""
    with seaweed() as store, between(store.endpoint) as way:
        yield way


@pytest.mark.whole
class TestAStoreOnABadDay:
    """A real S3 server, and on the way to it what the test says. A real backup of a real database each time."""

    @pytest.fixture
    def place(self, way: Between, new: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
        """One of its own for each test, where each thing is asked once."""
        for name, value in {**Seaweed(way.endpoint).environment, "AWS_ENDPOINT_URL": way.endpoint}.items():
            monkeypatch.setenv(name, value)
        yield Target(f"s3://{Seaweed(way.endpoint).bucket}/{new.parent.name}", retries=0)
        way.well()

    def test_that_fails_at_a_step_leaves_no_backup_that_counts_and_the_next_one_works(
        self, register: Register, way: Between, place: Target
    ) -> None:
        # At the beginning; in the middle of an upload; as it is read back; at the very end.
        steps: tuple[tuple[Act, str, str], ...] = (
            (500, "GET", "register.json"),
            (BREAK, "PUT", taking.DATABASE),
            (503, "GET", taking.KEYS),
            (503, "PUT", "backup.json"),
        )
        for act, method, end in steps:

            def spoil(asked: str, path: str, what: tuple[Act, str, str] = (act, method, end)) -> Act:
                return what[0] if asked == what[1] and path.endswith(what[2]) else PASS

            way.spoil = spoil
            with pytest.raises(TargetAway, match=rf"Error performing {method} .*What was finished before stays"):
                register.take(place)
            way.well()
            assert taking.all_backups(place) == []
        made = register.take(place)
        assert taking.all_backups(place) == [made]
        assert {key.split("/")[1] for key, _ in place.keys("backups/")} == {made.id}

    def test_that_is_slow_and_answers_as_before_the_writing_gets_no_backup_called_verified(
        self,
        register: Register,
        way: Between,
        place: Target,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        # It is waited for.
        go_on, taken = threading.Event(), list[taking.Backup]()
        way.spoil = lambda method, path: go_on if method == "PUT" else PASS
        way.kept.clear()
        taking_it = threading.Thread(target=lambda: taken.append(register.take(place)))
        taking_it.start()
        try:
            assert way.kept.wait(60)
            assert taking.all_backups(place) == []
        finally:
            go_on.set()
            taking_it.join()
        (before,) = taking.all_backups(place)
        assert taken == [before]
        monkeypatch.setenv("RAHDARI_BACKUP_KEY", register.public)
        monkeypatch.setenv("RAHDARI_BACKUP_DATABASE_URL", register.server.admin_url)
        words = ["backup", "--full", "--to", place.address, "--data", str(register.data)]
        for part in (taking.DATABASE, "backup.json"):

            def spoil(method: str, path: str, part: str = part) -> Act:
                return OLD if path.endswith(part) and before.id not in path else PASS

            way.spoil = spoil
            assert cli.main(words) == 1
            said = capsys.readouterr()
            assert "verified." not in said.out
            assert f"is not verified and does not count. The last verified one is {before.id}." in said.err
            assert f"{part} was kept, and what is read back is something else or nothing" in said.err
            way.well()
            assert taking.all_backups(place) == [before]

    def test_that_answers_with_an_old_list_loses_no_backup_by_the_next_one(
        self, register: Register, way: Between, place: Target, new: Path
    ) -> None:
        second = register.take(place)
        # The description of the last one is listed, and whoever answers does not have it yet.
        way.spoil = lambda method, path: 404 if path.endswith(f"{second.id}/backup.json") else PASS
        with pytest.raises(TargetAway, match=f"{second.id}/backup.json is listed, and what answers"):
            register.take(place)
        way.well()
        assert taking.all_backups(place) == [second]
        # Nothing of it is listed: it was verified here, and is not taken for gone.
        state_of_now = state.noted(register.data)
        place.erase([second.key("backup.json")])
        said: list[str] = []
        third = register.take(place, say=said.append)
        assert any(f"no longer has {second.id}, which was verified there" in text for text in said)
        assert third.number == second.number + 1
        place.put_data(second.key("backup.json"), state_of_now["backup"])
        assert [each.id for each in taking.all_backups(place)] == [second.id, third.id]
        for part, (digest, _) in second.objects.items():
            assert place.digest(second.key(part)) == digest
