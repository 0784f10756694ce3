"""A result that somebody else reads: what the kit writes is taken, and whatever else is refused."""

import datetime as dt
import json
from typing import Any

import pytest

from rahdari.difference import commands, judging, result
from rahdari.difference.judging import Judged, Tally
from rahdari.difference.result import ResultRefused

TODAY = dt.date(2026, 11, 30)
FINDINGS: dict[str, dict[str, Any]] = {
    "difference": {"difference_percent": 4.2, "chance": 1e-6, "pairs": 20},
    "no_difference": {"difference_percent": 0.1, "chance": 0.4, "pairs": 20},
    "not_enough": {"difference_percent": None, "chance": None, "pairs": 4},
}


def a_row(finding: str, **more: Any) -> dict[str, Any]:
    facts = {"week": "2026-W47", "protocol": "openvpn", "finding": finding, "networks": 3, "minutes": 90_000}
    return facts | FINDINGS[finding] | more


def read(*rows: Any, **more: Any) -> result.Result:
    return result.read(json.dumps({"rules_version": 1, "weeks": list(rows)} | more).encode(), today=TODAY)


def test_what_the_kit_writes_is_read_as_it_is() -> None:
    tallies = [
        {f"p{pair}": {f"n{n}": Tally(600, lost, 0) for n in range(2)} for pair in range(pairs)}
        for pairs, lost in ((20, 60), (20, 6), (20, 0), (3, 60))
    ]
    written = [commands._row(f"2026-W{40 + at}", "sstp", judging.judge(each)) for at, each in enumerate(tallies)]
    assert tuple(written[0]) == result.COLUMNS
    found = read(*written)
    assert [(each.week, str(each.finding)) for each in found.rows] == [(row["week"], row["finding"]) for row in written]
    assert {str(each.finding) for each in found.rows} == {"difference", "no_difference", "not_enough"}
    assert isinstance(judging.judge(tallies[0]), Judged)
    few = (written[3], json.loads(json.dumps(written[3])), found.rows[3])
    assert [(row["difference_percent"], row["chance"]) for row in few[:2]] == [(None, None)] * 2
    assert (few[2].difference_percent, few[2].chance) == (None, None)


def test_what_the_kit_of_the_release_before_wrote_of_too_few_pairs_was_not_computed() -> None:
    (row,) = read(a_row("not_enough", difference_percent=0.0, chance=1.0)).rows
    assert (row.difference_percent, row.chance) == (None, None)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"operator": "Sample Fibre"}, "never 'operator'"),
        ({"place": "campus-1", "address": "203.0.113.7"}, "never 'address', 'place'"),
        ({"protocol": "AS64500"}, "protocol or finding"),
        ({"finding": "blocked"}, "protocol or finding"),
        ({"week": "2026-W47 AS64500"}, "ISO week"),
        ({"week": "2026-W54"}, "ISO week"),
        ({"week": "2026-W50"}, "has begun"),
        ({"pairs": True}, "pairs"),
        ({"pairs": 20.0}, "pairs"),
        ({"minutes": -1}, "minutes"),
        ({"chance": "0.1"}, "chance"),
        ({"chance": None}, "chance"),
        ({"pairs": 4, "finding": "not_enough"}, "computed of 20 pairs"),
        ({"difference_percent": 101}, "difference_percent"),
        ({"minutes": 10**7}, "does not follow"),
        ({"pairs": 19, "difference_percent": None, "chance": None}, "does not follow"),
        ({"difference_percent": 2.0}, "does not follow"),
        ({"difference_percent": 2.0, "chance": 1e-9}, "does not follow"),
    ],
)
def test_a_row_that_the_kit_would_not_write_is_refused(row: dict[str, Any], why: str) -> None:
    with pytest.raises(ResultRefused, match=why):
        read(a_row("no_difference") | row)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"rules_version": 1, "weeks": []}',
        b'{"rules_version": 2, "weeks": [{}]}',
        b'{"rules_version": 1, "rules_version": 1, "weeks": [{}]}',
        b'{"rules_version": 1, "weeks": [NaN]}',
        json.dumps({"rules_version": 1, "weeks": [a_row("difference")] * 2}).encode(),
        json.dumps({"rules_version": 1, "weeks": [a_row("difference")], "body": "Sample Fibre"}).encode(),
        b" " * (result.MOST_BYTES + 1),
    ],
)
def test_a_file_that_is_no_result_is_refused(content: bytes) -> None:
    with pytest.raises(ResultRefused):
        result.read(content, today=TODAY)
