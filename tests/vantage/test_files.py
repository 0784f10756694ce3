"""The vantage's settings, the register's list, and the commands."""

import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from rahdari import cli
from rahdari.ops import doctor
from rahdari.ops import vantage as vantage_checks
from rahdari.policy import BUNDLED
from rahdari.vantage import VantagesUnusable, load
from rahdari.vantage.configuration import ConfigurationError
from rahdari.vantage.configuration import load as load_own
from rahdari.vantage.rate_limits import Busy, Pace
from rahdari.vantage.running import AlreadyThere, make, read_key

from .places import a_vantage

ROOT = Path(__file__).resolve().parents[2]


def rahdari(*words: object) -> subprocess.CompletedProcess[str]:
    """The command, without a process of its own."""
    told, complained = StringIO(), StringIO()
    with patch.dict(os.environ), redirect_stdout(told), redirect_stderr(complained):
        code = cli.main([*map(str, words)])
    return subprocess.CompletedProcess(words, code, told.getvalue(), complained.getvalue())


class TestInit:
    def test_makes_what_run_needs_and_prints_what_the_register_needs(self, tmp_path: Path) -> None:
        folder = tmp_path / "vantage"
        done = rahdari("vantage", "init", "--folder", folder, "--name", "sample-1", "--url", "https://v.sample.example")
        assert done.returncode == 0
        configuration = load_own(folder / "vantage.toml")
        public = read_key(configuration.key_file).public_key().public_bytes_raw().hex()
        token = done.stdout.split()[-1]
        data = tmp_path / "data"
        data.mkdir()
        block = done.stdout[done.stdout.index("[[vantage]]") : done.stdout.index("\nand in")]
        (data / "vantages.toml").write_text(block)
        (data / "sample-1.token").write_text(token + "\n")
        (data / "sample-1.token").chmod(0o600)
        [known] = load(data)
        assert (known.name, known.url, known.key, known.token) == (
            "sample-1",
            "https://v.sample.example",
            public,
            token,
        )
        assert token not in (folder / "vantage.toml").read_text() and token not in repr(known)
        assert (folder / "vantage.key").stat().st_mode & 0o077 == 0

    def test_replaces_nothing(self, tmp_path: Path) -> None:
        make(tmp_path, name="sample-1", listen="127.0.0.1:8443")
        with pytest.raises(AlreadyThere):
            make(tmp_path, name="sample-1", listen="127.0.0.1:8443")
        assert rahdari("vantage", "init", "--folder", tmp_path, "--name", "sample-1").returncode == 1

    @pytest.mark.parametrize(
        ("name", "listen"),
        [("A", "127.0.0.1:1"), ("a", "everywhere:1"), ("a", "127.0.0.1:0"), ("a", "192.0.2.1:1")],
    )
    def test_leaves_nothing_behind_when_it_cannot(self, tmp_path: Path, name: str, listen: str) -> None:
        with pytest.raises(ConfigurationError):
            make(tmp_path, name=name, listen=listen)
        assert list(tmp_path.iterdir()) == []


