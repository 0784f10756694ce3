"""What is said of backups, and which are forgotten: nothing is copied here."""

import ast
import dataclasses
import datetime as dt
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from rahdari import cli
from rahdari.ops import datafolder
from rahdari.ops.backup import commands, engine, restoring, state, taking, wal
from rahdari.ops.backup.target import Damaged, Target
from rahdari.ops.checks import NOTE, WRONG, Inspection
from rahdari.ops.doctor_backup import check_backup
from rahdari.publish import metrics

from .backups import NOW, a_clock


def _made(number: int, at: dt.datetime, since: str) -> taking.Backup:
    segment = wal.Segment(1, number * 3).name
    text = at.isoformat()
    return taking.Backup(f"b{number}", number, since, text, text, "1", 18, segment, "0", {}, {})


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=12), st.integers(0, 60))
def test_what_is_forgotten_is_needed_for_no_time_that_is_kept(ages: list[tuple[int, bool]], days: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        target, since, at = Target(name), "", NOW - dt.timedelta(days=sum(age for age, _ in ages))
        made = []
        for number, (age, full) in enumerate(ages):
            at += dt.timedelta(days=age)
            since = "" if full or not number else since
            made.append(_made(number, at, since))
            target.put_data(made[-1].key("backup.json"), dataclasses.asdict(made[-1]))
            key = wal.Segment(1, number * 3).name
            target.put(f"wal/{key[:16]}/{key}-{'0' * 16}.gz.age", b"")
            since = made[-1].id
        before = taking.all_backups(target)
        taking.forget(target, now=NOW, days=days)
        left = taking.all_backups(target)
        assert left and left[-1] == before[-1]
        for each in left:
            restoring.chain_of(each, left)
        # Each time that is kept has the backup that it had.
        for day in range(days + 1):
            moment = NOW - dt.timedelta(days=day)
            had = [each for each in before if each.at <= moment][-1:]
            assert [each for each in left if each.at <= moment][-1:] == had
            assert all(each.first_segment in wal.names(target) for each in had)


def test_the_alert_hears_of_a_place_in_which_nothing_was_verified(tmp_path: Path, settings: Any) -> None:
    settings.DATA = tmp_path
    assert metrics._of_the_backups() == []
    settings.BACKUP_PLACE = "/mnt/backups"

    def told() -> dict[str, float]:
        return {name: values[0][1] for name, _help, values in metrics._of_the_backups()}

    never = {"backup_verified_timestamp_seconds": 0, "backup_proved_timestamp_seconds": 0}
    assert told() == never | {"backup_every_seconds": 3600, "backup_faults": 0}
    (tmp_path / "backup").mkdir()
    state.note(tmp_path, {"backup": None, "proved": None, "damaged": ["one", "two"], "fell": ["three"]})
    settings.BACKUP_HOURS = 24
    assert told() == never | {"backup_every_seconds": 86400, "backup_faults": 3}


class TestADamagedDescription:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Target:
        """A full backup, and two that add to it, each to the one before."""
        target = Target(str(tmp_path / "place"))
        for number in range(3):
            made = _made(number, NOW + dt.timedelta(hours=number), f"b{number - 1}" if number else "")
            target.put_data(made.key("backup.json"), dataclasses.asdict(made))
        return target

    @pytest.mark.parametrize("content", [b"{", b"", b"[]", b"{}", b"\xff"])
    def test_counts_for_no_backup_and_is_named(
        self, place: Target, content: bytes, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place.put("backups/b1/backup.json", content)
        place.put("proved/b1.json", content)
        said: list[str] = []
        assert [each.id for each in taking.all_backups(place, said.append)] == ["b0", "b2"]
        assert len(said) == 1 and said[0].startswith(f"{place.address}/backups/b1/backup.json cannot be read:")
        assert taking.proofs(place) == []
        assert cli.main(["backup", "list", "--to", place.address]) == commands.NOT_WHOLE
        printed = capsys.readouterr()
        assert printed.out.splitlines()[0].endswith("  verified")
        assert printed.out.splitlines()[1].endswith("  DAMAGED: backups/b1/backup.json")
        assert [line.split()[0] for line in printed.out.splitlines()] == ["b0", "b2"]
        assert "b1/backup.json cannot be read" in printed.err
        with pytest.raises(restoring.PartMissing, match=r"b1/backup\.json is gone or damaged"):
            restoring.chain_of(restoring.choose(place, taking.all_backups(place), None), taking.all_backups(place))

    def test_is_added_to_by_no_other(self, place: Target, tmp_path: Path) -> None:
        server, here = engine.Server("", 18, "1", True, True, "rahdari"), taking.Local(tmp_path)
        (tmp_path / "last").mkdir()
        for name in taking.KEPT_HERE:
            here.of("b2", name).touch()
        known = taking.all_backups(place)
        assert taking._to_add_to(known, here, server) == known[-1]
        place.put("backups/b1/backup.json", b"{")
        assert taking._to_add_to(taking.all_backups(place), here, server) is None

    def test_of_the_place_is_written_anew_where_the_backups_say_whose_it_is(self, place: Target) -> None:
        server, said = engine.Server("", 18, "1", True, True, "rahdari"), list[str]()
        place.put("register.json", b"{")
        with pytest.raises(Damaged, match=r"register\.json cannot be read"):
            taking._belongs(place, server, [], said.append)
        with pytest.raises(Damaged):
            taking._belongs(place, dataclasses.replace(server, identifier="2"), taking.all_backups(place), said.append)
        taking._belongs(place, server, taking.all_backups(place), said.append)
        assert place.read_data("register.json") == {"identifier": "1"}
        assert len(said) == 1 and "so it is written anew" in said[0]

    def test_of_a_newer_release_is_read(self, place: Target) -> None:
        data = place.read_data("backups/b2/backup.json")
        place.put_data("backups/b2/backup.json", {**(data or {}), "of_tomorrow": 1})
        assert [each.id for each in taking.all_backups(place)] == ["b0", "b1", "b2"]


@pytest.mark.django_db
def test_the_doctor_says_how_old_the_last_ones_are(tmp_path: Path, settings: Any) -> None:
    patient = Inspection(tmp_path, {}, "127.0.0.1", 1)
    demo = {"DJANGO_SETTINGS_MODULE": datafolder.SETTINGS[datafolder.DEMO]}

    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
        ours = {"id": "b", "identifier": cursor.fetchone()[0]}

    def said(environment: dict[str, str] | None = None) -> list[tuple[str, str]]:
        found = patient if environment is None else dataclasses.replace(patient, environment=environment)
        return [(each.state, each.text) for each in check_backup(found)]

    # A demonstration needs none, and is told of those that it has.
    assert said(demo) == []

    ((level, text),) = said()
    assert level == NOTE and text.startswith("none was taken with `rahdari backup`: a lost disk loses every decision.")
    # Where they have a place, as after a restore, that is wrong, and the alert begins with it.
    ((level, text),) = said({"RAHDARI_BACKUP": "/mnt/backups"})
    assert level == WRONG and text.startswith("none of this register was verified in /mnt/backups yet")
    (tmp_path / "backup").mkdir()
    fresh, old = a_clock() - dt.timedelta(hours=1), a_clock() - dt.timedelta(days=40)
    state.note(tmp_path, {"backup": ours | {"finished_at": fresh.isoformat()}, "proved": {"at": fresh.isoformat()}})
    assert [each for each in said() if each[0] == WRONG] == []
    state.note(tmp_path, {"backup": ours | {"finished_at": old.isoformat()}, "proved": None})
    wrong = [text for level, text in said() if level == WRONG]
    assert wrong[0].startswith("the last verified one is 40 days old, and one is due every 1 h (")
    assert wrong[1].startswith("none was ever restored. Rehearse it: rahdari drill restore")
    assert [text for level, text in said(demo) if level == WRONG] == wrong
    # A timer that somebody stopped, and one that comes once a day.
    four_hours = (a_clock() - dt.timedelta(hours=4)).isoformat()
    state.note(tmp_path, {"backup": ours | {"finished_at": four_hours}, "proved": {"at": fresh.isoformat()}})
    (late,) = [text for level, text in said() if level == WRONG]
    assert late.startswith("the last verified one is 4 hours old") and "Look whether its timer runs" in late
    settings.BACKUP_HOURS = 24
    assert [text for level, text in said() if level == WRONG] == []
    fresh_one = {"backup": ours | {"finished_at": fresh.isoformat()}, "proved": {"at": fresh.isoformat()}}
    state.note(tmp_path, fresh_one)
    patient.environment["RAHDARI_BACKUP_DAYS"] = "36"
    (wrong_days,) = [text for level, text in said() if level == WRONG]
    assert wrong_days.startswith("they are kept for 36 days, and the policy promises 35")
    state.note(
        tmp_path, fresh_one | {"damaged": ["backups/b/files"], "fell": ["rows of decide_decision: 2 before, 1 now"]}
    )
    patient.environment.pop("RAHDARI_BACKUP_DAYS")
    wrong = [text for level, text in said() if level == WRONG]
    assert wrong[0].startswith("backups/b/files is damaged or gone")
    assert "of what only grows: rows of decide_decision: 2 before, 1 now" in wrong[1]
    # Left by the register that stood here before.
    state.note(tmp_path, fresh_one | {"backup": fresh_one["backup"] | {"identifier": "1"}})
    ((level, text),) = said()
    assert level == WRONG and text.startswith("b is of another database than the one in use. Take one of this")


@pytest.mark.parametrize(
    ("files", "waits"),
    [
        ({}, ""),
        ({"postgresql.conf": "port = 5432\nsynchronous_standby_names = 'db2'\n"}, "db2"),
        ({"postgresql.conf": "synchronous_standby_names = 'db2'\n", "postgresql.auto.conf": "# none\n"}, "db2"),
        (
            {
                "postgresql.conf": "synchronous_standby_names = 'db2'\n",
                "postgresql.auto.conf": "synchronous_standby_names = ''\n",
            },
            "",
        ),
        ({"postgresql.conf": "#synchronous_standby_names = 'db2'\n"}, ""),
    ],
)
def test_a_cluster_that_would_wait_for_another_is_known(files: dict[str, str], waits: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert restoring.waits_for(tmp_path) == waits


def test_the_handbook_quotes_what_is_said() -> None:
    """Each message of its tables stands in the code, word for word, but for what is put in."""
    root = Path(restoring.__file__).parents[2]
    said = []
    for path in (*root.glob("ops/**/*.py"), root / "publish" / "keys.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                said.append("".join(str(each.value) for each in node.values if isinstance(each, ast.Constant)))
            elif isinstance(node, ast.Constant):
                said.append(str(node.value))
    page = (root.parents[1] / "docs" / "restore.md").read_text()
    cells = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", page.partition("### How long it takes")[0], re.MULTILINE)
    quoted = [quote for cell in cells for quote in re.findall("`([^`]+)`", cell)]
    assert len(quoted) > 20
    for quote in quoted:
        parts = [re.escape(part.strip(" 0")) for part in quote.split("...")]
        assert any(re.search(".*".join(parts), text, re.DOTALL) for text in said), quote
