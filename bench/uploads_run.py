"""The run of `bench/uploads`."""

import argparse
import http.client
import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from bench import measure
from tests.journeys import stack as stacks
from tests.journeys.stack import Stack

FILES, AT_ONCE, SLOW_FORMS = 14, 8, 10
CONNECTIONS = 100
# Those who only ask for pages come from an address of their own, as strangers do.
ELSEWHERE = "127.0.0.9"
PATHS = ["/", "/help/", "/sign-in/", "/check/", "/prove/no-such-link/", "/nic/address", "/healthz"]
ACCOUNT = """
import datetime as dt, django
django.setup()
from rahdari.api import actions as api
from rahdari.api.rules import Scope
from rahdari.apply import actions as apply
from rahdari.people import actions as people
now = dt.datetime.now(dt.UTC)
for name in ("attacker-0", "attacker-1", "attacker-2", "attacker-3", "other", "one-more"):
    person = people.register_person(email=f"{name}@uploads.example", now=now)
    draft = apply.start_application(
        applicant=person, service="vpn_freelancer", fixed_address="yes", actor=f"person:{person.pk}",
        now=now,
    )
    day = dt.timedelta(days=1)
    print(draft.reference, api.make_token(owner=person, name="bench", scopes=list(Scope), valid_for=day, now=now)[1])
"""


def main(given: argparse.Namespace) -> None:
    about = measure.conditions()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as name, stacks.running(Path(name) / "data") as stack:
        *attackers, other, one_more = accounts(stack)
        with ThreadPoolExecutor(16) as many:  # each process has answered once
            list(many.map(lambda path: ask(stack, path), PATHS * 8))
        rows.append(_row("nothing", stack, other, seconds=3 if given.quick else 15))
        seconds = 10 if given.quick else 60
        for what, file, senders in (
            ("noise", noise(), attackers[:1] * FILES),
            ("photos", photo(8000, 6000, progressive=True), attackers[:1] * FILES),
            ("pdf", bomb(), attackers),
        ):
            with attack(stack, senders, file, again=not given.quick or what == "pdf") as answers:
                # An address of their own has who sends the one photo, and has used nothing before.
                rows.append(_row(what, stack, one_more if what == "pdf" else other, seconds=seconds))
            rows[-1]["answers"] = told(answers)
        with crowd(stack) as answers:
            rows.append(_row("pages", stack, other, seconds=seconds))
        rows[-1]["answers"] = told(answers)
    measure.report(rows, given=given, about=about, experiment="uploads")


def accounts(stack: Stack) -> list[tuple[str, str]]:
    """Of six people: the reference of a draft, and a token."""
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ACCOUNT],
        env=stack.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(words[0], words[1]) for words in map(str.split, made.stdout.splitlines())]


def told(answers: Counter[int]) -> str:
    return ", ".join(f"{many} x {code}" for code, many in sorted(answers.items()))


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


def send(stack: Stack, account: tuple[str, str], file: tuple[str, bytes]) -> int:
    reference, token = account
    name, content = file
    head = (
        '--cut\r\nContent-Disposition: form-data; name="rule"\r\n\r\nevidence\r\n'
        f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + b"\r\n--cut--\r\n"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=cut"}
    line = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=120)
    try:
        line.request("POST", f"/api/v1/applications/{reference}/documents", body, headers)
        return line.getresponse().status
    finally:
        line.close()


def ask(stack: Stack, path: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
    line.request("GET", path)
    return line.getresponse().status


@contextmanager
def attack(
    stack: Stack, senders: Sequence[tuple[str, str]], file: tuple[str, bytes], *, again: bool
) -> Iterator[Counter[int]]:
    """A file of each, eight at once, and forms that never end, for as long as the block runs; what was answered to the
    files."""
    answers: Counter[int] = Counter()
    ends = threading.Event()

    def one(account: tuple[str, str]) -> None:
        # Again and again in the long run: the limits of one account are part of what is measured.
        while True:
            answers[send(stack, account, file)] += 1
            if not again or ends.is_set():
                return

    with ExitStack() as lines, ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(SLOW_FORMS):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", stack.port)))
            line.sendall(b"POST /help/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
        sent = [pool.submit(one, account) for account in senders]
        yield answers
        ends.set()
        for each in sent:
            each.result()


@contextmanager
def crowd(stack: Stack) -> Iterator[Counter[int]]:
    """One source with many connections that ask for the first page, each as soon as it was answered."""
    answers: Counter[int] = Counter()
    ends = threading.Event()

    def one(_: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=120, source_address=(ELSEWHERE, 0))
        while not ends.is_set():
            line.request("GET", "/")
            answer = line.getresponse()
            answer.read()
            answers[answer.status] += 1
        line.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        asked = [pool.submit(one, number) for number in range(CONNECTIONS)]
        yield answers
        ends.set()
        for each in asked:
            each.result()


def _timed(stack: Stack, account: tuple[str, str], file: tuple[str, bytes]) -> tuple[int, float]:
    began = time.perf_counter()
    return send(stack, account, file), time.perf_counter() - began


def _row(what: str, stack: Stack, other: tuple[str, str], *, seconds: float) -> dict[str, Any]:
    """Ask for each page in turn for so long, and send one ordinary photo."""
    took: list[float] = []
    faults = 0
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(1) as beside:
        photo_sent = beside.submit(_timed, stack, other, photo(4000, 3000))
        line = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
        while time.monotonic() < until or len(took) < len(PATHS):
            for path in PATHS:
                start = time.perf_counter()
                line.request("GET", path)
                answer = line.getresponse()
                answer.read()
                took.append(time.perf_counter() - start)
                faults += answer.status >= 500
        line.close()
        status, photo_took = photo_sent.result()
    return {
        "attack": what,
        **measure.quantiles(took),
        "faults": faults,
        "photo": status,
        "photo s": photo_took,
        "answers": "",
    }
