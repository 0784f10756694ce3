"""The benchmarks start, and what they write can be read. What they measure is run by hand, never here."""

import ast
import datetime as dt
import http.server
import json
import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench import load, measure, place, push_run, report_run
from bench.measure import ROOT
from bench.peers import host
from bench.plots import Bar, Range, Stack, bars, lines, ranges, stacks
from bench.targets import judge
from rahdari.push.access import Access

MEASURE_NOTHING = ["fill", "report"]
PROGRAMS = sorted(path.name for path in (ROOT / "bench").iterdir() if path.is_file() and not path.suffix)
COMMANDS = [name for name in PROGRAMS if name not in MEASURE_NOTHING]


class TestStart:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_each_says_what_it_measures_and_takes_its_options(self, name: str) -> None:
        program = ROOT / "bench" / name
        said = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True, timeout=60)
        assert said.returncode == 0, said.stderr
        assert f"usage: {name}" in said.stdout
        assert all(option in said.stdout for option in ("--quick", "--json", "--merge"))
        assert program.stat().st_mode & 0o111

    @pytest.mark.parametrize("name", MEASURE_NOTHING)
    def test_so_do_those_that_measure_nothing(self, name: str) -> None:
        program = ROOT / "bench" / name
        said = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True, timeout=60)
        assert said.returncode == 0, said.stderr
        assert program.stat().st_mode & 0o111


class TestRenames:
    def test_are_seen_by_mypy_and_no_program_is_hidden_from_it_in_a_text(self) -> None:
        """Nothing else runs the benchmarks between two measurements."""
        assert "bench" in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
        hidden = [
            f"{path.name}:{node.lineno}"
            for path in (ROOT / "bench").rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and re.search(r"(?m)^\s*(from|import) rahdari", str(node.value))
        ]
        assert hidden == []


class TestLoad:
    @pytest.mark.parametrize("post_to", ["", "/lookup/ip"])
    def test_is_made_without_wrk_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, post_to: str) -> None:
        """On a machine with nothing but the checkout, and what is refused is counted as wrk counts it."""
        asked: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode() or self.path
                asked.append(body)
                self.send_response_only(404 if "unknown" in body else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self) -> None:
                self.do_GET()

        monkeypatch.setattr(place, "program_path", lambda program: None)
        assert "Python asked instead" in load.need(quick=True)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_address[1]}"
            lines = ["/known", "/unknown\t/b" if post_to else "/unknown"]
            found = load.http(tmp_path, url, lines, connections=2, seconds=0.2, post_to=post_to)
            server.shutdown()
        assert found.errors == 0
        assert found.per_second > 0
        assert 0 < found.refused < 1
        assert ("/unknown\n/b" in asked) == bool(post_to)


