"""Optional rooms left out, each beside each other one that stays, and all of them: the line stays green, and a policy
that asks for them is told."""

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from rahdari import optional, policy
from rahdari.ops import prepare
from tests.needs import everything_is_needed

from . import policies, traces

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted(optional.ROOMS)
# Each with those that cannot do without it.
WITH_THEIRS = {room: " ".join([room, *(each for each in ROOMS if optional.NEEDS.get(each) == room)]) for room in ROOMS}
# Each walk makes tables of its own and takes a minute. These are so few that of any two rooms the first is left out
# beside the second in one of them.
GROUPS = (
    "attest dyndns remote vantage",
    "attest fees remote share urgent",
    "attest dyndns mobile share sms urgent",
    "dyndns fees mobile remote share vantage",
    "fees mobile sms urgent vantage",
)
# Whoever asks for this file gets the one without any of them.
LEFT_OUT = ("", *GROUPS) if everything_is_needed() else ("",)


@pytest.mark.whole
@pytest.mark.parametrize("rooms", LEFT_OUT, ids=lambda rooms: rooms or "all")
@pytest.mark.usefixtures("django_db_setup")
def test_the_whole_line_without(rooms: str) -> None:
    parts = urlsplit(os.environ["DATABASE_URL"])
    # PostgreSQL takes 63 characters: the names of all rooms together are more.
    apart = urlunsplit(parts._replace(path=f"/without_{rooms.replace(' ', '_') or 'all'}"))
    own = {"RAHDARI_WITHOUT": rooms or " ".join(ROOMS), "DATABASE_URL": apart}
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/optional/walk.py", "-q", "-n", "0", "--durations", "5"],
        cwd=ROOT,
        env=os.environ | own | {"DJANGO_SETTINGS_MODULE": "rahdari.settings.test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout + child.stderr


def test_of_any_two_rooms_the_first_is_left_out_beside_the_second() -> None:
    seen = {(out, there) for group in GROUPS for out in group.split() for there in set(ROOMS) - set(group.split())}
    wanted = {(out, there) for out in ROOMS for there in ROOMS if there not in WITH_THEIRS[out].split()}
    assert seen == wanted


@pytest.mark.parametrize("room", ROOMS)
def test_a_policy_that_asks_for_it_is_told_where_and_how_to_mend_it(room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = WITH_THEIRS[room].split()
    without = policies.without(*rooms)
    asking = policies.asking(room)
    policy.read(asking)
    monkeypatch.setenv("RAHDARI_WITHOUT", WITH_THEIRS[room])
    with pytest.raises(policy.PolicyError) as refused:
        policy.read(asking)
    for problem in refused.value.problems:
        assert problem.line > 1, problem
        (named,) = [each for each in rooms if f"take `{each}` out of RAHDARI_WITHOUT" in problem.message]
        assert optional.ROOMS[named] in problem.message
    assert any(f"take `{room}` out" in problem.message for problem in refused.value.problems)
    policy.read(without)


@pytest.mark.parametrize("command", [["django", "check"], ["rahdari", "policy", "check"]], ids=lambda words: words[0])
def test_a_word_that_is_no_room_is_refused_at_start(command: list[str]) -> None:
    child = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "RAHDARI_WITHOUT": "remote mail", "DJANGO_SETTINGS_MODULE": "rahdari.settings.test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode != 0
    said = child.stderr.strip().splitlines()[-1]
    assert "RAHDARI_WITHOUT names mail, which cannot be left out" in said and "remote" in said


@pytest.mark.parametrize(("room", "needed"), optional.NEEDS.items())
def test_what_another_room_needs_goes_with_it_alone(room: str, needed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [each for each, its in optional.NEEDS.items() if its == needed and each != room]
    monkeypatch.setenv("RAHDARI_WITHOUT", " ".join([needed, *others]))
    with pytest.raises(optional.WrongChoice, match=f"{needed}, and {room} cannot do without it. Name {room} too"):
        optional.left_out()
    monkeypatch.setenv("RAHDARI_WITHOUT", " ".join([needed, room, *others]))
    assert optional.left_out() == {needed, room, *others}


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [0, 1])
def test_a_room_that_was_in_use_is_not_left_out(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    room = ROOMS[0]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {room}_sample AS SELECT 1 FROM generate_series(1, {rows})")
    prepare.judge_left_out()
    monkeypatch.setenv("RAHDARI_WITHOUT", room)
    with pytest.raises(prepare.LeftOutHoldsRows, match=f"{room}_sample") if rows else nullcontext():
        prepare.judge_left_out()


def test_each_room_that_can_be_left_out_is_documented_and_known_by_its_traces() -> None:
    table = (ROOT / "docs" / "install.md").read_text().partition("### Leaving rooms out")[2].partition("\n### ")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert documented == set(ROOMS)
    for table in (traces.ON_PAGES, traces.STEPS, traces.IN_CONTRACTS):
        assert table.keys() == set(ROOMS)


def test_what_starts_the_processes_reads_optional_rooms_without_django() -> None:
    """`rahdari demo` puts the settings together before Django reads them."""
    code = (
        "import sys; sys.modules['django'] = None; from rahdari import optional; from rahdari.ops import demo, start; "
        "assert optional.load('rahdari.ops')"
    )
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
