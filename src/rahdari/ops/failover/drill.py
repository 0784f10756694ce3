"""A bad day, rehearsed: the database that leads is killed and changed under applications and grants that go on, and
afterwards each act that was answered is looked for."""

import datetime as dt
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from rahdari.ops import datafolder, drop_root
from rahdari.ops.backup import facts, leading_on
from rahdari.ops.drills import Differs, Report
from rahdari.ops.errors import Told

from . import applicants
from .cluster import Cluster, DidNotCome, Node, free_ports, programs
from .visitor import Visitor

type Ask = Callable[..., list[tuple[Any, ...]]]

ABOUT = "The acts that were answered"
# So long what was granted may take to be published, and copies to be the same, in seconds.
PATIENCE = 180.0
# Between two of those that happen, acts go on for at least so many.
BETWEEN = 20
# An address that was added stands under its application, which has several.
DONE = """
SELECT act, coalesce('endpoint:' || (detail->>'endpoint'), subject), at FROM journal_journalentry WHERE act = ANY(%s)"""
# Granted and not entered, entered and not published.
WAITING = """
SELECT (SELECT count(*) FROM apply_application a WHERE status = %s AND NOT EXISTS (
    SELECT 1 FROM register_registration WHERE origin = 'application:' || a.id
)) + (SELECT count(*) FROM publish_pendingchange)"""


@dataclass(frozen=True)
class Plan:
    """How many acts, and what happens to the server that leads while they go on."""

    acts: int = 10_000
    kills: int = 3
    switchovers: int = 2
    bad_days: bool = False
    clients: int = 4
    # So long etcd is away on a bad day, in seconds.
    away: float = 60.0

    def events(self) -> "list[Callable[[Scene], str]]":
        """By turns, so that each kill finds another state than the one before."""
        kills, changes = [_kill] * self.kills, [_switch_over] * self.switchovers
        turns = [each for pair in zip(kills, changes, strict=False) for each in pair]
        rest = [*kills[self.switchovers :], *changes[self.kills :]]
        return [*turns, *rest, *([_far_behind, _etcd_away, _old_one_comes_back] if self.bad_days else [])]


@dataclass
class Answers:
    """What the applicants have written down, read as it grows."""

    folder: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    _read: dict[Path, int] = field(default_factory=dict)

    def count(self) -> int:
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open() as file:
                file.seek(self._read.get(path, 0))
                while (line := file.readline()).endswith("\n"):
                    self.lines.append(json.loads(line))
                    self._read[path] = file.tell()
        return len(self.lines)

    def gap(self, since: float) -> float:
        """The longest time without an answer to anybody, from then on."""
        self.count()
        times = sorted(line["at"] for line in self.lines)
        return max((b - a for a, b in itertools.pairwise(times) if b > since), default=0.0)


