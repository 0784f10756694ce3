"""The run of `bench/lookup`."""

import http.client
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import filling, load, measure, ours, place
from bench.peers import bare, irrd, postgres_lookup

PEERS = ("bare", "irrd", "postgres")
SIZES = (10_000, 100_000, 1_000_000)
IRRD_SIZES = (10_000, 100_000)
# At one size also: IPv6, all and none registered.
MORE_AT = 100_000
QUESTIONS = 20_000
IN_BULK = 10_000
NO_RATE = "1000000000"


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--sizes", metavar="LIST", help=f"entries in the register ({','.join(map(str, SIZES))})")
    parser.add_argument("--peers-only", action="store_true", help="ours is not measured")
    parser.add_argument("--seconds", type=int, help="for each measurement (4)")
    parser.add_argument("--peers", metavar="LIST", help=f"of {','.join(PEERS)}; an empty list for none")
    given = parser.parse_args()
    names = measure.chosen(given.peers, PEERS, what="peer")
    sizes = measure.sizes(given.sizes, SIZES[: 1 if given.quick else 3])
    seconds = given.seconds or (2 if given.quick else 4)
    place.end_cleanly_on_signals()
    # What one operator may ask, in a second and at once, is not what is measured.
    os.environ |= {"RAHDARI_LOOKUP_RATE": NO_RATE, "RAHDARI_LOOKUP_BULK": "1"}
    random.seed(1)
    with measure.reporting(given, "lookup") as result, place.temporary("lookup") as folder:
        rows, unfair, versions = result.rows, result.unfair, result.versions
        result.conditions["file_system"] = place.on_disk(folder)
        if lacking := load.need(quick=given.quick):
            result.skipped["wrk"] = lacking
        payload = b""
        registers = [(size, "hosts") for size in sizes] + ([(MORE_AT, "v6")] if MORE_AT in sizes else [])
        if given.peers_only:
            # It is only asked what its answer looks like, for the bare servers to give the same.
            registers = registers[:1] if "bare" in names else []
        for size, what in registers:
            shares: tuple[float, ...] = (0.5, 0.0, 1.0) if (size, what) == (MORE_AT, "hosts") else (0.5,)
            with result.trying(f"ours, {size} {what}"):
                asked = () if given.peers_only else shares[:1] if given.quick else shares
                found, said = place.apart(_ours, folder, size, what, asked, seconds)
                rows += found
                payload = payload or said
        for name in names:
            if name == "bare":
                with result.trying("bare servers"):
                    rows += _bare(folder, payload, given.quick, seconds)
                    unfair["bare servers"] = "They look nothing up and let everyone in."
            elif name == "irrd":
                for size in measure.sizes(given.sizes, IRRD_SIZES):
                    with result.trying(f"IRRd, {size} entries"):
                        if given.quick:
                            raise place.NotHere("loading it takes longer than --quick may")
                        rows += _irrd(folder / f"irrd-{size}", size, seconds)
                        unfair["IRRd"] = irrd.LOOKUP_UNFAIR
                        versions["irrd"] = irrd.PACKAGES[0].partition("==")[2]
            else:
                for size in sizes:
                    with result.trying(f"PostgreSQL, {size} entries"):
                        rows += _postgres(folder / f"postgres-{size}", size, given.quick, seconds, versions)
                        unfair["PostgreSQL"] = postgres_lookup.UNFAIR


def _addresses(size: int, what: str, share: float, count: int) -> list[str]:
    """So many addresses, this share of them registered."""
    chosen = []
    for _ in range(count):
        number = random.randrange(size) if random.random() < share else size + random.randrange(5_000_000)
        chosen.append(filling.address_of(number, what).partition("/")[0])
    return chosen


# -- ours --------------------------------------------------------------------------------------------------------


def _ours(
    folder: Path, size: int, what: str, shares: Sequence[float], seconds: int
) -> tuple[list[dict[str, Any]], bytes]:
    with filling.register(size, what) as stack:
        return _measured(stack, folder, size, what, shares, seconds)


