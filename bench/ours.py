"""Our side: grants into a running register, the moments at which their editions are signed, and the agents' word."""

import hashlib
import json
import select
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inotify_simple import INotify

from bench import filling, place
from rahdari.push.edition import IN_PLACE

ROLE = "feed-static"
PATIENCE = 60.0


@dataclass(frozen=True)
class Granted:
    """`number` counts from 1: whatever has so many entries more than at the start holds it, as only grants are made."""

    address: str
    number: int
    began: int
    committed: int


class Grants:
    """`register.enter`, one address at a time. Addresses follow on those that are entered."""

    def __init__(self, *, what: str = "hosts", asn: int | None = None) -> None:
        from rahdari.register.models import Entry, Registration

        self._what, self._asn = what, asn
        granted = Registration.objects.filter(category=filling.GRANTED).count()
        self._next = filling.GRANTS_FROM[what] + granted
        self.entries = Entry.objects.filter(ended_at=None).count()
        self.number = 0

    def one(self) -> Granted:
        import datetime as dt
        import ipaddress

        from rahdari.register import actions as register
        from rahdari.register.rules import NewEntry

        address = filling.address_of(self._next, self._what)
        self._next += 1
        now, origin = dt.datetime.now(dt.UTC).replace(microsecond=0), uuid.uuid4()
        new = NewEntry(f"endpoint:{origin}", ipaddress.ip_network(address), "udp", 51820, self._asn)
        began = time.time_ns()
        register.enter(
            origin=f"application:{origin}", holder=uuid.uuid4(), category=filling.GRANTED, endpoints=[new],
            valid_from=now, valid_until=now + dt.timedelta(days=365), actor="system:bench", now=now,
        )  # fmt: skip
        self.entries += 1
        self.number += 1
        return Granted(address, self.number, began, time.time_ns())


class Signing(threading.Thread):
    """Notes when each repository's timestamp is in place: with it an edition is published."""

    def __init__(self, repositories: Sequence[Path]) -> None:
        super().__init__(daemon=True)
        self._notices = INotify(nonblocking=True)
        self._names = {self._notices.add_watch(folder / "metadata", IN_PLACE): folder.name for folder in repositories}
        self._folders = {folder.name: folder for folder in repositories}
        self._ended = threading.Event()
        # By repository: (moment, session, sequence); the first is where it stood.
        self.seen = {name: [self._look(name)] for name in self._folders}

    def run(self) -> None:
        while not self._ended.is_set():
            select.select([self._notices], [], [], 0.2)
            # Several in a row are one: what counts is what stands there.
            for name in {
                self._names[notice.wd]
                for notice in self._notices.read(timeout=0)
                if notice.name == "timestamp.json" and notice.wd in self._names
            }:
                self.seen[name].append(self._look(name))

    def _look(self, name: str) -> tuple[int, str, int]:
        now = time.time_ns()
        said = json.loads((self._folders[name] / "metadata" / "timestamp.json").read_bytes())
        head = said["signed"]["feed"]["heads"][ROLE]
        return now, head["session"], head["sequence"]

    def stop(self) -> None:
        self._ended.set()
        self.join()
        self._notices.close()

    def moments(self) -> dict[str, list[tuple[int, int]]]:
        """By repository: (moment, how many entries more than at the start)."""
        from rahdari.publish.models import Edition

        sessions = {session for each in self.seen.values() for _, session, _ in each}
        rows = Edition.objects.filter(session__in=sessions).values_list("session", "sequence", "entries")
        entries = {(session, sequence): count for session, sequence, count in rows}
        found = {}
        for name, seen in self.seen.items():
            start = entries[seen[0][1:]]
            found[name] = [(at, entries[session, sequence] - start) for at, session, sequence in seen[1:]]
        return found


@dataclass
class Agents:
    """Agents in processes of their own; `seen` is by agent: (entries, committed, applied). `start` is where it was."""

    names: list[str] = field(default_factory=list)
    start: dict[str, int] = field(default_factory=dict)
    seen: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    changed: threading.Event = field(default_factory=threading.Event)

    def wait_until_all_have(self, number: int, patience: float = PATIENCE) -> None:
        until = time.monotonic() + patience
        while behind := [name for name in self.names if self.seen[name][-1][0] < self.start[name] + number]:
            if time.monotonic() > until:
                raise RuntimeError(f"{len(behind)} agents are behind; {self.faults[-3:]}")
            self.changed.wait(0.05)
            self.changed.clear()

    def moment(self, name: str, number: int, *, applied: bool) -> int:
        """When this agent first had the grant of this number."""
        return next(at[2 if applied else 1] for at in self.seen[name] if at[0] >= self.start[name] + number)


