"""The run of `bench/deadline-day`."""

import csv
import json
import os
import queue
import random
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any, Protocol

from bench import measure, ours, place
from bench.walking import Unexpected, Visitor, code_in

TARGET = 27.0
# So often the page of the status is asked whether anything has happened, as its script does every few seconds.
LOOK_SECONDS = 2.0
PATIENCE = 120.0
PROCESSES = 2
PHOTO = (800, 1000)
SITES = ("django", "django-helpdesk")


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--rate", type=float, default=TARGET, help="people who begin each second (27)")
    parser.add_argument("--seconds", type=int, help="for so long (600; with --quick 15)")
    parser.add_argument("--at-once", type=int, default=32, help="people on the way at one time, at most (32)")
    parser.add_argument("--uploads", type=float, default=0.3, help="share that sends a photo of a letter (0.3)")
    parser.add_argument("--peers", metavar="LIST", help=f"of {','.join(SITES)}; an empty list for none")
    given = parser.parse_args()
    names = measure.chosen(given.peers, list(SITES), what="peer")
    seconds = given.seconds or (15 if given.quick else 600)
    at_once = min(given.at_once, 8) if given.quick else given.at_once
    place.end_cleanly_on_signals()
    from tests.journeys import stack as stacks

    with measure.reporting(given, "deadline-day") as result, place.temporary("deadline-day") as folder:
        result.conditions["file_system"] = place.on_disk(folder)
        from bench.peers import sites

        for name in names:
            with result.trying(name):
                place.say(f"{name}: {at_once} at once")
                result.unfair[name] = sites.UNFAIR[name]
                result.rows.append(sites.measured(name, folder, min(seconds, 60), at_once, quick=given.quick))
        with result.trying("applications"), stacks.running(folder / "data") as stack:
            place.watch(stack.process.pid)
            result.rows.append(_day(stack, folder, given.rate, seconds, at_once, given.uploads))


def _day(stack: Any, folder: Path, rate: float, seconds: int, at_once: int, uploads: float) -> dict[str, Any]:
    os.environ.update(stack.environment())
    import django

    django.setup()
    before = used_by(stack)
    place.say(f"{rate:g} people a second for {seconds} s, {at_once} at once")
    began = time.monotonic()
    with ExitStack() as open_:
        generators = [
            open_.enter_context(_generator(stack, folder, number, rate, seconds, at_once, uploads))
            for number in range(PROCESSES)
        ]
        said = [json.loads(process.communicate(timeout=seconds + 3 * PATIENCE)[0]) for process in generators]
    lasted = time.monotonic() - began
    used = {name: after - before.get(name, 0.0) for name, after in used_by(stack).items()}
    people = [person for each in said for person in each["people"]]
    done = [person for person in people if not person["failed"]]
    for why in sorted({person["failed"] for person in people if person["failed"]})[:5]:
        place.say(f"failed: {why}")
    asked = [ask for person in people for ask in person["asked"]]
    pages = [ms for kind, ms, status in asked if kind == "page" and status < 400]
    sent = [ms for kind, ms, _ in asked if kind == "upload"]
    counted = _counted(stack, folder, {person["address"] for person in done})
    return {
        "who": "Rahdari", "how": f"{rate:g} a second wanted, {at_once} at once", "seconds": round(lasted, 1),
        "begun": len(people), "done": len(done), "done per s": round(len(done) / lasted, 2),
        "per day": round(len(done) / lasted * 86_400), "pages each": round(len(asked) / max(len(people), 1), 1),
        "page p50 ms": measure.percentile(pages, 0.5), "page p95 ms": measure.percentile(pages, 0.95),
        "page p99 ms": measure.percentile(pages, 0.99),
        "with upload": f"{sum(1 for person in people if person['upload']) / max(len(people), 1):.0%}",
        "upload p95 ms": measure.percentile(sent, 0.95) if sent else "",
        "sent to registered p50 s": measure.percentile([person["waited"] for person in done], 0.5) if done else "",
        "sent to registered p95 s": measure.percentile([person["waited"] for person in done], 0.95) if done else "",
        **counted,
        "cpu each ms": round(sum(used.values()) / max(len(done), 1) * 1e3),
        "cpu web s": round(used.get("web", 0.0), 1), "cpu worker s": round(used.get("worker", 0.0), 1),
        "cpu publisher s": round(used.get("publisher", 0.0), 1), "cpu postgres s": round(used.get("postgres", 0.0), 1),
        "cpu generator s": round(sum(each["cpu"] for each in said), 1),
    }  # fmt: skip


