"""The real process: granian, sockets, signals."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.push.feeds import TOKEN, allow, announce, put
from tests.push.process import PATIENCE, asking, pushing


class TestPushProcess:
    def test_serves_tells_and_stops_with_readers_connected(self, tmp_path: Path) -> None:
        allow(tmp_path)
        announce(tmp_path, 1)
        large = os.urandom(1_000_000)
        put(tmp_path / "feed" / "targets" / "large.zst", large)
        token = {"Authorization": f"Bearer {TOKEN}"}
        log = tmp_path / "log"
        with pushing(tmp_path, log) as (process, port):
            with asking(port, "/feed/metadata/timestamp.json") as refused:
                assert refused.status == 401
            with asking(port, "/feed/targets/large.zst", **token) as whole:
                assert whole.read() == large
                assert whole.getheader("content-length") == "1000000"
            with asking(port, "/feed/metadata/..%2f..%2ffeed-access.json", **token) as outside:
                assert outside.status == 404
            with asking(port, "/feed/events", **token) as left:
                assert next_event(left)["id"] == "1"
            with asking(port, "/feed/events", **token) as stream:
                assert next_event(stream)["id"] == "1"
                announce(tmp_path, 2)
                assert next_event(stream)["id"] == "2"
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0, log.read_text()

    def test_holds_no_framework_and_no_key(self) -> None:
        probe = (
            "import sys, rahdari.push.app\n"
            "unwanted = {'django', 'psycopg', 'cryptography', 'tuf', 'securesystemslib'}\n"
            "print(sorted(unwanted & {name.partition('.')[0] for name in sys.modules}))"
        )
        result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
        assert json.loads(result.stdout) == []


def next_event(stream: http.client.HTTPResponse) -> dict[str, str]:
    fields: dict[str, str] = {}
    while line := stream.readline().decode():
        if line == "\n" and fields:
            return fields
        name, _, value = line.strip().partition(": ")
        if name:
            fields[name] = value
    pytest.fail("the stream ended")
