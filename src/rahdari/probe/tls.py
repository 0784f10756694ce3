"""Prove a TLS endpoint by its certificate: SSTP, OpenVPN over a TLS wrapper, AnyConnect-style servers, any HTTPS.

A TLS handshake that ends shows that the other side used the private key of the certificate it sent (RFC 8446 4.4.3, RFC
5246 7.4.3 and 7.4.7.1). Whether the certificate is trusted by anybody is not asked: the applicant named its SHA-256.

`challenge` is TLS-ALPN-01 for addresses (RFC 8737, RFC 8738): the server shows, for this one protocol name, a
certificate made for this challenge.
"""

import hashlib
import hmac
import ipaddress
import re
import selectors
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from cryptography import x509

from rahdari.address import Address, Block

from .channel import Channel, check_global, network_outcomes
from .outcome import Outcome, Over, ProbeAnswer

TIMEOUT = 10.0
ALPN = "acme-tls/1"
ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
# [MS-SSTP] 3.2.4.1: the one request of an SSTP client.
SSTP_PATH = "/sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/"
SSTP_LENGTH = 2**64 - 1
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HEAD_LIMIT = 8_192

type _Ask = Callable[[ssl.SSLSocket, str], tuple[Outcome, str]]


def parse_fingerprint(text: str) -> str:
    """A certificate's SHA-256 in the one form we keep, 64 hex digits, from what openssl and others print.

    Raises ValueError.
    """
    plain = re.sub(r"^sha-?256( fingerprint)?[=:]", "", text.strip().lower())
    plain = re.sub(r"[\s:]", "", plain)
    if not _FINGERPRINT.fullmatch(plain):
        raise ValueError("a certificate's SHA-256 has 64 hex digits")
    return plain


def match_certificate(
    address: Address,
    *,
    port: int = 443,
    fingerprint: str,
    server_name: str = "",
    sstp: bool = False,
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
) -> ProbeAnswer:
    """One TLS handshake. Never raises for what the other side does.

    PROVED when the holder of that certificate's key answered (with `sstp`, and speaks SSTP: else ANSWERED), OTHER_KEY
    with the fingerprint found when it was another certificate, MALFORMED when what answered is no TLS.
    """
    wanted = parse_fingerprint(fingerprint)
    attempt = _Attempt(address, port, timeout, "sstp" if sstp else "tls")

    def ask(wrapped: ssl.SSLSocket, found: str) -> tuple[Outcome, str]:
        if not hmac.compare_digest(found, wanted):
            return Outcome.OTHER_KEY, ""
        if sstp and (status := _ask_sstp(attempt, wrapped, server_name or _host(address))) != 200:
            attempt.more["status"] = status
            return Outcome.ANSWERED, "no_sstp"
        return Outcome.PROVED, ""

    return attempt.run(_context(), server_name, allowed_ranges, ask)


def challenge(
    address: Address,
    *,
    key_authorization: str,
    port: int = 443,
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
) -> ProbeAnswer:
    """TLS-ALPN-01: PROVED when the certificate shown for it holds this key authorization and names this address."""
    attempt = _Attempt(address, port, timeout, "tls-alpn-01")
    context = _context()
    context.set_alpn_protocols([ALPN])

    def ask(wrapped: ssl.SSLSocket, found: str) -> tuple[Outcome, str]:
        if wrapped.selected_alpn_protocol() != ALPN:
            return Outcome.ANSWERED, "no_alpn"
        detail = _wrong_with(wrapped.getpeercert(binary_form=True) or b"", address, key_authorization)
        return (Outcome.OTHER_KEY, detail) if detail else (Outcome.PROVED, "")

    return attempt.run(context, reverse_name(address), allowed_ranges, ask)


def reverse_name(address: Address) -> str:
    """The server name for an address (RFC 8738 6): as in the reverse DNS."""
    return address.reverse_pointer


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the key is what is compared; no authority is asked
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Small routers have small keys: how strong theirs is, is not what is asked here.
    context.set_ciphers("DEFAULT@SECLEVEL=1")
    return context