@contextmanager
def operators(
    stack: Any, folder: Path, count: int, *, networks: Sequence[Sequence[int]] = ()
) -> Iterator[list[tuple[str, Path, Path]]]:
    """New operators, of these networks or else gateways: (slug, file of its token, its repository), signed for."""
    from django.utils import timezone

    from rahdari.publish import actions as publishing
    from rahdari.publish import queries as published

    run = uuid.uuid4().hex[:8]
    made = []
    try:
        for at in range(count):
            slug = f"bench-{run}-{at}"
            token = publishing.create_operator(
                slug=slug, name=f"Sample Operator {at}", asns=networks[at] if networks else [], gateway=not networks,
                now=timezone.now(),
            )  # fmt: skip
            if not isinstance(token, str):
                token = token.token
            file = folder / f"token-{slug}"
            file.write_text(token + "\n")
            file.chmod(0o600)
            operator = published.operator_by_slug(slug)
            assert operator is not None
            made.append((slug, file, stack.data / "feed" / "repositories" / operator.repository))
        wake_publisher()
        for _, _, repository in made:
            place.wait_for(
                "the operator's repository", (repository / "metadata" / "timestamp.json").exists, patience=300
            )
        yield made
    finally:
        for slug, file, _ in made:
            operator = published.operator_by_slug(slug)
            if operator is not None:
                publishing.stop_operator(operator=operator, actor="system:bench", now=timezone.now())
            file.unlink(missing_ok=True)


def configuration_of(stack: Any, token: Path, state: Path) -> dict[str, str]:
    root = stack.data / "feed" / "metadata" / "1.root.json"
    return {
        "server": stack.feed_url, "receipt_url": f"{stack.url}/feed/receipt", "token_file": str(token),
        "root": str(root), "root_sha256": hashlib.sha256(root.read_bytes()).hexdigest(), "state": str(state),
    }  # fmt: skip


def load_ruleset(space: str) -> None:
    """The agent's sets, in a network namespace."""
    from rahdari.agent.ruleset import ruleset

    subprocess.run(
        ["ip", "netns", "exec", space, "nft", "-f", "-"], input=ruleset(), text=True, check=True, capture_output=True
    )


def sync_once(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One sync of a real agent in a process of its own (`bench.one_sync`)."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.one_sync"], input=json.dumps(given), capture_output=True, text=True, check=False,
        cwd=place.ROOT, env={**place.clean_environment(), "PYTHONPATH": f"{place.ROOT}:{place.ROOT / 'src'}"},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the agent: {done.stderr[-1500:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if said["faults"]:
        place.say(f"the agent: {said['faults']}")
    return said


def wake_publisher() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("NOTIFY rahdari_publish")


@contextmanager
def following(
    stack: Any,
    folder: Path,
    tokens: Sequence[Path],
    *,
    way: str = "stream",
    namespaces: Sequence[str] = (),
    in_a_process: int = 30,
) -> Iterator[Agents]:
    """An agent for each token (a token may come several times); the first of them drive nft in the namespaces."""
    agents = Agents()
    given: list[dict[str, Any]] = []
    for at, token in enumerate(tokens):
        name = f"agent-{at}"
        space = namespaces[at] if at < len(namespaces) else ""
        given.append({"name": name, "netns": space, **configuration_of(stack, token, folder / "state" / name)})
        agents.names.append(name)
        agents.seen[name] = []
    try:
        for start in range(0, len(given), in_a_process):
            some = given[start : start + in_a_process]
            process = place.start(
                [sys.executable, "-m", "bench.agents"], log=folder / "agents.log", folder=place.ROOT,
                environment={"PYTHONPATH": f"{place.ROOT}:{place.ROOT / 'src'}"},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            agents.processes.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps({"way": way, "role": ROLE, "agents": some}).encode() + b"\n")
            process.stdin.flush()
            ready = threading.Event()
            threading.Thread(target=_read, args=(agents, process, ready), daemon=True).start()
            # One process after the other: a snapshot for each of three hundred at once is another experiment.
            try:
                place.wait_for(
                    "the agents", ready.is_set, patience=90, every=0.05, lives=process, log=folder / "agents.log"
                )
            except RuntimeError as error:
                raise RuntimeError(f"{error} {agents.faults[-3:]}") from None
            if start and start % (in_a_process * 3) == 0:
                place.say(f"{start + len(some)} of {len(given)} agents follow")
        # So that every listener's stream is open.
        time.sleep(1.0)
        agents.start = {name: agents.seen[name][-1][0] for name in agents.names}
        yield agents
    finally:
        for process in agents.processes:
            place.stop(process, patience=1)


def _read(agents: Agents, process: subprocess.Popen[bytes], ready: threading.Event) -> None:
    assert process.stdout is not None
    for raw in process.stdout:
        line = raw.decode().rstrip("\n")
        if line == "ready":
            ready.set()
        elif line.startswith("fault "):
            agents.faults.append(line)
        else:
            name, entries, committed, applied = line.split()
            agents.seen[name].append((int(entries), int(committed), int(applied)))
            agents.changed.set()
