"""`sms.toml` in the data folder: the providers, in the order in which they are asked. It holds passwords: mode 600."""

import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rahdari.errors import RahdariError

from . import Provider, Told
from .fake import PrintedProvider
from .http import Gateway, HttpProvider, Reports, Success
from .smpp import Centre, SmppProvider


class ConfigurationError(RahdariError):
    """The file cannot be used. `.problem` says what is wrong and how to mend it."""

    says = "{problem}"
    problem: str


class _Table:
    """A table that is read key by key; what is left over at the end was misspelt."""

    def __init__(self, given: Any, where: str) -> None:
        if not isinstance(given, dict):
            raise ConfigurationError(f"{where} must be a table.")
        self.left, self.where = dict(given), where

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        value = self.left.pop(key, default)
        if value is None:
            raise ConfigurationError(f"{self.where} lacks {key}.")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ConfigurationError(f"{self.where}: {key} must be of the kind {kind.__name__}.")
        return value

    def words(self, key: str, default: frozenset[str]) -> frozenset[str]:
        return frozenset(str(value) for value in self.take(key, list, sorted(default)))

    def one_of(self, key: str, *allowed: str) -> str:
        value = str(self.take(key, str, allowed[0]))
        if value not in allowed:
            raise ConfigurationError(f"{self.where}: {key} is one of {', '.join(allowed)}.")
        return value

    def done(self) -> None:
        if self.left:
            raise ConfigurationError(f"{self.where}: nothing is called {', '.join(sorted(self.left))}.")


def read(path: Path) -> list[Gateway | Centre]:
    """The providers of a file. Raises ConfigurationError. No file, no providers."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}).") from None
    if mode & 0o077:
        raise ConfigurationError(f"others may read {path}, which holds passwords. Run: chmod 600 {path}")
    try:
        given = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no TOML ({error}).") from None
    listed = given.pop("providers", [])
    if given or not isinstance(listed, list):
        raise ConfigurationError(f"{path} has [[providers]] and nothing else.")
    found = [_provider(_Table(one, f"{path}, provider {number}")) for number, one in enumerate(listed, 1)]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{path}: two providers are called {name}.")
    return found


def _provider(table: _Table) -> Gateway | Centre:
    kind = table.take("kind", str)
    name = table.take("name", str)
    if not name.replace("-", "").isalnum() or not name.isascii() or len(name) > 40:
        raise ConfigurationError(f"{table.where}: name has letters, digits and dashes, at most 40.")
    if kind == "http":
        return _gateway(name, table)
    if kind == "smpp":
        return _centre(name, table)
    raise ConfigurationError(f"{table.where}: kind is http or smpp.")


def _gateway(name: str, table: _Table) -> Gateway:
    headers: Mapping[str, str] = {str(key): str(value) for key, value in table.take("headers", dict, {}).items()}
    success = _Table(table.take("success", dict, {}), f"{table.where}, success")
    reports = table.take("reports", dict, {})
    gateway = Gateway(
        name=name,
        url=table.take("url", str),
        method=table.one_of("method", "POST", "GET", "PUT"),
        headers=headers,
        body=table.take("body", str, ""),
        success=Success(
            statuses=frozenset(int(value) for value in success.words("statuses", frozenset({"200", "201", "202"}))),
            path=success.take("path", str, ""),
            values=success.words("values", frozenset()),
        ),
        reference=table.take("reference", str, ""),
        final_path=table.take("final_path", str, ""),
        final=table.words("final", frozenset()),
        repeatable=table.take("repeatable", bool, False),
        number=table.one_of("number", "e164", "digits"),
        reports=_reports(_Table(reports, f"{table.where}, reports")) if reports else None,
    )
    success.done()
    table.done()
    if not gateway.url.startswith(("http://", "https://")):
        raise ConfigurationError(f"{table.where}: url begins with https://.")
    if "{to}" not in gateway.url + gateway.body or "{text}" not in gateway.url + gateway.body:
        raise ConfigurationError(f"{table.where}: url and body must have places for {{to}} and {{text}}.")
    return gateway


def _reports(table: _Table) -> Reports:
    known = Reports("", "")
    reports = Reports(
        secret=table.take("secret", str),
        header=table.take("header", str),
        algorithm=table.one_of("algorithm", "sha256", "sha512", "sha1"),
        encoding=table.one_of("encoding", "hex", "base64"),
        prefix=table.take("prefix", str, ""),
        reference=table.take("reference", str, known.reference),
        outcome=table.take("outcome", str, known.outcome),
        reason=table.take("reason", str, ""),
        delivered=table.words("delivered", known.delivered),
        waiting=table.words("waiting", known.waiting),
    )
    table.done()
    if len(reports.secret) < 16:
        raise ConfigurationError(f"{table.where}: secret has 16 characters at least.")
    return reports


def _centre(name: str, table: _Table) -> Centre:
    centre = Centre(
        name=name,
        host=table.take("host", str),
        port=table.take("port", int, 2775),
        system_id=table.take("system_id", str),
        password=table.take("password", str),
        source=table.take("source", str, "Rahdari"),
        system_type=table.take("system_type", str, ""),
        tls=table.take("tls", bool, False),
        receipt_numbers=table.one_of("receipt_numbers", "same", "decimal"),
    )
    table.done()
    # SMPP 3.4, 4.1.1 and 5.2: what does not fit is cut off, and the centre then knows somebody else.
    for key, value, longest in (
        ("system_id", centre.system_id, 15),
        ("password", centre.password, 8),
        ("source", centre.source, 20 if centre.source.isdigit() else 11),
    ):
        if len(value) > longest:
            raise ConfigurationError(f"{table.where}: {key} has {longest} characters at most.")
    return centre


def make(found: Gateway | Centre, *, told: Told) -> Provider:
    return HttpProvider(found, told=told) if isinstance(found, Gateway) else SmppProvider(found, told=told)


def printed(folder: Path, *, told: Told) -> Provider:
    return PrintedProvider(name="printed", folder=folder, told=told)
