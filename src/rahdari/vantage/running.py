"""Make a vantage's files, and serve it with granian."""

import hashlib
import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from .app import VantageApp
from .configuration import FILE, Configuration, ConfigurationError, load

SETTINGS = "RAHDARI_VANTAGE"
_TEMPLATE = """\
# A vantage point of Rahdari: it probes for one register, and for nobody else. docs/vantage.md says what each line does.
name = "{name}"
listen = "{listen}"
key_file = "vantage.key"
token_sha256 = "{token_sha256}"
# For proofs by DNS, resolvers that check DNSSEC:
resolvers = []
at_once = 8
a_minute = 120
a_minute_each = 12
behind_proxy = false

# Speak TLS here, and let in nobody without a certificate of this authority:
# [tls]
# certificate = "vantage.crt"
# key = "vantage-tls.key"
# client_ca = "register-ca.pem"
"""


class AlreadyThere(Exception):
    """A vantage was made in this folder before."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already; another vantage needs another folder (--folder DIR).")


@dataclass(frozen=True)
class Made:
    """What was made. The token is shown once and lies nowhere."""

    configuration: Path
    public_key: str
    token: str


def make(folder: Path, *, name: str, listen: str) -> Made:
    """Key, token and settings. Raises AlreadyThere, and ConfigurationError for a name or place that will not do."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    path, key_file = folder / FILE, folder / "vantage.key"
    for each in (path, key_file):
        if each.exists():
            raise AlreadyThere(each)
    key, token = Ed25519PrivateKey.generate(), secrets.token_urlsafe(32)
    token_sha256 = hashlib.sha256(token.encode("ascii")).hexdigest()
    draft = folder / f"{FILE}.new"
    draft.write_text(_TEMPLATE.format(name=name, listen=listen, token_sha256=token_sha256), encoding="utf-8")
    try:
        load(draft)
    except ConfigurationError:
        draft.unlink()
        raise
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    draft.replace(path)
    return Made(path, key.public_key().public_bytes_raw().hex(), token)


def read_key(path: Path) -> Ed25519PrivateKey:
    """Raises ConfigurationError."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(path, [f"Others can read this key. Run: chmod 600 {path}"])
    except OSError as error:
        raise ConfigurationError(path, [f"The key cannot be read ({error.strerror})."]) from None
    except (ValueError, TypeError):
        raise ConfigurationError(path, ["This is no private key."]) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(path, ["This is no Ed25519 key."])
    return key


def application() -> VantageApp:
    """For granian's worker, which finds the settings by the environment."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    configuration = load(Path(os.environ[SETTINGS]))
    return VantageApp(configuration, read_key(configuration.key_file))


def serve(path: Path) -> None:
    """Until it is told to stop. Raises ConfigurationError before anything is begun."""
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    configuration: Configuration = load(path)
    read_key(configuration.key_file)
    os.environ[SETTINGS] = str(path.absolute())
    tls = configuration.tls
    Granian(
        "rahdari.vantage.running:application",
        factory=True,
        address=configuration.host,
        port=configuration.port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        workers=1,
        backpressure=4 * configuration.at_once,
        respawn_failed_workers=True,
        # No attempt lasts longer.
        workers_kill_timeout=30,
        log_level=LogLevels.warning,
        log_access=False,
        websockets=False,
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
        ssl_ca=tls.client_ca if tls else None,
        ssl_client_verify=bool(tls and tls.client_ca),
    ).serve()
