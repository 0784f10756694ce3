"""Running the programs that a device is changed with, and turning what they say into what a person can act on."""

import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence

from .faults import AgentFault, Exit

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
PATIENCE_SECONDS = 120


class ProgramMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, program: str, install: str = "") -> None:
        mend = f"Install it: apt-get install {install}" if install else "Install it, or name it in the configuration."
        super().__init__(f"The program {program} is not on this machine.", mend)


class NotPermitted(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, program: str, said: str) -> None:
        super().__init__(
            f"{program} may not do what it must ({said}).",
            "Give the agent the right that docs/devices names for this device (CAP_NET_ADMIN for nft and ipset, as in "
            'deploy/rahdari-agent.service), or set run_as = ["sudo", "-n"] and allow this program alone in sudoers.',
        )


class NamespaceMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, netns: str) -> None:
        super().__init__(f"There is no network namespace {netns}.", "Make it, or mend `netns` of this target.")


class DeviceRefused(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, program: str, said: str) -> None:
        super().__init__(
            f"{program} did not take the change: {said}.",
            "Compare what is on the device with the page for it in docs/devices.",
        )
        self.output = said


class NotReadBack(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, where: str) -> None:
        super().__init__(
            f"What stands in {where} is not what was put there.",
            "Something else changes it: let the agent alone write there.",
        )


class Program:
    """A program, the words before it, and the network namespace in which it runs."""

    def __init__(self, words: Sequence[str], *, install: str, netns: str = "", run_as: Sequence[str] = ()) -> None:
        self.name = os.path.basename(words[0])
        self._words, self._install, self._netns, self._run_as = tuple(words), install, netns, tuple(run_as)
        self._command: list[str] | None = None
        # The last ones that ran, by number.
        self.processes: deque[int] = deque(maxlen=64)

    def run(self, *arguments: str, given: str = "") -> str:
        """What it printed. Raises ProgramMissing, NotPermitted, NamespaceMissing, DeviceRefused."""
        try:
            with subprocess.Popen(
                [*self._start(), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=_environment(),
            ) as process:
                self.processes.append(process.pid)
                try:
                    out, errors = process.communicate(given, timeout=PATIENCE_SECONDS)
                except BaseException:
                    process.kill()
                    raise
        except FileNotFoundError as error:
            raise ProgramMissing(str(error.filename), self._install) from None
        except PermissionError as error:
            raise NotPermitted(self.name, str(error.strerror)) from None
        except subprocess.TimeoutExpired:
            raise DeviceRefused(self.name, f"no answer within {PATIENCE_SECONDS} seconds") from None
        if process.returncode != 0:
            raise self._fault(errors or out, process.returncode)
        return out

    def lines(self, *arguments: str) -> Iterator[str]:
        """What it prints, line by line as it comes. Raises as `run` does, at the latest after the last line."""
        with tempfile.TemporaryFile("w+") as errors:
            try:
                process = subprocess.Popen(
                    [*self._start(), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    env=_environment(),
                )
            except FileNotFoundError as error:
                raise ProgramMissing(str(error.filename), self._install) from None
            with process:
                try:
                    yield from process.stdout or ()
                finally:
                    if process.poll() is None:
                        process.terminate()
            if process.returncode != 0:
                errors.seek(0)
                raise self._fault(errors.read(), process.returncode)

    def _start(self) -> list[str]:
        if self._command is None:
            inside = ["ip", "netns", "exec", self._netns] if self._netns else []
            words = [*self._run_as, *inside, *self._words]
            for program in {words[0], self._words[0]}:
                if shutil.which(program, path=search_path()) is None:
                    raise ProgramMissing(program, self._install)
            words[0] = str(shutil.which(words[0], path=search_path()))
            self._command = words
        return self._command

    def _fault(self, said: str, code: int) -> AgentFault:
        unsaid = f"it was ended by signal {-code}" if code < 0 else "no reason was given"
        first = next((line.strip() for line in said.splitlines() if line.strip()), unsaid)
        if "Cannot open network namespace" in said:
            return NamespaceMissing(self._netns)
        refusals = ("Operation not permitted", "you must be root", "password", "not allowed", "Permission denied")
        if any(words in said for words in refusals):
            return NotPermitted(self.name, first)
        if "command not found" in said or ("exec of" in said and "failed" in said):
            return ProgramMissing(self.name, self._install)
        fault = DeviceRefused(self.name, first.rstrip("."))
        fault.output = said
        return fault


def search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN])


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "PATH": search_path()}
