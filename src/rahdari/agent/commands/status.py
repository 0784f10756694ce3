"""`rahdari agent status` and `rahdari agent check`: what this machine holds. Both ask nobody."""

import argparse
import json

from rahdari.address import AddressError, EndpointError, parse_block, parse_port, parse_protocol

from .. import status
from ..configuration import load
from ..faults import Exit
from ..folder import read_state
from ..status_file import remembered_terms
from ..terms import terms_note
from .acts import Acts, NotUnderstood, act, now, print_fault


def add(acts: Acts) -> None:
    status = act(acts, "status", "say what is held, what is applied and what is wrong", show_status)
    status.add_argument("--json", action="store_true", help="print a JSON object")

    check = act(acts, "check", "say whether an address is registered, from what is held here", check_address)
    check.add_argument("address", help="an address or a prefix")
    check.add_argument("--protocol", metavar="NAME", help="udp, tcp, esp or gre")
    check.add_argument("--port", metavar="N")
    check.add_argument("--json", action="store_true", help="print a JSON object")


def show_status(arguments: argparse.Namespace) -> int:
    configuration = load(arguments.config)
    with read_state(configuration.state) as state:
        said = status.status(configuration=configuration, state=state, now=now())
    print(json.dumps(status.status_as_json(said), indent=1) if arguments.json else status.status_in_words(said))
    return said.exit


def check_address(arguments: argparse.Namespace) -> int:
    try:
        block = parse_block(arguments.address)
        protocol = parse_protocol(arguments.protocol) if arguments.protocol else None
        port = parse_port(arguments.port) if arguments.port else None
    except (AddressError, EndpointError) as error:
        raise NotUnderstood(
            f"{error.text!r} is not understood ({error.reason}).", "Give an address such as 192.0.2.1 or 2001:db8::1."
        ) from None
    configuration = load(arguments.config)
    at = now()
    with read_state(configuration.state) as state:
        if not state.positions():
            raise NotUnderstood("Nothing has been verified yet.", "Run: rahdari agent sync")
        found = status.check(
            configuration=configuration,
            state=state,
            block=block,
            protocol=protocol,
            port=port,
            now=at,
        )
    if arguments.json:
        print(json.dumps(status.found_as_json(found, block=block, now=at)))
    else:
        print(status.found_in_words(found, block=block, now=at))
    if (note := terms_note(configuration, remembered_terms(configuration.state))) is not None:
        print_fault(note)
    return Exit.OK if found.rows else Exit.NOT_REGISTERED
