"""What the agent shows the server of itself: a token, a certificate, or both. Neither leaves this machine in a message.

Both are read anew when their files change, so that they are replaced while the agent runs. While a new certificate is
half in place, the one before is shown.
"""

import datetime as dt
import logging
import ssl
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from urllib3.util.ssl_ import create_urllib3_context

from .configuration import Configuration
from .faults import AgentFault, Exit

log = logging.getLogger("rahdari.agent")

# Inode, size and time of change: another file, or the same one written anew.
type Stamp = tuple[tuple[int, int, int] | None, ...]


class TokenUnreadable(AgentFault):
    exit = Exit.USAGE

    def __init__(self, path: Path, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        super().__init__(
            f"The token file {path} cannot be read: {reason}.",
            "Put the token that you were given into it, on one line, readable by the agent's user alone.",
        )


class CertificateUnusable(AgentFault):
    exit = Exit.USAGE

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"{what} cannot be used: {why}.",
            "Check `client_certificate`, `client_key` and `ca_file`: PEM files that the agent's user can read, a key "
            "without a passphrase, and of the same pair as the certificate.",
        )


def read_token(path: Path) -> str:
    """Raises TokenUnreadable."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenUnreadable(path, error) from None
    if not token or not token.isprintable() or " " in token:
        raise TokenUnreadable(path, ValueError("it does not hold one token"))
    return token


class Credentials:
    """The token for each request, and the TLS context that holds for the files as they are now."""

    def __init__(self, configuration: Configuration) -> None:
        self._token_file = configuration.token_file
        self._certificate, self._key = configuration.client_certificate, configuration.client_key
        self._ca_file = configuration.ca_file
        self._seen: Stamp | None = None
        self._context: ssl.SSLContext | None = None

    def headers(self) -> dict[str, str]:
        """Raises TokenUnreadable."""
        return {} if self._token_file is None else {"Authorization": f"Bearer {read_token(self._token_file)}"}

    def check(self) -> None:
        """Raises TokenUnreadable, CertificateUnusable."""
        self.headers()
        self.context()

    def context(self) -> ssl.SSLContext:
        """Raises CertificateUnusable, unless an earlier one can still be used."""
        stamp = tuple(map(_stamp, (self._certificate, self._key, self._ca_file)))
        if self._context is not None and stamp == self._seen:
            return self._context
        try:
            made = self._made()
        except CertificateUnusable as fault:
            if self._context is None:
                raise
            if stamp != self._seen:
                log.warning("%s The one before stays in use.", fault)
                self._seen = stamp
            return self._context
        self._context, self._seen = made, stamp
        return made

    def bare_context(self) -> ssl.SSLContext:
        """Without our certificate, for who need not know us. Raises CertificateUnusable."""
        context = create_urllib3_context()
        if self._ca_file is None:
            context.load_default_certs()
        else:
            try:
                context.load_verify_locations(cafile=str(self._ca_file))
            except (OSError, ValueError) as error:
                raise CertificateUnusable(str(self._ca_file), _reason(error)) from None
        return context

    def _made(self) -> ssl.SSLContext:
        context = self.bare_context()
        if self._certificate is not None:
            try:
                # A passphrase that is never right, for OpenSSL would ask for one at the terminal.
                context.load_cert_chain(str(self._certificate), self._key and str(self._key), password="")
            except (OSError, ValueError) as error:
                raise CertificateUnusable(f"The certificate {self._certificate}", _reason(error)) from None
        return context

    def certificate_ends_at(self) -> dt.datetime | None:
        """When our own certificate ends, if there is one that can be read."""
        if self._certificate is not None:
            with suppress(OSError, ValueError):
                return x509.load_pem_x509_certificate(self._certificate.read_bytes()).not_valid_after_utc
        return None


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is not None:
        with suppress(OSError):
            stat = path.stat()
            return (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return None


def _reason(error: Exception) -> str:
    """In words; OpenSSL's own are for its programmers."""
    if isinstance(error, ssl.SSLError):
        known = {"KEY_VALUES_MISMATCH": "key and certificate are not of one pair", "PEM_LIB": "it is no PEM file"}
        return known.get(error.reason or "", error.reason or "it is no PEM file")
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
