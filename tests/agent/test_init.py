"""From the authority's welcome to an agent that follows."""

import hashlib
import io
import os
import pwd
from pathlib import Path

import pytest

from rahdari.agent.configuration import load
from rahdari.agent.faults import Exit
from rahdari.agent.receipts import KEY_FILE
from rahdari.agent.welcome import Welcome, WelcomeUnclear, parse_welcome
from rahdari.cli import main
from rahdari.feed import TERMS
from tests.agent.feeds import TOKEN, Publisher, Stand, an_entry
from tests.agent.servers import Authority
from tests.needs import needs_root


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    folder = tmp_path / "machine"
    folder.mkdir()
    return folder


def a_welcome(publisher: Publisher, stand: Stand, **other: str) -> str:
    said = {
        "operator": "sample-one",
        "server": stand.url,
        "receipt_url": f"{stand.url}/feed/receipt",
        "token": TOKEN,
        "root_sha256": hashlib.sha256(publisher.root_file.read_bytes()).hexdigest(),
        **other,
    }
    lines = "\n".join(f'> {name} = "{value}"' for name, value in said.items() if value)
    return f"Dear operator,\n\nhere is what you need:\n\n{lines}\n\n-- \nThe Authority\n"


def init(machine: Path, *options: object) -> int:
    return main(
        [
            "agent",
            "init",
            "--config",
            str(machine / "agent.toml"),
            "--state",
            str(machine / "state"),
            "--accept-terms",
            TERMS,
            *map(str, options),
        ]
    )


class TestWelcome:
    def test_is_read_from_any_text_around_it(self) -> None:
        text = (
            '\n> > server = "https://feed.example"\r\n | token="abc"\nserver   =   "https://feed.example"\nfoo = "x"\n'
        )
        assert parse_welcome(text) == Welcome(server="https://feed.example", token="abc")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "there is no line such as `server"),
            ('server = "https://a.example"\nserver = "https://b.example"', "two things of `server`"),
            ('Server: "https://a.example"', "there is no line"),
            ('server = "https://a.example\\u0000"', "there is no line"),
        ],
    )
    def test_that_is_unclear_is_refused(self, text: str, says: str) -> None:
        with pytest.raises(WelcomeUnclear) as caught:
            parse_welcome(text)
        assert says in caught.value.what


