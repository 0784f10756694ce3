"""The run of `bench/recovery`."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import filling, measure, meddling, ours, place

SIZE = 1_000
NAME = "agent-0"
DISK = "24m"
A_DAY = 86_400


@dataclass(frozen=True)
class Fault:
    """`says` as docs/attacks.md has it; `run` makes it once, and returns how long it lasted and what recovery took."""

    says: str
    ends: str
    run: "Callable[[Scene], tuple[float, float]]"
    rounds: int = 5
    quick: bool = False


class Scene:
    """A register that runs, the relay before its push process, and the agent behind it."""

    def __init__(self, stack: Any, relay: meddling.Relay, grants: ours.Grants, agent: "Agent", away: float) -> None:
        self.stack, self.relay, self.grants, self.agent, self.away = stack, relay, grants, agent, away

    def grant(self) -> None:
        self.grants.one()

    def until_applied(self) -> float:
        """The moment at which the newest grant was applied, seconds of time.time()."""
        return self.agent.until(self.grants.entries)

    def lasting(self, began: float) -> None:
        time.sleep(max(0.0, self.away - (time.time() - began)))

    def another(self, word: str, pid: int) -> None:
        """Wait until the supervisor has it back."""
        place.wait_for(f"another {word}", lambda: [each for each in self.stack.processes(word) if each != pid])


class Agent:
    """One real agent in a process of its own, with its state on a small disk if that is asked for."""

    def __init__(self, given: dict[str, Any], folder: Path, *, disk: bool = False) -> None:
        self._given, self._folder, self._disk = given, folder, disk
        self.known = ours.Agents([NAME], {NAME: 0}, {NAME: []})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        import json
        import sys
        import threading

        state = Path(self._given["state"])
        command = [sys.executable, "-m", "bench.agents"]
        if self._disk:
            state.mkdir(parents=True, exist_ok=True)
            mount = f'mount -t tmpfs -o size={DISK} tmpfs "{state}" && exec "$@"'
            command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh", *command]
        process = place.start(
            command, log=self._folder / "agent.log", folder=place.ROOT,
            environment={"PYTHONPATH": f"{place.ROOT}:{place.ROOT / 'src'}"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._process = process
        self._say(json.dumps({"way": "stream", "role": ours.ROLE, "agents": [self._given]}))
        ready = threading.Event()
        threading.Thread(target=ours._read, args=(self.known, process, ready), daemon=True).start()
        place.wait_for("the agent", ready.is_set, patience=120, lives=process, log=self._folder / "agent.log")

    def kill(self) -> None:
        assert self._process is not None
        place.stop(self._process, number=signal.SIGKILL)

    def stop(self) -> None:
        place.stop(self._process, patience=2)

    def set_clock(self, ahead: int) -> None:
        self._say(f"clock {ahead}")

    def seen_from_outside(self) -> Path:
        """The folder of its state, as it is on its own disk."""
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/root{self._given['state']}")

    def until(self, entries: int, patience: float = 150.0) -> float:
        def moment() -> float | None:
            found = [at for number, _, at in self.known.seen[NAME] if number >= entries]
            return found[0] / 1e9 if found else None

        try:
            return place.wait_for("the agent to have it", moment, patience=patience, every=0.005)
        except RuntimeError as error:
            raise RuntimeError(f"{error} {self.known.faults[-2:]}") from None

    def until_it_complains(self, since: int) -> None:
        place.wait_for("the agent to complain", lambda: len(self.known.faults) > since, patience=150)

    def _say(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()


# -- what is killed ------------------------------------------------------------------------------------------------


def _push_is_killed(scene: Scene) -> tuple[float, float]:
    began = _kill(scene, "push")
    scene.grant()
    place.wait_for("push", lambda: place.answers(scene.stack.port + 1), every=0.002)
    back = time.time()
    return back - began, scene.until_applied() - back


def _publisher_is_killed(scene: Scene) -> tuple[float, float]:
    began = _kill(scene, "publisher")
    scene.grant()
    back = time.time()
    return back - began, scene.until_applied() - back


def _database_is_killed(scene: Scene) -> tuple[float, float]:
    from django.db import Error, connection

    began = _kill(scene, "postgres")
    while True:
        with suppress(Error):
            connection.close()
            connection.ensure_connection()
            back = time.time()
            scene.grant()
            return back - began, scene.until_applied() - back
        time.sleep(0.02)


def _kill(scene: Scene, word: str) -> float:
    pid = place.wait_for(f"a {word}", lambda: scene.stack.processes(word))[0]
    began = time.time()
    os.kill(pid, signal.SIGKILL)
    scene.another(word, pid)
    return began


def _agent_is_killed(scene: Scene) -> tuple[float, float]:
    scene.agent.kill()
    began = time.time()
    scene.grant()
    scene.lasting(began)
    back = time.time()
    scene.agent.start()
    return back - began, scene.until_applied() - back


# -- who stands between --------------------------------------------------------------------------------------------


def _meddled(way: str) -> Callable[[Scene], tuple[float, float]]:
    def run(scene: Scene) -> tuple[float, float]:
        scene.relay.begin(way)
        began = time.time()
        scene.grant()
        if not scene.relay.refused.wait(90):
            raise RuntimeError(f"nothing was asked for while it was {way}")
        scene.lasting(began)
        taken = len(scene.agent.known.seen[NAME])
        scene.relay.end()
        back = time.time()
        if taken != len(scene.agent.known.seen[NAME]):
            raise RuntimeError(f"it took an edition while it was {way}")
        return back - began, scene.until_applied() - back

    return run


# -- at the agent's own machine ------------------------------------------------------------------------------------


def _disk_is_full(scene: Scene) -> tuple[float, float]:
    filler, complaints = scene.agent.seen_from_outside() / "filler", len(scene.agent.known.faults)
    with filler.open("wb") as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
            file.flush()
    began = time.time()
    scene.grant()
    scene.agent.until_it_complains(complaints)
    scene.lasting(began)
    filler.unlink()
    back = time.time()
    return back - began, scene.until_applied() - back


def _clock_is_wrong(scene: Scene) -> tuple[float, float]:
    complaints = len(scene.agent.known.faults)
    scene.agent.set_clock(A_DAY)
    began = time.time()
    scene.grant()
    scene.agent.until_it_complains(complaints)
    scene.lasting(began)
    scene.agent.set_clock(0)
    back = time.time()
    return back - began, scene.until_applied() - back


FAULTS = {
    "push": Fault("the push process is killed", "it listens again", _push_is_killed, quick=True),
    "publisher": Fault("the publisher is killed", "it is started again", _publisher_is_killed, quick=True),
    "database": Fault("the database is killed", "it takes connections again", _database_is_killed, quick=True),
    "agent": Fault("the agent is killed", "it is started again", _agent_is_killed, quick=True),
    "away": Fault("the server cannot be reached", "it can be reached", _meddled("away"), quick=True),
    "replay": Fault("replay and freeze: an old timestamp for ever", "the server itself answers", _meddled("replay")),
    "forged": Fault("a file is rewritten on the way", "it comes as it was signed", _meddled("forged"), quick=True),
    "short": Fault("a body is cut short, under a new ETag", "it comes whole", _meddled("short")),
    "endless": Fault("a body without an end", "it comes as it is", _meddled("endless")),
    "disk": Fault("the agent's disk is full", "there is room", _disk_is_full),
    "clock": Fault("the agent's clock is a day ahead", "it is set", _clock_is_wrong, rounds=2),
}


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--faults", metavar="LIST", help=f"of {','.join(FAULTS)}")
    parser.add_argument("--rounds", type=int, help="of each (5; a slow one fewer)")
    parser.add_argument("--away", type=float, help="seconds that a fault lasts at least, where that is ours to say (5)")
    given = parser.parse_args()
    names = measure.chosen(given.faults, [name for name, each in FAULTS.items() if each.quick or not given.quick],
                           what="fault")  # fmt: skip
    place.end_cleanly_on_signals()
    away = given.away or (1.0 if given.quick else 5.0)
    with (
        measure.reporting(given, "recovery") as result,
        place.temporary("recovery") as folder,
        filling.register(SIZE) as stack,
    ):
        result.conditions["file_system"] = place.on_disk(folder)
        for disk in (False, True):
            some = [name for name in names if (name == "disk") is disk]
            if disk and some and os.geteuid() != 0:
                result.skipped[FAULTS["disk"].says] = "a small disk needs root"
            elif some:
                home = folder / ("small" if disk else "agent")
                home.mkdir()
                with _scene(stack, home, away, result, disk=disk) as scene:
                    for name in some:
                        rounds = given.rounds or (1 if given.quick else FAULTS[name].rounds)
                        _measure(name, scene, rounds, result)


@contextmanager
def _scene(stack: Any, folder: Path, away: float, result: measure.Result, *, disk: bool) -> Iterator[Scene]:
    with ExitStack() as open_:
        ((_, token, _),) = open_.enter_context(ours.operators(stack, folder, 1))
        relay = open_.enter_context(meddling.relaying(stack.port + 1))
        given = {"name": NAME, "netns": "", **ours.configuration_of(stack, token, folder / "state"),
                 "server": relay.url}  # fmt: skip
        try:
            (given["netns"],) = open_.enter_context(place.namespaces(1, "recovery"))
            ours.load_ruleset(given["netns"])
        except place.NotHere as why:
            result.skipped["the sets of nftables"] = why.why
        agent = Agent(given, folder, disk=disk)
        open_.callback(agent.stop)
        agent.start()
        scene = Scene(stack, relay, ours.Grants(asn=filling.FIRST_NETWORK), agent, away)
        _at_rest(scene)
        yield scene


def _at_rest(scene: Scene) -> None:
    """One grant that goes its way as always: its stream is open, and nothing of before is under way."""
    scene.grant()
    scene.until_applied()
    time.sleep(1.0)


def _measure(name: str, scene: Scene, rounds: int, result: measure.Result) -> None:
    fault = FAULTS[name]
    lasted, took = [], []
    try:
        for _ in range(rounds):
            place.say(fault.says)
            away, seconds = fault.run(scene)
            lasted.append(away)
            took.append(seconds)
            _at_rest(scene)
    except RuntimeError as error:
        result.skipped[fault.says] = f"failed: {place.first_line(error)}"
    if took:
        result.rows.append(
            {
                "what": fault.says, "ends when": fault.ends, "n": len(took), "entries": scene.grants.entries,
                "away s": measure.percentile(lasted, 0.5), "p50 s": measure.percentile(took, 0.5), "max s": max(took),
            }
        )  # fmt: skip
