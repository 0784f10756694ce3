"""The processes that judge files: one for each file, forked from one that stands ready and is renewed."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, Protocol

import pytest

from rahdari import preflight
from rahdari.apply import form_errors, screening
from rahdari.apply.judges import Judges
from rahdari.apply.screening import in_a_process  # before tests/conftest.py has another in its place
from tests.apply.test_screening import MB, SMALL_PDF, TYPES

# Says what it has and knows; of one letter it dies, of another it never ends.
PROGRAM = """
import json, os, signal, sys
from rahdari.apply.judges import stand_ready
seen = []
def judge(file):
    given = b""
    while piece := os.read(file, 1000):
        given += piece
    seen.append(given.decode())
    if given == b"d":
        os.abort()
    while given == b"h":
        signal.pause()
    held = sorted(int(each) for each in os.listdir("/proc/self/fd"))
    said = {"seen": seen, "by": os.getppid(), "me": os.getpid(), "prepared": prepared, "held": len(held)}
    os.write(file, json.dumps(said).encode())
prepared = []
stand_ready(lambda kind: prepared.append(kind.decode()), judge, patience=int(sys.argv[1]), idle=float(sys.argv[2]))
"""


class OfProgram(Protocol):
    def __call__(self, *, files: int = 50, patience: int = 60, idle: float = 100.0) -> Judges: ...


@pytest.fixture
def of_program() -> Iterator[OfProgram]:
    with ExitStack() as stack:

        def start(*, files: int = 50, patience: int = 60, idle: float = 100.0) -> Judges:
            told = {"PYTHONPATH": os.pathsep.join(sys.path)}
            judges = Judges([sys.executable, "-c", PROGRAM, str(patience), str(idle)], lambda: told, files)
            stack.callback(judges.close)
            return judges

        yield start


def told(judges: Judges, given: str = "a", kind: str = "k") -> dict[str, Any]:
    said: dict[str, Any] = json.loads(judges.judge(kind.encode(), given.encode(), patience=60))
    return said


class TestJudges:
    def test_each_has_seen_its_own_file_and_no_other(self, of_program: OfProgram) -> None:
        judges = of_program()
        first, second = told(judges, "one"), told(judges, "another")
        assert (first["seen"], second["seen"]) == (["one"], ["another"])
        assert first["me"] != second["me"] and first["by"] == second["by"]

    def test_each_holds_its_socket_and_the_standard_outputs_alone(self, of_program: OfProgram) -> None:
        judges = of_program()
        # And the list of what it holds.
        assert [told(judges)["held"] for _ in range(2)] == [4, 4]

    def test_what_a_kind_needs_is_made_ready_once(self, of_program: OfProgram) -> None:
        judges = of_program()
        assert [told(judges, kind=kind)["prepared"] for kind in "aab"] == [["a"], ["a"], ["a", "b"]]

    def test_who_stands_ready_is_another_after_so_many_files(self, of_program: OfProgram) -> None:
        judges = of_program(files=2)
        by = [told(judges)["by"] for _ in range(5)]
        assert by[0] == by[1] != by[2] == by[3] != by[4]

    @pytest.mark.parametrize("ends", ["idle", "killed"])
    def test_one_that_ended_is_followed_by_another(self, of_program: OfProgram, ends: str) -> None:
        # So long that it is not idle before the file comes, which a busy machine is slow to send.
        judges = of_program(idle=1.0 if ends == "idle" else 100.0)
        before = told(judges)["by"]
        if ends == "killed":
            judges._started[-1].kill()
        judges._started[-1].wait()
        assert told(judges)["by"] != before

    def test_a_file_of_which_a_judge_dies_harms_no_other(self, of_program: OfProgram) -> None:
        judges = of_program()
        before = told(judges)["by"]
        assert judges.judge(b"k", b"d", patience=60) == b""
        assert told(judges)["by"] == before

    def test_one_that_never_ends_is_ended(self, of_program: OfProgram) -> None:
        assert of_program(patience=1).judge(b"k", b"h", patience=60) == b""

    def test_nobody_waits_longer_than_they_will(self, of_program: OfProgram) -> None:
        judges = of_program(patience=3)
        with pytest.raises(TimeoutError):
            judges.judge(b"k", b"h", patience=0.5)

    def test_who_stands_ready_ends_with_whoever_started_it(self, of_program: OfProgram) -> None:
        judges = of_program()
        told(judges)
        assert judges._line is not None
        judges._line.close()
        assert judges._started[-1].wait() == 0

    def test_who_cannot_be_started_is_no_fault_of_the_file(self) -> None:
        with (
            closing(Judges([sys.executable, "-c", ""], dict)) as judges,
            pytest.raises(OSError, match="no process"),
        ):
            judges.judge(b"k", b"a", patience=60)


class TestInAProcess:
    def test_a_file_that_a_busy_server_cannot_judge_in_time_is_not_called_a_bad_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def nobody_gets_the_processor(*_: Any, **__: Any) -> bytes:
            raise TimeoutError

        monkeypatch.setattr(screening._judges, "judge", nobody_gets_the_processor)
        with pytest.raises(screening.FileRefused) as caught:
            in_a_process(SMALL_PDF, name="letter.pdf", most_bytes=MB, types=TYPES)
        assert "too busy to check it" in form_errors.file(caught.value)

    @pytest.mark.parametrize("kept", [0, 3, -1])
    def test_takes_no_part_of_an_answer_for_the_whole(self, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = screening._judges.judge

        def part(*given: Any, **more: Any) -> bytes:
            return whole(*given, **more)[:kept]

        monkeypatch.setattr(screening._judges, "judge", part)
        with pytest.raises(screening.FileRefused) as caught:
            in_a_process(SMALL_PDF, name="letter.pdf", most_bytes=MB, types=TYPES)
        assert caught.value.reason is screening.FileFault.TOO_COMPLEX


class TestReadChange:
    """Planned changes are read where files are judged."""

    @pytest.mark.parametrize(
        ("text", "syntax"),
        [
            ("table ip f {\nchain c {\ntype filter hook forward priority 0;\nct state new accept\n}\n}", None),
            ("ip access-list extended X\n permit udp any host 192.0.2.1 eq 53 67\n deny quic any any\n", None),
            ("۱۹۲.۰.۲.۱۰\n2001:db8::/32 udp 1\n", preflight.Syntax.LINES),
            ("prefix,action\n192.0.2.77/27,deny\n", None),
            ("route: 192.0.2.0/24\norigin: AS64500\n", None),
            ("set firewall filter F term a then discard\n", None),
            ("/ip firewall filter\nadd chain=forward action=drop protocol=udp\n", None),
        ],
    )  # fmt: skip
    def test_says_what_reading_says(self, text: str, syntax: preflight.Syntax | None) -> None:
        assert screening.read_change(text.encode(), syntax) == preflight.read(text.encode(), syntax)

    @pytest.mark.parametrize("text", [b"", b"\xff", b"a\0", b"hello\n", b"*filter\n-A F -j DROP\n"])
    def test_refuses_what_reading_refuses(self, text: bytes) -> None:
        with pytest.raises(preflight.PlanError) as plain:
            preflight.read(text)
        with pytest.raises(type(plain.value)) as apart:
            screening.read_change(text, None)
        assert vars(apart.value) == vars(plain.value)

    def test_what_takes_more_than_it_may_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(screening._judges, "judge", lambda *_, **__: b"")
        with pytest.raises(preflight.TooMuch):
            screening.read_change(b"192.0.2.1\n", None)

    def test_a_machine_without_time_is_no_fault_of_the_change(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody_gets_the_processor(*_: Any, **__: Any) -> bytes:
            raise TimeoutError

        monkeypatch.setattr(screening._judges, "judge", nobody_gets_the_processor)
        with pytest.raises(preflight.Busy):
            screening.read_change(b"192.0.2.1\n", None)
