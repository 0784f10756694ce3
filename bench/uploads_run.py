"""The run of `bench/uploads`."""

import argparse
import base64
import http.client
import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pikepdf
from PIL import Image

from bench import measure
from bench.pages_run import Browser, plain
from rahdari.ops import postgres
from tests.journeys import stack as stacks
from tests.journeys.stack import Stack

FILES, AT_ONCE, SLOW_FORMS = 14, 8, 10
CONNECTIONS = 100
# As many as a file of an organisation's may have (`endpoints_per_organisation`).
ADDRESSES = 500
# Each has an address of their own, as strangers do. The endpoint that is proved and reported is AT_HOME.
ELSEWHERE, AT_HOME, AT_A_DESK, PROGRAM = "127.0.0.9", "127.0.0.21", "127.0.0.22", "127.0.0.23"
OFFICER = "officer@demo.rahdari.example"
PAGES = ["/", "/help/", "/sign-in/", "/check/"]
HOLDERS = [f"freelancer-{number}@people.rahdari.example" for number in (32, 33, 40)]
GOAL_S = 1.0


@dataclass(frozen=True)
class Asked:
    """One request that is made again and again, and of which group of rows it is."""

    page: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


def main(given: argparse.Namespace) -> None:
    about = measure.conditions()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as name, stacks.running(Path(name) / "data") as stack:
        *both, other, one_more, company = accounts(stack)
        attackers, fresh = both[: len(both) // 2], both[len(both) // 2 :]
        kept = what_stays_open(stack, other, one_more)
        with ThreadPoolExecutor(16) as many:  # each process has answered once
            list(many.map(lambda path: ask(stack, path), [*PAGES, *(each.path for each in kept)] * 8))
        rows += _rows("nothing", stack, kept, other, seconds=3 if given.quick else 15)
        seconds = 10 if given.quick else 60
        files = {"noise": noise(), "photos": photo(8000, 6000, progressive=True), "pdf": bomb()}
        for what, file in files.items():
            senders = attackers if what == "pdf" else attackers[:1] * FILES
            sent = [(sender, file) for sender in senders]
            with attack(stack, sent, again=not given.quick or what == "pdf") as answers:
                # An address of their own has who sends the one photo, and has used nothing before.
                rows += _rows(what, stack, kept, one_more if what == "pdf" else other, seconds=seconds, answers=answers)
        with crowd(stack) as answers:
            rows += _rows("pages", stack, kept, other, seconds=seconds, answers=answers)
        sent = list(islice(zip(cycle(fresh), cycle(files.values()), strict=False), FILES))
        with attack(stack, sent, again=True, at_once=FILES) as answers, users(stack, company, answers):
            rows += _rows("all at once", stack, kept, other, seconds=seconds, answers=answers)
    measure.report(rows, given=given, about=about, experiment="uploads")
    slowest = max(rows[-len(kept) :], key=lambda row: row["p99 s"])
    print(f"all at once: {slowest['page']}, p99 {slowest['p99 s']:.3f} s (goal: under {GOAL_S:.0f} s)")


def accounts(stack: Stack) -> list[tuple[str, str]]:
    """Of each of `uploads_accounts.PEOPLE`: the reference of a draft, and a token."""
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.uploads_accounts"],
        env=stack.environment() | {"DATABASE_URL": str(postgres.known_url(stack.data, role=postgres.OWNER))},
        cwd=measure.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [(words[0], words[1]) for words in map(str.split, made.stdout.splitlines())]


def what_stays_open(stack: Stack, of_link: tuple[str, str], of_router: tuple[str, str]) -> list[Asked]:
    """A proof by link, a report of a router and health, as they are asked from AT_HOME."""
    where = {"address": AT_HOME, "runs": "wireguard"}
    endpoint = _call(stack, of_link, "endpoints", where)["id"]
    link = _call(stack, of_link, f"endpoints/{endpoint}/proof/link", {})["instructions"]["url"]
    changing = _call(stack, of_router, "endpoints", {**where, "stays": "dynamic"})["id"]
    made = _call(stack, of_router, f"endpoints/{changing}/connection/passwords", {})
    name, password = made["connection"]["user_name"], made["password"]
    basic = {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}
    return [
        Asked("proof link", urlsplit(link).path),
        Asked("router's report", f"/nic/update?hostname={name}", basic),
        Asked("health", "/healthz"),
    ]


def _call(stack: Stack, account: tuple[str, str], path: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the API answers to a POST about the account's draft. Raises RuntimeError for another status than 2xx."""
    status, content = send(stack, account, path, json.dumps(said).encode(), "application/json")
    if status >= 300:
        raise RuntimeError(f"{path} answered {status}: {content[:300]!r}")
    found: dict[str, Any] = json.loads(content)
    return found


def told(answers: Mapping[str, int]) -> str:
    # As they are now: others go on counting.
    return ", ".join(f"{many} x {answer}" for answer, many in sorted(dict(answers).items()))


def bomb() -> tuple[str, bytes]:
    """60 pages, each of which unpacks to 30 MB of nothing."""
    written = io.BytesIO()
    page = zlib.compress(b" " * (30 * 1024 * 1024), 9)
    with pikepdf.new() as pdf:
        for number in range(60):
            pdf.add_blank_page()
            pdf.pages[number].Contents = pdf.make_stream(page, Filter=pikepdf.Name.FlateDecode)
        pdf.save(written, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return "letter.pdf", written.getvalue()


def noise() -> tuple[str, bytes]:
    written = io.BytesIO()
    Image.frombytes("1", (6000, 6000), os.urandom(6000 * 6000 // 8)).save(written, "PNG")
    return "noise.png", written.getvalue()


def photo(width: int, height: int, *, progressive: bool = False) -> tuple[str, bytes]:
    written = io.BytesIO()
    small = Image.effect_noise((width // 20, height // 20), 80)
    small.resize((width, height)).convert("RGB").save(written, "JPEG", quality=80, progressive=progressive)
    return "photo.jpg", written.getvalue()


def send(
    stack: Stack, account: tuple[str, str], path: str, body: bytes, kind: str, *, source: str = ""
) -> tuple[int, bytes]:
    reference, token = account
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    line = _line(stack, source, timeout=120)
    try:
        line.request("POST", f"/api/v1/applications/{reference}/{path}", body, headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def send_file(stack: Stack, account: tuple[str, str], file: tuple[str, bytes], **more: Any) -> tuple[int, bytes]:
    """A document; a table goes where files of addresses go."""
    name, content = file
    is_table = name.endswith(".csv")
    head = (
        ("" if is_table else '--cut\r\nContent-Disposition: form-data; name="rule"\r\n\r\nevidence\r\n')
        + f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        + "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + b"\r\n--cut--\r\n"
    path = "address-files" if is_table else "documents"
    return send(stack, account, path, body, "multipart/form-data; boundary=cut", **more)


def _line(stack: Stack, source: str = "", *, timeout: float = 60) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(
        "127.0.0.1", stack.port, timeout=timeout, source_address=(source, 0) if source else None
    )


def ask(stack: Stack, path: str) -> int:
    line = _line(stack)
    line.request("GET", path)
    return line.getresponse().status


@contextmanager
def attack(
    stack: Stack, sent: Sequence[tuple[tuple[str, str], tuple[str, bytes]]], *, again: bool, at_once: int = AT_ONCE
) -> Iterator[Counter[str]]:
    """Senders with a file each, so many at once, and forms that never end, for as long as the block runs; what was
    answered to the files."""
    answers: Counter[str] = Counter()
    ends = threading.Event()

    def one(account: tuple[str, str], file: tuple[str, bytes]) -> None:
        # Again and again in the long run: the limits of one account are part of what is measured.
        while True:
            answers[f"{file[0]} {send_file(stack, account, file)[0]}"] += 1
            if not again or ends.is_set():
                return

    with ExitStack() as lines, ThreadPoolExecutor(at_once) as pool:
        for _ in range(SLOW_FORMS):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", stack.port)))
            line.sendall(b"POST /help/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
        submitted = [pool.submit(one, *each) for each in sent]
        yield answers
        ends.set()
        for each in submitted:
            each.result()


@contextmanager
def crowd(stack: Stack) -> Iterator[Counter[str]]:
    """One source with many connections that ask for the first page, each as soon as it was answered."""
    answers: Counter[str] = Counter()
    ends = threading.Event()

    def one(_: int) -> None:
        line = _line(stack, ELSEWHERE, timeout=120)
        while not ends.is_set():
            line.request("GET", "/")
            answer = line.getresponse()
            answer.read()
            answers[f"/ {answer.status}"] += 1
        line.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        asked = [pool.submit(one, number) for number in range(CONNECTIONS)]
        yield answers
        ends.set()
        for each in asked:
            each.result()


@contextmanager
def users(stack: Stack, company: tuple[str, str], answers: Counter[str]) -> Iterator[None]:
    """Each from an address of their own, as soon as they were answered: an officer asks for pages of the queue, holders
    for their certificates, a company's program sends files of as many addresses as one takes. Counts the answers."""
    ends = threading.Event()
    queue = [f"/desk/?page={page}" for page in (1, 2)]

    def in_browser(what: str, email: str, source: str) -> None:
        browser = Browser(stack, "en", source)
        browser.sign_in(email)
        paths = queue
        if what == "certificate":
            _, content, headers = browser.ask("/my/registrations/")
            found = re.findall(r'href="(/my/registrations/RD-[^/"]+/)"', plain(content, headers))
            paths = [f"{path}certificate.pdf" for path in found[:1]]
        while not ends.is_set():
            for path in paths:
                answers[f"{what} {browser.ask(path)[0]}"] += 1

    def by_program() -> None:
        table = "address,protocol\n" + "".join(
            f"127.66.{at // 250}.{1 + at % 250},wireguard\n" for at in range(ADDRESSES)
        )
        while not ends.is_set():
            status, said = send_file(stack, company, ("addresses.csv", table.encode()), source=PROGRAM)
            answers[f"addresses {status}"] += 1
            if status == 201 and json.loads(said)["good"]:
                more = f"address-files/{json.loads(said)['id']}/add"
                added, _ = send(stack, company, more, b"{}", "application/json", source=PROGRAM)
                answers[f"added {added}"] += 1

    with ThreadPoolExecutor(2 + len(HOLDERS)) as pool:
        asked = [pool.submit(in_browser, "queue", OFFICER, AT_A_DESK), pool.submit(by_program)]
        asked += [
            pool.submit(in_browser, "certificate", holder, f"127.0.0.{40 + at}") for at, holder in enumerate(HOLDERS)
        ]
        yield
        ends.set()
        for each in asked:
            each.result()


def _timed(stack: Stack, account: tuple[str, str], file: tuple[str, bytes]) -> tuple[int, float]:
    began = time.perf_counter()
    return send_file(stack, account, file)[0], time.perf_counter() - began


def _rows(
    what: str, stack: Stack, kept: Sequence[Asked], other: tuple[str, str], *, seconds: float,
    answers: Counter[str] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Ask for pages in turn for so long, at home for what stays open, and send one ordinary photo. The first row is of
    the pages, and says what else was answered meanwhile."""
    pages = [Asked("pages", path) for path in PAGES]
    with ThreadPoolExecutor(3) as beside:
        photo_sent = beside.submit(_timed, stack, other, photo(4000, 3000))
        asked = [
            beside.submit(_asking, stack, pages, "", seconds),
            beside.submit(_asking, stack, kept, AT_HOME, seconds),
        ]
        rows = [{"attack": what, **row} for each in asked for row in each.result()]
        # Before the end, at which all are let finish what they asked for.
        told_now = told(answers) if answers else ""
        status, photo_took = photo_sent.result()
    rows[0] |= {"photo": status, "photo s": photo_took, "answers": told_now}
    return rows


def _asking(stack: Stack, asked: Sequence[Asked], source: str, seconds: float) -> list[dict[str, Any]]:
    took: dict[str, list[float]] = {each.page: [] for each in asked}
    faults: Counter[str] = Counter()
    line, until = _line(stack, source), time.monotonic() + seconds
    while time.monotonic() < until or not all(took.values()):
        for each in asked:
            start = time.perf_counter()
            line.request("GET", each.path, headers=dict(each.headers))
            answer = line.getresponse()
            answer.read()
            took[each.page].append(time.perf_counter() - start)
            faults[each.page] += answer.status >= 400
    line.close()
    return [{"page": page, **measure.quantiles(times), "faults": faults[page]} for page, times in took.items()]
