"""Nothing is lost and nothing doubled, whatever is killed when: every process of the stack, again and again, and in
the middle the supervisor with all of them.
"""

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rahdari import feed
from tests.ports import free_port

from . import stack as stacks
from .stack import Stack, wait_for

# A child that dies often is started again after ever longer pauses, so each word gets a few deaths, and no more.
APPLICATIONS, DEATHS_OF_EACH = 36, 2
VICTIMS = ("web", "worker", "publisher", "push", "agent", "postgres")
# What the line does last for each of them.
# By the person who applied: an address of e-mail cannot be read from the table.
TOLD = (
    "SELECT count(DISTINCT a.id) FROM letters_letter l JOIN apply_application a ON a.applicant_id = l.to_id"
    " WHERE l.template = 'application_granted' AND a.reference IN ({listed})"
)
AGENTS = {"sample-fibre": 64500, "example-broadband": 64501, "placeholder-net": 64502}


class Applicants:
    """The program that applies, and the references that it has been given so far."""

    def __init__(self, stack: Stack) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("submitting.py")), str(APPLICATIONS)],
            env=stack.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.references: list[str] = []
        self.errors = ""
        self.threads = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for thread in self.threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.references.extend(line.strip() for line in self.process.stdout)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()

    def have_sent(self, count: int) -> bool:
        if self.process.poll() not in (None, 0):
            raise AssertionError(self.errors)
        return len(self.references) >= count

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[list[Stack]]:
    """A stack for this test alone; the last of the list is the one that runs."""
    started = [stacks.start(tmp_path / "data", free_port(beside=2))]
    yield started
    stacks.stop(started[-1])


def kill(stack: Stack, word: str, chance: random.Random) -> None:
    """SIGKILL to one process of this name that runs now, as soon as there is one."""
    pid = chance.choice(wait_for(f"a {word} to kill", lambda: stack.processes(word)))
    os.kill(pid, signal.SIGKILL)


