"""`rahdari agent ...` as it is typed."""

import datetime as dt
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, NftTarget, load
from rahdari.agent.faults import Exit
from rahdari.cli import main
from rahdari.feed import TERMS
from tests.agent.feeds import TOKEN, Publisher, Stand, an_entry, now, sync, written
from tests.agent.namespaces import a_namespace
from tests.needs import needs_program, needs_root


@dataclass
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def rahdari(capsys: pytest.CaptureFixture[str]) -> object:
    def call(*arguments: object) -> Said:
        try:
            code = main(["agent", *map(str, arguments)])
        except SystemExit as error:
            code = int(error.code or 0)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def operator(tmp_path: Path) -> Path:
    folder = tmp_path / "machine"
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    return folder


def the_options(folder: Path, stand: Stand) -> list[object]:
    options: list[object] = ["--config", folder / "agent.toml", "--state", folder / "state"]
    return [*options, "--server", stand.url, "--token-file", folder / "token", "--accept-terms", TERMS]


class TestInit:
    def test_trusts_a_root_that_is_given_and_then_syncs(
        self, rahdari, operator: Path, publisher: Publisher, stand: Stand
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        said = rahdari("init", *the_options(operator, stand), "--root", publisher.root_file)
        digest = hashlib.sha256(publisher.root_file.read_bytes()).hexdigest()
        assert (said.code, said.err) == (0, "")
        assert digest in said.out
        assert "Hold this against" in said.out
        assert (operator / "root.json").read_bytes() == publisher.root_file.read_bytes()
        said = rahdari("sync", "--config", operator / "agent.toml")
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith("Edition 1 (dynamic 0, canary 0): 1 entry counts now; applied to entries.json.\n")
        assert f"  static: 1 entries, digest {publisher.digest()}\n" in said.out
        assert rahdari("status", "--config", operator / "agent.toml").out.endswith("All is well.\n")

    def test_fetches_a_root_only_to_hold_it_against_its_digest(
        self, rahdari, operator: Path, publisher: Publisher, stand: Stand
    ) -> None:
        digest = hashlib.sha256(publisher.root_file.read_bytes()).hexdigest()
        options = the_options(operator, stand)
        said = rahdari("init", *options, "--root-sha256", "0" * 64)
        assert said.code == Exit.UNTRUSTED
        assert f"its SHA-256 is {digest}, and you gave {'0' * 64}" in said.err
        assert not (operator / "agent.toml").exists()
        said = rahdari("init", *options)
        assert said.code == Exit.USAGE
        assert "--root FILE, or --root-sha256 HEX" in said.err
        assert rahdari("init", *options, "--root-sha256", digest.upper()).code == 0

    @pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"signed": {"_type": "root"}, "signatures": []}'])
    def test_refuses_what_is_no_root(self, rahdari, operator: Path, stand: Stand, content: bytes) -> None:
        (operator / "given").write_bytes(content)
        said = rahdari("init", *the_options(operator, stand), "--root", operator / "given")
        assert said.code == Exit.UNTRUSTED
        assert "The root of trust cannot be used" in said.err
        assert not (operator / "agent.toml").exists()

    def test_refuses_other_metadata_and_a_root_that_is_not_signed(
        self, rahdari, operator: Path, publisher: Publisher, stand: Stand
    ) -> None:
        unsigned = json.loads(publisher.root_file.read_bytes())
        unsigned["signed"]["version"] = 3
        (operator / "unsigned").write_text(json.dumps(unsigned))
        for path in (operator / "unsigned", publisher.folder / "metadata" / "timestamp.json", operator / "missing"):
            said = rahdari("init", *the_options(operator, stand), "--root", path)
            assert said.code == Exit.UNTRUSTED

    def test_does_not_overwrite_unless_told(self, rahdari, operator: Path, publisher: Publisher, stand: Stand) -> None:
        options = [*the_options(operator, stand), "--root", publisher.root_file]
        assert (
            rahdari("init", *options, "--nftables", "inet edge", "--netns", "one", "--csv", operator / "e.csv").code
            == 0
        )
        before = load(operator / "agent.toml")
        assert [target.kind for target in before.targets] == ["nftables", "csv"]
        assert rahdari("init", *options).code == Exit.USAGE
        assert load(operator / "agent.toml") == before
        assert rahdari("init", *options, "--replace").code == 0
        assert load(operator / "agent.toml") != before

    def test_sends_no_token_over_plain_http_to_another_machine(
        self, rahdari, operator: Path, publisher: Publisher, stand: Stand
    ) -> None:
        options = [*the_options(operator, stand), "--root", publisher.root_file, "--server", "http://192.0.2.1"]
        said = rahdari("init", *options)
        assert (said.code, "http://" in said.err) == (Exit.USAGE, True)
        assert rahdari("init", *options, "--insecure-http").code == 0

    def test_needs_a_token(self, rahdari, operator: Path, publisher: Publisher, stand: Stand) -> None:
        (operator / "token").unlink()
        said = rahdari("init", *the_options(operator, stand), "--root", publisher.root_file)
        assert said.code == Exit.USAGE
        assert str(operator / "token") in said.err


