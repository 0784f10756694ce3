"""The real process: `rahdari push`, granian, sockets, signals."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.push.feeds import SESSION, SNAPSHOT, TOKEN, allow, announce, certificate, let_in, metadata_of, put
from tests.push.process import PATIENCE, asking, pushing
from tests.waiting import until

BEARER = {"Authorization": f"Bearer {TOKEN}"}
LARGE = f"targets/feed-static/{SESSION}/{'cd' * 32}.snap-2-{'02' * 16}.jsonl.gz"


# The same, and granian waits for its worker for as long as a test does: whoever takes six seconds is not stuck.
PATIENT = f"""
import sys
from rahdari import cli
from rahdari.ops import serving
ours = serving.Granian
serving.Granian = lambda *given, **named: ours(*given, **named | {{"workers_kill_timeout": {PATIENCE}}})
sys.exit(cli.main(sys.argv[1:]))
"""


class TestPushProcess:
    def test_serves_and_tells(self, data: Path) -> None:
        large = os.urandom(1_000_000)
        put(data / "feed" / LARGE, large)
        with pushing(data, data / "log") as (_, port):
            with asking(port, "/feed/metadata/timestamp.json") as refused:
                assert refused.status == 401
            with asking(port, f"/feed/{LARGE}", **BEARER) as whole:
                assert whole.read() == large
                assert whole.getheader("content-length") == "1000000"
            with asking(port, f"/feed/{LARGE}", Range="bytes=999990-", **BEARER) as end:
                assert (end.status, end.read()) == (206, large[-10:])
            with asking(port, f"/feed/{SNAPSHOT}", **BEARER) as small:
                assert small.read() == b"0123456789abc"
            with asking(port, "/feed/metadata/..%2f..%2ffeed-access%2foperators.json", **BEARER) as outside:
                assert outside.status == 404
            with asking(port, "/feed/poll?after=0", **BEARER) as polled:
                assert json.loads(polled.read())["id"] == "1"
            with asking(port, "/feed/events", **BEARER) as left:
                assert next_event(left)["id"] == "1"
            with asking(port, "/feed/events", **BEARER) as stream:
                assert next_event(stream)["id"] == "1"
                announce(data, 2)
                assert next_event(stream)["id"] == "2"

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_stops_in_order_with_streams_and_polls_open(self, data: Path, number: signal.Signals) -> None:
        log = data / "log"
        patient = pushing(data, log, program=("-c", PATIENT))
        with patient as (process, port), contextlib.ExitStack() as open_ones:
            streams = [open_ones.enter_context(asking(port, "/feed/events", **BEARER)) for _ in range(20)]
            for stream in streams:
                assert next_event(stream)["id"] == "1"
            poll = open_ones.enter_context(waiting(port, "/feed/poll?after=1&wait=55"))
            # One that comes in the moment of the stop may stay unanswered, and end the worker hard: this one came.
            until(lambda: ready(port))
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0, log.read_text()
            for stream in streams:
                assert stream.read() == b""
            assert poll.recv(100).startswith(b"HTTP/1.1 204")
        # It waits for none and kills none: they ended.
        assert "Killing" not in log.read_text()

    def test_holds_nothing_back_while_large_files_go_to_those_who_do_not_take_them(self, data: Path) -> None:
        put(data / "feed" / LARGE, bytes(64_000_000))
        with pushing(data, data / "log") as (_, port), contextlib.ExitStack() as open_ones:
            for name in (LARGE, LARGE, LARGE):
                # Asked for, and never read.
                open_ones.enter_context(waiting(port, f"/feed/{name}"))
                open_ones.enter_context(waiting(port, f"/feed/{name}", "Range: bytes=1-"))
            with asking(port, "/feed/events", **BEARER) as stream:
                assert next_event(stream)["id"] == "1"
                announce(data, 2)
                assert next_event(stream)["id"] == "2"
            with asking(port, "/feed/metadata/timestamp.json", **BEARER) as file:
                assert json.loads(file.read())["signed"]["version"] == 2

    def test_lets_in_by_the_header_of_a_trusted_proxy(self, data: Path) -> None:
        settings = {"RAHDARI_FEED_CERTIFICATE_HEADER": "X-Sample", "RAHDARI_TRUSTED_PROXIES": "127.0.0.1/32"}
        let_in(data, ("sample-one", [certificate(b"0sample")], [SESSION]))
        with pushing(data, data / "log", **settings) as (_, port):
            with asking(port, f"/feed/{SNAPSHOT}", **{"X-Sample": "MHNhbXBsZQ=="}) as known:
                assert known.status == 200
            with asking(port, f"/feed/{SNAPSHOT}", **{"X-Sample": "MHNhbXBsZg=="}) as unknown:
                assert unknown.status == 401

    def test_comes_back_with_those_who_were_connected(self, data: Path) -> None:
        log = data / "log"
        with pushing(data, log) as (process, port), asking(port, "/feed/events", **BEARER) as stream:
            assert next_event(stream)["id"] == "1"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            announce(data, 2)
            with (
                pushing(data, log, port=port),
                asking(port, "/feed/events", **BEARER, **{"Last-Event-ID": "1"}) as back,
            ):
                assert next_event(back)["id"] == "2"

    def test_waits_for_an_installation_that_has_no_operator_yet(self, tmp_path: Path) -> None:
        with pushing(tmp_path, tmp_path / "log") as (_, port):
            announce(tmp_path, 1)
            put(metadata_of(tmp_path) / "1.root.json", b"{}")
            allow(tmp_path)
            until(lambda: ready(port), tmp_path / "log")

    def test_takes_as_many_connections_as_the_system_lets_it(self) -> None:
        program = (
            "import resource; from rahdari.ops.serving import allow_open_files\n"
            "soft = lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[0]\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512))\n"
            "allow_open_files(256); print(soft()); allow_open_files(100); print(soft())\n"
            "allow_open_files(100_000); print(soft())"
        )
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert result.stdout.split() == ["256", "256", "512"]

    def test_holds_no_framework_and_no_key(self) -> None:
        probe = (
            "import sys, rahdari.push.app\n"
            "unwanted = {'django', 'psycopg', 'cryptography', 'tuf', 'securesystemslib'}\n"
            "import json; print(json.dumps(sorted(unwanted & {name.partition('.')[0] for name in sys.modules})))"
        )
        result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
        assert json.loads(result.stdout) == []


def ready(port: int) -> bool:
    with asking(port, "/healthz") as answer:
        return answer.status == 200


def waiting(port: int, path: str, *headers: str) -> socket.socket:
    """A connection on which this was asked."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    lines = [f"GET {path} HTTP/1.1", "Host: feed.example", f"Authorization: Bearer {TOKEN}", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def next_event(stream: http.client.HTTPResponse) -> dict[str, str]:
    fields: dict[str, str] = {}
    while line := stream.readline().decode():
        if line == "\n" and fields:
            return fields
        name, _, value = line.strip().partition(": ")
        if name:
            fields[name] = value
    pytest.fail("the stream ended")
