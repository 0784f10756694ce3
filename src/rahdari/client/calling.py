"""Calls to the API with a token. Invariants: a token goes over https only, or to this machine; no redirect is followed;
a file with a token that others may read is not used.
"""

import ipaddress
import json
import os
import stat
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

TIMEOUT = 60.0
TRIES = 4
LONGEST_WAIT = 60.0
type Json = dict[str, Any]


class Trouble(Exception):
    """Cannot go on; the message says why, in a sentence. `.code` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Refused(Trouble):
    """The register answered with a problem. `.problem` is it."""

    def __init__(self, problem: Json) -> None:
        self.problem = problem
        super().__init__(problem_text(problem))

    @property
    def kind(self) -> str:
        return str(self.problem.get("type", "")).rpartition(":")[2]


def problem_text(problem: Json) -> str:
    """A problem as lines: what is wrong, and each fault with its place."""
    lines = [f"{problem.get('title', 'Refused')} ({problem.get('status', '?')}): {problem.get('detail', '')}"]
    lines += [
        f"  {each.get('pointer', '').lstrip('/') or '-'}: {each.get('detail', '')} [{each.get('code', '')}]"
        for each in problem.get("errors", ())
    ]
    if "suggestion" in problem:
        lines.append(f"  meant, probably: {problem['suggestion']}")
    return "\n".join(lines)


# -- where the token is ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    server: str
    token: str


def token_file(environment: Mapping[str, str]) -> Path:
    if given := environment.get("RAHDARI_TOKEN_FILE"):
        return Path(given)
    base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "/")) / ".config")
    return Path(base) / "rahdari" / "token.json"


def access(environment: Mapping[str, str]) -> Access:
    """From RAHDARI_SERVER and RAHDARI_TOKEN, or from the file of `rahdari my sign-in`."""
    server, token = environment.get("RAHDARI_SERVER", ""), environment.get("RAHDARI_TOKEN", "")
    if server and token:
        return Access(checked_server(server), token)
    path = token_file(environment)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise Trouble(f"Others may read {path}, so it is not used. Run: chmod 600 {path}")
            found = json.load(file)
        return Access(checked_server(server or found["server"]), token or found["token"])
    except FileNotFoundError:
        raise Trouble("There is no token here. Make one on the page “Programs”, then: rahdari my sign-in URL") from None
    except (ValueError, KeyError, TypeError):
        raise Trouble(f"{path} is not as `rahdari my sign-in` writes it. Sign in again.") from None


def keep(access: Access, environment: Mapping[str, str]) -> Path:
    """Write the token for the next time, for nobody else to read."""
    path = token_file(environment)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"server": access.server, "token": access.token}, file)
    new.replace(path)
    return path


def checked_server(server: str) -> str:
    parts = urlsplit(server)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise Trouble(f"{server!r} is no address of a register. It looks like https://register.example")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise Trouble("A token goes over https only. Write the address of the register with https://")
    return f"{parts.scheme}://{parts.netloc}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# -- the register ----------------------------------------------------------------------------------------------------


class Register:
    """Asks, and waits when it is told to. What is sent with a key may be sent again: it is done once."""

    def __init__(self, access: Access, *, language: str = "en", sleep: Callable[[float], None] = time.sleep) -> None:
        self.base = f"{access.server}/api/v1"
        self.headers = {
            "Authorization": f"Bearer {access.token}",
            "Accept-Language": language,
            "User-Agent": "rahdari-client/1",
        }
        self.sleep = sleep
        self.pool = urllib3.PoolManager(timeout=urllib3.Timeout(TIMEOUT), retries=False)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def put(self, path: str, body: Json) -> Any:
        return self.ask("PUT", path, body)

    def post(self, path: str, body: Json | None = None, *, key: str = "") -> Any:
        return self.ask("POST", path, body, key=key or str(uuid.uuid4()))

    def upload(self, path: str, fields: Mapping[str, Any], *, key: str = "") -> Any:
        content, kind = urllib3.encode_multipart_formdata(dict(fields))
        return self._send("POST", path, content, {"Content-Type": kind, "Idempotency-Key": key or str(uuid.uuid4())})

    def ask(self, method: str, path: str, body: Json | None = None, *, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        return self._send(method, path, content, headers)

    def _send(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Any:
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = self.pool.request(
                    method, self.base + path, body=content, headers={**self.headers, **headers}, redirect=False
                )
            except urllib3.exceptions.HTTPError as error:
                if not left:
                    raise Trouble(f"The register does not answer ({type(error).__name__}).", 75) from None
                self.sleep(float(TRIES - left))
                continue
            wait = _wait(answer)
            if wait is None or not left:
                return _read(answer)
            self.sleep(wait)
        raise AssertionError("unreachable")


def _wait(answer: urllib3.BaseHTTPResponse) -> float | None:
    """How long to wait before the same request is sent again; None for an answer."""
    if answer.status not in {409, 429, 503} or "Retry-After" not in answer.headers:
        return None
    text = answer.headers["Retry-After"]
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else 5.0


def _read(answer: urllib3.BaseHTTPResponse) -> Any:
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    try:
        said = json.loads(answer.data) if kind in {"application/json", "application/problem+json"} else answer.data
    except ValueError:
        said = answer.data
    if 200 <= answer.status < 300:
        return said
    if isinstance(said, dict) and "type" in said:
        raise Refused(said)
    raise Trouble(f"The register answered {answer.status}, and not as its API does. Is the address right?")
