"""A real nginx with our configurations, and the real agent behind it."""

import base64
import http.client
import json
import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.push.stores import Folder, s3
from tests.agent.feeds import TOKEN, Publisher, a_configuration, an_entry, now, sync
from tests.agent.feeds import running as living
from tests.ports import free_port
from tests.push.feeds import (
    SESSION,
    SHA256,
    allow,
    announce,
    certificate,
    let_in,
    metadata_of,
    put,
    repository_of,
    token,
)
from tests.push.nginx import Identity, Nginx, identity, nginx, running
from tests.push.process import PATIENCE, pushing
from tests.push.seaweed import Seaweed
from tests.push.test_mirror import carried, server
from tests.push.test_process import next_event

__all__ = ["server"]

BEARER = {"Authorization": f"Bearer {TOKEN}"}
LARGE = f"targets/feed-static/{SESSION}/{SHA256}.snap-2-{'02' * 16}.jsonl.gz"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def publisher(data: Path) -> Publisher:
    """One operator's feed, signed; its folder of metadata is the only one there is."""
    publisher = Publisher(data / "feed")
    metadata_of(data).parent.mkdir(parents=True)
    metadata_of(data).symlink_to(data / "feed" / "metadata")
    allow(data, tokens=(("sample-one", TOKEN),))
    return publisher


@contextmanager
def feed(tmp_path: Path, data: Path) -> Iterator[Nginx]:
    """deploy/nginx/feed.conf in front of `rahdari push`."""
    settings = {
        "RAHDARI_FEED_FILES_BY_PROXY": "/stored/",
        "RAHDARI_FEED_CERTIFICATE_HEADER": "X-Client-Certificate",
        "RAHDARI_TRUSTED_PROXIES": "127.0.0.1/32",
    }
    with pushing(data, tmp_path / "push.log", **settings) as (_, port):
        replaced = {
            "127.0.0.1:8001": f"127.0.0.1:{port}",
            "127.0.0.1:8000": f"127.0.0.1:{free_port()}",
            "127.0.0.1:8002": f"127.0.0.1:{free_port()}",
            "/var/log/nginx/": f"{tmp_path}/",
            "/srv/rahdari-feed/": f"{tmp_path / 'copy'}/",
        }
        with nginx(tmp_path / "nginx", "feed.conf", "feed.example", **replaced) as served:
            yield served


@contextmanager
def mirror(tmp_path: Path, tokens: str = "") -> Iterator[Nginx]:
    """deploy/nginx/feed-mirror.conf over the folder that `feed mirror` writes."""
    (tmp_path / "tokens.map").write_text(tokens)
    replaced = {
        "/etc/nginx/rahdari-tokens.map": str(tmp_path / "tokens.map"),
        "/srv/rahdari-feed": str(tmp_path / "copy"),
    }
    with nginx(tmp_path / "mirror", "feed-mirror.conf", "mirror.example", **replaced) as served:
        yield served


@contextmanager
def asked(served: Nginx, path: str, who: Identity | None = None, **headers: str) -> Iterator[http.client.HTTPResponse]:
    context = ssl.create_default_context(cafile=str(served.identity.certificate))
    if who is not None:
        context.load_cert_chain(who.certificate, who.key)
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=PATIENCE, context=context)
    try:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            yield response
    finally:
        connection.close()


def status(served: Nginx, path: str, who: Identity | None = None, **headers: str) -> int:
    with asked(served, path, who, **headers) as answer:
        return answer.status


def an_agent(tmp_path: Path, publisher: Publisher, served: Nginx, **other: str) -> Configuration:
    configuration = a_configuration(
        tmp_path / "operator", served.url, publisher.root_file, ca_file=served.identity.certificate
    )
    return replace(configuration, **other)  # type: ignore[arg-type]


