"""`rahdari agent key`: the key that signs this agent's receipts."""

import argparse

from ..configuration import load
from ..disk import NoState
from ..faults import Exit
from ..folder import give_back
from ..receipts import KEY_FILE, new_signing_key, public_hex, signing_key
from .acts import Acts, act


def add(acts: Acts) -> None:
    key = act(acts, "key", "show the key that signs this agent's receipts", show_key)
    key.add_argument("--new", action="store_true", help="make another in its place, for one that was revoked")


def show_key(arguments: argparse.Namespace) -> int:
    folder = load(arguments.config).state
    if not folder.is_dir():
        raise NoState(folder)
    key = new_signing_key(folder) if arguments.new else signing_key(folder)
    give_back(folder)
    print(public_hex(key))
    print(f"The private half is {folder / KEY_FILE}. The authority's page for you shows the public one above.")
    return Exit.OK
