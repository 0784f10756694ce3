"""What the rehearsal of a failover finds, and that it loses nothing. The whole of it needs patroni and etcd."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection

from rahdari.ops.drills import Differs
from rahdari.ops.failover import applicants, cluster, drill
from tests.needs import needs_program

TREE = Path(__file__).parents[2]
INSTALL = "apt-get install patroni python3-etcd etcd-server"


@pytest.mark.whole
def test_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    """The short form: one of each, with the bad days."""
    for program in ("patroni", "etcd"):
        needs_program(program, INSTALL)
    given = "--acts 300 --kills 1 --switchovers 1 --applicants 2 --bad-days --away 15".split()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "rahdari", "drill", "failover", *given, "--json", str(tmp_path / "drill.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "drill.json").read_text())
    assert said["acts"]["answered"] >= 300
    assert (said["acts"]["lost"], said["acts"]["done_twice"]) == (0, 0)
    assert said["acts"]["granted"] > 0
    assert len(said["gaps"]) == 5
    assert said["acts"]["pages"] > 0 and said["acts"]["pages_away"] > 0
    rows = {row["what"]: row["result"] for row in said["rows"]}
    assert "the journal's" in rows["three copies: as many rows, the same journal and editions"]
    (away,) = (result for what, result in rows.items() if what == "etcd is away")
    assert int(re.search(r"(\d+) acts were answered", away).group(1)) > 0  # type: ignore[union-attr]


class TestWithoutThePrograms:
    def test_says_what_installs_them(self, tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rahdari", "drill", "failover"],
            env=os.environ | {"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "apt install patroni python3-etcd etcd-server" in done.stderr


class TestPlan:
    def test_takes_kills_and_planned_changes_by_turns(self) -> None:
        names = [event.__name__ for event in drill.Plan(kills=3, switchovers=2).events()]
        assert names == ["_kill", "_switch_over", "_kill", "_switch_over", "_kill"]

    def test_has_each_that_is_asked_for(self) -> None:
        names = [event.__name__ for event in drill.Plan(kills=0, switchovers=2, bad_days=True).events()]
        assert names == ["_switch_over", "_switch_over", "_far_behind", "_etcd_away", "_old_one_comes_back"]


class TestAnswers:
    def test_are_read_as_they_grow_and_no_half_line(self, tmp_path: Path) -> None:
        answers, file = drill.Answers(tmp_path), tmp_path / "0.jsonl"
        file.write_text('{"at": 1.0}\n{"at": 5')
        assert answers.count() == 1
        file.write_text('{"at": 1.0}\n{"at": 5.5}\n{"at": 6.0}\n')
        assert answers.count() == 3
        assert answers.gap(0.5) == 4.5
        assert answers.gap(5.6) == 0.5


@pytest.fixture
def answered(tmp_path: Path, transactional_db: None) -> list[dict[str, Any]]:
    """Two applications of the rehearsal's own, as they were answered."""
    ledger = applicants.Ledger(tmp_path / "0.jsonl")
    applicant = applicants.Applicants(0, ledger, threading.Event())
    applicant.apply(0)
    applicant.apply(1)
    return [json.loads(line) for line in ledger.path.read_text().splitlines()]


def ask(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


class TestWhatIsLookedFor:
    def test_is_all_that_was_answered(self, answered: list[dict[str, Any]]) -> None:
        found = drill.looked_for(answered, ask)
        assert found["answered"] == len(answered) > 5
        assert (found["lost"], found["sent_again"]) == (0, 0)

    def test_misses_what_is_not_there(self, answered: list[dict[str, Any]]) -> None:
        lost = {"act": "apply.submitted", "subject": "application:lost", "at": 1.0, "tried": ["now"]}
        with pytest.raises(Differs) as told:
            drill.looked_for([*answered, lost], ask)
        assert told.value.differences == ["lost: apply.submitted of application:lost"]

    def test_sees_what_was_done_and_answered_to_nobody(self, answered: list[dict[str, Any]]) -> None:
        with pytest.raises(Differs) as told:
            drill.looked_for(answered[:-1], ask)
        assert told.value.differences == [f"done, and never answered: apply.submitted of {answered[-1]['subject']}"]

    def test_tells_what_had_been_done_before_it_was_sent_again(self, answered: list[dict[str, Any]]) -> None:
        first = answered[-1]
        again = {**first, "tried": [*first["tried"], dt.datetime(2026, 12, 1, tzinfo=dt.UTC).isoformat()]}
        found = drill.looked_for([*answered[:-1], again], ask)
        assert (found["sent_again"], found["done_before"]) == (1, 1)


class TestConfigurationForProduction:
    def test_agrees_with_what_is_rehearsed(self) -> None:
        read = yaml.safe_load((TREE / "deploy" / "patroni" / "patroni.yml").read_text())
        assert read["bootstrap"]["dcs"] == cluster.AGREED

    def test_sets_nothing_that_must_not_be(self) -> None:
        read = yaml.safe_load((TREE / "deploy" / "patroni" / "patroni.yml").read_text())
        agreed = read["bootstrap"]["dcs"]
        assert "maximum_lag_on_failover" not in agreed and "check_timeline" not in agreed
        assert agreed["loop_wait"] + 2 * agreed["retry_timeout"] <= agreed["ttl"]
        assert "synchronous_standby_names" not in agreed["postgresql"]["parameters"]
        assert read["tags"] == {}
