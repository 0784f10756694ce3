"""Where a benchmark runs: its folders, what it installs, the processes and network namespaces it starts.

All of it goes away with the command, also when the command is killed: a process beside it (`guard`) then ends what it
started and removes its folders and namespaces. What is installed stays in `.data/bench` of the checkout: one virtual
environment for each peer, never that of the product.
"""

import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(os.environ.get("RAHDARI_BENCH_ROOT") or Path(__file__).resolve().parent.parent)
WORK = Path(os.environ.get("RAHDARI_BENCH_WORK") or ROOT / ".data" / "bench")
MARK = "rahdari-bench"


class NotHere(Exception):
    """A peer cannot run now; `.why` says what is missing."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def say(text: str) -> None:
    """Progress, on stderr: stdout is for the table."""
    print(f"[{time.strftime('%H:%M:%SZ', time.gmtime())}] {text}", file=sys.stderr, flush=True)


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


# -- folders -----------------------------------------------------------------------------------------------------


@contextmanager
def temporary(name: str) -> Iterator[Path]:
    """A folder on a real disk that peers' own users may enter; removed at the end."""
    parent = Path(os.environ.get("RAHDARI_BENCH_TMP") or "/var/tmp")
    folder = Path(tempfile.mkdtemp(prefix=f"{MARK}-{name}-", dir=parent))
    folder.chmod(0o755)
    _tell_guard(f"folder {folder}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def watch(pid: int) -> None:
    """A process that another module started in a session of its own ends with us, too."""
    _tell_guard(f"+ {pid}")


def forget(pid: int) -> None:
    _tell_guard(f"- {pid}")


_guard: subprocess.Popen[str] | None = None
_guard_lock = threading.Lock()


def _tell_guard(line: str) -> None:
    global _guard
    with _guard_lock:
        if _guard is None:
            _guard = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__).with_name("guard.py"))],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, text=True, cwd="/",
            )  # fmt: skip
        assert _guard.stdin is not None
        _guard.stdin.write(line + "\n")
        _guard.stdin.flush()


def on_disk(folder: Path) -> str:
    """The kind of file system, so that a result can say whether fsync meant something."""
    found = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def ordinary_user() -> pwd.struct_passwd:
    """Who servers run as that refuse to be root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def give(folder: Path, user: pwd.struct_passwd) -> None:
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid)


# -- what is installed -------------------------------------------------------------------------------------------


def need_programs(programs: Mapping[str, str], *, quick: bool) -> None:
    """Install the Debian packages of the programs that are not here. `--quick` installs nothing. Raises NotHere."""
    missing = sorted({package for program, package in programs.items() if not program_path(program)})
    if not missing:
        return
    if quick:
        raise NotHere(f"{', '.join(missing)} not installed; the full run installs it")
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotHere(f"needs the Debian packages {', '.join(missing)}")
    say(f"installing {', '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_services():
        for command in (
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
            ["apt-get", "update", "-qq"],
        ):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if command[1] == "install" and done.returncode == 0:
                break
        else:
            command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotHere(f"apt-get could not install {', '.join(missing)}: {done.stderr[-300:].strip()}")


@contextmanager
def _no_services() -> Iterator[None]:
    """Packages must not start their daemons: we start our own copies (invoke-rc.d asks this program)."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def program_path(program: str) -> str | None:
    """Also where administrators' programs lie, which are not on everyone's PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def package_version(package: str) -> str:
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def environment_of(name: str, packages: Sequence[str], *, quick: bool) -> Path:
    """A virtual environment of its own for a peer from PyPI; returns its `bin`. Raises NotHere."""
    folder = WORK / f"venv-{name}"
    complete = folder / "complete"
    wanted = "\n".join(packages)
    if complete.exists() and complete.read_text() == wanted:
        return folder / "bin"
    if quick:
        raise NotHere(f"{', '.join(packages)} not installed; the full run installs it")
    say(f"installing {', '.join(packages)} from PyPI")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # As a copy, so that an unprivileged user can run it wherever our own Python lies.
    base = shutil.which("python3.13", path="/usr/bin:/usr/local/bin") or sys.executable
    for command in (
        [base, "-m", "venv", str(folder)],
        [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
        if done.returncode:
            raise NotHere(f"{' '.join(packages)} could not be installed: {done.stderr[-300:].strip()}")
    complete.write_text(wanted)
    return folder / "bin"


def clean_environment() -> dict[str, str]:
    """Without what points a Python at our own packages or a database of ours."""
    ours = ("PYTHON", "DJANGO", "RAHDARI", "DATABASE_URL", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


# -- processes ---------------------------------------------------------------------------------------------------


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    user: pwd.struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    namespace: str = "",
    stdin: int | IO[Any] = subprocess.DEVNULL,
    stdout: int | IO[Any] | None = None,
) -> subprocess.Popen[bytes]:
    """A process in a session of its own; it and all it starts end when we do, however we end."""
    words = [str(word) for word in command]
    if namespace:
        words = ["ip", "netns", "exec", namespace, *words]
    other = user is not None and os.geteuid() == 0 and user.pw_uid != 0
    with log.open("ab") as output:
        process = subprocess.Popen(
            words,
            stdin=stdin,
            stdout=output if stdout is None else stdout,
            stderr=output,
            env={**clean_environment(), **(environment or {})},
            cwd=folder,
            start_new_session=True,
            user=user.pw_uid if user and other else None,
            group=user.pw_gid if user and other else None,
            extra_groups=[] if other else None,
        )
    _tell_guard(f"+ {process.pid}")
    return process


def stop(process: subprocess.Popen[bytes] | None, *, patience: float = 10.0, number: int = signal.SIGTERM) -> None:
    """End it and all it started."""
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _tell_guard(f"- {process.pid}")


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = start(command, **options)
    try:
        yield process
    finally:
        stop(process)


def apart[Returned](work: Callable[..., Returned], *given: Any) -> Returned:
    """Work in a process of its own: Django can be set up for one register only. Raises RuntimeError when it fails."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work_and_tell, args=(sending, work, given))
    process.start()
    sending.close()
    try:
        failed, returned = receiving.recv()
    except EOFError:
        raise RuntimeError("the process that measures ended by itself") from None
    finally:
        if sys.exc_info()[0] is not None:
            process.terminate()
        process.join()
        receiving.close()
    if failed:
        raise RuntimeError(returned)
    done: Returned = returned
    return done


