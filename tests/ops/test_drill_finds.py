"""What the rehearsal of a restore finds: each of its comparisons is given a difference that was planted."""

import copy
import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rahdari.ops.backup import drill, drill_acts, facts, taking
from rahdari.ops.drills import Differs
from tests.ops.installed import an_installation
from tests.ops.restore_world import PROGRAM

COUNTED: dict[str, Any] = {
    "rows": {"journal_journalentry": 7, "apply_application": 2_300_000, "decide_decision": 5, "letters_letter": 9},
    "keys": {"django.key": "0a"},
    "sent": {"applications": 2_200_000},
    "journal": {"rows": 7, "last": 7, "digest": "ab"},
    "editions": {"s1": [12, 40]},
}
Change = Callable[[dict[str, Any]], Any]
# What is another in what came back, and what is said of it.
LOST: list[tuple[Change, str]] = [
    (lambda now: now["rows"].update(decide_decision=0), "decide_decision"),
    (lambda now: now["rows"].pop("letters_letter"), "letters_letter"),
    (lambda now: now["sent"].update(applications=0), "applications"),
    (lambda now: now.pop("sent"), "applications"),
    (lambda now: now["keys"].update({"django.key": "0b"}), "key"),
    (lambda now: now["editions"].update(s1=[11, 40]), "s1"),
    (lambda now: now.pop("editions"), "s1"),
    (lambda now: now["journal"].update(digest="cd"), "digest|journal"),
]


def came_back(change: Change = lambda now: None) -> dict[str, Any]:
    now = copy.deepcopy(COUNTED)
    change(now)
    return now


class TestAllIsTheSame:
    def test_when_nothing_differs(self) -> None:
        said = drill._compare("here", COUNTED, came_back())
        assert said == "2300021 rows of 4 tables, the journal's 7, editions and keys the same"

    @pytest.mark.parametrize(("change", "named"), LOST)
    def test_is_not_said_of_what_differs(self, change: Change, named: str) -> None:
        with pytest.raises(Differs, match=named):
            drill._compare("here", COUNTED, came_back(change))

    @pytest.mark.parametrize("part", ["rows", "keys", "editions"])
    def test_is_not_said_of_what_is_more(self, part: str) -> None:
        with pytest.raises(Differs, match=f"{part} another: None before, 1 after"):
            drill._compare("here", COUNTED, came_back(lambda now: now[part].update(another=1)))


class TestNothingIsMissing:
    def test_of_a_register_that_went_on(self) -> None:
        def goes_on(now: dict[str, Any]) -> None:
            now["rows"] |= {"decide_decision": 6, "letters_letter": 1, "apply_application": 2_299_999}
            now["journal"] |= {"rows": 8, "last": 8, "digest": "later"}
            now["editions"] = {"s1": [13, 41], "s2": [0, 0]}

        said = drill._has_all(COUNTED, came_back(goes_on), COUNTED["journal"])
        assert "from 2 tables that only grow" in said
        assert said.endswith("fewer than then: apply_application 2300000 to 2299999, letters_letter 9 to 1.")

    @pytest.mark.parametrize(("change", "named"), LOST)
    def test_is_not_said_where_something_is(self, change: Change, named: str) -> None:
        now = came_back(change)
        with pytest.raises(Differs, match=named):
            drill._has_all(COUNTED, now, now["journal"])


class TestTheFeedGoesOn:
    def test_above_what_was_published(self) -> None:
        assert drill._above({"a": 1}, {"a": 2, "b": 0}) == "1 numbers, each above the one before"

    @pytest.mark.parametrize(
        ("before", "after"), [({"a": 1}, {"a": 1}), ({"a": 2}, {"a": 1}), ({"a": 1}, {"b": 5}), ({}, {"a": 1})]
    )
    def test_and_not_below(self, before: dict[str, int], after: dict[str, int]) -> None:
        with pytest.raises(Differs, match="The feed"):
            drill._above(before, after)


class TestWhatFell:
    """Between two backups, with a release that brings its tables up to date in between."""

    def test_is_no_table_that_loses_rows_or_is_gone_with_a_new_release(self) -> None:
        def upgraded(now: dict[str, Any]) -> None:
            now["rows"] = {"journal_journalentry": 7, "decide_decision": 5}
            now["journal"] |= {"digest": "cd", "columns": "id act another"}

        known = copy.deepcopy(COUNTED)
        known["journal"]["columns"] = "id act"
        now = came_back(upgraded)
        assert facts.fallen(known, now, now["journal"]) == []
        assert facts.fallen(known, now, now["journal"] | {"columns": "id act"})
        assert facts.fallen(known, now, now["journal"] | {"rows": 6})
        assert facts.fallen(known, now, None)

    @pytest.mark.parametrize(
        ("change", "named"), [each for each in LOST if "letters" not in each[1] and each[1] != "key"]
    )
    def test_is_each_of_what_only_grows(self, change: Change, named: str) -> None:
        now = came_back(change)
        (said,) = facts.fallen(COUNTED, now, now["journal"])
        assert re.search(named, said)


@pytest.mark.whole
def test_papers_feed_and_journal_are_looked_at_in_a_real_register(tmp_path: Path) -> None:
    with an_installation() as made:
        data, url = made.data, made.server.url
        drill._call(data, "feed", "keys", "--offline", str(tmp_path / "offline"))
        environment = {"RAHDARI_DATA": str(data), "DATABASE_URL": made.server.application_url}
        environment["DJANGO_SETTINGS_MODULE"] = "rahdari.settings.demo"
        subprocess.run([sys.executable, PROGRAM, "enter", "0", "1"], env={**os.environ, **environment}, check=True)
        drill._act(data, 0, 6)
        kept = len(drill_acts.with_paper(0, 6))
        now = dt.datetime.now(dt.UTC).isoformat()
        backup = taking.Backup("b", 0, "", now, now, "1", 18, "0" * 24, "0", {}, {})
        known = facts.of(url, data)
        assert drill._looked_at(data, url, backup, papers=kept).startswith(f"{kept} papers open, ")
        drill._has_all(known, facts.of(url, data), facts.beginning(known, url))

        def looked_at(papers: int = kept) -> list[str]:
            with pytest.raises(Differs) as found:
                drill._looked_at(data, url, backup, papers=papers)
            return found.value.differences

        def do(*statements: str) -> None:
            with psycopg.connect(made.server.admin_url.replace("/postgres?", "/rahdari?")) as connection:
                for statement in statements:
                    connection.execute(statement)

        assert looked_at(kept + 1) == [f"{kept} papers open, and {kept + 1} were kept"]
        a_paper = next(path for path in (data / "documents").rglob("*") if path.is_file())
        content = a_paper.read_bytes()
        a_paper.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        (closed,) = looked_at(0)
        assert closed.startswith("the paper ") and closed.endswith(" does not open")
        a_paper.unlink()
        assert looked_at(0) == [closed]
        a_paper.write_bytes(content)
        # The database is older than the feed.
        another = ("SET session_replication_role = replica", "UPDATE publish_edition SET digest = reverse(digest)")
        do(*another)
        assert looked_at() == ["more is published on disk than the database knows"]
        do(*another)
        shutil.rmtree(data / "feed" / "targets")
        assert any(line.startswith("the feed: ") for line in looked_at())
        # A word of the journal that was changed by who may.
        do(
            another[0],
            "UPDATE journal_journalentry SET reason = 'another' WHERE id = (SELECT min(id) FROM journal_journalentry)",
        )
        with pytest.raises(Differs, match="the journal"):
            drill._has_all(known, facts.of(url, data), facts.beginning(known, url))
