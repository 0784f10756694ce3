"""Network namespaces of a test's own, and programs that run in them until the test ends."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.needs import needs_namespaces, needs_program

PATIENCE = 60


@dataclass
class Namespace:
    name: str
    ip: str
    cable: str = ""

    def run(self, *command: str, given: str = "") -> str:
        words = [self.ip, "netns", "exec", self.name, *command]
        result = subprocess.run(words, input=given, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def nft(self, *arguments: str, given: str = "") -> str:
        return self.run("nft", *arguments, given=given)

    def elements(self, name: str, table: str = "inet rahdari") -> list[object]:
        said = json.loads(self.nft("-j", "-n", "list", "set", *table.split(), name))
        return next(item["set"] for item in said["nftables"] if "set" in item).get("elem", [])

    def ips(self, *arguments: str, given: str = "") -> str:
        return self.run("ipset", *arguments, given=given)

    @contextmanager
    def running(self, *command: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """A program that stays in the foreground."""
        with log.open("ab") as out:
            words = [self.ip, "netns", "exec", self.name, *command]
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            try:
                yield process
            finally:
                process.terminate()
                process.wait(PATIENCE)


@contextmanager
def a_namespace() -> Iterator[Namespace]:
    needs_namespaces()
    ip = needs_program("ip", "apt-get install iproute2")
    name = f"rahdari-{secrets.token_hex(4)}"
    subprocess.run([ip, "netns", "add", name], check=True)
    try:
        yield Namespace(name, ip)
    finally:
        subprocess.run([ip, "netns", "del", name], check=True)


@contextmanager
def two_joined(first: str, second: str) -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a cable between them, and an address at each end."""
    with a_namespace() as one, a_namespace() as other:
        end = f"rv{secrets.token_hex(3)}"
        subprocess.run(
            [one.ip, "link", "add", end, "netns", one.name, "type", "veth", "peer", "name", end, "netns", other.name],
            check=True,
        )
        for namespace, address in ((one, first), (other, second)):
            namespace.cable = end
            namespace.run(namespace.ip, "address", "add", f"{address}/24", "dev", end)
            namespace.run(namespace.ip, "link", "set", end, "up")
            namespace.run(namespace.ip, "link", "set", "lo", "up")
        yield one, other
