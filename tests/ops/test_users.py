"""A user for each process, as docs/install.md lays it out: who can read what, tried as those users."""

import dataclasses
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from rahdari import cli
from rahdari.ops import datafolder, doctor, drop_root, environments, postgres, processes, start
from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection
from rahdari.ops.doctor_feed import check_feed_keys
from rahdari.ops.doctor_files import check_files
from rahdari.publish import actions, folder
from rahdari.publish import keys as publish_keys
from rahdari.publish.commands import status
from rahdari.vault import keys
from tests.builders.publishing import NOW
from tests.needs import needs_namespaces, needs_program, needs_root
from tests.ops.test_start import TRIES
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
# Those of a vantage point and an operator, and what a timer starts.
NOT_OF_THE_REGISTER = ("rahdari-agent-watch", "rahdari-vantage", "rahdari-backup")
# Numbers that no account here has.
USERS = {"rahdari": 61_001, "rahdari-feed": 61_002, "rahdari-serve": 61_003}
DATA_GROUP = 61_010


def documented() -> list[list[str]]:
    """The commands of the section that make folders and say whose they are."""
    text = (ROOT / "docs" / "install.md").read_text()
    section = text.partition("### A user for each process")[2].partition("\n### ")[0]
    words = [line.split() for line in section.splitlines() if re.match(r"    (install|chown|chmod) ", line)]
    assert len(words) >= 6
    return words


MAIN = pwd.struct_passwd(("rahdari", "x", USERS["rahdari"], USERS["rahdari"], "", "/", "/bin/false"))
THREE = drop_root.Users(
    MAIN,
    drop_root.Other("rahdari-feed", USERS["rahdari-feed"], USERS["rahdari-feed"], (DATA_GROUP,)),
    drop_root.Other("rahdari-serve", USERS["rahdari-serve"], USERS["rahdari-serve"], (DATA_GROUP,)),
    DATA_GROUP,
)


@pytest.fixture
def data(one_users: Path) -> Path:
    """The folder, handed over by the commands of the page."""
    names = USERS | {"rahdari-data": DATA_GROUP}
    for words in documented():
        here = [word.replace("/var/lib/rahdari", str(one_users)) for word in words]
        # Numbers in the place of names; what is no name of ours stays.
        subprocess.run([":".join(str(names.get(part, part)) for part in word.split(":")) for word in here], check=True)
    return one_users


@pytest.fixture
def one_users() -> Iterator[Path]:
    """A data folder as `prepare`, a ceremony and the publisher leave it, where all of them are one user."""
    needs_root()
    # Not below pytest's own folder, which other users may not enter.
    above = Path(tempfile.mkdtemp(prefix="rahdari-users-"))
    above.chmod(0o755)
    folder = above / "data"
    datafolder.make(folder, datafolder.REGISTER)
    keys.make_missing(folder / "keys")
    datafolder.secret_key(folder)
    for name in ("keys/feed/timestamp.pem", "documents/ab/abcd", "sms.toml"):
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("secret")
        path.chmod(0o600)
    for name, mode in (("feed/metadata/1.root.json", 0o644), ("feed-access/operators.json", 0o640)):
        path = folder / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text("{}")
        path.chmod(mode)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, USERS["rahdari"], USERS["rahdari"], follow_symlinks=False)
    yield folder
    shutil.rmtree(above)


def tried(user: str, *paths: Path | str) -> set[str]:
    """What becomes of reading each of the paths as this user."""
    return tried_as(USERS[user], USERS[user], DATA_GROUP, *paths)


def tried_as(uid: int, gid: int, data_group: int, *paths: Path | str) -> set[str]:
    done = subprocess.run(
        ["/usr/bin/python3", "-c", TRIES, json.dumps([str(path) for path in paths])],
        user=uid,
        group=gid,
        extra_groups=[data_group],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout).values())


