"""A real operator: added by the administrator, its agent running as root, its nftables sets in a network namespace."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rahdari.feed import TERMS

from .stack import PATIENCE, PROGRAM, Stack, wait_for

SLUG, NAME, NAME_UR = "sample-edge", "Sample Edge", "نمونہ ایج"


@dataclass
class Edge:
    """The operator's router, as far as its firewall goes."""

    namespace: str
    folder: Path
    ip: str
    nft: str

    @property
    def config(self) -> Path:
        return self.folder / "agent.toml"

    def inside(self, *words: str, given: str = "") -> str:
        command = [self.ip, "netns", "exec", self.namespace, *words]
        result = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def held(self, name: str) -> list[object]:
        """The elements of one nftables set, as the kernel lists them."""
        said = json.loads(self.inside(self.nft, "-j", "-n", "list", "set", "inet", "rahdari", name))
        return list(next(item["set"] for item in said["nftables"] if "set" in item).get("elem", []))

    def status(self) -> dict[str, object]:
        words = [*PROGRAM, "agent", "status", "--json", "--config", str(self.config)]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
        return dict(json.loads(said.stdout))


@contextmanager
def at_work(stack: Stack, folder: Path, *, ip: str, nft: str) -> Iterator[Edge]:
    """Added, set up as docs/agent.md says, and following the feed until the end of the block."""
    added = stack.command("operator", "add", SLUG, "--name", NAME, "--name-ur", NAME_UR, "--asn", "AS64500")
    assert added.returncode == 0, added.stderr
    folder.mkdir(parents=True)
    (folder / "welcome.txt").write_text(added.stdout)
    edge = Edge(f"rahdari-{secrets.token_hex(4)}", folder, ip, nft)
    subprocess.run([ip, "netns", "add", edge.namespace], check=True)
    try:
        init = [*PROGRAM, "agent", "init", "--config", edge.config, "--state", folder / "state"]
        init += ["--welcome", folder / "welcome.txt"]
        init += ["--nftables", "--netns", edge.namespace, "--json", folder / "entries.json"]
        init += ["--csv", folder / "entries.csv", "--accept-terms", TERMS]
        done = subprocess.run([str(word) for word in init], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rules = subprocess.run([*PROGRAM, "agent", "ruleset"], capture_output=True, text=True, check=True)
        edge.inside(nft, "-f", "-", given=rules.stdout)
        with (
            open(folder / "log", "wb") as log,
            subprocess.Popen([*PROGRAM, "agent", "run", "--config", str(edge.config)], stdout=log, stderr=log) as agent,
        ):
            try:
                wait_for("the agent's first edition", (folder / "entries.json").exists)
                yield edge
            finally:
                agent.terminate()
                code = agent.wait(timeout=PATIENCE)
        assert code == 0, (folder / "log").read_text()
    finally:
        subprocess.run([ip, "netns", "del", edge.namespace], check=True)
