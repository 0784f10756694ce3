"""The client certificate that a proxy passes on in a header.

A certificate is no secret: what counts is that the proxy saw its key used. So the header is believed only when its name
was configured and the connection comes from a proxy that we trust; from anyone else it is as if it were not there.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import unquote_to_bytes

Network = IPv4Network | IPv6Network

HEADER_BYTES = 16 * 1024
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


def networks(text: str) -> tuple[Network, ...]:
    """From a list with commas or spaces between. Raises ValueError."""
    return tuple(ip_network(part, strict=False) for part in text.replace(",", " ").split())


def is_from(address: str, proxies: Iterable[Network]) -> bool:
    """A connection over a Unix socket has no address, and comes from whoever may open it."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in proxies)


def der_of(value: bytes) -> bytes | None:
    """The certificate in one of three forms: RFC 9440 (`:base64:`), PEM in percent escapes (nginx), plain base64 of
    the DER (HAProxy). None when it is none of them."""
    if not 0 < len(value) <= HEADER_BYTES:
        return None
    text = value.strip()
    if text.startswith(b":") and text.endswith(b":"):
        text = text[1:-1]
    elif text.startswith(b"-----BEGIN"):
        found = _PEM.match(unquote_to_bytes(text))
        if found is None:
            return None
        text = b"".join(found[1].split())
    try:
        return base64.b64decode(text, validate=True) or None
    except binascii.Error:
        return None