def _measured(
    stack: Any, folder: Path, size: int, what: str, shares: Sequence[float], seconds: int
) -> tuple[list[dict[str, Any]], bytes]:
    url, rows = f"http://127.0.0.1:{stack.port + 2}", []
    with ours.operators(stack, folder, 1) as ((_, token_file, _),):
        headers = {"Authorization": f"Bearer {token_file.read_text().strip()}"}
        registered = filling.address_of(0, what).partition("/")[0]
        payload = place.wait_for(
            "the lookup process", lambda: _held(stack.port + 2, registered, headers), patience=300, every=0.2
        )
        (process,) = stack.processes("lookup")
        with _updates(what):
            for share in shares:
                place.say(f"ours: {size} entries ({what}), {share:.0%} registered")
                asked = _addresses(size, what, share, QUESTIONS)
                base = {"who": "Rahdari", "entries": size, "what": what, "registered": f"{share:.0%}"}
                singles = [f"/lookup/ip/{address}" for address in asked]
                ways: list[tuple[str, Callable[[], load.Measured], int]] = [
                    (f"GET, {count} connections", _asking(folder, url, singles, headers, seconds, count), 1)
                    for count in ((1, 32) if share == 0.5 else (32,))
                ]
                if share == 0.5:
                    rdap = [f"/rdap/ip/{address}" for address in asked]
                    ways.append(("RDAP, 32 connections", _asking(folder, url, rdap, headers, seconds, 32), 1))
                bodies = [_addresses(size, what, share, IN_BULK) for _ in range(8)]
                for kind, lines in (
                    ("text/plain", ["\t".join(body) for body in bodies]),
                    ("application/json", [json.dumps(body).replace(" ", "") for body in bodies]),
                ):
                    told = {**headers, "Content-Type": kind}
                    ways.append((f"bulk of {IN_BULK}, {kind}", _posting(folder, url, lines, told, seconds), IN_BULK))
                for how, ask, each in ways:
                    before = _processor(process)
                    began = time.monotonic()
                    found = ask()
                    used, span = _processor(process) - before, time.monotonic() - began
                    # Not registered is answered 404; in bulk, within the answer.
                    if found.errors or abs(found.refused - (0 if each > 1 else 1 - share)) > 0.05:
                        raise RuntimeError(f"{how}: {found.errors} errors, {found.refused:.0%} refused")
                    row = {**base, "how": how, "addresses per s": round(found.per_second * each), **found.as_row()}
                    # wrk says a rate over its own time, which is nearly all of the span.
                    row["per core and s"] = round(found.per_second * each * span / max(used, 0.01))
                    rows.append({**row, "memory MiB": round(place.resident_mib(process))})
    return rows, payload


def _held(port: int, address: str, headers: dict[str, str]) -> bytes | None:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", f"/lookup/ip/{address}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
    except OSError:
        return None
    return body if answer.status == 200 else None


def _asking(
    folder: Path, url: str, paths: list[str], headers: dict[str, str], seconds: int, connections: int
) -> Callable[[], load.Measured]:
    return lambda: load.http(folder, url, paths, headers=headers, seconds=seconds, connections=connections)


def _posting(
    folder: Path, url: str, lines: list[str], headers: dict[str, str], seconds: int
) -> Callable[[], load.Measured]:
    return lambda: load.http(folder, url, lines, headers=headers, seconds=seconds, connections=2, post_to="/lookup/ip")


@contextmanager
def _updates(what: str) -> Iterator[None]:
    """One grant a second, published as ever."""
    stop = threading.Event()

    def work() -> None:
        from django.db import connection

        grants = ours.Grants(what=what, asn=filling.FIRST_NETWORK)
        while not stop.wait(1.0):
            grants.one()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _processor(pid: int) -> float:
    """Processor seconds of a process and of those it started."""
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        words = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(words[11]) + int(words[12])
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            waiting += [int(word) for word in children.read_text().split()]
    return total / os.sysconf("SC_CLK_TCK")


