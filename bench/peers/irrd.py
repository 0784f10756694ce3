"""IRRd 4.5: an authoritative server and a mirror that follows it by NRTMv4; both answer whois and HTTP.

Two instances with a database and a key-value store each; the server's files go out through nginx with TLS. An object is
changed by HTTP submission; the mirror is asked by whois.
"""

import datetime as dt
import ipaddress
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench import place

from . import Peer, Sent, host, nginx, postgres

PACKAGES = ("irrd==4.5.4",)
SOURCE = "BENCH"
# IRRd 4.5.4 forgets the port of a notification URL when it fetches a snapshot: so 443, on an address of its own.
FILES = "127.77.0.1:443"
OVERRIDE = "sample-override"
WHOIS_WORKERS, HTTP_WORKERS = 6, 2


@dataclass
class Installed:
    binaries: Path
    databases: str
    user: Any = field(default_factory=place.ordinary_user)

    def run(self, program: str, *words: str | Path, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [self.binaries / program, *map(str, words)], capture_output=True, text=True, check=False, cwd="/",
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **(environment or {})},
            user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[],
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout[-1000:]}{done.stderr[-1500:]}")
        return done.stdout


@contextmanager
def installed(folder: Path, *, quick: bool) -> Iterator[Installed]:
    """The programs and a PostgreSQL. Raises place.NotHere."""
    if os.geteuid() != 0:
        raise place.NotHere("needs root (port 443 and an unprivileged user)")
    binaries = place.environment_of("irrd", PACKAGES, quick=quick)
    place.need_programs({"valkey-server": "valkey-server", "nginx": "nginx-light"}, quick=quick)
    with postgres.serving(folder / "postgres", quick=quick) as databases:
        yield Installed(binaries, databases)


