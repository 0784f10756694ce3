"""The way to the server: who we are is shown to it alone, replaced while we run, and a mirror is only a shortcut."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from cryptography.hazmat.primitives import serialization

from rahdari.agent.configuration import Configuration
from rahdari.agent.credentials import CertificateUnusable, Credentials
from rahdari.agent.faults import Exit
from rahdari.agent.transport import (
    NoAnswer,
    NotReached,
    Server,
    TlsRefused,
    TokenRefused,
    TooMuch,
    UnexpectedAnswer,
)
from tests.agent.servers import Asked, Authority, Issued, Reply, answering, replace_files

TOKEN = "sample-token"


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """With a token; the address of the server is not known yet."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return Configuration(
        server="",
        receipt_url="",
        token_file=tmp_path / "token",
        root=tmp_path / "root.json",
        root_sha256="",
        state=tmp_path,
        targets=(),
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def whole(server: Server, url: str, *, most: int = 1000) -> bytes:
    return b"".join(server.get(url, most=most))


def well(asked: Asked) -> Reply:
    return Reply(body=b"well")


class TestCertificate:
    @pytest.fixture
    def client(self, authority: Authority) -> Issued:
        return authority.issue("client", client=True)

    @pytest.fixture
    def behind(self, configuration: Configuration, authority: Authority, client: Issued) -> Configuration:
        return replace(
            configuration,
            token_file=None,
            ca_file=authority.ca_file,
            client_certificate=client.certificate,
            client_key=client.key,
        )

    @pytest.fixture
    def strict(self, authority: Authority) -> Iterator[tuple[str, list[Asked]]]:
        with answering(well, tls=authority.server_context(ask_for_certificate=True)) as server:
            yield server

    def test_is_shown_and_no_token_with_it(
        self, behind: Configuration, client: Issued, strict: tuple[str, list[Asked]]
    ) -> None:
        url, asked = strict
        assert whole(Server(behind), url) == b"well"
        assert asked[0].certificate == client.sha256
        assert "Authorization" not in asked[0].headers

    def test_is_replaced_without_a_restart(
        self, behind: Configuration, authority: Authority, client: Issued, strict: tuple[str, list[Asked]]
    ) -> None:
        url, asked = strict
        server, before = Server(behind), client.sha256
        whole(server, url)
        replace_files(authority.issue("next", client=True), client)
        assert client.sha256 != before
        whole(server, url)
        assert [one.certificate for one in asked] == [before, client.sha256]

    def test_that_is_half_in_place_leaves_the_one_before_in_use(
        self, behind: Configuration, authority: Authority, client: Issued, strict: tuple[str, list[Asked]]
    ) -> None:
        url, asked = strict
        server, before = Server(behind), client.sha256
        whole(server, url)
        new = authority.issue("next", client=True)
        new.certificate.replace(client.certificate)
        whole(server, url)
        assert asked[1].certificate == before
        new.key.replace(client.key)
        whole(server, url)
        assert asked[2].certificate == client.sha256 != before

    def test_of_another_pair_than_its_key_is_told(self, behind: Configuration, authority: Authority) -> None:
        wrong = replace(behind, client_key=authority.issue("other", client=True).key)
        with pytest.raises(CertificateUnusable, match="not of one pair"):
            Credentials(wrong).check()
        assert CertificateUnusable.exit is Exit.USAGE

    @pytest.mark.parametrize("content", [b"", b"no certificate"])
    def test_that_is_none_is_told(self, behind: Configuration, client: Issued, content: bytes) -> None:
        client.certificate.write_bytes(content)
        with pytest.raises(CertificateUnusable, match="it is no PEM file"):
            Credentials(behind).check()
        client.certificate.unlink()
        with pytest.raises(CertificateUnusable, match="No such file"):
            Credentials(behind).check()

    def test_with_a_key_behind_a_passphrase_is_told_and_nobody_is_asked(
        self, behind: Configuration, client: Issued
    ) -> None:
        key = serialization.load_pem_private_key(client.key.read_bytes(), None)
        locked = serialization.BestAvailableEncryption(b"a passphrase")
        client.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        with pytest.raises(CertificateUnusable):
            Credentials(behind).check()

    def test_that_the_server_misses_is_a_matter_of_the_network(
        self, behind: Configuration, strict: tuple[str, list[Asked]]
    ) -> None:
        url, asked = strict
        with pytest.raises(TlsRefused) as caught:
            whole(Server(replace(behind, client_certificate=None, client_key=None)), url)
        assert "client_certificate" in caught.value.mend
        assert asked == []

    def test_tells_when_it_ends(self, behind: Configuration, authority: Authority, client: Issued) -> None:
        ends = Server(behind).certificate_ends_at()
        assert ends is not None
        assert dt.timedelta(days=9) < ends - dt.datetime.now(dt.UTC) < dt.timedelta(days=11)
        assert Server(replace(behind, client_certificate=None)).certificate_ends_at() is None

    def test_of_the_server_by_another_authority_is_refused(
        self, configuration: Configuration, authority: Authority, tmp_path: Path
    ) -> None:
        other = Authority(tmp_path / "other")
        with answering(well, tls=other.server_context()) as (url, asked):
            with pytest.raises(TlsRefused):
                whole(Server(replace(configuration, ca_file=authority.ca_file)), url)
            with pytest.raises(TlsRefused):
                whole(Server(configuration), url)
        assert asked == []

    def test_context_allows_no_old_tls(self, configuration: Configuration) -> None:
        assert Credentials(configuration).context().minimum_version >= ssl.TLSVersion.TLSv1_2


