"""Who is let in, by which credential, and until when."""

import base64
import datetime as dt
import os
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from rahdari.feed.certificate import der_of, is_from, networks
from rahdari.push.app import Push
from tests.push.feeds import (
    OTHER_TOKEN,
    SESSION,
    TOKEN,
    Stream,
    allow,
    announce,
    bearer,
    call,
    certificate,
    let_in,
    put,
    said,
    token,
)
from tests.push.stories import running
from tests.waiting import until

ROOT = "/feed/metadata/1.root.json"
DER = b"\x30\x82sample certificate"
PLAIN = base64.b64encode(DER).decode()
PEM = f"-----BEGIN CERTIFICATE-----\n{PLAIN}\n-----END CERTIFICATE-----\n"
NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


class TestAccess:
    @pytest.mark.parametrize(
        "headers",
        [
            [],
            bearer("another-token"),
            bearer(""),
            bearer("a" * 600),
            [(b"authorization", b"Basic c2FtcGxl")],
            [(b"authorization", b"\xff\xfe")],
        ],
    )
    @pytest.mark.parametrize("path", [ROOT, "/feed/events", "/feed/poll", "/feed/nothing", "/other"])
    def test_needs_a_token_everywhere(self, data: Path, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, path, headers=headers)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.problem()["status"] == 401

        running(data, story)

    def test_is_for_nobody_without_the_file_and_follows_it_when_it_changes(self, data: Path) -> None:
        async def story(push: Push) -> None:
            assert (await call(push, ROOT)).status == 200
            (data / "feed-access" / "operators.json").unlink()
            assert (await call(push, ROOT)).status == 401
            allow(data, tokens=(("sample-two", OTHER_TOKEN),))
            assert (await call(push, ROOT)).status == 401
            allow(data)
            assert (await call(push, ROOT)).status == 200

        running(data, story)

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b'{"format": "1.0", "operators": [{"slug": "a"}]}', b'{"format": "2.0"}']
    )
    def test_stays_as_it_was_when_the_file_is_broken(self, data: Path, content: bytes) -> None:
        async def story(push: Push) -> None:
            assert (await call(push, ROOT)).status == 200
            put(data / "feed-access" / "operators.json", content)
            assert (await call(push, ROOT)).status == 200
            assert (await call(push, ROOT, headers=bearer("other"))).status == 401

        running(data, story)

    def test_reads_the_file_again_when_it_becomes_readable(self, data: Path) -> None:
        """A change of owner moves none of inode, size and time of writing."""
        file = data / "feed-access" / "operators.json"
        good = file.read_bytes()
        file.write_bytes(b"{" + b" " * (len(good) - 1))
        written = file.stat()

        async def story(push: Push) -> None:
            assert (await call(push, ROOT)).status == 401
            file.write_bytes(good)

            def is_changed() -> bool:
                os.utime(file, ns=(written.st_atime_ns, written.st_mtime_ns))
                return file.stat().st_ctime_ns != written.st_ctime_ns

            # Some kernels count its changes by ticks of four milliseconds.
            until(is_changed)
            assert (await call(push, ROOT)).status == 200

        running(data, story)

    def test_goes_by_each_of_several_tokens_until_it_ends(self, data: Path) -> None:
        let_in(data, ("sample-one", [token("old", ends_at="2026-11-25T13:00:00Z"), token("new")], [SESSION]))

        async def story(push: Push) -> None:
            async def statuses() -> list[int]:
                return [(await call(push, ROOT, headers=bearer(text))).status for text in ("old", "new")]

            with time_machine.travel(NOON, tick=False) as time:
                assert await statuses() == [200, 200]
                time.move_to(NOON + dt.timedelta(hours=1))
                assert await statuses() == [401, 200]

        running(data, story)

    def test_health_is_open_and_waits_for_the_first_edition(self, tmp_path: Path) -> None:
        async def story(push: Push) -> None:
            assert (await call(push, "/healthz", headers=[])).status == 503
            announce(tmp_path, 1)
            allow(tmp_path)
            push.sweep()
            assert (await call(push, "/healthz", headers=[])).status == 200

        running(tmp_path, story)

    def test_metrics_say_the_same_to_this_machine_alone(self, tmp_path: Path) -> None:
        here = [(b"host", b"127.0.0.1:8001")]

        async def story(push: Push) -> None:
            assert b"\nrahdari_push_ready 0\n" in (await call(push, "/metrics", headers=here)).body
            announce(tmp_path, 1)
            allow(tmp_path)
            push.sweep()
            said = await call(push, "/metrics", headers=here)
            assert said.status == 200
            assert said.body.endswith(b"\nrahdari_push_unreadable 0\n") and b"\nrahdari_push_ready 1\n" in said.body
            # A proxy on this machine passes on the name that was asked for, or says for whom it asks.
            for passed_on in ([(b"host", b"feed.example")], [*here, (b"x-forwarded-for", b"192.0.2.7")]):
                assert (await call(push, "/metrics", headers=passed_on)).status == 401
            assert (await call(push, "/metrics", headers=here, client=("192.0.2.7", 1))).status == 401
            # Where it listens at another address than 127.0.0.1, this machine has that one.
            own = {"server": ("192.0.2.21", 8001), "headers": [(b"host", b"192.0.2.21:8001")]}
            assert (await call(push, "/metrics", client=("192.0.2.21", 1), **own)).status == 200
            assert (await call(push, "/metrics", client=("192.0.2.1", 1), **own)).status == 401

        running(tmp_path, story)


