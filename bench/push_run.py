"""See `bench/push`."""

import argparse
import asyncio
import json
import os
import resource
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import place
from bench.measure import conditions, quantiles, report
from rahdari.feed import Access, Credential, CredentialKind, token_digest
from rahdari.feed.access import FILE_NAME, encode_access

OPERATORS = 350
TOKEN = "bench-token-"
SESSION = "5e55105e" * 4
# As large as a signed timestamp with the heads of three roles.
FILLING = "0" * 1400
TICKS = os.sysconf("SC_CLK_TCK")


class Feed:
    """A data folder with the repositories of all operators, and one large file."""

    def __init__(self, data: Path, *, large_mib: int = 256) -> None:
        self.data = data
        self.repositories = [secrets.token_hex(16) for _ in range(OPERATORS)]
        self.version = 0
        large = f"{SESSION}/{'ab' * 32}.snap-1-{'01' * 16}.jsonl.gz"
        self.large = f"targets/feed-static/{large}"
        accesses = [
            Access(
                f"bench-{at}", repository, (Credential(CredentialKind.TOKEN, token_digest(f"{TOKEN}{at}")),), (SESSION,)
            )
            for at, repository in enumerate(self.repositories)
        ]
        for repository in self.repositories:
            self._metadata(repository).mkdir(parents=True)
        (data / FILE_NAME).parent.mkdir()
        (data / FILE_NAME).write_bytes(encode_access(accesses))
        (data / "feed" / self.large).parent.mkdir(parents=True)
        with (data / "feed" / self.large).open("wb") as file:
            for _ in range(large_mib):
                file.write(os.urandom(1024 * 1024))
        self.announce(self.repositories)

    def announce(self, repositories: list[str]) -> None:
        self.version += 1
        signed = {"_type": "timestamp", "version": self.version, "filling": FILLING}
        content = json.dumps({"signatures": [], "signed": signed}).encode()
        for repository in repositories:
            draft = self._metadata(repository) / ".draft"
            draft.write_bytes(content)
            draft.replace(draft.with_name("timestamp.json"))

    def _metadata(self, repository: str) -> Path:
        return self.data / "feed" / "repositories" / repository / "metadata"


class Reader(asyncio.Protocol):
    """One connection that waits for events. `heard` has the moment at which each version came."""

    def __init__(self, readers: "Readers", operator: int) -> None:
        self.readers, self.operator = readers, operator
        self.rest = b""

    def connection_made(self, transport: Any) -> None:
        request = f"GET /feed/events HTTP/1.1\r\nHost: feed\r\nAuthorization: Bearer {TOKEN}{self.operator}\r\n\r\n"
        transport.write(request.encode())

    def data_received(self, data: bytes) -> None:
        self.rest = (self.rest + data)[-4096:]
        # The data of an event is its last line; its end has come when the empty line has.
        at = self.rest.rfind(b"id: ")
        if at >= 0 and b"\n\n" in self.rest[at:]:
            version = int(self.rest[at + 4 : self.rest.index(b"\n", at)])
            self.rest = b""
            self.readers.hear(version)


class Readers:
    def __init__(self) -> None:
        self.expected, self.version = 0, 0
        self.heard: list[float] = []
        self.all_heard = asyncio.Event()

    def expect(self, version: int, count: int) -> None:
        self.version, self.expected, self.heard = version, count, []
        self.all_heard.clear()

    def hear(self, version: int) -> None:
        if version == self.version:
            self.heard.append(time.perf_counter())
            if len(self.heard) == self.expected:
                self.all_heard.set()