@dataclass
class Scene:
    """What there is while it happens: the servers, the register's processes, who applies, and what they were told."""

    plan: Plan
    cluster: Cluster
    data: Path
    answers: Answers
    environment: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)

    def command(self, *words: str, module: str = "rahdari") -> list[str]:
        program = [sys.executable, "-P", "-m", module, *words, "--data", str(self.data)]
        show = [*drop_root.program_folders(), self.data]
        # Who applies tries until there is an answer: where we are killed, and the database with us, there is none.
        return drop_root.command(program, self.cluster.user, show=show, how=signal.SIGKILL)

    def call(self, *words: str, module: str = "rahdari", **settings: str) -> None:
        """Raises Told."""
        done = subprocess.run(
            self.command(*words, module=module),
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Told(f"{module} {' '.join(words)} failed:\n{done.stderr or done.stdout}")

    def start(self, name: str, *words: str, module: str = "rahdari") -> None:
        with (self.data.parent / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.command(*words, module=module),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, *names: str, patience: float = 30.0) -> None:
        """All of them at once. Raises Told when one did not end as it should."""
        some = {name: self.processes.pop(name) for name in names}
        for process in some.values():
            process.terminate()
        wrong = []
        for name, process in some.items():
            try:
                code = process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            # A process that had no handler yet ends by the signal itself.
            if code not in (0, -signal.SIGTERM):
                wrong.append(f"{name} ended with {code}:\n{self.said(name)}")
        if wrong:
            raise Told("\n".join(wrong))

    def kill(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def said(self, name: str) -> str:
        return (self.data.parent / f"{name}.log").read_text(errors="replace")[-3000:]

    def until_answered(self, number: int) -> None:
        """Until so many acts were answered in all. Raises Told when a process of the register ends."""

        def reached() -> bool:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise Told(f"{name} ended with {process.returncode}:\n{self.said(name)}")
            return self.answers.count() >= number

        self.cluster.until(f"the {number}th act is not answered", reached, 3600)

    def until_more(self, number: int = BETWEEN) -> None:
        self.until_answered(self.answers.count() + number)

    def leader(self) -> Node:
        self.cluster.until_whole()
        leader = self.cluster.leader()
        if leader is None:
            raise DidNotCome("no server leads", self.cluster.said())
        return leader

    def asked(self, query: str, *values: Any, of: Node | None = None) -> list[tuple[Any, ...]]:
        url = self.cluster.url("postgres", only=of)
        with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
            return connection.execute(query, values or None).fetchall()


def rehearse(plan: Plan, *, json_file: Path | None, say: Callable[[str], None]) -> int:
    """Raises Differs, or NotInstalled, DidNotCome, Told."""
    found = programs()
    report = Report(say, **found.versions())
    for asked in (signal.SIGTERM, signal.SIGHUP):
        # As Ctrl-C: what was started is ended.
        signal.signal(asked, signal.default_int_handler)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rahdari-drill-")))
        # What runs may be another user than we are.
        folder.chmod(0o755)
        cluster = Cluster(folder, found, drop_root.account(folder))
        stack.callback(cluster.stop)
        with report.step("three servers, of which one follows the leader at each commit"):
            cluster.start()
        scene = _register(folder, cluster, plan)
        stack.callback(scene.kill)
        with report.step("a register, its pages, its worker and its publisher"):
            visitor = _begin(scene)
        for number, event in enumerate(plan.events(), 1):
            scene.until_answered(plan.acts * number // (len(plan.events()) + 1))
            scene.until_more()
            with report.step(str(event.__doc__)) as told:
                at = time.time()
                told.append(event(scene))
                scene.until_more()
                gap = scene.answers.gap(at)
                scene.gaps.append({"what": event.__doc__, "gap": round(gap, 1)})
                told.append(f"The longest time without an answer: {gap:.1f} s.")
        with report.step("the last acts, and all that was sent is granted") as told:
            scene.until_answered(plan.acts)
            scene.stop(
                *(name for name in scene.processes if name.startswith("applicants")), patience=applicants.PATIENCE + 60
            )
            told.append(f"{scene.answers.count()} were answered")
        with report.step("each act that was answered is there, and once") as told:
            scene.answers.count()
            figures = looked_for(scene.answers.lines, scene.asked)
            told.append(
                f"{figures['answered']} answered, 0 lost, 0 done twice; {figures['sent_again']} were sent again, since "
                f"no answer came, of which {figures['done_before']} had been done"
            )
        with report.step("the loops went on: what was granted is published") as told:
            told.append(_published(scene))
        with report.step("pages are there again") as told:
            again = visitor.wait(PATIENCE)
            told.append(visitor.end())
            if visitor.faults or not again:
                raise Differs("The pages", visitor.faults[:10] or [f"{visitor.answers}, and no page at the end"])
            figures |= {"pages": visitor.answers[200], "pages_away": visitor.answers[503]}
            scene.stop(*scene.processes)
        with report.step("three copies: as many rows, the same journal and editions") as told:
            told.append(_the_same(scene))
        report.end("Nothing that was answered is lost.", json_file, acts=figures, gaps=scene.gaps)
    return 0


def _register(folder: Path, cluster: Cluster, plan: Plan) -> Scene:
    data = datafolder.make(folder / "register", datafolder.DEMO)
    datafolder.secret_key(data)
    answers = folder / "answers"
    answers.mkdir()
    if os.geteuid() == 0:
        drop_root.give_to(cluster.user, data)
        os.chown(answers, cluster.user.pw_uid, cluster.user.pw_gid)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leading_on.OF_ANY)}
    environment = kept | {"DATABASE_URL": cluster.url("rahdari_app")}
    return Scene(plan, cluster, data, Answers(answers), environment)


def _begin(scene: Scene) -> Visitor:
    scene.call("prepare", RAHDARI_OWNER_DATABASE_URL=scene.cluster.url("rahdari"))
    scene.call("--begin", module=applicants.__name__)
    for name in ("worker", "publisher"):
        scene.start(name, name)
    (port,) = free_ports(1)
    scene.start("web", "web", "--port", str(port), "--workers", "1")
    visitor = Visitor(port)
    if not visitor.wait(PATIENCE):
        raise Told(f"No page comes:\n{scene.said('web')}")
    visitor.start()
    for number in range(scene.plan.clients):
        ledger = scene.answers.folder / f"{number}.jsonl"
        scene.start(f"applicants-{number}", str(number), str(ledger), module=applicants.__name__)
    scene.until_more()
    return visitor


# -- what happens --------------------------------------------------------------------------------------------------


def _kill(scene: Scene) -> str:
    """the leader is killed, as when its machine is gone"""
    leader, began = scene.leader(), time.monotonic()
    scene.cluster.kill(leader)
    another = scene.cluster.until_another_leads(leader)
    led = time.monotonic() - began
    scene.until_more()
    return f"{another.name} leads after {led:.1f} s; {_back(scene, leader)}"


def _back(scene: Scene, node: Node) -> str:
    began = time.monotonic()
    scene.cluster.start_node(node)
    scene.cluster.until_whole()
    return f"{node.name} is started and follows after {time.monotonic() - began:.1f} s."


def _switch_over(scene: Scene) -> str:
    """the leader hands over, as planned"""
    leader, began = scene.leader(), time.monotonic()
    scene.cluster.switch_over(leader)
    another = scene.cluster.until_another_leads(leader)
    led = time.monotonic() - began
    scene.cluster.until_whole()
    return f"{another.name} leads after {led:.1f} s."


def _far_behind(scene: Scene) -> str:
    """the leader is killed while one replica is far behind"""
    leader, behind = scene.leader(), ""
    followers = scene.cluster.followers()
    if followers is None or not followers[1]:
        raise DidNotCome("no server follows without being waited for", scene.cluster.said())
    at_once, (late, *_) = followers
    ((receiver,),) = scene.asked("SELECT pid FROM pg_stat_wal_receiver", of=late)
    os.kill(receiver, signal.SIGSTOP)
    try:
        scene.until_more(max(BETWEEN, scene.plan.acts // 20))
        ((behind,),) = scene.asked(
            "SELECT pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), %s::text::pg_lsn))",
            scene.asked("SELECT pg_last_wal_receive_lsn()::text", of=late)[0][0],
        )
        scene.cluster.kill(leader)
        another = scene.cluster.until_another_leads(leader)
    finally:
        os.kill(receiver, signal.SIGCONT)
    if another is not at_once:
        raise Differs(ABOUT, [f"{another.name} leads, which was behind: {at_once.name} had all of them"])
    return f"{late.name} was {behind} behind, and {another.name} leads, which had all; {_back(scene, leader)}"


def _etcd_away(scene: Scene) -> str:
    """etcd is away"""
    leader, before = scene.leader(), scene.answers.count()
    scene.cluster.stop_etcd()
    until = time.monotonic() + scene.plan.away
    scene.cluster.until("its time is not over", lambda: time.monotonic() > until, 2 * scene.plan.away)
    answered = scene.answers.count() - before
    scene.cluster.start_etcd()
    scene.cluster.until_whole()
    now = scene.leader()
    return f"In {scene.plan.away:.0f} s {answered} acts were answered. Before {leader.name} led, after it {now.name}."


def _old_one_comes_back(scene: Scene) -> str:
    """the leader stands still, another leads, and the old one comes back and believes that it leads"""
    leader, began = scene.leader(), time.monotonic()
    scene.cluster.freeze(leader)
    try:
        another = scene.cluster.until_another_leads(leader)
        led = time.monotonic() - began
    finally:
        scene.cluster.thaw(leader)
    scene.cluster.until_whole()
    return f"{another.name} leads after {led:.1f} s; all follow it {time.monotonic() - began - led:.1f} s later."


# -- afterwards ----------------------------------------------------------------------------------------------------


def looked_for(lines: list[dict[str, Any]], ask: Ask) -> dict[str, int]:
    """What was answered, in the database that `ask` asks. Raises Differs."""
    told = {(line["act"], line["subject"]): line["tried"] for line in lines}
    subjects, acts = {subject for _, subject in told}, sorted({act for act, _ in told} - {applicants.GRANTED})
    rows = ask(DONE, acts)
    granted = ask("SELECT 'application:' || id FROM apply_application WHERE status = %s", applicants.GRANTED)
    found = Counter((act, subject) for act, subject, _ in rows if subject in subjects)
    found.update((applicants.GRANTED, subject) for (subject,) in granted if subject in subjects)
    differences = [f"lost: {act} of {subject}" for act, subject in sorted(told.keys() - found.keys())]
    differences += [f"done {times} times: {act} of {subject}" for (act, subject), times in found.items() if times > 1]
    differences += [f"done, and never answered: {act} of {subject}" for act, subject in sorted(found.keys() - told)]
    if differences:
        raise Differs(ABOUT, differences[:50])
    done_at = {(act, subject): at.astimezone(dt.UTC).isoformat() for act, subject, at in rows}
    again = {key: tried for key, tried in told.items() if len(tried) > 1 and key in done_at}
    return {
        "answered": len(told),
        "lost": 0,
        "done_twice": 0,
        "sent_again": len(again),
        "done_before": sum(done_at[key] in tried[:-1] for key, tried in again.items()),
        "granted": sum(act == applicants.GRANTED for act, _ in told),
    }


def _published(scene: Scene) -> str:
    def nothing_waits() -> bool:
        return scene.asked(WAITING, applicants.GRANTED) == [(0,)]

    scene.cluster.until("not all that was granted is published", nothing_waits, PATIENCE)
    twice = scene.asked("SELECT origin FROM register_registration GROUP BY origin HAVING count(*) > 1")
    if twice:
        raise Differs("The register", [f"{origin} stands there more than once" for (origin,) in twice])
    ((entries,),) = scene.asked("SELECT count(*) FROM register_entry WHERE ended_at IS NULL")
    ((listed,),) = scene.asked("SELECT max(entries) FROM publish_session WHERE closed_at IS NULL")
    if entries != listed:
        raise Differs("The feed", [f"{entries} entries in the register, {listed} in the feed"])
    return f"{entries} entries in the register and in the feed"


def _the_same(scene: Scene) -> str:
    leader = scene.leader()
    ((last,),) = scene.asked("SELECT pg_current_wal_lsn()::text", of=leader)
    copies = {}
    for node in scene.cluster.nodes:
        if node is not leader:
            scene.cluster.until(f"{node.name} has not all", partial(_has, scene, node, last), PATIENCE)
        copies[node.name] = facts.of(scene.cluster.url("postgres", only=node), scene.data)
    if differing := [name for name, each in copies.items() if each != copies[leader.name]]:
        raise Differs("The copies", [f"{name} is not as {leader.name}" for name in differing])
    rows, acts = copies[leader.name]["rows"], copies[leader.name]["journal"]["rows"]
    return f"{sum(rows.values())} rows of {len(rows)} tables, the journal's {acts}"


def _has(scene: Scene, node: Node, last: str) -> bool:
    return scene.asked("SELECT pg_last_wal_replay_lsn() >= %s::text::pg_lsn", last, of=node) == [(True,)]
