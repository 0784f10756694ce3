"""What rule languages call protocols and ports, and how they write addresses.

Names of ports are those of Cisco, Juniper and of `/etc/services` for what stands in filters; where one name means two
ports to different makers, it is not here.
"""

import ipaddress
import re
from collections.abc import Mapping

from .change import EVERY_PROTOCOL, NotUnderstood, Trouble
from .space import ALL_OF, HIGHEST, PORTS, Addresses, Span, Spans, union, without

NONE: frozenset[str] = frozenset()
OTHER = frozenset({"other"})
BOTH_WITH_PORTS = frozenset({"tcp", "udp"})
_BY_NUMBER = {6: frozenset({"tcp"}), 17: frozenset({"udp"}), 50: frozenset({"esp"}), 47: frozenset({"gre"})}
_ICMP = {1, 58}
_NUMBERS = {
    "icmp": 1, "igmp": 2, "ipip": 4, "ipinip": 4, "ipencap": 4, "tcp": 6, "egp": 8, "igrp": 9, "igp": 9, "udp": 17,
    "dccp": 33, "ipv6-encap": 41, "rsvp": 46, "gre": 47, "esp": 50, "ipsec-esp": 50, "ah": 51, "ahp": 51,
    "ipsec-ah": 51, "icmp6": 58, "icmpv6": 58, "ipv6-icmp": 58, "eigrp": 88, "ospf": 89, "nos": 94, "etherip": 97,
    "pim": 103, "pcp": 108, "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136, "udp-lite": 136, "mpls-in-ip": 137,
}  # fmt: skip
EVERYTHING = frozenset({"ip", "ipv4", "ipv6", "any", "all"})
PORT_NAMES: Mapping[str, int] = {
    "echo": 7, "discard": 9, "daytime": 13, "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "time": 37,
    "whois": 43, "nicname": 43, "tacacs": 49, "tacacs-ds": 49, "domain": 53, "dns": 53, "bootps": 67, "dhcp": 67,
    "bootpc": 68, "tftp": 69, "gopher": 70, "finger": 79, "www": 80, "http": 80, "kerberos-sec": 88, "kerberos": 88,
    "pop2": 109, "pop3": 110, "sunrpc": 111, "ident": 113, "auth": 113, "nntp": 119, "ntp": 123, "netbios-ns": 137,
    "netbios-dgm": 138, "netbios-ssn": 139, "netbios-ss": 139, "imap": 143, "snmp": 161, "snmptrap": 162, "xdmcp": 177,
    "bgp": 179, "irc": 194, "imap3": 220, "ldap": 389, "mobile-ip": 434, "https": 443, "snpp": 444,
    "microsoft-ds": 445, "isakmp": 500, "ike": 500, "exec": 512, "biff": 512, "login": 513, "who": 513, "syslog": 514,
    "talk": 517, "rip": 520, "ripng": 521, "klogin": 543, "kshell": 544, "ldp": 646, "ldaps": 636, "imaps": 993,
    "pop3s": 995, "openvpn": 1194, "socks": 1080, "l2tp": 1701, "pptp": 1723, "radius": 1812, "radacct": 1813,
    "nfsd": 2049, "ipsec-nat-t": 4500, "non500-isakmp": 4500, "sip": 5060, "sips": 5061, "wireguard": 51820,
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
_LOOKS_LIKE_HOST = re.compile(r"(?=.*[a-zA-Z])[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)+\.?", re.ASCII)
_BYTE = r"(0|[1-9]\d{0,2})"
# The first of the addresses of IPv6 that stand for those of IPv4 (RFC 4291, 2.5.5.2).
_MAPPED = 0xFFFF << 32
# A wildcard mask with gaps stands for so many blocks at most.
MOST_OF_A_MASK = 4_096
_V4 = re.compile(rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}(?:/(\d{{1,2}}))?", re.ASCII)


def protocols(text: str) -> tuple[frozenset[str], bool]:
    """Which of the protocols that are told apart, and whether it is only a part of one (any but the five). Raises
    NotUnderstood."""
    name = text.lower()
    if name in EVERYTHING:
        return EVERY_PROTOCOL, False
    number = _NUMBERS.get(name)
    if number is None:
        if not _NUMBER.fullmatch(name) or int(name) > 255:
            raise NotUnderstood(Trouble.PROTOCOL, text)
        number = int(name)
    if number in _ICMP:
        return NONE, False
    return (_BY_NUMBER[number], False) if number in _BY_NUMBER else (OTHER, True)


def is_protocol(text: str) -> bool:
    try:
        protocols(text)
    except NotUnderstood:
        return False
    return True


def port(text: str) -> int:
    """By number or name. Raises NotUnderstood."""
    number = PORT_NAMES.get(text.lower())
    if number is not None:
        return number
    if _NUMBER.fullmatch(text) and int(text) <= 65_535:
        return int(text)
    raise NotUnderstood(Trouble.PORT, text)


def ports(text: str) -> Span:
    """One, or a range as `1194-1200`. Raises NotUnderstood."""
    if text.lower() not in PORT_NAMES:
        first, dash, last = text.partition("-")
        if dash:
            span = port(first), port(last)
            if span[0] > span[1]:
                raise NotUnderstood(Trouble.PORT, text)
            return span
    return port(text), port(text)


def compared(operator: str, words: "list[str]") -> Spans:
    """Ports as access lists compare them: `eq 500 4500`, `range 1 9`, `gt`, `lt`, `neq`. Raises NotUnderstood."""
    numbers = [port(word) for word in words]
    if operator == "range":
        if numbers[0] > numbers[1]:
            raise NotUnderstood(Trouble.PORT, words[0])
        return ((numbers[0], numbers[1]),)
    if operator == "gt":
        return union([(numbers[0] + 1, 65_535)] if numbers[0] < 65_535 else [])
    if operator == "lt":
        return union([(0, numbers[0] - 1)] if numbers[0] else [])
    exactly = union((number, number) for number in numbers)
    return without(PORTS, exactly) if operator == "neq" else exactly


def written(text: str) -> Addresses:
    """As `addresses`, from a person's hand: an address with a length that is no beginning of a prefix is a mistake, and
    which one is not guessed. Raises NotUnderstood."""
    found = addresses(text)
    if "/" in text:
        version = 4 if found.v4 else 6
        base = addresses(text.partition("/")[0]).of(version)
        if base and base[0][0] != found.of(version)[0][0]:
            raise NotUnderstood(Trouble.HOST_BITS, text)
    return found


def addresses(text: str) -> Addresses:
    """An address, a prefix (whose bits beyond its length count for nothing, as for routers) or a range `a-b`; of IPv4
    also as IPv6 writes it (::ffff:192.0.2.1). Raises NotUnderstood."""
    # Nearly all of them, and several times as quick.
    if found := _V4.fullmatch(text):
        numbers = [int(each) for each in found.groups(default="32")]
        if max(numbers[:4]) <= 255 and numbers[4] <= 32:
            width = 2 ** (32 - numbers[4])
            first = (numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]) // width * width
            return Addresses(v4=((first, first + width - 1),))
    try:
        if "-" in text:
            first, _, last = text.partition("-")
            ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            if ends[0].version != ends[1].version or int(ends[0]) > int(ends[1]):
                raise NotUnderstood(Trouble.ADDRESS, text)
            return _plain(ends[0].version, (int(ends[0]), int(ends[1])))
        block = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise NotUnderstood(Trouble.HOST_NAME if _LOOKS_LIKE_HOST.fullmatch(text) else Trouble.ADDRESS, text) from None
    first_number = int(block.network_address)
    return _plain(block.version, (first_number, first_number + block.num_addresses - 1))