class TestCertificate:
    SETTINGS = {"certificate_header": "X-Client-Certificate", "proxies": networks("127.0.0.0/8 ::1")}

    @pytest.fixture
    def data(self, data: Path) -> Path:
        let_in(data, ("sample-one", [token(TOKEN), certificate(DER)], [SESSION]))
        return data

    @pytest.mark.parametrize(
        "form", [quote(PEM), f":{base64.b64encode(DER).decode()}:", base64.b64encode(DER).decode()]
    )
    def test_lets_in_when_a_trusted_proxy_shows_it(self, data: Path, form: str) -> None:
        async def story(push: Push) -> None:
            assert (await call(push, ROOT, headers=said(x_client_certificate=form))).status == 200

        running(data, story, **self.SETTINGS)

    def test_is_nothing_from_anyone_else_or_unless_configured(self, data: Path) -> None:
        headers = said(x_client_certificate=quote(PEM))

        async def elsewhere(push: Push) -> None:
            for client in (("192.0.2.1", 1), ("", 0), None):
                assert (await call(push, ROOT, headers=headers, client=client)).status == 401

        async def unconfigured(push: Push) -> None:
            assert (await call(push, ROOT, headers=headers)).status == 401

        running(data, elsewhere, **self.SETTINGS)
        running(data, unconfigured)
        running(data, unconfigured, proxies=self.SETTINGS["proxies"])
        running(data, unconfigured, certificate_header="X-Client-Certificate")

    def test_of_another_or_a_token_shown_as_one_lets_nobody_in(self, data: Path) -> None:
        async def story(push: Push) -> None:
            for der in (b"\x30another", TOKEN.encode()):
                form = base64.b64encode(der).decode()
                assert (await call(push, ROOT, headers=said(x_client_certificate=form))).status == 401

        running(data, story, **self.SETTINGS)

    def test_goes_beside_a_token_that_has_ended(self, data: Path) -> None:
        async def story(push: Push) -> None:
            headers = bearer("ended", x_client_certificate=quote(PEM))
            assert (await call(push, ROOT, headers=headers)).status == 200

        running(data, story, **self.SETTINGS)

    def test_is_nothing_in_any_other_form(self) -> None:
        for value in (
            b"",
            b"-----BEGIN CERTIFICATE-----",
            quote(PEM).encode()[:-40],
            b"::",
            b":a:",
            b"\xff",
            b"A" * 20_000,
        ):
            assert der_of(value) is None

    @given(st.binary(min_size=1, max_size=3000))
    def test_is_read_alike_in_each_form(self, der: bytes) -> None:
        plain = base64.b64encode(der)
        lines = b"\n".join(plain[at : at + 64] for at in range(0, len(plain), 64))
        pem = quote(b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n").encode()
        assert der_of(plain) == der_of(b":" + plain + b":") == der == der_of(pem)

    def test_comes_from_a_proxy_by_its_address(self) -> None:
        proxies = networks("127.0.0.1/32, 2001:db8::/32")
        assert is_from("127.0.0.1", proxies)
        assert is_from("::ffff:127.0.0.1", proxies)
        assert is_from("2001:db8::7", proxies)
        assert not is_from("127.0.0.2", proxies)
        assert not is_from("2001:db9::7", proxies)
        assert not is_from("nobody", proxies)
        assert not is_from("127.0.0.1", ())


class TestStay:
    def test_ends_with_the_credential(self, data: Path) -> None:
        let_in(data, ("sample-one", [token(TOKEN, ends_at="2026-11-25T13:00:00Z")], [SESSION]))

        async def story(push: Push) -> None:
            with time_machine.travel(NOON, tick=False) as time:
                stream = Stream(push, "/feed/events")
                await stream.says(b"id: 1\n")
                time.move_to(NOON + dt.timedelta(hours=1))
                await stream.finished()

        running(data, story, heartbeat=0.01)

    def test_ends_when_the_operator_does(self, data: Path) -> None:
        async def story(push: Push) -> None:
            stream = Stream(push, "/feed/events")
            await stream.says(b"id: 1\n")
            allow(data, tokens=(("sample-two", OTHER_TOKEN),))
            push.sweep()
            await stream.finished()

        running(data, story)
