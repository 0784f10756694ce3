"""Two of each behind HAProxy, with the configuration of deploy/haproxy; one of each is killed while people apply, and
one under the forms of pages."""

import http.client
import itertools
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from tests.needs import needs_namespaces, needs_program
from tests.ops import machines_world
from tests.ops.installed import DROPPED, Installation, an_installation
from tests.ops.machines import Machine, NoAnswer, ask, machines
from tests.push.nginx import identity
from tests.waiting import until

pytestmark = [pytest.mark.whole, pytest.mark.root]
DEPLOY = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
OURS = (DEPLOY.parent / "rahdari-away.http").read_text().partition("\n\n")[2]
ADDRESSES = {"front": "192.0.2.1", "one": "192.0.2.21", "two": "192.0.2.22", "visitor": "192.0.2.99"}
KINDS = {"web": 8000, "api": 8010, "push": 8001, "lookup": 8002}
# One of each, and not all on one machine.
KILLED = {"web": "two", "api": "one", "push": "one", "lookup": "two"}
PEOPLE, AT_ONCE, BEFORE = 24, 4, 6
TRIES = 60


@dataclass
class House:
    """Everything that runs, and who asks it."""

    installation: Installation
    at: dict[str, Machine]
    servers: dict[tuple[str, str], subprocess.Popen[bytes]]
    authority: Path
    admin: Path
    told: dict[str, Any]
    environment: dict[str, str]

    def run(self, kind: str, name: str) -> None:
        """Start a server once more, as it was."""
        machine = self.at[name]
        self.servers[kind, name] = machine.run(command_of(kind, machine), self.environment)
        until(lambda: self.states()[kind, name] == "UP", machine.log, patience=300)

    def states(self) -> dict[tuple[str, str], str]:
        return self.column("status")

    def column(self, wanted: str) -> dict[tuple[str, str], str]:
        """Of each server, as HAProxy has it."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(str(self.admin))
            asked.sendall(b"show stat\n")
            text = b"".join(iter(lambda: asked.recv(65536), b"")).decode()
        rows = [line.split(",") for line in text.splitlines() if line]
        names = {name: place for place, name in enumerate(rows[0])}
        return {(row[0], row[1]): row[names[wanted]] for row in rows[1:] if row[1] in ("one", "two")}

    def ask(self, method: str, path: str, *, host: str = "register.example", **more: Any) -> tuple[int, bytes]:
        headers = {"Host": host, **more.pop("headers", {})}
        return ask(ADDRESSES["front"], self.authority, method, path, headers=headers, **more)


def haproxy_is_there() -> str:
    needs_namespaces()
    return needs_program("haproxy", "apt-get install haproxy")


def command_of(kind: str, machine: Machine) -> list[str]:
    port = ["--host", machine.address, "--port", str(KINDS[kind])]
    name = "web" if kind == "api" else kind
    workers = ["--workers", "1"] if name == "web" else []
    return [sys.executable, "-P", "-m", "rahdari", name, *port, *workers]


@pytest.fixture(scope="module")
def own_installation() -> Iterator[Installation]:
    """No other test meets what is made here."""
    haproxy_is_there()
    with an_installation() as made:
        yield made


@pytest.fixture(scope="module")
def house(own_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    installation, tmp_path = own_installation, tmp_path_factory.mktemp("machines")
    haproxy = haproxy_is_there()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    environment = kept | {
        "RAHDARI_DATA": str(installation.data),
        "DATABASE_URL": installation.server.application_url,
        "DJANGO_SETTINGS_MODULE": "rahdari.settings.demo",
        "RAHDARI_URL": "https://register.example",
        "RAHDARI_FEED_URL": "https://feed.example",
        "RAHDARI_TRUSTED_PROXIES": f"{ADDRESSES['front']}/32",
    }
    made = subprocess.run(
        [sys.executable, machines_world.PROGRAM, str(PEOPLE)], env=environment, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    for path in (installation.data / "feed", installation.data / "feed-access"):
        # Made as root here, and read by whom the processes run as.
        subprocess.run(["chmod", "-R", "a+rX", path], check=True)
    with machines(tmp_path, ADDRESSES) as at:
        servers = {
            (kind, name): at[name].run(command_of(kind, at[name]), environment)
            for kind, name in itertools.product(KINDS, ("one", "two"))
        }
        ours = identity(tmp_path / "certificates", "register.example")
        both = tmp_path / "served"
        both.mkdir()
        (both / "both.pem").write_bytes(ours.certificate.read_bytes() + ours.key.read_bytes())
        admin, configuration = tmp_path / "admin.sock", tmp_path / "haproxy.cfg"
        text = DEPLOY.read_text()
        for old, new in {
            "/etc/haproxy/certs/": f"{both}/",
            "/etc/haproxy/errors/": f"{DEPLOY.parent}/",
            "/run/haproxy/admin.sock": str(admin),
            "log /dev/log local0": "log stdout format raw local0",
            "    user haproxy\n    group haproxy\n": "",
        }.items():
            assert old in text, old
            text = text.replace(old, new)
        configuration.write_text(text)
        checked = subprocess.run([haproxy, "-c", "-f", configuration], capture_output=True, text=True)
        assert checked.returncode == 0 and "WARNING" not in checked.stderr, checked.stderr
        at["front"].run([haproxy, "-db", "-f", configuration], kept)
        told = json.loads(made.stdout.splitlines()[-1])
        found = House(installation, at, servers, ours.certificate, admin, told, environment)
        until(admin.exists, at["front"].log, patience=300)
        until(lambda: set(found.states().values()) == {"UP"} and len(found.states()) == 8, at["one"].log, patience=300)
        yield found


@dataclass
class Load:
    """People who apply by programs, each by five requests; and others who read meanwhile. Whoever gets no answer asks
    again, with the same key."""

    house: House
    sent: list[str] = field(default_factory=list)
    again: int = 0
    read: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.waiting = iter(list(enumerate(self.house.told["tokens"])))
        self.lock = threading.Lock()

    def insist(self, method: str, path: str, **more: Any) -> tuple[int, bytes]:
        for _ in range(TRIES):
            try:
                status, content = self.house.ask(method, path, **more)
            except NoAnswer:
                status = 0
            # 409: the first attempt under this key is not over, or its process died a moment ago.
            if status not in (0, 409, 429):
                return status, content
            with self.lock:
                self.again += 1
            threading.Event().wait(0.5)
        raise AssertionError(f"{method} {path} was never answered")

    def call(self, token: str, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        status, content = self.insist(method, f"/api/v1{path}", headers=headers, body=json.dumps(body).encode())
        assert status < 300, (method, path, status, content)
        found: dict[str, Any] = json.loads(content)
        return found

    def apply(self, number: int, token: str) -> None:
        reference = self.call(token, "POST", "/applications", {"service": "vpn_freelancer", "fixed_address": "server"})
        about = f"/applications/{reference['reference']}"
        self.call(token, "PUT", f"{about}/person", {"name": f"Sample Freelancer {number}"})
        text = "From studio@client.example: we work with you."
        self.call(token, "PUT", f"{about}/evidence", {"kind": "client_email", "text": text})
        address = {"address": f"198.51.100.{number + 1}", "runs": "wireguard"}
        self.call(token, "POST", f"{about}/endpoints", address)
        self.call(token, "POST", f"{about}/submit", {"declare": True})
        self.sent.append(str(reference["reference"]))

    def people(self) -> None:
        while True:
            with self.lock:
                each = next(self.waiting, None)
            if each is None:
                return
            self.apply(*each)

    def readers(self, kind: str, path: str, host: str, headers: dict[str, str]) -> None:
        while not self.done.is_set():
            status, content = self.insist("GET", path, host=host, headers=headers)
            assert status == 200, (kind, status, content[:300])
            self.read[kind] = self.read.get(kind, 0) + 1

    def guarded(self, act: Any, *given: Any) -> threading.Thread:
        def run() -> None:
            try:
                self.house.at["visitor"].inside(lambda: act(*given))
            except BaseException as error:
                self.faults.append(repr(error))
                self.done.set()

        thread = threading.Thread(target=run)
        thread.start()
        return thread


class TestOneOfEachKilled:
    def test_loses_no_application(self, house: House) -> None:
        load = Load(house)
        bearer = {"Authorization": f"Bearer {house.told['operator']}"}
        readers = [
            load.guarded(load.readers, "web", "/check/", "register.example", {}),
            load.guarded(load.readers, "push", "/feed/metadata/timestamp.json", "feed.example", bearer),
            load.guarded(load.readers, "lookup", "/lookup/ip/203.0.113.9", "feed.example", bearer),
        ]
        people = [load.guarded(load.people) for _ in range(AT_ONCE)]
        # In the middle of it: some have applied, others are at it, and all are read from.
        until(
            lambda: load.faults or (len(load.sent) >= BEFORE and len(load.read) == 3), house.at["one"].log, patience=600
        )
        before = dict(load.read)
        for kind, name in KILLED.items():
            house.at[name].kill(house.servers[kind, name])
        killed_after = len(load.sent)
        for thread in people:
            thread.join()
        until(
            lambda: load.faults or all(load.read[kind] > before[kind] + 3 for kind in before),
            house.at["one"].log,
            patience=300,
        )
        load.done.set()
        for thread in readers:
            thread.join()
        assert load.faults == []
        assert len(load.sent) == PEOPLE == len(set(load.sent)) and BEFORE <= killed_after < PEOPLE
        assert self.submitted(house) == sorted(load.sent), "one for each who applied, and no other"
        until(lambda: {each for each, state in house.states().items() if state == "DOWN"} == set(KILLED.items()))
        print(f"{PEOPLE} applications, {killed_after} before the kills; {load.again} requests sent again; {load.read}")
        self.log_tells_nobody(house)

    def submitted(self, house: House) -> list[str]:
        with psycopg.connect(house.installation.server.url) as connection:
            found = connection.execute(
                "SELECT reference FROM apply_application a JOIN people_user u ON u.id = a.applicant_id"
                " WHERE a.status <> 'draft' AND u.id IN (SELECT owner_id FROM api_accesstoken WHERE name = 'several')"
            ).fetchall()
        return sorted(reference for (reference,) in found)

    def log_tells_nobody(self, house: House) -> None:
        text = house.at["front"].log.read_text()
        assert "GET 200 web/" in text.replace("  ", " ") or "web/one" in text
        for secret in ("/check", "/api", ADDRESSES["visitor"], house.told["operator"]):
            assert secret not in text


@dataclass
class Browser:
    """Of somebody who is signed in. `open` gives a page; `half` sends the first half of a form and keeps the rest."""

    house: House
    cookies: dict[str, str]

    def connection(self) -> http.client.HTTPSConnection:
        trusted = ssl.create_default_context(cafile=str(self.house.authority))
        trusted.check_hostname = False
        made = http.client.HTTPSConnection(ADDRESSES["front"], 443, context=trusted, timeout=120)
        made.connect()
        return made

    def headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Host": "register.example", "Cookie": cookies}

    def answered(self, connection: http.client.HTTPSConnection) -> tuple[http.client.HTTPResponse, str]:
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer, text

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[http.client.HTTPResponse, str]:
        connection = self.house.at["visitor"].inside(self.connection)
        headers, body = self.headers(), urlencode(form) if form else None
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST" if form else "GET", path, body=body, headers=headers)
        return self.answered(connection)

    def half(self, path: str, form: dict[str, str]) -> tuple[http.client.HTTPSConnection, bytes]:
        connection = self.house.at["visitor"].inside(self.connection)
        body = urlencode(form).encode()
        connection.putrequest("POST", path, skip_host=True)
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        for name, value in (self.headers() | sent).items():
            connection.putheader(name, value)
        connection.endheaders(body[: len(body) // 2])
        return connection, body[len(body) // 2 :]


def hidden(page: str, form: str) -> dict[str, str]:
    """What a browser sends of the form with this attribute without being told."""
    (inside,) = re.findall(rf"<form[^>]*{form}[^>]*>(.*?)</form>", page, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', inside))


class TestAFormThatIsBeingSent:
    def test_to_a_machine_that_dies_fails_with_our_page_and_is_done_once_when_sent_again(self, house: House) -> None:
        for kind, name in KILLED.items():
            if house.servers[kind, name].poll() is not None:
                house.run(kind, name)
        browsers = [Browser(house, dict([each.split("=", 1)])) for each in house.told["browsers"]]
        forms = []
        for each in browsers:
            _, page = each.open("/apply/")
            answers = hidden(page, 'class="flow asked"') | {"who": "vpn_freelancer", "use": "clients", "which": "line"}
            answer, _ = each.open("/apply/", answers)
            assert answer.status == 302 and answer.headers["Location"] == "/apply/ready/"
            _, page = each.open("/apply/ready/")
            forms.append(hidden(page, 'action="/apply/begin/"'))
        # All are in the middle of it: the servers have the half of each form, and nobody the rest.
        halves = [each.half("/apply/begin/", form) for each, form in zip(browsers, forms, strict=True)]

        def held() -> list[int]:
            taken = house.column("scur")
            return [int(taken["web", name]) for name in ("one", "two")]

        until(lambda: sum(held()) == len(browsers), house.at["front"].log)
        lost = held()[1]
        assert 0 < lost < len(browsers)
        house.at["two"].kill(house.servers["web", "two"])
        # All at once: HAProxy waits a minute for the rest of a form, and a busy machine may be long about an answer.
        for connection, rest in halves:
            with suppress(OSError):
                connection.send(rest)
        failed = []
        for each, form, (connection, _) in zip(browsers, forms, halves, strict=True):
            answer, page = each.answered(connection)
            if answer.status == 302:
                continue
            failed.append((each, form))
            assert (answer.status, page) == (503, OURS)
            assert (
                answer.headers["Retry-After"] == "60" and answer.headers["Content-Type"] == "text/html; charset=utf-8"
            )
        print(f"{len(browsers)} forms, {lost} with the machine that died: {len(failed)} failed, and were sent again")
        assert len(failed) == lost
        # As the page says: one page back, and the same once more.
        for each, form in failed:
            answer, _ = each.open("/apply/begin/", form)
            assert answer.status == 302, answer.status
        assert self.begun(house) == dict.fromkeys(range(len(browsers)), 1)

    def begun(self, house: House) -> dict[int, int]:
        with psycopg.connect(house.installation.server.url) as connection:
            found = connection.execute(
                "SELECT count(a.id) FROM people_user u LEFT JOIN apply_application a ON u.id = a.applicant_id"
                " WHERE u.id IN (SELECT applicant_id FROM apply_application) AND u.id NOT IN"
                " (SELECT owner_id FROM api_accesstoken) GROUP BY u.id"
            ).fetchall()
        return {number: times for number, (times,) in enumerate(found)}


class TestNoneIsWell:
    def test_pages_and_programs_are_told_when_to_come_again(self, house: House) -> None:
        """The database is away: no server is well by its own word, and one of them answers all the same."""
        house.installation.server.stop()
        try:
            both = [(kind, each) for kind in ("web", "api") for each in ("one", "two")]
            until(lambda: {house.states()[each] for each in both} == {"DOWN"})

            def said(path: str) -> tuple[http.client.HTTPResponse, bytes]:
                return house.at["visitor"].inside(lambda: ask_through(house, path))

            answer, content = said("/figures/")
            assert answer.status == 503 and b"We are back in a moment" in content
            answer, content = said("/api/v1/applications")
            assert answer.status == 503 and answer.headers["Retry-After"]
            assert answer.headers["Content-Type"].startswith("application/") and json.loads(content)
        finally:
            house.installation.server.start()


def ask_through(house: House, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    trusted = ssl.create_default_context(cafile=str(house.authority))
    trusted.check_hostname = False
    connection = http.client.HTTPSConnection(ADDRESSES["front"], 443, context=trusted, timeout=120)
    try:
        headers = {"Host": "register.example", "Authorization": f"Bearer {house.told['tokens'][0]}"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()
