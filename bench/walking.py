"""A browser without a screen: pages by HTTP over one connection, cookies, and the forms of a page's main part."""

import gzip
import http.client
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit


class Unexpected(Exception):
    """A page is not what was to come. `.args[0]` says which."""


@dataclass
class Form:
    action: str = ""
    method: str = "get"
    # In their order: name, value, whether it is sent as the page stands.
    fields: list[tuple[str, str, bool]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, given: Mapping[str, str], button: str = "") -> list[tuple[str, str]]:
        sent = [(name, value) for name, value, on in self.fields if on and name not in given]
        # As the key "Enter" does, where no button is named.
        pressed = [(name, value) for name, value in self.buttons if not button or value == button][:1]
        return sent + list(given.items()) + [(name, value) for name, value in pressed if name]


class _Reader(HTMLParser):
    """Links and forms of the main part, and the token against forged forms wherever it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.forms: list[Form] = []
        self.heading = ""
        self._main = self._heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "main":
            self._main = True
        if not self._main:
            return
        if tag == "h1" and not self.heading:
            self._heading = True
        elif tag == "a" and "href" in said:
            marks = " ".join((said.get("class", ""), said.get("aria-describedby", "")))
            self.links.append((said["href"], marks))
        elif tag == "form":
            self.forms.append(Form(said.get("action", ""), said.get("method", "get").lower()))
        elif self.forms:
            self._field(tag, said)

    def _field(self, tag: str, said: Mapping[str, str]) -> None:
        form, name, value = self.forms[-1], said.get("name", ""), said.get("value", "")
        if tag == "button" or (tag == "input" and said.get("type") == "submit"):
            form.buttons.append((name, value))
        elif tag == "input" and name:
            kind = said.get("type", "text")
            value = value or ("on" if kind == "checkbox" else "")
            form.fields.append((name, value, kind not in {"radio", "checkbox", "file"} or "checked" in said))
        elif tag in {"textarea", "select"} and name:
            form.fields.append((name, "", tag == "textarea"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "h1":
            self._heading = False

    def handle_data(self, data: str) -> None:
        if self._heading:
            self.heading += data


@dataclass
class Visitor:
    """One person, who comes from an address of their own. `asked` has kind, milliseconds and status of each page."""

    port: int
    address: str
    language: str = "en"
    path: str = "/"
    page: str = ""
    status: int = 0
    cookies: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, float, int]] = field(default_factory=list)
    _connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        self.cookies["django_language"] = self.language

    def read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.page)
        return reader

    def open(self, path: str) -> None:
        """A page, and wherever it leads."""
        self._ask("GET", urljoin(self.path, path), None, {})

    def follow(self, mark: str) -> None:
        """The first link of the main part with this in its class, its description or its address."""
        for href, marks in self.read().links:
            if mark in marks.split() or mark in href:
                self.open(href)
                return
        raise Unexpected(f"no link {mark!r} on {self.path} ({self.status} {self.read().heading.strip()!r})")

    def send(self, given: Mapping[str, str], *, button: str = "", file: tuple[str, str, bytes] | None = None) -> None:
        """The first form of the main part that has what is given."""
        wanted = {*given, *([file[0]] if file else [])}
        for form in self.read().forms:
            names = {name for name, _, _ in form.fields}
            if wanted <= names and (not button or any(v == button for _, v in form.buttons)):
                break
        else:
            raise Unexpected(
                f"no form for {sorted(wanted)} on {self.path} ({self.status} {self.read().heading.strip()!r})"
            )
        sent = form.filled(given, button)
        place = urljoin(self.path, form.action)
        if form.method == "get":
            self._ask("GET", f"{place.partition('?')[0]}?{urlencode(sent)}", None, {})
        elif file is None:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            self._ask("POST", place, urlencode(sent).encode(), headers)
        else:
            body, kind = _multipart(sent, file)
            self._ask("POST", place, body, {"Content-Type": kind})

    def has_moved(self) -> bool:
        """As the script of a page that waits asks: whether the page is to be loaded again."""
        began = time.perf_counter()
        status, content, _ = self._once("GET", self.path, None, {"X-Rahdari-Follow": "1"})
        self.asked.append(("page", (time.perf_counter() - began) * 1000, status))
        states = [re.findall(r'data-follow="([^"]*)"', page) for page in (self.page, content.decode())]
        return status != 200 or not states[0] or states[0] != states[1]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _ask(self, method: str, place: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        upload = headers.get("Content-Type", "").startswith("multipart")
        for _ in range(10):
            parts = urlsplit(place)
            self.path = parts.path + (f"?{parts.query}" if parts.query else "")
            began = time.perf_counter()
            status, content, answer = self._once(method, self.path, body, headers)
            self.asked.append(("upload" if upload else "page", (time.perf_counter() - began) * 1000, status))
            for cookie in answer.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            if status not in {301, 302, 303}:
                self.status = status
                self.page = content.decode("utf-8", "replace")
                if status >= 400:
                    raise Unexpected(f"{method} {self.path} answered {status}")
                return
            place, method, body, headers, upload = urljoin(place, answer["Location"]), "GET", None, {}, False
        raise Unexpected(f"{place} leads in a circle")

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=60, source_address=(self.address, 0)
            )
        sent = {
            **headers,
            "Accept-Encoding": "gzip",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Origin": f"http://127.0.0.1:{self.port}",
            "Sec-Fetch-Site": "same-origin",
        }
        self._connection.request(method, path, body=body, headers=sent)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return answer.status, content, answer.headers


def _multipart(sent: list[tuple[str, str]], file: tuple[str, str, bytes]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in sent
    ]
    name, filename, content = file
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    parts.append(f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def code_in(mail: str) -> str | None:
    found = re.search(r"(?m)^\s*(\d{8})\s*$", mail)
    return found.group(1) if found else None