class _Attempt:
    def __init__(self, address: Address, port: int, timeout: float, protocol: str) -> None:
        self._address, self._port, self._protocol = address, port, protocol
        self._started = time.monotonic()
        self._deadline = self._started + timeout
        self.more: dict[str, str | int | float | bool | None] = {}

    def left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def run(self, context: ssl.SSLContext, name: str, allowed_ranges: Iterable[str | Block], ask: _Ask) -> ProbeAnswer:
        found, sent = "", 0
        try:
            check_global(self._address, allowed_ranges)
            sent = 1
            channel = Channel(self._address, self._port, deadline=self._deadline, datagrams=False)
            try:
                with network_outcomes(), _explained(), self._wrap(context, channel, name) as wrapped:
                    found = hashlib.sha256(wrapped.getpeercert(binary_form=True) or b"").hexdigest()
                    self.more["tls"] = wrapped.version()
                    outcome, detail = ask(wrapped, found)
            finally:
                channel.close()
        except Over as over:
            outcome, detail = over.outcome, over.detail
        return ProbeAnswer(
            outcome=outcome,
            protocol=self._protocol,
            key=found,
            detail=detail,
            sent=sent,
            elapsed=time.monotonic() - self._started,
            more=self.more,
        )

    def _wrap(self, context: ssl.SSLContext, channel: Channel, name: str) -> ssl.SSLSocket:
        channel.socket.settimeout(self.left())
        # Step by step, so that one who sends a byte a second cannot outlast the deadline.
        wrapped = context.wrap_socket(
            channel.socket, server_hostname=name or None, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        try:
            wrapped.setblocking(False)
            _step(wrapped.do_handshake, wrapped, self.left)
        except BaseException:
            wrapped.close()
            raise
        return wrapped


def _step[T](act: Callable[[], T], wrapped: ssl.SSLSocket, left: Callable[[], float]) -> T:
    while True:
        try:
            return act()
        except ssl.SSLWantReadError:
            _wait(wrapped, selectors.EVENT_READ, left())
        except ssl.SSLWantWriteError:
            _wait(wrapped, selectors.EVENT_WRITE, left())


def _wait(wrapped: ssl.SSLSocket, event: int, seconds: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(wrapped, event)
        if not selector.select(seconds):
            raise TimeoutError


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        # An alert is an answer of TLS; a wrong version number as a rule is none.
        reason = error.reason or ""
        if "ALERT" in reason:
            raise Over(Outcome.ANSWERED, reason.lower()[:80]) from None
        if isinstance(error, ssl.SSLEOFError) or "EOF" in reason:
            raise Over(Outcome.RESET, "handshake") from None
        raise Over(Outcome.MALFORMED, reason.lower()[:80]) from None


def _ask_sstp(attempt: _Attempt, wrapped: ssl.SSLSocket, host: str) -> int | None:
    request = (
        f"SSTP_DUPLEX_POST {SSTP_PATH} HTTP/1.1\r\nHost: {host}\r\nSSTPCORRELATIONID: {{{uuid.uuid4()}}}\r\n"
        f"Content-Length: {SSTP_LENGTH}\r\n\r\n"
    ).encode("ascii")
    _step(lambda: wrapped.sendall(request), wrapped, attempt.left)
    head = b""
    while b"\r\n" not in head and len(head) < _HEAD_LIMIT:
        piece = _step(lambda: wrapped.recv(_HEAD_LIMIT), wrapped, attempt.left)
        if not piece:
            break
        head += piece
    status = _STATUS.match(head)
    return int(status[1]) if status else None


def _wrong_with(der: bytes, address: Address, key_authorization: str) -> str:
    """What makes this no certificate for the challenge; empty when it is one."""
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        identifier = extensions.get_extension_for_oid(ACME_IDENTIFIER)
    except x509.ExtensionNotFound:
        return "no_extension"
    except ValueError:
        return "no_certificate"
    if list(names) != [x509.IPAddress(address)]:
        return "other_name"
    value = identifier.value
    held = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    digest = hashlib.sha256(key_authorization.encode()).digest()
    # An OCTET STRING of 32 bytes.
    if not identifier.critical or not hmac.compare_digest(held, b"\x04\x20" + digest):
        return "other_token"
    return ""


def _host(address: Address) -> str:
    return f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