class TestInit:
    def test_needs_nothing_but_the_welcome(
        self, machine: Path, publisher: Publisher, stand: Stand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        (machine / "welcome.txt").write_text(a_welcome(publisher, stand))
        assert init(machine, "--welcome", machine / "welcome.txt") == 0
        said = capsys.readouterr().out
        assert "Hold this against the SHA-256 that the authority published in another place." in said
        assert TOKEN not in said
        assert (machine / "token").read_text() == f"{TOKEN}\n"
        assert (machine / "token").stat().st_mode & 0o777 == 0o600
        assert (machine / "state" / KEY_FILE).stat().st_mode & 0o777 == 0o600
        assert (machine / "agent.toml").read_text().count(TOKEN) == 0
        assert main(["agent", "sync", "--config", str(machine / "agent.toml")]) == 0
        assert main(["agent", "status", "--config", str(machine / "agent.toml")]) == 0

    def test_reads_it_from_what_is_piped_in(
        self, machine: Path, publisher: Publisher, stand: Stand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = io.TextIOWrapper(io.BytesIO(a_welcome(publisher, stand).encode()))
        monkeypatch.setattr("sys.stdin", text)
        assert init(machine, "--welcome", "-") == 0

    def test_refuses_a_root_that_is_another_than_was_said_by_either_way(
        self, machine: Path, publisher: Publisher, stand: Stand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        true = hashlib.sha256(publisher.root_file.read_bytes()).hexdigest()
        welcome = machine / "welcome.txt"
        welcome.write_text(a_welcome(publisher, stand, root_sha256="1" * 64))
        assert init(machine, "--welcome", welcome) == Exit.UNTRUSTED
        assert f"its SHA-256 is {true}, and the welcome text says {'1' * 64}" in capsys.readouterr().err
        assert init(machine, "--welcome", welcome, "--root-sha256", "1" * 64) == Exit.UNTRUSTED
        assert f"its SHA-256 is {true}, and you gave {'1' * 64}" in capsys.readouterr().err
        # Nothing is left behind, the token least of all.
        assert [path.name for path in machine.iterdir()] == ["welcome.txt"]
        assert init(machine, "--welcome", welcome, "--root-sha256", true) == Exit.UNTRUSTED
        assert "the welcome text says 1111" in capsys.readouterr().err
        welcome.write_text(a_welcome(publisher, stand, root_sha256=""))
        assert init(machine, "--welcome", welcome) == Exit.USAGE
        assert not (machine / "agent.toml").exists()
        # As it is printed on paper: in groups, in capitals.
        grouped = " ".join(true[at : at + 4] for at in range(0, 64, 4)).upper()
        assert init(machine, "--welcome", welcome, "--root-sha256", grouped) == 0

    def test_is_told_the_server_where_the_welcome_has_none(
        self, machine: Path, publisher: Publisher, stand: Stand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (machine / "welcome.txt").write_text(a_welcome(publisher, stand, server=""))
        assert init(machine, "--welcome", machine / "welcome.txt") == Exit.USAGE
        assert "The address of the feed is needed." in capsys.readouterr().err
        assert init(machine, "--welcome", machine / "welcome.txt", "--server", f"{stand.url}/feed") == 0

    def test_does_not_write_over_a_token_unless_told(
        self, machine: Path, publisher: Publisher, stand: Stand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        welcome = machine / "welcome.txt"
        welcome.write_text(a_welcome(publisher, stand))
        (machine / "token").write_text("another")
        assert init(machine, "--welcome", welcome) == Exit.USAGE
        assert (machine / "token").read_text() == "another"
        welcome.write_text(a_welcome(publisher, stand, root_sha256="1" * 64))
        assert init(machine, "--welcome", welcome, "--replace") == Exit.UNTRUSTED
        assert (machine / "token").read_text() == "another"
        welcome.write_text(a_welcome(publisher, stand))
        assert init(machine, "--welcome", welcome, "--replace") == 0
        assert (machine / "token").read_text() == f"{TOKEN}\n"

    def test_writes_what_was_asked_for(self, machine: Path, tmp_path: Path, publisher: Publisher, stand: Stand) -> None:
        issued = Authority(tmp_path / "authority").issue("client", client=True)
        welcome = machine / "welcome.txt"
        welcome.write_text(
            a_welcome(
                publisher,
                stand,
                token="",
                metadata_url="https://mirror.example/0a/metadata",
                targets_url="https://mirror.example/targets",
            )
        )
        options = [
            "--client-certificate",
            issued.certificate,
            "--client-key",
            issued.key,
            "--root",
            publisher.root_file,
        ]
        options += ["--proxy", "none", "--metrics", "--nftables", "inet edge", "--netns", "one"]
        options += ["--target", f"csv={machine / 'e.csv'}", "--target", f"palo-alto={machine / 'edl.txt'}"]
        assert init(machine, "--welcome", welcome, *options) == 0
        written = load(machine / "agent.toml")
        assert written.token_file is None
        assert (written.client_certificate, written.client_key) == (issued.certificate, issued.key)
        assert written.metadata_url == "https://mirror.example/0a/metadata"
        assert (written.proxy, written.metrics) == ("none", ("127.0.0.1", 9797))
        assert [target.kind for target in written.targets] == ["nftables", "csv", "palo-alto"]
        assert "table inet edge" in (machine / "ruleset.nft").read_text()

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--target", "telex=/dev/null"], "--target telex=/dev/null is not understood"),
            (["--metrics", "everywhere"], "`metrics` must be an address"),
            (["--proxy", "proxy.example"], "`proxy` is not the address of a proxy"),
            (["--server", "feed.example"], "--server is not the address of a server"),
            (["--welcome", "/dev/null"], "there is no line such as"),
            (["--welcome", "/nowhere/welcome.txt"], "/nowhere/welcome.txt cannot be read"),
        ],
    )
    def test_writes_no_configuration_that_cannot_be_used(
        self,
        machine: Path,
        publisher: Publisher,
        stand: Stand,
        capsys: pytest.CaptureFixture[str],
        options: list[str],
        says: str,
    ) -> None:
        (machine / "welcome.txt").write_text(a_welcome(publisher, stand))
        assert init(machine, "--welcome", machine / "welcome.txt", *options) == Exit.USAGE
        assert says in capsys.readouterr().err
        assert not (machine / "agent.toml").exists()

    @pytest.mark.root
    def test_by_root_gives_the_agents_user_what_it_needs(
        self, machine: Path, publisher: Publisher, stand: Stand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        needs_root()
        user = pwd.getpwnam("daemon")
        (machine / "welcome.txt").write_text(a_welcome(publisher, stand))
        assert init(machine, "--welcome", machine / "welcome.txt", "--user", "daemon") == 0
        owned = [machine / "token", machine / "state", *(machine / "state").rglob("*")]
        assert {path.stat().st_uid for path in owned} == {user.pw_uid}
        assert (machine / "agent.toml").stat().st_uid == os.geteuid()
        assert init(machine, "--welcome", machine / "welcome.txt", "--user", "no-such-user", "--replace") == Exit.USAGE
        assert "There is no user no-such-user." in capsys.readouterr().err
