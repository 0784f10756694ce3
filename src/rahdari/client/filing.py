"""An application from a file, TOML or JSON: begun, answered, checked, and sent if that is wanted.

Keys of idempotency are made of the file's own words, so the same file again goes on with the same application. A file
that was mended goes on with it by its number: nobody guesses which of two applications is meant.
"""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from .calling import Json, Refused, Register, Trouble

STEPS = ("company", "person", "contact", "purpose", "evidence", "association")
START = ("service", "fixed_address", "language", "mandate")
KNOWN = {"addresses", "documents", *START, *STEPS}


def read(path: Path) -> Json:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Trouble(f"{path} cannot be read ({error.strerror}).") from None
    try:
        found: Any = json.loads(content) if path.suffix == ".json" else tomllib.loads(content.decode())
    except ValueError as error:
        raise Trouble(f"{path} is no {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("service"), str):
        raise Trouble(f"{path} names no `service`. `rahdari my services` lists them.")
    if strange := sorted(set(found) - KNOWN):
        raise Trouble(f"{path}: {strange[0]} is not known. Known are: {', '.join(sorted(KNOWN))}.")
    return found


def key_of(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:40]


def file_application(register: Register, given: Json, folder: Path, into: str = "") -> Json:
    """Begin it, or go on with the one that is named, and fill it. Returns the application as it stands."""
    start: Json = {name: given[name] for name in START if name in given}
    reference = into or register.post("/applications", start, key=key_of("begin", given))["reference"]
    one = f"/applications/{reference}"
    stands = dict(register.get(one))
    if into and stands["service"] != given["service"]:
        raise Trouble(f"{into} is for {stands['service']}, and the file is for {given['service']}.")
    if stands["status"] != "draft":
        if into:
            raise Trouble(f"{into} was sent, so its answers stay as they are.")
        return stands
    try:
        _fill(register, one, given, folder)
    except Trouble as trouble:
        raise Trouble(f"{trouble}\nWhen it is mended, go on with: --into {reference}", trouble.code) from None
    return dict(register.get(one))


def _fill(register: Register, one: str, given: Json, folder: Path) -> None:
    for step in STEPS:
        if step in given:
            _at(step, lambda step=step: register.put(f"{one}/{step}", given[step]))
    there = {(each["address"], each["protocol"], each["port"]) for each in register.get(f"{one}/endpoints")["items"]}
    for number, address in enumerate(given.get("addresses", ()), start=1):
        _at(f"addresses, number {number}", lambda address=address: _add(register, one, address, there))
    for number, document in enumerate(given.get("documents", ()), start=1):
        _at(f"documents, number {number}", lambda document=document: _upload(register, one, document, folder))


def _at(place: str, act: Any) -> None:
    try:
        act()
    except Refused as error:
        raise Trouble(f"In {place}: {error}") from None


def _add(register: Register, one: str, address: Json, there: set[Any]) -> None:
    try:
        register.post(f"{one}/endpoints", address, key=key_of("address", one, address))
    except Refused as error:
        codes = {each.get("code") for each in error.problem.get("errors", ())}
        if codes != {"duplicate"} or not there:
            raise


def _upload(register: Register, one: str, document: Json, folder: Path) -> None:
    path = folder / str(document.get("file", ""))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Trouble(f"{path} cannot be read ({error.strerror}).") from None
    fields: dict[str, Any] = {"rule": document.get("rule", ""), "file": (path.name, content)}
    if day := document.get("valid_until"):
        fields["valid_until"] = str(day)
    digest = hashlib.sha256(content).hexdigest()
    register.upload(
        f"{one}/documents", fields, key=key_of("document", one, fields["rule"], path.name, digest, str(day))
    )


def send(register: Register, reference: str) -> Json:
    """Check it, and send it. Raises Trouble with what is missing."""
    one = f"/applications/{reference}"
    check = register.get(f"{one}/check")
    if not check["ready"]:
        lines = [f"  {each['step']}: {each['detail']} [{each['code']}]" for each in check["troubles"]]
        raise Trouble("\n".join([f"{reference} cannot be sent yet:", *lines]), 3)
    return dict(register.post(f"{one}/submit", {"declare": True}, key=key_of("submit", reference)))
