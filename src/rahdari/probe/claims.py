"""What an applicant claims of an address, one shape for each method: what a probe holds the world against.

A claim is checked when it is made (ValueError says which field will not do) and is plain data between processes:
`as_data` gives it, `claim_from` reads it and takes nothing that it does not know. A claim may hold a secret made for
this proof alone (`SECRETS`): whoever keeps or logs a claim leaves these out.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from . import openvpn_keys, tls, wireguard

# A line of text and its path, as they stand in a file.
LONGEST_TEXT = 512
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.ASCII)


class Method(StrEnum):
    """The ways, by the words that policies, records and messages use."""

    HTTP = "http"
    TLS_ALPN = "tls-alpn"
    TLS = "tls"
    SSTP = "sstp"
    OPENVPN = "openvpn"
    WIREGUARD = "wireguard"
    IKEV2 = "ikev2"
    DNS = "dns"


@dataclass(frozen=True)
class Claim:
    """What all have in common. `PORT` is the usual one; a method that needs its one port has no other."""

    METHOD: ClassVar[Method]
    PORT: ClassVar[int]
    SECRETS: ClassVar[frozenset[str]] = frozenset()
    # Whether several places may ask at once. A WireGuard peer that is asked with one key from two places takes the
    # initiation with the later time alone.
    AT_ONCE: ClassVar[bool] = True

    def as_data(self) -> dict[str, Any]:
        return {"method": self.METHOD.value, **dataclasses.asdict(self)}

    def without_secrets(self) -> dict[str, Any]:
        """For a record."""
        return {name: value for name, value in self.as_data().items() if name not in self.SECRETS}


@dataclass(frozen=True)
class HttpClaim(Claim):
    """`line` stands alone on a line of a short text at `path`, as in ACME's HTTP-01."""

    METHOD: ClassVar[Method] = Method.HTTP
    PORT: ClassVar[int] = 80

    line: str
    path: str = "/.well-known/rahdari.txt"
    port: int = 80
    limit: int = 2_048

    def __post_init__(self) -> None:
        _check_port(self.port)
        _check_text("line", self.line)
        if not re.fullmatch(r"/[\x21-\x7e]{0,255}", self.path):
            raise ValueError("`path` begins with / and has printable ASCII without spaces, at most 256 signs")
        if not 1 <= self.limit <= 65_536:
            raise ValueError("`limit` is a number of bytes up to 65536")


@dataclass(frozen=True)
class AlpnClaim(Claim):
    """TLS-ALPN-01: the server shows a certificate made for this key authorization (RFC 8737, RFC 8738)."""

    METHOD: ClassVar[Method] = Method.TLS_ALPN
    PORT: ClassVar[int] = 443

    key_authorization: str
    port: int = 443

    def __post_init__(self) -> None:
        _check_port(self.port)
        _check_text("key_authorization", self.key_authorization)


@dataclass(frozen=True)
class TlsClaim(Claim):
    """The holder of the certificate with this SHA-256 answers TLS there."""

    METHOD: ClassVar[Method] = Method.TLS
    PORT: ClassVar[int] = 443

    fingerprint: str
    port: int = 443
    server_name: str = ""

    def __post_init__(self) -> None:
        _check_port(self.port)
        tls.parse_fingerprint(self.fingerprint)
        if self.server_name:
            check_host(self.server_name)


@dataclass(frozen=True)
class SstpClaim(TlsClaim):
    """The same, and it speaks SSTP."""

    METHOD: ClassVar[Method] = Method.SSTP


@dataclass(frozen=True)
class OpenVpnClaim(Claim):
    """The holder of the certificate with this SHA-256 answers OpenVPN there, over UDP or TCP.

    `wrap`, `shared_key`, `direction` and `digest` come from a client profile made for this check, where the daemon
    hides behind tls-auth, tls-crypt or tls-crypt-v2 (`openvpn_keys.read_profile`).
    """

    METHOD: ClassVar[Method] = Method.OPENVPN
    PORT: ClassVar[int] = 1194
    SECRETS: ClassVar[frozenset[str]] = frozenset({"shared_key"})

    fingerprint: str
    port: int = 1194
    tcp: bool = False
    wrap: str = ""
    shared_key: str = ""
    direction: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        _check_port(self.port)
        tls.parse_fingerprint(self.fingerprint)
        openvpn_keys.wrapping(self.wrap, self.shared_key, self.direction, self.digest)


