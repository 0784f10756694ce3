"""BIRD to BIRD over eBGP between two namespaces: the unsigned limit of what a pushed list can do."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench import place

from . import Peer, Sent, host

SENDER = """
log "{folder}/sender.log" all;
router id 10.77.0.1;
protocol device {{ }}
protocol static entries {{
  ipv4;
  include "{folder}/entries.conf";
}}
protocol bgp {{
  local 10.77.0.1 as 64496; neighbor 10.77.0.2 as 64497;
  ipv4 {{ import none; export all; }};
}}
"""
RECEIVER = """
log "{folder}/receiver.log" all;
router id 10.77.0.2;
protocol device {{ }}
protocol bgp {{
  local 10.77.0.2 as 64497; neighbor 10.77.0.1 as 64496;
  ipv4 {{ import all; export none; }};
}}
"""


class Control:
    """BIRD's control socket: one command, one answer."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))
        self._answer()

    def ask(self, command: str) -> str:
        self._socket.sendall(command.encode() + b"\n")
        return self._answer()

    def _answer(self) -> str:
        got = b""
        # The last line of an answer has a code of four digits followed by a space.
        while True:
            got += self._socket.recv(65536)
            last = got.rstrip(b"\n").rpartition(b"\n")[2]
            if got.endswith(b"\n") and len(last) >= 5 and last[:4].isdigit() and last[4:5] == b" ":
                return got.decode()

    def close(self) -> None:
        self._socket.close()


class Bird:
    name = "BIRD to BIRD"
    unfair = (
        "No signature, no proof, no persistence, no history; a live TCP session for each operator; the write of the "
        "file is not synced. This is the speed to be honest about."
    )

    def __init__(self, folder: Path, entries: int, sender: Control, receiver: Control, processes: list[Any]) -> None:
        self._folder, self._sender, self._receiver, self._processes = folder, sender, receiver, processes
        self._entries = entries
        self.setting = f"eBGP, {entries} static /32, one route appended and `configure`"
        self.versions = {"bird2": place.package_version("bird2")}

    def change(self, number: int) -> Sent:
        began = time.time_ns()
        with (self._folder / "entries.conf").open("a") as file:
            file.write(f"route {host(self._entries + number)}/32 blackhole;\n")
        said = self._sender.ask("configure")
        if "Reconfigured" not in said and "Reconfiguration in progress" not in said:
            raise RuntimeError(said)
        return Sent(began, time.time_ns())

    def arrived(self, number: int) -> int:
        wanted = host(self._entries + number)
        until = time.monotonic() + 60
        while wanted not in self._receiver.ask(f"show route {wanted}/32"):
            if time.monotonic() > until:
                raise RuntimeError("the route did not arrive")
            time.sleep(0.0005)
        return time.time_ns()

    def facts(self) -> dict[str, Any]:
        return {"MiB": [round(place.resident_mib(process)) for process in self._processes]}


@contextmanager
def starting(folder: Path, entries: int, quick: bool) -> Iterator[Peer]:
    place.need_programs({"bird": "bird2", "ip": "iproute2"}, quick=quick)
    bird = place.program_path("bird")
    assert bird is not None
    with (folder / "entries.conf").open("w") as file:
        file.writelines(f"route {host(number)}/32 blackhole;\n" for number in range(entries))
    (folder / "sender.conf").write_text(SENDER.format(folder=folder))
    (folder / "receiver.conf").write_text(RECEIVER.format(folder=folder))
    with place.two_namespaces("b1", "b2") as names:
        processes, controls = [], []
        try:
            for name, namespace in zip(("sender", "receiver"), names, strict=True):
                control, log = folder / f"{name}.ctl", folder / f"{name}.out"
                files: list[str | Path] = ["-c", folder / f"{name}.conf", "-s", control, "-P", folder / f"{name}.pid"]
                process = place.start([bird, "-f", *files], log=log, namespace=namespace)
                processes.append(process)
                controls.append(place.wait_for("BIRD", partial(_reached, control), lives=process, log=log))

            def all_there() -> bool:
                return f"{entries} of {entries} routes" in controls[1].ask("show route count")

            place.wait_for("the first table", all_there, patience=180, every=0.1)
            yield Bird(folder, entries, controls[0], controls[1], processes)
        finally:
            for control_ in controls:
                control_.close()
            for process in processes:
                place.stop(process)


def _reached(path: Path) -> Control | None:
    try:
        return Control(path)
    except OSError:
        return None
