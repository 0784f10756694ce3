"""The real ddclient and inadyn, and our own announcer, against a real running web process: IPv4, IPv6 and both.

The web process is the one that is shipped. A relay says from which address a client comes, as nginx does, so that
addresses of the documentation ranges are reported. What is configured is what the holder's page gives to copy.
"""

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from rahdari.agent.dyndns_update import Announcer, RegisterNotReached, Settings
from rahdari.applicant import router_settings
from rahdari.dyndns.models import DynamicHost
from tests.builders.connections import Connection, a_connection, addresses, listed
from tests.journeys.stack import wait_for
from tests.needs import needs_program
from tests.ports import free_port
from tests.probe.networks import Line, a_line
from tests.probe.networks import said as run_ip

from .relay import listening_at, relay

pytestmark = pytest.mark.django_db(transaction=True)
SERVE = "from rahdari.ops.serving import serve_web; serve_web(host='127.0.0.1', port={port}, workers=1, threads=2)"
V4, V6 = "203.0.113.80", "2001:db8:60:1::7"


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One process for all: what a test enters is gone when the next begins."""
    said = tmp_path_factory.mktemp("web") / "web.log"
    port = free_port()
    facts = {
        "DJANGO_SETTINGS_MODULE": "tests.dyndns.served",
        "RAHDARI_DATA": str(settings.DATA),
        "RAHDARI_TEST_DATABASE": database.settings_dict["NAME"],
    }
    log = said.open("w")
    program = [sys.executable, "-W", "ignore", "-c", SERVE.format(port=port)]
    process = subprocess.Popen(program, env=os.environ | facts, stdout=log, stderr=log)

    def answers() -> bool:
        if process.poll() is not None:
            raise AssertionError(said.read_text())
        try:
            with urlopen(f"http://127.0.0.1:{port}/nic/address", timeout=5) as answer:
                return bool(answer.read())
        except HTTPError:
            raise
        except OSError:
            return False

    try:
        wait_for("the web process", answers)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)
        log.close()


def values(connection: Connection, port: int, *, host: str = "127.0.0.1", token: str = "") -> router_settings.Settings:
    full = router_settings.fqdn(connection.host.name, "", "ddns.example")
    return router_settings.Settings(
        f"http://{host}:{port}", connection.host.name, full, token or connection.token, v6_network=False
    )


def to_copy(key: str, given: router_settings.Settings) -> str:
    return next(client.text for client in router_settings.clients(given) if client.key == key)


def run_ddclient(folder: Path, text: str) -> str:
    ddclient = needs_program("ddclient", "apt-get install ddclient")
    file = folder / "ddclient.conf"
    file.write_text(text.replace("daemon=300\n", "") + "\n")
    file.chmod(0o600)
    cache = folder / "ddclient.cache"
    done = subprocess.run(
        [ddclient, "-daemon=0", "-verbose", "-noquiet", "-file", str(file), "-cache", str(cache), "-pid", ""],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def run_inadyn(folder: Path, text: str) -> tuple[int, str]:
    inadyn = needs_program("inadyn", "apt-get install inadyn")
    file = folder / "inadyn.conf"
    file.write_text(text + "\n")
    cache = folder / "inadyn.cache"
    cache.mkdir(exist_ok=True)
    words = [inadyn, "--once", "--foreground", "--loglevel=debug", "--no-pidfile", f"--cache-dir={cache}", "-f", file]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


class TestDdclient:
    def test_reports_a_change_and_then_none(self, web: int, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        with relay(web, client=V4) as port:
            said = run_ddclient(tmp_path, to_copy("ddclient", values(connection, port)))
            assert addresses(connection.host) == [f"{V4}/32"], said
            assert "SUCCESS" in said, said
        assert listed(connection.registration) == ["203.0.113.79/32", f"{V4}/32"], "the old one stays for the overlap"

    def test_a_wrong_password_is_told_as_such(self, web: int, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        with relay(web, client=V4) as port:
            given = values(connection, port, token="aaaaa-aaaaa-aaaaa-aaaaa")
            said = run_ddclient(tmp_path, to_copy("ddclient", given))
        assert "FAILED" in said or "authoriz" in said.lower(), said
        assert addresses(connection.host) == ["203.0.113.79/32"]

    def test_ipv6_alone_and_both(self, web: int, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        # It asks for its address over IPv6, and reports it to a server that it knows by IPv4: both say who it is.
        with relay(web, client=V6, host="::1") as port6, relay(web, client=V6) as port:
            text = to_copy("ddclient", values(connection, port))
            v6 = text.replace(f"usev4=webv4, webv4=http://127.0.0.1:{port}", f"usev6=webv6, webv6=http://[::1]:{port6}")
            said = run_ddclient(tmp_path, v6)
            assert addresses(connection.host) == ["203.0.113.79/32", f"{V6}/128"], said
        # Both in one call: what was proved goes on from wherever it is repeated.
        both = tmp_path / "both"
        both.mkdir()
        with relay(web, client=V6, host="::1") as port6, relay(web, client=V4) as port:
            text = to_copy("ddclient", values(connection, port))
            v6 = f"usev6=webv6, webv6=http://[::1]:{port6}/nic/address\nprotocol="
            said = run_ddclient(both, text.replace("protocol=", v6))
        assert addresses(connection.host) == [f"{V4}/32", f"{V6}/128"], said
        assert "SUCCESS" in said, said


class TestInadyn:
    def test_reports_a_change_and_then_none(self, web: int, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        with relay(web, client=V4) as port:
            code, said = run_inadyn(tmp_path, to_copy("inadyn", values(connection, port)))
            assert (code, addresses(connection.host)) == (0, [f"{V4}/32"]), said
            for file in (tmp_path / "inadyn.cache").iterdir():
                file.unlink()  # it forgets what it said, and says it again
            code, said = run_inadyn(tmp_path, to_copy("inadyn", values(connection, port)))
        assert code == 0 and "nochg" in said, said

    def test_a_wrong_password_and_an_unknown_host_are_failures(self, web: int, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        with relay(web, client=V4) as port:
            given = values(connection, port, token="aaaaa-aaaaa-aaaaa-aaaaa")
            code, said = run_inadyn(tmp_path, to_copy("inadyn", given))
            assert code != 0, said
            DynamicHost.objects.update(closed_at="2026-01-01T00:00:00Z")
            code, said = run_inadyn(tmp_path, to_copy("inadyn", values(connection, port)))
        assert code != 0 and "nohost" in said, said


@dataclass(frozen=True)
class Home:
    """A machine of its own with an address of each family, across a line from the register: no name is made up for who
    it is. Names of the register: `v4`, `v6`, and `both`."""

    line: Line
    port: int

    def settings(self, connection: Connection, family: str) -> router_settings.Settings:
        return values(connection, self.port, host=f"{family}.register.example")

    def run(self, folder: Path, *blocks: str) -> tuple[int, str]:
        file, cache = folder / "inadyn.conf", folder / "cache"
        cache.mkdir(exist_ok=True)
        # Of several blocks one head, and each provider under a name of its own.
        head = blocks[0].partition("custom ")[0]
        providers = [f"custom {block.partition('custom ')[2]}" for block in blocks]
        named = [text.replace("custom rahdari", f"custom rahdari{n}", 1) for n, text in enumerate(providers)]
        file.write_text("\n".join([head, *named, ""]))
        words = [
            "inadyn",
            "--once",
            "--foreground",
            "--loglevel=debug",
            "--no-pidfile",
            f"--cache-dir={cache}",
            "-f",
            file,
        ]
        done = subprocess.run(self.line.on_server(*words), capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def home(web: int) -> Iterator[Home]:
    needs_program("inadyn", "apt-get install inadyn")
    register4, register6 = "203.0.113.1", "2001:db8:60:1::1"
    with a_line() as line:
        for name, device, addresses_ in (
            (line.prober, "out", (f"{register4}/24", f"{register6}/64")),
            (line.server, "in", (f"{V4}/24", f"{V6}/64")),
        ):
            for address in addresses_:
                nodad = ("nodad",) if ":" in address else ()
                run_ip(["ip", "-n", name, "address", "add", address, "dev", device, *nodad])
        hosts = Path("/etc/netns") / line.server / "hosts"
        hosts.parent.mkdir(parents=True)
        hosts.write_text(
            f"{register4} v4.register.example both.register.example\n"
            f"{register6} v6.register.example both.register.example\n"
        )
        try:
            first = line.at_prober(lambda: listening_at(register4))
            port = int(first.getsockname()[1])
            second = line.at_prober(lambda: listening_at(register6, port))
            with relay(web, opened=first), relay(web, opened=second):
                yield Home(line, port)
        finally:
            hosts.unlink()
            hosts.parent.rmdir()


@pytest.mark.whole
class TestInadynOnALine:
    """The register sees whom it sees: nobody says for the client from where it comes."""

    @pytest.mark.parametrize(("family", "now"), [("v4", [f"{V4}/32"]), ("v6", ["203.0.113.79/32", f"{V6}/128"])])
    def test_reports_the_family_that_it_comes_by(self, home: Home, tmp_path: Path, family: str, now: list[str]) -> None:
        connection = a_connection("203.0.113.79")
        code, said = home.run(tmp_path, to_copy("inadyn", home.settings(connection, family)))
        assert (code, addresses(connection.host)) == (0, now), said

    def test_reports_both_with_a_provider_for_each(self, home: Home, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        blocks = [to_copy("inadyn", home.settings(connection, family)) for family in ("v4", "v6")]
        code, said = home.run(tmp_path, *blocks)
        assert (code, addresses(connection.host)) == (0, [f"{V4}/32", f"{V6}/128"]), said
        assert set(listed(connection.registration)) >= {f"{V4}/32", f"{V6}/128"}

    def test_with_a_name_of_both_families_reports_one_and_is_content(self, home: Home, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        code, said = home.run(tmp_path, to_copy("inadyn", home.settings(connection, "both")))
        assert code == 0 and {f"{V4}/32", f"{V6}/128"} & set(addresses(connection.host)), said


class TestAnnounce:
    def test_finds_its_address_by_asking_and_reports_it_once(self, web: int) -> None:
        connection = a_connection("203.0.113.79")
        with relay(web, client=V4) as port:
            given = values(connection, port)
            announcer = Announcer(Settings(given.site, given.name, given.token, families=(4,)))
            first = announcer.announce(connection.host.made_at)
            assert [(each.address, each.word) for each in first] == [(V4, "good")]
        assert listed(connection.registration) == ["203.0.113.79/32", f"{V4}/32"]

    def test_the_command_reports_and_says_by_its_exit_code_how_it_went(self, web: int, tmp_path: Path) -> None:
        connection = a_connection("203.0.113.79")
        with relay(web, client=V4) as port:
            given = values(connection, port)
            assert self.once(tmp_path, given) == (0, f"good {V4}\n")
            assert self.once(tmp_path, given) == (0, f"nochg {V4}\n")
            assert self.once(tmp_path, values(connection, port, token="aaaaa-aaaaa-aaaaa-aaaaa"))[0] == 3
        assert self.once(tmp_path, given)[0] == 5, "nobody answers there any more"
        (tmp_path / "announce.conf").chmod(0o644)
        assert self.once(tmp_path, given, written=False)[0] == 2, "others may read the token"

    def once(self, folder: Path, given: router_settings.Settings, *, written: bool = True) -> tuple[int, str]:
        file = folder / "announce.conf"
        if written:
            file.write_text(to_copy("agent", given) + "\nfamilies = 4\n")
            file.chmod(0o600)
        words = [sys.executable, "-m", "rahdari", "agent", "announce", "--once", "--config", str(file)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    def test_a_server_that_is_none_is_told_as_such(self, web: int) -> None:
        with pytest.raises(RegisterNotReached):
            Announcer(Settings(f"http://127.0.0.1:{web}/nowhere", "a", "b", families=(4,))).announce(timezone.now())


def test_http_1_0_and_unescaped_values_reach_the_register(web: int) -> None:
    """As inadyn and a FRITZ!Box send them, byte for byte: a value that is empty, nothing escaped."""
    connection = a_connection("203.0.113.79")
    basic = base64.b64encode(f"{connection.host.name}:{connection.token}".encode()).decode()
    with relay(web, client=V4) as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(
            f"GET /nic/update?hostname={connection.host.name}.ddns.example&myip={V4}&myipv6= HTTP/1.0\r\n"
            f"Host: ddns.example\r\nAuthorization: Basic {basic}\r\nUser-Agent: Fritz!Box DDNS/1.0.2\r\n\r\n".encode()
        )
        answer = b""
        while part := line.recv(4096):
            answer += part
    assert answer.startswith(b"HTTP/1.") and b" 200 " in answer.split(b"\r\n")[0], answer
    assert answer.endswith(f"\r\n\r\ngood {V4}".encode()), answer
