"""StayRTR to an RTR client of our own (RFC 8210: notify, serial query), from a file that is renamed into place."""

import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from bench import place

from . import Peer, Sent, host

NOTIFY, SERIAL_QUERY, RESET_QUERY, IPV4_PREFIX, END_OF_DATA = 0, 1, 2, 4, 7


class Client:
    """RTR version 1: follows the server, holds the prefixes and when each came."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = b""
        self._session = self._serial = 0
        self.came: dict[int, int] = {}
        self.bytes = 0
        self._ask(RESET_QUERY)
        self._until_end()

    def wait_for(self, address: str, patience: float) -> int:
        wanted = int(IPv4Address(address))
        until = time.monotonic() + patience
        while wanted not in self.came:
            kind, session, _ = self._read(until)
            if kind == NOTIFY:
                self._session = session
                self._ask(SERIAL_QUERY)
                self._until_end()
        return self.came[wanted]

    def _until_end(self) -> None:
        until = time.monotonic() + 120
        fresh: list[int] = []
        while True:
            kind, session, body = self._read(until)
            if kind == IPV4_PREFIX and body[0] & 1:
                fresh.append(struct.unpack(">I", body[4:8])[0])
            elif kind == END_OF_DATA:
                self._session, self._serial = session, struct.unpack(">I", body[:4])[0]
                # An RTR client uses what came when its end has come.
                now = time.time_ns()
                self.came.update(dict.fromkeys(fresh, now))
                return

    def _ask(self, kind: int) -> None:
        if kind == RESET_QUERY:
            self._socket.sendall(struct.pack(">BBHI", 1, kind, 0, 8))
        else:
            self._socket.sendall(struct.pack(">BBHII", 1, kind, self._session, 12, self._serial))

    def _read(self, until: float) -> tuple[int, int, bytes]:
        while True:
            if len(self._left) >= 8:
                _, kind, session, length = struct.unpack(">BBHI", self._left[:8])
                if len(self._left) >= length:
                    body, self._left = self._left[8:length], self._left[length:]
                    return kind, session, body
            if time.monotonic() > until:
                raise RuntimeError("the prefix did not arrive")
            if select.select([self._socket], [], [], 1)[0]:
                got = self._socket.recv(1 << 20)
                if not got:
                    raise RuntimeError("StayRTR ended the session")
                self.bytes += len(got)
                self._left += got


class StayRtr:
    name = "StayRTR"
    unfair = (
        "No signatures in RTR. With refresh 1 s it reads the whole file each second; the default is 600 s, so about "
        "300 s on average (computed, not run). The file holds all entries and is written anew for each change."
    )

    def __init__(self, folder: Path, entries: int, client: Client, process: Any, port: int) -> None:
        self._file, self._client, self._process = folder / "rpki.json", client, process
        self._entries, self._port = entries, port
        self._roas = [_roa(number) for number in range(entries)]
        self.setting = f"refresh 1 s, {entries} prefixes in a JSON file"
        self.versions = {"stayrtr": place.package_version("stayrtr")}

    def change(self, number: int) -> Sent:
        self._roas.append(_roa(self._entries + number))
        text = _text(self._roas)
        began = time.time_ns()
        _place(self._file, text)
        return Sent(began, time.time_ns())

    def arrived(self, number: int) -> int:
        return self._client.wait_for(host(self._entries + number), patience=120)

    def connect_again(self) -> Client:
        """A client from nothing to the whole list."""
        return Client(self._port)

    def facts(self) -> dict[str, Any]:
        return {"MiB": [round(place.resident_mib(self._process))], "bytes": self._client.bytes}


@contextmanager
def starting(folder: Path, entries: int, quick: bool) -> Iterator[Peer]:
    place.need_programs({"stayrtr": "stayrtr"}, quick=quick)
    _place(folder / "rpki.json", _text([_roa(number) for number in range(entries)]))
    port, log = place.free_port(), folder / "log"
    command: list[str | Path] = [
        place.program_path("stayrtr") or "stayrtr", "-bind", f"127.0.0.1:{port}", "-cache", folder / "rpki.json",
        "-checktime=false", "-refresh", "1", "-slurm.refresh=false", "-metrics.addr", f"127.0.0.1:{place.free_port()}",
        "-loglevel", "error", "-enforce.version", "-protocol", "1",
    ]  # fmt: skip
    with place.running(command, log=log) as process:
        place.wait_for("StayRTR", lambda: place.answers(port), lives=process, log=log, patience=120)
        client = place.wait_for("the first list", lambda: _connected(port, entries), patience=120)
        yield StayRtr(folder, entries, client, process, port)


def _connected(port: int, entries: int) -> Client | None:
    client = Client(port)
    return client if len(client.came) >= entries else None


def _roa(number: int) -> str:
    return json.dumps({"prefix": f"{host(number)}/32", "maxLength": 32, "asn": "AS64496", "ta": "bench"})


def _text(roas: list[str]) -> str:
    return f'{{"metadata": {{"buildtime": "{time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}"}}, "roas": [' + (
        ",\n".join(roas) + "]}"
    )


def _place(path: Path, text: str) -> None:
    with path.with_suffix(".new").open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.with_suffix(".new").rename(path)