class TestFeed:
    def test_is_followed_by_an_agent_with_a_token(self, tmp_path: Path, data: Path, publisher: Publisher) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        with feed(tmp_path, data) as served:
            configuration = an_agent(tmp_path, publisher, served)
            assert self.reached(configuration, publisher)
            publisher.publish(an_entry("192.0.2.2/32"))
            assert self.reached(configuration, publisher)

    def reached(self, configuration: Configuration, publisher: Publisher) -> bool:
        outcome = sync(configuration)
        return outcome.position is not None and outcome.position.sequence == publisher.sequence

    def test_is_followed_by_an_agent_with_a_certificate(self, tmp_path: Path, data: Path, publisher: Publisher) -> None:
        who = identity(tmp_path / "operator", "agent")
        let_in(data, ("sample-one", [certificate(who.der)], [each.session for each in publisher.streams.values()]))
        with feed(tmp_path, data) as served:
            configuration = an_agent(tmp_path, publisher, served)
            configuration = replace(
                configuration, token_file=None, client_certificate=who.certificate, client_key=who.key
            )
            assert self.reached(configuration, publisher)

    def test_believes_a_certificate_only_from_its_owner(self, tmp_path: Path, data: Path) -> None:
        announce(data, 1)
        mine, other = identity(tmp_path / "mine", "agent"), identity(tmp_path / "other", "agent")
        let_in(data, ("sample-one", [certificate(mine.der)], [SESSION]))
        name = "/feed/metadata/timestamp.json"
        with feed(tmp_path, data) as served:
            assert status(served, name, mine) == 200
            assert status(served, name, other) == 401
            assert status(served, name) == 401
            # Whoever has seen a certificate can send it as a header. It does not get through.
            shown = {"X-Client-Certificate": base64.b64encode(mine.der).decode()}
            assert status(served, name, **shown) == 401
            assert status(served, name, other, **shown) == 401

    def test_tells_at_once_and_holds_nothing_back(self, tmp_path: Path, data: Path) -> None:
        announce(data, 1)
        let_in(data, ("sample-one", [token(TOKEN)], [SESSION]))
        with feed(tmp_path, data) as served, asked(served, "/feed/events", **BEARER) as stream:
            assert next_event(stream)["id"] == "1"
            with asked(served, "/feed/poll?after=0", **BEARER) as polled:
                assert json.loads(polled.read())["id"] == "1"
            announce(data, 2)
            assert next_event(stream)["id"] == "2"

    def test_sends_large_files_from_the_copy_to_those_who_may_have_them(self, tmp_path: Path, data: Path) -> None:
        announce(data, 1)
        let_in(data, ("sample-one", [token(TOKEN)], [SESSION]), ("sample-two", [token("two")], []))
        large = os.urandom(700_000)
        put(data / "feed" / LARGE, large)
        with feed(tmp_path, data) as served:
            with asked(served, f"/feed/{LARGE}", **BEARER) as from_push:
                # The copy does not have it yet.
                assert (from_push.status, from_push.read()) == (200, large)
            put(tmp_path / "copy" / LARGE, large[:-1] + b"!")
            with asked(served, f"/feed/{LARGE}", **BEARER) as from_copy:
                assert from_copy.read()[-1:] == b"!"
                assert from_copy.getheader("Cache-Control") == "private, max-age=31536000, immutable"
            with asked(served, f"/feed/{LARGE}", Range="bytes=10-19", **BEARER) as part:
                assert (part.status, part.read()) == (206, large[10:20])
            assert status(served, f"/feed/{LARGE}", Authorization="Bearer two") == 404
            for inside in (f"/stored/{LARGE}", "/stored/", "/feed/../stored/x", "/other"):
                assert status(served, inside, **BEARER) == 404
            with asked(served, f"/feed/{LARGE}", Authorization="Bearer two", **{"X-Not-There": "1"}) as asking_again:
                assert asking_again.status == 404

    def test_gives_the_timestamp_anew_though_second_and_length_are_the_same(self, tmp_path: Path, data: Path) -> None:
        announce(data, 1)
        let_in(data, ("sample-one", [token(TOKEN)], [SESSION]))
        with feed(tmp_path, data) as served:
            with asked(served, "/feed/metadata/timestamp.json", **BEARER) as first:
                tag = first.getheader("ETag") or ""
            assert status(served, "/feed/metadata/timestamp.json", **BEARER, **{"If-None-Match": tag}) == 304
            announce(data, 2)
            assert status(served, "/feed/metadata/timestamp.json", **BEARER, **{"If-None-Match": tag}) == 200


