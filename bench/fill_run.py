"""The run of `bench/fill`."""

import argparse

from bench import filling, place


def main(about: str | None) -> None:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", metavar="ENTRIES", type=int, nargs="+", help="a register of so many entries each")
    parser.add_argument("--what", choices=list(filling.ADDRESS), default="hosts", help="what they hold (hosts)")
    given = parser.parse_args()
    place.end_cleanly_on_signals()
    for size in given.sizes:
        place.apart(_fill, size, given.what)
        place.say(f"{size} {given.what} are ready in {filling.folder_of(size, given.what)}")


def _fill(size: int, what: str) -> None:
    with filling.register(size, what):
        filling.wait_for_snapshot(size)
