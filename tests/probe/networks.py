"""Two machines and the line between them: network namespaces of the test's own, where real daemons run.

    prober 198.51.100.1, 2001:db8:51::1   ---veth---   server 198.51.100.2, 2001:db8:51::2

The line can lose packets, a share of them each way (nftables `numgen`: this kernel has no netem).
"""

import ipaddress
import itertools
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.needs import needs_namespaces, needs_program

ALLOWED = ("198.51.100.0/24", "2001:db8:51::/64")
SERVER = ipaddress.ip_address("198.51.100.2")
SERVER6 = ipaddress.ip_address("2001:db8:51::2")
_numbers = itertools.count(1)


def within[T](namespace: str, act: Callable[[], T]) -> T:
    """What `act` gives when its connections are opened in this network namespace."""
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with open(f"/run/netns/{namespace}") as file:
                os.setns(file.fileno(), os.CLONE_NEWNET)
            found.append(act())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


@dataclass(frozen=True)
class Line:
    """The two machines by the names of their namespaces."""

    prober: str
    server: str

    def at_prober[T](self, act: Callable[[], T]) -> T:
        """What `act` gives when it runs on the prober's machine."""
        return within(self.prober, act)

    def on_server(self, *command: str | Path) -> list[str]:
        return ["ip", "netns", "exec", self.server, *map(str, command)]

    def run_on_server(self, *command: str | Path, text: str | None = None) -> str:
        return said(self.on_server(*command), text=text)

    def lose(self, percent: int) -> None:
        """Lose this share of packets each way from now on."""
        losing = [
            f"chain {hook} {{ type filter hook {hook} priority 0; numgen random mod 100 < {percent} drop; }}"
            for hook in ("input", "output")
        ]
        rules = "\n".join(["table inet line {", *losing, "}", ""])
        said(["ip", "netns", "exec", self.server, "nft", "-f", "-"], text=rules)


@contextmanager
def a_line() -> Iterator[Line]:
    needs_namespaces()
    needs_program("ip", "apt-get install iproute2")
    needs_program("nft", "apt-get install nftables")
    number = f"{os.getpid()}x{next(_numbers)}"
    line = Line(f"prober-{number}", f"server-{number}")
    try:
        for name in (line.prober, line.server):
            said(["ip", "netns", "add", name])
        said(
            ["ip", "-n", line.prober, "link", "add", "out", "type", "veth", "peer", "name", "in", "netns", line.server]
        )
        for name, device, last in ((line.prober, "out", 1), (line.server, "in", 2)):
            said(["ip", "-n", name, "address", "add", f"198.51.100.{last}/24", "dev", device])
            said(["ip", "-n", name, "address", "add", f"2001:db8:51::{last}/64", "dev", device, "nodad"])
            said(["ip", "-n", name, "link", "set", device, "up"])
            said(["ip", "-n", name, "link", "set", "lo", "up"])
        yield line
    finally:
        for name in (line.prober, line.server):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def said(command: Sequence[str | Path], *, text: str | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def takes_orders(device: str) -> bool:
    """Whether the wireguard-go of this device takes what `wg` says. Its device is there a moment before its socket is,
    and until then `wg` asks the kernel. Not asked by `wg` itself: that deletes a socket which does not listen yet."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(f"/var/run/wireguard/{device}.sock") == 0


@contextmanager
def running(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon for as long as the block runs."""
    with log.open("wb") as file:
        process = subprocess.Popen([str(word) for word in command], stdout=file, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def asleep(process: subprocess.Popen[bytes], seconds: float | None = None) -> Iterator[None]:
    """A slow daemon: it does not run for so long, and then takes up what has come. Without a number one that sleeps
    through the whole block."""
    process.send_signal(signal.SIGSTOP)
    waking = threading.Timer(seconds or 0.0, process.send_signal, [signal.SIGCONT])
    if seconds is not None:
        waking.start()
    try:
        yield
    finally:
        if seconds is None:
            waking.start()
        waking.join()
