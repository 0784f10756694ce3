"""Knot DNS: a list as a zone, from a primary to a secondary by NOTIFY and IXFR (unsigned)."""

import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import place

from . import Peer, Sent, host

ZONE = "list.example"
CONFIGURATION = """
server:
    rundir: "{folder}"
    listen: [ 127.0.0.1@{port} ]
log:
  - target: "{folder}/log"
    any: info
database:
    storage: "{folder}/db"
control:
    listen: "{folder}/control"
remote:
  - id: other
    address: 127.0.0.1@{other}
acl:
  - id: transfer
    address: 127.0.0.1
    action: {action}
zone:
  - domain: {zone}
    storage: "{folder}"
    file: "zone"
    acl: transfer
    journal-content: changes
    zonefile-sync: -1
    {role}
"""


class Knot:
    name = "Knot DNS"
    unfair = (
        "The zone is not signed and there is no TSIG; knotc's time includes starting three processes; DNS answers all "
        "clients at once."
    )

    def __init__(self, folder: Path, entries: int, port: int, processes: list[Any]) -> None:
        self._control, self._entries, self._processes = folder / "first" / "control", entries, processes
        self._asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._asking.settimeout(1)
        self._asking.connect(("127.0.0.1", port))
        self.setting = f"IXFR + NOTIFY, {entries} A records, knotc begin/set/commit, journal on"
        self.versions = {"knot": place.package_version("knot")}

    def change(self, number: int) -> Sent:
        began = time.time_ns()
        self._knotc("zone-begin", ZONE)
        self._knotc("zone-set", ZONE, f"{_label(self._entries + number)}.{ZONE}.", "3600", "A", "127.0.0.2")
        self._knotc("zone-commit", ZONE)
        return Sent(began, time.time_ns())

    def arrived(self, number: int) -> int:
        question = _question(f"{_label(self._entries + number)}.{ZONE}")
        until = time.monotonic() + 120
        while True:
            self._asking.send(question)
            if struct.unpack(">H", self._asking.recv(512)[6:8])[0]:
                return time.time_ns()
            if time.monotonic() > until:
                raise RuntimeError("the record did not arrive")
            time.sleep(0.001)

    def facts(self) -> dict[str, Any]:
        return {"MiB": [round(place.resident_mib(process)) for process in self._processes]}

    def _knotc(self, *words: str) -> None:
        command = [place.program_path("knotc") or "knotc", "-s", str(self._control), *words]
        subprocess.run(command, check=True, capture_output=True)


@contextmanager
def starting(folder: Path, entries: int, quick: bool) -> Iterator[Peer]:
    place.need_programs({"knotd": "knot"}, quick=quick)
    ports = [place.free_port(), place.free_port()]
    processes = []
    try:
        for at, (name, role, action) in enumerate(
            (("second", "master: other", "notify"), ("first", "notify: other", "transfer"))
        ):
            home = folder / name
            (home / "db").mkdir(parents=True)
            text = CONFIGURATION.format(
                folder=home, port=ports[at], other=ports[1 - at], zone=ZONE, role=role, action=action
            )
            (home / "knot.conf").write_text(text)
            if name == "first":
                _write_zone(home / "zone", entries)
            log = home / "out"
            process = place.start([place.program_path("knotd") or "knotd", "-c", home / "knot.conf"], log=log)
            processes.append(process)
            place.wait_for("knotd", (home / "control").exists, lives=process, log=log)
        peer = Knot(folder, entries, ports[0], processes)
        place.wait_for("the first transfer", lambda: peer.arrived(-1), patience=180)
        yield peer
    finally:
        for process in processes:
            place.stop(process)


def _write_zone(path: Path, entries: int) -> None:
    with path.open("w") as file:
        file.write(f"$ORIGIN {ZONE}.\n$TTL 3600\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n")
        file.writelines(f"{_label(number)} A 127.0.0.2\n" for number in range(entries))
        file.flush()
        os.fsync(file.fileno())


def _label(number: int) -> str:
    return ".".join(reversed(host(number).split(".")))


def _question(name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
