"""Which ways fit what runs at an endpoint, and what is read from what an applicant pastes. Pure.

A way that fits is offered first; none is closed because of it: people register one port and run another program there.
"""

import hashlib
import re
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rahdari.address import Part, Protocol
from rahdari.errors import RahdariError
from rahdari.probe import tls, wireguard

from .models import Method

MOST_PASTED = 64 * 1024
_KEY = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])")
_IKE_PORTS = frozenset({500, 4500})
# By what runs there, in the word of `rahdari.address.vpn`.
_OF = {
    "wireguard": (Method.WIREGUARD,),
    "openvpn_udp": (Method.OPENVPN,),
    "openvpn_tcp": (Method.OPENVPN, Method.TLS),
    "ikev2": (Method.IKEV2,),
    "l2tp": (Method.IKEV2,),
    "sstp": (Method.SSTP, Method.TLS),
    "anyconnect": (Method.TLS,),
    "pptp": (),
    "gre": (),
    "any": (),
}
# What has a page of its own, in the order in which it stands there.
LOOKED_AT = (
    Method.WIREGUARD,
    Method.OPENVPN,
    Method.IKEV2,
    Method.SSTP,
    Method.TLS,
    Method.HTTP,
    Method.TLS_ALPN,
    Method.DNS,
    Method.RECORD,
)


def fitting(runs: str, parts: Sequence[Part]) -> tuple[Method, ...]:
    """The ways of what runs there, the likeliest first. None where nothing is known of it.

    Of another protocol, whatever probably is at its first port.
    """
    if runs in _OF:
        return _OF[runs]
    first = parts[0]
    match first.protocol, first.port:
        case Protocol.ESP, _:
            return (Method.IKEV2,)
        case Protocol.UDP, port if port in _IKE_PORTS:
            return (Method.IKEV2,)
        case Protocol.UDP, 1194:
            return (Method.OPENVPN,)
        case Protocol.UDP, 51_820:
            return (Method.WIREGUARD,)
        case Protocol.UDP, _:
            return (Method.WIREGUARD, Method.OPENVPN)
        case Protocol.TCP, 1194:
            return (Method.OPENVPN,)
        case Protocol.TCP, 443:
            return (Method.SSTP, Method.OPENVPN, Method.TLS)
        case Protocol.TCP, _:
            return (Method.OPENVPN, Method.TLS)
    return ()


def usual_port(method: str, parts: Sequence[Part]) -> int:
    """The port to begin with: the first registered one where it can be that program's, else the usual one."""
    wanted = {Protocol.UDP if method in {Method.WIREGUARD, Method.IKEV2} else Protocol.TCP}
    if method == Method.OPENVPN:
        wanted.add(Protocol.UDP)
    found = next((part.port for part in parts if part.port is not None and part.protocol in wanted), None)
    if found is not None:
        # IKEv2 is asked at 500 and then at 4500 by the probe itself.
        return 500 if method == Method.IKEV2 and found in _IKE_PORTS else found
    return {Method.WIREGUARD: 51_820, Method.OPENVPN: 1194, Method.IKEV2: 500}.get(Method(method), 443)


class NoCertificate(RahdariError, ValueError):
    """What was given is no certificate. `.reason`: private_key (keep it!) | none."""

    says = "{reason}"
    reason: str


def fingerprint_of(given: str | bytes) -> str:
    """The SHA-256 of a certificate from what was pasted or sent: the certificate (PEM, or DER), or its fingerprint.

    Of several certificates the first counts: a server's own stands in front. Raises NoCertificate.
    """
    data = given.encode("utf-8", "replace") if isinstance(given, str) else given
    if b"-----BEGIN CERTIFICATE" in data:
        start = data.index(b"-----BEGIN CERTIFICATE")
        end = data.find(b"-----END CERTIFICATE-----", start)
        return _digest(data[start : end + len(b"-----END CERTIFICATE-----")], x509.load_pem_x509_certificate)
    if b"PRIVATE KEY" in data:
        raise NoCertificate("private_key")
    if isinstance(given, bytes) and data[:1] == b"\x30":
        return _digest(data, x509.load_der_x509_certificate)
    try:
        return tls.parse_fingerprint(data.decode("ascii"))
    except ValueError:
        raise NoCertificate("none") from None


def _digest(data: bytes, load: Callable[[bytes], x509.Certificate]) -> str:
    try:
        certificate = load(data)
        return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    except ValueError:
        raise NoCertificate("none") from None


def public_key_of(text: str) -> str | None:
    """A WireGuard key alone, or from a line around it (`PublicKey = ...`, `public key: ...`). None when there is none.

    Of several, the one that is named a public key.
    """
    named = re.search(r"public\s*key\s*[=:]\s*(\S+)", text, re.IGNORECASE)
    found = _KEY.search(named[1] if named else text)
    if found is None:
        return None
    try:
        wireguard.parse_key(found[0])
    except ValueError:
        return None
    return found[0]


def names_a_private_key(text: str) -> bool:
    """Whether a whole WireGuard configuration was pasted, private key and all."""
    return re.search(r"private\s*key\s*[=:]", text, re.IGNORECASE) is not None
