"""Names, places, and what the signed metadata says."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from tuf.api.metadata import MetaFile, TargetFile, Targets, Timestamp

from rahdari.feed import EMPTY, ROLES, FeedFile, Head, Kind, Malformed, Stamp, UnsupportedFormat, live_files
from rahdari.feed.repository import (
    bulk_path,
    delta_path,
    head_of,
    is_bulk_path,
    kind_of,
    paths_of,
    role_of,
    snapshot_path,
    stamp_of,
)

from .samples import SESSION

ROLE = "feed-static"
RANDOM = "ab" * 16
SHA = "cd" * 32
HEAD = Head(SESSION, 7, EMPTY, 0, "2026-11-10T09:31:07Z")
DELTA = FeedFile(delta_path(ROLE, SESSION, 6, 7, RANDOM), Kind.DELTA, SESSION, 6, 7, EMPTY, SHA, 100)
OLDER = FeedFile(delta_path(ROLE, SESSION, 5, 6, RANDOM), Kind.DELTA, SESSION, 5, 6, EMPTY, SHA, 100)
SNAP = FeedFile(snapshot_path(ROLE, SESSION, 5, RANDOM), Kind.SNAPSHOT, SESSION, None, 5, EMPTY, SHA, 100)


def signed(*files: FeedFile, head: Any = None) -> Targets:
    targets = {
        file.path: TargetFile(file.length, {"sha256": file.sha256}, file.path, {"custom": file.custom()})
        for file in files
    }
    return Targets(
        expires=dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
        targets=targets,
        unrecognized_fields={"head": HEAD.as_json() if head is None else head},
    )


class TestLiveFiles:
    def test_lists_deltas_in_order_and_then_snapshots(self) -> None:
        role = Targets.from_dict(signed(SNAP, DELTA, OLDER).to_dict())
        assert live_files(role, role=ROLE) == [OLDER, DELTA, SNAP]
        assert head_of(role) == HEAD

    def test_leaves_out_kinds_of_a_later_version(self) -> None:
        role = signed(DELTA)
        role.targets[DELTA.path].unrecognized_fields["custom"]["kind"] = "index"
        assert live_files(role, role=ROLE) == []

    @pytest.mark.parametrize(
        ("field", "value"),
        [("session", "00" * 16), ("to", 8), ("from", 5), ("to", "7"), ("digest_after", "x"), ("digest_after", None)],
    )
    def test_refuses_what_does_not_fit_the_name(self, field: str, value: object) -> None:
        role = signed(DELTA)
        role.targets[DELTA.path].unrecognized_fields["custom"][field] = value
        with pytest.raises(Malformed):
            live_files(role, role=ROLE)

    def test_refuses_a_file_of_another_role(self) -> None:
        with pytest.raises(Malformed, match="lists a file of feed-static"):
            live_files(signed(DELTA), role="feed-dynamic")

    def test_refuses_a_file_of_which_nothing_is_said(self) -> None:
        role = signed(DELTA)
        del role.targets[DELTA.path].unrecognized_fields["custom"]
        with pytest.raises(Malformed):
            live_files(role, role=ROLE)

    @pytest.mark.parametrize(
        "path",
        [
            "feed-static/../../etc/passwd",
            "feed-static//x",
            f"feed-static/{SESSION}/delta-6-7-{RANDOM}.jsonl.gz/",
            f"feed/{SESSION}/delta-6-7-{RANDOM}.jsonl.gz",
            f"feed-secret/{SESSION}/delta-6-7-{RANDOM}.jsonl.gz",
        ],
    )
    def test_refuses_every_other_name(self, path: str) -> None:
        with pytest.raises(Malformed):
            FeedFile(path, Kind.DELTA, SESSION, 6, 7, EMPTY, SHA, 100)


class TestFeedFile:
    def test_lies_where_a_consistent_snapshot_wants_it(self) -> None:
        assert DELTA.location == f"feed-static/{SESSION}/{SHA}.delta-6-7-{RANDOM}.jsonl.gz"

    def test_is_within_the_paths_of_its_role(self) -> None:
        from tuf.api.metadata import DelegatedRole

        role = DelegatedRole(ROLE, [], 1, True, paths=[paths_of(ROLE)])
        assert role.is_delegated_path(DELTA.path) and role.is_delegated_path(SNAP.path)
        assert not role.is_delegated_path("other/x/y") and not role.is_delegated_path("feed-static/x")
        assert not role.is_delegated_path(delta_path("feed-dynamic", SESSION, 6, 7, RANDOM))

    def test_knows_its_role(self) -> None:
        assert DELTA.role == ROLE and {role_of(kind_of(role)) for role in ROLES} == set(ROLES)

    @pytest.mark.parametrize(("turn", "word"), [(role_of, "secret"), (kind_of, "feed"), (kind_of, "static")])
    def test_knows_no_other_role(self, turn: Callable[[str], str], word: str) -> None:
        with pytest.raises(Malformed):
            turn(word)

    def test_is_told_from_a_bulk_statement(self) -> None:
        assert is_bulk_path(bulk_path(RANDOM)) and not is_bulk_path(DELTA.path) and not is_bulk_path("bulk/x.json")


class TestHead:
    @pytest.mark.parametrize(
        "change",
        [
            {"session": "x"},
            {"sequence": -1},
            {"sequence": True},
            {"digest": None},
            {"published_at": "now"},
            {"format": 1},
        ],
    )
    def test_is_refused_when_something_is_wrong(self, change: dict[str, Any]) -> None:
        with pytest.raises(Malformed):
            Head.from_json({**HEAD.as_json(), **change})

    def test_is_refused_in_another_major_version(self) -> None:
        with pytest.raises(UnsupportedFormat):
            Head.from_json({**HEAD.as_json(), "format": "2.0"})

    def test_is_refused_when_missing(self) -> None:
        with pytest.raises(Malformed):
            Head.from_json(None)


STAMP: dict[str, Any] = {
    "signed_at": "2026-11-10T09:31:07Z",
    "heads": {role: {"session": SESSION, "sequence": 7, "digest": EMPTY} for role in ROLES},
}


class TestStamp:
    def test_is_read_from_the_signed_timestamp(self) -> None:
        signed = Timestamp(snapshot_meta=MetaFile(1), unrecognized_fields={"feed": STAMP})
        stamp = stamp_of(Timestamp.from_dict(signed.to_dict()))
        assert stamp.as_json() == STAMP and stamp.heads["feed-canary"].sequence == 7
        assert stamp.signed == dt.datetime(2026, 11, 10, 9, 31, 7, tzinfo=dt.UTC)

    def test_leaves_out_roles_of_a_later_version(self) -> None:
        later = {**STAMP, "heads": {**STAMP["heads"], "feed-secret": 5}}
        assert set(Stamp.from_json(later).heads) == set(ROLES)

    @pytest.mark.parametrize(
        "change",
        [
            {"signed_at": "now"},
            {"signed_at": None},
            {"heads": None},
            {"heads": {ROLE: 1}},
            {"heads": {ROLE: {"session": SESSION, "sequence": True, "digest": EMPTY}}},
            {"heads": {ROLE: {"session": SESSION, "sequence": -1, "digest": EMPTY}}},
            {"heads": {ROLE: {"session": "x", "sequence": 1, "digest": EMPTY}}},
            {"heads": {ROLE: {"session": SESSION, "sequence": 1, "digest": None}}},
        ],
    )
    def test_is_refused_when_something_is_wrong(self, change: dict[str, Any]) -> None:
        with pytest.raises(Malformed):
            Stamp.from_json({**STAMP, **change})

    def test_is_refused_when_missing(self) -> None:
        with pytest.raises(Malformed):
            Stamp.from_json(None)