@contextmanager
def pushing(data: Path) -> Iterator[tuple[int, int]]:
    """The port, and the process that serves."""
    port, log = place.free_port(), data / "push.log"
    command = [sys.executable, "-P", "-m", "rahdari", "push", "--data", str(data), "--port", str(port)]
    with place.running(command, log=log) as process:
        place.wait_for("push", lambda: place.answers(port), lives=process, log=log)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield port, int(children[-1])


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def spent(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def streams(feed: Feed, port: int, pid: int, count: int, rounds: int, *, quiet: float) -> list[dict[str, Any]]:
    loop, readers = asyncio.get_running_loop(), Readers()
    feed.announce(feed.repositories)
    before = resident(pid)
    readers.expect(feed.version, count)
    transports = []
    for at in range(count):
        operator = at % OPERATORS
        transport, _ = await loop.create_connection(
            lambda operator=operator: Reader(readers, operator), "127.0.0.1", port
        )
        transports.append(transport)
    await asyncio.wait_for(readers.all_heard.wait(), 60)
    memory = resident(pid) - before
    delays: list[float] = []
    cpu = spent(pid)
    for _ in range(rounds):
        readers.expect(feed.version + 1, count)
        started = time.perf_counter()
        # In a thread: the client's loop takes events meanwhile.
        await asyncio.to_thread(feed.announce, feed.repositories)
        await asyncio.wait_for(readers.all_heard.wait(), 60)
        delays += [moment - started for moment in readers.heard]
        await asyncio.sleep(0.05)
    each = (spent(pid) - cpu) / len(delays)
    chosen = (count - 1) % OPERATORS
    one = len(range(chosen, count, OPERATORS))
    single: list[float] = []
    for _ in range(rounds):
        readers.expect(feed.version + 1, one)
        started = time.perf_counter()
        feed.announce([feed.repositories[chosen]])
        await asyncio.wait_for(readers.all_heard.wait(), 60)
        single += [moment - started for moment in readers.heard]
        await asyncio.sleep(0.01)
    began, cpu = time.perf_counter(), spent(pid)
    await asyncio.sleep(quiet)
    idle = (spent(pid) - cpu) / (time.perf_counter() - began)
    for transport in transports:
        transport.close()
    shared = {"readers": count, "KB each": round(memory / count / 1024, 1), "idle CPU %": round(idle * 100, 2)}
    return [
        {
            "what": "told one by one (350 operators)",
            **shared,
            **quantiles(delays),
            "CPU us each": round(each * 1e6),
        },
        {"what": "told of one operator's", **shared, **quantiles(single)},
    ]


async def polls(feed: Feed, port: int, count: int, rounds: int) -> dict[str, Any]:
    async def wait(operator: int, after: int) -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET /feed/poll?after={after}&wait=50 HTTP/1.1\r\nHost: feed\r\nConnection: close\r\n"
        writer.write(f"{request}Authorization: Bearer {TOKEN}{operator}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        moment = time.perf_counter()
        writer.close()
        return moment

    delays: list[float] = []
    for _ in range(rounds):
        waiting = [asyncio.create_task(wait(at % OPERATORS, feed.version)) for at in range(count)]
        await asyncio.sleep(0.5)
        started = time.perf_counter()
        await asyncio.to_thread(feed.announce, feed.repositories)
        delays += [moment - started for moment in await asyncio.gather(*waiting)]
    return {"what": "long polls, told one by one", "readers": count, **quantiles(delays)}


async def files(port: int, seconds: float, path: str, connections: int = 16) -> dict[str, Any]:
    """Small files over connections that are kept."""
    done, ends = 0, time.perf_counter() + seconds

    async def ask(operator: int) -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET {path} HTTP/1.1\r\nHost: feed\r\nAuthorization: Bearer {TOKEN}{operator}\r\n\r\n".encode()
        while time.perf_counter() < ends:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            done += 1
        writer.close()

    await asyncio.gather(*(ask(at) for at in range(connections)))
    return {"what": "GET timestamp.json", "readers": connections, "requests/s": round(done / seconds)}


async def large(feed: Feed, port: int, count: int) -> dict[str, Any]:
    """256 MB to several at once, while one other asks for a small file again and again."""
    delays: list[float] = []

    async def fetch(operator: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        request = f"GET /feed/{feed.large} HTTP/1.1\r\nHost: feed\r\nConnection: close\r\n"
        writer.write(f"{request}Authorization: Bearer {TOKEN}{operator}\r\n\r\n".encode())
        received = 0
        while piece := await reader.read(1 << 20):
            received += len(piece)
        writer.close()
        return received

    async def beside() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET /feed/poll?after=0 HTTP/1.1\r\nHost: feed\r\nAuthorization: Bearer {TOKEN}0\r\n\r\n".encode()
        while True:
            started = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            delays.append(time.perf_counter() - started)
            await asyncio.sleep(0.005)

    other = asyncio.create_task(beside())
    started = time.perf_counter()
    received = sum(await asyncio.gather(*(fetch(at) for at in range(count))))
    seconds = time.perf_counter() - started
    other.cancel()
    rate = round(received / seconds / 1e6)
    return {"what": "256 MB to each; a poll beside it", "readers": count, "MB/s": rate, **quantiles(delays)}


async def measured(feed: Feed, port: int, pid: int, quick: bool) -> list[dict[str, Any]]:
    rounds, quiet = (5, 2.0) if quick else (40, 10.0)
    rows: list[dict[str, Any]] = []
    for count in (1, 350, 2000):
        place.say(f"{count} streams")
        rows += await streams(feed, port, pid, count, rounds, quiet=quiet)
    place.say("long polls")
    rows.append(await polls(feed, port, 300, 2 if quick else 10))
    place.say("files")
    rows.append(await files(port, 2.0 if quick else 10.0, "/feed/metadata/timestamp.json"))
    rows.append(await large(feed, port, 4 if quick else 16))
    return rows


def main(given: argparse.Namespace) -> None:
    about = conditions()
    place.end_cleanly_on_signals()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with place.temporary("push") as folder:
        feed = Feed(folder)
        with pushing(folder) as (port, pid):
            rows = asyncio.run(measured(feed, port, pid, given.quick))
    report(rows, given=given, about=about, experiment="push")
