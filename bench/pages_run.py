"""The run of `bench/pages`."""

import argparse
import gzip
import http.client
import re
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import measure
from tests.journeys import stack as stacks
from tests.journeys.stack import Stack

BUDGET = 60 * 1024
# So many tries before it is measured, and so many of a page whose tries are limited (`portal.public.check`).
WARM, RARE = 5, 12
# Each language's visitor has an address, whose tries are counted.
HOMES = {"en": "127.0.0.31", "ur": "127.0.0.32"}
OPEN = [
    "/",
    "/apply/",
    "/check/",
    "/check/?number=RD-4F7K-92MQ",
    "/sign-in/",
    "/privacy/",
    "/help/",
    "/no-such-page/",
]
SIGNED_IN = {
    "freelancer@demo.rahdari.example": ["/my/", "/my/registrations/", "/my/letters/", "/account/"],
    "officer@demo.rahdari.example": ["/desk/", "/desk/approvals/"],
    "operator-sample-fibre@demo.rahdari.example": ["/operator/"],
}


class Browser:
    """One keep-alive connection with cookies, from an address of its own if one is given; nothing is cached."""

    def __init__(self, stack: Stack, language: str, source: str = "") -> None:
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", stack.port, timeout=60, source_address=(source, 0) if source else None
        )
        self.cookies: dict[str, str] = {"django_language": language}

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes, http.client.HTTPMessage]:
        headers = {
            "Accept-Encoding": "gzip",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request("GET" if form is None else "POST", path, body=body, headers=headers)
        answer = self.connection.getresponse()
        content = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, content, answer.headers

    def sign_in(self, email: str) -> None:
        _, content, headers = self.ask("/demo/sign-in/")
        page = plain(content, headers)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        button = re.search(rf'<button[^>]*name="([^"]+)"[^>]*value="([^"]*{re.escape(email)}|[^"]+)"', page)
        forms = [form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if email in form]
        if token is None or not (forms or button):
            raise SystemExit("the page of ready accounts looks different now")
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', forms[0] if forms else page))
        status, _, _ = self.ask("/demo/sign-in/", fields | {"csrfmiddlewaretoken": token.group(1)})
        if status != 302:
            raise SystemExit(f"signing in as {email} answered {status}")


def plain(content: bytes, headers: http.client.HTTPMessage) -> str:
    return (gzip.decompress(content) if headers.get("Content-Encoding") == "gzip" else content).decode()


def main(given: argparse.Namespace) -> None:
    about = measure.conditions()
    rounds = 20 if given.quick else 100
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as name, stacks.running(Path(name) / "data") as stack:
        for language in HOMES:
            home = HOMES[language]
            rows += [_row(Browser(stack, language, home), path, language, rounds) for path in OPEN]
            for email, paths in SIGNED_IN.items():
                browser = Browser(stack, language, home)
                browser.sign_in(email)
                rows += [_row(browser, path, language, rounds) for path in paths]
    measure.report(rows, given=given, about=about, experiment="pages")
    heaviest = max(rows, key=lambda row: row["all bytes"])
    print(f"heaviest: {heaviest['page']} ({heaviest['language']}), {heaviest['all bytes']} of {BUDGET} bytes")


def _row(browser: Browser, path: str, language: str, rounds: int) -> dict[str, Any]:
    # Of what a household may ask rarely, no more: a refusal is another page.
    rounds = min(rounds, RARE) if "number=" in path else rounds
    for _ in range(WARM):
        status, content, headers = browser.ask(path)
    page = plain(content, headers)
    assets = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js|svg))"', page)))
    weight = sum(len(browser.ask(asset)[1]) for asset in assets)
    milliseconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        again, _, _ = browser.ask(path)
        milliseconds.append((time.perf_counter() - start) * 1000)
        if again != status:
            raise RuntimeError(f"{path} answered {again} after {status}")
    return {
        "page": path,
        "language": language,
        "status": status,
        "p50 ms": measure.percentile(milliseconds, 0.50),
        "p95 ms": measure.percentile(milliseconds, 0.95),
        "page bytes": len(content),
        "all bytes": len(content) + weight,
    }
