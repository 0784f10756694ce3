"""The model of what a country costs: it can be computed again by hand, and says what it lacks."""

import copy
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import capacity_run, report_run, sizing
from bench.measure import RESULTS

ASSUMPTIONS = sizing.assumed([])
# Round figures, so that what comes out can be computed in one's head.
PLAIN = {each.name: 10.0 for each in sizing.MEASURED} | {
    "web_ms": 100.0, "worker_ms": 50.0, "workflow_ms": 45.0, "workflow_writes": 5.0,
    "db_ms": 60.0, "receipt_db_ms": 0.0, "edition_ms": 30.0, "edition_all_ms": 379.0, "entry_ms": 0.5,
    "wal_kb": 100.0, "wal_whole_kb": 400.0, "receipt_wal_kb": 0.0, "db_kb": 20.0, "letters": 3.0, "pages": 20.0,
    "officer_s": 30.0,
}  # fmt: skip


def known(scenario: sizing.Scenario = sizing.SCENARIOS[0], **other: float) -> dict[str, float]:
    return sizing.compute({**ASSUMPTIONS, **PLAIN, **scenario.names(ASSUMPTIONS), **other})


class TestCompute:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("peak", 2.3e6 * 0.1 / 3600),
            # 45 and 5 commits of a millisecond are as much as its threads together take.
            ("worker_most", 20.0),
            ("operator_ms", 1.0),
            ("publisher_most", (1000 - (30 + 350) / 10) / 0.5),
            ("primary_most", 32 * 0.6 * 1000 / 60),
            ("letters_hour", 2.3e6 * 0.1 * 3),
            ("all_entries", 3.3e6),
            ("database_gb", 66.0),
            ("log_gb", 230.0),
            ("log_most_gb", 920.0),
            ("machine_days", 2.3e6 / 20 / 86400),
            ("wait_h", 2.3e6 * 0.1 / 3600 / 20 - 1),
            # A hundred cases are two and a half hours of 90 seconds, of six in a day.
            ("officer_days", 2.3e5 * 90 / 3600 / 6),
        ],
    )
    def test_agrees_with_a_pencil(self, name: str, value: float) -> None:
        assert known()[name] == pytest.approx(value)

    def test_a_disk_that_is_slow_to_commit_makes_the_worker_the_slower(self) -> None:
        assert known(flush_ms=10)["worker_most"] == pytest.approx(1000 / 95)

    def test_an_edition_of_few_operators_costs_less_than_one_of_all(self) -> None:
        rare, often = known(sizing.SCENARIOS[2]), known(worker_ms=1, workflow_ms=1, flush_ms=0)
        assert rare["edition_s"] < often["edition_s"] < (30 + 350) / 1000 * 1.1

    @given(st.floats(1.0, 50.0))
    def test_more_applications_never_cost_less(self, times: float) -> None:
        least, most = known(), known(applications=2.3e6 * times)
        for name in (
            "web_cores", "primary_cores_used", "database_gb", "log_gb", "letters_hour", "desk_days", "machine_days",
        ):  # fmt: skip
            assert most[name] >= least[name]

    @given(st.floats(0.1, 10.0))
    def test_a_core_that_is_so_much_faster_decides_so_many_more(self, times: float) -> None:
        # But for what the disk takes, which is no quicker.
        assert known(core=times, flush_ms=0)["worker_most"] == pytest.approx(times * known(flush_ms=0)["worker_most"])

    def test_whatever_was_measured_or_assumed_is_in_some_formula(self) -> None:
        named = {name for figure in sizing.FIGURES for name in sizing.names_of(figure.formula)}
        named |= {scenario.busiest for scenario in sizing.SCENARIOS}
        given = {each.name for each in sizing.MEASURED} | set(ASSUMPTIONS)
        assert given - named == set()


class TestWorked:
    @pytest.mark.parametrize("figure", sizing.FIGURES, ids=lambda figure: figure.name)
    def test_the_numbers_in_the_line_come_to_what_it_says(self, figure: sizing.Figure) -> None:
        have = known(sizing.SCENARIOS[3])
        _, _, inside, said = sizing.worked(figure, have).split(" = ")
        assert re.search(r"[a-z_]{4,}", inside) is None, "a name that has no number"
        # Numbers are shown with three figures, and a difference of two of them has fewer.
        by_hand = eval(inside, {"__builtins__": {}, **sizing.FUNCTIONS})
        shown = float(said.split()[0].replace(",", ""))
        assert math.isclose(by_hand, shown, rel_tol=0.05, abs_tol=0.02)