# -- afterwards --------------------------------------------------------------------------------------------------


def _counted(stack: Any, folder: Path, addresses: set[str]) -> dict[str, Any]:
    """How many stand in the database and in the feed. Raises RuntimeError when one is lost or doubled."""
    from bench import filling
    from rahdari.register.models import Entry

    filling.settle(patience=300)
    wanted = {f"{address}/32" for address in addresses}
    registered = [
        block
        for block in map(str, Entry.objects.filter(ended_at=None).values_list("block", flat=True))
        if block in wanted
    ]
    with ours.operators(stack, folder, 1) as ((_, token, _),):
        configured = ours.configuration_of(stack, token, folder / "state")
        ours.sync_once({**configured, "targets": {"csv": str(folder / "feed.csv")}}, folder)
    with (folder / "feed.csv").open() as file:
        listed = [row["prefix"] for row in csv.DictReader(file) if row["prefix"] in wanted]
    for where, found in (("the database", registered), ("the feed", listed)):
        if len(found) != len(set(found)) or set(found) != wanted:
            raise RuntimeError(
                f"in {where}: {len(wanted - set(found))} lost, {len(found) - len(set(found))} doubled of {len(wanted)}"
            )
    return {"in the database": len(registered), "in the feed": len(listed)}


def used_by(stack: Any) -> dict[str, float]:
    """Processor seconds so far, by the word of the process, its own children with it."""
    tick = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        # With those of its children that have ended.
        spent[pid] = sum(int(field) for field in fields[11:15]) / tick
    words = {pid: word for word, pid in stack.children()}
    found: dict[str, float] = {}
    for pid, seconds in spent.items():
        at = pid
        while at and at not in words:
            at = parents.get(at, 0)
        if at:
            found[words[at]] = found.get(words[at], 0.0) + seconds
    return found


# -- the people --------------------------------------------------------------------------------------------------


