"""`rahdari agent announce`, as far as it needs no register: its settings, and the units that it writes."""

import subprocess
import sys
from pathlib import Path

import pytest

from rahdari.agent.commands import announce
from rahdari.agent.dyndns_update import SettingsUnusable, read_settings
from tests.needs import needs_program

GOOD = "server = https://register.example\nname = k7m2-94qx\ntoken = aaaaa-bbbbb\n"


def settings(folder: Path, text: str, *, mode: int = 0o600) -> Path:
    file = folder / "announce.conf"
    file.write_text(text)
    file.chmod(mode)
    return file


class TestSettings:
    def test_are_read(self, tmp_path: Path) -> None:
        read = read_settings(settings(tmp_path, f"# from the page\n\n{GOOD}families = 6\n"))
        assert (read.server, read.name, read.families) == ("https://register.example", "k7m2-94qx", (6,))

    @pytest.mark.parametrize(
        ("text", "mode", "says"),
        [
            (GOOD, 0o640, "Others on this machine may read"),
            (GOOD.replace("token", "tokne"), 0o600, "line 3 is not understood"),
            ("name = a\n", 0o600, "does not say server, token"),
            (GOOD.replace("https", "http"), 0o600, "in the clear"),
            (GOOD + "families = 5\n", 0o600, "families is none of"),
        ],
    )
    def test_that_cannot_be_used_say_why(self, tmp_path: Path, text: str, mode: int, says: str) -> None:
        with pytest.raises(SettingsUnusable, match=says):
            read_settings(settings(tmp_path, text, mode=mode))

    def test_that_are_not_there_say_so(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsUnusable, match="cannot be read"):
            read_settings(tmp_path / "none.conf")


def test_its_units_hold_this_installations_paths_and_are_understood_by_systemd(tmp_path: Path) -> None:
    analyze = needs_program("systemd-analyze", "apt-get install systemd")
    assert announce.write_units(tmp_path, tmp_path / "announce.conf") == 0
    service = (tmp_path / "rahdari-announce.service").read_text()
    assert str(Path(sys.prefix) / "bin" / "rahdari") in service and f"announce.conf:{tmp_path}" in service
    files = [str(tmp_path / name) for name in announce.UNITS]
    done = subprocess.run([analyze, "verify", *files], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "rahdari-announce" in line and "not executable" not in line]
    assert ours == [], done.stderr