class TestSync:
    @pytest.mark.root
    def test_says_that_it_applied_as_many_elements_as_it_took_out(
        self, rahdari, publisher: Publisher, configuration: Configuration
    ) -> None:
        """A file of the operator's own, with another address in it: no edition changes, and no number."""
        needs_program("nft", "apt-get install nftables")
        local = configuration.state.with_name("local.csv")
        local.write_text("prefix\n192.0.2.1\n")
        with a_namespace() as namespace:
            place = NftTarget("edge", netns=namespace.name)
            file = written(replace(configuration, targets=(place,)))
            file.write_text(f'local = "{local}"\n{file.read_text()}')
            assert "applied to edge" in rahdari("sync", "--config", file).out
            assert "nothing to apply" in rahdari("sync", "--config", file).out
            local.write_text("prefix\n192.0.2.2\n")
            assert "applied to edge" in rahdari("sync", "--config", file).out
            assert namespace.elements("hosts4") == ["192.0.2.2"]

    def test_names_the_edition_of_each_kind(self, rahdari, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), kind="dynamic")
        said = rahdari("sync", "--config", written(configuration))
        assert said.out.startswith("Edition 0 (dynamic 1, canary 0): 1 entry counts now; applied to entries.json.\n")

    def test_tells_a_program_in_json(
        self, rahdari, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        said = rahdari("sync", "--json", "--config", written(configuration))
        told = json.loads(said.out)
        assert (said.code, told["ok"], told["sequence"], told["in_force"]) == (0, True, 1, 1)
        assert told["faults"] == []
        assert told["digest"] == told["streams"]["feed-static"]["digest"] == publisher.digest()
        stand.token = "another"
        said = rahdari("sync", "--json", "--config", written(configuration))
        assert said.code == Exit.NO_NETWORK
        assert json.loads(said.out)["faults"][0]["name"] == "TokenRefused"
        assert "does not accept the token" in said.err

    def test_begins_anew_when_the_state_was_lost(
        self, rahdari, publisher: Publisher, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = written(configuration)
        sync(configuration)
        (configuration.state / "state.sqlite3").write_bytes(b"damaged" * 1000)
        said = rahdari("sync", "--config", file)
        assert (said.code, "sync --anew" in said.err) == (Exit.STATE, True)
        assert rahdari("sync", "--anew", "--config", file).code == 0
        assert len(list(configuration.state.glob("aside-*-state.sqlite3"))) == 1
        # Once more: of what was set aside, the newest alone is kept.
        monkeypatch.setattr("rahdari.agent.commands.sync.now", lambda: now() + dt.timedelta(minutes=1))
        assert rahdari("sync", "--anew", "--config", file).code == 0
        assert len(list(configuration.state.glob("aside-*-state.sqlite3"))) == 1
        assert rahdari("sync", "--config", file).code == 0

    @pytest.mark.parametrize(
        "act", [("sync",), ("sync", "--dry-run"), ("run",), ("status",), ("key",), ("key", "--new")]
    )
    def test_without_a_state_folder_says_how_to_set_up(
        self, rahdari, publisher: Publisher, configuration: Configuration, act: tuple[str, ...]
    ) -> None:
        file = written(configuration)
        shutil.rmtree(configuration.state)
        said = rahdari(*act, "--config", file)
        assert said.code == Exit.STATE and not configuration.state.exists()
        assert f"There is no state in {configuration.state}." in said.err
        assert "Run `rahdari agent init` first" in said.err
        # As the message says: what was lost is made again.
        publisher.publish(an_entry("192.0.2.1/32"))
        assert rahdari("sync", "--anew", "--config", file).code == 0
        assert configuration.state.stat().st_mode & 0o027 == 0

    @pytest.mark.root
    def test_by_root_leaves_the_state_to_its_owner(
        self, rahdari, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        needs_root()
        shutil.chown(configuration.state, 65534, 65534)
        assert rahdari("sync", "--config", written(configuration)).code == 0
        assert {path.stat().st_uid for path in configuration.state.rglob("*")} == {65534}

    def test_without_configuration_says_how_to_make_one(self, rahdari, tmp_path: Path) -> None:
        said = rahdari("sync", "--json", "--config", tmp_path / "none.toml")
        assert said.code == Exit.USAGE
        assert json.loads(said.out)["faults"][0]["name"] == "NoConfiguration"
        assert "rahdari agent init" in said.err

    def test_with_an_exchanged_root_is_untrusted(
        self, rahdari, tmp_path: Path, publisher: Publisher, configuration: Configuration
    ) -> None:
        file = written(configuration)
        publisher.root_file.write_bytes(Publisher(tmp_path / "other").root_file.read_bytes())
        assert rahdari("sync", "--config", file).code == Exit.UNTRUSTED


class TestStatus:
    def test_goes_from_nothing_to_well_to_alarm(
        self, rahdari, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        file = written(configuration)
        said = rahdari("status", "--config", file)
        assert said.code == Exit.ALARM
        assert "Nothing has been verified yet" in said.out
        assert "entries.json: nothing applied yet" in said.out
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32", not_after=now() - dt.timedelta(hours=1)))
        stand.receipt_status = 503
        sync(configuration)
        said = rahdari("status", "--config", file)
        assert said.code == 0, said.out
        assert "1 of 2 entries count now: 1 has ended." in said.out
        assert "3 receipts wait for the server." in said.out
        told = json.loads(rahdari("status", "--json", "--config", file).out)
        assert (told["ok"], told["sequence"], told["in_force"], told["receipts_waiting"]) == (True, 1, 1, 3)
        assert told["digest"] == publisher.digest()
        assert told["targets"][0]["fault"] is None
        publisher.sign(head=publisher.head(sequence=0))
        sync(configuration)
        told = json.loads(rahdari("status", "--json", "--config", file).out)
        assert told["ok"] is False
        assert {fault["name"] for fault in told["faults"]} == {"ReceiptNotTaken", "WentBack"}
        assert rahdari("status", "--config", file).code == Exit.ALARM

    def test_says_what_is_released_and_still_stands_at_a_target(
        self, rahdari, publisher: Publisher, configuration: Configuration
    ) -> None:
        file = written(configuration)
        entries = [an_entry(f"192.0.2.{number}/32") for number in range(1, 51)]
        publisher.publish(*entries, an_entry("198.51.100.1/32", not_before=now() + dt.timedelta(days=3)))
        sync(configuration)
        publisher.publish(remove=entries[:30])
        sync(configuration)
        assert rahdari("release", "--yes", "--config", file).code == 0
        said = rahdari("status", "--config", file)
        assert said.code == Exit.ALARM, said.out
        assert "20 of 21 entries count now: 1 has not begun.\n" in said.out
        assert "50 entries, applied" in said.out
        assert "What changed since is not applied there." in said.out
        assert "All is well" not in said.out
        told = json.loads(rahdari("status", "--json", "--config", file).out)
        assert (told["ok"], told["unapplied"], told["in_force"], told["not_begun"]) == (False, ["entries.json"], 20, 1)
        sync(configuration)
        said = rahdari("status", "--config", file)
        assert (said.code, "20 entries, applied" in said.out) == (0, True), said.out
        assert said.out.endswith("All is well.\n")

    def test_counts_what_is_the_operators_own_apart(
        self, rahdari, publisher: Publisher, configuration: Configuration
    ) -> None:
        own = configuration.state.with_name("local.csv")
        own.write_text("prefix\n192.0.2.1\n")
        publisher.publish(an_entry("192.0.2.2/32"))
        sync(replace(configuration, local=own))
        said = rahdari("status", "--config", written(configuration))
        assert "1 of 1 entries count now; 1 more are your own.\n" in said.out


class TestCheck:
    def test_answers_from_what_is_held(
        self, rahdari, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        file = written(configuration)
        assert rahdari("check", "192.0.2.1", "--config", file).code == Exit.USAGE
        publisher.publish(
            an_entry("192.0.2.1/32", "udp", 51820),
            an_entry("198.51.100.0/24", "esp"),
            an_entry("2001:db8::/48"),
            an_entry("203.0.113.9/32", not_before=now() + dt.timedelta(days=3)),
        )
        sync(configuration)
        asked = len(stand.asked)

        def check(*words: str) -> Said:
            return rahdari("check", *words, "--config", file)

        said = check("192.0.2.1")
        assert (said.code, said.out.startswith("192.0.2.1 is registered as 192.0.2.1 udp 51820, valid until 20")) == (
            0,
            True,
        )
        assert check("192.0.2.1", "--protocol", "udp", "--port", "51820").code == 0
        said = check("192.0.2.1", "--protocol", "tcp", "--port", "443")
        assert said.code == Exit.NOT_REGISTERED
        assert "Registered for another protocol or port: 192.0.2.1 udp 51820" in said.out
        # Without a port whatever is registered; with one, also where the protocol is not said.
        assert check("192.0.2.1", "--protocol", "udp").code == check("192.0.2.1", "--port", "51820").code == 0
        assert check("192.0.2.1", "--port", "4500").code == Exit.NOT_REGISTERED
        assert check("198.51.100.77").code == 0
        assert check("198.51.100.0/25", "--protocol", "esp").code == 0
        assert check("198.51.0.0/16").code == Exit.NOT_REGISTERED
        assert check("2001:db8::5").code == 0
        said = check("2001:db9::5")
        assert said.code == Exit.NOT_REGISTERED
        assert "That means nothing about the address." in said.out
        said = check("203.0.113.9")
        assert said.code == Exit.NOT_REGISTERED
        assert "counts only from" in said.out
        told = json.loads(check("192.0.2.1", "--json").out)
        assert (told["registered"], told["entries"][0]["port"], told["sequence"]) == (True, 51820, 1)
        for words in (("not-an-address",), ("192.0.2.1", "--port", "x"), ("192.0.2.1", "--protocol", "smtp")):
            assert check(*words).code == Exit.USAGE
        assert len(stand.asked) == asked


class TestLightSide:
    def test_agent_loads_neither_django_nor_anything_of_the_server(self) -> None:
        probe = (
            "import sys, pkgutil, importlib, rahdari.agent\n"
            "for module in pkgutil.walk_packages(rahdari.agent.__path__, 'rahdari.agent.'):\n"
            "    importlib.import_module(module.name)\n"
            "unwanted = {'django', 'psycopg', 'granian', 'PIL'} & {name.partition('.')[0] for name in sys.modules}\n"
            "ours = {name.split('.')[1] for name in sys.modules if name.startswith('rahdari.')}\n"
            "print(sorted(unwanted), sorted(ours - {'agent', 'address', 'errors', 'feed', 'probe', 'preflight'}))\n"
        )
        result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
        assert result.stdout == "[] []\n"

    def test_ruleset_only_marks(self, rahdari) -> None:
        said = rahdari("ruleset", "--table", "inet edge")
        assert said.code == 0
        words = set(said.out.replace(";", " ").split())
        assert not words & {"drop", "reject", "queue", "deny"}
        assert "policy accept" in said.out
