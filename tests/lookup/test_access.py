"""Who is answered, and what those who are not can learn: nothing."""

import base64
import datetime as dt
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rahdari.feed.access import FILE_NAME
from rahdari.lookup import limits
from rahdari.lookup.app import Lookup
from rahdari.lookup.authentication import Proxies
from rahdari.lookup.limits import Allowance
from tests.lookup.feeds import HOUR, NOW, OTHER_TOKEN, TOKEN, Feed, an_entry, ask, certificate, opened, put, token
from tests.needs import needs_program

DER = b"0\x82 sample certificate"


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


def begun(feed: Feed, **more: object) -> Lookup:
    feed.let_in("sample-one", feed.streams([an_entry("203.0.113.7/32")]), token(), certificate(DER))
    feed.publish()
    return opened(feed, **more)


QUESTIONS = [
    "/lookup/ip/203.0.113.7",
    "/lookup/ip/203.0.113.8",
    "/lookup/ip/nonsense",
    "/lookup/ip/203.0.113.7?all=1",
    "/lookup/ip",
    "/rdap/ip/203.0.113.7",
    "/rdap/ip/203.0.113.8",
    "/rdap/entity/AUTHORITY",
    "/rdap/domain/sample.example",
    "/nothing",
    "/",
]


class TestCredentials:
    def test_end_when_they_say(self, feed: Feed) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32")])
        feed.let_in("sample-one", streams, token(ends_at=NOW + HOUR), token(OTHER_TOKEN))
        feed.publish()
        now = NOW
        lookup = Lookup(feed.data, clock=lambda: now.timestamp())
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        now = NOW + HOUR - dt.timedelta(seconds=1)
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200
        now = NOW + HOUR
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 401
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=OTHER_TOKEN).status == 200

    @pytest.mark.parametrize(
        "header", [f":{base64.b64encode(DER).decode()}:", base64.b64encode(DER).decode()], ids=["RFC 9440", "plain"]
    )
    def test_may_be_a_certificate_that_a_trusted_proxy_saw(self, feed: Feed, header: str) -> None:
        lookup = begun(feed, proxies=Proxies.read("127.0.0.1/32", "Client-Cert"))
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=None, HTTP_CLIENT_CERT=header).status == 200
        from_elsewhere = {"HTTP_CLIENT_CERT": header, "REMOTE_ADDR": "192.0.2.1"}
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=None, **from_elsewhere).status == 401
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=None, HTTP_CLIENT_CERT="nonsense").status == 401
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=None, HTTP_CLIENT_CERT=":AAAA:").status == 401

    def test_of_the_one_kind_are_not_those_of_the_other(self, feed: Feed) -> None:
        lookup = begun(feed, proxies=Proxies.read("127.0.0.1/32", "Client-Cert"))
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=DER.decode("latin-1")).status == 401
        shown = base64.b64encode(TOKEN.encode()).decode()
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=None, HTTP_CLIENT_CERT=shown).status == 401

    def test_are_not_known_by_a_header_that_was_not_configured(self, feed: Feed) -> None:
        lookup = begun(feed, proxies=Proxies.read("127.0.0.1/32", ""))
        shown = base64.b64encode(DER).decode()
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=None, HTTP_CLIENT_CERT=shown).status == 401


class TestAccessFile:
    def test_lets_nobody_in_when_it_is_gone(self, feed: Feed) -> None:
        lookup = begun(feed)
        (feed.data / FILE_NAME).unlink()
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 401
        feed.write_access()
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format":"2.0","operators":[]}'])
    def test_stays_as_it_was_when_it_is_broken(self, feed: Feed, content: bytes) -> None:
        lookup = begun(feed)
        put(feed.data / FILE_NAME, content)
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 200


