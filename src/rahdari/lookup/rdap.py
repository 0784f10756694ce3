"""What is said over RDAP: RFC 9083, with redaction by RFC 9537 and prefixes as cidr0 has them. Pure.

An `ip network` here is a registered prefix. All entries on it, which differ in protocol, port or term, stand in
`rahdari0_entries`: that prefix of names is our own, and not yet registered with IANA. The holder stands in the register
and is given to nobody: the entity is left out, and the answer says so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any

from .records import Fields, fields
from .views import Moment

MEDIA_TYPE = "application/rdap+json"
LEVEL, EXTENSION = "rdap_level_0", "rahdari0"
HANDLE = "AUTHORITY"
# A search, and classes that other registries hold: known to RDAP, not answered here (RFC 9082, section 1).
NOT_HERE = frozenset({"domain", "nameserver", "autnum", "domains", "nameservers", "entities", "ips", "autnums"})

_CONFORMS_TO_ALL = [LEVEL, "cidr0", "redacted", EXTENSION]
MEANS_NOTHING = "That an address is not listed means nothing about it, nor about who uses it."
_ABOUT = (
    "Entries of a register of endpoints that are not to be cut. Each answer is for the operator that asked, "
    f"of the networks it serves. Who holds an entry is not part of it. {MEANS_NOTHING}"
)


@dataclass(frozen=True)
class Server:
    """What answers say of the server itself: where it is asked (without `/rdap`), and whose it is."""

    url: str = ""
    authority: str = "The registration authority"
    contact: str = ""
    documentation: str = ""

    def entity(self) -> dict[str, Any]:
        card: list[Any] = [
            ["version", {}, "text", "4.0"],
            ["fn", {}, "text", self.authority],
            ["kind", {}, "text", "org"],
        ]
        if self.contact:
            card.append(["email", {}, "text", self.contact])
        return {
            "objectClassName": "entity",
            "handle": HANDLE,
            "vcardArray": ["vcard", card],
            "roles": ["registrar"],
            "links": [self.link(f"entity/{HANDLE}")],
        }

    def link(self, path: str) -> dict[str, str]:
        address = f"{self.url}/rdap/{path}"
        return {"value": address, "rel": "self", "href": address, "type": MEDIA_TYPE}

    def notices(self) -> list[dict[str, Any]]:
        notice: dict[str, Any] = {"title": "About this register", "description": [_ABOUT]}
        if self.documentation:
            notice["links"] = [
                {
                    "value": f"{self.url}/rdap/help",
                    "rel": "about",
                    "href": self.documentation,
                    "type": "text/html",
                }
            ]
        return [notice]


def network(server: Server, records: Sequence[bytes], at: Moment, updated_at: str | None) -> bytes:
    """Entries on one prefix, as one `ip network`."""
    entries = sorted((fields(record) for record in records), key=lambda entry: (entry.not_before, entry.id))
    first = entries[0]
    prefix = ip_network(first.prefix.decode("ascii"))
    family = "v4" if prefix.version == 4 else "v6"
    events = [
        {"eventAction": "registration", "eventDate": first.not_before.decode("ascii")},
        {"eventAction": "expiration", "eventDate": max(entry.not_after for entry in entries).decode("ascii")},
    ]
    if updated_at is not None:
        events.append({"eventAction": "last update of RDAP database", "eventDate": updated_at})
    path = f"ip/{prefix}" if prefix.num_addresses > 1 else f"ip/{prefix.network_address}"
    return body(
        server,
        {
            "objectClassName": "ip network",
            "handle": first.id.decode("ascii"),
            "startAddress": str(prefix.network_address),
            "endAddress": str(prefix.broadcast_address),
            "ipVersion": family,
            "type": "REGISTERED ENDPOINT",
            "status": ["active"],
            "entities": [server.entity()],
            "events": events,
            "links": [server.link(path)],
            "cidr0_cidrs": [{f"{family}prefix": str(prefix.network_address), "length": prefix.prefixlen}],
            f"{EXTENSION}_entries": [_entry(entry, at) for entry in entries],
            "redacted": [
                {
                    "name": {"description": "Registrant"},
                    "prePath": "$.entities[?(@.roles[0]=='registrant')]",
                    "pathLang": "jsonpath",
                    "method": "removal",
                    "reason": {"description": "Answers carry addresses and never say who holds them."},
                }
            ],
        },
        _CONFORMS_TO_ALL,
    )


def entity(server: Server) -> bytes:
    """The authority's own, the only one there is."""
    return body(server, server.entity(), [LEVEL])


def help(server: Server) -> bytes:
    description = [
        "Ask for ip/ADDRESS or ip/ADDRESS/LENGTH: the smallest registered network that holds all of it.",
        "Operators alone are answered, by their bearer token or client certificate, and are told of the entries of "
        "their own networks.",
        f"The entries on a network stand in {EXTENSION}_entries: protocol, port and term of each.",
        "An operator that asks too often is answered 429 with Retry-After. Whoever wants all of it follows the feed.",
    ]
    notices = [{"title": "How to ask", "description": description}, *server.notices()]
    return body(server, {"notices": notices}, [LEVEL, "cidr0", "redacted", EXTENSION])


def error(server: Server, status: HTTPStatus, *description: str) -> bytes:
    return body(server, {"errorCode": int(status), "title": status.phrase, "description": list(description)}, [LEVEL])


def body(server: Server, value: dict[str, Any], conformance: list[str]) -> bytes:
    """A response as JSON (RFC 9083), with its conformance and the notices of the server."""
    value = {"rdapConformance": conformance, **value}
    value.setdefault("notices", server.notices())
    return json.dumps(value, separators=(",", ":")).encode()


def _entry(entry: Fields, at: Moment) -> dict[str, Any]:
    return {
        "id": entry.id.decode("ascii"),
        "protocol": entry.protocol.decode("ascii"),
        "port": None if entry.port == b"null" else int(entry.port),
        "notBefore": entry.not_before.decode("ascii"),
        "notAfter": entry.not_after.decode("ascii"),
        "keptStale": entry.not_after <= at.now,
    }
