"""Three PostgreSQL under Patroni and one etcd, on this machine, in a folder of their own.

Invariants: nothing listens but on 127.0.0.1, at ports that were free; nothing runs as root; `stop` ends all that was
started, whatever state it is in, and when we are killed the kernel tells Patroni and etcd to end.
"""

import http.client
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rahdari.ops import drop_root, postgres
from rahdari.ops.errors import Told

HERE = "127.0.0.1"
NODES = 3
DEBIANS = Path("/usr/lib/postgresql")
# What all nodes agree on, as deploy/patroni/patroni.yml has it and says why: a test holds the two together.
AGREED: dict[str, Any] = {
    "ttl": 20,
    "loop_wait": 5,
    "retry_timeout": 5,
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    "synchronous_node_count": 1,
    "failsafe_mode": True,
    "postgresql": {
        "use_pg_rewind": True,
        "use_slots": True,
        "parameters": {"synchronous_commit": "on", "wal_log_hints": "on", "max_connections": 200},
    },
}
# Small, since three share a machine.
SIZES = {"shared_buffers": "64MB", "max_connections": 80, "max_wal_size": "512MB"}
START_PATIENCE, CHANGE_PATIENCE, STOP_PATIENCE = 120.0, 120.0, 30.0


class NotInstalled(Told):
    """Programs that the rehearsal runs are not here. `.names` are theirs."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"This rehearsal runs {', '.join(names)}, which {'is' if len(names) == 1 else 'are'} not on PATH. "
            "On Debian run: apt install patroni python3-etcd etcd-server. Debian starts both at once: where nothing "
            "else uses them, run systemctl disable --now patroni etcd. The rehearsal starts its own."
        )
        self.names = names


class DidNotCome(Told):
    """What was waited for did not happen. `.said` is the end of what the programs said."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"It did not come to it: {what}. What the programs said last:\n{said}")
        self.said = said


@dataclass(frozen=True)
class Programs:
    patroni: str
    etcd: str
    postgres: Path

    def versions(self) -> dict[str, str]:
        said = {
            "patroni": [self.patroni, "--version"],
            "etcd": [self.etcd, "--version"],
            "postgresql": [str(self.postgres / "postgres"), "--version"],
        }
        return {name: _version(command) for name, command in said.items()}


def programs() -> Programs:
    """Raises NotInstalled."""
    found = {name: shutil.which(name) for name in ("patroni", "etcd")}
    if missing := [name for name, path in found.items() if path is None]:
        raise NotInstalled(missing)
    return Programs(str(found["patroni"]), str(found["etcd"]), _postgres())


def _postgres() -> Path:
    with suppress(postgres.NoEmbeddedPostgres):
        return postgres.binaries()
    on_path = shutil.which("pg_rewind")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(DEBIANS.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "postgres").is_file() and (folder / "pg_rewind").is_file():
            return folder
    raise NotInstalled(["postgres"])


def _version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return found.group() if found else "unknown"


