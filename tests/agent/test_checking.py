"""The program that operators are given to check the feed without our software."""

import os
import subprocess
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration
from tests.agent.feeds import Publisher, Stand, an_entry
from tests.needs import missing, needs_program

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "deploy" / "check" / "check-feed.js"
MODULES = ROOT / "tests" / "matrix" / "second_tuf" / "node_modules"


def check(publisher: Publisher, stand: Stand, configuration: Configuration) -> "subprocess.CompletedProcess[str]":
    node = needs_program("node", "apt-get install nodejs npm")
    if not (MODULES / "tuf-js").is_dir():
        missing("tuf-js is not there; to run this test: npm ci --ignore-scripts --prefix tests/matrix/second_tuf")
    command = [node, str(PROGRAM), stand.url, str(publisher.root_file), str(configuration.token_file)]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        command, capture_output=True, text=True, env={**environment, "NODE_PATH": str(MODULES)}, timeout=60
    )


class TestCheckFeed:
    def test_counts_the_same_digests_as_the_agent(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        first, second = an_entry("192.0.2.1/32", "udp", 51820), an_entry("2001:db8::/48", later="a field not known")
        publisher.publish(first, second)
        publisher.publish(an_entry("192.0.2.2/32"), remove=[first], snapshot=False)
        publisher.publish(an_entry("198.51.100.0/24", id=second.id), snapshot=False)
        publisher.publish(an_entry("192.0.2.9/32"), kind="canary")
        said = check(publisher, stand, configuration)
        assert (said.returncode, said.stderr) == (0, "")
        assert f"feed-static    edition 3, 2 entries, digest {publisher.digest()}\n" in said.stdout
        assert f"feed-canary    edition 1, 1 entries, digest {publisher.digest('canary')}\n" in said.stdout

    def test_says_so_when_the_entries_are_not_what_was_signed(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        publisher.sign(head=publisher.head(digest="1" * 64))
        said = check(publisher, stand, configuration)
        assert said.returncode == 1
        assert "NOT AS SIGNED" in said.stdout

    @pytest.mark.parametrize("what", ["another root", "another token"])
    def test_refuses_what_is_not_ours(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration, what: str
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        if what == "another root":
            publisher = Publisher(tmp_path / "other")
        else:
            stand.token = "another"
        said = check(publisher, stand, configuration)
        assert said.returncode == 1
        assert "edition" not in said.stdout
