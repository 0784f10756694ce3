from pathlib import Path

import pytest

from rahdari.agent.configuration import (
    Configuration,
    ConfigurationError,
    FileTarget,
    NftTarget,
    NoConfiguration,
    load,
    url_problem,
)
from rahdari.agent.credentials import TokenUnreadable, read_token
from tests.agent.feeds import written

WHOLE = """
server = "https://feed.example/"
token_file = "token"
root = "root.json"
root_sha256 = "{digest}"
poll_seconds = 90
[[target]]
kind = "nftables"
table = "inet  rahdari"
netns = "edge-1"
run_as = ["sudo", "-n"]
[[target]]
kind = "csv"
path = "entries.csv"
"""


def a_file(folder: Path, text: str) -> Path:
    path = folder / "agent.toml"
    path.write_text(text.replace("{digest}", "AB" * 32))
    return path


class TestLoad:
    def test_reads_all_of_it_and_fills_in_the_rest(self, tmp_path: Path) -> None:
        configuration = load(a_file(tmp_path, WHOLE))
        assert configuration.server == "https://feed.example"
        assert configuration.receipt_url == "https://feed.example/feed/receipt"
        assert configuration.root == tmp_path / "root.json"
        assert configuration.root_sha256 == "ab" * 32
        assert (configuration.poll_seconds, configuration.grace_hours) == (90, 72)
        assert configuration.targets == (
            NftTarget("rahdari", "inet rahdari", "edge-1", "nft", tmp_path / "ruleset.nft", run_as=("sudo", "-n")),
            FileTarget("csv", "entries.csv", tmp_path / "entries.csv"),
        )

    def test_reads_what_stands_around_the_feed(self, tmp_path: Path) -> None:
        text = WHOLE.replace('token_file = "token"', 'client_certificate = "one.pem"\nclient_key = "one.key"')
        text = text.replace("poll_seconds", 'proxy = "http://one:two@proxy.example:3128"\npoll_seconds')
        text = text.replace("poll_seconds", 'metrics = "[::1]:9797"\nmetrics_file = "rahdari.prom"\npoll_seconds')
        configuration = load(a_file(tmp_path, text.replace("poll_seconds", 'local = "local.csv"\npoll_seconds')))
        assert configuration.token_file is None
        assert configuration.client_certificate == tmp_path / "one.pem"
        assert configuration.client_key == tmp_path / "one.key"
        assert configuration.proxy == "http://one:two@proxy.example:3128"
        assert configuration.metrics == ("::1", 9797)
        assert configuration.metrics_file == tmp_path / "rahdari.prom"
        assert configuration.local == tmp_path / "local.csv"

    def test_reads_what_init_writes(self, configuration: Configuration) -> None:
        assert load(written(configuration)) == configuration

    def test_is_refused_without_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(NoConfiguration) as caught:
            load(tmp_path / "agent.toml")
        assert "rahdari agent init" in caught.value.mend

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (("server =", "serve ="), "`serve` is not a setting"),
            (('token_file = "token"', ""), "Either `token_file` or `client_certificate` is needed"),
            (('token_file = "token"', 'token_file = "token"\nclient_key = "k.pem"'), "`client_key` is of no use"),
            (("poll_seconds", 'proxy = "proxy.example"\npoll_seconds'), "`proxy` is not the address of a proxy"),
            (("poll_seconds", 'proxy = "socks5://192.0.2.1:9"\npoll_seconds'), "`proxy` is not the address of a"),
            (("poll_seconds", 'proxy = "http://192.0.2.1:port"\npoll_seconds'), "`proxy` is not the address of a"),
            (("poll_seconds", 'metrics = "9797"\npoll_seconds'), "`metrics` must be an address of this machine"),
            (("poll_seconds", 'metrics = "localhost:x"\npoll_seconds'), "`metrics` must be an address of"),
            (("https://feed.example/", "http://feed.example"), "the token could be read on the way"),
            (("https://feed.example/", "feed.example"), "is not the address of a server"),
            (('"{digest}"', '"12"'), "not a SHA-256"),
            (("poll_seconds = 90", "poll_seconds = 5"), "`poll_seconds` must be 60 or more"),
            (("poll_seconds = 90", "poll_seconds = true"), "must be of the kind int"),
            (('kind = "csv"', 'kind = "xml"'), "`kind` must be one of nftables, ipset, frr, json"),
            (('path = "entries.csv"', ""), "target 2: `path` is missing"),
            (('"inet  rahdari"', '"inet rahdari; flush ruleset"'), "`table` must be a family and a name"),
            (('"edge-1"', '"../x"'), "is not the name of a network namespace"),
            (('["sudo", "-n"]', "[1]"), "`run_as` must be a list of texts"),
            (('kind = "csv"', 'kind = "csv"\nname = "rahdari"'), "Two targets are called `rahdari`"),
            (("[[target]]", "[[targets]]"), "`targets` is not a setting"),
            (("server", "server = ["), "It is not TOML"),
        ],
    )
    def test_names_what_is_wrong(self, tmp_path: Path, change: tuple[str, str], says: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            load(a_file(tmp_path, WHOLE.replace(*change)))
        assert says in str(caught.value)

    def test_protects_something(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="nothing would be protected"):
            load(a_file(tmp_path, WHOLE.partition("[[target]]")[0]))


class TestToken:
    @pytest.mark.parametrize("content", [b"", b"  \n", b"two tokens", b"\xff\xfe", b"a\x07b"])
    def test_is_refused_when_the_file_holds_no_token(self, configuration: Configuration, content: bytes) -> None:
        configuration.token_file.write_bytes(content)
        with pytest.raises(TokenUnreadable) as caught:
            read_token(configuration.token_file)
        assert str(configuration.token_file) in caught.value.what

    def test_is_refused_without_a_file(self, configuration: Configuration) -> None:
        configuration.token_file.unlink()
        with pytest.raises(TokenUnreadable, match="No such file"):
            read_token(configuration.token_file)


@pytest.mark.parametrize(
    ("url", "insecure", "taken"),
    [
        ("https://feed.example", False, True),
        ("http://127.0.0.1:8001", False, True),
        ("http://[::1]:8001", False, True),
        ("http://localhost", False, True),
        ("http://192.0.2.1", False, False),
        ("http://192.0.2.1", True, True),
        ("ftp://feed.example", False, False),
        ("https://user:word@feed.example", False, False),
        ("https://feed.example/?a=b", False, False),
        ("https://", False, False),
    ],
)
def test_a_token_is_not_sent_in_the_open(url: str, insecure: bool, taken: bool) -> None:
    assert (url_problem(url, insecure=insecure) is None) is taken