@dataclass
class Node:
    name: str
    port: int
    api: int
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def postmaster(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def processes(self) -> list[int]:
        """Patroni, the postmaster, and its children."""
        first = self.postmaster()
        ours = [self.process.pid] if self.process is not None and self.process.poll() is None else []
        return [*ours, *([first, *_children(first)] if first else [])]


@dataclass
class Cluster:
    folder: Path
    programs: Programs
    user: pwd.struct_passwd
    nodes: list[Node] = field(default_factory=list)
    _etcd: "subprocess.Popen[bytes] | None" = None
    _passwords: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Until one of them leads and one follows it at each commit. Raises DidNotCome."""
        ports = free_ports(2 + 2 * NODES)
        self._etcd_ports = ports[:2]
        names = ("postgres", "replicator", "rewinder", postgres.OWNER, postgres.APPLICATION)
        self._passwords = {name: secrets.token_urlsafe(24) for name in names}
        self.start_etcd()
        for number in range(NODES):
            node = Node(f"n{number + 1}", ports[2 + number], ports[2 + NODES + number], self.folder / f"n{number + 1}")
            self._own(node.folder)
            self._write(node.folder / "patroni.yml", json.dumps(self._configuration(node), indent=1))
            self.nodes.append(node)
        self.start_node(self.nodes[0])
        self.until("no server leads", lambda: self.leader() is not None, START_PATIENCE)
        for node in self.nodes[1:]:
            self.start_node(node)
        self.until_whole(START_PATIENCE)
        postgres.make_database(self.url("postgres", database="postgres"), self._passwords)

    def stop(self) -> None:
        """Replicas first, then whoever leads, then etcd. What does not end is ended."""
        for node in self.nodes:
            _signal(node.processes(), signal.SIGCONT)
        leader = self.leader()
        for node in sorted(self.nodes, key=lambda each: each is leader):
            _end(node.process)
            if (pid := node.postmaster()) is not None and _lives(pid, "postgres"):
                _signal([pid], signal.SIGQUIT)
            node.process = None
        if self._etcd is not None:
            _signal([self._etcd.pid], signal.SIGCONT)
        _end(self._etcd)

    def url(self, role: str, *, database: str = postgres.DATABASE, only: Node | None = None) -> str:
        """With all servers in it, as DATABASE_URL has them: a connection is made to the one that writes."""
        places = ",".join(f"{HERE}:{node.port}" for node in ([only] if only else self.nodes))
        wanted = "" if only else "?target_session_attrs=read-write"
        return f"postgresql://{role}:{quote(self._passwords[role], safe='')}@{places}/{database}{wanted}"

    # -- what is seen ------------------------------------------------------------------------------------------------

    def members(self) -> dict[str, dict[str, Any]]:
        """What the first Patroni that answers says of each node, by name."""
        for node in self.nodes:
            if node.process is None:
                continue
            with suppress(OSError, ValueError, http.client.HTTPException):
                status, said = self._ask(node, "GET", "/cluster")
                if status == 200:
                    return {each["name"]: each for each in said["members"]}
        return {}

    def leader(self) -> Node | None:
        """Who holds the lock and says itself that it leads."""
        names = [name for name, each in self.members().items() if each["role"] == "leader"]
        for node in self.nodes:
            with suppress(OSError, ValueError, http.client.HTTPException):
                if node.name in names and node.process is not None and self._ask(node, "GET", "/primary")[0] == 200:
                    return node
        return None

    def followers(self) -> tuple[Node, list[Node]] | None:
        """Who has each commit before it is answered, and the others."""
        members = self.members()
        at_once = [node for node in self.nodes if members.get(node.name, {}).get("role") == "sync_standby"]
        others = [node for node in self.nodes if members.get(node.name, {}).get("role") == "replica"]
        return (at_once[0], others) if at_once else None

    def is_whole(self) -> bool:
        states = [each["state"] for each in self.members().values()]
        return len(states) == NODES and set(states) <= {"running", "streaming"} and self.followers() is not None

    def until_whole(self, patience: float = CHANGE_PATIENCE) -> None:
        self.until("not all servers follow", lambda: self.leader() is not None and self.is_whole(), patience)

    def until_another_leads(self, old: Node) -> Node:
        self.until("no other server leads", lambda: self.leader() not in (None, old), CHANGE_PATIENCE)
        leader = self.leader()
        return leader if leader is not None and leader is not old else self.until_another_leads(old)

    def until(self, otherwise: str, holds: Callable[[], object], patience: float) -> None:
        end = time.monotonic() + patience
        while not holds():
            ended = any(node.process is not None and node.process.poll() is not None for node in self.nodes)
            if ended or time.monotonic() > end:
                raise DidNotCome(otherwise, self.said())
            time.sleep(0.2)

    def said(self) -> str:
        logs = [self.folder / "etcd.log", *(node.folder / "patroni.log" for node in self.nodes)]
        return "\n".join(f"{log.name} of {log.parent.name}:\n{log.read_text()[-1500:]}" for log in logs if log.exists())

    # -- what is done ------------------------------------------------------------------------------------------------

    def start_node(self, node: Node) -> None:
        log = node.folder / "patroni.log"
        node.process = self._run([self.programs.patroni, str(node.folder / "patroni.yml")], log)

    def start_etcd(self) -> None:
        home = self.folder / "etcd"
        self._own(home)
        client, peer = (f"http://{HERE}:{port}" for port in self._etcd_ports)
        words = ["--name", "e1", "--data-dir", str(home / "data"), "--log-level", "warn"]
        words += ["--listen-client-urls", client, "--advertise-client-urls", client]
        words += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"e1={peer}"]
        self._etcd = self._run([self.programs.etcd, *words], self.folder / "etcd.log")
        address = (HERE, self._etcd_ports[0])
        self.until("etcd does not listen", lambda: _listens(*address), START_PATIENCE)

    def stop_etcd(self) -> None:
        _end(self._etcd)

    def kill(self, node: Node) -> None:
        """As when a machine is gone: Patroni and all of PostgreSQL in the same moment, with no time to say goodbye."""
        _signal(node.processes(), signal.SIGKILL)
        if node.process is not None:
            node.process.wait()
        node.process = None

    def freeze(self, node: Node) -> None:
        """As when a machine stands still for a while: it keeps its connections, and believes what it believed."""
        _signal(node.processes(), signal.SIGSTOP)

    def thaw(self, node: Node) -> None:
        _signal(node.processes(), signal.SIGCONT)

    def switch_over(self, leader: Node) -> None:
        """Raises DidNotCome when it was refused."""
        status, said = self._ask(leader, "POST", "/switchover", {"leader": leader.name}, patience=CHANGE_PATIENCE)
        if status >= 300:
            raise DidNotCome(f"the switch-over was refused ({said})", self.said())

    # -- how ---------------------------------------------------------------------------------------------------------

    def _configuration(self, node: Node) -> dict[str, Any]:
        """Patroni's, as JSON, which YAML is too."""
        nets = f"all all {HERE}/32 scram-sha-256"
        accounts = {"superuser": "postgres", "replication": "replicator", "rewind": "rewinder"}
        agreed = AGREED | {
            "postgresql": AGREED["postgresql"] | {"parameters": AGREED["postgresql"]["parameters"] | SIZES}
        }
        return {
            "scope": "rahdari",
            "name": node.name,
            "restapi": {"listen": f"{HERE}:{node.api}", "connect_address": f"{HERE}:{node.api}"},
            "etcd3": {"host": f"{HERE}:{self._etcd_ports[0]}"},
            "bootstrap": {
                "dcs": agreed,
                "initdb": [
                    {"encoding": "UTF8"},
                    {"locale": "C"},
                    {"locale-provider": "builtin"},
                    {"builtin-locale": "C.UTF-8"},
                    "data-checksums",
                ],
            },
            "postgresql": {
                "listen": f"{HERE}:{node.port}",
                "connect_address": f"{HERE}:{node.port}",
                "data_dir": str(node.data),
                "bin_dir": str(self.programs.postgres),
                "pgpass": str(node.folder / "pgpass"),
                "authentication": {
                    kind: {"username": name, "password": self._passwords[name]} for kind, name in accounts.items()
                },
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": [f"host {nets}", f"host replication replicator {HERE}/32 scram-sha-256"],
            },
        }

    def _run(self, program: list[str], log: Path) -> "subprocess.Popen[bytes]":
        """In a group of its own, which Ctrl-C does not reach: we end it, in order."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "LC_", "PYTHON", "PATRONI_", "ETCD_"))
        }
        # The libraries of the embedded server lie beside its package.
        show = [self.programs.postgres.parent.parent.parent, self.folder]
        with log.open("ab") as out:
            return subprocess.Popen(
                drop_root.command(program, self.user, show=show),
                env=kept | {"LC_ALL": "C", "TZ": "UTC", "HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)

    def _write(self, path: Path, text: str) -> None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if os.geteuid() == 0:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _ask(
        self, node: Node, method: str, path: str, body: dict[str, str] | None = None, patience: float = 3.0
    ) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection(HERE, node.api, timeout=patience)) as connection:
            headers = {"Content-Type": "application/json"} if body else {}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            said = answer.read().decode(errors="replace")
        return answer.status, json.loads(said) if said.startswith("{") else said


def free_ports(count: int) -> list[int]:
    """Below those that the kernel gives to connections (32768 on Linux): while a server is away, none has its port."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = 15_000 + secrets.randbelow(17_768)
            with suppress(OSError):
                held.enter_context(socket.create_server((HERE, port)))
                found.append(port)
    return found


def _listens(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def _lives(pid: int, name: str) -> bool:
    """Whether the process of this number is still this program, and not another that got the number."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == name
    except OSError:
        return False


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _end(process: "subprocess.Popen[bytes] | None") -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