def _work_and_tell(sending: Any, work: Callable[..., Any], given: Sequence[Any]) -> None:
    try:
        sending.send((False, work(*given)))
    except Exception as error:
        traceback.print_exc()
        sending.send((True, f"{type(error).__name__}: {first_line(error)}"))


def end_cleanly_on_signals() -> None:
    """TERM and HUP end a command as an error does: by way of everything that cleans up."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def wait_for[Found](
    what: str,
    look: Callable[[], Found | None],
    *,
    patience: float = 60.0,
    every: float = 0.02,
    lives: subprocess.Popen[bytes] | None = None,
    log: Path | None = None,
) -> Found:
    """Look until there is something; otherwise an error with the end of the log."""
    until = time.monotonic() + patience
    pause = threading.Event()
    while True:
        found = look()
        if found:
            return found
        dead = lives is not None and lives.poll() is not None
        if dead or time.monotonic() > until:
            end = log.read_text(errors="replace")[-2000:] if log and log.exists() else ""
            how = "ended by itself" if dead else f"waited {patience:.0f} s in vain"
            raise RuntimeError(f"{what}: {how}\n{end}")
        pause.wait(every)


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as listening:
        listening.bind((host, 0))
        return int(listening.getsockname()[1])


def answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def resident_mib(process: subprocess.Popen[bytes] | int) -> float:
    """Proportional memory of a process and its descendants: what is shared counts once."""
    first = process if isinstance(process, int) else process.pid
    total, waiting = 0, [first]
    while waiting:
        pid = waiting.pop()
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += [int(word) for word in children.read_text().split()]
    return total / 1024


# -- namespaces --------------------------------------------------------------------------------------------------


@contextmanager
def two_namespaces(first: str, second: str) -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them: 10.77.0.1 and 10.77.0.2. Raises NotHere."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        raise NotHere("network namespaces need root and iproute2")
    names = tuple(f"{MARK}-{os.getpid()}-{name}" for name in (first, second))
    try:
        for name in names:
            _tell_guard(f"namespace {name}")
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", names[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", names[1])
        for at, name in enumerate(names, start=1):
            _ip("-n", name, "address", "add", f"10.77.0.{at}/24", "dev", "cable")
            _ip("-n", name, "link", "set", "cable", "up")
        yield names[0], names[1]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@contextmanager
def namespaces(count: int, name: str) -> Iterator[list[str]]:
    """Empty network namespaces, for sets of nftables. Raises NotHere."""
    if os.geteuid() != 0 or not program_path("ip") or not program_path("nft"):
        raise NotHere("network namespaces with nftables need root, iproute2 and nftables")
    names = [f"{MARK}-{os.getpid()}-{name}{at}" for at in range(count)]
    try:
        for each in names:
            _tell_guard(f"namespace {each}")
            _ip("netns", "add", each)
        yield names
    finally:
        for each in names:
            subprocess.run(["ip", "netns", "delete", each], check=False, capture_output=True)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"ip {' '.join(words)}: {done.stderr.strip()}")


def wait_until_calm(size: int) -> None:
    """Until the machine has done little for three seconds: a register that was started catches up on what came due
    while it slept, such as a snapshot, and that is not what is measured. In a small one that is soon over.

    Says so when the machine never comes to rest, and goes on.
    """
    patience = 900.0 if size > 100_000 else 10.0
    pause, until, calm = threading.Event(), time.monotonic() + patience, 0
    said = False
    while calm < 3:
        if time.monotonic() > until:
            say("the machine does not come to rest; measured all the same")
            return
        before = _jiffies()
        pause.wait(1.0)
        idle, whole = (now - then for now, then in zip(_jiffies(), before, strict=True))
        calm = calm + 1 if idle >= 0.85 * whole else 0
        if not calm and not said:
            say("waiting until the machine has come to rest")
            said = True


def _jiffies() -> tuple[int, int]:
    """Of all cores since the start: idle or waiting for a disk, and altogether."""
    spent = [int(each) for each in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    return spent[3] + spent[4], sum(spent)
