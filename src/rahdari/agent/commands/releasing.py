"""`rahdari agent release`: let go what was held back, because the operator says that it is meant."""

import argparse

from rahdari.feed import KINDS, kind_of, role_of

from .. import status
from ..configuration import load
from ..faults import Exit
from ..folder import give_back, open_state
from ..removal_hold import release
from .acts import Acts, NotUnderstood, act, now

# Enough for a person to see whether it is what the authority spoke of.
SHOWN = 10


def add(acts: Acts) -> None:
    release = act(acts, "release", "let removals go that were held back for being too many", release_held)
    release.add_argument("--kind", choices=KINDS, help="only those of this kind of entries")
    release.add_argument("--yes", action="store_true", help="do it; without this it is only shown")


def release_held(arguments: argparse.Namespace) -> int:
    """A running agent notices at its next look, within a minute or so: it need not be stopped."""
    configuration = load(arguments.config)
    role = role_of(arguments.kind) if arguments.kind else None
    with open_state(configuration.state) as state:
        counts = {held: count for held, count in state.held_counts(now=now()).items() if role in {None, held}}
        if not counts:
            print("Nothing is held back.")
            return Exit.OK
        said = " and ".join(f"{count} {kind_of(held)}" for held, count in counts.items())
        if not arguments.yes:
            print(f"Held back: {said} entries that the feed took out. They stay enforced. The first of them:")
            for row in state.held_rows(role=role, most=SHOWN):
                print(f"  {status.endpoint(row)}")
            raise NotUnderstood(
                "Nothing was released.", "When the authority confirmed that this is meant, say it again with --yes."
            )
        count = release(state=state, role=role, now=now())
    give_back(configuration.state)
    print(f"Released: {count} entries. The targets are brought into line at the next sync.")
    return Exit.OK