class TestToken:
    def test_is_read_for_each_request(self, configuration: Configuration) -> None:
        with answering(well) as (url, asked):
            server = Server(configuration)
            whole(server, url)
            assert configuration.token_file is not None
            configuration.token_file.write_text("the-next")
            whole(server, url)
        assert [one.headers["Authorization"] for one in asked] == [f"Bearer {TOKEN}", "Bearer the-next"]

    def test_that_is_not_taken_is_told_as_the_certificate_where_there_is_none(
        self, configuration: Configuration
    ) -> None:
        with answering(lambda asked: Reply(401)) as (url, _):
            with pytest.raises(TokenRefused, match="does not accept the token"):
                whole(Server(configuration), url)
            with pytest.raises(TokenRefused, match="does not accept the certificate"):
                whole(Server(replace(configuration, token_file=None)), url)


class TestKeptConnection:
    """One that the other side closes in the very moment in which it is used again."""

    class Once(StreamRequestHandler):
        def handle(self) -> None:
            assert isinstance(self.server, TestKeptConnection.Closing)
            for number in range(2):
                # To the empty line, or to the end: whoever hangs up sends none.
                request = b"".join(takewhile(lambda line: line != b"\r\n", self.rfile))
                if number == 0 and request and not self.server.always:
                    self.server.answered.append(request.split(b" ")[0])
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                else:
                    self.server.closed += 1
                    return

    class Closing(ThreadingTCPServer):
        daemon_threads = True
        always = False

        def __init__(self) -> None:
            super().__init__(("127.0.0.1", 0), TestKeptConnection.Once)
            self.answered: list[bytes] = []
            self.closed = 0
            self.url = f"http://127.0.0.1:{self.server_address[1]}/feed/x"

    @pytest.fixture
    def closing(self) -> Iterator[Closing]:
        with self.Closing() as server:
            thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
            thread.start()
            yield server
            server.shutdown()
            thread.join()

    def test_is_opened_anew_for_a_question(self, configuration: Configuration, closing: Closing) -> None:
        server = Server(configuration)
        assert [whole(server, closing.url) for _ in range(3)] == [b"ok"] * 3
        assert closing.answered == [b"GET"] * 3 and closing.closed == 2
        server.close()

    def test_to_a_proxy_is_opened_anew_as_well(self, configuration: Configuration, closing: Closing) -> None:
        server = Server(replace(configuration, proxy=closing.url.removesuffix("/feed/x")))
        assert [whole(server, "http://192.0.2.1/feed/x") for _ in range(3)] == [b"ok"] * 3
        assert closing.answered == [b"GET"] * 3 and closing.closed == 2
        server.close()

    def test_that_is_never_answered_is_told_after_the_second_time(
        self, configuration: Configuration, closing: Closing
    ) -> None:
        closing.always = True
        with pytest.raises(NotReached):
            whole(Server(configuration), closing.url)
        assert closing.closed == 2


class TestChanged:
    def test_gives_the_body_only_when_the_tag_is_another(self, configuration: Configuration) -> None:
        def script(asked: Asked) -> Reply:
            if asked.headers.get("If-None-Match") == '"one"':
                return Reply(304, headers={"ETag": '"one"'})
            return Reply(body=b"well", headers={"ETag": '"one"'})

        with answering(script) as (url, asked):
            server = Server(configuration)
            first = server.get_changed(url, most=10, tag="")
            assert first is not None
            assert (first.body, first.tag) == (b"well", '"one"')
            assert server.get_changed(url, most=10, tag=first.tag) is None
            # The connection was kept.
            assert whole(server, url) == b"well"
        assert "If-None-Match" not in asked[0].headers

    def test_that_was_not_asked_for_is_no_answer(self, configuration: Configuration) -> None:
        with (
            answering(lambda asked: Reply(304)) as (url, _),
            pytest.raises(UnexpectedAnswer, match="304"),
        ):
            Server(configuration).get_changed(url, most=10, tag="")

    def test_is_bounded(self, configuration: Configuration) -> None:
        with answering(lambda asked: Reply(body=b"x" * 11)) as (url, _), pytest.raises(TooMuch):
            Server(configuration).get_changed(url, most=10, tag="")


class TestPoll:
    def test_waits_for_an_answer_and_gives_none_for_no_news(self, configuration: Configuration) -> None:
        def script(asked: Asked) -> Reply:
            return Reply(204) if asked.headers.get("Last-Event-ID") == "7" else Reply(body=b"{}")

        with answering(script) as (url, asked):
            server = Server(configuration)
            assert server.poll(f"{url}/feed/poll", last_event_id=None) == b"{}"
            assert server.poll(f"{url}/feed/poll", last_event_id="7") is None
        assert asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


