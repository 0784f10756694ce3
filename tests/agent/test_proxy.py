"""Behind a proxy: a real one, for http and, by CONNECT, for https."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.transport import NotReached, ProxyRefused, Server, TlsRefused
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, listed, names, sync
from tests.agent.servers import Asked, Authority, Reply, answering, tinyproxy
from tests.needs import needs_program
from tests.ports import free_port

PASSWORD = "sample-password"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def program() -> str:
    return needs_program("tinyproxy", "apt-get install tinyproxy-bin")


@pytest.fixture
def proxy(program: str, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    with tinyproxy(program, tmp_path) as proxy:
        yield proxy


def whole(configuration: Configuration, url: str) -> bytes:
    return b"".join(Server(configuration).get(url, most=1000))


class TestSync:
    def test_goes_through_the_proxy_of_the_configuration(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, proxy: tuple[str, Path]
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        url, log = proxy
        assert sync(replace(configuration, proxy=url)).exit is Exit.OK
        assert listed(configuration) == ["192.0.2.1/32"]
        assert "timestamp.json" in log.read_text()
        # A receipt that meets a connection which the proxy just ended is kept, and goes with the next sync.
        assert sync(replace(configuration, proxy=url)).exit is Exit.OK
        assert stand.receipts, "the receipts went through it too"

    def test_goes_through_the_proxy_of_the_environment_unless_told_not_to(
        self,
        monkeypatch: pytest.MonkeyPatch,
        publisher: Publisher,
        configuration: Configuration,
        proxy: tuple[str, Path],
    ) -> None:
        url, log = proxy
        monkeypatch.setenv("http_proxy", url)
        assert sync(replace(configuration, proxy="none")).exit is Exit.OK
        assert "timestamp.json" not in log.read_text()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert sync(configuration).exit is Exit.OK
        assert "timestamp.json" not in log.read_text()
        monkeypatch.delenv("no_proxy")
        assert sync(configuration).exit is Exit.OK
        assert "timestamp.json" in log.read_text()

    def test_tells_a_proxy_that_is_away_from_a_server_that_is(
        self, stand: Stand, configuration: Configuration, proxy: tuple[str, Path]
    ) -> None:
        outcome = sync(replace(configuration, proxy=f"http://127.0.0.1:{free_port()}"))
        assert (outcome.exit, names(outcome)) == (Exit.NO_NETWORK, ["NotReached"])
        assert "the proxy cannot be reached (Connection refused)" in outcome.faults[0].what


class TestConnect:
    """For https the proxy opens a tunnel, and sees a name and a port."""

    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path / "authority")

    @pytest.fixture
    def server(self, authority: Authority) -> Iterator[tuple[str, list[Asked]]]:
        with answering(lambda asked: Reply(body=b"well"), tls=authority.server_context()) as server:
            yield server

    @pytest.fixture
    def behind(self, tmp_path: Path, authority: Authority, server: tuple[str, list[Asked]]) -> Configuration:
        root = tmp_path / "root.json"
        root.write_bytes(b"")
        return a_configuration(tmp_path / "operator", server[0], root, ca_file=authority.ca_file)

    def test_carries_what_the_proxy_cannot_read(
        self, behind: Configuration, server: tuple[str, list[Asked]], proxy: tuple[str, Path]
    ) -> None:
        url, log = proxy
        assert whole(replace(behind, proxy=url), f"{server[0]}/feed/secret-path") == b"well"
        assert server[1][0].headers["Authorization"].startswith("Bearer ")
        assert f"CONNECT {server[0].removeprefix('https://')}" in log.read_text()
        assert "secret-path" not in log.read_text()

    def test_is_trusted_no_more_for_the_proxy(
        self, behind: Configuration, server: tuple[str, list[Asked]], proxy: tuple[str, Path], tmp_path: Path
    ) -> None:
        other = Authority(tmp_path / "other")
        with pytest.raises(TlsRefused):
            whole(replace(behind, proxy=proxy[0], ca_file=other.ca_file), server[0])
        assert server[1] == []

    def test_to_where_nothing_listens_is_told(self, behind: Configuration, proxy: tuple[str, Path]) -> None:
        with pytest.raises(ProxyRefused, match=r"^The proxy does not let us through to https:.* 50\d "):
            whole(replace(behind, proxy=proxy[0]), f"https://127.0.0.1:{free_port()}")

    def test_shows_name_and_password_to_the_proxy_alone(
        self, behind: Configuration, server: tuple[str, list[Asked]], program: str, tmp_path: Path
    ) -> None:
        folder = tmp_path / "locked"
        folder.mkdir()
        with tinyproxy(program, folder, password=PASSWORD) as (url, _):
            with pytest.raises(ProxyRefused, match="407") as caught:
                whole(replace(behind, proxy=url), server[0])
            assert "`proxy`" in caught.value.mend
            named = url.replace("http://", f"http://operator:{PASSWORD}@")
            assert whole(replace(behind, proxy=named), server[0]) == b"well"
            wrong = url.replace("http://", "http://operator:wrong@")
            with pytest.raises(ProxyRefused) as caught:
                whole(replace(behind, proxy=wrong), server[0])
            assert "wrong" not in str(caught.value)
        assert all("Proxy-Authorization" not in asked.headers for asked in server[1])


class TestPlain:
    def test_asks_for_name_and_password_in_the_same_words(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, program: str, tmp_path: Path
    ) -> None:
        folder = tmp_path / "locked"
        folder.mkdir()
        with tinyproxy(program, folder, password=PASSWORD) as (url, _):
            outcome = sync(replace(configuration, proxy=url))
            assert names(outcome)[0] == "ProxyRefused"
            assert "407" in outcome.faults[0].what
            named = url.replace("http://", f"http://operator:{PASSWORD}@")
            assert sync(replace(configuration, proxy=named)).exit is Exit.OK

    def test_without_a_proxy_that_is_there(self, configuration: Configuration) -> None:
        with pytest.raises(NotReached):
            whole(replace(configuration, proxy="http://127.0.0.1:9"), configuration.server)
