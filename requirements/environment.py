"""Makes the private environment of `./rahdari` or `./test`, and starts the command in it. Standard library only.

    python environment.py server PROGRAM ...     .venv, with requirements/server.txt; then `rahdari PROGRAM ...`
    python environment.py dev                    .venv-test, with requirements/dev.txt; then prints its Python

Invariants: only packages of the lock are installed, each by its hash, and the package itself without asking any index;
a stamp is written last, so that whatever was killed in the middle is begun anew; an environment that somebody else has
made under the same name is left alone. When nothing has changed, nothing is done.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
NAMES = {"server": ".venv", "dev": ".venv-test"}
OURS = ".made-by-rahdari"
# What a build reads, besides the sources.
BUILT_FROM = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
LAST_LINES = 25
# What does not compile is a template of a package, and stays as it is.
COMPILE = "import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path('purelib'), quiet=2, workers=0)"
# As pyproject.toml says; older ones read this file, too.
NEEDED = (3, 12)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def environment() -> dict[str, str]:
    """Ours, without what would make pip or Python put things elsewhere."""
    dropped = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_HASHES", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_NO_COLOR": "1"}


def run(command: list[str], *, show: bool = False) -> None:
    """Run to the end in a group of its own; on INT or TERM end the group and go. SystemExit says what went wrong."""
    said: list[str] = []
    with subprocess.Popen(
        command,
        env=environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,
    ) as process:
        try:
            for line in process.stdout or ():
                said.append(line.rstrip())
                if show and (found := re.match(r"Collecting ([\w.-]+)(?:\[[^]]*\])?==([^ ;]+)", line)):
                    say(f"  {found[1]} {found[2]}")
                elif show and line.startswith("Installing collected packages"):
                    say(f"  unpacking {line.count(',') + 1} packages")
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode != 0:
        say("\n".join(said[-LAST_LINES:]))
        raise SystemExit(
            f"\nThis failed (code {process.returncode}): {' '.join(command[:5])} ...\n"
            "The lines above say why. Without a network, or behind one that needs a proxy, set what pip needs "
            "(PIP_INDEX_URL, HTTPS_PROXY) and start again: what was done already is kept."
        )


def place(kind: str) -> Path:
    """Where the environment stands: under its usual name, or beside one that somebody else has made."""
    usual = ROOT / NAMES[kind]
    if not usual.exists() or (usual / OURS).exists() or not any(usual.iterdir()):
        return usual
    return ROOT / f"{NAMES[kind]}-rahdari"


def works(python: Path) -> bool:
    """Whether the environment's Python still runs, and is the version that it was made with."""
    try:
        said = subprocess.run([python, "-I", "-c", "import pip"], capture_output=True, env=environment())
    except OSError:
        return False
    return said.returncode == 0


def wanted_stamp(lock: Path) -> str:
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"{digest} python {sys.version_info[0]}.{sys.version_info[1]}\n"


def newest_source() -> int:
    """When what the package is built from changed last. Compiled catalogues are made by the build itself."""
    times = [(ROOT / name).stat().st_mtime_ns for name in BUILT_FROM if (ROOT / name).exists()]
    for folder, _, files in os.walk(ROOT / "src"):
        if folder.endswith("__pycache__"):
            continue
        times += [os.stat(os.path.join(folder, name)).st_mtime_ns for name in files if not name.endswith(".mo")]
    return max(times)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def make(kind: str) -> Path:
    """Make or complete the environment; give the path of its Python."""
    folder = place(kind)
    lock = ROOT / "requirements" / f"{kind}.txt"
    python = folder / "bin" / "python"
    stamp, built = folder / ".stamp", folder / ".built"
    editable = kind == "dev"
    began = time.monotonic()
    if read(stamp) != wanted_stamp(lock) or not works(python):
        if folder.exists():
            shutil.rmtree(folder)
        say(f"Making a private environment in {folder.name}, with Python {sys.version.split()[0]}. This is done once.")
        folder.mkdir()
        (folder / OURS).touch()
        run([sys.executable, "-I", "-m", "venv", str(folder)])
        say(f"Installing the packages of requirements/{lock.name}:")
        # Compiled on all processors afterwards: pip does it on one.
        pip = [str(python), "-I", "-m", "pip", "install", "--progress-bar", "off", "--no-compile"]
        run([*pip, "--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(lock)], show=True)
        run([str(python), "-I", "-c", COMPILE])
        stamp.write_text(wanted_stamp(lock))
    # Editable: the sources are read where they lie. Else they are copied, so that nobody needs to read the checkout.
    wanted = f"editable {ROOT}" if editable else f"{newest_source()} {ROOT}"
    if read(built) != wanted:
        say("Installing Rahdari itself.")
        built.unlink(missing_ok=True)
        pip = [str(python), "-I", "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation"]
        run([*pip, "--force-reinstall", *(["--editable"] if editable else []), str(ROOT)])
        built.write_text(wanted)
        say(f"Ready after {time.monotonic() - began:.0f} s.")
    return python


@contextmanager
def alone(kind: str) -> Iterator[None]:
    """One at a time: a second call waits for the first."""
    with open(ROOT / f"{NAMES[kind]}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("The environment is just being made by another call. Waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main(arguments: list[str]) -> None:
    if sys.version_info < NEEDED:
        raise SystemExit(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old: "
            f"this needs {NEEDED[0]}.{NEEDED[1]} or newer. "
            "./rahdari and ./test look for one."
        )
    kind, *rest = arguments
    os.umask(0o022)
    # Set by hand, for a shell that starts us in the background has INT ignored.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with alone(kind):
            python = make(kind)
    except OSError as error:
        raise SystemExit(f"The environment cannot be made in {ROOT}: {error}.") from None
    if kind == "dev":
        print(python)
        return
    for number, handler in before.items():
        signal.signal(number, handler)
    os.environ["RAHDARI_CHECKOUT"] = str(ROOT)
    for name in ("PYTHONHOME", "PYTHONPATH"):
        os.environ.pop(name, None)
    os.execv(python, [str(python), "-P", "-m", "rahdari", *rest])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