def _generator(
    stack: Any, folder: Path, number: int, rate: float, seconds: int, at_once: int, uploads: float
) -> "subprocess.Popen[bytes]":
    told = {
        "port": stack.port, "mail": str(stack.data / "mail"), "number": number, "rate": rate / PROCESSES,
        "seconds": seconds, "at_once": max(1, at_once // PROCESSES), "uploads": uploads, "photo": str(_photo(folder)),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.deadline_day_run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=place.ROOT,
        env={**place.clean_environment(), "PYTHONPATH": f"{place.ROOT}:{place.ROOT / 'src'}"},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode())
    process.stdin.close()
    process.stdin = None
    return process


def _photo(folder: Path) -> Path:
    """A picture as a phone takes one, of nothing."""
    path = folder / "letter.jpg"
    if not path.exists():
        from PIL import Image

        Image.effect_noise(PHOTO, 40).convert("RGB").save(path, quality=70)
    return path


class Mail:
    """The folder that mails are written to. A file may hold several, and grow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[str, int] = {}
        self._codes: dict[str, str] = {}
        self._lock = threading.Lock()

    def code(self, email: str, patience: float = 60.0) -> str:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            with self._lock:
                self._look()
                if code := self._codes.get(email):
                    return code
            time.sleep(0.05)
        raise Unexpected("no code was mailed")

    def _look(self) -> None:
        for found in os.scandir(self._folder) if self._folder.exists() else ():
            size = found.stat().st_size
            if self._sizes.get(found.name) == size:
                continue
            self._sizes[found.name] = size
            for text in re.split(r"(?m)^-{79}$", Path(found.path).read_text(errors="replace")):
                mail = message_from_string(text.strip(), policy=default)
                body = mail.get_body(("plain",))
                if body is not None and (code := code_in(str(body.get_content()))):
                    self._codes[str(mail["To"]).rpartition("<")[2].strip(" >")] = code


class Codes(Protocol):
    def code(self, email: str) -> str:
        """The code that was mailed to this address."""


@dataclass
class Person:
    number: int
    upload: bool
    address: str
    port: int

    def apply(self, mail: Mail, photo: bytes) -> dict[str, Any]:
        visitor = Visitor(self.port, self.address, language=random.choice(("en", "ur")))
        failed, waited = "", 0.0
        try:
            base = self.fill_in(visitor, mail, photo)
            waited = self._wait(visitor, base)
        except (Unexpected, OSError) as error:
            failed = f"{type(error).__name__}: {error}"
        finally:
            visitor.close()
        return {
            "address": self.address, "failed": failed, "waited": waited, "upload": self.upload, "asked": visitor.asked,
        }  # fmt: skip

    def fill_in(self, visitor: Visitor, mail: Codes, photo: bytes) -> str:
        name, email = f"Sample Freelancer {self.number}", f"deadline-{self.number}@sample.example"
        visitor.open("/")
        visitor.follow("btn")
        visitor.send({"who": "vpn_freelancer", "use": "clients", "which": "server"})
        visitor.send({"email": email})
        visitor.send({"code": mail.code(email)})
        # Each task leads to the next one.
        base = visitor.path[: visitor.path.index("/", len("/my/applications/")) + 1]
        visitor.send({"name": name, "mobile": f"0300 {self.number:07d}"})
        if self.upload:
            visitor.send({}, button="client_letter")
            visitor.send({}, file=("file", "letter.jpg", photo))
        else:
            visitor.send({}, button="self_declaration")
            text, card = "I write software for two clients abroad.", f"35202-{self.number:07d}-1"
            visitor.send({"text": text, "cnic": card, "declared": "on"})
        # Sent from there, which proves it.
        visitor.send({"block": self.address, "kind": "wireguard"})
        visitor.send({"declare": "on"})
        return base

    def _wait(self, visitor: Visitor, base: str) -> float:
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            if any("/my/registrations/" in href for href, _ in visitor.read().links):
                return time.monotonic() - began
            time.sleep(LOOK_SECONDS * random.uniform(0.75, 1.25))
            if visitor.has_moved():
                visitor.open(f"{base}status/")
        raise Unexpected(f"not registered within {PATIENCE:.0f} s: {visitor.read().heading.strip()!r}")


def people(given: dict[str, Any]) -> Iterator[Person]:
    """They differ in all that may stand in a register once."""
    number = given["number"] * 1_000_000
    while True:
        number += 1
        low = number % 1_000_000
        address = f"127.{10 + given['number']}.{low // 250 % 250}.{1 + low % 250}"
        yield Person(number, random.random() < given["uploads"], address, given["port"])


def generate() -> None:
    given = json.load(sys.stdin)
    random.seed(given["number"])
    mail, photo = Mail(Path(given["mail"])), Path(given["photo"]).read_bytes()
    waiting: queue.Queue[Person | None] = queue.Queue()
    found: list[dict[str, Any]] = []

    def walk() -> None:
        while (person := waiting.get()) is not None:
            if time.monotonic() < ends:
                found.append(person.apply(mail, photo))

    ends = time.monotonic() + given["seconds"]
    threads = [threading.Thread(target=walk) for _ in range(given["at_once"])]
    for thread in threads:
        thread.start()
    coming = people(given)
    while time.monotonic() < ends:
        waiting.put(next(coming))
        time.sleep(1 / given["rate"])
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    used = resource.getrusage(resource.RUSAGE_SELF)
    json.dump({"people": found, "cpu": used.ru_utime + used.ru_stime}, sys.stdout)


if __name__ == "__main__":
    generate()
