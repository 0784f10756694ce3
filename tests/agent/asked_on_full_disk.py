"""A story in a mount namespace of its own: `unshare --mount python -m tests.agent.asked_on_full_disk FOLDER`.

Something else fills the disk that the state lies on. Prints one JSON object: what was told at each step.
"""

import contextlib
import datetime as dt
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from rahdari.agent import syncing
from rahdari.agent.configuration import Configuration
from rahdari.agent.folder import open_state
from rahdari.agent.metrics_server import Showing
from rahdari.agent.syncing import Agent
from rahdari.cli import main as rahdari
from tests.agent.feeds import Publisher, a_configuration, an_entry, listed, names, now, standing, sync, written

IN_FORCE = "rahdari_agent_in_force_entries "


def main(folder: Path) -> dict[str, object]:
    # What is taken out here is no part of what is asked.
    syncing.REMOVED_SECONDS = 0.0
    publisher = Publisher(folder / "feed")
    publisher.publish(an_entry("192.0.2.1/32"))
    disk, operator = folder / "disk", folder / "operator"
    disk.mkdir()
    operator.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
    (operator / "state").symlink_to(disk)
    said: dict[str, object] = {}
    with standing(publisher.folder) as stand:
        configuration = a_configuration(operator, stand.url, publisher.root_file)
        sync(configuration)
        with open_state(configuration.state) as state:
            agent = Agent(configuration, state)
            agent.sync(now=now())
            filler = fill(disk)
            publisher.publish(an_entry("192.0.2.2/32"))
            said["running"] = told(configuration, agent)
            agent.close()
        said["idle"] = checked(configuration)
        (operator / "entries.json").unlink()
        with open_state(configuration.state) as state:
            agent = Agent(configuration, state)
            said["started"] = told(configuration, agent)
            said["later"] = told(configuration, agent)
            filler.unlink()
            # The one process goes on by itself, and shares its state with who asks.
            said["room"] = told(configuration, agent)
            agent.close()
    return said


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def told(configuration: Configuration, agent: Agent) -> dict[str, object]:
    # Later than when the targets were last looked at, as it is with each sync.
    outcome = agent.sync(now=now() + dt.timedelta(minutes=1))
    with Showing(agent) as showing:
        showing.show(outcome)
        page = showing.page
    code, out = asked(configuration, "status", "--json")
    return {
        "outcome": sorted(set(names(outcome))),
        "status": [code, sorted({fault["name"] for fault in json.loads(out)["faults"]})],
        "metrics": sorted(line.split('"')[1] for line in page.splitlines() if line.startswith("rahdari_agent_fault{")),
        "check": checked(configuration),
        "in_force": int(float(next(line.split()[1] for line in page.splitlines() if line.startswith(IN_FORCE)))),
        "full_told": names(outcome).count("DiskFull"),
        "applied": listed(configuration),
    }


def checked(configuration: Configuration) -> list[int]:
    return [asked(configuration, "check", f"192.0.2.{number}")[0] for number in (1, 2)]


def asked(configuration: Configuration, *words: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = rahdari(["agent", *words, "--config", str(written(replace(configuration)))])
    return code, out.getvalue()


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