class TestBottleneck:
    def test_is_the_worker_where_more_come_in_a_day_than_it_decides(self) -> None:
        assert sizing.bottleneck(known(officers=1e6)).startswith("the worker: 20.0 a second at most, and 26.6 come")

    def test_is_one_hour_where_it_is_enough_for_the_day(self) -> None:
        said = sizing.bottleneck(known(worker_ms=25, workflow_ms=15, mail_ms=1, officers=1e6))
        assert said.startswith("the worker, in the busiest hour: 40.0 a second at most, and 63.9 come")

    def test_is_nothing_where_all_is_enough(self) -> None:
        said = sizing.bottleneck(known(sizing.SCENARIOS[2], officers=1e6))
        assert said == "none of the machines; the worker would be first, at 20.0 a second"

    def test_is_people_too_where_they_take_longer(self) -> None:
        assert sizing.bottleneck(known(officers=10)).endswith("; and longer than that people: 96 days")

    @pytest.mark.parametrize(
        ("dear", "part"),
        [
            ({"entry_ms": 500.0}, "the publisher"),
            ({"db_ms": 9000.0}, "the primary"),
            ({"mail_ms": 200.0}, "the worker's senders of letters"),
        ],
    )
    def test_may_be_another(self, dear: dict[str, float], part: str) -> None:
        assert sizing.bottleneck(known(**dear)).startswith(f"{part}: ")


class TestInputs:
    def test_all_stand_in_the_recorded_results(self) -> None:
        found = sizing.inputs(sizing.read(RESULTS))
        assert [each.measured for each in found] == list(sizing.MEASURED)
        assert all(each.mean > 0 for each in found)

    def test_one_that_is_missing_names_the_command_that_makes_it(self) -> None:
        results: dict[str, Any] = sizing.read(RESULTS)
        del results["capacity"]
        with pytest.raises(sizing.Missing, match=r"bench/capacity --measure --json bench/results/capacity\.json"):
            sizing.inputs(results)

    def test_and_so_does_one_of_an_older_form(self) -> None:
        results: dict[str, Any] = copy.deepcopy(sizing.read(RESULTS))
        for row in results["officer"]["rows"]:
            del row["in all s"]
        with pytest.raises(sizing.Missing, match=r"no figure in 'in all s'\. Measure it: bench/officer --json"):
            sizing.inputs(results)

    def test_what_was_measured_beside_other_work_counts_only_where_there_is_nothing_else(self) -> None:
        results: dict[str, Any] = copy.deepcopy(sizing.read(RESULTS))
        rows = results["deadline-day"]["rows"]
        ours = next(row for row in rows if row["who"] == "Rahdari")
        about = results["deadline-day"]["runs"][ours["run"]]["conditions"]
        for run in results["capacity"]["runs"]:
            run["conditions"]["load_before"] = 90.0
        for load, counts in ((0.5, True), (90.0, False)):
            about["load_before"] = load
            (web,) = (each for each in sizing.inputs(results) if each.measured.name == "web_ms")
            alone = 1e3 * ours["cpu web s"] / ours["done"]
            assert (web.mean == pytest.approx(alone)) == counts
            assert len(web.values) > 1

    def test_what_was_measured_twice_goes_through_the_model_with_its_least_and_its_most(self) -> None:
        day = sizing.computed(sizing.inputs(sizing.read(RESULTS)), ASSUMPTIONS)[0]
        low, high = day.spread("worker_most")
        assert low < day.known["worker_most"] < high


class TestCommand:
    def test_keeps_no_file_of_what_it_only_computed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.argv", ["capacity", "--json", str(tmp_path / "capacity.json")])
        with pytest.raises(SystemExit):
            capacity_run.main("")
        assert list(tmp_path.iterdir()) == []

    def test_says_what_is_missing_and_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.argv", ["capacity", "--results", str(tmp_path)])
        assert capacity_run.main("") == 1
        assert "Measure it: bench/deadline-day" in capsys.readouterr().err

    def test_prints_all_for_another_assumption(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.argv", ["capacity", "--set", "officers=100"])
        assert capacity_run.main("") == 0
        assert "| `officers` | 100 | officers that the regulator has | set for this run |" in capsys.readouterr().out


class TestReport:
    def test_has_figures_formulas_assumptions_and_measurements(self) -> None:
        told = "\n".join(report_run._capacity(sizing.read(RESULTS)))
        for figure in sizing.FIGURES:
            assert f"- `{figure.name} = {figure.formula} = " in told
        for each in (*sizing.ASSUMED, *sizing.MEASURED):
            assert f"| `{each.name}` |" in told

    def test_says_what_is_missing_and_goes_on(self) -> None:
        assert report_run._capacity({})[0].endswith(
            "Measure it: bench/deadline-day --json bench/results/deadline-day.json"
        )


class TestAssumed:
    def test_one_is_changed_by_name(self) -> None:
        assert sizing.assumed(["officers=200"])["officers"] == 200

    @pytest.mark.parametrize(("word", "why"), [("clerks=3", "no assumption 'clerks'"), ("officers=many", "a number")])
    def test_what_is_none_is_refused(self, word: str, why: str) -> None:
        with pytest.raises(SystemExit, match=why):
            sizing.assumed([word])
