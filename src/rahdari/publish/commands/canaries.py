"""`rahdari feed canary|canaries|end-canary`: the register's own addresses, by which it sees what an operator does."""

import argparse
import datetime as dt
from typing import Any

from rahdari.address import AddressError, EndpointError, Part, Protocol, format_block, parse_block

from .console import fail, length_of_time
from .operators import asn

USUAL = dt.timedelta(days=365)


def add_words(acts: Any) -> None:
    canary = acts.add_parser("canary", help="list an address of the register's own to an operator, to see what it does")
    canary.add_argument("address", help="an address or a prefix that you hold and where you can measure")
    canary.add_argument("--asn", type=asn, help="to the operators of this network; without it to gateways alone")
    canary.add_argument("--protocol", type=Protocol, choices=list(Protocol), default=Protocol.ANY)
    canary.add_argument("--port", type=int, help="with udp and tcp")
    canary.add_argument("--for", dest="length", type=length_of_time, default=USUAL, metavar="365d", help="for so long")
    canary.set_defaults(run=run_canary)
    acts.add_parser("canaries", help="the register's own addresses").set_defaults(run=run_canaries)
    end = acts.add_parser("end-canary", help="list one of them no more")
    end.add_argument("address")
    end.set_defaults(run=run_end)


def run_canary(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.register import actions as register
    from rahdari.register import changes

    now = timezone.now().replace(microsecond=0)
    try:
        block, part = parse_block(options.address), Part(Protocol(options.protocol), options.port)
    except AddressError as error:
        return fail(f"{options.address!r} is no address or prefix ({error.reason}).")
    except EndpointError as error:
        return fail(f"{options.protocol} and this port do not go together ({error.reason}).")
    try:
        register.enter_canary(
            block=block,
            protocol=part.protocol,
            port=part.port,
            asn=options.asn,
            valid_until=now + options.length,
            actor="system:canary",
            now=now,
        )
    except changes.BlockAlreadyEntered:
        return fail(f"{format_block(block)} is registered already. A canary is an address of your own alone.")
    to = f"the operators of AS{options.asn} and to gateways" if options.asn else "gateways alone"
    print(f"{format_block(block)} {part} goes to {to} with the next edition, until {now + options.length:%Y-%m-%d}.")
    return 0


def run_canaries(options: argparse.Namespace) -> int:
    from rahdari.register import queries as register

    found = list(register.canaries())
    if not found:
        print("There are none.")
    for entry in found:
        port = f" {entry.port}" if entry.port else ""
        to = f"AS{entry.asn}" if entry.asn else "gateways"
        print(f"{format_block(entry.block)} {entry.protocol}{port}  to {to}, until {entry.valid_until:%Y-%m-%d}")
    return 0


def run_end(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.register import actions as register
    from rahdari.register import queries

    try:
        block = parse_block(options.address)
    except AddressError as error:
        return fail(f"{options.address!r} is no address or prefix ({error.reason}).")
    entry = queries.canaries().filter(block=block).first()
    if entry is None:
        return fail(f"{format_block(block)} is no canary. `rahdari feed canaries` names them.")
    register.strike_out(
        registration=entry.registration, code="canary", actor="system:canary", now=timezone.now().replace(microsecond=0)
    )
    print(f"{format_block(block)} is listed no more from the next edition on.")
    return 0
