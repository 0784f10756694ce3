"""A snapshot is loaded the same, whoever counts its digest, and whether or not others help."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from rahdari.agent import folder, hashing, loading
from rahdari.agent.disk import DiskFull
from rahdari.agent.loading import Loaded, load
from rahdari.agent.state import AgentState
from rahdari.feed import (
    EMPTY,
    SNAPSHOT_LIMITS,
    DigestMismatch,
    EditionReader,
    FeedEntry,
    Header,
    Op,
    Operation,
    SetDigest,
)
from rahdari.feed.edition import blocks_of, encode_edition

NOW = dt.datetime(2026, 11, 10, tzinfo=dt.UTC)
TERM = ("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")
# So many that each process has some blocks.
COUNT = 4_000


def entries(*, odd: int | None = None) -> list[FeedEntry]:
    """`odd` has a field of a later version, in front of those that are known or behind them."""
    fields = {n: {"colour": "green"} for n in range(COUNT) if odd is not None and n % 1000 == odd}
    return [
        FeedEntry(f"{n:032x}", f"10.{n >> 8}.{n & 255}.1/32", "udp", 51_820, *TERM, fields.get(n, {}))
        for n in range(COUNT)
    ]


def digest_of(listed: list[FeedEntry]) -> SetDigest:
    digest = SetDigest()
    digest.add_all(entry.canonical for entry in listed)
    return digest


def loaded(path: Path, listed: list[FeedEntry], digest: str) -> Loaded:
    header = Header.snapshot(session="5e" * 16, sequence=1, digest=digest, count=len(listed))
    file = path / "snapshot"
    file.write_bytes(encode_edition(header, [Operation(Op.ADD, entry) for entry in listed]))
    with file.open("rb") as body:
        assert sum(1 for _ in blocks_of(body, SNAPSHOT_LIMITS)) > hashing.SHARES
    folder.create(path / "state")
    with folder.open_state(path / "state") as state, file.open("rb") as body:
        found = load(state, "feed-static", EditionReader(body, SNAPSHOT_LIMITS), body, NOW)
        assert {row.canonical for row in state.rows_of(found.table)} == {entry.canonical for entry in listed}
    return found


@pytest.fixture(params=[1, 2, 4], ids=["one core", "two cores", "four cores"])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(hashing, "WORTH_IT", 1)
    monkeypatch.setattr(hashing.os, "cpu_count", lambda: request.param)
    return int(request.param)


@pytest.mark.usefixtures("cores")
class TestLoad:
    def test_counts_the_digest_of_all(self, tmp_path: Path) -> None:
        listed = entries()
        found = loaded(tmp_path, listed, digest_of(listed).hexdigest())
        assert (found.entries, found.digest) == (COUNT, digest_of(listed))

    def test_counts_what_has_fields_of_a_later_version(self, tmp_path: Path) -> None:
        listed = entries(odd=10)
        assert loaded(tmp_path, listed, digest_of(listed).hexdigest()).digest == digest_of(listed)

    def test_refuses_another_digest(self, tmp_path: Path) -> None:
        with pytest.raises(DigestMismatch):
            loaded(tmp_path, entries(), digest_of(entries(odd=10)).hexdigest())

    def test_does_without_who_cannot_help(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hashing.sys, "executable", shutil.which("false"))
        listed = entries()
        assert loaded(tmp_path, listed, digest_of(listed).hexdigest()).digest == digest_of(listed)

    def test_starts_nobody_where_the_list_cannot_be_begun(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody would wait for who counts beside."""
        started: list[object] = []

        def full(state: AgentState, role: str) -> str:
            raise DiskFull(tmp_path)

        monkeypatch.setattr(loading, "count_beside", lambda *given: started.append(given))
        monkeypatch.setattr(AgentState, "begin_list", full)
        with pytest.raises(DiskFull):
            loaded(tmp_path, entries(), EMPTY)
        assert started == []


class TestShares:
    @pytest.mark.parametrize("shares", [hashing.ONE, hashing.TWO])
    def test_count_no_block_twice(self, shares: tuple[range, ...]) -> None:
        counted = [number for share in shares for number in share]
        assert len(counted) == len(set(counted))
        assert set(counted) <= set(range(hashing.SHARES))