def a_result(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    conditions = {
        "cpu": "Sample CPU", "cores": 2, "kernel": "6.1", "python": "3.13", "commit": "abc1234", "versions": {},
        "date": "2026-11-25 06:10 UTC", "load_before": 0.1, "load_after": 1.2,
    }  # fmt: skip
    skipped = {"Sample peer": "not here"}
    return {
        "experiment": name,
        "runs": [{"command": f"bench/{name}", "quick": False, "conditions": conditions, "skipped": skipped}],
        "rows": [{**row, "run": 0} for row in rows], "unfair": {"BIRD to BIRD": "Nothing is signed."},
    }  # fmt: skip


ROWS: dict[str, list[dict[str, Any]]] = {
    "propagation": [
        {
            "who": "BIRD to BIRD", "how": "eBGP", "receivers": 1, "entries": 10_000, "p50 s": 0.05, "p99 s": 0.06,
            "max s": 0.07,
        },
        {
            "who": "Rahdari", "how": "push, steady, 1/s", "operators": "1 gateway", "receivers": 1, "entries": 10_060,
            "p50 s": 0.12, "p99 s": 0.2, "max s": 0.21, "signed p99 s": 0.3,
        },
        {
            "who": "Rahdari", "how": "push, steady, 1/s", "operators": "300 gateways", "receivers": 300,
            "entries": 10_200, "p50 s": 1.2, "p99 s": 2.0, "max s": 2.1, "signed p99 s": 0.6,
        },
    ],
    "catch-up": [
        {"who": "Rahdari", "missed": 0, "seconds": 0.01, "fetches": 1, "bytes": 500},
        {"who": "Rahdari", "missed": 1, "seconds": 0.02, "fetches": 4, "bytes": 5000},
        {"who": "Rahdari", "missed": 10_000, "seconds": 0.3, "fetches": 6, "bytes": 300_000},
        {"who": "IRRd 4.5 NRTMv4", "missed": 1, "seconds": 0.05, "fetches": 2, "bytes": 4000},
        {"who": "IRRd 4.5 NRTMv4", "missed": "all", "seconds": 27.0, "fetches": 2, "bytes": 1_270_000},
    ],
    "lookup": [
        {
            "who": "Rahdari", "entries": 10_000, "what": "hosts", "registered": "50%", "how": "GET, 32 connections",
            "addresses per s": 45_000, "p50 ms": 0.6, "p99 ms": 2.0,
        },
        {
            "who": "Rahdari", "entries": 10_000, "what": "hosts", "registered": "50%",
            "how": "bulk of 10000, text/plain", "addresses per s": 1_600_000, "per core and s": 1_700_000,
        },
        {"who": "bare granian (wsgi, 1 worker)", "how": "GET, 32 connections", "addresses per s": 50_000},
    ],
    "cold-start": [
        {
            "who": "Rahdari", "entries": 1_000_100, "what": "hosts", "how": "to a verified index", "seconds": 7.0,
            "fetch s": 1.0, "verify and index s": 6.0, "slowest s": 7.5, "peak MiB": 300,
        },
        {"who": "StayRTR", "entries": 100_000, "what": "hosts", "how": "into memory", "seconds": 0.3},
    ],
    "deadline-day": [
        {"who": "Rahdari", "how": "27 a second wanted, 32 at once", "done per s": 1.5, "page p95 ms": 290.0,
         "cpu each ms": 140},
    ],
    "growth": [
        {"registrations": 1000, "part": "pages", "cpu ms": 100.0, "of the smallest": 1.0},
        {"registrations": 100_000, "part": "pages", "cpu ms": 130.0, "of the smallest": 1.3},
    ],
    "idle": [{"part": "all together", "cpu % of a core": 0.9}, {"part": "worker", "cpu % of a core": 1.5}],
    "uploads": [
        {"attack": "all at once", "page": "health", "p50 s": 0.1, "p99 s": 0.5, "faults": 0},
        {"attack": "all at once", "page": "pages", "p50 s": 1.1, "p99 s": 5.5, "faults": 0},
        {"attack": "photos", "page": "health", "p50 s": 1.1, "p99 s": 1.5, "faults": 0},
    ],
    "publish": [
        {"who": "Rahdari", "how": "one by one", "entries": 10_000, "p50 s": 0.050, "p99 s": 0.1, "max s": 0.2,
         "publisher cpu ms": 50.0},
        {"who": "Rahdari", "how": "one by one", "entries": 1_000_000, "p50 s": 0.055, "p99 s": 0.1, "max s": 0.2,
         "publisher cpu ms": 75.0},
    ],
}  # fmt: skip


class TestBeside:
    def test_each_row_stands_beside_the_last_recorded_one_processor_time_first(self) -> None:
        before = a_result(
            "line", [{"agents": 1, "p50 s": 0.5, "cpu ms": 90}, {"agents": 50, "p50 s": 0.9, "cpu ms": 200}]
        )
        shown = measure.beside(
            [{"agents": 1, "p50 s": 0.25, "cpu ms": 40}, {"agents": 10, "p50 s": 0.75, "cpu ms": 70}], before
        ).splitlines()
        assert [line.split() for line in shown[:3]] == [
            ["agents", "cpu", "ms", "p50", "s"], ["1", "40", "(90)", "0.250", "(0.500)"], ["10", "70", "0.750"],
        ]  # fmt: skip
        assert shown[3:] == [
            "", "in parentheses: bench/line, commit abc1234, 2026-11-25 06:10 UTC, Sample CPU, load 0.10",
        ]  # fmt: skip

    def test_of_what_was_never_recorded_nothing_stands_beside(self) -> None:
        assert measure.recorded("never-measured")["rows"] == []
        assert "(" not in measure.beside([{"agents": 1, "p50 s": 0.25}], measure.recorded("never-measured"))


class TestReport:
    def test_the_page_has_the_targets_and_each_experiment_with_its_plot(self, tmp_path: Path) -> None:
        results, docs = tmp_path / "results", tmp_path / "docs"
        for folder in (results, docs):
            folder.mkdir()
        for name, rows in ROWS.items():
            (results / f"{name}.json").write_text(json.dumps(a_result(name, rows)))
        command = [sys.executable, ROOT / "bench" / "report", "--results", results, "--docs", docs]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert said.returncode == 0, said.stderr
        page = (docs / "benchmarks.md").read_text()
        assert "| grant to one agent applied, p50 | at most 200 ms | 120 ms | reached |" in page
        assert "missed by a factor of 2.00" in page
        assert "- BIRD to BIRD: Nothing is signed." in page
        assert "- Sample peer: not here" in page
        for plot in ("propagation", "catch-up", "lookup-single", "lookup-bulk", "cold-start", "publish"):
            assert f"(img/bench/{plot}.svg)" in page
            assert ElementTree.parse(docs / "img" / "bench" / f"{plot}.svg").getroot().get("role") == "img"

    def test_without_results_it_says_so(self, tmp_path: Path) -> None:
        assert report_run.read(tmp_path) == {}

    def test_a_target_without_a_row_is_not_measured(self) -> None:
        assert all(each.reached is None for each in judge({}))

    def test_bird_is_held_against_us_at_each_size_that_both_were_measured_at(self) -> None:
        large = [{**row, "entries": 100_000, "p50 s": 4 * row["p50 s"]} for row in ROWS["propagation"][:2]]
        elsewhere = [{**ROWS["propagation"][0], "run": 1}, {**ROWS["propagation"][0], "what": "prefixes"}]
        rows = [*ROWS["propagation"], *large, *elsewhere]
        found = [each for each in judge({"propagation": rows}) if each.key == "bird"]
        assert [each.says.split(" with ")[1] for each in found] == ["10,000 entries (p50)", "100,000 entries (p50)"]

    def test_each_target_is_judged_by_its_rows(self) -> None:
        found = {each.key: each.reached for each in judge(ROWS)}
        assert found == {
            "signed": False, "one": True, "bird": True, "many": False, "single": True, "irrd": None,
            "cold": False, "memory": True, "flat-cpu": False, "flat": True,
            "day": False, "page": True, "application": True, "desk": None, "officer": None,
            "growth": False, "idle": True, "beside": True,
        }  # fmt: skip


class TestPlots:
    def test_text_of_rows_cannot_break_the_picture(self) -> None:
        strange = 'a<b & "c"'
        for svg in (
            ranges(strange, [Range(strange, 0.01, 0.02, 0.02, True)], target=1.0),
            bars(strange, [Bar(strange, 3.0, False)]),
            stacks(strange, [Stack(strange, {strange: 1.0})]),
            lines(strange, {strange: [(1, 0.1), (10, 0.1)]}, across=strange),
        ):
            assert strange in "".join(ElementTree.fromstring(svg).itertext())


class TestMerge:
    def test_what_is_measured_anew_takes_the_place_of_what_was_and_each_row_keeps_its_run(self) -> None:
        old = a_result("publish", ROWS["publish"])
        row = {**ROWS["publish"][1], "entries": 1_000_030, "p50 s": 0.044}
        new = a_result("publish", [row])
        new["runs"][0] |= {"command": "bench/publish --sizes 1000000", "skipped": {}}
        told = measure.merged(old, new, ["Sample peer"])
        assert [(each["entries"], each["p50 s"], each["run"]) for each in told["rows"]] == [
            (10_000, 0.050, 0), (1_000_030, 0.044, 1),
        ]  # fmt: skip
        assert [run["command"] for run in told["runs"]] == ["bench/publish", "bench/publish --sizes 1000000"]
        # It was tried again, and this time not skipped.
        assert [run["skipped"] for run in told["runs"]] == [{}, {}]

    def test_a_run_of_which_nothing_is_left_is_not_told_of(self) -> None:
        old, new = a_result("publish", ROWS["publish"]), a_result("publish", ROWS["publish"])
        assert len(measure.merged(old, new, ["Sample peer"])["runs"]) == 1

    def test_rows_of_what_was_missed_are_the_same_whatever_the_register_has_grown_to(self) -> None:
        old = a_result("catch-up", [{**ROWS["catch-up"][2], "entries": 20_000}])
        new = a_result("catch-up", [{**ROWS["catch-up"][2], "entries": 31_000}])
        assert [row["entries"] for row in measure.merged(old, new)["rows"]] == [31_000]

    def test_what_fails_is_told_and_does_not_end_the_run(self) -> None:
        result = measure.Result({})
        with result.trying("Sample peer"):
            raise place.NotHere("needs root")
        with result.trying("Another"):
            raise RuntimeError("did not answer\nits log")
        assert result.skipped == {"Sample peer": "needs root", "Another": "failed: did not answer"}
        assert result.tried == ["Sample peer", "Another"]


def doubled(number: int) -> int:
    if number < 0:
        raise ValueError("a number below zero")
    return 2 * number


class TestApart:
    def test_what_is_done_apart_comes_back(self) -> None:
        assert place.apart(doubled, 21) == 42

    def test_and_so_does_why_it_failed(self) -> None:
        with pytest.raises(RuntimeError, match="ValueError: a number below zero"):
            place.apart(doubled, -1)


class TestPush:
    def test_those_who_ask_are_let_in_by_the_file_that_it_writes(self, tmp_path: Path) -> None:
        feed = push_run.Feed(tmp_path, large_mib=1)
        access = Access(tmp_path, lambda: dt.datetime.now(dt.UTC))
        shown = f"Bearer {push_run.TOKEN}{push_run.OPERATORS - 1}".encode()
        reader = access.reader(authorization=shown, certificate=None)
        assert reader.repository == feed.repositories[-1]
        assert (tmp_path / "feed" / feed.large).parent.relative_to(tmp_path / "feed").as_posix() in set(access.places)


class TestMeasure:
    def test_a_percentile_is_a_value_that_was_measured(self) -> None:
        assert measure.percentile([3.0, 1.0, 2.0], 0.5) == 2.0
        assert measure.percentile([float(each) for each in range(1, 101)], 0.99) == 99.0
        assert measure.percentile([5.0], 0.99) == 5.0

    def test_addresses_of_samples_do_not_repeat(self) -> None:
        assert len({host(number) for number in range(50_000)}) == 50_000
