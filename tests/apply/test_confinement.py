"""What a process can still do behind its walls: each wall alone, tried by a program that tries to get out."""

import json
import platform
import subprocess
import sys

import pytest

from rahdari.apply import confinement, screening
from tests.needs import missing, needs_machine

# The way out, and what it does once the walls stand. `os.open` alone needs no Landlock to be refused by seccomp.
WAYS = {
    "read a file": "open('/etc/passwd').read()",
    "write a file": "open('/tmp/rahdari-way-out', 'w')",
    "list a folder": "os.listdir('/')",
    "look at another process": "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "connect": "socket.create_connection(('127.0.0.1', port), 1)",
    "connect to a socket file": "socket.socket(socket.AF_UNIX).connect('/run/none')",
    "send a packet": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "start a program": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork() or os._exit(0)",
    "end its parent": "os.kill(os.getppid(), 0)",
}
PROGRAM = """
import json, os, socket, sys
from rahdari.apply import confinement
port = 9
if len(sys.argv) > 2:
    setattr(confinement, sys.argv[2], lambda libc: False)
walls = confinement.confine()
said = {}
for name, way in json.loads(sys.argv[1]).items():
    try:
        exec(way)
    except PermissionError:
        said[name] = "refused"
    except OSError as error:
        said[name] = str(error)
    else:
        said[name] = "done"
sys.stdout.write(json.dumps([walls, said]))
"""


def tried(ways: dict[str, str], *without: str) -> tuple[list[str], dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(ways), *without], capture_output=True, text=True, check=True
    )
    walls, said = json.loads(done.stdout)
    return walls, said


class TestConfine:
    def test_leaves_no_way_out(self) -> None:
        needs_machine(confinement.MACHINES)
        walls, said = tried(WAYS)
        assert confinement.CALLS in walls
        assert set(said.values()) == {"refused"}, said

    def test_closes_files_with_the_kernels_landlock_alone(self) -> None:
        ways = {
            name: WAYS[name] for name in ("read a file", "write a file", "list a folder", "look at another process")
        }
        walls, said = tried(ways, "_close_calls")
        if not walls:
            missing("this kernel has no Landlock; to run this test: Linux 5.13 or newer, with landlock in lsm=")
        assert walls == [confinement.FILES]
        assert set(said.values()) == {"refused"}, said

    def test_says_when_nothing_stands(self) -> None:
        walls, said = tried({"read a file": WAYS["read a file"]}, "_close_calls")
        if confinement.FILES not in walls:
            assert (walls, said) == ([], {"read a file": "done"})
        without = PROGRAM.replace("if len", "confinement._close_files = lambda libc: False\nif len")
        done = subprocess.run(
            [sys.executable, "-c", without, json.dumps({"read": WAYS["read a file"]}), "_close_calls"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == [[], {"read": "done"}]

    def test_comes_before_the_judge_looks_at_a_file(self) -> None:
        program = (
            "import sys; from rahdari.apply import screening; "
            "screening.confinement.confine = lambda: sys.exit(7); screening.judge(0)"
        )
        order = json.dumps({"name": "letter.pdf", "most_bytes": 100, "types": []}).encode()
        given = len(order).to_bytes(4, "big") + order + b"no file"
        done = subprocess.run([sys.executable, "-c", program], input=given, capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (7, b"")

    def test_is_what_the_judge_of_files_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(screening, "PATIENCE", 100)  # Python has to start there
        assert confinement.CALLS in screening.walls() or platform.machine() not in confinement.MACHINES
