"""The systemd unit, as the authority's instructions install it."""

import re
import subprocess
from pathlib import Path

import pytest

from rahdari import cli
from rahdari.agent import faults
from rahdari.agent.commands.unit import unit_for
from rahdari.agent.configuration import DEFAULT_FILE, Configuration, NftTarget, file_target
from rahdari.agent.own_endpoint import DEFAULT_FILE as DEFAULT_MEASURE_FILE
from tests.needs import needs_program

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy" / "rahdari-agent.service"


def a_configuration(**other: object) -> Configuration:
    given: dict[str, object] = {"state": Path("/var/lib/rahdari-agent"), "targets": (NftTarget("rahdari"),), **other}
    return Configuration(
        server="https://feed.example",
        receipt_url="https://feed.example/feed/receipt",
        token_file=Path("/etc/rahdari/token"),
        root=Path("/etc/rahdari/root.json"),
        root_sha256="",
        **given,  # type: ignore[arg-type]
    )


def the_unit(path: Path = DEFAULT_FILE, user: str = "rahdari-agent", **other: object) -> str:
    return unit_for(DEPLOY.read_text(), configuration=a_configuration(**other), path=path, user=user)


def written(folder: Path, text: str) -> Path:
    path = folder / "rahdari-agent.service"
    # Whatever this machine has in place of the program: systemd only looks whether it can be run.
    path.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    return path


class TestUnitOfAHolder:
    """`rahdari agent watch`; tests/ops/test_users.py holds it to what all units are held to."""

    def test_runs_the_command_by_settings_that_it_alone_is_given(self) -> None:
        text = (DEPLOY.parent / "systemd" / "rahdari-agent-watch.service").read_text()
        (line,) = re.findall(r"^ExecStart=/opt/rahdari/bin/rahdari (.*)$", text, re.MULTILINE)
        given = cli.parser_for("agent").parse_args(line.split())
        assert given.act == "watch" and given.config == Path("%d") / DEFAULT_MEASURE_FILE.name
        assert f"LoadCredential={DEFAULT_MEASURE_FILE.name}:{DEFAULT_MEASURE_FILE}\n" in text
        assert "\nDynamicUser=yes\n" in text
        ends = {faults.Exit.USAGE, faults.Exit.UNTRUSTED}
        assert f"RestartPreventExitStatus={' '.join(str(int(each)) for each in sorted(ends))}\n" in text


class TestUnit:
    @pytest.mark.parametrize(
        "text",
        [
            DEPLOY.read_text(),
            the_unit(),
            the_unit(Path("/srv/50% of it/agent.toml"), user="edge", state=Path("/srv/a state")),
            the_unit(targets=(NftTarget("edge", netns="edge"), file_target("csv", "e", Path("/srv/lists/e.csv")))),
        ],
    )
    def test_is_understood_by_systemd(self, tmp_path: Path, text: str) -> None:
        program = needs_program("systemd-analyze", "apt-get install systemd")
        told = subprocess.run([program, "verify", str(written(tmp_path, text))], capture_output=True, text=True)
        assert (told.returncode, told.stdout, told.stderr) == (0, "", "")

    def test_leaves_little_to_whoever_takes_the_agent_over(self, tmp_path: Path) -> None:
        program = needs_program("systemd-analyze", "apt-get install systemd")
        path = written(tmp_path, the_unit())
        told = subprocess.run(
            [program, "security", "--offline=true", "--threshold=20", str(path)], capture_output=True, text=True
        )
        # 2.0 of 10, where 10 is everything.
        assert told.returncode == 0, told.stdout + told.stderr

    def test_lets_a_change_that_is_under_way_come_to_its_end(self) -> None:
        """Else a stop kills `nft` as well, and the log tells of a change that was not taken."""
        assert "\nKillMode=mixed\n" in the_unit()

    def test_gives_no_right_but_the_one_that_nft_needs(self) -> None:
        unit = the_unit()
        assert "AmbientCapabilities=CAP_NET_ADMIN\nCapabilityBoundingSet=CAP_NET_ADMIN\nNoNewPrivileges=yes" in unit
        assert "User=rahdari-agent\nGroup=rahdari-agent\n" in unit
        assert "ReadWritePaths=/srv" not in unit.replace("# ReadWritePaths", "#")

    def test_knows_where_the_configuration_puts_things(self) -> None:
        unit = the_unit(
            Path("/srv/agent.toml"),
            state=Path("/srv/state"),
            metrics_file=Path("/var/lib/node/rahdari.prom"),
            targets=(file_target("json", "e", Path("/srv/lists/e.json")),),
        )
        assert " agent run --config /srv/agent.toml\n" in unit
        assert "nft -f /srv/ruleset.nft" in unit
        assert "StateDirectory=" not in unit
        assert [line for line in unit.splitlines() if line.startswith("ReadWritePaths=")] == [
            "ReadWritePaths=/srv/lists",
            "ReadWritePaths=/srv/state",
            "ReadWritePaths=/var/lib/node",
        ]

    def test_lets_the_agent_into_a_namespace_where_a_target_is_in_one(self) -> None:
        unit = the_unit(targets=(NftTarget("edge", netns="edge"),))
        assert "CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_ADMIN" in unit
        assert [line for line in unit.splitlines() if line.startswith("ExecStartPre=")] == [
            "ExecStartPre=-+ip netns exec edge nft -f /etc/rahdari/ruleset.nft"
        ]
        assert "RestrictNamespaces" not in unit.replace("no RestrictNamespaces", "")
