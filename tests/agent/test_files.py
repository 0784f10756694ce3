import json
from pathlib import Path

import pytest

from rahdari.agent.configuration import FileTarget
from rahdari.agent.files import FileNotWritten, OverCapacity, digest_in_place, render_to
from tests.agent.renderers import HEAD, a_row, in_order


class TestRenderTo:
    def test_replaces_the_file_in_one_step_and_leaves_nothing_beside(self, tmp_path: Path) -> None:
        target = FileTarget("csv", "entries.csv", tmp_path / "entries.csv")
        assert digest_in_place(target) == ""
        (tmp_path / ".entries.csv.new").write_bytes(b"what a killed agent left")
        first = render_to(target, lambda: iter(()), HEAD)
        with target.path.open("rb") as reading:
            second = render_to(target, lambda: iter([a_row("192.0.2.1/32")]), HEAD)
            assert reading.read().count(b"\n") == 1
        assert target.path.read_bytes().count(b"\n") == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == ["entries.csv", "entries.csv.meta.json"]
        assert target.path.stat().st_mode & 0o777 == 0o644
        assert (first.items, second.items) == (0, 1)
        assert digest_in_place(target) == second.sha256 != first.sha256

    def test_says_where_it_could_not(self, tmp_path: Path) -> None:
        (tmp_path / ".entries.csv.new").symlink_to(tmp_path / "elsewhere")
        for path in (tmp_path / "missing" / "entries.csv", tmp_path / "entries.csv"):
            with pytest.raises(FileNotWritten, match=str(path)):
                render_to(FileTarget("csv", "entries.csv", path), lambda: iter(()), HEAD)
        assert not (tmp_path / "elsewhere").exists()

    def test_tells_beside_it_which_edition_it_is_and_what_it_cannot_say(self, tmp_path: Path) -> None:
        rows = in_order([a_row("192.0.2.1/32", "udp", 51820), a_row("192.0.2.1/32", "tcp", 443)])
        for kind, ports, items in (("palo-alto", False, 1), ("csv", True, 2)):
            target = FileTarget(kind, kind, tmp_path / kind)
            rendered = render_to(target, lambda: iter(rows), HEAD)
            meta = json.loads((tmp_path / f"{kind}.meta.json").read_text())
            assert (meta["ports"], meta["items"], meta["sha256"]) == (ports, items, rendered.sha256)
            assert meta["streams"]["feed-static"]["sequence"] == 42
            assert ("any protocol" in meta["note"]) is not ports
            assert "must not be disrupted" in meta["purpose"]

    def test_merges_above_the_capacity_and_then_refuses_and_leaves_the_file(self, tmp_path: Path) -> None:
        rows = [a_row(f"192.0.2.{number}/32") for number in (0, 1, 2, 3, 9)]
        target = FileTarget("palo-alto", "edl", tmp_path / "edl.txt", capacity=5)
        assert not render_to(target, lambda: iter(rows), HEAD).merged
        assert target.path.read_text().splitlines() == [f"192.0.2.{number}" for number in (0, 1, 2, 3, 9)]
        smaller = FileTarget("palo-alto", "edl", tmp_path / "edl.txt", capacity=2)
        rendered = render_to(smaller, lambda: iter(rows), HEAD)
        assert (rendered.merged, rendered.items) == (True, 2)
        assert target.path.read_text() == "192.0.2.0/30\n192.0.2.9\n"
        smallest = FileTarget("palo-alto", "edl", tmp_path / "edl.txt", capacity=1)
        with pytest.raises(OverCapacity) as caught:
            render_to(smallest, lambda: iter(rows), HEAD)
        assert (caught.value.capacity, caught.value.needed) == (1, 2)
        assert target.path.read_text() == "192.0.2.0/30\n192.0.2.9\n"
        entries = FileTarget("csv", "csv", tmp_path / "csv", capacity=4)
        with pytest.raises(OverCapacity) as caught:
            render_to(entries, lambda: iter(rows), HEAD)
        assert caught.value.needed == 5
        assert not entries.path.exists()
