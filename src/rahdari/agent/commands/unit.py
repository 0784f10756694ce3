"""`rahdari agent unit`: the systemd unit, with the paths of this installation and of the configuration in it."""

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from ..configuration import DEFAULT_FILE, DEFAULT_STATE, Configuration, FileTarget, NftTarget, load
from ..faults import Exit
from ..targets_configuration import RULESET
from .acts import Acts, act
from .initialising import DEFAULT_USER

UNIT = "rahdari-agent.service"
PROGRAM = "/opt/rahdari/bin/rahdari"
LOADS = "ExecStartPre=-+"


def add(acts: Acts) -> None:
    unit = act(acts, "unit", "print a systemd unit that runs the agent", print_unit)
    unit.add_argument("--user", default=DEFAULT_USER, metavar="NAME", help=f"runs the agent ({DEFAULT_USER})")


def print_unit(arguments: argparse.Namespace) -> int:
    path: Path = arguments.config.absolute()
    text = files("rahdari.agent").joinpath(UNIT).read_text(encoding="utf-8")
    print(unit_for(text, configuration=load(path), path=path, user=arguments.user), end="")
    return Exit.OK


def unit_for(text: str, *, configuration: Configuration, path: Path, user: str) -> str:
    """The unit, for paths other than the usual ones."""
    program = Path(sys.prefix) / "bin" / "rahdari"
    options = "" if path == DEFAULT_FILE else f" --config {_quoted(path)}"
    text = text.replace(f"{PROGRAM} agent run", f"{_quoted(program)} agent run{options}")
    # The table stands where its target looks for it: a line for each namespace and file.
    tables = [target for target in configuration.targets if isinstance(target, NftTarget)]
    loads = {(one.netns, one.ruleset or path.with_name(RULESET)) for one in tables if one.loads}
    loads |= set() if tables else {("", path.with_name(RULESET))}
    lines = "".join(
        f"{LOADS}{f'ip netns exec {space} ' if space else ''}nft -f {_quoted(file)}\n" for space, file in sorted(loads)
    )
    text = text.replace(f"{LOADS}nft -f {DEFAULT_FILE.with_name(RULESET)}\n", lines)
    text = text.replace(f"User={DEFAULT_USER}\nGroup={DEFAULT_USER}\n", f"User={user}\n" + _group(user))
    written = {target.path.parent for target in configuration.targets if isinstance(target, FileTarget)}
    if configuration.metrics_file is not None:
        written.add(configuration.metrics_file.parent)
    if configuration.state != DEFAULT_STATE:
        text = text.replace("StateDirectory=rahdari-agent\nStateDirectoryMode=0750\n", "")
        written.add(configuration.state)
    outside = sorted(str(folder) for folder in written if not folder.is_relative_to(DEFAULT_STATE))
    if outside:
        lines = "".join(f"ReadWritePaths={_quoted(folder)}\n" for folder in outside)
        text = text.replace("# ReadWritePaths=/srv/rahdari\n", lines)
    if any(getattr(target, "netns", "") for target in configuration.targets):
        text = text.replace("=CAP_NET_ADMIN\n", "=CAP_NET_ADMIN CAP_SYS_ADMIN\n")
        # `ip netns exec` enters the namespace and mounts its /sys.
        for line in ("RestrictNamespaces=yes\n", "SystemCallFilter=~@privileged @resources\n"):
            text = text.replace(line, "")
        text = text.replace("SystemCallFilter=@system-service\n", "SystemCallFilter=@system-service @mount\n")
    return text


def _group(user: str) -> str:
    return f"Group={user}\n" if user == DEFAULT_USER else ""


def _quoted(path: Path | str) -> str:
    """As systemd reads a word: `%` begins a specifier there."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"' if any(sign in text for sign in ' "\\;') else text
