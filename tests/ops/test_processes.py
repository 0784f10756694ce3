"""The supervisor over real children."""

import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.ops import processes
from tests.ports import free_port

DRIVER = Path(__file__).parent / "driver.py"
# For what takes a moment, unless the machine is busy.
PATIENCE = 300.0
# Says its number, then waits for ever; ends on TERM by itself.
STEADY = "echo pid $$; exec sleep 3600"
# Says its number and that of a grandchild, ignores TERM.
STUBBORN = "trap '' TERM; sleep 3600 & echo pid $$; echo grandchild $!; while :; do wait; done"


class Driven:
    """A running supervisor, whose lines are read one by one."""

    def __init__(self, *children: str, ignoring: bool = False) -> None:
        command = [sys.executable, str(DRIVER), *children]
        if ignoring:
            # As a shell without job control starts what it puts in the background.
            command = ["/bin/sh", "-c", "trap '' INT QUIT; exec " + shlex.join(command)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} was not said in:\n" + "\n".join(self.lines))

    def pid_of(self, name: str, word: str = "pid") -> int:
        return int(self.read_until(rf"^(?:{name}) +\| {word} (\d+)")[1])

    def end(self) -> int:
        assert self.process.stdout is not None
        self.lines += [line.rstrip() for line in self.process.stdout]
        self.process.stdout.close()
        return self.process.wait()


@pytest.fixture
def drive() -> Iterator[type[Driven]]:
    made: list[Driven] = []

    class Kept(Driven):
        def __init__(self, *children: str, ignoring: bool = False) -> None:
            super().__init__(*children, ignoring=ignoring)
            made.append(self)

    yield Kept
    for driven in made:
        if driven.process.poll() is None:
            driven.process.kill()
            driven.process.wait()
        if driven.process.stdout and not driven.process.stdout.closed:
            driven.process.stdout.close()


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return ""


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process that is no child of ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], PATIENCE)[0], f"process {pid} still runs"
    finally:
        os.close(handle)


class TestLines:
    def test_stand_behind_the_name_of_their_child(self, drive: type[Driven]) -> None:
        driven = drive("one=echo first; exec sleep 3600", "second=echo other >&2; exec sleep 3600")
        seen = {driven.read_until(r"^(one|second) +\| (first|other)$")[0].strip() for _ in range(2)}
        assert seen == {"one     | first", "second  | other"}

    def test_are_printed_even_when_the_last_one_has_no_end(self, drive: type[Driven]) -> None:
        driven = drive("one=printf 'no newline'; exit 3")
        driven.read_until(r"^one +\| no newline$")
        driven.read_until(r"one ended with code 3\. It is started again in 1 s\.")


class TestRestart:
    def test_starts_a_killed_child_again_and_says_so(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STEADY}")
        first = driven.pid_of("one")
        os.kill(first, signal.SIGKILL)
        driven.read_until(r"one was ended by SIGKILL\. It is started again in 1 s\.")
        assert driven.pid_of("one") != first

    def test_waits_longer_after_each_death(self) -> None:
        assert [processes.pause_after(deaths) for deaths in (1, 2, 3, 6, 60)] == [1, 2, 4, 30, 30]

    def test_leaves_nothing_of_a_killed_child_behind(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STUBBORN}")
        first = driven.pid_of("one")
        grandchild = driven.pid_of("one", "grandchild")
        os.kill(first, signal.SIGKILL)
        wait_until_gone(grandchild)


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_stops_all_on_each_signal(self, drive: type[Driven], number: signal.Signals) -> None:
        driven = drive(f"one={STEADY}", f"two={STEADY}")
        pids = [driven.pid_of("one|two"), driven.pid_of("one|two")]
        driven.process.send_signal(number)
        assert driven.end() == 0
        assert "Everything has stopped" in driven.lines[-1]
        assert [state_of(pid) for pid in pids] == ["", ""]

    def test_stops_on_int_though_it_was_ignored_at_the_start(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STEADY}", ignoring=True)
        pid = driven.pid_of("one")
        driven.process.send_signal(signal.SIGINT)
        assert driven.end() == 0
        assert state_of(pid) == ""

    def test_takes_ctrl_c_once_since_children_are_in_groups_of_their_own(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STEADY}")
        pid = driven.pid_of("one")
        assert os.getpgid(pid) == pid
        # What the terminal does on Ctrl-C: the whole foreground group is told.
        os.killpg(driven.process.pid, signal.SIGINT)
        assert driven.end() == 0
        assert not [line for line in driven.lines if "started again" in line]

    def test_kills_what_does_not_end_by_itself(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STUBBORN}")
        pid, grandchild = driven.pid_of("one"), driven.pid_of("one", "grandchild")
        driven.process.terminate()
        assert driven.end() == 0
        assert any("does not end by itself" in line for line in driven.lines)
        wait_until_gone(grandchild)
        assert state_of(pid) == ""

    def test_leaves_no_orphan_when_it_is_killed_itself(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STEADY}")
        pid = driven.pid_of("one")
        driven.process.kill()
        driven.process.wait()
        wait_until_gone(pid)

    def test_goes_on_stopping_when_the_terminal_is_gone(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STEADY}")
        pid = driven.pid_of("one")
        # Which of the two comes first depends on how busy the machine is.
        if "READY" not in driven.lines:
            driven.read_until("READY")
        assert driven.process.stdout is not None
        driven.process.stdout.close()
        driven.process.send_signal(signal.SIGHUP)
        assert driven.process.wait() == 0
        wait_until_gone(pid)


class TestReady:
    def test_is_told_once(self, drive: type[Driven]) -> None:
        driven = drive(f"one={STEADY}")
        driven.read_until("READY")
        driven.process.terminate()
        driven.end()
        assert driven.lines.count("READY") == 1


class TestPort:
    def test_names_a_port_that_is_taken_and_how_to_choose_another(self) -> None:
        port, taken = free_port(), pytest.raises(processes.PortTaken)
        with socket.create_server(("127.0.0.1", port)), taken as told:
            processes.check_port("127.0.0.1", port)
        assert re.search(rf"Port {port} .* --port {port + 10}", str(told.value))
        processes.check_port("127.0.0.1", port)

    def test_names_an_address_that_is_not_of_this_machine(self) -> None:
        with pytest.raises(processes.CannotListen, match="--host"):
            processes.check_port("192.0.2.77", 8000)

    def test_refuses_a_number_that_is_no_port(self) -> None:
        with pytest.raises(processes.CannotListen, match="1 to 65535"):
            processes.check_port("127.0.0.1", 70000)


# A child that asks late, and a parent that is killed before.
LATE = """
import multiprocessing
import os
import sys
from rahdari.ops.drop_root import end_with_parent

def child(gate, other_end):
    other_end.close()
    starter = multiprocessing.parent_process().pid
    # The other end closes when the parent is killed.
    try:
        gate.recv()
    except EOFError:
        pass
    # A process that ends closes its files a moment before its children get another parent.
    while os.getppid() == starter:
        os.sched_yield()
    end_with_parent(starter)
    print("lives", flush=True)

if __name__ == "__main__":
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    began = context.Process(target=child, args=(theirs, ours))
    began.start()
    theirs.close()
    os.kill(os.getpid(), 9)
"""


class TestEndWithParent:
    def test_ends_at_once_whoever_asks_when_the_parent_is_already_gone(self, tmp_path: Path) -> None:
        program = tmp_path / "late.py"
        program.write_text(LATE)
        # The pipe of the output is closed when the last of them is gone.
        done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL
        assert done.stdout == "" and "already gone" in done.stderr