@pytest.fixture
def publisher() -> Iterator[int]:
    """A process of the publisher's user with a secret in its environment."""
    running = subprocess.Popen(
        ["/usr/bin/python3", "-c", "import sys; print(flush=True); sys.stdin.read()"],
        user=USERS["rahdari-feed"],
        group=USERS["rahdari-feed"],
        extra_groups=[DATA_GROUP],
        env={"DATABASE_URL": "postgresql://secret"},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.readline()
    yield running.pid
    running.communicate()


class TestKeysOfTheFeed:
    def test_are_read_by_the_publisher_alone(self, data: Path) -> None:
        signing = (data / "keys" / "feed", data / "keys" / "feed" / "timestamp.pem")
        assert tried("rahdari-feed", *signing) == {"read"}
        assert tried("rahdari", *signing) == {"refused"}
        assert tried("rahdari-serve", *signing) == {"refused"}

    def test_are_not_reached_through_the_publishers_process_either(self, data: Path, publisher: int) -> None:
        there = Path(f"/proc/{publisher}")
        ways = (there / "environ", f"{there}/root{data}/keys/feed/timestamp.pem", there / "mem", there / "fd")
        for user in ("rahdari", "rahdari-serve"):
            assert tried(user, *ways) == {"refused"}
        # So it was, and is under `rahdari up`: the same user has two of these ways.
        assert tried("rahdari-feed", *ways[:2]) == {"read"}


class TestOtherSecrets:
    def test_are_read_by_pages_and_worker_alone(self, data: Path) -> None:
        secrets = [data / "keys" / f"{name}.key" for name in (*keys.NAMES, "django")]
        secrets += [data / "documents" / "ab" / "abcd", data / "sms.toml"]
        assert tried("rahdari", *secrets) == {"read"}
        assert tried("rahdari-feed", *secrets) == {"refused"}
        assert tried("rahdari-serve", *secrets) == {"refused"}

    def test_leave_the_feed_to_whoever_serves_it(self, data: Path) -> None:
        served = (data / "feed" / "metadata" / "1.root.json", data / "feed-access" / "operators.json", data / "version")
        for user in USERS:
            assert tried(user, *served) == {"read"}


class TestWhatThePublisherMakes:
    @pytest.mark.parametrize("umask", [drop_root.UMASK, 0o027, 0o077])
    def test_is_read_by_whoever_serves_it(self, data: Path, umask: int) -> None:
        """Folders of a new operator, in one that is there already and in one that is not; also by a command in a shell
        that keeps all to itself."""
        unit = (UNITS / "rahdari-publisher.service").read_text()
        assert int(re.findall(r"^UMask=(\d+)$", unit, re.MULTILINE)[0], 8) == drop_root.UMASK
        (data / "feed" / "repositories").mkdir()
        os.chown(data / "feed" / "repositories", USERS["rahdari-feed"], DATA_GROUP)
        made = [data / "feed" / "repositories" / "new" / "1.json", data / "feed" / "streams" / "new" / "1.json"]

        def publish() -> bool:
            os.umask(umask)
            for path in made:
                folder.write_whole(path, b"{}")
            return True

        assert as_user("rahdari-feed", publish)
        assert tried("rahdari-serve", *made) == tried("rahdari", *made) == {"read"}
        stranger = 61_004
        assert tried_as(stranger, stranger, stranger, *made) == {"refused"}


class TestGiveTo:
    def test_leaves_the_publisher_what_is_the_publishers(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Root has run a command that wrote into both folders."""
        (data / "keys" / "feed" / "new.pem").touch()
        (data / "feed" / "new").mkdir()
        (data / "feed" / "new" / "1.json").touch()
        (data / "documents" / "new").touch()
        drop_root.give_to(MAIN, data)
        owners = {
            name: (data / name).stat().st_uid
            for name in ("keys/feed", "keys/feed/new.pem", "feed", "feed/new", "feed/new/1.json", "documents/new")
        }
        assert owners == dict.fromkeys(owners, USERS["rahdari-feed"]) | {"documents/new": USERS["rahdari"]}
        assert data.stat().st_mode & 0o7777 == 0o2750

    def test_gives_the_publisher_the_keys_that_root_has_just_made(self, data: Path) -> None:
        shutil.rmtree(data / "keys" / "feed")
        (data / "keys" / "feed").mkdir()
        (data / "keys" / "feed" / "timestamp.pem").write_text("secret")
        drop_root.give_to(MAIN, data)
        assert tried("rahdari-feed", data / "keys" / "feed" / "timestamp.pem") == {"read"}
        assert tried("rahdari", data / "keys" / "feed") == {"refused"}


def owners(folder: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        found[str(path.relative_to(folder))] = (status.st_uid, status.st_gid, status.st_mode)
    return found


class TestDivide:
    def test_does_what_the_commands_of_the_page_do(self, data: Path) -> None:
        documented_result = owners(data)
        for path in [data, *data.rglob("*")]:
            os.chown(path, USERS["rahdari"], USERS["rahdari"])
        data.chmod(0o700)
        (data / "keys").chmod(0o700)
        drop_root.divide(data, THREE)
        assert owners(data) == documented_result
        drop_root.divide(data, THREE)
        assert owners(data) == documented_result

    def test_makes_the_feeds_folders_where_there_is_no_feed_yet(self, one_users: Path) -> None:
        for name in ("feed", "feed-access", "keys/feed"):
            shutil.rmtree(one_users / name)
        drop_root.divide(one_users, THREE)
        assert drop_root.divided(one_users)
        assert (one_users / "feed").stat().st_uid == USERS["rahdari-feed"]

    def test_follows_no_link_that_the_pages_user_has_put_there(self, one_users: Path) -> None:
        outside = one_users.parent / "outside"
        outside.mkdir()
        (outside / "file").touch()
        before = owners(outside)
        (one_users / "feed" / "inside").symlink_to(outside)
        drop_root.divide(one_users, THREE)
        assert owners(outside) == before
        for name in ("feed", "keys/feed"):
            (one_users / name).rename(one_users / "away")
            (one_users / name).symlink_to(outside)
            with pytest.raises(OSError, match=name):
                drop_root.divide(one_users, THREE)
            assert owners(outside) == before
            (one_users / name).unlink()
            (one_users / "away").rename(one_users / name)

    def test_lets_the_publisher_alone_pass_to_the_database(self, one_users: Path) -> None:
        socket = one_users / "postgres" / "run" / "socket"
        socket.parent.mkdir(parents=True)
        socket.write_text("socket")
        (one_users / "postgres" / "password").write_text("secret")
        (one_users / "postgres" / "password").chmod(0o600)
        for path in (one_users / "postgres").rglob("*"):
            os.chown(path, USERS["rahdari"], USERS["rahdari"])
        drop_root.divide(one_users, THREE, one_users / "postgres", one_users / "postgres" / "run")
        assert tried("rahdari-feed", socket) == {"read"}
        assert tried("rahdari-feed", one_users / "postgres" / "password") == {"refused"}
        assert tried("rahdari-serve", socket) == {"refused"}


class TestWhoRuns:
    def test_is_three_users_with_or_without_accounts(self) -> None:
        found = drop_root.users(pwd.getpwnam("nobody"))
        assert found is not None
        assert len({found.main.pw_uid, found.feed.uid, found.serve.uid, 0}) == 4
        assert found.feed.groups == found.serve.groups == (found.data,)

    def test_is_one_user_in_a_folder_that_belongs_to_a_person(self) -> None:
        assert drop_root.users(pwd.getpwnam("daemon")) is None

    def test_is_refused_without_root_where_the_publisher_is_another_user(self, data: Path) -> None:
        def is_told() -> bool:
            given = start.Start(datafolder.REGISTER, data, "127.0.0.1", free_port(beside=2))
            try:
                start.start(given)
            except start.AnothersFeed as error:
                return f"(the user {USERS['rahdari-feed']})" in str(error) and f"chown -R USER {data}" in str(error)
            return False

        assert as_user("rahdari", is_told)

    def test_is_told_when_the_database_lets_the_publisher_not_in(self) -> None:
        needs_root()
        with pytest.raises(start.PublisherNotLetIn, match=r"user rahdari-feed: .*pg_ident\.conf") as caught:
            start.check_publisher_is_let_in("postgresql://rahdari@/rahdari?host=/nonexistent", THREE.feed)
        assert "/nonexistent" in caught.value.why


KEEPER = """
import pwd, sys
sys.path.insert(0, sys.argv[1])
import ordinary
main = pwd.struct_passwd(("rahdari", "x", int(sys.argv[2]), int(sys.argv[2]), "", "/", "/bin/false"))
ordinary.become(main, groups=[int(sys.argv[3])], keeping=[*ordinary.KEPT, *ordinary.DIVIDING])
with ordinary.dividing():
    pass
print(flush=True)
sys.stdin.read()
"""


class TestSupervisor:
    @pytest.fixture
    def keeper(self, data: Path) -> Iterator[int]:
        """A process that left root as the supervisor does."""
        # Where other users may read it.
        shutil.copy(drop_root.__file__, data.parent / "ordinary.py")
        running = subprocess.Popen(
            ["/usr/bin/python3", "-c", KEEPER, str(data.parent), str(USERS["rahdari"]), str(DATA_GROUP)],
            env={"DATABASE_URL": "postgresql://secret"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert running.stdout is not None
        assert running.stdout.readline() == b"\n"
        yield running.pid
        running.communicate()

    def test_keeps_three_rights_and_can_get_no_others(self, keeper: int) -> None:
        said = dict(line.split(":\t") for line in Path(f"/proc/{keeper}/status").read_text().splitlines())
        assert set(said["Uid"].split()) == {str(USERS["rahdari"])}
        kept = sum(1 << number for number in drop_root.KEPT)
        assert {int(said[name], 16) for name in ("CapPrm", "CapEff")} == {kept}
        assert {int(said[name], 16) for name in ("CapInh", "CapAmb")} == {0}
        assert said["NoNewPrivs"] == "1"

    def test_is_not_reached_by_the_pages_which_have_its_user(self, keeper: int) -> None:
        there = Path(f"/proc/{keeper}")
        assert tried("rahdari", there / "mem", there / "environ", there / "fd" / "0", there / "root") == {"refused"}


def as_user(user: str, act: Callable[[], bool], *, before: Callable[[], None] = lambda: None) -> bool:
    """What a function says in a process of this user's: the interpreter of the tests may lie where it cannot go. What
    is done `before` is done as root in that process."""
    pid = os.fork()
    if pid == 0:
        code = 2
        if connection.connection is not None:
            # It asks by the connection of the test, which would not know what was prepared here.
            connection.connection.prepare_threshold = None
        try:
            before()
            os.setgroups([DATA_GROUP])
            os.setgid(USERS[user])
            os.setuid(USERS[user])
            code = 0 if act() else 1
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in {0, 1}, "it failed"
    return code == 0


class TestEnvironment:
    """Of each process of `rahdari up`, read where the kernel keeps it."""

    def test_holds_the_secrets_that_the_process_reads_and_no_other(self, tmp_path: Path) -> None:
        given = start.Start(datafolder.REGISTER, tmp_path, "127.0.0.1", 1)
        secrets = {name: f"secret of {name}" for name in environments.SECRET}
        given.environment = {**os.environ, **secrets, "RAHDARI_CONTACT": "help@authority.example"}
        found = {child.name: self.read(child) for child in [given.preparing(), *given.children()]}
        assert set(found) == {"prepare", "web", "worker", "publisher", "watch", "push", "lookup"}
        held = {name: {each for each in there if each in secrets} for name, there in found.items()}
        database = {"DATABASE_URL", "PGPASSWORD"}
        assert held["push"] == held["lookup"] == set()
        assert held["publisher"] == held["watch"] == database
        assert held["worker"] == database | {"RAHDARI_SECRET_KEY", "RAHDARI_SMTP_PASSWORD"}
        assert held["web"] == held["worker"] | {"RAHDARI_METRICS_TOKEN", "RAHDARI_DATABASE_REPLICAS"}
        assert held["prepare"] == database | {"RAHDARI_SECRET_KEY", "RAHDARI_OWNER_DATABASE_URL"}
        assert all(there["RAHDARI_CONTACT"] and there["PATH"] for there in found.values())

    def read(self, child: processes.Child) -> dict[str, str]:
        """It is spawned as the supervisor spawns it, and does something else."""
        waits = dataclasses.replace(child, command=["/bin/sh", "-c", "echo; while :; do sleep 600; done"], user=None)
        process = processes.spawn(waits)
        assert process.stdout is not None
        with process.stdout:
            try:
                process.stdout.readline()
                content = Path(f"/proc/{process.pid}/environ").read_bytes().decode()
            finally:
                processes.end_group(process, 5)
        return dict(each.split("=", 1) for each in content.split("\0") if each)

    def test_of_the_embedded_database_holds_the_store_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in environments.SECRET:
            monkeypatch.setenv(name, "x")
        held = postgres.Server(tmp_path)._environment().keys()
        assert held & environments.SECRET == environments.STORE_ACCOUNT


class TestSecretKey:
    def test_of_whoever_may_not_read_it_is_one_of_its_own(self, data: Path) -> None:
        true = (data / "keys" / "django.key").read_text().strip()

        def has_another() -> bool:
            found = datafolder.environment(data)["RAHDARI_SECRET_KEY"]
            return len(found) >= 32 and found != true

        assert as_user("rahdari-feed", has_another)
        assert not as_user("rahdari", has_another)


class TestCommandsOfThePages:
    def test_say_whose_the_keys_of_the_feed_are(
        self, data: Path, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.DATA = data

        def is_told() -> bool:
            assert status._print_keys() == 0
            return "publisher's alone" in capsys.readouterr().out

        assert as_user("rahdari", is_told)

    def test_that_need_them_are_told_whom_to_run_as(self, data: Path) -> None:
        """Of a file that may not even be looked for, the folder is named."""

        def is_told() -> bool:
            closed = data / "keys" / "feed"
            try:
                publish_keys.load_signer(data, "snapshot", [])
            except PermissionError as error:
                said = str(cli.of_a_file(error))
                return said.startswith(f"{closed} is closed to") and f"Run this as {USERS['rahdari-feed']}," in said
            return False

        assert as_user("rahdari", is_told)


class TestPublisher:
    @pytest.mark.django_db
    def test_brings_the_file_of_access_up_to_date_where_all_else_is_read_only(self, data: Path, settings: Any) -> None:
        """As its unit has it."""
        needs_namespaces()
        settings.DATA = data
        written = data / "feed-access" / "operators.json"
        written.write_text("old")

        def is_written() -> bool:
            actions.write_access(now=NOW)
            return written.read_text() != "old"

        def in_its_unit() -> None:
            os.unshare(os.CLONE_NEWNS)
            drop_root.mount("none", "/", "", drop_root.MS_REC | drop_root.MS_PRIVATE)
            for place, flags in ((data, drop_root.MS_RDONLY), (data / "feed-access", 0)):
                drop_root.mount(str(place), str(place), "", drop_root.MS_BIND)
                drop_root.mount("none", str(place), "", drop_root.MS_REMOUNT | drop_root.MS_BIND | flags)

        assert as_user("rahdari-feed", is_written, before=in_its_unit)


class TestDoctor:
    def test_takes_keys_that_it_may_not_read_for_well_kept(self, data: Path) -> None:
        patient = Inspection(data, {}, "127.0.0.1", 8000)
        said = "publisher's alone"

        def is_content() -> bool:
            (finding,) = check_feed_keys(patient)
            return finding.state == OK and said in finding.text

        assert as_user("rahdari", is_content)
        # Root looks at them, and misses some.
        assert not any(said in finding.text for finding in check_feed_keys(patient))

    def test_sees_folders_that_are_closed_to_the_pages(self, data: Path) -> None:
        patient = Inspection(data, {}, "127.0.0.1", 8000)

        def wrong() -> list[str]:
            found = [finding for finding in check_files(patient) if finding.state == WRONG]
            return [finding.text.partition(" is closed")[0] for finding in found]

        assert as_user("rahdari", lambda: wrong() == [])
        for closed in (data / "documents" / "ab", data / "documents"):
            os.chown(closed, 0, 0)
            assert as_user("rahdari", lambda closed=closed: wrong() == [str(closed)])

    def test_started_by_root_looks_as_the_owner_of_the_folder(self, data: Path) -> None:
        """PostgreSQL lets that one in, and root sees more than the processes do."""

        def check_who(patient: Inspection) -> Iterator[Finding]:
            yield Finding(OK, "who", f"{os.geteuid()} {os.getegid()} {sorted(os.getgroups())}")

        def check_ending(patient: Inspection) -> Iterator[Finding]:
            yield Finding(OK, "who", "goes on")
            os._exit(7)

        nobody = pwd.getpwnam("nobody")
        os.chown(data, nobody.pw_uid, -1)
        patient = Inspection(data, {}, "127.0.0.1", 8000)
        expected = drop_root.users(nobody)
        assert expected is not None
        groups = sorted({nobody.pw_gid, expected.data})
        (who,) = doctor.in_a_child(patient, [check_who])
        assert who.text == f"{nobody.pw_uid} {nobody.pw_gid} {groups}"
        assert os.geteuid() == 0
        goes_on, ended = doctor.in_a_child(patient, [check_ending])
        assert (goes_on.text, ended.state) == ("goes on", WRONG) and "code 7" in ended.text
        # An owner that is no account: it cannot become that one.
        os.chown(data, USERS["rahdari"], -1)
        note, who = doctor.in_a_child(patient, [check_who])
        assert note.state == NOTE and "who has no account here" in note.text and who.text.startswith("0 0 ")


class TestUnits:
    @pytest.mark.parametrize(
        ("unit", "user"),
        [
            ("web", "rahdari"),
            ("api", "rahdari"),
            ("worker", "rahdari"),
            ("prepare", "rahdari"),
            ("publisher", "rahdari-feed"),
            ("push", "rahdari-serve"),
            ("lookup", "rahdari-serve"),
            ("mirror", "rahdari-serve"),
        ],
    )
    def test_run_as_their_user_and_hide_what_is_anothers(self, unit: str, user: str) -> None:
        text = (UNITS / f"rahdari-{unit}.service").read_text()
        assert re.findall(r"^(?:User|Group)=(.*)$", text, re.MULTILINE) == [user, user]
        hidden = " ".join(re.findall(r"^InaccessiblePaths=(.*)$", text, re.MULTILINE))
        if user == "rahdari":
            assert "/var/lib/rahdari/keys/feed" in hidden
        else:
            assert "/var/lib/rahdari/documents" in hidden
        if user == "rahdari-serve":
            assert "/var/lib/rahdari/keys " in f"{hidden} "

    @pytest.mark.parametrize("unit", ["web", "api", "worker", "watch", "prepare", "publisher", "push", "lookup"])
    def test_give_no_secret_that_is_not_read(self, unit: str) -> None:
        """As systemd puts it together: all of the file, without what is unset."""
        text = (UNITS / f"rahdari-{unit}.service").read_text()
        assert "EnvironmentFile=/etc/rahdari/rahdari.env" in text
        unset = set(" ".join(re.findall(r"^UnsetEnvironment=(.*)$", text, re.MULTILINE)).split())
        (word,) = re.findall(r"^ExecStart=/opt/rahdari/bin/rahdari (\w+)", text, re.MULTILINE)
        assert unset == environments.SECRET - environments.READS.get(word, frozenset())
        if "\nUser=rahdari\n" in text:
            # Its user may read the file, from which systemd has given it its part.
            assert "-/etc/rahdari/rahdari.env" in text.partition("InaccessiblePaths=")[2].split("\n")[0]

    def test_know_each_secret_of_the_settings(self) -> None:
        """One that is added to the example and looks like a secret is one, or is named here."""
        settings = set(re.findall(r"^#?([A-Z_]+)=", (UNITS.parent / "rahdari.env").read_text(), re.MULTILINE))
        settings |= set(
            re.findall(r"`((?:RAHDARI|AWS)_[A-Z_]+)`", (UNITS.parents[1] / "docs" / "install.md").read_text())
        )
        # Addresses of pages, and the public key of backups.
        open_ones = {f"RAHDARI_{name}" for name in ("URL", "FEED_URL", "LOOKUP_URL", "SOURCE_URL", "BACKUP_KEY")}
        looks = re.compile("URL|PASS|TOKEN|SECRET|REPLICAS|IDENTITY|_KEY")
        assert {name for name in settings if looks.search(name)} <= environments.SECRET | open_ones

    @pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.stem)
    def test_are_as_closed_as_the_vantages(self, path: Path) -> None:
        text = path.read_text()
        for line in (
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "ProtectProc=invisible",
            "ProcSubset=pid",
            "RestrictNamespaces=yes",
            "SystemCallFilter=@system-service",
        ):
            assert line in text
        (rights,) = re.findall(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE)
        if path.stem == "rahdari-backup":
            # It reads what is another user's of the register, and writes nothing there.
            assert rights == "CAP_DAC_READ_SEARCH"
            return
        wanted = [*drop_root.KEPT, *drop_root.DIVIDING] if path.stem == "rahdari-up" else []
        assert sorted(getattr(drop_root, name.removeprefix("CAP_")) for name in rights.split()) == sorted(wanted)

    @pytest.mark.parametrize(
        "path",
        [each for each in sorted(UNITS.glob("rahdari-*.service")) if each.stem not in NOT_OF_THE_REGISTER],
        ids=lambda path: path.stem,
    )
    def test_come_back_by_themselves_and_wait_for_what_they_need(self, path: Path) -> None:
        """As often as it takes. Whoever requires another one that fails would be given up with it, unless that one is
        `direct`. On a machine that boots: .ci/booted.py."""
        text = path.read_text()
        assert re.findall(r"^StartLimitIntervalSec=(.*)$", text, re.MULTILINE) == ["0"]
        once = "Type=oneshot" in text
        assert re.findall(r"^Restart=(.*)$", text, re.MULTILINE) == ["on-failure" if once else "always"]
        for needed in re.findall(r"^(?:Requires|Requisite|BindsTo)=(.*)$", text, re.MULTILINE):
            assert re.search(rf"^After=.*\b{re.escape(needed)}", text, re.MULTILINE)
            assert "RestartMode=direct\n" in (UNITS / needed).read_text()

    @pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.stem)
    def test_are_understood_by_systemd(self, path: Path, tmp_path: Path) -> None:
        analyze = needs_program("systemd-analyze", "apt-get install systemd")
        for each in UNITS.glob("*.service"):
            text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", each.read_text())
            (tmp_path / each.name).write_text(text)
        done = subprocess.run(
            [analyze, "verify", "--man=no", str(tmp_path / path.name)], capture_output=True, text=True, check=False
        )
        ours = [line for line in done.stderr.splitlines() if "rahdari" in line]
        assert (done.returncode, ours) == (0, [])
