"""A story in a mount namespace of its own: `unshare --mount python -m tests.agent.on_full_disk FOLDER`.

The state lies on a disk of 400 KB. Prints one JSON object: what happened at each step.
"""

import json
import subprocess
import sys
from pathlib import Path

from rahdari.agent.configuration import FileTarget
from rahdari.agent.folder import open_state
from rahdari.feed import ROLES
from tests.agent.feeds import Publisher, a_configuration, an_entry, listed, names, standing, sync


def main(folder: Path) -> dict[str, object]:
    publisher = Publisher(folder / "feed")
    publisher.publish(an_entry("192.0.2.1/32"))
    small, operator = folder / "small", folder / "operator"
    small.mkdir()
    operator.mkdir()
    for disk, size in ((small, "700k"), (operator, "100k")):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True)
    (operator / "state").symlink_to(small)
    said: dict[str, object] = {}
    with standing(publisher.folder) as stand:
        configuration = a_configuration(
            operator,
            stand.url,
            publisher.root_file,
            targets=(FileTarget("json", "entries.json", operator / "entries.json"),),
        )
        said["first"] = [names(sync(configuration)), listed(configuration)]
        many = [an_entry(f"10.0.{a}.{b}/32") for a in range(16) for b in range(250)]
        publisher.publish(*many)
        full = sync(configuration)
        said["full"] = [int(full.exit), names(full)[0], str(full.faults[0]), listed(configuration)]
        with open_state(configuration.state) as state:
            position = state.position(ROLES[0])
            said["held"] = [position.sequence if position else None, state.count()]
        publisher.publish(remove=many[:3990])
        subprocess.run(["mount", "-o", "remount,size=16m", str(small)], check=True)
        again = sync(configuration)
        said["again"] = [int(again.exit), names(again), len(listed(configuration))]
        filler = operator / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass
        publisher.publish(*many[:200])
        unwritten = sync(configuration)
        said["unwritten"] = [int(unwritten.exit), names(unwritten), len(listed(configuration))]
        filler.unlink()
        said["last"] = [names(sync(configuration)), len(listed(configuration))]
    return said


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
