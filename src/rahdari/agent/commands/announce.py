"""`rahdari agent announce`: report the address of this line to the register, for a holder whose address changes."""

import argparse
import sys
import time
from importlib.resources import files
from pathlib import Path

from ..dyndns_update import DEFAULT_FILE, Announcer, read_settings
from ..faults import AgentFault, Exit
from .acts import Acts, act, now, print_fault

UNITS = ("rahdari-announce.service", "rahdari-announce.timer")
PROGRAM = "/opt/rahdari/bin/rahdari"
EVERY = 300.0


def add(acts: Acts) -> None:
    announce = act(acts, "announce", "report the changing address of this line to the register", run, file=DEFAULT_FILE)
    announce.add_argument("--once", action="store_true", help="report once and end; the exit code says how it went")
    announce.add_argument(
        "--every", type=float, default=EVERY, metavar="SECONDS", help="without --once: look again after so long (300)"
    )
    announce.add_argument("--units", type=Path, metavar="DIR", help="write a systemd service and timer there, and end")


def run(arguments: argparse.Namespace) -> int:
    if arguments.units is not None:
        return write_units(arguments.units, arguments.config)
    announcer = Announcer(read_settings(arguments.config))
    if arguments.once:
        _announce(announcer)
        return Exit.OK
    while True:
        try:
            _announce(announcer)
        except AgentFault as fault:
            if fault.exit in {Exit.USAGE, Exit.UNTRUSTED}:
                raise
            print_fault(fault)
        time.sleep(max(arguments.every, 30.0))


def _announce(announcer: Announcer) -> None:
    for each in announcer.announce(now()):
        print(f"{each.word} {each.address}", flush=True)


def write_units(folder: Path, config: Path) -> int:
    """A service that reports once, and a timer that starts it: nothing runs in between."""
    program = Path(sys.prefix) / "bin" / "rahdari"
    for name in UNITS:
        text = files("rahdari.agent").joinpath(name).read_text(encoding="utf-8")
        text = text.replace(PROGRAM, str(program)).replace(str(DEFAULT_FILE), str(config.absolute()))
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)
    print("Next: systemctl daemon-reload && systemctl enable --now rahdari-announce.timer")
    return Exit.OK
