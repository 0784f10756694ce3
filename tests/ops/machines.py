"""Machines for tests: a network namespace for each, on one bridge, whose processes are killed as when power is lost."""

import http.client
import os
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.needs import needs_namespaces, needs_program
from tests.probe.networks import within


class Machine:
    """`run` starts a program on it; `kill` ends one with all that it started."""

    def __init__(self, namespace: str, address: str, log: Path) -> None:
        self.namespace, self.address, self.log = namespace, address, log
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        words = ["ip", "netns", "exec", self.namespace, *map(str, command)]
        with self.log.open("ab") as log:
            made = subprocess.Popen(
                words, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(made)
        return made

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def inside[T](self, act: Callable[[], T]) -> T:
        """What `act` gives when its connections are opened on this machine."""
        return within(self.namespace, act)


@contextmanager
def machines(folder: Path, addresses: Mapping[str, str]) -> Iterator[dict[str, Machine]]:
    """Each can reach the others, and nothing else."""
    needs_namespaces()
    ip = needs_program("ip", "apt-get install iproute2")
    mark = f"rs{os.getpid()}"
    switch = f"{mark}-switch"

    def say(*words: str) -> None:
        subprocess.run([ip, *words], check=True, capture_output=True)

    made = {name: Machine(f"{mark}-{name}", address, folder / f"{name}.log") for name, address in addresses.items()}
    try:
        say("netns", "add", switch)
        say("-n", switch, "link", "add", "bridge", "type", "bridge")
        say("-n", switch, "link", "set", "bridge", "up")
        for name, machine in made.items():
            say("netns", "add", machine.namespace)
            say(
                "link", "add", "wire", "netns", machine.namespace, "type", "veth", "peer", "name", name, "netns", switch
            )
            say("-n", switch, "link", "set", name, "master", "bridge", "up")
            say("-n", machine.namespace, "addr", "add", f"{machine.address}/24", "dev", "wire")
            for link in ("lo", "wire"):
                say("-n", machine.namespace, "link", "set", link, "up")
        yield made
    finally:
        for machine in made.values():
            for process in machine.processes:
                machine.kill(process)
        for namespace in (switch, *(machine.namespace for machine in made.values())):
            subprocess.run([ip, "netns", "delete", namespace], check=False, capture_output=True)


class NoAnswer(Exception):
    """The connection ended, or whoever stands in front says that nobody answers."""


def ask(
    at: str, authority: Path, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None
) -> tuple[int, bytes]:
    """One request over https, on a connection of its own. Raises NoAnswer."""
    trusted = ssl.create_default_context(cafile=str(authority))
    trusted.check_hostname = False
    connection = http.client.HTTPSConnection(at, 443, context=trusted, timeout=120)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(repr(error)) from None
    finally:
        connection.close()
    if answer.status in (502, 503, 504):
        raise NoAnswer(str(answer.status))
    return answer.status, content
