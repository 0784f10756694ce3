"""`bgpq4` reads the route-set from a registry, and prints it in the languages of routers: as an independent hand.

The registry here answers with what stands in the rendered object, and nothing else.
"""

import re
import socketserver
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.agent.renderers.test_golden import ROWS, rendered
from tests.needs import needs_program

V4 = ["192.0.2.1/32", "192.0.2.10/32", "198.51.100.0/28", "198.51.100.16/32", "203.0.113.7/32"]
V6 = ["2001:db8::/48", "2001:db8::1/128"]


class Registry(socketserver.ThreadingTCPServer):
    """Speaks as much of IRRd's whois as `bgpq4` asks of a route-set."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, rpsl: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, list[str]] = {}
        name = ""
        for line in rpsl.splitlines():
            attribute, _, value = line.partition(":")
            if attribute == "route-set":
                name = value.strip()
            elif attribute in {"members", "mp-members"}:
                self.objects.setdefault(name, []).append(value.strip())


class Handler(socketserver.StreamRequestHandler):
    server: Registry

    def handle(self) -> None:
        for raw in self.rfile:
            line = raw.decode().strip()
            if line == "!q":
                return
            if line == "!!":
                continue
            self.wfile.write(self.answer(line).encode())

    def answer(self, line: str) -> str:
        if line == "!s-lc":  # which sources there are
            return "A8\nRAHDARI\nC\n"
        if not line.startswith("!i"):
            return "C\n"
        members = self.server.objects.get(line[2:].partition(",")[0])
        if members is None:
            return "D\n"
        text = " ".join(members)
        return f"A{len(text) + 1}\n{text}\nC\n"


@pytest.fixture
def registry() -> Iterator[str]:
    with Registry(rendered("rpsl", list(ROWS), {}).decode()) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def printed(registry: str, *options: str) -> str:
    bgpq4 = needs_program("bgpq4", "apt-get install bgpq4")
    words = [bgpq4, "-h", registry, "-T", *options, "RS-RAHDARI"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


def plain(text: str) -> list[str]:
    """Without the numbers of lines, which bgpq4 counts by one."""
    return [re.sub(r" seq \d+", "", line) for line in text.splitlines()]


class TestRouteSet:
    def test_gives_every_address_to_bgpq4(self, registry: str) -> None:
        assert re.findall(r'"prefix": "(.*?)"', printed(registry, "-j").replace("\\/", "/")) == V4
        assert re.findall(r'"prefix": "(.*?)"', printed(registry, "-6", "-j").replace("\\/", "/")) == V6


class TestRenderedForRouters:
    """What is rendered here is what bgpq4 prints for the same device, which leaves out what a wider prefix covers."""

    def test_cisco_ios(self, registry: str) -> None:
        ours = rendered("cisco-ios", list(ROWS), {}).decode()
        for family, name, longest, wanted in (("-4", "RAHDARI4", "32", V4), ("-6", "RAHDARI6", "128", V6[:1])):
            theirs = printed(registry, family, "-s", "-l", name, "-R", longest)
            lines = [line for line in plain(theirs) if " permit " in line]
            assert [line.split()[4] for line in lines] == wanted
            assert set(lines) <= set(plain(ours))

    def test_cisco_xr(self, registry: str) -> None:
        ours = rendered("cisco-xr", list(ROWS), {}).decode()
        for family, longest, wanted in (("-4", "32", V4), ("-6", "128", V6[:1])):
            theirs = printed(registry, family, "-X", "-l", "RAHDARI", "-R", longest)
            lines = [line.strip().rstrip(",") for line in theirs.splitlines() if "/" in line]
            assert [line.split()[0] for line in lines] == wanted
            assert set(lines) <= {line.strip().rstrip(",") for line in ours.splitlines()}
            assert theirs.splitlines()[-1] == "end-set"

    def test_junos(self, registry: str) -> None:
        ours = rendered("junos", list(ROWS), {}).decode()
        for family, name in (("-4", "rahdari4"), ("-6", "rahdari6")):
            theirs = printed(registry, family, "-J", "-l", name)
            body = re.search(rf"replace:\s+prefix-list {name} {{.*?}}", theirs, re.DOTALL)
            assert body is not None
            assert body[0].split() in [part.split() for part in re.findall(r"replace:.*?}", ours, re.DOTALL)]

    def test_bird_set(self, registry: str) -> None:
        ours = rendered("bird-set", list(ROWS), {}).decode()
        for family, wanted in (("-4", V4), ("-6", V6)):
            theirs = printed(registry, family, "-b", "-l", "RAHDARI")
            assert re.findall(r"\S+/\d+", theirs) == wanted
            assert all(f"{prefix}+" in ours for prefix in wanted)