# -- peers -------------------------------------------------------------------------------------------------------


def _bare(folder: Path, payload: bytes, quick: bool, seconds: int) -> list[dict[str, Any]]:
    paths = [f"/lookup/ip/{address}" for address in _addresses(10_000, "hosts", 0.5, QUESTIONS)]
    # As long a request as ours.
    headers = {"Authorization": f"Bearer {'x' * 43}"}
    rows = []
    for interface in ("wsgi", "asgi"):
        with bare.granian(folder, payload, interface=interface) as url:
            rows += _bare_rows(f"bare granian ({interface}, 1 worker)", folder, url, paths, headers, seconds)
    with bare.file_server(folder, payload, quick=quick) as url:
        rows += _bare_rows("bare nginx (1 worker)", folder, url, paths, headers, seconds)
    return rows


def _bare_rows(
    who: str, folder: Path, url: str, paths: list[str], headers: dict[str, str], seconds: int
) -> list[dict[str, Any]]:
    rows = []
    for connections in (1, 32):
        place.say(f"{who}, {connections} connections")
        found = load.http(folder, url, paths, headers=headers, seconds=seconds, connections=connections)
        row = {"who": who, "how": f"GET, {connections} connections", "addresses per s": round(found.per_second)}
        rows.append({**row, **found.as_row()})
    return rows


def _irrd(folder: Path, size: int, seconds: int) -> list[dict[str, Any]]:
    folder.mkdir()
    prefixes = [filling.address_of(number) for number in range(size)]
    rows = []
    with irrd.looking_up(folder, prefixes, False) as instance:
        asked = [f"{address}/32" for address in _addresses(size, "hosts", 0.5, QUESTIONS)]
        base = {"who": "IRRd 4.5", "entries": size, "what": "hosts", "registered": "50%"}
        connections = [irrd.Whois(instance.whois) for _ in range(4)]
        for count in (1, 4):
            asking = [(lambda number, one=one: one.origins(asked[number % QUESTIONS])) for one in connections[:count]]
            found = load.by_threads(asking, seconds=seconds)
            rows.append(_peer_row(base, f"whois, {count} connections", found, 1))
        for one in connections:
            one.close()
        paths = [f"/v1/whois/?q=!r{address},o" for address in asked]
        for count in (1, 4):
            url = f"http://127.0.0.1:{instance.http}"
            found = load.http(folder, url, paths, connections=count, seconds=seconds)
            rows.append(_peer_row(base, f"HTTP whois, {count} connections", found, 1))
        rows[-1]["memory MiB"] = round(instance.resident_mib())
    return rows


def _postgres(folder: Path, size: int, quick: bool, seconds: int, versions: dict[str, str]) -> list[dict[str, Any]]:
    folder.mkdir()
    prefixes = [filling.address_of(number) for number in range(size)]
    with postgres_lookup.holding(folder, prefixes, quick=quick) as table:
        versions.update(table.versions)
        place.say(f"PostgreSQL with {size} entries")
        asked = _addresses(size, "hosts", 0.5, QUESTIONS)
        base = {"who": "PostgreSQL 17", "entries": size, "what": "hosts", "registered": "50%"}
        single = load.by_threads([lambda number: table.covers(asked[number % QUESTIONS])], seconds=seconds)
        many = asked[:IN_BULK]
        bulk = load.by_threads([lambda number: table.cover_many(many)], seconds=seconds)
        return [
            _peer_row(base, "SQL, 1 connection", single, 1),
            _peer_row(base, f"SQL, {IN_BULK} in one question", bulk, IN_BULK),
        ]


def _peer_row(base: dict[str, Any], how: str, found: load.Measured, each: int) -> dict[str, Any]:
    return {**base, "how": how, "addresses per s": round(found.per_second * each), **found.as_row()}