def _plain(version: int, span: Span) -> Addresses:
    first, last = span
    if version == 6 and first >= _MAPPED and last <= _MAPPED + HIGHEST[4]:
        return of_span(4, (first - _MAPPED, last - _MAPPED))
    return of_span(version, span)


def of_span(version: int, span: Span) -> Addresses:
    return Addresses(v4=(span,)) if version == 4 else Addresses(v6=(span,))


def masked(address: str, mask: str, *, wildcard: bool) -> Addresses:
    """IPv4 with a mask, or with a wildcard mask, which may have gaps. Raises NotUnderstood, also for a mask with gaps
    and for a wildcard mask that stands for more than MOST_OF_A_MASK blocks."""
    try:
        base, bits = int(ipaddress.IPv4Address(address)), int(ipaddress.IPv4Address(mask))
    except ValueError:
        raise NotUnderstood(Trouble.ADDRESS, f"{address} {mask}") from None
    free = bits if wildcard else bits ^ HIGHEST[4]
    first = base & ~free & HIGHEST[4]
    # What is free from the lowest bit on is in one piece; of the other bits that are free each combination is a block.
    whole = (free ^ (free + 1)) >> 1
    gaps = free & ~whole
    if gaps and (not wildcard or 1 << gaps.bit_count() > MOST_OF_A_MASK):
        raise NotUnderstood(Trouble.MASK, mask)
    spans, part = [(first, first + whole)], 0
    while part := (part - gaps) & gaps:
        spans.append((first + part, first + part + whole))
    return Addresses(v4=tuple(spans))


def families(of: Addresses) -> Addresses:
    """All addresses of the families that these have."""
    return Addresses(ALL_OF[4].v4 if of.v4 else (), ALL_OF[6].v6 if of.v6 else ())