@dataclass(frozen=True)
class WireguardClaim(Claim):
    """The holder of `peer_key` has our one-time key among its peers. `psk` if they set one for it.

    `moment` is the time in microseconds that our initiations begin to show, 0 for the clock of whoever asks: a peer
    takes no time that is not later than the last, so that places with clocks of their own would lock each other out.
    """

    METHOD: ClassVar[Method] = Method.WIREGUARD
    PORT: ClassVar[int] = 51_820
    SECRETS: ClassVar[frozenset[str]] = frozenset({"private_key", "psk"})
    AT_ONCE: ClassVar[bool] = False

    private_key: str
    peer_key: str
    psk: str = ""
    port: int = 51_820
    moment: int = 0

    def __post_init__(self) -> None:
        _check_port(self.port)
        for key in filter(None, (self.private_key, self.peer_key, self.psk)):
            wireguard.parse_key(key)
        if not self.private_key or not self.peer_key:
            raise ValueError("both keys are needed")
        if not 0 <= self.moment < 2**53:
            raise ValueError("`moment` is a time in microseconds")


@dataclass(frozen=True)
class IkeClaim(Claim):
    """The holder of the certificate with this SHA-256 answers IKEv2 there: at 500, then at 4500; or at `port` alone.

    `server_name` is whom the client asks for, where several live behind one address.
    """

    METHOD: ClassVar[Method] = Method.IKEV2
    PORT: ClassVar[int] = 500

    fingerprint: str
    port: int = 500
    server_name: str = ""

    def __post_init__(self) -> None:
        _check_port(self.port)
        tls.parse_fingerprint(self.fingerprint)
        if self.server_name:
            check_host(self.server_name)


@dataclass(frozen=True)
class DnsClaim(Claim):
    """`name` leads to the address, and whoever holds the name put `value` into a TXT record beside it."""

    METHOD: ClassVar[Method] = Method.DNS
    PORT: ClassVar[int] = 53

    name: str
    value: str

    def __post_init__(self) -> None:
        check_host(self.name)
        _check_text("value", self.value)
        if len(self.value) > 255:
            raise ValueError("`value` has at most 255 signs")


CLAIMS: dict[Method, type[Claim]] = {
    kind.METHOD: kind
    for kind in (HttpClaim, AlpnClaim, TlsClaim, SstpClaim, OpenVpnClaim, WireguardClaim, IkeClaim, DnsClaim)
}


def claim_from(data: Mapping[str, Any]) -> Claim:
    """What `as_data` gave. Raises ValueError for what is missing, unknown, or of another kind."""
    rest = dict(data)
    try:
        kind = CLAIMS[Method(rest.pop("method", None))]
    except ValueError:
        raise ValueError(f"`method` is one of {', '.join(Method)}") from None
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(set(rest) - set(fields)):
        raise ValueError(f"`{unknown[0]}` is not known for this method")
    for name, field in fields.items():
        if name not in rest:
            if field.default is dataclasses.MISSING:
                raise ValueError(f"`{name}` is missing")
        elif type(rest[name]) is not field.type:
            raise ValueError(f"`{name}` is of another kind")
    return kind(**rest)


def check_host(name: str) -> None:
    """Raises ValueError unless this is a host name in the form that DNS has it: small ASCII letters."""
    if not _HOST.fullmatch(name):
        raise ValueError("a host name has parts of small letters, digits and hyphens, like vpn.sample.example")


def _check_port(port: int) -> None:
    if not 1 <= port <= 65_535:
        raise ValueError("a port lies between 1 and 65535")


def _check_text(name: str, text: str) -> None:
    if not re.fullmatch(rf"[\x21-\x7e]{{1,{LONGEST_TEXT}}}", text):
        raise ValueError(f"`{name}` is printable ASCII without spaces, at most {LONGEST_TEXT} signs")
