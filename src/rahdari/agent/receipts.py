"""Telling the server what is in force here, signed. Failing to tell never fails a sync: it is kept and told again.

One receipt for each role whose edition came into force. It is kept unsigned and signed when it is sent, so that after
a change of keys what waits is signed by the new one. The key is made here, stays here, and signs receipts alone.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rahdari.feed import AppliedTarget, FeedFault, Receipt, SignedReceipt
from rahdari.feed.entry import time_text

from .atomic_files import put_file
from .configuration import Configuration
from .faults import AgentFault, Exit
from .state import AgentState, Marker, Position
from .transport import Server

KEY_FILE = "agent.pem"

# Once token and address are right the server takes these; any other refusal would be the same next time.
PASSING = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
}


class ReceiptNotTaken(AgentFault):
    """A note: what is enforced is enforced, the server only does not know of it yet."""

    exit = Exit.OK

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"The receipt could not be given to {url}: {why}.",
            "It is kept and sent again. Check `receipt_url` if it goes on.",
        )


class ReceiptRefused(AgentFault):
    exit = Exit.OK

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"{url} refused a receipt (HTTP {status}), and it was dropped.",
            "Tell the authority; check that this agent and the server have fitting versions.",
        )


class AgentKeyRefused(AgentFault):
    """Somebody at the authority revoked it: whether this machine is still in the right hands is to be asked."""

    exit = Exit.ALARM

    def __init__(self, url: str, key: str) -> None:
        super().__init__(
            f"{url} does not take receipts signed by this agent's key {key[:16]}.... They are kept.",
            "Ask the authority why. If the key was revoked and this machine is in order, make another: "
            "rahdari agent key --new",
        )


class AgentKeyUnusable(AgentFault):
    exit = Exit.OK

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The agent's key {path} cannot be used: {why}. Receipts wait; what is enforced stays enforced.",
            "Let the agent's user read it, or make another: rahdari agent key --new",
        )


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The agent's own, made when there is none. Raises AgentKeyUnusable."""
    path = folder / KEY_FILE
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return new_signing_key(folder)
    except OSError as error:
        raise AgentKeyUnusable(path, error.strerror or "it cannot be read") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise AgentKeyUnusable(path, "it is no private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise AgentKeyUnusable(path, "it is no Ed25519 key")
    return key


def new_signing_key(folder: Path) -> Ed25519PrivateKey:
    """In place of the one before. Raises AgentKeyUnusable."""
    key = Ed25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        put_file(folder / KEY_FILE, key.private_bytes(*form), 0o600)
    except OSError as error:
        raise AgentKeyUnusable(folder / KEY_FILE, error.strerror or "it cannot be written") from None
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """As the authority's page for this operator shows it."""
    return key.public_key().public_bytes_raw().hex()


def keep(*, state: AgentState, position: Position, markers: Iterable[Marker], now: dt.datetime) -> None:
    """Keep the receipt for an edition that came into force, within the caller's transaction."""
    here = (position.session, position.sequence)
    receipt = Receipt(
        session=position.session,
        sequence=position.sequence,
        digest=position.digest,
        applied_at=time_text(now),
        targets=tuple(
            AppliedTarget(
                name=marker.target,
                kind=marker.kind,
                loaded=marker.loaded,
                ok=not marker.fault and tuple(marker.positions.get(position.role, ())) == here,
            )
            for marker in sorted(markers, key=lambda marker: marker.target)
        ),
    )
    state.keep_receipt(receipt.body, now)


def send_receipts(
    *, state: AgentState, server: Server, configuration: Configuration, beside: Mapping[str, Any]
) -> AgentFault | None:
    """Oldest first; stops at the first that is not taken. `beside` are fields that each has beside what was kept."""
    url = configuration.receipt_url
    refused: AgentFault | None = None
    if not (waiting := state.receipts()):
        return None
    try:
        key = signing_key(state.folder)
    except AgentFault as fault:
        return fault
    for number, body in waiting:
        try:
            receipt = replace(Receipt.from_json(json.loads(body)), **beside)
            status, answer = server.post(url, SignedReceipt.sign(receipt, key).body)
        except AgentFault as fault:
            return ReceiptNotTaken(url, fault.what.rstrip("."))
        except (FeedFault, ValueError):
            # Kept by an earlier version, in a shape that is none today.
            status, answer = HTTPStatus.UNPROCESSABLE_ENTITY, b""
        if status in PASSING or status >= 500 or 300 <= status < 400:
            return ReceiptNotTaken(url, f"it answered with HTTP {status}")
        if status == HTTPStatus.UNPROCESSABLE_ENTITY and _field(answer) in {"key", "signature"}:
            return AgentKeyRefused(url, public_hex(key))
        if status >= 400:
            refused = ReceiptRefused(url, status)
        # Forgotten by a power cut it is sent once more, which changes nothing.
        with state.transaction(durable=False):
            state.drop_receipt(number)
    return refused


def _field(answer: bytes) -> str:
    """What the server says is wrong (RFC 9457)."""
    with suppress(ValueError, RecursionError):
        problem = json.loads(answer)
        if isinstance(problem, dict) and isinstance(problem.get("field"), str):
            return str(problem["field"])
    return ""