class TestSettings:
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('name = "sample-1"', "", "`name` is missing."),
            ('name = "sample-1"', "name = 1", "`name` must be text."),
            ("resolvers = []", 'resolvers = ["resolver.example"]', "`resolvers`: 'resolver.example' is not an address"),
            ("at_once = 8", "at_once = 0", "`at_once` is a number from 1 to 256."),
            ("at_once = 8", "at_once = 8\nfast = true", "`fast` is not known."),
            ("127.0.0.1:8443", "192.0.2.1:8443", "would go in the open"),
            ("# [tls]", '[tls]\ncertificate = "none.crt"', "`tls.key` is missing."),
            ('token_sha256 = "', 'token_sha256 = "x', "64 hex digits"),
            ("[tls]", "[tls", ""),
        ],
    )
    def test_say_what_is_wrong(self, tmp_path: Path, old: str, new: str, says: str) -> None:
        path = make(tmp_path, name="sample-1", listen="127.0.0.1:8443").configuration
        assert old in path.read_text()
        if not says:
            path.write_text(path.read_text() + "\n[tls")
            says = "It is not TOML"
        else:
            path.write_text(path.read_text().replace(old, new, 1))
        done = rahdari("vantage", "run", "--config", path)
        assert done.returncode == 2 and says in done.stderr

    def test_want_a_key_that_nobody_else_reads(self, tmp_path: Path) -> None:
        made = make(tmp_path, name="sample-1", listen="127.0.0.1:8443")
        (tmp_path / "vantage.key").chmod(0o644)
        done = rahdari("vantage", "run", "--config", made.configuration)
        assert done.returncode == 2 and "chmod 600" in done.stderr
        (tmp_path / "vantage.key").write_text("no key")
        with pytest.raises(ConfigurationError, match="no private key"):
            read_key(tmp_path / "vantage.key")
        assert rahdari("vantage", "run", "--config", tmp_path / "none.toml").returncode == 2


GOOD = f"""[[vantage]]
name = "sample-1"
url = "https://vantage.sample.example:8443"
key = "{"ab" * 32}"
token_file = "sample-1.token"
network = "AS64496"
region = "PK"
"""


class TestTheList:
    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        (tmp_path / "sample-1.token").write_text("x" * 43)
        (tmp_path / "sample-1.token").chmod(0o600)
        return tmp_path

    def test_is_empty_without_a_file(self, tmp_path: Path) -> None:
        assert load(tmp_path) == ()
        done = rahdari("vantage", "list", "--data", tmp_path)
        assert done.returncode == 0 and "own machine alone" in done.stdout

    def test_is_read(self, data: Path) -> None:
        (data / "vantages.toml").write_text(GOOD)
        [vantage] = load(data)
        assert (vantage.name, vantage.network, vantage.region) == ("sample-1", "AS64496", "PK")

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('name = "sample-1"\n', "", "`name` is missing."),
            ("sample-1", "here", "the register's own"),
            ("https://vantage", "http://vantage", "must begin with https://"),
            (":8443", "/path", "must begin with https://"),
            ("AS64496", "64496", "`network` is an AS number"),
            ("ab" * 32, "ab", "64 hex digits"),
            ("sample-1.token", "none.token", "cannot be read"),
            ('region = "PK"', 'client_key = "x"', "go together"),
            ('region = "PK"', 'ca_file = "none.pem"', "there is no file"),
            ('region = "PK"', 'colour = "x"', "`colour` is not known"),
            ("[[vantage]]", "[vantage]", "Each vantage is a [[vantage]]"),
            ("[[vantage]]", "[[vantage", "It is not TOML"),
            (GOOD, GOOD * 2, "Two vantages are called sample-1."),
        ],
    )
    def test_says_what_is_wrong(self, data: Path, old: str, new: str, says: str) -> None:
        (data / "vantages.toml").write_text(GOOD.replace(old, new, 1))
        with pytest.raises(VantagesUnusable, match=re.escape(says)):
            load(data)
        assert rahdari("vantage", "list", "--data", data).returncode == 1

    def test_wants_a_token_that_nobody_else_reads(self, data: Path) -> None:
        (data / "vantages.toml").write_text(GOOD)
        (data / "sample-1.token").chmod(0o644)
        with pytest.raises(VantagesUnusable, match="chmod 600"):
            load(data)

    def test_says_how_it_stands_with_each(self, data: Path, tmp_path: Path) -> None:
        with a_vantage(tmp_path / "vantage") as vantage:
            (data / "sample-1.token").write_text(vantage.token)
            (data / "vantages.toml").write_text(
                GOOD.replace("https://vantage.sample.example:8443", vantage.url).replace("ab" * 32, vantage.key)
            )
            done = rahdari("vantage", "list", "--data", data)
        assert done.returncode == 0 and "answers" in done.stdout
        gone = rahdari("vantage", "list", "--data", data)
        assert gone.returncode == 1 and "cannot be reached" in gone.stdout


