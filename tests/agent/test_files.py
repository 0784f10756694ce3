import datetime as dt
from pathlib import Path

import pytest

from rahdari.agent.configuration import FileTarget
from rahdari.agent.files import FileNotWritten, Row, as_csv, as_json, in_order, stands, write
from rahdari.agent.state import Held, Position

GOLDEN = Path(__file__).parent / "golden"
AT = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)
POSITION = Position("", "5e" * 16, 42, "d1" * 32, b"", 4, 7, AT, AT, AT, AT)
TERM = ("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")
ROWS = [
    Row(Held("0c" * 16, "2001:db8::/48", "any", None, *TERM), False),
    Row(Held("0b" * 16, "198.51.100.0/28", "tcp", 443, *TERM), False),
    Row(Held("0a" * 16, "192.0.2.1/32", "udp", 51820, TERM[0], "2026-11-25T09:00:00Z"), True),
    Row(Held("0d" * 16, "192.0.2.10/32", "esp", None, *TERM), False),
]


class TestFormats:
    @pytest.mark.parametrize(("name", "made"), [("entries.json", as_json), ("entries.csv", as_csv)])
    def test_are_byte_for_byte_those_of_the_golden_file(self, name: str, made: object) -> None:
        assert made(POSITION, in_order(ROWS)) == (GOLDEN / name).read_bytes()  # type: ignore[operator]

    def test_of_no_entries_are_whole_files_too(self) -> None:
        assert as_json(POSITION, []).endswith(b'"entries":[]}\n')
        assert as_csv(POSITION, []) == b"prefix,protocol,port,not_before,not_after,id,kept_stale\n"


class TestWrite:
    def test_replaces_the_file_in_one_step_and_leaves_nothing_beside(self, tmp_path: Path) -> None:
        target = FileTarget("csv", "entries.csv", tmp_path / "entries.csv")
        assert stands(target) == ""
        (tmp_path / ".entries.csv.new").write_bytes(b"what a killed agent left")
        write(target, b"one\n")
        with target.path.open("rb") as reading:
            write(target, b"two\n")
            assert reading.read() == b"one\n"
        assert target.path.read_bytes() == b"two\n"
        assert [path.name for path in tmp_path.iterdir()] == ["entries.csv"]
        assert target.path.stat().st_mode & 0o777 == 0o644

    def test_says_where_it_could_not(self, tmp_path: Path) -> None:
        (tmp_path / ".entries.csv.new").symlink_to(tmp_path / "elsewhere")
        for path in (tmp_path / "missing" / "entries.csv", tmp_path / "entries.csv"):
            with pytest.raises(FileNotWritten, match=str(path)):
                write(FileTarget("csv", "entries.csv", path), b"one\n")
        assert not (tmp_path / "elsewhere").exists()
