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
        with filling.register(size, given.what):
            filling.wait_for_snapshot(size)
        place.say(f"{size} {given.what} are ready in {filling.folder_of(size, given.what)}")
