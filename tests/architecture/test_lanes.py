"""What a lane leaves out, what a change brings back, and by which clock tests run."""

import ast
import datetime as dt
from pathlib import Path

import pytest

from tests import clock, costs, lanes
from tests.costs import TESTS, Cost

COSTS = {
    "portal/test_whole_applications.py": Cost(short=50),
    "fees/test_rules.py": Cost(short=1),
    "fees/test_pages.py": Cost(short=20, whole=9),
    "apply/test_pages.py": Cost(short=30),
    "ops/test_start.py": Cost(short=2, whole=40),
}


class TestTheList:
    def test_names_files_that_are_there(self) -> None:
        names = {*costs.listed(), *lanes.ALWAYS, *(each.removesuffix(" whole") for each in lanes.WORTH)}
        # One that is gone leaves the list when it is measured anew; what is named by hand goes at once.
        by_hand = names - costs.listed().keys()
        assert [name for name in by_hand if not (TESTS / name).exists()] == []

    def test_leaves_room_in_each_lane(self) -> None:
        found = costs.listed()
        always = sum(found[name].short for name in lanes.ALWAYS if name in found)
        assert always < lanes.SHORT / 2
        worth = [name for name in found for each in lanes.WORTH if name.startswith(each)]
        assert sum(found[name].short for name in worth) < lanes.CHANGE - lanes.SHORT


class TestDear:
    def test_begins_where_the_cheaper_ones_reach_the_bound(self) -> None:
        assert lanes.dear(COSTS, 80) == {"apply/test_pages.py"}
        assert lanes.dear(COSTS, 60) == {"apply/test_pages.py", "fees/test_pages.py"}

    def test_is_nothing_that_always_runs(self) -> None:
        assert "portal/test_whole_applications.py" not in lanes.dear(COSTS, 10)


class TestChoice:
    @pytest.fixture(autouse=True)
    def bounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lanes.dear, "__defaults__", (60,))

    def test_takes_first_what_the_change_reaches_then_what_costs_least(self) -> None:
        assert lanes.choose(COSTS, {"apply/test_pages.py": 1}, 90).chosen == ["apply/test_pages.py"]
        assert lanes.choose(COSTS, {}, 90).chosen == ["fees/test_pages.py whole", "fees/test_pages.py"]

    def test_takes_the_nearest_first(self) -> None:
        reached = {"apply/test_pages.py": 1, "fees/test_pages.py": 2}
        assert lanes.choose(COSTS, reached, 113).chosen[0] == "apply/test_pages.py"

    def test_names_what_was_reached_and_is_too_much(self) -> None:
        found = lanes.choose(COSTS, {"ops/test_start.py": 0, "fees/test_pages.py": 1}, 90)
        assert found.left_out == ["ops/test_start.py whole"]
        assert found.seconds <= 90

    def test_runs_first_what_is_worth_most(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lanes, "WORTH", ("ops/",))
        assert lanes.choose(COSTS, {"apply/test_pages.py": 0}, 95).chosen[0] == "ops/test_start.py whole"


class TestReached:
    MODULES = ("rahdari.fees", "rahdari.fees.rules", "rahdari.web.urls", "tests.fees.test_rules")

    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("src/rahdari/fees/rules.py", ["rahdari.fees.rules"]),
            ("src/rahdari/fees/__init__.py", ["rahdari.fees"]),
            ("src/rahdari/fees/templates/fees/invoice.html", ["rahdari.fees", "rahdari.fees.rules"]),
            ("tests/fees/data.json", ["tests.fees.test_rules"]),
            ("src/rahdari/fees/gone.py", []),
            ("docs/index.md", []),
        ],
    )
    def test_a_file_stands_for_its_module_or_its_room(self, path: str, found: list[str]) -> None:
        assert list(lanes.modules_of(path, self.MODULES)) == found

    def test_is_what_imports_it_and_the_tests_of_its_room(self) -> None:
        found = lanes.reached(["tests/fees/test_rules.py", "src/rahdari/agent/nftables.py"])
        assert found["fees/test_rules.py"] == 0
        # The whole room before the tests of others, which may cost less.
        assert found["agent/test_nftables.py"] == 0 and found["agent/test_following.py"] == 0
        assert found["matrix/test_conformance.py"] > 0
        assert "fees/test_pages.py" not in found

    def test_begins_at_a_day_before_on_main(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said = {"rev-parse": "abc", "merge-base": "abc", "log": "1000000", "rev-list": "older"}
        asked: list[tuple[str, ...]] = []

        def git(*words: str) -> str:
            asked.append(words)
            return said[words[0]]

        monkeypatch.delenv("RAHDARI_CI_BASE", raising=False)
        monkeypatch.setattr(lanes, "git", git)
        assert lanes.base() == "older"
        assert asked[-1] == ("rev-list", "-1", "--before=913600", "HEAD")
        said["merge-base"] = "where it left"
        assert lanes.base() == "where it left"
        monkeypatch.setenv("RAHDARI_CI_BASE", "given")
        assert lanes.base() == "given"


class TestGrown:
    def test_says_by_which_files(self) -> None:
        before = {"a.py": Cost(short=10, cases=1), "b.py": Cost(short=10, cases=1)}
        now = {"a.py": Cost(short=14, cases=1), "b.py": Cost(short=10, cases=1)}
        said = costs.grown(now, before)
        assert said[0].startswith("tests cost 24 processor seconds, and the last time 20")
        assert [line.split()[-1] for line in said[1:]] == ["a.py"]

    def test_compares_the_same_cases_alone(self) -> None:
        assert costs.grown({"a.py": Cost(short=90, cases=2)}, {"a.py": Cost(short=1, cases=1)}) == []
        assert costs.grown({"a.py": Cost(short=10.4, cases=1)}, {"a.py": Cost(short=10, cases=1)}) == []


class TestTheClock:
    def test_is_not_the_machines(self) -> None:
        """Two days: how long a run takes at most."""
        assert dt.timedelta(0) <= dt.datetime.now(dt.UTC) - clock.begins() < dt.timedelta(days=2)

    def test_is_the_machines_for_files_that_are_there(self) -> None:
        assert all((clock.TESTS / name).exists() and why for name, why in clock.MACHINE.items())
        assert clock.by_the_machine(clock.TESTS / "journeys" / "test_kill.py")
        assert not clock.by_the_machine(Path(__file__))

    def test_is_read_by_no_module_as_it_is_loaded(self) -> None:
        """By which clock it is loaded depends on who imports it first. Folders where all goes by the machine's have one
        clock."""
        wrong = [
            f"{path.relative_to(TESTS)}:{node.lineno}"
            for path in sorted(TESTS.rglob("*.py"))
            if path.relative_to(TESTS).parts[0] not in clock.MACHINE
            for statement in ast.parse(path.read_bytes()).body
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
            for node in ast.walk(statement.value)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (node.func.attr in {"now", "today"} or (node.func.attr in {"localdate", "localtime"} and not node.args))
        ]
        assert wrong == []
