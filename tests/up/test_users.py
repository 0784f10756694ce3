"""A user for each process, as docs/install.md lays it out: who can read what, tried as those users."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rahdari.up import datafolder, ordinary
from rahdari.up.doctor_feed import check_feed_keys
from rahdari.up.findings import OK, Patient
from rahdari.vault import keys
from tests.needs import needs_program, needs_root

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
# Numbers that no account here has.
USERS = {"rahdari": 61_001, "rahdari-feed": 61_002, "rahdari-serve": 61_003}
DATA_GROUP = 61_010
TRIES = """
import json, os, sys
said = {}
for path in json.loads(sys.argv[1]):
    try:
        said[path] = len(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1000)) and "read"
    except OSError as error:
        said[path] = "refused" if error.errno in (1, 13) else str(error)
print(json.dumps(said))
"""


def documented() -> list[list[str]]:
    """The commands of the section that make folders and say whose they are."""
    text = (ROOT / "docs" / "install.md").read_text()
    section = text.partition("### A user for each process")[2].partition("\n### ")[0]
    words = [line.split() for line in section.splitlines() if re.match(r"    (install|chown|chmod) ", line)]
    assert len(words) >= 6
    return words


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder as `prepare`, a ceremony and the publisher leave it, handed over by the commands of the page."""
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
    names = USERS | {"rahdari-data": DATA_GROUP}
    for words in documented():
        here = [word.replace("/var/lib/rahdari", str(folder)) for word in words]
        # Numbers in the place of names; what is no name of ours stays.
        subprocess.run([":".join(str(names.get(part, part)) for part in word.split(":")) for word in here], check=True)
    yield folder
    shutil.rmtree(above)


def tried(user: str, *paths: Path | str) -> set[str]:
    """What becomes of reading each of the paths as this user."""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", TRIES, json.dumps([str(path) for path in paths])],
        user=USERS[user],
        group=USERS[user],
        extra_groups=[DATA_GROUP],
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


class TestGiveTo:
    def test_leaves_the_publisher_what_is_the_publishers(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Root has run a command that wrote into both folders."""
        (data / "keys" / "feed" / "new.pem").touch()
        (data / "feed" / "new").mkdir()
        (data / "feed" / "new" / "1.json").touch()
        (data / "documents" / "new").touch()
        account = ordinary.pwd.struct_passwd(("r", "x", USERS["rahdari"], USERS["rahdari"], "", "/", "/bin/false"))
        ordinary.give_to(account, data)
        owners = {
            name: (data / name).stat().st_uid
            for name in ("keys/feed", "keys/feed/new.pem", "feed", "feed/new", "feed/new/1.json", "documents/new")
        }
        assert owners == dict.fromkeys(owners, USERS["rahdari-feed"]) | {"documents/new": USERS["rahdari"]}
        assert data.stat().st_mode & 0o7777 == 0o2750


def as_user(user: str, act: Callable[[], bool]) -> bool:
    """What a function says in a process of this user's: the interpreter of the tests may lie where it cannot go."""
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            os.setgroups([DATA_GROUP])
            os.setgid(USERS[user])
            os.setuid(USERS[user])
            code = 0 if act() else 1
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in {0, 1}, "it failed"
    return code == 0


class TestSecretKey:
    def test_of_whoever_may_not_read_it_is_one_of_its_own(self, data: Path) -> None:
        true = (data / "keys" / "django.key").read_text().strip()

        def has_another() -> bool:
            found = datafolder.environment(data)["RAHDARI_SECRET_KEY"]
            return len(found) >= 32 and found != true

        assert as_user("rahdari-feed", has_another)
        assert not as_user("rahdari", has_another)


class TestDoctor:
    def test_takes_keys_that_it_may_not_read_for_well_kept(self, data: Path) -> None:
        patient = Patient(data, {}, "127.0.0.1", 8000)
        said = "publisher's alone"

        def is_content() -> bool:
            (finding,) = check_feed_keys(patient)
            return finding.state == OK and said in finding.text

        assert as_user("rahdari", is_content)
        # Root looks at them, and misses some.
        assert not any(said in finding.text for finding in check_feed_keys(patient))


class TestUnits:
    @pytest.mark.parametrize(
        ("unit", "user"),
        [
            ("web", "rahdari"),
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
            assert "rahdari.env" not in text or "RAHDARI_SECRET_KEY" in text.partition("UnsetEnvironment=")[2]
        if user == "rahdari-serve":
            assert "/var/lib/rahdari/keys " in f"{hidden} "

    @pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.stem)
    def test_are_as_closed_as_the_vantages(self, path: Path) -> None:
        text = path.read_text()
        for line in (
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "ProtectProc=invisible",
            "ProcSubset=pid",
            "RestrictNamespaces=yes",
            "CapabilityBoundingSet=\n",
            "SystemCallFilter=@system-service",
        ):
            assert line in text

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