def kill_everything(stack: Stack) -> Stack:
    """The supervisor dies without a word, and everything with it; then somebody starts it again."""
    pids = [pid for _, pid in stack.children()]
    stack.process.kill()
    stacks.stop(stack)
    wait_for("the end of all children", lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    return stacks.start(stack.data, stack.port)


def rows(stack: Stack, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(stack.environment()["DATABASE_URL"]) as connection:
        return connection.execute(sql).fetchall()


def one(stack: Stack, sql: str) -> object:
    return rows(stack, sql)[0][0]


FILES = (
    "SELECT f.from_sequence, f.to_sequence, f.path, f.sha256 FROM publish_file f"
    "  JOIN publish_session s ON s.id = f.session_id JOIN publish_stream t ON t.id = s.stream_id"
    " WHERE t.everything AND t.role = 'feed-static' AND f.sha256 <> ''"
    "   AND (f.from_sequence IS NULL OR f.to_sequence = f.from_sequence + 1) ORDER BY f.to_sequence, f.from_sequence"
)


def in_the_feed(stack: Stack) -> tuple[Counter[str], set[tuple[str, str, int | None]]]:
    """How often each entry was added in what the gateway was given, from its first snapshot on by each single delta,
    and what is in force after them."""
    added: Counter[str] = Counter()
    now: dict[str, tuple[str, str, int | None]] = {}
    at: int | None = None
    for start, end, path, sha256 in rows(stack, FILES):
        assert isinstance(end, int)
        if start is None and at is not None:
            continue  # a later snapshot says what is known
        assert start == at, "an edition is missing"
        at = end
        folder, _, name = str(path).rpartition("/")
        body = (stack.data / "feed" / "targets" / folder / f"{sha256}.{name}").read_bytes()
        limits = feed.DELTA_LIMITS if start is not None else feed.SNAPSHOT_LIMITS
        for operation in feed.EditionReader(io.BytesIO(body), limits):
            if operation.op == "remove":
                now.pop(operation.entry.id)
                continue
            added[operation.entry.id] += operation.op == "add"
            now[operation.entry.id] = (operation.entry.prefix, operation.entry.protocol, operation.entry.port)
    return added, set(now.values())


def in_the_register(stack: Stack, *, asn: int | None = None) -> set[tuple[str, str, int | None]]:
    """What is entered: everything, or what one network is to have."""
    sql = "SELECT block, protocol, port FROM register_entry WHERE ended_at IS NULL"
    found = rows(stack, sql if asn is None else f"{sql} AND {asn} = ANY(asns)")
    return {(str(block), str(protocol), port) for block, protocol, port in found}  # type: ignore[misc]


@pytest.mark.whole
class TestKilling:
    def test_loses_nothing_and_doubles_nothing(self, own_stack: list[Stack]) -> None:
        chance = random.Random(seed := random.randrange(10**6))
        print(f"seed {seed}")  # pytest shows it when the test fails
        # Who gets everything, to count by.
        told = own_stack[-1].command("operator", "add", "sample-gateway", "--name", "Sample Gateway", "--gateway")
        assert told.returncode == 0, told.stderr
        victims = [word for word in VICTIMS for _ in range(DEATHS_OF_EACH)]
        chance.shuffle(victims)
        moment = threading.Event()
        applicants = Applicants(own_stack[-1])
        try:
            for number, word in enumerate(victims):
                # Spread over the whole stream of applications, each at no moment in particular.
                due = number * APPLICATIONS // len(victims)
                wait_for("applications", lambda due=due: applicants.have_sent(due), patience=600)  # type: ignore[misc]
                moment.wait(chance.uniform(0, 0.4))
                kill(own_stack[-1], word, chance)
                if number == len(victims) // 2:
                    own_stack.append(kill_everything(own_stack[-1]))
            wait_for("all applications", lambda: applicants.have_sent(APPLICATIONS), patience=600)
        finally:
            applicants.close()
        stack = own_stack[-1]
        assert len(set(applicants.references)) == APPLICATIONS

        def all_told() -> bool:
            try:
                listed = ", ".join(f"'{reference}'" for reference in applicants.references)
                return int(str(one(stack, TOLD.format(listed=listed)))) >= APPLICATIONS
            except psycopg.OperationalError:
                return False  # it was the last that was killed

        wait_for("a letter to everybody", all_told, patience=600)
        self.each_is_there_once(stack, applicants.references)
        published = (
            "SELECT NOT EXISTS (SELECT FROM publish_pendingchange)"
            "   AND NOT EXISTS (SELECT FROM publish_edition WHERE published_at IS NULL)"
        )
        wait_for("every change in a published edition", lambda: one(stack, published), patience=600)
        register = in_the_register(stack)
        added, in_force = in_the_feed(stack)
        assert set(added.values()) == {1} and len(added) >= APPLICATIONS
        assert in_force == register
        for slug, asn in AGENTS.items():
            file, due = stack.data / "agents" / slug / "entries.json", in_the_register(stack, asn=asn)
            what = f"{slug} to hold what the register holds for it"
            wait_for(what, lambda file=file, due=due: held(file) == due, patience=600)  # type: ignore[misc]

    def each_is_there_once(self, stack: Stack, references: list[str]) -> None:
        listed = ", ".join(f"'{reference}'" for reference in references)
        told = rows(
            stack,
            "SELECT a.reference, a.status, count(DISTINCT d.id), count(DISTINCT r.id), count(DISTINCT e.id),"
            "       count(DISTINCT h.id), count(DISTINCT l.id)"
            "  FROM apply_application a"
            "  LEFT JOIN decide_case c ON c.application_id = a.id"
            "  LEFT JOIN decide_decision d ON d.case_id = c.id AND d.outcome = 'granted' AND d.voided_at IS NULL"
            "  LEFT JOIN register_registration r ON r.origin = 'application:' || a.id"
            "  LEFT JOIN register_entry e ON e.registration_id = r.id"
            "  LEFT JOIN register_change h ON h.entry_id = e.id"
            "  LEFT JOIN letters_letter l ON l.to_id = a.applicant_id AND l.template = 'application_granted'"
            f" WHERE a.reference IN ({listed}) GROUP BY a.id",
        )
        assert {row[0] for row in told} == set(references)
        assert {row[1:] for row in told} == {("granted", 1, 1, 1, 1, 1)}
        # And each step stands once in the journal.
        told = rows(
            stack,
            "SELECT count(*) FILTER (WHERE j.act = 'apply.submitted'),"
            "       count(*) FILTER (WHERE j.act = 'decide.granted_by_rule'),"
            "       count(*) FILTER (WHERE j.act = 'register.entered'), count(DISTINCT j.subject)"
            "  FROM apply_application a"
            "  JOIN register_registration r ON r.origin = 'application:' || a.id"
            "  JOIN journal_journalentry j ON j.subject IN ('application:' || a.id, 'registration:' || r.id)"
            f" WHERE a.reference IN ({listed}) GROUP BY a.id",
        )
        assert {row[:3] for row in told} == {(1, 1, 1)}


def held(file: Path) -> set[tuple[str, str, int | None]]:
    """What an agent has written for its operator's other programs."""
    if not file.exists():
        return set()
    content = file.read_bytes()
    said = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    return {(each["prefix"], each["protocol"], each["port"]) for each in said["entries"]}
