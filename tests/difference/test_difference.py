"""The kit that compares: what is counted, what it comes to, and what is never in a result."""

import datetime as dt
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import difference_run as simulated
from rahdari import cli, probe
from rahdari.difference import judging, measuring
from rahdari.difference.commands import measure
from rahdari.difference.judging import Finding, Needed, Tally
from rahdari.difference.plan import Pair, Plan, PlanUnusable, draw, load

MINUTE = dt.datetime(2026, 11, 30, 10, 0, tzinfo=dt.UTC)
PLAN = """
place = [
  { name = "campus-1", network = "AS64496" }, { name = "campus-2", network = "AS64496" },
  { name = "home", network = "AS64497" }, { name = "abroad", network = "AS64511", outside = true },
]
[[pair]]
name = "p01"
a = "203.0.113.10"
b = "203.0.113.11"
consent = "Sample Institute, 2026-11-30"
claims = [{ method = "http", line = "sample" }]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "plan.toml").write_text(PLAN)
    return load(tmp_path / "plan.toml")


def seen(place: str, *, a: bool, b: bool, minute: str = "2026-11-30T10:00Z") -> dict[str, Any]:
    return {"minute": minute, "place": place, "pair": "p01", "protocol": "http", "a": a, "b": b}


UP = seen("abroad", a=True, b=True)


@pytest.mark.parametrize(
    ("was", "mended", "says"),
    [
        ('a = "203.0.113.10"', 'a = "2001:db8::1"', "one IPv4 and one IPv6"),
        ('b = "203.0.113.11"', 'b = "203.0.113.10"', "stands in it twice"),
        ('consent = "Sample Institute, 2026-11-30"', "", "needs `consent`"),
        (', line = "sample"', "", "`line` is missing"),
        (
            '{ method = "http", line = "sample" }',
            '{ method = "wireguard", private_key = "x" }',
            "without `private_key`",
        ),
        ('network = "AS64497"', 'network = "home"', "like AS64496"),
        ("[[pair]]", "[[pairs]]", "`pairs` is not known"),
        ('"home"', '"campus-1"', "have one name"),
    ],
)
def test_says_how_to_mend_a_plan(tmp_path: Path, was: str, mended: str, says: str) -> None:
    assert was in PLAN
    (tmp_path / "plan.toml").write_text(PLAN.replace(was, mended))
    with pytest.raises(PlanUnusable, match=says):
        load(tmp_path / "plan.toml")


def test_draws_each_pair_once(plan: Plan) -> None:
    first = draw(plan)
    assert [draw(plan) for _ in range(20)] == [first] * 20


class TestRows:
    def tally(self, plan: Plan, *rows: dict[str, Any], registered: str = "a") -> dict[str, Tally]:
        found = judging.tallies(plan, {"p01": registered}, rows)
        return {
            network: tally for pairs in found.values() for each in pairs.values() for network, tally in each.items()
        }

    def test_counts_an_address_that_alone_is_reached(self, plan: Plan) -> None:
        rows = UP, seen("home", a=True, b=False)
        assert self.tally(plan, *rows) == {"AS64497": Tally(1, registered_alone=1)}
        assert self.tally(plan, *rows, registered="b") == {"AS64497": Tally(1, other_alone=1)}

    def test_a_server_that_is_down_counts_for_nothing(self, plan: Plan) -> None:
        assert self.tally(plan, seen("abroad", a=True, b=False), seen("home", a=True, b=False)) == {}
        assert self.tally(plan, seen("home", a=True, b=False)) == {}

    def test_two_places_of_a_network_are_one_view(self, plan: Plan) -> None:
        rows = UP, seen("campus-1", a=True, b=False), seen("campus-2", a=True, b=True)
        assert self.tally(plan, *rows) == {"AS64496": Tally(1)}

    def test_a_minute_that_comes_twice_counts_once(self, plan: Plan) -> None:
        assert self.tally(plan, UP, UP, *[seen("home", a=True, b=False)] * 2) == {"AS64497": Tally(1, 1)}

    def test_a_torn_line_is_left_out_and_nothing_after_it(self, tmp_path: Path) -> None:
        file = tmp_path / "rows"
        measuring.append(file, [UP])
        with file.open("a") as out:
            out.write('{"minute": "2026-11-')
        measuring.append(file, [UP])
        assert list(measuring.read(file)) == [UP, UP]


PAIRS = st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)), min_size=20, max_size=24)


def country(counts: list[tuple[int, int]]) -> judging.Tallies:
    return {f"p{at}": {f"n{one}": Tally(1_000, *each) for one in range(2)} for at, each in enumerate(counts)}


class TestJudge:
    @given(PAIRS)
    def test_labels_that_change_places_change_the_sign_alone(self, counts: list[tuple[int, int]]) -> None:
        one, other = judging.judge(country(counts)), judging.judge(country([(b, a) for a, b in counts]))
        assert (one.finding, one.chance, one.difference) == (other.finding, other.chance, -other.difference)

    @given(st.lists(st.integers(-9, 9), min_size=1, max_size=9))
    def test_chance_is_the_share_of_all_draws(self, numbers: list[int]) -> None:
        def total(draw: int) -> int:
            return abs(sum(-each if draw >> at & 1 else each for at, each in enumerate(numbers)))

        draws = range(2 ** len(numbers))
        assert judging.chance_of(numbers) == sum(total(each) >= total(0) for each in draws) / len(draws)

    @given(PAIRS)
    def test_few_pairs_or_one_network_are_not_enough(self, counts: list[tuple[int, int]]) -> None:
        all_of_it = country(counts)
        few = dict(list(all_of_it.items())[:19])
        one_network = {pair: {"n0": each["n0"]} for pair, each in all_of_it.items()}
        for given_ in (few, one_network):
            assert judging.judge(given_).finding is Finding.NOT_ENOUGH

    def test_what_the_coins_explain_is_no_difference(self) -> None:
        """Half of the pairs lose all on one side, half on the other."""
        split = [(1_000, 0), (0, 1_000)] * 10
        assert judging.judge(country(split)).finding is Finding.NO_DIFFERENCE
        assert judging.judge(country([(1_000, 0)] * 20)).finding is Finding.DIFFERENCE

    def test_a_difference_needs_a_chance_that_is_small_enough(self) -> None:
        most = [(1_000, 0)] * 16 + [(0, 1_000)] * 4
        assert judging.judge(country(most)).finding is Finding.NOT_ENOUGH
        assert judging.judge(country(most), Needed(chance=0.05)).finding is Finding.DIFFERENCE


@pytest.mark.parametrize("one", simulated.COUNTRIES[:4], ids=lambda one: one.name)
def test_finds_a_country_that_blocks_within_a_week_and_no_other_in_a_year(one: simulated.Country) -> None:
    found = list(simulated.verdicts(one, weeks=1 if one.lost else 52, chance=random.Random(2)))
    assert {each.finding is Finding.DIFFERENCE for weeks in found for each in weeks} == {bool(one.lost)}


class Silent(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


def test_measures_with_the_native_probes(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One address answers, the other has nothing: in a file, by rounds, with the probe of the protocol."""
    monkeypatch.setattr(measuring, "TIMEOUT", 60.0)
    server = HTTPServer(("127.0.0.81", 0), Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        text = PLAN.replace("203.0.113.10", "127.0.0.81").replace("203.0.113.11", "127.0.0.82")
        (tmp_path / "plan.toml").write_text(text.replace('"sample" }', f'"sample", port = {server.server_port} }}'))
        here = load(tmp_path / "plan.toml")
        ask = measuring.asking("", probe.Standpoint(("127.0.0.0/8",)))
        rounds = 1
        assert measure(here, "home", tmp_path / "rows", ask, rounds=rounds, ended=threading.Event()) == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    (row,) = measuring.read(tmp_path / "rows")
    assert (row["place"], row["pair"], row["protocol"], row["a"], row["b"]) == ("home", "p01", "http", True, False)


def test_the_two_of_a_pair_are_asked_in_either_order(plan: Plan) -> None:
    asked: list[str] = []

    def ask(pair: Pair, method: str, side: str) -> bool:
        asked.append(side)
        return True

    for _ in range(40):
        measuring.one_round(plan, place="home", minute=MINUTE, ask=ask)
    firsts = asked[::2]
    assert set(firsts) == {"a", "b"}
    assert all({one, other} == {"a", "b"} for one, other in list(pairwise(asked))[::2])


class TestCommands:
    def run(self, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
        code = cli.main(["difference", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out + said.err

    def test_a_result_names_no_network_place_pair_or_address(
        self, plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, said = self.run(capsys, "draw", plan.path)
        assert code == 0
        assert "203.0.113.1" in said
        measuring.append(tmp_path / "rows", [UP, seen("home", a=True, b=False)])
        for form in ("text", "json", "csv"):
            code, said = self.run(capsys, "judge", plan.path, tmp_path / "rows", "--format", form)
            assert code == 0
            assert "2026-W49" in said
            assert not [word for word in ("6449", "home", "campus", "abroad", "p01", "203.0.113") if word in said]
        assert json.loads(self.run(capsys, "judge", plan.path, tmp_path / "rows", "--format", "json")[1])

    def test_tells_no_number_that_was_not_counted(
        self, plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.run(capsys, "draw", plan.path)
        measuring.append(tmp_path / "inside", [seen("home", a=True, b=False)])
        assert "No minute counts" in self.run(capsys, "judge", plan.path, tmp_path / "inside")[1]
        measuring.append(tmp_path / "rows", [UP, seen("home", a=True, b=False)])
        said = self.run(capsys, "judge", plan.path, tmp_path / "rows")[1]
        assert "fewer than 20 pairs count" in said and "chance" not in said and "0.00" not in said
        said = self.run(capsys, "judge", plan.path, tmp_path / "rows", "--format", "csv")[1]
        assert said.splitlines()[1] == "2026-W49,http,not_enough,,,0,0,0"

    def test_judges_nothing_before_the_draw(
        self, plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        measuring.append(tmp_path / "rows", [UP])
        code, said = self.run(capsys, "judge", plan.path, tmp_path / "rows")
        assert (code, "draw` first" in said) == (2, True)

    def test_measures_nothing_that_is_not_in_the_open_net(
        self, plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, said = self.run(capsys, "measure", plan.path, "--place", "home", "--out", tmp_path / "rows")
        assert (code, "is not an address of the open net" in said) == (2, True)
        code, said = self.run(capsys, "measure", plan.path, "--place", "moon", "--out", tmp_path / "rows")
        assert (code, "There are: campus-1" in said) == (2, True)
