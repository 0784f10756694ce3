"""The offline word that lets many entries go."""

from typing import Any

import pytest

from rahdari.feed import BulkStatement, FeedFault, Malformed, UnsupportedFormat
from rahdari.feed.canonical import encode

from .samples import SESSION

STATEMENT = BulkStatement("feed-static", SESSION, 6, 9, 4000, "2026-11-10T09:31:07Z")
HERE: dict[str, Any] = {"role": "feed-static", "session": SESSION, "allowance": 20}


class TestBulkStatement:
    def test_comes_back_from_its_bytes(self) -> None:
        assert BulkStatement.decode(STATEMENT.body) == STATEMENT

    @pytest.mark.parametrize(
        "change",
        [
            {"role": "feed"},
            {"role": None},
            {"session": "x"},
            {"from": -1},
            {"from": 9},
            {"to": True},
            {"removals": "4000"},
            {"stated_at": "now"},
            {"format": None},
        ],
    )
    def test_is_refused_when_something_is_wrong(self, change: dict[str, Any]) -> None:
        with pytest.raises(Malformed):
            BulkStatement.decode(encode({**STATEMENT.as_json(), **change}))

    @pytest.mark.parametrize("data", [b"", b"[]", b"{}", b" " + STATEMENT.body, b"1" * 5000])
    def test_is_refused_when_it_is_none(self, data: bytes) -> None:
        with pytest.raises(FeedFault):
            BulkStatement.decode(data)

    def test_is_refused_in_another_major_version(self) -> None:
        with pytest.raises(UnsupportedFormat):
            BulkStatement.decode(encode({**STATEMENT.as_json(), "format": "2.0"}))


class TestCovers:
    @pytest.mark.parametrize(("start", "end"), [(6, 9), (7, 8), (8, 30), (0, 7)])
    def test_lets_an_update_that_meets_its_editions_take_out_as_many(self, start: int, end: int) -> None:
        assert STATEMENT.covers(from_sequence=start, to_sequence=end, removals=4000, **HERE)
        assert STATEMENT.covers(from_sequence=start, to_sequence=end, removals=4020, **HERE)

    def test_lets_no_more_go_than_it_says(self) -> None:
        assert not STATEMENT.covers(from_sequence=6, to_sequence=9, removals=4021, **HERE)

    @pytest.mark.parametrize(("start", "end"), [(0, 6), (9, 12), (100, 101)])
    def test_says_nothing_of_other_editions(self, start: int, end: int) -> None:
        assert not STATEMENT.covers(from_sequence=start, to_sequence=end, removals=1, **HERE)

    @pytest.mark.parametrize("change", [{"role": "feed-dynamic"}, {"session": "0" * 32}])
    def test_says_nothing_of_another_role_or_session(self, change: dict[str, Any]) -> None:
        assert not STATEMENT.covers(from_sequence=6, to_sequence=9, removals=1, **{**HERE, **change})
