"""Somebody has shown control of an address that others hold: they hear of it, and nothing else follows."""

import datetime as dt
import ipaddress

from django.urls import reverse

from rahdari.address import format_block
from rahdari.apply.models import Endpoint
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import queries as register

# Holders of one block: a range may hold many addresses.
MOST = 50


def tell_holders(endpoint: Endpoint, block: ipaddress.IPv4Network | ipaddress.IPv6Network, now: dt.datetime) -> int:
    """Write to whoever has the block, or a part of it, and does not share it: once for each proof. A proof of what is
    registered already, shown again, tells nobody. Gives the letters."""
    told = 0
    for entry in register.in_the_way(block=block, holder=endpoint.application.holder_ref)[:MOST]:
        for person in people.people_to_tell(entry.holder):
            told += letters.write_once(
                to=person,
                template="address_proved_by_another",
                about=f"registration:{entry.registration_id}",
                once=f"proved:{endpoint.pk}",
                context={
                    "registration": entry.registration.reference,
                    "address": format_block(ipaddress.ip_network(str(entry.block))),
                    "url": reverse("portal:registration", args=[entry.registration.reference]),
                },
                now=now,
            )
    return told
