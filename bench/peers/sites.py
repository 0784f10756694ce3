"""Sites of Django, asked as our applicants ask us: Django alone, page for page, and the form of django-helpdesk."""

import http.client
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from bench import measure, place
from bench.deadline_day_run import used_by

from . import postgres


def _as_here(package: str) -> str:
    return f"{package}=={metadata.version(package.partition('[')[0])}"


# The helpdesk does not know the newest Django yet.
PACKAGES = {"django": (_as_here("django"),), "django-helpdesk": ("django-helpdesk==2.6.1", "django>=6.0,<6.1")}
BESIDE = (_as_here("psycopg[binary]"), _as_here("granian"))
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
# As many as a whole application of ours has: the sign-in and eight forms, each sent and led on from.
FORMS = 8
FIELDS = {"name": "Sample Freelancer", "mobile": "0300 1234567", "address": "203.0.113.7", "kind": "wireguard",
          "text": "I write software for two clients abroad."}  # fmt: skip
TICKET = {"title": "A server abroad", "body": FIELDS["text"], "priority": "3"}


class Visitor:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}
        self.page, self.path = "", "/"
        self.asked: list[float] = []

    def ask(self, path: str, form: dict[str, str] | None = None) -> None:
        """A page, and wherever it leads. Raises RuntimeError for an error."""
        method, body = "GET", None
        headers: dict[str, str] = {}
        if form is not None:
            token = TOKEN.search(self.page)
            method, body = "POST", urlencode({**form, "csrfmiddlewaretoken": token[1] if token else ""})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.path = path
        for _ in range(5):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            began = time.perf_counter()
            self._connection.request(method, self.path, body, headers)
            answer = self._connection.getresponse()
            self.page = answer.read().decode()
            self.asked.append((time.perf_counter() - began) * 1000)
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            if answer.status not in {301, 302}:
                break
            self.path, method, body, headers = urljoin(self.path, answer.headers["Location"]), "GET", None, {}
        if answer.status != 200:
            raise RuntimeError(f"{self.path}: {answer.status}")

    def close(self) -> None:
        self._connection.close()


def _alone(visitor: Visitor, number: int) -> None:
    visitor.ask("/sign-in/")
    visitor.ask("/sign-in/", {"username": f"person-{number}"})
    for step in range(1, FORMS + 1):
        visitor.ask(f"/{step}/", FIELDS)
        if f"<h1>Step {step + 1}</h1>" not in visitor.page:
            raise RuntimeError(f"step {step} was not taken")


def _ticket(visitor: Visitor, number: int) -> None:
    visitor.ask("/tickets/submit/")
    queue = re.search(r'name="queue"[^>]*value="(\d+)"|<option value="(\d+)"', visitor.page)
    about = {"queue": next(filter(None, queue.groups())) if queue else "1", **TICKET}
    visitor.ask("/tickets/submit/", {**about, "submitter_email": f"person-{number}@sample.example"})
    if "/view/" not in visitor.path:
        raise RuntimeError("the ticket was not taken")


UNFAIR = {
    "django": "Nobody is written to, no address is proved, nothing is decided, entered, published or journalled.",
    "django-helpdesk": "A ticket of a stranger, without an account; its mails are thrown away.",
}
WALKS: dict[str, tuple[Callable[[Visitor, int], None], str]] = {
    "django": (_alone, "Django alone: a sign-in and eight forms of five fields, nothing checked but their types"),
    "django-helpdesk": (_ticket, "django-helpdesk: one ticket of a stranger, its form and its page"),
}


def measured(name: str, folder: Path, seconds: int, at_once: int, *, quick: bool) -> dict[str, Any]:
    """The row of one site. Raises place.NotHere."""
    walk, how = WALKS[name]
    with _serving(name, folder, quick=quick) as site:
        for number in range(at_once):
            _walked(walk, site.port, number)  # what is loaded with the first page
        before, began, done = used_by(site), time.monotonic(), list[list[float]]()

        def go_on(thread: int) -> None:
            number = 1_000_000 * (thread + 1)
            while time.monotonic() < began + seconds:
                number += 1
                done.append(_walked(walk, site.port, number))

        threads = [threading.Thread(target=go_on, args=(number,)) for number in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lasted, after = time.monotonic() - began, used_by(site)
    pages = [ms for each in done for ms in each]
    used = {part: after[part] - before[part] for part in after}
    return {
        "who": name, "how": f"{how}; {at_once} at once", "seconds": round(lasted, 1), "done": len(done),
        "done per s": round(len(done) / lasted, 2), "pages each": round(len(pages) / len(done), 1),
        "page p50 ms": measure.percentile(pages, 0.5), "page p95 ms": measure.percentile(pages, 0.95),
        "page p99 ms": measure.percentile(pages, 0.99), "cpu each ms": round(sum(used.values()) / len(done) * 1000),
        **{f"cpu {part} s": round(spent, 1) for part, spent in used.items()},
    }  # fmt: skip


def _walked(walk: Callable[[Visitor, int], None], port: int, number: int) -> list[float]:
    visitor = Visitor(port)
    try:
        walk(visitor, number)
    finally:
        visitor.close()
    return visitor.asked


@dataclass(frozen=True)
class Site:
    """As `used_by` asks for its processes."""

    port: int
    pids: dict[str, int]

    def children(self) -> list[tuple[str, int]]:
        return list(self.pids.items())


@contextmanager
def _serving(name: str, folder: Path, *, quick: bool) -> Iterator[Site]:
    """As `rahdari web` is served: two processes of four threads, PostgreSQL beside them."""
    binaries = place.environment_of(name, (*PACKAGES[name], *BESIDE), quick=quick)
    port, code = place.free_port(), Path(__file__).parent
    with postgres.serving(folder / f"{name}-pg", quick=quick):
        environment = {"SITE": name, "DSN": str(folder / f"{name}-pg"), "PYTHONPATH": str(code)}
        made = subprocess.run(
            [binaries / "python", "-c", "import django_site; django_site.prepare()"],
            env={**place.clean_environment(), **environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise place.NotHere(f"{name}: {made.stderr[-400:]}")
        command: list[str | Path] = [
            binaries / "granian", "--interface", "wsgi", "--port", str(port), "--workers", "2", "--blocking-threads",
            "4", "--log-level", "warning", "django_site:application",
        ]  # fmt: skip
        log = folder / f"{name}.log"
        with place.running(command, log=log, environment=environment, folder=folder) as process:
            place.wait_for(name, lambda: place.answers(port), lives=process, log=log)
            cluster = folder / f"{name}-pg" / "cluster"
            postmaster = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            yield Site(port, {"web": process.pid, "postgres": postmaster})