class TestStream:
    def test_that_is_silent_is_told_apart_from_a_server_that_is_away(self, configuration: Configuration) -> None:
        ended = threading.Event()

        def silent() -> Iterator[bytes]:
            ended.wait(60)
            yield b""

        with answering(lambda asked: Reply(body=silent())) as (url, _):
            server = Server(configuration, silence=0.1)
            with pytest.raises(NoAnswer), server.events(url, last_event_id=None) as lines:
                next(lines)
            ended.set()
        with pytest.raises(NotReached) as caught, server.events(url, last_event_id=None) as lines:
            next(lines)
        assert not isinstance(caught.value, NoAnswer)


class TestMirror:
    """The same files on another host, such as a CDN."""

    @pytest.fixture
    def here(self) -> Iterator[tuple[str, list[Asked]]]:
        with answering(lambda asked: Reply(body=f"here {asked.path}".encode())) as server:
            yield server

    def behind(self, configuration: Configuration, server: str, mirror: str) -> Configuration:
        return replace(
            configuration, server=server, metadata_url=f"{mirror}/0ab1/metadata", targets_url=f"{mirror}/targets"
        )

    def test_is_asked_first_and_shown_nothing(
        self, configuration: Configuration, here: tuple[str, list[Asked]]
    ) -> None:
        url, asked = here
        with answering(lambda asked: Reply(body=f"there {asked.path}".encode())) as (mirror, elsewhere):
            server = Server(self.behind(configuration, url, mirror))
            assert whole(server, f"{url}/feed/targets/a/b/c") == b"there /targets/a/b/c"
            assert whole(server, f"{url}/feed/metadata/7.snapshot.json") == b"there /0ab1/metadata/7.snapshot.json"
            assert whole(server, f"{url}/feed/elsewhere") == b"here /feed/elsewhere"
            answered = server.get_changed(f"{url}/feed/metadata/timestamp.json", most=1000, tag="")
            assert answered is not None
            assert answered.body == b"here /feed/metadata/timestamp.json"
        assert all("Authorization" not in one.headers for one in elsewhere)
        assert all(one.headers["Authorization"] == f"Bearer {TOKEN}" for one in asked)

    def test_is_not_asked_twice_for_a_file_that_was_wrong(
        self, configuration: Configuration, here: tuple[str, list[Asked]]
    ) -> None:
        url, _ = here
        with answering(lambda asked: Reply(body=b"wrong")) as (mirror, elsewhere):
            server = Server(self.behind(configuration, url, mirror))
            assert whole(server, f"{url}/feed/targets/one") == b"wrong"
            assert whole(server, f"{url}/feed/targets/one") == b"here /feed/targets/one"
        assert len(elsewhere) == 1

    @pytest.mark.parametrize("status", [302, 401, 403, 404, 500])
    def test_that_lacks_a_file_is_passed_by(
        self, configuration: Configuration, here: tuple[str, list[Asked]], status: int
    ) -> None:
        url, _ = here
        with answering(lambda asked: Reply(status)) as (mirror, _):
            server = Server(self.behind(configuration, url, mirror))
            assert whole(server, f"{url}/feed/targets/one") == b"here /feed/targets/one"
        # Gone altogether.
        server.close()
        assert whole(server, f"{url}/feed/targets/two") == b"here /feed/targets/two"

    def test_that_breaks_off_is_carried_on_by_the_server(self, configuration: Configuration) -> None:
        body = bytes(range(256)) * 2000

        def cut(asked: Asked) -> Reply:
            return Reply(body=iter([body[:100_000]]), headers={"Content-Length": str(len(body))})

        with answering(lambda asked: Reply(body=body)) as (url, _), answering(cut) as (mirror, _):
            server = Server(self.behind(configuration, url, mirror))
            assert whole(server, f"{url}/feed/targets/one", most=len(body)) == body

    def test_with_too_much_is_passed_by(self, configuration: Configuration, here: tuple[str, list[Asked]]) -> None:
        url, _ = here
        with answering(lambda asked: Reply(body=b"x" * 100)) as (mirror, _):
            server = Server(self.behind(configuration, url, mirror))
            assert whole(server, f"{url}/feed/targets/one", most=30) == b"here /feed/targets/one"

    def test_gives_the_timestamp_when_the_server_is_away(self, configuration: Configuration) -> None:
        with answering(lambda asked: Reply(503)) as (url, _):
            with answering(lambda asked: Reply(body=b"there")) as (mirror, _):
                server = Server(self.behind(configuration, url, mirror))
                answered = server.get_changed(f"{url}/feed/metadata/timestamp.json", most=10, tag='"one"')
                assert answered is not None
                assert (answered.body, answered.tag) == (b"there", "")
            server.close()
            with pytest.raises(UnexpectedAnswer, match="503"):
                server.get_changed(f"{url}/feed/metadata/timestamp.json", most=10, tag="")
