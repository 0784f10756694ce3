"""Asking a server as fast as it answers: HTTP by wrk (or without it by Python), with questions that differ."""

import http.client as http_client
import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import measure, place

# Requests are made before the clock starts; each thread begins elsewhere in them.
SCRIPT = """
local method, headers, file = "%(method)s", {%(headers)s}, "%(file)s"
local made, at = {}, 0
local counter = 0
function setup(thread) thread:set("begin", counter * 7919); counter = counter + 1 end
function init(args)
  for line in io.lines(file) do
    if method == "GET" then made[#made + 1] = wrk.format("GET", line, headers)
    else made[#made + 1] = wrk.format("POST", "%(path)s", headers, (line:gsub("\\t", "\\n"))) end
  end
  at = begin %% #made
end
function request() at = at + 1; if at > #made then at = 1 end; return made[at] end
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format('{"requests":%%d,"micros":%%d,"errors":%%d,"refused":%%d,"p50":%%f,"p99":%%f}',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout, e.status,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Measured:
    """`refused` is the share of answers with a status of 400 and more: also "not registered" is one."""

    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    refused: float = 0.0

    def as_row(self) -> dict[str, Any]:
        row = {"per s": round(self.per_second), "p50 ms": self.p50_ms, "p99 ms": self.p99_ms}
        return {**row, "errors": self.errors} if self.errors else row


WITHOUT_WRK = "Python asked instead, which takes more of the processor than wrk: what is measured is a lower bound"


def need(*, quick: bool) -> str:
    """Install wrk where that is allowed. Returns what a result has to say where it is not here, or nothing."""
    try:
        place.need_programs({"wrk": "wrk"}, quick=quick)
    except place.NotHere as why:
        return f"{why.why}; {WITHOUT_WRK}"
    return ""


def http(
    folder: Path,
    url: str,
    lines: Sequence[str],
    *,
    connections: int = 32,
    seconds: float = 4,
    headers: Mapping[str, str] | None = None,
    post_to: str = "",
) -> Measured:
    """Paths to GET or, with `post_to`, bodies to POST there (a tab in them stands for the end of a line)."""
    if not place.program_path("wrk"):
        return _by_python(url, lines, connections, seconds, dict(headers or {}), post_to)
    file, script = folder / "questions", folder / "script.lua"
    file.write_text("\n".join(lines) + "\n")
    written = ", ".join(f'["{name}"] = "{value}"' for name, value in (headers or {}).items())
    given = {"method": "POST" if post_to else "GET", "headers": written, "file": file, "path": post_to}
    script.write_text(SCRIPT % given)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "20s", "-s", str(script), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = next((line for line in done.stdout.splitlines() if line.startswith("{")), "")
    if done.returncode or not told:
        raise RuntimeError(f"wrk: {done.stdout[-500:]}{done.stderr[-500:]}")
    said = json.loads(told)
    return Measured(
        said["requests"] / (said["micros"] / 1e6), round(said["p50"] / 1000, 3), round(said["p99"] / 1000, 3),
        said["errors"], said["refused"] / max(said["requests"], 1),
    )  # fmt: skip


def _by_python(
    url: str, lines: Sequence[str], connections: int, seconds: float, headers: dict[str, str], post_to: str
) -> Measured:
    """As wrk asks, by threads of our own, each with a connection that stays open."""
    place_of = urlsplit(url)
    asked, errors, refused = Counter[int](), Counter[int](), Counter[int]()

    def one(at: int, connection: http_client.HTTPConnection) -> Callable[[int], object]:

        def ask(number: int) -> None:
            line = lines[number % len(lines)]
            asked[at] += 1
            try:
                if post_to:
                    connection.request("POST", post_to, line.replace("\t", "\n").encode(), headers)
                else:
                    connection.request("GET", line, headers=headers)
                answer = connection.getresponse()
                answer.read()
                refused[at] += answer.status >= 400
            except (OSError, http_client.HTTPException):
                connection.close()
                errors[at] += 1

        return ask

    with ExitStack() as stack:
        asking = []
        for at in range(connections):
            connection = http_client.HTTPConnection(str(place_of.hostname), place_of.port, timeout=20)
            stack.callback(connection.close)
            asking.append(one(at, connection))
        found = by_threads(asking, seconds=seconds)
    return replace(found, errors=errors.total(), refused=refused.total() / asked.total())


def by_threads(asking: Sequence[Callable[[int], object]], *, seconds: float = 4) -> Measured:
    """One thread for each function, which is called with a growing number until the time is over, and once at least."""
    taken: list[list[float]] = [[] for _ in asking]
    until = time.monotonic() + seconds

    def work(at: int) -> None:
        number, ask, mine = at * 7919, asking[at], taken[at]
        while not mine or time.monotonic() < until:
            began = time.perf_counter()
            ask(number)
            number += 1
            mine.append(time.perf_counter() - began)

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(asking))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    span = time.monotonic() - began
    every = [each for mine in taken for each in mine]
    return Measured(
        len(every) / span, round(measure.percentile(every, 0.5) * 1000, 3),
        round(measure.percentile(every, 0.99) * 1000, 3), 0,
    )  # fmt: skip