class TestMetrics:
    def test_are_for_this_machine_alone(self, feed: Feed) -> None:
        lookup = begun(feed)
        assert ask(lookup, "/metrics", token=None).status == 200
        assert ask(lookup, "/metrics", token=None, REMOTE_ADDR="::1").status == 200
        assert ask(lookup, "/metrics", token=None, REMOTE_ADDR="192.0.2.1").status == 401
        # Where it listens at another address than 127.0.0.1, this machine has that one.
        own = {"SERVER_NAME": "192.0.2.21", "REMOTE_ADDR": "192.0.2.21"}
        assert ask(lookup, "/metrics", token=None, **own).status == 200
        assert ask(lookup, "/metrics", token=None, **own | {"REMOTE_ADDR": "192.0.2.1"}).status == 401
        assert ask(lookup, "/metrics", token=None, HTTP_X_FORWARDED_FOR="192.0.2.1").status == 401
        assert ask(lookup, "/metrics", REMOTE_ADDR="192.0.2.1").status == 404

    def test_say_how_much_and_never_what(self, feed: Feed) -> None:
        lookup = begun(feed, per_second=1000, in_bulk=True)
        for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8", "nonsense"):
            ask(lookup, f"/lookup/ip/{address}")
        ask(lookup, "/lookup/ip", method="POST", body=b"203.0.113.7\n203.0.113.8\nnonsense\n203.0.113.9")
        ask(lookup, "/rdap/ip/203.0.113.7")
        said = ask(lookup, "/metrics", token=None).body.decode()
        samples = {
            (
                sample.name.removeprefix("rahdari_lookup_"),
                *(value for _, value in sorted(sample.labels.items())),
            ): sample.value
            for family in text_string_to_metric_families(said)
            for sample in family.samples
        }
        assert (
            samples.items()
            >= {
                ("answers_total", "found", "single"): 2,
                ("answers_total", "not_found", "single"): 1,
                ("answers_total", "malformed", "single"): 1,
                ("answers_total", "found", "bulk"): 1,
                ("answers_total", "not_found", "bulk"): 2,
                ("answers_total", "malformed", "bulk"): 1,
                ("answers_total", "found", "rdap"): 1,
                ("entries", "feed-static"): 1,
                ("ready",): 1,
                ("troubles",): 0,
                ("age_seconds",): 0,
            }.items()
        )
        promtool = needs_program("promtool", "apt-get install prometheus")
        told = subprocess.run([promtool, "check", "metrics"], input=said, capture_output=True, text=True)
        assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
        session = next(iter(lookup.follower.sessions))
        assert not any(secret in said for secret in ("203.0.113", "sample-one", session))


class TestLimits:
    def test_an_operator_that_asks_too_often_waits_and_no_other_does(self, feed: Feed) -> None:
        streams = feed.streams([an_entry("203.0.113.7/32")])
        feed.let_in("sample-one", streams)
        feed.let_in("sample-two", streams, token(OTHER_TOKEN))
        feed.publish()
        now = NOW
        lookup = Lookup(feed.data, clock=lambda: now.timestamp(), per_second=2, in_bulk=True)
        lookup.follower.look()
        statuses = [ask(lookup, "/lookup/ip/203.0.113.7").status for _ in range(10)]
        assert statuses == [200] * 8 + [429] * 2
        for question in QUESTIONS[:7]:
            method = "POST" if question == "/lookup/ip" else "GET"
            refused = ask(lookup, question, method=method, body=b"203.0.113.7" if method == "POST" else b"")
            assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert ask(lookup, "/lookup/ip/203.0.113.7", token=OTHER_TOKEN).status == 200
        now = NOW + dt.timedelta(seconds=1)
        assert [ask(lookup, "/lookup/ip/203.0.113.7").status for _ in range(3)] == [200, 200, 429]
        # A new access file is no new allowance.
        feed.write_access()
        lookup.follower.look()
        assert ask(lookup, "/lookup/ip/203.0.113.7").status == 429

    def test_a_request_in_bulk_may_be_paid_afterwards(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams())
        feed.publish()
        now = NOW
        lookup = Lookup(feed.data, clock=lambda: now.timestamp(), per_second=1, in_bulk=True)
        lookup.follower.look()
        body = b"203.0.113.7\n" * 900
        assert ask(lookup, "/lookup/ip", method="POST", body=body).status == 200
        refused = ask(lookup, "/lookup/ip", method="POST", body=body)
        assert (refused.status, refused.headers["retry-after"]) == (429, "7")
        now = NOW + dt.timedelta(seconds=7)
        assert ask(lookup, "/lookup/ip", method="POST", body=body).status == 200

    def test_allowance_never_grows_past_what_may_be_used_at_once(self) -> None:
        allowance = Allowance(per_second=10)
        for now in (0.0, 1.0, 100.0, 1000.0):
            allowance.fill(now)
            assert allowance.left == 10 * limits.SECONDS_AT_ONCE
        allowance.left = -100.0
        allowance.fill(1005.0)
        assert allowance.left == -50.0
        allowance.fill(2000.0)
        assert allowance.left == 10 * limits.SECONDS_AT_ONCE
