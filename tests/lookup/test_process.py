"""The real process: granian, sockets, signals, and editions that come while it runs."""

import datetime as dt
import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.lookup.feeds import TOKEN, Feed, an_entry
from tests.lookup.process import PATIENCE, asking, looking_up, status
from tests.waiting import until

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def lasting(prefix: str) -> dict[str, dt.datetime]:
    return {"not_before": now() - dt.timedelta(days=1), "not_after": now() + dt.timedelta(days=1)}


class TestProcess:
    def test_answers_follows_and_stops(self, tmp_path: Path) -> None:
        feed = Feed(tmp_path / "data")
        streams = feed.streams([an_entry("203.0.113.7/32", "udp", 1194, **lasting(""))])
        feed.let_in("sample-one", streams)
        feed.publish(now=now())
        log = tmp_path / "log"
        with looking_up(feed.data, log, RAHDARI_LOOKUP_BULK="1") as (process, port):
            assert status(port, "/lookup/ip/203.0.113.7") == 401
            with asking(port, "/lookup/ip/203.0.113.7", **BEARER) as found:
                assert json.load(found)["entries"][0]["port"] == 1194
                assert found.getheader("rahdari-edition") == "static=0 dynamic=0 canary=0"
            assert status(port, "/lookup/ip/203.0.113.8", **BEARER) == 404
            with asking(port, "/rdap/ip/203.0.113.7", method="HEAD", **BEARER) as head:
                assert (head.status, head.read()) == (200, b"")
                assert int(head.getheader("content-length") or 0) > 500
            # As one piece, and in chunks without a length.
            lines = b"203.0.113.7\n203.0.113.8\n" * 20_000
            for more in ({}, {"Transfer-Encoding": "chunked"}):
                kind = {"Content-Type": "text/plain", **BEARER, **more}
                body = (
                    lines
                    if not more
                    else b"".join(chunk(lines[at : at + 65_536]) for at in range(0, len(lines), 65_536))
                )
                with asking(
                    port, "/lookup/ip", method="POST", body=body + (chunk(b"") if more else b""), **kind
                ) as many:
                    assert many.status == 200
                    assert many.read().count(b"\t-\n") == 20_000
            # Refused before it has come.
            large = {"Content-Type": "text/plain", "Content-Length": "5000000"}
            with asking(port, "/lookup/ip", method="POST", **BEARER, **large) as refused:
                assert refused.status == 413
            # An edition, an operator, and the rights of one, while it runs.
            streams[0].add(an_entry("203.0.113.8/32", **lasting("")))
            feed.publish(now=now())
            until(lambda: status(port, "/lookup/ip/203.0.113.8", **BEARER) == 200, log)
            del feed.operators["sample-one"]
            feed.publish()
            until(lambda: status(port, "/lookup/ip/203.0.113.8", **BEARER) == 401, log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, log.read_text()
        assert "203.0.113" not in log.read_text()

    def test_is_up_before_there_is_a_feed(self, tmp_path: Path) -> None:
        feed = Feed(tmp_path / "data")
        feed.data.mkdir()
        log = tmp_path / "log"
        streams = feed.streams()
        feed.let_in("sample-one", streams)
        feed.publish(now=now())
        with looking_up(feed.data, log) as (_, port):
            new = feed.stream("feed-static", [an_entry("203.0.113.7/32", **lasting(""))], sequence=9)
            feed.let_in("sample-two", [new, *streams[1:]])
            del feed.operators["sample-one"]
            feed.publish(now=now())
            until(lambda: status(port, "/lookup/ip/203.0.113.7", **BEARER) == 200, log)

    def test_holds_no_framework_and_no_key(self) -> None:
        probe = (
            "import sys, rahdari.lookup.app\n"
            "unwanted = {'django', 'psycopg', 'cryptography', 'tuf', 'securesystemslib', 'asyncio'}\n"
            "print(sorted(unwanted & {name.partition('.')[0] for name in sys.modules}))"
        )
        result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "[]"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)