class TestRegister:
    """deploy/nginx/rahdari.conf, which has pages and feed behind one nginx."""

    def test_tells_of_editions_and_believes_no_certificate(self, tmp_path: Path, data: Path) -> None:
        announce(data, 1)
        let_in(data, ("sample-one", [token(TOKEN), certificate(b"0sample")], [SESSION]))
        settings = {
            "RAHDARI_FEED_CERTIFICATE_HEADER": "X-Client-Certificate",
            "RAHDARI_TRUSTED_PROXIES": "127.0.0.1/32",
        }
        with pushing(data, tmp_path / "push.log", **settings) as (_, port):
            ours = tmp_path / "nginx" / "feed.example"
            replaced = {
                "/etc/ssl/register.example.pem": f"{ours}.pem",
                "/etc/ssl/private/register.example.key": f"{ours}.key",
                "listen 80;": f"listen 127.0.0.1:{free_port()};",
                "    listen [::]:80;\n": "",
                "127.0.0.1:8000": f"127.0.0.1:{port}",
                "127.0.0.1:8001": f"127.0.0.1:{port}",
                "127.0.0.1:8002": f"127.0.0.1:{port}",
                "/var/log/nginx/": f"{tmp_path}/",
            }
            with nginx(tmp_path / "nginx", "rahdari.conf", "feed.example", **replaced) as served:
                with asked(served, "/feed/events", Host="feed.example", **BEARER) as stream:
                    assert next_event(stream)["id"] == "1"
                    announce(data, 2)
                    assert next_event(stream)["id"] == "2"
                shown = {"X-Client-Certificate": base64.b64encode(b"0sample").decode()}
                paths = ("/feed/metadata/timestamp.json", "/feed/receipt", "/lookup/ip/192.0.2.1")
                for host in ("feed.example", "register.example"):
                    for path in paths:
                        assert status(served, path, Host=host, **shown) == 401

    def test_counts_the_requests_of_a_household(self, tmp_path: Path) -> None:
        ours = tmp_path / "nginx" / "register.example"
        zone = "limit_req_zone $household zone=rahdari:10m "
        replaced = {
            "/etc/ssl/feed.example.pem": f"{ours}.pem",
            "/etc/ssl/private/feed.example.key": f"{ours}.key",
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "    listen [::]:80;\n": "",
            "/var/log/nginx/": f"{tmp_path}/",
            # Nobody is behind it; the test says where it comes from.
            "127.0.0.1:8000": f"127.0.0.1:{free_port()}",
            f"{zone}rate=10r/s;": f"set_real_ip_from 127.0.0.1; real_ip_header X-From; {zone}rate=1r/m;",
            "burst=40": "burst=1",
        }
        with nginx(tmp_path / "nginx", "rahdari.conf", "register.example", **replaced) as served:

            def answers(*addresses: str) -> list[int]:
                return [status(served, "/", Host="register.example", **{"X-From": each}) for each in addresses]

            let_through, refused = 502, 503
            assert answers("2001:db8::1", "2001:db8::2", "2001:db8::a:b:c:3") == [let_through, let_through, refused]
            assert answers("2001:db8:0:1::1", "2001:db8:0:a0a::1", "192.0.2.1", "192.0.2.2") == [let_through] * 4
            assert answers("192.0.2.1", "192.0.2.1") == [let_through, refused]