class Instance:
    """One IRRd. `source` are the settings of its only source."""

    def __init__(self, folder: Path, name: str, irrd: Installed, *, source: dict[str, Any]) -> None:
        self.folder, self.name, self._irrd = folder / name, name, irrd
        self.whois, self.http, self._store = place.free_port(), place.free_port(), place.free_port()
        for part in ("pids", "keys", "store"):
            (self.folder / part).mkdir(parents=True)
        self.database = irrd.databases.format(name=name)
        with psycopg.connect(irrd.databases.format(name="postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self.configuration = self.folder / "irrd.yaml"
        self.log = self.folder / "irrd.log"
        self._write(source)
        self._processes: list[Any] = []

    def _write(self, source: dict[str, Any]) -> None:
        from_venv = [str(self._irrd.binaries / "python"), "-c"]
        told = "from passlib.hash import md5_crypt; import sys; print(md5_crypt.hash(sys.argv[1]))"
        hashed = subprocess.run([*from_venv, told, OVERRIDE], capture_output=True, text=True, check=True).stdout.strip()
        settings = {
            # JSON is YAML.
            "irrd": {
                "database_url": self.database,
                "redis_url": f"redis://127.0.0.1:{self._store}/0",
                "piddir": str(self.folder / "pids"),
                "server": {
                    "http": {
                        "interface": "127.0.0.1", "port": self.http, "url": f"http://127.0.0.1:{self.http}/",
                        "workers": HTTP_WORKERS,
                    },
                    "whois": {"interface": "127.0.0.1", "port": self.whois, "max_connections": WHOIS_WORKERS},
                },
                "email": {"from": "bench@bench.example", "smtp": "127.0.0.1"},
                "auth": {"gnupg_keyring": str(self.folder / "keys"), "override_password": hashed},
                "rpki": {"roa_source": None},
                "log": {"level": "INFO", "logfile_path": str(self.log)},
                "sources_default": [SOURCE],
                "sources": {SOURCE: source},
            }
        }  # fmt: skip
        self.configuration.write_text(json.dumps(settings, indent=1))
        place.give(self.folder, self._irrd.user)

    def make_tables(self) -> None:
        self._irrd.run("irrd_database_upgrade", "--config", self.configuration)

    def load(self, objects: Path) -> None:
        self._irrd.run("irrd_load_database", "--config", self.configuration, "--source", SOURCE, objects)

    def start_store(self) -> None:
        store = self.folder / "store"
        command: list[str | Path] = [
            place.program_path("valkey-server") or "valkey-server", "--bind", "127.0.0.1", "--port", str(self._store),
            "--dir", store, "--save", "", "--appendonly", "no",
        ]  # fmt: skip
        self._processes.append(place.start(command, log=self.folder / "store.log", user=self._irrd.user))
        place.wait_for("valkey", lambda: place.answers(self._store), log=self.folder / "store.log")

    def start(self, *, environment: dict[str, str] | None = None) -> None:
        output = self.folder / "out"
        process = place.start(
            [self._irrd.binaries / "irrd", "--foreground", "--config", self.configuration],
            log=output, user=self._irrd.user, folder=self.folder,
            environment={**(environment or {}), "HOME": str(self.folder)},
        )  # fmt: skip
        self._processes.append(process)
        place.wait_for(f"IRRd {self.name}", lambda: place.answers(self.whois), lives=process, log=output)
        place.wait_for(f"IRRd {self.name} (HTTP)", lambda: place.answers(self.http), lives=process, log=output)

    def stop_irrd(self) -> None:
        if len(self._processes) > 1:
            # It tells its children to end, and they do so by themselves.
            process = self._processes.pop()
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            place.stop(process, patience=1)

    def stop(self) -> None:
        self.stop_irrd()
        for process in self._processes:
            place.stop(process)
        self._processes = []

    def resident_mib(self) -> float:
        return sum(place.resident_mib(process) for process in self._processes)

    def run_client_once(self, environment: dict[str, str]) -> float:
        """The NRTMv4 client's own code, run once by hand; the seconds it took, without the start of a Python."""
        code = (
            "import sys, time\n"
            "from irrd.conf import config_init\n"
            "config_init(sys.argv[1])\n"
            "from irrd.mirroring.mirror_runners_import import RPSLMirrorImportUpdateRunner\n"
            f"runner = RPSLMirrorImportUpdateRunner({SOURCE!r})\n"
            "began = time.monotonic()\n"
            "runner.run()\n"
            "print('seconds', time.monotonic() - began)\n"
        )
        said = self._irrd.run("python", "-c", code, self.configuration, environment=environment)
        return float(next(line.split()[1] for line in said.splitlines() if line.startswith("seconds")))

    def run_server_once(self) -> None:
        """Publish what has changed, as its scheduler does each minute."""
        code = (
            "import sys\n"
            "from irrd.conf import config_init\n"
            "config_init(sys.argv[1])\n"
            "from irrd.mirroring.mirror_runners_export import *\n"
            "from irrd.mirroring.nrtm4.nrtm4_server import NRTM4Server\n"
            f"NRTM4Server({SOURCE!r}).run()\n"
        )
        self._irrd.run("python", "-c", code, self.configuration)

    def submit(self, addresses: list[str]) -> None:
        objects = [{"object_text": route(address)} for address in addresses]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http}/v1/submit/",
            data=json.dumps({"objects": objects, "override": OVERRIDE}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            told = json.load(answer)
        if told["summary"]["failed"]:
            raise RuntimeError(json.dumps(told)[:1500])


class Whois:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.sendall(b"!!\n")
        self._file = self._socket.makefile("rb")

    def origins(self, prefix: str) -> str:
        self._socket.sendall(f"!r{prefix},o\n".encode())
        first = self._file.readline()
        if not first.startswith(b"A"):
            return ""
        found = self._file.read(int(first[1:]))
        self._file.readline()
        return found.decode().strip()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def route(address: str) -> str:
    length, kind = (128, "route6") if ":" in address else (32, "route")
    prefix = address if "/" in address else f"{address}/{length}"
    return f"{kind}: {prefix}\ndescr: Sample entry\norigin: AS64496\nmnt-by: SAMPLE-MNT\nsource: {SOURCE}\n"


MAINTAINER = (
    "mntner: SAMPLE-MNT\ndescr: Sample\nadmin-c: SAMPLE-TEST\nupd-to: bench@bench.example\n"
    f"auth: MD5-PW $1$fgW84Y9r$kKEn9MUq8PChNKpQhO6BM.\nmnt-by: SAMPLE-MNT\nsource: {SOURCE}\n"
)
PERSON = (
    "person: Sample Person\naddress: Sample\nphone: +92 51 0000000\ne-mail: bench@bench.example\nnic-hdl: SAMPLE-TEST\n"
    f"mnt-by: SAMPLE-MNT\nsource: {SOURCE}\n"
)


def write_objects(path: Path, addresses: Iterator[str]) -> None:
    with path.open("w") as file:
        file.write(f"{MAINTAINER}\n{PERSON}\n")
        for address in addresses:
            file.write(route(address) + "\n")
    path.chmod(0o644)


@dataclass
class Keys:
    private: str
    public: str
    certificate: Path
    key: Path


def make_keys(folder: Path) -> Keys:
    """The signing key of NRTMv4 and a certificate for the files' server."""
    key, tls = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "files.bench.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(tls.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(FILES.partition(":")[0]))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(tls, hashes.SHA256())
    )  # fmt: skip
    encoding = serialization.Encoding.PEM
    plain, no = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "tls.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "tls.key").write_bytes(tls.private_bytes(encoding, plain, no))
    return Keys(
        private=key.private_bytes(encoding, plain, no).decode(),
        public=key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
        certificate=folder / "tls.pem",
        key=folder / "tls.key",
    )


@dataclass
class Pair:
    """A server, its files behind nginx, and a mirror. Neither runs yet; both have their tables, the server its list."""

    server: Instance
    mirror: Instance
    environment: dict[str, str]
    files: Path
    log: Path


@contextmanager
def pair(folder: Path, entries: int, *, quick: bool, import_timer: int | None = None) -> Iterator[Pair]:
    with ExitStack() as stack:
        irrd = stack.enter_context(installed(folder, quick=quick))
        keys, files, log = make_keys(folder), folder / "files", folder / "fetched"
        files.mkdir()
        place.give(files, irrd.user)
        stack.enter_context(
            nginx.serving(
                folder / "nginx", files, listen=FILES, certificate=keys.certificate, key=keys.key, log=log, quick=quick
            )
        )
        published = {
            "authoritative": True, "keep_journal": True, "nrtm4_server_private_key": keys.private,
            "nrtm4_server_local_path": str(files),
        }  # fmt: skip
        followed = {
            "keep_journal": True, "nrtm4_client_initial_public_key": keys.public,
            "nrtm4_client_notification_file_url": f"https://{FILES.removesuffix(':443')}/update-notification-file.jose",
            **({"import_timer": import_timer} if import_timer is not None else {}),
        }  # fmt: skip
        server = Instance(folder, "server", irrd, source=published)
        stack.callback(server.stop)
        mirror = Instance(folder, "mirror", irrd, source=followed)
        stack.callback(mirror.stop)
        objects = folder / "objects"
        write_objects(objects, (host(number) for number in range(entries)))
        for instance in (server, mirror):
            instance.start_store()
            instance.make_tables()
        place.say(f"IRRd loads {entries} objects")
        server.load(objects)
        trusting = {"REQUESTS_CA_BUNDLE": str(keys.certificate), "SSL_CERT_FILE": str(keys.certificate)}
        yield Pair(server, mirror, trusting, files, log)


class Irrd:
    name = "IRRd 4.5 NRTMv4"
    unfair = (
        "The 60 s timers are a choice of NRTMv4, not a limit of the software: with IRRd's own testing switch it is "
        "about a second. It parses whole RPSL objects, and its mirror writes each change with a journal to PostgreSQL."
    )

    def __init__(self, pair: Pair, entries: int, setting: str) -> None:
        self._pair, self._entries = pair, entries
        self._whois = Whois(pair.mirror.whois)
        self.setting = f"{setting}, {entries} route objects, HTTP submission, TLS, mirror asked by whois"
        self.versions = {
            "irrd": PACKAGES[0].partition("==")[2],
            "postgresql-17": place.package_version("postgresql-17"),
        }

    def change(self, number: int) -> Sent:
        began = time.time_ns()
        self._pair.server.submit([host(self._entries + number)])
        return Sent(began, time.time_ns())

    def has(self, number: int) -> bool:
        return bool(self._whois.origins(f"{host(self._entries + number)}/32"))

    def arrived(self, number: int) -> int:
        until = time.monotonic() + 240
        while not self.has(number):
            if time.monotonic() > until:
                raise RuntimeError("the object did not arrive")
            time.sleep(0.05)
        return time.time_ns()

    def facts(self) -> dict[str, Any]:
        return {"MiB": [round(self._pair.server.resident_mib()), round(self._pair.mirror.resident_mib())]}


@contextmanager
def starting(folder: Path, entries: int, quick: bool) -> Iterator[Peer]:
    """With all timers at their defaults."""
    with _mirroring(folder, entries, quick, "all timers default (60 s, 60 s)", {}) as peer:
        yield peer


@contextmanager
def starting_fast(folder: Path, entries: int, quick: bool) -> Iterator[Peer]:
    """With the switch of IRRd's own tests, which is not for production."""
    fast = {"IRRD_TESTING_FAST_SCHEDULER_OVERRIDE": "1"}
    with _mirroring(folder, entries, quick, "its testing switch (0 s, 0 s; not for production)", fast) as peer:
        yield peer


@contextmanager
def _mirroring(folder: Path, entries: int, quick: bool, setting: str, environment: dict[str, str]) -> Iterator[Irrd]:
    with pair(folder, entries, quick=quick) as both:
        # The first publication and the first mirroring by hand: their timers are not what is measured.
        both.server.run_server_once()
        both.mirror.run_client_once(both.environment)
        both.server.start(environment=environment)
        both.mirror.start(environment={**environment, **both.environment})
        peer = Irrd(both, entries, setting)
        place.wait_for("the mirror", lambda: peer.has(-1), patience=300, every=0.5)
        yield peer


class Behind:
    """A mirror that misses changes and catches up by its client's own code, run by hand: timers do not count."""

    def __init__(self, both: Pair, entries: int) -> None:
        self._both, self._next = both, entries

    def miss(self, changes: int) -> None:
        """Submissions of 100 objects; published each 2,500, as they would be at a tick of the server's timer."""
        left = changes
        while left:
            at_once = min(left, 2500)
            for start in range(0, at_once, 100):
                count = min(100, at_once - start)
                self._both.server.submit([host(self._next + number) for number in range(count)])
                self._next += count
            self._both.server.run_server_once()
            left -= at_once

    def catch_up(self) -> tuple[float, int, int]:
        """Seconds, fetches, bytes."""
        before = self._both.log.stat().st_size if self._both.log.exists() else 0
        seconds = self._both.mirror.run_client_once(self._both.environment)
        with self._both.log.open() as log:
            log.seek(before)
            fetched = [int(line.split()[2]) for line in log]
        return seconds, len(fetched), sum(fetched)


@contextmanager
def behind(folder: Path, entries: int, quick: bool) -> Iterator[Behind]:
    """A server at work, whose mirror knows nothing yet."""
    with pair(folder, entries, quick=quick) as both:
        both.server.run_server_once()
        both.server.start()
        yield Behind(both, entries)


LOOKUP_UNFAIR = (
    "IRRd parses questions of several kinds, serves many sources, checks scope and RPKI status, and gives whole "
    "objects; our list has one row for an address and no RPSL text."
)


@contextmanager
def looking_up(folder: Path, prefixes: list[str], quick: bool) -> Iterator[Instance]:
    """One instance that holds a route object for each prefix."""
    with installed(folder, quick=quick) as irrd, ExitStack() as stack:
        instance = Instance(folder, "lookups", irrd, source={"authoritative": True, "keep_journal": True})
        stack.callback(instance.stop)
        write_objects(folder / "objects", iter(prefixes))
        instance.start_store()
        instance.make_tables()
        place.say(f"IRRd loads {len(prefixes)} objects")
        instance.load(folder / "objects")
        instance.start()
        first = prefixes[0]
        place.wait_for("IRRd's index", lambda: Whois(instance.whois).origins(first), patience=120, every=0.5)
        yield instance
