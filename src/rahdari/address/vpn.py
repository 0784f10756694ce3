"""What runs at an address: each VPN service, with the protocols and ports that it needs. This is the one place.

IPsec is IKE at UDP 500, behind address translation IKE and the traffic at UDP 4500, and else the traffic as ESP; a part
alone is no tunnel. AH (protocol 51) is not among them: it carries nothing through address translation, IKEv2 gateways
use ESP (RFC 8221), and the feed has no word for it; whoever needs it registers everything at the address.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .endpoint import MOST_PARTS, EndpointError, EndpointFault, Part, Protocol, format_ports, in_order

OTHER = "other"


@dataclass(frozen=True, slots=True)
class VpnService:
    """A service with all its parts.

    `name` is the same in every language; none where the parts say it all. `at_own_ports`: the protocols in which it may
    listen at other ports. `signs`: the parts that nothing else uses, so that who names one of them means the whole.
    """

    key: str
    name: str
    parts: tuple[Part, ...]
    at_own_ports: tuple[Protocol, ...] = ()
    signs: tuple[Part, ...] = ()


_UDP, _TCP = Protocol.UDP, Protocol.TCP
_IPSEC = (Part(_UDP, 500), Part(_UDP, 4500), Part(Protocol.ESP))
_L2TP = Part(_UDP, 1701)
_PPTP = Part(_TCP, 1723)
VPN_SERVICES: dict[str, VpnService] = {
    service.key: service
    for service in (
        VpnService("wireguard", "WireGuard", (Part(_UDP, 51820),), (_UDP,)),
        VpnService("openvpn_udp", "OpenVPN", (Part(_UDP, 1194),), (_UDP,)),
        VpnService("openvpn_tcp", "OpenVPN", (Part(_TCP, 443),), (_TCP,)),
        VpnService("ikev2", "IKEv2", _IPSEC, signs=_IPSEC),
        VpnService("l2tp", "L2TP/IPsec", in_order((*_IPSEC, _L2TP)), signs=(_L2TP,)),
        VpnService("sstp", "SSTP", (Part(_TCP, 443),), (_TCP,)),
        # TLS, and beside it DTLS, without which it is slow.
        VpnService("anyconnect", "AnyConnect", (Part(_TCP, 443), Part(_UDP, 443)), (_TCP, _UDP)),
        VpnService("pptp", "PPTP", (_PPTP, Part(Protocol.GRE)), signs=(_PPTP,)),
        VpnService("gre", "", (Part(Protocol.GRE),)),
        VpnService("any", "", (Part(Protocol.ANY),)),
    )
}
# What the page offered before, still said by programs and files.
BEFORE = {"ikev2_nat": "ikev2"}


def parts_of(key: str, *, protocol: Protocol | None = None, ports: Iterable[int] = ()) -> tuple[Part, ...]:
    """All parts of what runs there: the service's own, at other ports where it takes them. For `other` the protocol,
    at these ports or at all. Raises EndpointError.
    """
    given = tuple(ports)
    service = VPN_SERVICES.get(BEFORE.get(key, key))
    if service is None:
        if protocol is None:
            raise EndpointError(EndpointFault.PROTOCOL_UNKNOWN, "")
        parts = completed([Part(protocol, port) for port in given] or [Part(protocol)])
    elif given and service.at_own_ports:
        parts = in_order(Part(each, port) for each in service.at_own_ports for port in given)
    elif given and not set(given) <= {part.port for part in service.parts}:
        fixed = ports_of(service.parts)
        reason = EndpointFault.PORTS_ARE_FIXED if fixed else EndpointFault.PORT_WITHOUT_PROTOCOL
        raise EndpointError(reason, format_ports(given), suggestion=format_ports(fixed))
    else:
        parts = service.parts
    if len(parts) > MOST_PARTS:
        raise EndpointError(EndpointFault.TOO_MANY, format_ports(given), limit=MOST_PARTS)
    return parts


def completed(parts: Iterable[Part]) -> tuple[Part, ...]:
    """With the rest of each service of which a sign is there: UDP 500 alone is IPsec, and useless alone."""
    found = set(parts)
    for service in VPN_SERVICES.values():
        if not found.isdisjoint(service.signs):
            found |= set(service.parts)
    return in_order(found)


def ports_of(parts: Iterable[Part]) -> tuple[int, ...]:
    return tuple(sorted({part.port for part in parts if part.port is not None}))


def service_with(parts: Iterable[Part]) -> str:
    """The service that these parts are, by its key; the first one where several are alike, `other` where none is.

    At ports of its own a service cannot be told from others: that is `other`, unless two protocols go together.
    """
    wanted = in_order(parts)
    ports = ports_of(wanted)
    for service in VPN_SERVICES.values():
        paired = len(service.at_own_ports) > 1 and bool(ports)
        if service.parts == wanted or (paired and parts_of(service.key, ports=ports) == wanted):
            return service.key
    return OTHER


def asked_as(key: str, parts: Iterable[Part]) -> tuple[str, str, str]:
    """What a form says of them: the service, and for `other` the protocol; the ports if they are not the usual ones."""
    found, wanted = VPN_SERVICES.get(key), in_order(parts)
    if found is not None:
        return key, "", format_ports(ports_of(wanted)) if found.at_own_ports and wanted != found.parts else ""
    return OTHER, wanted[0].protocol, format_ports(ports_of(wanted))


def in_words(parts: Iterable[Part], key: str = "") -> str:
    """`IKEv2 UDP 500, 4500 + ESP`; without a name where none is known, or several would fit. Of everything, nothing."""
    wanted = in_order(parts)
    names = {service.name for service in VPN_SERVICES.values() if service.parts == wanted}
    name = VPN_SERVICES[key].name if key in VPN_SERVICES else names.pop() if len(names) == 1 else ""
    return f"{name} {ports_in_words(wanted)}".strip()


def ports_in_words(parts: Iterable[Part]) -> str:
    """`UDP 500, 4500 + ESP`"""
    found = [(protocol.upper(), ports) for protocol, ports in by_protocol(parts) if protocol is not Protocol.ANY]
    return " + ".join(f"{protocol} {ports}".strip() for protocol, ports in found)


def in_columns(parts: Iterable[Part]) -> tuple[str, str]:
    """`("udp + esp", "500, 4500")`, for a table."""
    wanted = in_order(parts)
    return " + ".join(dict.fromkeys(part.protocol for part in wanted)), format_ports(ports_of(wanted))


def by_protocol(parts: Iterable[Part]) -> list[tuple[Protocol, str]]:
    """Each protocol with its ports, for people: `[(UDP, "500, 4500"), (ESP, "")]`. Of UDP and TCP, empty is all."""
    found: dict[Protocol, list[int]] = {}
    for part in in_order(parts):
        found.setdefault(part.protocol, []).extend([] if part.port is None else [part.port])
    return [(protocol, format_ports(ports)) for protocol, ports in found.items()]