class TestMirror:
    def test_is_followed_without_a_credential_under_names_that_cannot_be_guessed(
        self, tmp_path: Path, data: Path, publisher: Publisher
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        carried(data / "feed", Folder(tmp_path / "copy"))
        with mirror(tmp_path) as served, feed(tmp_path, data) as fed:
            configuration = an_agent(tmp_path, publisher, fed, **self.addresses(served))
            configuration.ca_file.write_bytes(  # type: ignore[union-attr]
                fed.identity.certificate.read_bytes() + served.identity.certificate.read_bytes()
            )
            outcome = sync(configuration)
            assert (outcome.exit, outcome.position and outcome.position.sequence) == (Exit.OK, 1)
            # What the mirror does not have yet comes from the server.
            publisher.publish(an_entry("192.0.2.2/32"))
            outcome = sync(configuration)
            assert outcome.position is not None
            assert outcome.position.sequence == 2

    def addresses(self, served: Nginx) -> dict[str, str]:
        folder = f"{served.url}/repositories/{repository_of('sample-one')}/metadata"
        return {"metadata_url": folder, "targets_url": f"{served.url}/targets"}

    def test_gives_each_operator_its_own_by_token(self, tmp_path: Path, data: Path, publisher: Publisher) -> None:
        carried(data / "feed", Folder(tmp_path / "copy"))
        who = {"Authorization": f"Bearer {TOKEN}"}
        repository = repository_of("sample-one")
        with mirror(tmp_path, f'"Bearer {TOKEN}" {repository};') as served:
            configuration = an_agent(tmp_path, publisher, served)
            outcome = sync(configuration)
            assert outcome.position is not None
            assert outcome.position.sequence == publisher.sequence
            path = "/feed/metadata/timestamp.json"
            assert status(served, path, **who) == 200
            # nginx would know it by its SHA-1 alone: no certificate lets anybody in here.
            assert status(served, path, identity(tmp_path / "other", "agent")) == 401
            assert status(served, path, Authorization="Bearer other") == 401
            assert status(served, f"/feed/{publisher.files[0].location}") == 404
            assert status(served, f"/feed/targets/{publisher.files[0].location}") == 401
            for path in (
                "/",
                "/repositories/",
                f"/repositories/{repository}/metadata/",
                "/feed-access/operators.json",
                "/targets/",
            ):
                assert status(served, path, **who) in {403, 404}

    def test_gives_the_timestamp_anew_though_second_and_length_are_the_same(self, tmp_path: Path) -> None:
        announce(tmp_path, 1)
        copy = tmp_path / "copy" / "repositories" / repository_of("sample-one") / "metadata" / "timestamp.json"
        with mirror(tmp_path) as served:
            for version in range(1, 4):
                put(copy, announce(tmp_path, version))
                os.utime(copy, (1, 1))
                headers = {"If-None-Match": '"1-48"', "If-Modified-Since": "Thu, 01 Jan 1970 00:00:01 GMT"}
                url = f"/repositories/{repository_of('sample-one')}/metadata/timestamp.json"
                with asked(served, url, **headers) as answer:
                    assert answer.getheader("Cache-Control") == "no-cache"
                    assert answer.getheader("ETag") is None
                    assert json.loads(answer.read())["signed"]["version"] == version


class TestS3:
    @pytest.mark.whole
    def test_is_followed_by_an_agent_as_from_a_cdn(
        self, tmp_path: Path, data: Path, publisher: Publisher, server: Seaweed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        publisher.publish(an_entry("192.0.2.1/32"))
        carried(data / "feed", s3(server.bucket, "agent", endpoint=server.endpoint))
        base = f"{server.endpoint}/{server.bucket}/agent"
        configuration = a_configuration(
            tmp_path / "operator",
            # The server is away altogether.
            f"http://127.0.0.1:{free_port()}",
            publisher.root_file,
            metadata_url=f"{base}/repositories/{repository_of('sample-one')}/metadata",
            targets_url=f"{base}/targets",
        )
        for sequence in (1, 2):
            outcome = sync(configuration)
            assert outcome.position is not None
            assert outcome.position.sequence == sequence
            publisher.publish(an_entry("192.0.2.2/32"))
            carried(data / "feed", s3(server.bucket, "agent", endpoint=server.endpoint))

    def test_of_an_agent_that_goes_on_living_is_asked_again_while_the_server_is_away(
        self, tmp_path: Path, data: Path, publisher: Publisher
    ) -> None:
        carried(data / "feed", Folder(tmp_path / "copy"))
        with mirror(tmp_path) as served:
            configuration = an_agent(tmp_path, publisher, served, **TestMirror().addresses(served))
            configuration = replace(configuration, server=f"http://127.0.0.1:{free_port()}")
            with living(configuration) as agent:
                for sequence in (0, 1, 2):
                    outcome = agent.sync(now=now())
                    assert outcome.position is not None
                    assert outcome.position.sequence == sequence
                    publisher.publish(an_entry("192.0.2.2/32"))
                    carried(data / "feed", Folder(tmp_path / "copy"))


class TestCacheThatIsSetWrongly:
    CACHE = """
        proxy_cache_path {folder} keys_zone=wrong:1m;
        server {{
            listen 127.0.0.1:{port};
            location / {{
                proxy_pass http://127.0.0.1:{behind};
                proxy_cache wrong;
                # Everything is kept for an hour, whatever the answer says of itself, and whoever asks.
                proxy_cache_valid any 1h;
                proxy_cache_key $uri;
                proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires;
                proxy_buffering on;
            }}
        }}
    """

    def test_holds_an_agent_back_only_until_it_is_told(self, tmp_path: Path, data: Path, publisher: Publisher) -> None:
        """An old timestamp is still signed. One that comes by an event leads on, by names that no cache has seen."""
        with ExitStack() as stack:
            _, behind = stack.enter_context(pushing(data, tmp_path / "push.log"))
            port = free_port()
            text = self.CACHE.format(folder=tmp_path / "cache", port=port, behind=behind)
            stack.enter_context(running(tmp_path / "wrong", text))
            configuration = a_configuration(tmp_path / "operator", f"http://127.0.0.1:{port}", publisher.root_file)
            assert self.sequence(configuration) == 0
            publisher.publish(an_entry("192.0.2.1/32"))
            assert self.sequence(configuration) == 0
            told = (publisher.folder / "metadata" / "timestamp.json").read_bytes()
            assert self.sequence(configuration, told) == 1
            # The cache still gives the old one: that is no way back.
            outcome = sync(configuration)
            assert outcome.position is not None
            assert outcome.position.sequence == 1

    def sequence(self, configuration: Configuration, timestamp: bytes | None = None) -> int | None:
        position = sync(configuration, timestamp=timestamp).position
        return position.sequence if position else None

    def test_that_keeps_the_absence_of_a_file_is_noticed_and_outlived(
        self, tmp_path: Path, data: Path, publisher: Publisher
    ) -> None:
        """The worst of it: the answer that there is no such file, kept for an hour."""
        with ExitStack() as stack:
            _, behind = stack.enter_context(pushing(data, tmp_path / "push.log"))
            port = free_port()
            configuration = a_configuration(tmp_path / "operator", f"http://127.0.0.1:{port}", publisher.root_file)
            text = self.CACHE.format(folder=tmp_path / "cache", port=port, behind=behind)
            with running(tmp_path / "wrong", text):
                assert self.sequence(configuration) == 0
                publisher.publish(an_entry("192.0.2.1/32"))
                told = (publisher.folder / "metadata" / "timestamp.json").read_bytes()
                new = [file.location for file in publisher.files if file.to_sequence == 1]
                paths = [data / "feed" / "targets" / location for location in new]
                hidden = [path.rename(path.with_name(f"hidden{number}")) for number, path in enumerate(paths)]
                assert self.sequence(configuration, told) == 0
                for place, path in zip(hidden, paths, strict=True):
                    place.rename(path)
                held_back = sync(configuration, timestamp=told)
                assert (held_back.exit, held_back.position and held_back.position.sequence) == (Exit.NO_NETWORK, 0)
            text = self.CACHE.format(folder=tmp_path / "forgotten", port=port, behind=behind)
            stack.enter_context(running(tmp_path / "again", text))
            assert self.sequence(configuration, told) == 1