class TestPace:
    def test_lets_few_run_at_once(self) -> None:
        pace = Pace(at_once=1, a_minute=10, a_minute_each=10)
        with pace.taking("192.0.2.1", 0.0), pytest.raises(Busy), pace.taking("192.0.2.2", 0.0):
            pass
        with pace.taking("192.0.2.2", 0.0):
            pass

    def test_counts_a_minute_for_all_and_for_each(self) -> None:
        pace = Pace(at_once=5, a_minute=3, a_minute_each=2)
        for at in (0.0, 10.0):
            with pace.taking("192.0.2.1", at):
                pass
        with pytest.raises(Busy) as busy, pace.taking("192.0.2.1", 20.0):
            pass
        assert busy.value.after == 41
        with pace.taking("192.0.2.2", 20.0):
            pass
        with pytest.raises(Busy), pace.taking("192.0.2.3", 30.0):
            pass
        with pace.taking("192.0.2.1", 61.0):
            pass


class TestALightInstallation:
    def test_says_what_is_missing_to_run(self, tmp_path: Path) -> None:
        """`pip install rahdari`, without the extra: no web server, no library for DNS."""
        made = make(tmp_path, name="sample-1", listen="127.0.0.1:8443")
        program = (
            "import importlib.util, sys\n"
            "for name in ('granian', 'dns', 'django', 'psycopg'): sys.modules[name] = None\n"
            "found = importlib.util.find_spec\n"
            "importlib.util.find_spec = lambda name: None if sys.modules.get(name, 0) is None else found(name)\n"
            "from rahdari import cli\n"
            "sys.exit(cli.main(sys.argv[1:]))\n"
        )
        words = [sys.executable, "-c", program, "vantage", "run", "--config", str(made.configuration)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1 and "pip install 'rahdari[vantage]'" in done.stderr


class TestTheUnit:
    def test_runs_the_command_and_is_shut_in(self) -> None:
        unit = (ROOT / "deploy" / "systemd" / "rahdari-vantage.service").read_text()
        assert "ExecStart=/opt/rahdari/bin/rahdari vantage run" in unit
        for line in ("ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=\n", "User=rahdari-vantage"):
            assert line in unit
        assert os.path.exists(ROOT / "docs" / "vantage.md")


class TestDoctor:
    def findings(self, data: Path) -> list[doctor.Finding]:
        return list(vantage_checks.check(doctor.Inspection(data, {}, "127.0.0.1", 8000)))

    def test_is_content_without_any_where_none_is_needed(self, tmp_path: Path) -> None:
        [finding] = self.findings(tmp_path)
        assert (finding.state, finding.text) == (doctor.OK, "none; endpoints are looked at from this machine alone")

    def test_says_that_the_policy_needs_more(self, tmp_path: Path) -> None:
        (tmp_path / "policy").mkdir()
        text = BUNDLED.read_text().replace("needed = 1", "needed = 3").replace("networks = 1\n", "networks = 2\n")
        (tmp_path / "policy" / "in-force.toml").write_text(text)
        [finding] = self.findings(tmp_path)
        assert finding.state == doctor.WRONG and "needs 3 views and there are 1" in finding.text

    def test_says_which_does_not_answer(self, tmp_path: Path) -> None:
        (tmp_path / "sample-1.token").write_text("x" * 43)
        (tmp_path / "sample-1.token").chmod(0o600)
        (tmp_path / "vantages.toml").write_text(
            GOOD.replace("https://vantage.sample.example:8443", "http://127.0.0.1:1")
        )
        [finding] = self.findings(tmp_path)
        assert finding.state == doctor.WRONG and finding.text.startswith("sample-1 cannot be reached")
        (tmp_path / "vantages.toml").write_text("[[vantage")
        [finding] = self.findings(tmp_path)
        assert finding.state == doctor.WRONG and "not TOML" in finding.text
