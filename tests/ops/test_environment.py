"""The script that makes private environments, over a lock of nothing and a copy of the checkout."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SHIM = "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n"
OLD = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script, a lock without packages, and one source file."""
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "environment.py", tmp_path / "requirements")
    (tmp_path / "requirements" / "server.txt").write_text("# nothing\n")
    (tmp_path / "src" / "rahdari").mkdir(parents=True)
    (tmp_path / "src" / "rahdari" / "__init__.py").touch()
    return tmp_path


def load(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment_of_test", checkout / "requirements" / "environment.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestPlace:
    def test_leaves_alone_what_somebody_else_has_made(self, checkout: Path) -> None:
        environment = load(checkout)
        assert environment.place("server") == checkout / ".venv"
        (checkout / ".venv").mkdir()
        assert environment.place("server") == checkout / ".venv"
        (checkout / ".venv" / "pyvenv.cfg").touch()
        assert environment.place("server") == checkout / ".venv-rahdari"
        (checkout / ".venv" / environment.OURS).touch()
        assert environment.place("server") == checkout / ".venv"


class TestMake:
    @pytest.mark.whole
    def test_begins_anew_what_was_killed_in_the_middle_and_then_does_nothing(
        self, checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        environment = load(checkout)
        ran: list[list[str]] = []

        def run(command: list[str], *, show: bool = False) -> None:
            # Only what reaches for packages is left out: the environment itself is made for real.
            ran.append(command)
            if "venv" in command:
                subprocess.run(command, check=True, capture_output=True)

        monkeypatch.setattr(environment, "run", run)
        half = checkout / ".venv"
        half.mkdir()
        (half / environment.OURS).touch()
        (half / "left-over").touch()
        python = environment.make("server")
        assert not (half / "left-over").exists()
        assert subprocess.run([python, "-c", ""], check=False).returncode == 0
        assert "--require-hashes" in ran[1] and environment.COMPILE in ran[2] and "--no-index" in ran[3]
        ran.clear()
        environment.make("server")
        assert ran == []
        # A changed source brings the package, and not the environment, up to date; a changed lock brings both.
        newer = (checkout / "src" / "rahdari" / "new.py").absolute()
        newer.touch()
        environment.make("server")
        assert len(ran) == 1
        (checkout / "requirements" / "server.txt").write_text("# changed\n")
        environment.make("server")
        assert len(ran) == 5


class TestLock:
    def test_holds_a_hash_for_every_package_and_no_address(self) -> None:
        for path in sorted((ROOT / "requirements").glob("*.txt")):
            text = path.read_text()
            assert "://" not in text
            assert "--index" not in text
            packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
            assert packages
            assert all("==" in line and line.endswith("\\") for line in packages)

    def test_of_development_holds_what_the_server_holds(self) -> None:
        def pinned(name: str) -> set[str]:
            lines = (ROOT / "requirements" / name).read_text().splitlines()
            return {line.split(" ")[0] for line in lines if "==" in line.split(" ")[0]}

        assert pinned("server.txt") <= pinned("dev.txt")
        assert pinned("agent.txt") <= pinned("server.txt")
        assert not any(line.startswith("django") for line in pinned("agent.txt"))


class TestFindPython:
    def find(self, tmp_path: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in programs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        script = f'. "{ROOT}/requirements/find-python.sh"; echo "$python"'
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        return subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True)

    def test_passes_over_shims_that_fail_and_versions_that_are_too_old(self, tmp_path: Path) -> None:
        working = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
        found = self.find(tmp_path, {"python3.13": SHIM, "python3.12": OLD, "python3.14": working})
        assert found.stdout.strip() == str(tmp_path / "bin" / "python3.14")

    def test_takes_the_one_that_is_named(self, tmp_path: Path) -> None:
        working = tmp_path / "named"
        working.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        working.chmod(0o755)
        script = f'. "{ROOT}/requirements/find-python.sh"; echo "$python"'
        found = subprocess.run(
            ["/bin/sh", "-c", script],
            env={"PATH": os.environ["PATH"], "RAHDARI_PYTHON": str(working)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == str(working)
